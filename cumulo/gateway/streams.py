"""A connection that speaks a protocol of its own: bytes in and out for whoever knows it.

The server is given the first bytes by which such a protocol is told from HTTP, and who serves it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from cumulo.gateway.http1_messages import NEVER

if TYPE_CHECKING:
    from cumulo.gateway.server import Server

_ENOUGH = 1 << 20  # bytes that wait to be read before the client is held back

Serve = Callable[["Stream"], Coroutine[Any, Any, None]]


class Stream(asyncio.Protocol):
    """Read with `more`, write with `write` and `drained`. The connection ends when its server's coroutine does."""

    def __init__(self, server: "Server", serve: Serve, scheme: str) -> None:
        self.secure = scheme == "https"
        self.deadline = NEVER
        self.transport: Any = None
        self._server = server
        self._serve = serve
        self._read = bytearray()
        self._ended = False
        self._paused = False
        self._waiting: asyncio.Future[None] | None = None
        self._full: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    # -- for whoever speaks the protocol

    async def more(self) -> bytes:
        """What has come since; b"" at the end, which is also when the server stops."""
        if not self._read and not self._ended and not self._server.draining:
            self.deadline = self._server.now + self._server.limits.idle_timeout_s
            self._waiting = self._server.loop.create_future()
            await self._waiting
            self._waiting = None
            self.deadline = NEVER
        found = bytes(self._read)
        self._read.clear()
        if self._paused:
            self._paused = False
            self.transport.resume_reading()
        return found

    def write(self, data: bytes) -> None:
        """Send; `drained` then waits while the client is slow."""
        self.transport.write(data)

    async def drained(self) -> None:
        """Wait until not too much is on its way. Raises ConnectionResetError when the client is gone."""
        if self._full is not None:
            self.deadline = self._server.now + self._server.limits.write_timeout_s
            await self._full
            self.deadline = NEVER
        if self.transport.is_closing():
            raise ConnectionResetError

    @property
    def peer(self) -> str:
        """The client's address."""
        return str((self.transport.get_extra_info("peername") or ("",))[0])

    @property
    def address(self) -> tuple[str, int]:
        """The address and port that the client reached."""
        found = self.transport.get_extra_info("sockname")
        return str(found[0]), int(found[1])

    # -- for the loop

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._server.opened(self)
        self._task = self._server.loop.create_task(self._run())
        self._server.tasks.add(self._task)
        self._task.add_done_callback(self._server.tasks.discard)

    async def _run(self) -> None:
        try:
            await self._serve(self)
        except ConnectionError:
            pass
        except Exception as error:
            self._server.log_failure("a connection failed", error)
        finally:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._read += data
        if len(self._read) > _ENOUGH and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return True  # a client that says no more may still wait for its answers

    def connection_lost(self, error: BaseException | None) -> None:
        self._server.closed(self)
        self._ended = True
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        if self._full is None:
            self._full = self._server.loop.create_future()

    def resume_writing(self) -> None:
        full, self._full = self._full, None
        if full is not None and not full.done():
            full.set_result(None)

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # -- for the server

    def timed_out(self) -> None:
        self.transport.abort()

    def drain(self) -> None:
        self._wake()  # whoever waits for more is told that nothing more will come

    def abort(self) -> None:
        self.transport.abort()
