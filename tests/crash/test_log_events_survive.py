"""Log events come in, and become segments, while the server is killed every few seconds.

No event that was acknowledged is lost, none is there twice, and the order of each stream is kept.
"""

import threading
import time
from collections import Counter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.server_process import Server

GROUP = "/crash/test"
WRITERS = 3
LINES = 900  # in a batch of nearly 1 MB
PADDING = "x" * 1050


class Writer(threading.Thread):
    """Writes batches to a stream of its own, each once; remembers which were acknowledged."""

    def __init__(self, server: Server, name: str, batches: int) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.stream = name
        self.batches = batches
        self.acknowledged: list[int] = []
        self.uncertain: list[int] = []

    def run(self) -> None:
        logs = self.server.client("logs")
        for batch in range(self.batches):
            now = int(time.time() * 1000)
            events = [{"timestamp": now, "message": f"{batch}.{line} {PADDING}"} for line in range(LINES)]
            try:
                logs.put_log_events(logGroupName=GROUP, logStreamName=self.stream, logEvents=events)
                self.acknowledged.append(batch)
            except (BotoCoreError, ClientError):
                self.uncertain.append(batch)
                time.sleep(0.05)  # the server is being started again
        logs.close()


def read(logs: Any, stream: str) -> list[str]:
    """All events of a stream, without their padding."""
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True, **token)
        found += [event["message"].partition(" ")[0] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            return found
        token = {"nextToken": page["nextForwardToken"]}


def wait_for_a_segment(server: Server) -> None:
    for _ in range(300):
        if list(server.data_dir.glob("blobs/??/*")):
            return
        time.sleep(0.1)
    raise AssertionError("no segment was made")


def test_log_events_survive(server: Server) -> None:
    logs = server.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    writers = [Writer(server, f"s{number}", 16) for number in range(WRITERS)]
    for writer in writers:
        logs.create_log_stream(logGroupName=GROUP, logStreamName=writer.stream)
        writer.start()
    kills = 0
    while any(writer.is_alive() for writer in writers):
        time.sleep(0.8)
        server.kill()
        server.start()
        kills += 1
    undisturbed = Writer(server, "last", 20)  # enough for a segment, however little the kills let through
    logs.create_log_stream(logGroupName=GROUP, logStreamName=undisturbed.stream)
    undisturbed.start()
    undisturbed.join()
    assert undisturbed.acknowledged == list(range(20))
    wait_for_a_segment(server)
    for writer in [*writers, undisturbed]:
        writer.join()
        found = read(logs, writer.stream)
        counts = Counter(found)
        assert not [line for line, count in counts.items() if count > 1]
        whole = {batch: sum([f"{batch}.{line}" in counts for line in range(LINES)]) for batch in range(writer.batches)}
        assert all(whole[batch] == LINES for batch in writer.acknowledged)
        assert all(whole[batch] in (0, LINES) for batch in writer.uncertain)
        assert found == sorted(found, key=lambda line: tuple(map(int, line.split("."))))
        assert len(writer.acknowledged) + len(writer.uncertain) == writer.batches
    assert kills >= 1
    assert "Traceback" not in server.log.read_text()
