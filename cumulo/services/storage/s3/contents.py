"""The bytes of versions: small ones are rows of the store, larger ones blobs, parts one blob each.

Every blob belongs to one version (or one uploaded part) alone: what is copied is shared by the file system
(`Blobs.share`), not by counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import kept_blobs
from cumulo.core.bodies import Outgoing
from cumulo.core.table import GLOBAL, Space
from cumulo.services.storage.s3.object_versions import IN_PARTS, PARTS, ObjectVersion

if TYPE_CHECKING:
    from cumulo.blobs import File
    from cumulo.core.context import Context

SMALL_B = 8192  # up to so many bytes are a row
AT_ONCE_B = 64 * 1024  # up to so many bytes of a blob are read at once rather than sent from the file
OWNER = "s3"

_ROWS = Space("s3.contents", scope=GLOBAL)


def put_row(ctx: Context, version: ObjectVersion, data: bytes) -> None:
    """Keep the bytes of a small version."""
    version.stored = len(data)
    if data:
        ctx.txn.put(_ROWS.key(ctx, version.bucket, version.key, version.sequence), data)


def row(ctx: Context, version: ObjectVersion) -> bytes:
    """The stored bytes of a version whose `content` is ""."""
    if not version.stored:
        return b""
    data = ctx.txn.get(_ROWS.key(ctx, version.bucket, version.key, version.sequence))
    if data is None:
        raise LookupError(f"the bytes of {version.bucket}/{version.key} {version.version_id} are gone")
    return data


def keep(ctx: Context, blob: str) -> None:
    """A version or an uploaded part owns this blob from now on."""
    kept_blobs.keep(ctx, blob, OWNER)


def release(ctx: Context, version: ObjectVersion) -> None:
    """Drop the bytes (and the parts) of a version that goes; the files follow when that is durable."""
    if version.delete_marker:
        return
    if not version.content:
        if version.stored:
            ctx.txn.delete(_ROWS.key(ctx, version.bucket, version.key, version.sequence))
    elif version.content != IN_PARTS:
        kept_blobs.drop(ctx, (version.content,))
    if version.parts_count:
        parts = PARTS.peek(ctx, version.bucket, version.key, version.sequence)
        if parts is not None:
            PARTS.delete(ctx, parts)
            blobs = [part.blob for part in parts.parts if part.blob]
            if blobs:
                kept_blobs.drop(ctx, blobs)


def body(ctx: Context, version: ObjectVersion, offset: int, count: int) -> bytes | Outgoing:
    """Bytes of a version, for an answer."""
    if not version.content:
        data = row(ctx, version)
        return data if count == len(data) else data[offset : offset + count]
    files = pieces(ctx, version, offset, count)
    if count <= AT_ONCE_B and len(files) == 1:
        file = files[0]
        data = file.read(file.offset, count)
        file.close()
        if len(data) != count:
            raise EOFError(f"the bytes of {version.bucket}/{version.key} {version.version_id} end too early")
        return data
    return Outgoing(files)


def pieces(ctx: Context, version: ObjectVersion, offset: int, count: int) -> list[File]:
    """The open files that hold so many bytes of a version, from `offset` on."""
    if version.content != IN_PARTS:
        return [ctx.blobs.open(version.content, offset, count)]
    found = PARTS.peek(ctx, version.bucket, version.key, version.sequence)
    files: list[File] = []
    for part in found.parts if found is not None else ():
        if not count:
            break
        if offset < part.size:
            some = min(part.size - offset, count)
            files.append(ctx.blobs.open(part.blob, offset, some))
            count -= some
            offset = 0
        else:
            offset -= part.size
    return files
