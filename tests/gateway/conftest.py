"""A server with a toy application in a thread of its own; the tests talk to it with real sockets."""

import asyncio
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cumulo.gateway.bodies import Disconnected
from cumulo.gateway.exchange import Exchange
from cumulo.gateway.hosts import Hosts
from cumulo.gateway.limits import Limits
from cumulo.gateway.server import Server
from cumulo.gateway.websocket import WebSocketClosed
from cumulo.wire.http import Request

JSON = [("Content-Type", "application/json")]


class Toy:
    """Its path names what a request wants to see."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.events: list[str] = []
        self.release = asyncio.Event()
        self.most_unsent = 0
        self.most_waiting = 0
        self.file: Path | None = None

    def wants_stream(self, request: Request) -> bool:
        return request.path.startswith("/upload")

    def continue_(self, request: Request) -> Any:
        if request.path == "/forbidden":
            return 403, [("x-amzn-ErrorType", "AccessDenied")], b"no"
        if request.path == "/odd":
            raise ValueError("odd")
        return request.path != "/unexpected"

    def handle(self, exchange: Exchange) -> Any:
        request = exchange.request
        self.seen.append(request.target)
        name = request.path.strip("/").replace("-", "_").split("/")[0] or "echo"
        return getattr(self, name, self.echo)(exchange)

    def echo(self, exchange: Exchange) -> None:
        request = exchange.request
        seen = {
            "method": request.method,
            "target": request.target,
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw],
            "body": request.body.decode("latin-1"),
            "version": request.http_version,
            "scheme": request.scheme,
        }
        exchange.respond(200, JSON, json.dumps(seen).encode())

    def later(self, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.005, exchange.respond, 200, [], exchange.request.target.encode())

    async def task(self, exchange: Exchange) -> None:
        await asyncio.sleep(0)
        exchange.respond(200, [], b"from a task")

    def crash(self, exchange: Exchange) -> None:
        raise ValueError("secret detail")

    async def crash_task(self, exchange: Exchange) -> None:
        raise ValueError("secret detail")

    async def silent(self, exchange: Exchange) -> None:
        return None

    async def crash_midway(self, exchange: Exchange) -> None:
        await exchange.begin(200, [])
        await exchange.write(b"half")
        raise ValueError("secret detail")

    def split(self, exchange: Exchange) -> None:
        exchange.respond(200, [("X-A", "b\r\nX-Evil: c\0"), ("Connection", "x"), ("Date", "y")], b"")

    def nothing(self, exchange: Exchange) -> None:
        exchange.respond(204, [], b"")

    def head_length(self, exchange: Exchange) -> None:
        exchange.respond(200, [("Content-Length", "1234567")], b"")

    def big(self, exchange: Exchange) -> None:
        exchange.respond(200, [], b"x" * 3_000_000)

    async def hold(self, exchange: Exchange) -> None:
        exchange.on_disconnect(lambda: self.events.append("disconnect"))
        exchange.on_half_close(lambda: self.events.append("half close"))
        self.events.append("holding")
        await self.release.wait()
        exchange.respond(200, [], b"held")

    async def down(self, exchange: Exchange) -> None:
        await self._download(exchange, [])

    async def known(self, exchange: Exchange) -> None:
        await self._download(exchange, [("Content-Length", exchange.request.query)])

    async def short(self, exchange: Exchange) -> None:
        await exchange.begin(200, [("Content-Length", "10")])
        await exchange.write(b"short")
        await exchange.end()

    async def _download(self, exchange: Exchange, headers: list[tuple[str, str]]) -> None:
        left = int(exchange.request.query or 0)
        piece = b"z" * 65536
        await exchange.begin(200, headers)
        try:
            while left:
                await exchange.write(piece[:left])
                left -= min(left, len(piece))
                transport = exchange._connection.transport  # type: ignore[attr-defined]
                self.most_unsent = max(self.most_unsent, transport.get_write_buffer_size())
        except Disconnected:
            self.events.append("download stopped")
            raise
        await exchange.end()

    async def file_(self, exchange: Exchange) -> None:
        assert self.file is not None
        offset, count = (int(number) for number in exchange.request.query.split(","))
        await exchange.begin(200, [("Content-Length", str(count))])
        await exchange.send_file(self.file, offset, count)
        await exchange.end()

    file = None  # the route is /file-/…

    async def upload(self, exchange: Exchange) -> None:
        digest = hashlib.sha256()
        size = 0
        async for piece in exchange.body_stream():
            digest.update(piece)
            size += len(piece)
            self.most_waiting = max(self.most_waiting, getattr(exchange._stream, "size", 0))
        exchange.respond(200, JSON, json.dumps({"size": size, "sha256": digest.hexdigest()}).encode())

    async def upload_held(self, exchange: Exchange) -> None:
        self.events.append("holding")
        await self.release.wait()
        await self.upload(exchange)

    async def upload_denied(self, exchange: Exchange) -> None:
        exchange.respond(403, [], b"denied")

    async def ws(self, exchange: Exchange) -> None:
        if not exchange.websocket:
            exchange.respond(426, [], b"")
            return
        socket_ = await exchange.accept_websocket(subprotocol="chat", headers=[("X-Extra", "yes")])
        try:
            while True:
                message = await socket_.receive()
                if message == "crash":
                    raise ValueError("secret detail")
                if message == "flood":
                    for _ in range(1000):
                        await socket_.send(b"f" * 65536)
                if message == "bye":
                    await socket_.close(4000, "bye")
                await socket_.send(message)
        except WebSocketClosed as closed:
            self.events.append(f"closed {closed.code}")


class Served:
    """A running server: `address`, `toy`, and `call` to run code on its loop."""

    def __init__(self, options: dict[str, Any], loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
        self._options = options
        self._loop_factory = loop_factory
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, daemon=True)
        self.loop: asyncio.AbstractEventLoop
        self.server: Server
        self.toy: Toy
        self.unhandled: list[Any] = []

    def start(self) -> "Served":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(lambda loop, context: self.unhandled.append(context))
        self.toy = Toy()
        self.stop_event = asyncio.Event()
        self.server = Server(self.toy, clock=time.time, host="127.0.0.1", port=0, **self._options)
        await self.server.start()
        self._ready.set()
        await self.stop_event.wait()
        self.server.close()
        for _ in range(100):
            if not self.server.connections:
                break
            await asyncio.sleep(0.002)
        self.left_over = len(self.server.connections)

    @property
    def port(self) -> int:
        return self.server.port

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def ask(self, data: bytes) -> bytes:
        """Send bytes, say that no more come, and read to the end."""
        with self.connect() as client:
            try:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return read_all(client)

    def call(self, function: Callable[[], Any]) -> Any:
        async def run() -> Any:
            result = function()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(20)

    def wait_for(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + 10
        while not self.call(condition):
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.002)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.stop_event.set)
        self._thread.join(10)
        assert not self._thread.is_alive()
        assert self.left_over == 0
        assert not self.unhandled, self.unhandled


def read_all(client: socket.socket) -> bytes:
    pieces = []
    try:
        while piece := client.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def read_answer(client: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """One answer with a Content-Length, and nothing of the next."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = client.recv(1)
        assert piece, f"closed after {data!r}"
        data += piece
    top, _, _ = data.partition(b"\r\n\r\n")
    status_line, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = b""
    length = int(headers.get("content-length", 0))
    while len(body) < length:
        piece = client.recv(length - len(body))
        assert piece
        body += piece
    return int(status_line.split()[1]), headers, body


def _loops() -> list[Any]:
    loops = [pytest.param(asyncio.new_event_loop, id="asyncio")]
    if os.name != "nt":
        import uvloop

        loops.append(pytest.param(uvloop.new_event_loop, id="uvloop"))
    return loops


@pytest.fixture(params=_loops())
def serve(request: pytest.FixtureRequest) -> Iterator[Callable[..., Served]]:
    """serve(limits={…}, hosts=Hosts(…), authority=…) -> a running server, on either event loop."""
    running: list[Served] = []

    def start(limits: dict[str, Any] | None = None, **options: Any) -> Served:
        served = Served({"limits": Limits(**(limits or {})), **options}, request.param).start()
        running.append(served)
        return served

    yield start
    for served in running:
        served.stop()


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()
