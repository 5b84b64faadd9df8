"""Blobs: files that are named by the SHA-256 of what they hold, and checked when they come."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cumulo.engines.images.failures import BadImage

PIECE = 1 << 20


class Blobs:
    """A folder of them, laid out as the OCI Image Layout Specification says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "blobs" / "sha256"
        self._new = folder / "new"

    def path(self, digest: str) -> Path:
        """Where a blob is, or would be."""
        return self._folder / digest.removeprefix("sha256:")

    def has(self, digest: str) -> bool:
        """Whether it is here."""
        return self.path(digest).is_file()

    def read(self, digest: str, most: int) -> bytes:
        """A small blob's bytes. Raises BadImage when it is missing, larger than `most`, or not what its name says."""
        try:
            with self.path(digest).open("rb") as file:
                data = file.read(most + 1)
        except FileNotFoundError:
            raise BadImage(f"the blob {digest} is missing") from None
        if len(data) > most or digest_of(data) != digest:
            raise BadImage(f"the blob {digest} is damaged")
        return data

    def put(self, data: bytes) -> str:
        """Keep bytes; their digest."""
        digest = digest_of(data)
        self.keep([data], digest, len(data))
        return digest

    def keep(self, pieces: Iterable[bytes], digest: str, size: int) -> None:
        """Keep what must have this digest; on disk when this returns. Raises BadImage.

        Nothing is read when it is here in this size; one of another size is replaced.
        """
        if self._has_whole(digest, size):
            return
        path, found, _ = self.arrived(pieces)
        try:
            self.adopt(path, found, digest)
        finally:
            path.unlink(missing_ok=True)

    def adopt(self, path: Path, found: str, digest: str) -> None:
        """Keep a file that has `arrived` with the digest `found`, and must have this one. Raises BadImage."""
        if found != digest:
            raise BadImage(f"the blob {digest} is damaged: it is {found}")
        if path != self.path(digest):  # over one that may have been damaged since
            self._folder.mkdir(parents=True, exist_ok=True)
            path.replace(self.path(digest))
            _sync(self._folder)

    def _has_whole(self, digest: str, size: int) -> bool:
        return self.has(digest) and self.path(digest).stat().st_size == size

    def arrived(self, pieces: Iterable[bytes]) -> tuple[Path, str, int]:
        """Write down what is not known yet: the file, its digest and size. Whoever asks moves it or removes it."""
        self._new.mkdir(parents=True, exist_ok=True)
        hashed = hashlib.sha256()
        size = 0
        descriptor, name = tempfile.mkstemp(dir=self._new)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123
                for piece in pieces:
                    hashed.update(piece)
                    size += len(piece)
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Path(name), f"sha256:{hashed.hexdigest()}", size

    def sweep(self, kept: set[str]) -> int:
        """Remove all but these; how many bytes that were."""
        freed = 0
        if self._folder.is_dir():
            for path in list(self._folder.iterdir()):
                if f"sha256:{path.name}" not in kept:
                    freed += path.stat().st_size
                    path.unlink()
        return freed


def digest_of(data: bytes) -> str:
    """Their name."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def pieces_of(path: Path) -> Iterable[bytes]:
    """A file's bytes, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
