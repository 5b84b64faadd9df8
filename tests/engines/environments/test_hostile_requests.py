"""What a function may do to the Runtime API: nothing that the server would notice, and its own invocation goes on."""

import asyncio
import os
from typing import Any

import pytest

from cumulo.engines.environments import api_connections
from cumulo.engines.environments.api_connections import (
    BURST_BYTES,
    SLICE_BYTES,
    TURN_BYTES,
    ApiConnection,
    Request,
    Turns,
)
from cumulo.engines.environments.log_pipes import TURN_EVENTS, LogPipe
from tests.engines.environments.conftest import Bench

SPEAK = """
import os, socket, time
def connect():
    made = socket.create_connection(("127.0.0.1", int(os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")[2])), 10)
    made.settimeout(10)
    return made
def closed(made):
    try:
        while made.recv(65536):
            pass
    except ConnectionError:
        pass
    except TimeoutError:
        return False
    return True
def push(made, pieces):
    try:
        for piece in pieces:
            made.sendall(piece)
    except ConnectionError:
        return True
    return closed(made)
"""


def run(bench: Bench, handler: str, **changes: Any) -> bytes:
    """What such a function answers; afterwards it must be alive."""
    source = f"{SPEAK}\ndef handler(event, context):\n    if event == 'again': return 'alive'\n{handler}"
    build = bench.build(source, timeout_s=30.0, memory_mb=512, **changes)
    outcome, again = bench.invoke(build, b"{}", b'"again"')
    assert again.payload == b'"alive"'
    return outcome.payload


@pytest.mark.parametrize(
    "pieces",
    [
        'b"GET /x HTTP/1.1\\r\\n\\r\\n" * 20',
        '*(b"GET /x HTTP/1.1\\r\\n", *(b"h%d: %s\\r\\n" % (n, b"v" * 10000) for n in range(300)))',
        '*(b"GET /", *(b"u" * 65536 for _ in range(40)))',
        '*(b"GET /x HTTP/1.1\\r\\nh: ", *(b"v" * 65536 for _ in range(40)))',
        '*(b"POST /x HTTP/1.1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n1;", *(b"e" * 65536 for _ in range(40)))',
        'b"GET /x HTTP/1.1\\r\\nConnection: Upgrade\\r\\nUpgrade: h2c\\r\\n\\r\\n"',
        'b"\\0\\1\\2 nonsense\\r\\n\\r\\n"',
    ],
    ids=["many at once", "headers", "target", "a header", "a chunk's extension", "upgrade", "no HTTP"],
)
def test_a_connection_that_has_no_end_is_ended(bench: Bench, pieces: str) -> None:
    assert run(bench, f"    return push(connect(), [{pieces}])") == b"true"


def test_connections_are_bounded(bench: Bench) -> None:
    code = """
    made = [connect() for _ in range(200)]
    time.sleep(0.2)
    refused = 0
    for each in made:
        each.setblocking(False)
        try:
            refused += each.recv(1) == b""
        except ConnectionError:
            refused += 1
        except BlockingIOError:
            pass
        each.close()
    time.sleep(0.2)
    return refused"""
    assert 200 - api_connections.MOST_CONNECTIONS <= int(run(bench, code)) <= 80  # its runtime has one of its own


def test_bodies_that_are_not_ended_are_bounded_together(bench: Bench) -> None:
    code = """
    made = [connect() for _ in range(8)]
    ended = 0
    for each in made:
        try:
            each.sendall(b"POST /x HTTP/1.1\\r\\nContent-Length: 9000000\\r\\n\\r\\n" + bytes(7 << 20))
            each.settimeout(0.2)
            ended += each.recv(1) == b""
        except TimeoutError:
            pass
        except ConnectionError:
            ended += 1
    return ended"""
    assert int(run(bench, code)) == 8 - api_connections.MOST_KEPT_BYTES // (7 << 20)


def test_an_answer_that_streams_too_much_to_one_who_waits_for_all_of_it(bench: Bench) -> None:
    code = """
    made = connect()
    path = f"/2018-06-01/runtime/invocation/{context.aws_request_id}/response"
    mode = "Lambda-Runtime-Function-Response-Mode: streaming"
    made.sendall(f"POST {path} HTTP/1.1\\r\\n{mode}\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n".encode())
    for _ in range(640):
        made.sendall(b"10000\\r\\n" + bytes(65536) + b"\\r\\n")
    made.sendall(b"0\\r\\n\\r\\n")
    made.recv(100)"""
    assert b"Function.ResponseSizeTooLarge" in run(bench, code)


def test_words_that_are_ours_but_mean_nothing(bench: Bench) -> None:
    """An init error in the name of the program that starts runtimes."""
    source = (
        SPEAK
        + """
body = b"[1]"
connect().sendall(b"POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\nContent-Length: 3\\r\\n"
                  b"Lambda-Runtime-Function-Error-Type: Runtime.InvalidEntrypoint\\r\\n\\r\\n" + body)
time.sleep(1)
def handler(event, context): return 1"""
    )
    (outcome,) = bench.invoke(bench.build(source))
    assert (outcome.error_type, outcome.payload) == ("Runtime.InvalidEntrypoint", b"[1]")


def test_a_line_of_json_that_is_too_deep(bench: Bench) -> None:
    code = """
    os.write(1, b'{"a":' * 40000 + b"\\n")
    return 1"""
    assert run(bench, code, log_format="JSON", application_level="INFO") == b"1"
    assert '{"a":{"a":' in bench.text


def test_the_tail_is_the_end_of_a_long_log(bench: Bench) -> None:
    source = "def handler(event, context):\n    for number in range(20000): print('line', number)"
    (outcome,) = bench.invoke(bench.build(source, timeout_s=30.0))
    assert len(outcome.tail) == 4096
    assert b"line 19999\nEND RequestId" in outcome.tail
    assert bench.text.count("\nline ") + bench.text.startswith("line ") >= 19_999
    assert bench.text.index("line 19999\n") < bench.text.index("END RequestId")


class _Quiet:
    """Answers everything with a thousand bytes."""

    def __init__(self) -> None:
        self.answered = 0

    def wants_parts(self, request: Request) -> bool:
        return False

    def part(self, request: Request, data: bytes) -> None:
        return None

    def answer(self, connection: ApiConnection, request: Request) -> None:
        self.answered += 1
        connection.send(200, b"", bytes(1000))

    def keep(self, count: int) -> bool:
        return True

    def gone(self, connection: ApiConnection) -> None:
        pass


class _Transport:
    reading = True

    def get_extra_info(self, name: str) -> None:
        return None

    def write(self, data: bytes) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


def test_who_does_not_read_answers_is_not_heard() -> None:
    async def main() -> None:
        api, transport = _Quiet(), _Transport()
        connection = ApiConnection(api, Turns())
        connection.connection_made(transport)  # type: ignore[arg-type]
        connection.data_received(b"GET / HTTP/1.1\r\n\r\n")
        connection.pause_writing()
        assert not transport.reading
        connection.data_received(b"GET / HTTP/1.1\r\n\r\n")
        assert api.answered == 1
        connection.resume_writing()
        assert (api.answered, transport.reading) == (2, True)

    asyncio.run(main())


def test_large_requests_are_parsed_in_turns() -> None:
    """Two of one environment: neither is parsed whole before the loop goes on, nor long before the other."""
    body = b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + bytes(1_000_000)

    async def main() -> None:
        turns = Turns()
        connections = []
        for _ in range(2):
            api, transport = _Quiet(), _Transport()
            connection = ApiConnection(api, turns)
            connection.connection_made(transport)  # type: ignore[arg-type]
            connection.data_received(body)
            connections.append((api, transport))
        assert [(api.answered, transport.reading) for api, transport in connections] == [(0, False)] * 2
        rounds = ended_first = 0
        while not all(api.answered for api, _ in connections):
            await asyncio.sleep(0)
            rounds += 1
            ended_first = ended_first or (rounds if any(api.answered for api, _ in connections) else 0)
        assert rounds >= 2 * len(body) // TURN_BYTES and rounds - ended_first <= 2
        assert all(transport.reading for _, transport in connections)

    asyncio.run(main())


def test_who_has_sent_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_connections, "BYTES_PER_S", 0)

    async def main() -> int:
        turns, taken = Turns(), 0
        for _ in range(2 * BURST_BYTES // SLICE_BYTES):
            taken += turns.take()
            await asyncio.sleep(0)
        return taken

    assert asyncio.run(main()) == BURST_BYTES // SLICE_BYTES


def test_a_flood_of_lines_is_read_in_turns() -> None:
    read, write = os.pipe()
    lines: list[str] = []
    pipe = LogPipe(read, lambda text, framed: lines.append(text))
    os.write(write, b"\n" * 10_000)
    turns = 1
    while pipe.drain():
        assert len(lines) <= turns * TURN_EVENTS
        turns += 1
    assert len(lines) == 10_000
    assert turns >= 10
    frame = b"\xa5\x5a\x00\x03" + (300_000).to_bytes(4, "big") + bytes(8) + b"f" * 300_000
    for start in range(0, len(frame), 50_000):
        os.write(write, frame[start : start + 50_000])
        pipe.drain()
    assert [len(text) for text in lines[10_000:]] == [262_144, 300_000 - 262_144]
    os.write(write, b"a\n" * 2000 + b"unfinished")
    pipe.drain()
    pipe.flush()
    assert lines[-1] == "unfinished"
    assert len(lines) == 10_002 + 2001
    pipe.close()
    os.close(write)
