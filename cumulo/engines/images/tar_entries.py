"""Entries of tar archives that come from anywhere: `tarfile` itself takes headers of any length into memory."""

from __future__ import annotations

import tarfile

MOST_HEADER_BYTES = 1 << 20
"""Of extended headers and long names: a path has 4,096 bytes."""
EXTENDED = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


class Entry(tarfile.TarInfo):
    """An entry whose header is not larger than any that means something."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Entry:
        """From a block of the archive. Raises tarfile.TarError."""
        made = super().frombuf(buf, encoding, errors)
        if made.type in EXTENDED and not 0 <= made.size <= MOST_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {made.size} bytes")
        return made
