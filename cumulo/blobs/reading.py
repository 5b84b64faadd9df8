"""Bytes of a blob to be sent: an open file and the range that is meant."""

import os
from pathlib import Path


class File:
    """`count` bytes from `offset` on of a blob that is held open, so that they stay there when the blob is deleted.

    Closed by `close`, at the latest when nobody refers to it any more. Raises FileNotFoundError.
    """

    __slots__ = ("count", "descriptor", "offset")

    def __init__(self, path: Path, offset: int, count: int) -> None:
        self.descriptor = -1
        self.offset = offset
        self.count = count
        self.descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def read(self, offset: int, count: int) -> bytes:
        """Bytes of the blob, `offset` from its beginning; for threads."""
        if hasattr(os, "pread"):
            return os.pread(self.descriptor, count, offset)
        os.lseek(self.descriptor, offset, os.SEEK_SET)
        return os.read(self.descriptor, count)

    def close(self) -> None:
        """Let go of the file."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __del__(self) -> None:
        self.close()
