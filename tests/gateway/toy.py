"""An application whose paths name what a request wants to see."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

from cumulo.gateway.bodies import Disconnected
from cumulo.gateway.exchange import Exchange
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
