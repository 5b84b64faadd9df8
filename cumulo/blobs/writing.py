"""A blob being written: pieces are gathered, then worked on and written in a thread while the next ones come."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, NamedTuple

from cumulo.blobs.failures import failure_of

if TYPE_CHECKING:
    from cumulo.blobs.folder import Blobs

GATHER_B = 512 * 1024  # large enough that a turn of a thread costs little beside the work

Watch = Callable[[list[bytes]], list[bytes]]


class Stored(NamedTuple):
    """A blob on disk: its name and its length in bytes."""

    blob: str
    size: int


class Writer:
    """One new blob. `await write` as bytes come, then `await commit`; or `await abort`.

    At most two gatherings of bytes are in memory: one in a thread's hands, one that grows. `watch` sees every
    gathering in that thread, in order, and gives what is to be written in its place (sealed, or the same); at the end
    it is called with an empty list. Raises BlobFailure; what was written is then gone.
    """

    def __init__(self, blobs: Blobs, watch: Watch | None = None, executor: Executor | None = None) -> None:
        self.blob, self._path = blobs.new()
        self._blobs = blobs
        self._watch = watch
        self._executor = executor
        self._descriptor = -1
        self._size = 0
        self._pieces: list[bytes] = []
        self._gathered = 0
        self._working: asyncio.Future[None] | None = None

    async def write(self, pieces: list[bytes]) -> None:
        """Take the next bytes; waits while the disk is behind."""
        self._pieces += pieces
        self._gathered += sum(map(len, pieces))
        if self._gathered >= GATHER_B:
            await self._hand_over()

    async def commit(self) -> Stored:
        """Wait until all of it, and its name, are on disk."""
        try:
            await self._worked()
            pieces, self._pieces, self._gathered = self._pieces, [], 0
            self._working = self._run(self._finish, pieces)
            await self._worked()
        except OSError as error:
            raise failure_of(error, self._path) from error
        return Stored(self.blob, self._size)

    async def abort(self) -> None:
        """Drop what was written."""
        working, self._working = self._working, None
        if working is not None:
            await asyncio.wait([working])
            working.exception()
        self._pieces.clear()
        await self._run(self._drop)
        self._blobs.settled(self.blob)

    async def _hand_over(self) -> None:
        await self._worked()
        pieces, self._pieces, self._gathered = self._pieces, [], 0
        self._working = self._run(self._work, pieces)

    async def _worked(self) -> None:
        working, self._working = self._working, None
        if working is None:
            return
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            self._working = working  # it goes on: abort waits for it
            raise
        except OSError as error:
            raise failure_of(error, self._path) from error

    def _run(self, work: Callable[..., None], *arguments: list[bytes]) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    # --- in a thread

    def _work(self, pieces: list[bytes]) -> None:
        if self._watch is not None and pieces:
            pieces = self._watch(pieces)
        if self._descriptor < 0:
            self._descriptor = self._blobs.create(self._path)
        self._size += _write_all(self._descriptor, pieces)

    def _finish(self, pieces: list[bytes]) -> None:
        if pieces or self._descriptor < 0:
            self._work(pieces)
        if self._watch is not None:
            self._size += _write_all(self._descriptor, self._watch([]))
        self._blobs.flush(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        self._blobs.named(self._path)

    def _drop(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        self._path.unlink(missing_ok=True)


def _write_all(descriptor: int, pieces: list[bytes]) -> int:
    total = 0
    for start in range(0, len(pieces), 512):  # IOV_MAX is 1024 at least where there is one
        some = pieces[start : start + 512]
        wanted = sum(map(len, some))
        written = os.writev(descriptor, some) if hasattr(os, "writev") and wanted else 0
        if written != wanted:
            view = memoryview(b"".join(some))[written:]
            while view:
                view = view[os.write(descriptor, view) :]
        total += wanted
    return total


def write_whole(descriptor: int, data: bytes) -> None:
    """All of the bytes into an open file."""
    _write_all(descriptor, [data])
