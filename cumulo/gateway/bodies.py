"""A request body on its way to an application that reads it piece by piece."""

import asyncio
from collections import deque
from collections.abc import Callable

# A piece costs memory beyond its bytes; counting it keeps a body of tiny chunks bounded too.
_PIECE_COST = 64


class Disconnected(ConnectionError):
    """The client is gone: before its body ended, or before it took the answer."""


class Pieces:
    """An asynchronous iterator over what `read` gives, to the end."""

    __slots__ = ()

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        piece = await self.read()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def read(self) -> bytes:
        """The next piece, of whatever size it came; b"" at the end."""
        raise NotImplementedError


class BodyStream(Pieces):
    """An asynchronous iterator over a body's pieces, filled by a connection.

    `taken(count)` is called when the application takes `count` bytes, so that the connection can
    let the client send on. Raises Disconnected where the body breaks off.
    """

    __slots__ = ("_ended", "_error", "_pieces", "_taken", "_waiter", "asked", "size")

    def __init__(self, taken: Callable[[int], None]) -> None:
        self.size = 0
        self.asked: Callable[[], None] | None = None  # called once, when the application first asks for the body
        self._pieces: deque[bytes] = deque()
        self._taken = taken
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._error: BaseException | None = None

    def feed(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self.size += len(piece) + _PIECE_COST
        self._wake()

    def finish(self) -> None:
        self._ended = True
        self._wake()

    def fail(self, error: BaseException) -> None:
        """The rest will not come. Pieces that did come are still given first."""
        if not self._ended:
            self._ended = True
            self._error = error
            self._wake()

    def discard(self) -> int:
        """Forget what has not been taken; returns how many bytes that was."""
        count = sum(len(piece) for piece in self._pieces)
        self._pieces.clear()
        self.size = 0
        return count

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self) -> bytes:
        """The next piece, of whatever size it came; b"" at the end."""
        await self._something()
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self.size -= len(piece) + _PIECE_COST
        self._taken(len(piece))
        return piece

    async def read_some(self) -> list[bytes]:
        """All pieces that have come; waits for the first. Empty at the end."""
        await self._something()
        pieces = list(self._pieces)
        if pieces:
            self._pieces.clear()
            self.size = 0
            self._taken(sum(map(len, pieces)))
        return pieces

    async def _something(self) -> None:
        """Wait for a piece or the end."""
        asked, self.asked = self.asked, None
        if asked is not None and not self._ended:
            asked()
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self._ended:
                return
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None


class WholeBody(Pieces):
    """A body that has come whole, behind the same interface."""

    __slots__ = ("_body",)

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        body, self._body = self._body, b""
        return body

    async def read_some(self) -> list[bytes]:
        """The body, then nothing."""
        body = await self.read()
        return [body] if body else []
