import os
import socket
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

from tests.gateway.served import Served, read_all

Serve = Callable[..., Served]


class Client:
    """wsproto's client side over a blocking socket."""

    def __init__(self, served: Served, *, deflate: bool = False, early: bytes = b"") -> None:
        self.socket = served.connect()
        self.ws = WSConnection(ConnectionType.CLIENT)
        self._events: list[Any] = []
        extensions = [PerMessageDeflate()] if deflate else []
        opening = self.ws.send(
            Request(host="localhost", target="/ws?x", subprotocols=["a", "chat"], extensions=extensions)
        )
        self.socket.sendall(opening + early)

    def send(self, event: Any) -> None:
        self.socket.sendall(self.ws.send(event))

    def next(self) -> Any:
        while not self._events:
            data = self.socket.recv(65536)
            self.ws.receive_data(data or None)
            self._events.extend(self.ws.events())
        return self._events.pop(0)

    def message(self) -> str | bytes:
        whole: Any = None
        while True:
            event = self.next()
            assert isinstance(event, (TextMessage, BytesMessage)), event
            data = event.data if isinstance(event.data, str) else bytes(event.data)
            whole = data if whole is None else whole + data
            if event.message_finished:
                return whole  # type: ignore[no-any-return]

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def _open(served: Served, **options: Any) -> Client:
    client = Client(served, **options)
    accepted = client.next()
    assert isinstance(accepted, AcceptConnection)
    assert accepted.subprotocol == "chat"
    assert (b"x-extra", b"yes") in accepted.extra_headers
    return client


@pytest.mark.parametrize("deflate", [False, True])
def test_messages(serve: Serve, deflate: bool) -> None:
    served = serve()
    with _open(served, deflate=deflate) as client:
        blob = os.urandom(300_000)
        for message in ("hello", "ü" * 1000, ""):
            client.send(TextMessage(data=message))
            assert client.message() == message
        client.send(BytesMessage(data=blob))
        assert client.message() == blob
        for number in range(200):
            client.send(TextMessage(data="part ", message_finished=number == 199))
        assert client.message() == "part " * 200
        client.send(CloseConnection(code=1000, reason="done"))
        closed = client.next()
        assert isinstance(closed, CloseConnection)
        assert closed.code == 1000
    served.wait_for(lambda: served.toy.events == ["closed 1000"])
    served.wait_for(lambda: not served.server.connections)


def test_ping_and_close_by_the_server(serve: Serve) -> None:
    served = serve()
    with _open(served) as client:
        client.send(Ping(payload=b"you there"))
        pong = client.next()
        assert isinstance(pong, Pong)
        assert bytes(pong.payload) == b"you there"
        client.send(TextMessage(data="bye"))
        closed = client.next()
        assert isinstance(closed, CloseConnection)
        assert (closed.code, closed.reason) == (4000, "bye")
        client.send(closed.response())
        assert client.socket.recv(1) == b""


def test_messages_right_behind_the_handshake(serve: Serve) -> None:
    served = serve()
    masked = b"\x81\x82\x00\x00\x00\x00hi"
    with _open(served, early=masked) as client:
        assert client.message() == "hi"


def test_too_large(serve: Serve) -> None:
    served = serve(limits={"websocket_message_bytes": 10_000})
    with _open(served) as client:
        client.send(BytesMessage(data=b"x" * 10_001))
        closed = client.next()
        assert isinstance(closed, CloseConnection)
        assert closed.code == 1009
    served.wait_for(lambda: not served.server.connections)


def test_a_compressed_bomb(serve: Serve) -> None:
    served = serve()
    squeezer = zlib.compressobj(9, wbits=-15)
    bomb = squeezer.compress(b"\0" * 100_000_000) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    bomb = bomb[:-4]
    with _open(served, deflate=True) as client:
        client.socket.sendall(b"\xc2\xff" + len(bomb).to_bytes(8, "big") + b"\0\0\0\0" + bomb)
        closed = client.next()
        assert isinstance(closed, CloseConnection)
        assert closed.code == 1009
    served.wait_for(lambda: not served.server.connections)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (b"\xf1\x80\0\0\0\0", 1002),  # reserved bits
        (b"\x83\x80\0\0\0\0", 1002),  # unknown opcode
        (b"\x81\x82\0\0\0\0\xff\xff", 1007),  # no UTF-8
        (b"\x80\x80\0\0\0\0", 1002),  # a continuation of nothing
        (b"\x89\xfe\x00\x7e\0\0\0\0" + b"x" * 126, 1002),  # a ping too large
    ],
)
def test_broken_frames(serve: Serve, frame: bytes, code: int) -> None:
    served = serve()
    with _open(served) as client:
        client.socket.sendall(frame)
        closed = client.next()
        assert isinstance(closed, CloseConnection)
        assert closed.code == code
    served.wait_for(lambda: not served.server.connections)
    served.wait_for(lambda: served.toy.events)


def test_a_crash_closes_with_1011(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    served = serve()
    with _open(served) as client:
        client.send(TextMessage(data="crash"))
        closed = client.next()
        assert closed.code == 1011
        assert "secret" not in closed.reason


def test_a_client_that_vanishes(serve: Serve) -> None:
    served = serve()
    client = _open(served)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.socket.close()
    served.wait_for(lambda: served.toy.events == ["closed 1006"])


def test_backpressure_both_ways(serve: Serve) -> None:
    served = serve()
    with _open(served) as client:
        client.send(TextMessage(data="flood"))
        client.socket.settimeout(0.2)
        piece = client.ws.send(BytesMessage(data=b"u" * 60_000))
        with pytest.raises(TimeoutError):
            for _ in range(2000):
                client.socket.sendall(piece)
        unsent = served.call(lambda: max(each.transport.get_write_buffer_size() for each in served.server.connections))
        assert unsent < 300_000
        waiting = served.call(lambda: max(each._message_bytes for each in served.server.connections))
        assert waiting < 3_000_000


def test_a_client_that_never_reads_is_let_go(serve: Serve) -> None:
    served = serve(limits={"write_timeout_s": 0.1})
    with _open(served) as client:
        client.send(TextMessage(data="flood"))
        served.wait_for(lambda: served.toy.events == ["closed 1006"])


def test_drain_says_going_away(serve: Serve) -> None:
    served = serve(limits={"linger_timeout_s": 0.1})
    with _open(served) as client:
        served.call(lambda: served.loop.create_task(served.server.drain(2)))
        closed = client.next()
        assert closed.code == 1001
        client.send(closed.response())
        assert client.socket.recv(1) == b""


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        b"Sec-WebSocket-Version: 13\r\n",
    ],
)
def test_a_bad_handshake(serve: Serve, fields: bytes) -> None:
    served = serve()
    start = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    with served.connect() as client:
        client.sendall(start + fields + b"\r\n")
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Sec-WebSocket-Version: 13" in answer


def test_a_refused_handshake(serve: Serve) -> None:
    served = serve()
    start = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nrest"
    assert served.ask(start).startswith(b"HTTP/1.1 200 ")
    foreign = start.replace(b"\r\n\r\n", b"\r\nOrigin: http://evil.example\r\n\r\n")
    assert served.ask(foreign).startswith(b"HTTP/1.1 403 ")
