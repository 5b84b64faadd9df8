"""Messages through SNS → SQS → receive → delete while the server is killed every few seconds.

None that was acknowledged is lost, what was deleted stays deleted, a FIFO queue keeps the order of its groups and takes
each message once however often it is published, and gives it out again only when its visibility timeout is over.
"""

import random
import time
from typing import Any

import pytest

from tests.crash.message_load import Load
from tests.server_process import Server

VISIBILITY_S = 10  # more than most restarts take, so that little comes again


def survive(server: Server, count: int, between_kills_s: tuple[float, float], *, least_kills: int) -> None:
    """Put `count` messages through the server while it dies, and hold the ledgers against what must be."""
    chance = random.Random(count)
    load = Load([server], count)
    load.set_up(VISIBILITY_S)
    begin = time.monotonic()
    kills = 0
    load.start()
    try:
        while load.publishing or kills < least_kills:
            load.stopping.wait(chance.uniform(*between_kills_s))  # real load in real time
            server.kill()
            server.start()
            kills += 1
        load.finish(60)
    finally:
        load.stop()
    seconds = time.monotonic() - begin
    for failure in load.failures:
        raise failure
    report(load, kills, seconds)
    for name, ledger in load.ledgers.items():
        assert not ledger.left, f"{name}: {len(ledger.left)} of {len(ledger.acknowledged)} are lost"
        assert not ledger.violations, f"{name}: {ledger.violations[:10]}"
        assert len(ledger.acknowledged) >= count // 2
        assert set(ledger.ids) <= ledger.acknowledged | ledger.uncertain
    fifo = load.ledgers["orders.fifo"]
    assert not fifo.uncertain
    twice = {body for body, ids in fifo.ids.items() if len(ids) > 1}
    assert not twice, f"{len(twice)} FIFO messages exist twice"
    expect_empty(server, load)
    assert "Traceback" not in server.log.read_text()


def expect_empty(server: Server, load: Load) -> None:
    """Nothing is left in the queues, not even hidden. A standard message that got no answer may still come, once."""
    sqs = server.client("sqs")
    asked_at = time.monotonic()
    wanted = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "Delayed", "NotVisible")]
    for name, url in load.urls.items():
        counts: dict[str, str] = {}
        while set(counts.values()) != {"0"}:
            assert time.monotonic() < asked_at + 3 * VISIBILITY_S, counts
            for message in iter(lambda url=url: take_one(sqs, url, 2), None):
                load.ledgers[name].arrived([message], asked_at)
            counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
        assert not load.ledgers[name].violations
    sqs.close()


def take_one(sqs: Any, url: str, wait_s: int) -> Any:
    """The next message, received and deleted; None when there is none."""
    for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait_s).get("Messages", []):
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message
    return None


def report(load: Load, kills: int, seconds: float) -> None:
    for name, ledger in load.ledgers.items():
        print(
            f"{name}: {len(ledger.acknowledged)} acknowledged, {len(ledger.uncertain)} without an answer, "
            f"{ledger.received} received, {ledger.repeated} of them again, {len(ledger.deleted_at)} deleted"
        )
    total = sum(len(ledger.acknowledged) for ledger in load.ledgers.values())
    print(f"{total} messages and {kills} kills in {seconds:.0f} s: {total / seconds:.0f} messages a second")


def test_messages_survive(server: Server) -> None:
    survive(server, 8_000, (1.5, 3.0), least_kills=4)


@pytest.mark.soak
def test_one_hundred_thousand_messages_survive(server: Server) -> None:
    survive(server, 100_000, (2.0, 5.0), least_kills=20)
