"""Versions of a key: which is found, what a new one replaces, what remains when one goes.

Source: Amazon S3 User Guide, "Working with objects in a versioning-enabled bucket", "… versioning-suspended bucket"
and "Deleting object versions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.storage.s3.stored import contents, remembered_pages, version_ids
from cumulo.services.storage.s3.stored.object_versions import (
    CURRENT,
    NEWEST,
    NONCURRENT,
    NULL,
    NULLS,
    ObjectVersion,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

_LAST = "s3.last_sequence"


class Removal(NamedTuple):
    """What a delete did: the version that is gone or the delete marker that was laid ("" in a bucket that never had
    versions), and whether that is a delete marker."""

    version_id: str
    delete_marker: bool


def find(ctx: Context, bucket: str, key: str, version_id: str | None = None) -> ObjectVersion | None:
    """The current version of a key, or the one with this id; it may be a delete marker. None when there is none."""
    current = CURRENT.peek(ctx, bucket, key)
    if version_id is None:
        return current
    if current is not None and current.version_id == version_id:
        return current
    return _noncurrent(ctx, bucket, key, version_id)


def newest(ctx: Context, bucket: str, key: str) -> ObjectVersion | None:
    """The newest version of a key, be it a delete marker."""
    return CURRENT.peek(ctx, bucket, key) or _newest_noncurrent(ctx, bucket, key)


def next_sequence(ctx: Context) -> int:
    """Nanoseconds of cloud time, later than any this process gave."""
    memory = ctx.runtime.memory
    last: int = memory.get(_LAST, 0)
    sequence = memory[_LAST] = max(int(ctx.now() * 1e9), last + 1)
    return sequence


def begin(ctx: Context, bucket: Bucket, key: str) -> ObjectVersion:
    """A new version for a key, with its place and its id; fill in the rest and `store` it."""
    sequence = next_sequence(ctx)
    version_id = version_ids.new_version_id(ctx, sequence) if bucket.versioning == "Enabled" else NULL
    return ObjectVersion(bucket.name, key, sequence, version_id, sequence / 1e9)


def store(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    """Make this the current version: of the others, its bucket's versioning says which is kept and which replaced.

    Its bytes are kept already (`contents.put_row`, `contents.keep`) under its sequence.
    """
    if "replication" in bucket.configured:
        from cumulo.services.storage.s3.replication import replications

        replications.consider(ctx, bucket, version)
    txn, place = ctx.txn, CURRENT.key(ctx, version.bucket, version.key)
    before = txn.get(place)
    current = None if before is None else CURRENT.codec.decode(before)
    if bucket.versioning:
        if current is not None:
            _retire(ctx, current, version.version_id, version)
        if version.version_id == NULL:
            _drop_old_null(ctx, version.bucket, version.key, version)
    elif current is not None:
        contents.release(ctx, current, version)
    remembered_pages.changed(ctx, version.bucket, version.key)
    txn.put(place, CURRENT.codec.encode(version))


def update(ctx: Context, version: ObjectVersion) -> None:
    """Keep a version whose tags, grants, lock or the like have changed, where it is."""
    current = CURRENT.peek(ctx, version.bucket, version.key)
    if current is not None and current.sequence == version.sequence:
        remembered_pages.changed(ctx, version.bucket, version.key)
        CURRENT.put(ctx, version)
    else:
        NONCURRENT.put(ctx, version)


def remove(ctx: Context, bucket: Bucket, key: str, version_id: str | None = None) -> Removal:
    """Delete a version for good, or without an id: lay a delete marker, or in a bucket without versions the object."""
    if version_id is not None:
        return _remove_version(ctx, bucket.name, key, version_id)
    current = CURRENT.peek(ctx, bucket.name, key)
    if not bucket.versioning:
        if current is not None:
            contents.release(ctx, current)
            remembered_pages.changed(ctx, current.bucket, current.key)
            CURRENT.delete(ctx, current)
        return Removal("", False)
    sequence = next_sequence(ctx)
    marker_id = version_ids.new_version_id(ctx, sequence) if bucket.versioning == "Enabled" else NULL
    if current is not None:
        _retire(ctx, current, marker_id)
        remembered_pages.changed(ctx, current.bucket, current.key)
        CURRENT.delete(ctx, current)
    if marker_id == NULL:
        _drop_old_null(ctx, bucket.name, key)
    marker = ObjectVersion(
        bucket.name, key, sequence, marker_id, sequence / 1e9, owner=bucket.account, delete_marker=True
    )
    _put_noncurrent(ctx, marker)
    if "replication" in bucket.configured:
        from cumulo.services.storage.s3.replication import replications

        replications.consider_marker(ctx, bucket, marker)
    return Removal(marker_id, True)


def lay_marker(ctx: Context, bucket: Bucket, marker: ObjectVersion) -> None:
    """Lay a delete marker that came from elsewhere, with its id."""
    current = CURRENT.peek(ctx, bucket.name, marker.key)
    if current is not None:
        _retire(ctx, current, marker.version_id)
        remembered_pages.changed(ctx, current.bucket, current.key)
        CURRENT.delete(ctx, current)
    _put_noncurrent(ctx, marker)


def _remove_version(ctx: Context, bucket: str, key: str, version_id: str) -> Removal:
    current = CURRENT.peek(ctx, bucket, key)
    if current is not None and current.version_id == version_id:
        contents.release(ctx, current)
        remembered_pages.changed(ctx, current.bucket, current.key)
        CURRENT.delete(ctx, current)
        _promote(ctx, bucket, key)
        return Removal(version_id, False)
    found = _noncurrent(ctx, bucket, key, version_id)
    if found is None:
        return Removal(version_id, False)  # S3 answers 204 for a version that is not there
    contents.release(ctx, found)
    _delete_noncurrent(ctx, found)
    if current is None:
        _promote(ctx, bucket, key)
    return Removal(version_id, found.delete_marker)


def _promote(ctx: Context, bucket: str, key: str) -> None:
    """The newest version that is left is the current one, unless it is a delete marker."""
    left = _newest_noncurrent(ctx, bucket, key)
    if left is not None and not left.delete_marker:
        _delete_noncurrent(ctx, left)
        remembered_pages.changed(ctx, left.bucket, left.key)
        CURRENT.put(ctx, left)


def _retire(ctx: Context, current: ObjectVersion, new_id: str, new: ObjectVersion | None = None) -> None:
    """What was current gets behind, or goes when it is the null version and the new one is too."""
    if new_id == NULL and current.version_id == NULL:
        contents.release(ctx, current, new)
    else:
        _put_noncurrent(ctx, current)


def _drop_old_null(ctx: Context, bucket: str, key: str, new: ObjectVersion | None = None) -> None:
    old = _noncurrent(ctx, bucket, key, NULL)
    if old is not None:
        contents.release(ctx, old, new)
        _delete_noncurrent(ctx, old)


def _put_noncurrent(ctx: Context, version: ObjectVersion) -> None:
    NONCURRENT.put(ctx, version)
    if version.version_id == NULL:
        ctx.txn.put(NULLS.key(ctx, version.bucket, version.key), version.sequence.to_bytes(8, "big"))


def _delete_noncurrent(ctx: Context, version: ObjectVersion) -> None:
    NONCURRENT.delete(ctx, version)
    if version.version_id == NULL:
        ctx.txn.delete(NULLS.key(ctx, version.bucket, version.key))


def _newest_noncurrent(ctx: Context, bucket: str, key: str) -> ObjectVersion | None:
    found = NONCURRENT.range(ctx, bucket, key, limit=1)
    return found[0] if found else None


def _noncurrent(ctx: Context, bucket: str, key: str, version_id: str) -> ObjectVersion | None:
    if version_id == NULL:
        place = ctx.txn.get(NULLS.key(ctx, bucket, key))
        sequence = None if place is None else int.from_bytes(place, "big")
    else:
        sequence = version_ids.sequence_of(version_id)
    if sequence is None:
        return None
    found = NONCURRENT.peek(ctx, bucket, key, NEWEST - sequence)
    return found if found is not None and found.version_id == version_id else None
