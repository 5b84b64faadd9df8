"""Layers: what each changes in the file system beneath it, unpacked into a folder of its own, once.

A layer's folder holds `tree`, what it adds, and `layer.json`, what it takes away. Nothing is ever written outside of
the tree: names are looked up part by part, and links are followed as if the tree were all there is.

Source: OCI Image Format Specification, "Image Layer Filesystem Changeset".
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import json
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec
from msgspec import Struct

from cumulo.engines import zstandard
from cumulo.engines.images.failures import BadImage, Unsupported
from cumulo.engines.images.tar_entries import Entry

MOST_ENTRIES = 1_000_000
TREE, NOTES = "tree", "layer.json"
_WHITEOUT, _OPAQUE, _AUFS = ".wh.", ".wh..wh..opq", ".wh..wh."
_PIECE = 1 << 20
_MOST_LINKS = 40  # as the kernel follows
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# What a layer's own names bring about, such as a file below a file; a full disk is no fault of the layer's.
_NAMES = frozenset(
    (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ELOOP)
)


class Layer(Struct):
    """What a layer is, beside what is in its tree. Paths have no "/" before them; "" is the root."""

    size: int = 0
    """Of all its files, in bytes."""
    entries: int = 0
    opaque: list[str] = []
    """Folders of which nothing that is beneath is seen."""
    gone: list[str] = []
    """What is beneath and is not seen."""
    links: dict[str, str] = {}
    """Hard links to files beneath."""
    implied: list[str] = []
    """Folders of which nothing is said: one that is beneath keeps its mode."""


class _Reader(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Hashed:
    """Reads on, and knows the digest of what was read. Raises BadImage beyond the limit."""

    def __init__(self, source: _Reader, most: int) -> None:
        self._source = source
        self._left = most
        self._hash = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise BadImage("a layer is larger than images may be")
        self._hash.update(data)
        return data

    def rest(self) -> str:
        """Read to the end; the digest of all."""
        while self.read(_PIECE):
            pass
        return f"sha256:{self._hash.hexdigest()}"


def unpack(blob: Path, digest: str, diff_id: str, folder: Path, most: int) -> Layer:
    """Fill a new folder with a layer that must be what these digests say, of at most so many bytes of files.

    Raises BadImage, which leaves the folder half full, and Unsupported for a compression that cannot be read here.
    """
    tree = folder / TREE
    tree.mkdir(parents=True)
    tree.chmod(0o755)
    with blob.open("rb") as file, _faults():
        packed = _Hashed(file, 2 * most + _PIECE)
        with _opened(packed, file) as plain:
            unpacked = _Hashed(plain, 2 * most + MOST_ENTRIES * 1024)
            layer = _Tree(tree, most).fill(unpacked)
            found = unpacked.rest()
        if packed.rest() != digest:
            raise BadImage(f"the layer {digest} is damaged")
        if found != diff_id:
            raise BadImage(f"the layer {digest} unpacks to {found}, not to {diff_id}")
    (folder / NOTES).write_text(json.dumps(msgspec.to_builtins(layer)))  # names may be no UTF-8: json takes them
    return layer


def notes(folder: Path) -> Layer:
    """What was written down of an unpacked layer."""
    return msgspec.convert(json.loads((folder / NOTES).read_bytes()), Layer)


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError) as error:
        raise BadImage(f"a layer cannot be unpacked: {error}") from None
    except OSError as error:
        if error.errno not in _NAMES:
            raise
        raise BadImage(f"a layer cannot be unpacked: {error.strerror}") from None


@contextlib.contextmanager
def _opened(packed: _Hashed, file: IO[bytes]) -> Iterator[_Reader]:
    """The layer's archive, decompressed. What it is shows in its first bytes."""
    first = file.read(4)
    file.seek(0)
    if first.startswith(_GZIP):
        with gzip.GzipFile(fileobj=packed, mode="rb") as plain:  # type: ignore[call-overload]
            yield plain
    elif first == _ZSTD:
        try:
            module = zstandard.module()
        except ImportError:
            raise Unsupported(f"a layer of Zstandard, which needs `{zstandard.INSTALL}`") from None
        try:
            with module.ZstdFile(packed, "rb") as plain:
                yield plain
        except module.ZstdError as error:
            raise BadImage(f"a layer cannot be unpacked: {error}") from None
    else:
        yield packed


class _Tree:
    """The tree of a layer while it is filled."""

    def __init__(self, root: Path, most: int) -> None:
        self._root = str(root)
        self._left = most
        self._folders: dict[str, str] = {}
        """Folders by their names in the archive: where they are, when no link leads there."""
        self._implied: set[str] = set()
        self._layer = Layer(opaque=[], gone=[], links={})

    def fill(self, source: _Hashed) -> Layer:
        """Add every entry of an archive."""
        stream: Any = source
        with tarfile.open(
            fileobj=stream, mode="r|", bufsize=_PIECE, encoding="utf-8", errors="surrogateescape", tarinfo=Entry
        ) as archive:
            while (entry := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # it would keep them all
                self._layer.entries += 1
                if self._layer.entries > MOST_ENTRIES:
                    raise BadImage(f"a layer has more than {MOST_ENTRIES} entries")
                self._add(archive, entry)
        self._layer.implied = [self._inside(place) for place in self._implied]
        return self._layer

    def _add(self, archive: tarfile.TarFile, entry: tarfile.TarInfo) -> None:
        parts = _parts(entry.name)
        if not parts:
            if entry.isdir():
                Path(self._root).chmod(_folder_mode(entry))
            return
        *above, name = parts
        if name.startswith(_WHITEOUT):
            self._take_away("/".join(above), name)
            return
        folder = self._folder(above)
        place = f"{folder}/{name}"
        if entry.isdir():
            self._add_folder(place, entry)
            return
        self._remove(place)
        if entry.isreg():
            self._write(archive, entry, place)
        elif entry.issym():
            os.symlink(entry.linkname, place)
        elif entry.islnk():
            self._link(place, _parts(entry.linkname))
        else:  # devices and pipes are nobody's here; what lies beneath is not seen all the same
            self._layer.gone.append(self._inside(place))

    def _take_away(self, folder: str, name: str) -> None:
        if name == _OPAQUE:
            self._layer.opaque.append(folder)
        elif not name.startswith(_AUFS):
            hidden = name.removeprefix(_WHITEOUT)
            if hidden in ("", ".", ".."):
                raise BadImage(f"a layer takes {hidden!r} away")
            self._layer.gone.append(f"{folder}/{hidden}" if folder else hidden)

    def _add_folder(self, place: str, entry: tarfile.TarInfo) -> None:
        if not _is_folder(place):
            self._remove(place)
            os.mkdir(place)
        self._implied.discard(place)
        os.chmod(place, _folder_mode(entry))

    def _write(self, archive: tarfile.TarFile, entry: tarfile.TarInfo, place: str) -> None:
        self._left -= entry.size
        if self._left < 0 or entry.size < 0:
            raise BadImage("the files of the image are larger than images may be")
        self._layer.size += entry.size
        source = archive.extractfile(entry)
        descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            if source is not None:
                shutil.copyfileobj(source, file, _PIECE)
            if file.tell() != entry.size:
                raise BadImage(f"a layer ends within {entry.name}")
            os.fchmod(descriptor, entry.mode & 0o777 | 0o400)
        os.utime(place, (entry.mtime, entry.mtime))  # what Python has compiled knows the times of its sources

    def _link(self, place: str, target: list[str]) -> None:
        if not target:
            raise BadImage("a hard link to the root")
        source = f"{self._folder(target[:-1])}/{target[-1]}"
        if source == place or _is_folder(source):
            raise BadImage("a hard link to itself, or to a folder")
        if os.path.lexists(source):
            os.link(source, place, follow_symlinks=False)
        else:
            self._layer.links[self._inside(place)] = "/".join(target)

    def _folder(self, parts: list[str]) -> str:
        """The folder of this name in the tree, made where there is none; links lead on within the tree."""
        name = "/".join(parts)
        known = self._folders.get(name)
        if known is not None:
            return known
        place, waiting, links = self._root, parts[::-1], 0
        while waiting:
            part = waiting.pop()
            if part in ("", "."):
                continue
            if part == "..":
                place = place.rpartition("/")[0] if place != self._root else place
                continue
            there = f"{place}/{part}"
            if os.path.islink(there):
                links += 1
                if links > _MOST_LINKS:
                    raise BadImage(f"{name!r} leads through too many links")
                target = os.readlink(there)
                place = self._root if target.startswith("/") else place
                waiting += target.split("/")[::-1]
                continue
            if not _is_folder(there):
                self._layer.links.pop(self._inside(there), None)
                os.mkdir(there)
                os.chmod(there, 0o755)
                self._implied.add(there)
            place = there
        if not links:
            self._folders[name] = place
        return place

    def _remove(self, place: str) -> None:
        """What an earlier entry of this layer put there."""
        self._layer.links.pop(self._inside(place), None)
        if not os.path.lexists(place):
            return
        if _is_folder(place):
            shutil.rmtree(place)
            self._folders.clear()
            self._implied = {each for each in self._implied if each != place and not each.startswith(f"{place}/")}
            below = self._inside(place) + "/"
            for each in [name for name in self._layer.links if name.startswith(below)]:
                del self._layer.links[each]
        else:
            os.unlink(place)

    def _inside(self, place: str) -> str:
        return place[len(self._root) + 1 :]


def _parts(name: str) -> list[str]:
    """A name in an archive, part by part. Raises BadImage for one that leads out of it."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise BadImage(f"{name!r} is outside of the layer")
    return parts


def _is_folder(place: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(place).st_mode)
    except FileNotFoundError:
        return False


def _folder_mode(entry: tarfile.TarInfo) -> int:
    """The mode of a folder, which we must be able to fill and to remove."""
    return entry.mode & 0o1777 | 0o700
