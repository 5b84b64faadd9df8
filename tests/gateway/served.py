"""A server with the toy application in a thread of its own, and sockets to talk to it."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from cumulo.gateway.server import Server
from tests.gateway.toy import Toy

PATIENCE_S = 60  # for what must happen: a busy machine is no failure


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
        assert self._ready.wait(PATIENCE_S)
        return self

    def _main(self) -> None:
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(lambda loop, context: self.unhandled.append(context))
        self.toy = Toy()
        self.stop_event = asyncio.Event()
        self.server = Server(self.toy, clock=time.time, **{"host": "127.0.0.1", "port": 0, **self._options})
        await self.server.start()
        self._ready.set()
        await self.stop_event.wait()
        self.server.close()
        end = self.loop.time() + PATIENCE_S
        while self.server.connections and self.loop.time() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        self.left_over = len(self.server.connections)

    @property
    def port(self) -> int:
        return self.server.port

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
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

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(PATIENCE_S)

    def wait_for(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self.call(condition):
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.002)

    def settle(self) -> None:
        """Let the server read what has been sent: its loop goes round some times."""
        for _ in range(20):
            self.call(lambda: None)
            time.sleep(0.002)

    def pass_time(self, seconds: float) -> None:
        """What is due within so many seconds is due now. The server sees it at its next sweep: wait for that."""

        def nearer() -> None:
            for connection in self.server.connections:
                connection.deadline -= seconds

        self.call(nearer)

    def sweeps(self, count: int = 3) -> None:
        """Wait until the server, which has connections, has looked at their deadlines so many times."""
        for _ in range(count):
            last = self.server.now
            self.wait_for(lambda last=last: self.server.now > last)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.stop_event.set)
        self._thread.join(PATIENCE_S)
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
