"""Annotations of versions: their record, where their payloads lie, and how they go.

A payload lies as its version's bytes do: sealed under the version's content key if that is sealed, small ones in the
store, larger ones in a blob. Source: S3 User Guide, "Annotating your objects".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core import kept_blobs
from cumulo.core.table import GLOBAL, Record, Space, Table
from cumulo.services.storage.s3.stored import checksums, contents, sealed_bytes
from cumulo.services.storage.s3.stored.contents import OWNER, SMALL_B

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cumulo.core.context import Context
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

MOST = 1000  # of one version


class Annotation(Record):
    """One annotation. `sequence` is its version's; `size` is in bytes, `stored` what lies there; `content` is the blob
    of the payload, "" where it lies in the store. `etag` has no quotes, `checksums` are Base64 by algorithm."""

    bucket: str
    key: str
    sequence: int
    name: str
    modified_at: float
    size: int
    etag: str
    checksums: dict[str, str]
    content: str = ""
    stored: int = 0


class Payload(NamedTuple):
    """A payload on its way in, sealed if it is to be: in `data`, or in a blob that belongs to nobody yet."""

    data: bytes
    blob: str
    stored: int


ANNOTATIONS = Table(Annotation, name="s3.annotations", key=("bucket", "key", "sequence", "name"), scope=GLOBAL)
_ROWS = Space("s3.annotation_payloads", scope=GLOBAL)


def _row_key(ctx: Context, annotation: Annotation) -> bytes:
    return _ROWS.key(ctx, annotation.bucket, annotation.key, annotation.sequence, annotation.name)


def sealed(ctx: Context, data: bytes, key: bytes) -> bytes:
    """A payload as it is to lie; `key` is b"" where the version is not sealed."""
    return sealed_bytes.seal(key, ctx.random_bytes(sealed_bytes.PREFIX_B), data) if key else data


def small(ctx: Context, data: bytes, key: bytes) -> Payload:
    """A payload that fits into the store."""
    data = sealed(ctx, data, key)
    return Payload(data, "", len(data))


async def written(ctx: Context, data: bytes, key: bytes) -> Payload:
    """A payload of any size; a large one is on disk when this returns."""
    if len(data) <= SMALL_B:
        return small(ctx, data, key)
    blobs = ctx.blobs
    stored = await ctx.in_thread(lambda: blobs.put(sealed(ctx, data, key)))
    return Payload(b"", stored.blob, stored.size)


async def discard(ctx: Context, payloads: Sequence[Payload]) -> None:
    """Drop payloads that came to nothing."""
    gone = [payload.blob for payload in payloads if payload.blob]
    if gone:
        blobs = ctx.blobs
        await ctx.in_thread(lambda: blobs.delete(gone))


def put(ctx: Context, annotation: Annotation, payload: Payload) -> bool:
    """Keep an annotation, in place of the one of the same name; whether that is a new one."""
    before = ANNOTATIONS.peek(ctx, annotation.bucket, annotation.key, annotation.sequence, annotation.name)
    if before is not None:
        _drop_payload(ctx, before)
    annotation.content, annotation.stored = payload.blob, payload.stored
    if payload.blob:
        kept_blobs.keep(ctx, payload.blob, OWNER)
    else:
        ctx.txn.put(_row_key(ctx, annotation), payload.data)
    ANNOTATIONS.put(ctx, annotation)
    return before is None


def delete(ctx: Context, annotation: Annotation) -> None:
    """Drop an annotation for good."""
    _drop_payload(ctx, annotation)
    ANNOTATIONS.delete(ctx, annotation)


def drop_all(ctx: Context, version: ObjectVersion) -> None:
    """Drop the annotations of a version that goes."""
    for annotation in of(ctx, version):
        delete(ctx, annotation)


def _drop_payload(ctx: Context, annotation: Annotation) -> None:
    if annotation.content:
        kept_blobs.drop(ctx, (annotation.content,))
    else:
        ctx.txn.delete(_row_key(ctx, annotation))


def of(ctx: Context, version: ObjectVersion) -> list[Annotation]:
    """The annotations of a version, by name."""
    return ANNOTATIONS.range(ctx, version.bucket, version.key, version.sequence)


def payload(ctx: Context, annotation: Annotation, key: bytes) -> bytes:
    """The payload; `key` opens what is sealed."""
    if annotation.content:
        file = ctx.blobs.open(annotation.content, 0, annotation.stored)
        data = b"".join(contents.pieces_of(file))
        file.close()
    else:
        found = ctx.txn.get(_row_key(ctx, annotation))
        if found is None:
            raise LookupError(f"the annotation {annotation.name} of {annotation.bucket}/{annotation.key} is gone")
        data = found
    if not key:
        return data
    return b"".join(sealed_bytes.opened(key, annotation.size, 0, annotation.size, lambda at, n: data[at : at + n]))


class Copies(NamedTuple):
    """Annotations on their way to another version, or under another key: with their payloads, made anew."""

    seen: list[Annotation]
    made: list[tuple[Annotation, Payload]]


async def copies(ctx: Context, version: ObjectVersion, key: bytes, new_key: bytes, algorithm: str = "") -> Copies:
    """The annotations of a version for one whose content key is `new_key`; `algorithm` is that of new checksums."""
    seen = await ctx.transact(partial(of, version=version))
    made: list[tuple[Annotation, Payload]] = []
    try:
        for annotation in seen:
            data = await ctx.transact(partial(payload, annotation=annotation, key=key))
            found = {algorithm: checksums.checksum(algorithm, data)} if algorithm else annotation.checksums
            fresh = Annotation(
                annotation.bucket, annotation.key, annotation.sequence, annotation.name, annotation.modified_at,
                annotation.size, annotation.etag, found,
            )  # fmt: skip
            made.append((fresh, await written(ctx, data, new_key)))
    except BaseException:
        await discard(ctx, [each for _, each in made])
        raise
    return Copies(seen, made)


def are_still(ctx: Context, version: ObjectVersion, seen: Sequence[Annotation]) -> bool:
    """Whether a version's annotations are those that were seen."""
    return of(ctx, version) == list(seen)


def put_copies(
    ctx: Context, version: ObjectVersion, found: Copies, changes: Mapping[str, object] | None = None
) -> None:
    """Give the annotations to a version; `changes` are fields that are others there ("modified_at")."""
    for annotation, each in found.made:
        annotation.bucket, annotation.key, annotation.sequence = version.bucket, version.key, version.sequence
        for name, value in (changes or {}).items():
            setattr(annotation, name, value)
        put(ctx, annotation, each)
    version.annotations = len(found.made)
