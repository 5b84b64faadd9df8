"""Zip archives: whether one can be unpacked, how large it gets, and unpacking it into a folder. No AWS in it.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_COPY_BYTES = 1 << 20
_SYNC_EACH = 64  # more files than that are synced with the whole disk
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError)
# What an archive's own names bring about, such as a file below a file; a full disk is no fault of the archive's.
_NAMES = frozenset(
    (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ELOOP)
)


class BadArchive(Exception):
    """These bytes are no zip archive that could be unpacked."""


class EmptyArchive(BadArchive):
    """There is nothing in it."""


def unpacked_size(path: Path) -> int:
    """The bytes of all files of an archive together, as it says itself. Raises BadArchive, or EmptyArchive."""
    with _faults_of_archive(), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if not entries:
            raise EmptyArchive
        for entry in entries:
            _place(entry)
    return sum(entry.file_size for entry in entries)


def unpack(path: Path, folder: Path, limit: int) -> None:
    """Fill a new folder with an archive's files, on disk when this returns; BadArchive leaves it half full.

    Modes and symbolic links are those of the archive, as Lambda's users rely on for programs and shared libraries.
    """
    with _faults_of_archive(), zipfile.ZipFile(path) as archive:
        _unpack(archive, folder, limit)


@contextlib.contextmanager
def _faults_of_archive() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise BadArchive(str(error)) from None
    except OSError as error:
        if error.errno not in _NAMES:
            raise
        raise BadArchive(str(error)) from None


def _place(entry: zipfile.ZipInfo) -> PurePosixPath:
    place = PurePosixPath(entry.filename)
    if place.is_absolute() or ".." in place.parts or "\\" in entry.filename or "\0" in entry.filename:
        raise BadArchive(f"{entry.filename!r} is outside of the archive")
    if entry.flag_bits & 1:
        raise BadArchive("the archive is encrypted")
    return place


def _unpack(archive: zipfile.ZipFile, folder: Path, limit: int) -> None:
    folder.mkdir(parents=True)
    left = limit
    links: list[tuple[Path, str]] = []
    modes: list[tuple[Path, int]] = [(folder, 0o755)]
    files = 0
    for entry in archive.infolist():
        target = folder.joinpath(*_place(entry).parts)
        mode = entry.external_attr >> 16
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            modes.append((target, _for_all(mode) or 0o755))
            continue
        for parent in reversed(target.relative_to(folder).parents[:-1]):
            (folder / parent).mkdir(exist_ok=True)
        if stat.S_ISLNK(mode):
            links.append((target, archive.read(entry).decode()))
            continue
        left -= _write(archive, entry, target, left)
        modes.append((target, _for_all(mode) or 0o644))
        files += 1
    for target, aim in links:  # last of all: no file is ever written through one
        target.symlink_to(aim)
    _sync(modes, files)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    written = 0
    with archive.open(entry) as source, target.open("wb") as sink:
        while piece := source.read(_COPY_BYTES):
            written += len(piece)
            if written > left:
                raise BadArchive("the archive holds more than it says")
            sink.write(piece)
    return written


def _for_all(mode: int) -> int:
    """The mode of a file with its owner's rights to read and run it given to all: the function's user is another.

    Lambda's guide asks for 644 and 755; archives that Python's `zipfile` wrote have 600, and AWS runs them.
    """
    granted = mode & 0o500
    return mode & 0o777 | granted >> 3 | granted >> 6


def _sync(modes: list[tuple[Path, int]], files: int) -> None:
    """Wait until the files are on disk, and give them their modes: folders last, as they may be read-only."""
    for path, mode in reversed(modes):
        if files <= _SYNC_EACH and path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        path.chmod(mode)
    if files > _SYNC_EACH and hasattr(os, "sync"):
        os.sync()


def remove(folder: Path) -> None:
    """Remove an unpacked archive, read-only folders too."""
    for root, folders, _ in os.walk(folder):
        for name in folders:
            path = Path(root, name)
            if not path.is_symlink():
                path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
