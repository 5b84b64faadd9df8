"""The folder of all blobs: `blobs/ab/abcdef…`, 256 folders so that none grows too large."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from pathlib import Path

from cumulo.blobs.failures import failure_of
from cumulo.blobs.reading import File
from cumulo.blobs.writing import Stored, Watch, Writer, write_whole


class Blobs:
    """Makes, finds and deletes blobs. `new_name()` gives 32 random hexadecimal digits, in any thread.

    A blob that is made is young until `settled` says that the state names it, or that it is gone: young ones are
    nobody's orphans.
    """

    def __init__(self, folder: Path, new_name: Callable[[], str], *, sync: bool = True) -> None:
        self.folder = folder
        self._new_name = new_name
        self._sync = sync
        self._young: set[str] = set()
        self._folders: set[str] = set()

    def path(self, blob: str) -> Path:
        """The file of a blob."""
        return self.folder / blob[:2] / blob

    def open(self, blob: str, offset: int, count: int) -> File:
        """Bytes of a blob, held open. Raises FileNotFoundError."""
        return File(self.path(blob), offset, count)

    def new(self) -> tuple[str, Path]:
        """A name for a new blob, and its path; nothing is there yet."""
        while True:
            blob = self._new_name()
            path = self.path(blob)
            if blob not in self._young and not path.exists():  # a seed gives the same names after a restart
                self._young.add(blob)
                return blob, path

    def writer(self, watch: Watch | None = None, executor: Executor | None = None) -> Writer:
        """A new blob whose bytes come piece by piece."""
        return Writer(self, watch, executor)

    def put(self, data: bytes) -> Stored:
        """A new blob of bytes at hand, on disk when this returns; for threads. Raises BlobFailure."""
        return self.put_pieces((data,))

    def put_pieces(self, pieces: Iterable[bytes]) -> Stored:
        """The same of bytes that are made while they are written; what `pieces` raises leaves no blob behind."""
        blob, path = self.new()
        size = 0
        try:
            descriptor = self.create(path)
            try:
                for piece in pieces:
                    write_whole(descriptor, piece)
                    size += len(piece)
                self.flush(descriptor)
            finally:
                os.close(descriptor)
            self.named(path)
        except OSError as error:
            self._unmake(blob, path)
            raise failure_of(error, path) from error
        except BaseException:
            self._unmake(blob, path)
            raise
        return Stored(blob, size)

    def share(self, blob: str) -> Stored:
        """A new blob with the bytes of another, of which neither feels the other's end; for threads.

        A second name of the same file where the file system has such, else a copy. Raises BlobFailure.
        """
        source = self.path(blob)
        name, path = self.new()
        try:
            self._make_folder(path.parent)
            try:
                os.link(source, path)
            except (OSError, NotImplementedError):
                if not source.exists():
                    raise
                shutil.copyfile(source, path)
                with path.open("rb+") as copy:
                    self.flush(copy.fileno())
            self.named(path)
            return Stored(name, path.stat().st_size)
        except OSError as error:
            self._unmake(name, path)
            raise failure_of(error, path) from error

    def create(self, path: Path) -> int:
        """Make the file of a new blob; its descriptor."""
        self._make_folder(path.parent)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)

    def flush(self, descriptor: int) -> None:
        """Wait until the bytes of an open file are on disk."""
        if self._sync:
            os.fsync(descriptor)

    def named(self, path: Path) -> None:
        """Wait until the name of a new file is on disk."""
        if self._sync:
            _sync_folder(path.parent)

    def settled(self, blob: str) -> None:
        """The state names this blob now, or it is gone."""
        self._young.discard(blob)

    def delete(self, blobs: Iterable[str]) -> None:
        """Remove blobs that nothing names any more; those that are gone are no error. For threads."""
        for blob in blobs:
            # A file that cannot be removed now (Windows: somebody reads it) is an orphan, and is swept later.
            with contextlib.suppress(OSError):
                self.path(blob).unlink()
            self._young.discard(blob)

    def names(self) -> Iterator[list[str]]:
        """All blobs but the young, in order of their names, folder by folder; for threads."""
        with contextlib.suppress(FileNotFoundError):
            for folder in sorted(self.folder.iterdir()):
                if len(folder.name) == 2 and folder.is_dir():
                    yield sorted(path.name for path in folder.iterdir() if path.name not in self._young)

    def _make_folder(self, folder: Path) -> None:
        if folder.name in self._folders:
            return
        made = not self.folder.exists()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._sync:
            _sync_folder(self.folder)
            if made:
                _sync_folder(self.folder.parent)
        self._folders.add(folder.name)

    def _unmake(self, blob: str, path: Path) -> None:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        self._young.discard(blob)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no such thing
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
