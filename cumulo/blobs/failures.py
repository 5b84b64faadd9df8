"""What can go wrong with files, each saying what the person can do about it."""

import errno
from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC})


class BlobFailure(Exception):
    """The bytes could not be written or read; nothing is half there."""


class BlobsFull(BlobFailure):
    """No space is left for the file. It goes on by itself once there is space."""


def failure_of(error: OSError, place: Path) -> BlobFailure:
    """The failure that stands for one of the operating system's."""
    if error.errno in _FULL:
        return BlobsFull(f"No space is left for {place}. Free some space; nothing was damaged.")
    return BlobFailure(f"{place}: {error.strerror or error}")
