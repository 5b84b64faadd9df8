"""The bytes of versions: the smallest lie in the version, small ones in a row beside it, larger ones in blobs, parts in
one blob each.

Every blob belongs to one version (or one uploaded part) alone: what is copied is shared by the file system
(`Blobs.share`), not by counting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

from cumulo.core import kept_blobs
from cumulo.core.bodies import Outgoing
from cumulo.core.table import GLOBAL, Space
from cumulo.services.storage.s3.stored import sealed_bytes, sealed_streams, storage_times
from cumulo.services.storage.s3.stored.object_versions import IN_PARTS, INLINE_B, NULL, PARTS, ObjectVersion
from cumulo.services.storage.s3.stored.sealed_streams import Extent

if TYPE_CHECKING:
    from cumulo.blobs import File
    from cumulo.core.context import Context

SMALL_B = 8192  # up to so many bytes are in the store
PIECE_B = 512 * 1024  # so many bytes of a file are read at a time
AT_ONCE_B = 64 * 1024  # up to so many bytes of a blob are read at once rather than sent from the file
OWNER = "s3"

Body = bytes | Outgoing | AsyncIterator[bytes]

_ROWS = Space("s3.contents", scope=GLOBAL)


def _row_key(ctx: Context, version: ObjectVersion) -> bytes:
    """Where the bytes of a small version lie. Of null versions a key has one at most: a new one takes the old one's
    place, which costs the store a quarter of a row here and a deletion there."""
    place = 0 if version.version_id == NULL else version.sequence
    return _ROWS.key(ctx, version.bucket, version.key, place)


def put_row(ctx: Context, version: ObjectVersion, data: bytes, key: bytes = b"") -> None:
    """Keep the bytes of a small version, sealed when there is a key."""
    if key:
        data = sealed_bytes.seal(key, ctx.random_bytes(sealed_bytes.PREFIX_B), data)
    version.stored = len(data)
    version.data = b""
    if len(data) < INLINE_B:
        version.data = data
    else:
        ctx.txn.put(_row_key(ctx, version), data)


def row(ctx: Context, version: ObjectVersion) -> bytes:
    """The stored bytes of a version whose `content` is ""."""
    if version.data or not version.stored:
        return version.data
    data = ctx.txn.get(_row_key(ctx, version))
    if data is None:
        raise LookupError(f"the bytes of {version.bucket}/{version.key} {version.version_id} are gone")
    return data


def take_row(ctx: Context, version: ObjectVersion) -> bytes:
    """The stored bytes of a version whose `content` is "", which are gone from there then."""
    data = row(ctx, version)
    if data and not version.data:
        ctx.txn.delete(_row_key(ctx, version))
    return data


def keep(ctx: Context, blob: str) -> None:
    """A version or an uploaded part owns this blob from now on."""
    kept_blobs.keep(ctx, blob, OWNER)


def release(ctx: Context, version: ObjectVersion, replaced_by: ObjectVersion | None = None) -> None:
    """Drop the bytes (and the parts) of a version that goes; the files follow when that is durable.

    `replaced_by` is the version that is stored in its place, whose bytes are kept already.
    """
    if version.delete_marker:
        return
    storage_times.note_end(ctx, version)
    if version.annotations:
        from cumulo.services.storage.s3.stored import kept_annotations

        kept_annotations.drop_all(ctx, version)
    if not version.content:
        if version.stored and not version.data and not _takes_place(replaced_by, version):
            ctx.txn.delete(_row_key(ctx, version))
    elif version.content != IN_PARTS:
        kept_blobs.drop(ctx, (version.content,))
    if version.parts_count:
        parts = PARTS.peek(ctx, version.bucket, version.key, version.sequence)
        if parts is not None:
            PARTS.delete(ctx, parts)
            blobs = [part.blob for part in parts.parts if part.blob]
            if blobs:
                kept_blobs.drop(ctx, blobs)


def _takes_place(new: ObjectVersion | None, old: ObjectVersion) -> bool:
    """Whether the row of the new version is where the old one's was."""
    if new is None or new.content or new.data or not new.stored:
        return False
    return new.version_id == NULL == old.version_id


def body(ctx: Context, version: ObjectVersion, offset: int, count: int, key: bytes = b"") -> Body:
    """Bytes of a version, for an answer; `key` opens sealed ones."""
    if not version.content:
        data = row(ctx, version)
        if key:
            return b"".join(sealed_bytes.opened(key, version.size, offset, count, lambda at, n: data[at : at + n]))
        return data if count == len(data) else data[offset : offset + count]
    found = extents(ctx, version, offset, count)
    if key:
        return sealed_streams.opened(found, key)
    if count <= AT_ONCE_B and len(found) == 1:
        file = found[0].file
        data = file.read(file.offset, count)
        file.close()
        if len(data) != count:
            raise EOFError(f"the bytes of {version.bucket}/{version.key} {version.version_id} end too early")
        return data
    return Outgoing([extent.file for extent in found])


def extents(ctx: Context, version: ObjectVersion, offset: int, count: int) -> list[Extent]:
    """The open files that hold so many bytes of a version, from `offset` on."""
    if version.content != IN_PARTS:
        return [Extent(ctx.blobs.open(version.content, offset, count), version.size)]
    found = PARTS.peek(ctx, version.bucket, version.key, version.sequence)
    files: list[Extent] = []
    for part in found.parts if found is not None else ():
        if not count:
            break
        if offset < part.size:
            some = min(part.size - offset, count)
            files.append(Extent(ctx.blobs.open(part.blob, offset, some), part.size))
            count -= some
            offset = 0
        else:
            offset -= part.size
    return files


def read(ctx: Context, version: ObjectVersion, offset: int, count: int, key: bytes = b"") -> Iterator[bytes]:
    """Bytes of a version, piece by piece, for a thread; the files are opened now. `key` opens sealed ones."""
    if not version.content:
        found = body(ctx, version, offset, count, key)
        assert isinstance(found, bytes)
        return iter((found,))
    return _pieces(extents(ctx, version, offset, count), key)


def _pieces(found: list[Extent], key: bytes) -> Iterator[bytes]:
    for file, size in found:
        if key:
            yield from sealed_bytes.opened(key, size, file.offset, file.count, file.read)
        else:
            yield from pieces_of(file)
        file.close()


def pieces_of(file: File) -> Iterator[bytes]:
    """The bytes of a file's range as they lie there; for threads. Raises EOFError when it is shorter."""
    at, end = file.offset, file.offset + file.count
    while at < end:
        piece = file.read(at, min(PIECE_B, end - at))
        if not piece:
            raise EOFError("the bytes of an object end too early")
        yield piece
        at += len(piece)
