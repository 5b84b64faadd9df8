"""PutObject with a write offset: the bytes come behind those that an object of a directory bucket has.

Each request adds a part, and a blob of its own. Source: S3 User Guide, "Appending data to objects in directory
buckets"; S3 API Reference, PutObject, x-amz-write-offset-bytes.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.storage.s3.errors import CONDITIONAL_REQUEST_CONFLICT, INVALID_WRITE_OFFSET, TOO_MANY_PARTS
from cumulo.services.storage.s3.objects import new_objects, preconditions
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import (
    checksums,
    contents,
    receiving,
    remembered_pages,
    storage_times,
    versions,
)
from cumulo.services.storage.s3.stored.checksums import Announced
from cumulo.services.storage.s3.stored.object_versions import (
    CURRENT,
    IN_PARTS,
    PARTS,
    ObjectVersion,
    Part,
    PartList,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.receiving import Received

MOST_PARTS = 10_000
_COMBINED = frozenset(("CRC32", "CRC32C", "CRC64NVME"))
_NOTHING = Announced("", "", "", "")


def is_to_append(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> bool:
    """Whether there is an object to append to; without one, offset 0 makes it.

    Raises InvalidWriteOffset unless the offset is the object's size, TooManyParts, and what the conditions refuse.
    """
    current = CURRENT.peek(ctx, bucket.name, request["Key"])
    if request["WriteOffsetBytes"] != (current.size if current is not None else 0):
        raise INVALID_WRITE_OFFSET()
    if current is None:
        return False
    preconditions.check_write(request, current, current.key)
    if max(current.parts_count, 1) >= MOST_PARTS:
        raise TOO_MANY_PARTS()
    return True


async def append(ctx: Context, request: Mapping[str, Any], said: Announced) -> dict[str, Any]:
    """Take the body, and put it behind what is there, unless that has changed meanwhile."""

    def begin(ctx: Context) -> tuple[ObjectVersion | None, bytes]:
        current = CURRENT.peek(ctx, request["Bucket"], request["Key"])
        return current, contents.row(ctx, current) if current is not None and not current.content else b""

    seen, first = await ctx.transact(begin)
    if seen is None:
        raise INVALID_WRITE_OFFSET()
    algorithm = next((each for each in seen.checksums if each in _COMBINED), "")
    blobs: list[Received] = []
    try:
        if first:
            blobs.append(await receiving.receive(ctx, first, _NOTHING, in_blob=True))
        blobs.append(await receiving.receive(ctx, request.get("Body", b""), said, in_blob=True, also=algorithm))
        return await ctx.transact(lambda ctx: _finish(ctx, request, seen, algorithm, blobs))
    except BaseException:
        for each in blobs:
            await receiving.discard(ctx, each)
        raise


def _finish(
    ctx: Context, request: Mapping[str, Any], seen: ObjectVersion, algorithm: str, blobs: list[Received]
) -> dict[str, Any]:
    bucket = access.located(ctx, request)
    old = CURRENT.peek(ctx, bucket.name, seen.key)
    if old is None or old.size != seen.size:
        raise INVALID_WRITE_OFFSET()
    if old.sequence != seen.sequence:
        raise CONDITIONAL_REQUEST_CONFLICT(members={"Key": seen.key})
    storage_times.note_end(ctx, old)
    added = blobs[-1]
    parts = _parts_of(ctx, old, blobs[0] if len(blobs) > 1 else None)
    parts.append(Part(len(parts) + 1, added.size, added.md5, "", added.blob, added.stored))
    sequence = versions.next_sequence(ctx)
    version = msgspec.structs.replace(
        old,
        sequence=sequence,
        modified_at=sequence / 1e9,
        size=old.size + added.size,
        stored=old.stored + added.stored,
        etag=ctx.random_bytes(16).hex(),
        content=IN_PARTS,
        data=b"",
        parts_count=len(parts),
        checksums=_checksums(old, added, algorithm),
    )
    for each in blobs:
        contents.keep(ctx, each.blob)
    PARTS.put(ctx, PartList(version.bucket, version.key, sequence, parts))
    remembered_pages.changed(ctx, version.bucket, version.key)
    CURRENT.put(ctx, version)
    return {**new_objects.answer(ctx, bucket, request, version), "Size": version.size}


def _parts_of(ctx: Context, old: ObjectVersion, moved: Received | None) -> list[Part]:
    """What the object consists of so far; its bytes go over to the new one."""
    found = PARTS.peek(ctx, old.bucket, old.key, old.sequence) if old.parts_count else None
    if found is not None:
        PARTS.delete(ctx, found)
        if old.content == IN_PARTS:
            return list(found.parts)
    if moved is not None:
        contents.take_row(ctx, old)
        return [Part(1, old.size, old.etag, "", moved.blob, moved.stored)]
    return [Part(1, old.size, old.etag, "", old.content, old.stored)] if old.content else []


def _checksums(old: ObjectVersion, added: Received, algorithm: str) -> dict[str, str]:
    """The checksum of all bytes together, where it is one that can be worked out of both."""
    if not algorithm or old.checksum_type != checksums.FULL_OBJECT:
        return {}
    before, behind = [int.from_bytes(b64decode(each.checksums[algorithm]), "big") for each in (old, added)]
    return {algorithm: checksums.encoded(checksums.combiner(algorithm)(before, behind, added.size), algorithm)}
