import asyncio
import errno
import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.gateway.server import Server
from tests.gateway.served import PATIENCE_S, Served, read_all, read_answer
from tests.gateway.toy import Toy

Serve = Callable[..., Served]
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_keeps_what_the_client_wrote(serve: Serve) -> None:
    served = serve()
    answer = served.ask(
        b"POST /a%2fb//c/../d?x=%20&Y HTTP/1.1\r\nhOsT: localhost\r\nX-Amz-Meta-CaSe:  v \r\nA: 1\r\nA: 2\r\n"
        b"Content-Length: 3\r\nConnection: close\r\n\r\nabc"
    )
    top, _, body = answer.partition(b"\r\n\r\n")
    seen = json.loads(body)
    assert seen["target"] == "/a%2fb//c/../d?x=%20&Y"
    assert [name for name, _ in seen["headers"][:4]] == ["hOsT", "X-Amz-Meta-CaSe", "A", "A"]
    assert seen["body"] == "abc"
    assert seen["scheme"] == "http"
    assert b"Connection: close" in top
    assert b"\r\nDate: " in top


def test_keeps_the_connection(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        for number in range(3):
            client.sendall(GET % b"/%d" % number)
            status, headers, body = read_answer(client)
            assert status == 200
            assert "connection" not in headers
            assert json.loads(body)["target"] == f"/{number}"
    assert served.call(lambda: len(served.toy.seen)) == 3


@pytest.mark.parametrize("wish", [b"", b"Connection: keep-alive\r\n"])
def test_http_1_0(serve: Serve, wish: bytes) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n" + wish + b"\r\n")
        _, headers, _ = read_answer(client)
        if wish:
            assert headers["connection"] == "keep-alive"
            client.sendall(GET % b"/")
            assert read_answer(client)[0] == 200
        else:
            assert headers["connection"] == "close"
            assert client.recv(1) == b""


def test_http_1_0_without_host(serve: Serve) -> None:
    assert serve().ask(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", ["/echo", "/later", "/task"])
def test_pipelined_requests_are_answered_in_order(serve: Serve, path: str) -> None:
    served = serve()
    count = 300
    data = b"".join(GET % f"{path}/{number}".encode() for number in range(count))
    with served.connect() as client:
        client.sendall(data)
        for number in range(count):
            status, _, body = read_answer(client)
            assert status == 200
            if path == "/later":
                assert body == f"/later/{number}".encode()
    assert served.call(lambda: served.toy.seen) == [f"{path}/{number}" for number in range(count)]


def test_pipelining_mixes_fast_and_slow(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall((GET % b"/later/1") + (GET % b"/echo/2") + (GET % b"/task"))
        assert read_answer(client)[2] == b"/later/1"
        assert json.loads(read_answer(client)[2])["target"] == "/echo/2"
        assert read_answer(client)[2] == b"from a task"


def test_pipelining_without_reading_is_not_piled_up(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(0.3)
        request = GET % b"/big"
        try:
            for _ in range(200):
                client.sendall(request * 1000)
        except TimeoutError:
            pass
        assert served.call(lambda: len(served.toy.seen)) < 10
        assert served.call(lambda: max(len(each._queue) for each in served.server.connections)) < 2000


@pytest.mark.parametrize("chop", [1, 7])
def test_a_request_in_small_pieces(serve: Serve, chop: int) -> None:
    served = serve()
    data = b"POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    data += b"3\r\nabc\r\n2;e=f\r\nde\r\n0\r\nT: r\r\n\r\n"
    with served.connect() as client:
        for start in range(0, len(data), chop):
            client.sendall(data[start : start + chop])
        assert json.loads(read_answer(client)[2])["body"] == "abcde"
        client.sendall(GET % b"/again")
        assert read_answer(client)[0] == 200


def test_head_and_bodiless_answers(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(b"HEAD /head-length HTTP/1.1\r\nHost: localhost\r\n\r\n" + GET % b"/nothing")
        data = b""
        while data.count(b"\r\n\r\n") < 2:
            data += client.recv(4096)
    head, nothing, rest = data.split(b"\r\n\r\n")
    assert b"Content-Length: 1234567" in head
    assert nothing.startswith(b"HTTP/1.1 204")
    assert b"Content-Length" not in nothing
    assert rest == b""


def test_an_answer_cannot_be_split(serve: Serve) -> None:
    answer = serve().ask(GET % b"/split")
    assert b"X-A: b  X-Evil: c \r\n" in answer
    assert answer.count(b"Date: ") == 1
    assert b"Connection: x" not in answer


@pytest.mark.parametrize("path", ["/crash", "/crash-task", "/silent"])
def test_a_failure_is_logged_and_hidden(serve: Serve, path: str, caplog: pytest.LogCaptureFixture) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(GET % path.encode())
        status, headers, body = read_answer(client)
        assert status == 500
        assert headers["x-amzn-errortype"] == "InternalFailure"
        assert b"secret" not in body
        assert b"Traceback" not in body
        client.sendall(GET % b"/")
        assert read_answer(client)[0] == 200
    assert any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("path", ["/crash-midway", "/short"])
def test_an_answer_that_breaks_off_is_seen_by_the_client(serve: Serve, path: str) -> None:
    served = serve()
    connection = http.client.HTTPConnection("localhost", served.port, timeout=PATIENCE_S)
    connection.request("GET", path)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        connection.getresponse().read()
    connection.close()


# -- 100-continue


def _expecting(path: bytes, length: int = 5, extra: bytes = b"") -> bytes:
    return (
        b"PUT %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n" % (path, length)
        + extra
        + b"\r\n"
    )


@pytest.mark.parametrize("path", [b"/echo", b"/upload"])
@pytest.mark.parametrize("length", [5, 100_000])
def test_continue(serve: Serve, path: bytes, length: int) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(_expecting(path, length))
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"x" * length)
        assert read_answer(client)[0] == 200
        client.sendall(GET % b"/")
        assert read_answer(client)[0] == 200


def test_continue_waits_for_its_turn(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall((GET % b"/hold") + _expecting(b"/echo"))
        served.wait_for(lambda: served.toy.events)
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(PATIENCE_S)
        served.call(served.toy.release.set)
        assert read_answer(client)[2] == b"held"
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert json.loads(read_answer(client)[2])["body"] == "hello"


@pytest.mark.parametrize(
    ("path", "extra", "status"),
    [
        (b"/forbidden", b"", 403),
        (b"/unexpected", b"", 417),
        (b"/odd", b"", 500),
        (b"/echo", b"Expect: cake\r\n", 417),
    ],
)
def test_a_body_is_refused_unread(serve: Serve, path: bytes, extra: bytes, status: int) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(_expecting(path, extra=extra))
        seen, headers, _ = read_answer(client)
        assert seen == status
        assert headers["connection"] == "close"
        assert read_all(client) == b""
    assert served.call(lambda: served.toy.seen) == []


# -- clients that go away


def test_a_half_closed_client_gets_its_answer(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(GET % b"/hold")
        client.shutdown(socket.SHUT_WR)
        served.wait_for(lambda: "half close" in served.toy.events)
        served.call(served.toy.release.set)
        assert read_all(client).endswith(b"held")
    served.wait_for(lambda: not served.server.connections)
    assert served.call(lambda: served.toy.events) == ["holding", "half close"]


def test_a_reset_is_a_disconnect(serve: Serve) -> None:
    served = serve()
    client = served.connect()
    client.sendall(GET % b"/hold")
    served.wait_for(lambda: served.toy.events)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    served.wait_for(lambda: "disconnect" in served.toy.events)
    served.call(served.toy.release.set)  # the answer to nobody is dropped
    served.wait_for(lambda: not served.server.connections)


@pytest.mark.parametrize(
    "start", [b"", b"GET /", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"]
)
def test_a_client_that_stops_midway_is_let_go(serve: Serve, start: bytes) -> None:
    served = serve()
    assert served.ask(start) in (b"",)
    served.wait_for(lambda: not served.server.connections)


# -- upgrades that are not taken


def test_an_h2c_offer_is_ignored(serve: Serve) -> None:
    served = serve()
    offer = (
        b"POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: 3\r\n\r\nabc"
    )
    with served.connect() as client:
        client.sendall(offer * 3 + GET % b"/last")
        for _ in range(3):
            assert json.loads(read_answer(client)[2])["body"] == "abc"
        assert json.loads(read_answer(client)[2])["target"] == "/last"
        client.sendall(offer[:-1])
        time.sleep(0.01)
        client.sendall(b"d")
        assert json.loads(read_answer(client)[2])["body"] == "abd"


def test_an_h2c_offer_with_chunks(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(
            b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + GET % b"/"
        )
        assert json.loads(read_answer(client)[2])["size"] == 3
        assert read_answer(client)[0] == 200


# -- the end of the server


def test_drain_lets_work_finish(serve: Serve) -> None:
    served = serve()
    idle, busy = served.connect(), served.connect()
    with idle, busy:
        idle.sendall(GET % b"/")
        read_answer(idle)
        busy.sendall(GET % b"/hold")
        served.wait_for(lambda: served.toy.events)
        drained: Any = served.call(lambda: served.loop.create_task(served.server.drain(PATIENCE_S)))
        assert idle.recv(1) == b""  # at once
        with pytest.raises(OSError):
            served.connect()
        served.call(served.toy.release.set)
        _, headers, body = read_answer(busy)
        assert body == b"held"
        assert headers["connection"] == "close"
        assert busy.recv(1) == b""
        served.wait_for(drained.done)


def test_drain_cuts_at_its_deadline(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(GET % b"/hold")
        served.wait_for(lambda: served.toy.events)
        served.call(lambda: served.server.drain(0.02))
        assert read_all(client) == b""
        assert served.call(lambda: served.toy.events) == ["holding", "disconnect"]


def test_too_many_connections(serve: Serve) -> None:
    served = serve(limits={"connections": 2})
    first, second = served.connect(), served.connect()
    with first, second:
        for client in (first, second):
            client.sendall(GET % b"/")
            read_answer(client)
        assert served.ask(GET % b"/") == b""


def test_localhost_is_both_loopback_addresses(serve: Serve) -> None:
    served = serve(host="localhost")
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as client:
            try:
                client.connect((address, served.port))
            except OSError:
                assert family == socket.AF_INET6  # a machine without IPv6
                continue
            client.sendall(GET % b"/")
            assert read_answer(client)[0] == 200


def test_a_taken_port_is_an_error(serve: Serve) -> None:
    served = serve()

    async def again() -> None:
        await Server(served.toy, clock=time.time, host="127.0.0.1", port=served.port).start()

    with pytest.raises(OSError) as raised:
        served.call(again)
    assert raised.value.errno == errno.EADDRINUSE


def test_a_connection_that_cannot_be_written_to_keeps_no_other_answer_back() -> None:
    class Connection:
        def __init__(self, broken: bool) -> None:
            self.broken, self.flushed, self.aborted = broken, False, False

        def flush(self) -> None:
            if self.broken:
                raise RuntimeError("the transport is closed")
            self.flushed = True

        def abort(self) -> None:
            self.aborted = True

    async def answer_both() -> list[Connection]:
        server = Server(Toy(), clock=time.time)
        server.loop = asyncio.get_running_loop()
        both = [Connection(broken=True), Connection(broken=False)]
        for connection in both:
            server.flush_soon(connection)
        await asyncio.sleep(0)
        return both

    broken, sound = asyncio.run(answer_both())
    assert broken.aborted and not sound.aborted
    assert sound.flushed
