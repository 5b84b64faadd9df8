"""Annotations follow their version to its replicas: what is new is copied, what is gone is dropped.

Each destination is brought to what the source has, so a change that was missed is found by the next. The role needs
rights of its own for it; without them the object is replicated and its annotations are not. Source: S3 User Guide,
"Annotating your objects", "Replication".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.replication.replication_configurations import KIND
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations, kept_annotations, versions
from cumulo.services.storage.s3.stored.kept_annotations import ANNOTATIONS, Annotation

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion


SESSION = "s3-replication"


class Pair(NamedTuple):
    """A version, by bucket, key and id, and the bucket of its replica."""

    bucket: str
    key: str
    version_id: str
    destination: str


class Difference(NamedTuple):
    """What a replica lacks and what it has too much, and the keys that open the one and seal the other."""

    missing: list[Annotation]
    gone: list[Annotation]
    key: bytes
    replica_key: bytes


async def follow(ctx: Context, pair: Pair) -> None:
    """Bring a replica's annotations to those of its version."""
    difference = await ctx.transact(partial(_difference, pair=pair))
    if difference is None:
        return
    for annotation in difference.gone:
        await ctx.transact(partial(_drop, pair=pair, name=annotation.name))
    for annotation in difference.missing:
        data = await ctx.transact(partial(kept_annotations.payload, annotation=annotation, key=difference.key))
        payload = await kept_annotations.written(ctx, data, difference.replica_key)
        kept = False
        try:
            kept = await ctx.transact(partial(_put, pair=pair, annotation=annotation, payload=payload))
        finally:
            if not kept:
                await kept_annotations.discard(ctx, (payload,))


def _difference(ctx: Context, pair: Pair) -> Difference | None:
    """None where nothing is to be done, or the role may not."""
    source, destination = BUCKETS.peek(ctx, pair.bucket), BUCKETS.peek(ctx, pair.destination)
    version, replica = versions.find(ctx, pair.bucket, pair.key, pair.version_id), _replica(ctx, pair)
    if source is None or destination is None or version is None or replica is None:
        return None
    document = configurations.find(ctx, source, KIND)
    mine = {_mark(each): each for each in kept_annotations.of(ctx, version)} if version.annotations else {}
    theirs = {_mark(each): each for each in kept_annotations.of(ctx, replica)} if replica.annotations else {}
    names = {each.name for each in mine.values()}
    missing = [each for mark, each in mine.items() if mark not in theirs]
    gone = [each for each in theirs.values() if each.name not in names]
    if document is None or not (missing or gone):
        return None
    try:
        principal = role_sessions.assume(ctx, document["Role"], "s3", SESSION, source_arn=source.arn)
        acting = role_sessions.context(ctx, principal, "s3", "PutObjectAnnotation", region=destination.region)
        request, target = {"Bucket": pair.bucket, "Key": pair.key}, {"Bucket": pair.destination, "Key": pair.key}
        access.allow_object(acting, source, request, version, action="s3:GetObjectVersionAnnotationForReplication")
        access.allow_object(acting, destination, target, action="s3:ReplicateObjectAnnotation")
        key = object_encryption.content_key(acting, source, pair.key, version, {})
    except Fault as fault:
        ctx.logger.warning("the annotations of %s/%s were not replicated: %s", pair.bucket, pair.key, fault)
        return None
    replica_key = object_encryption.content_key(ctx, destination, pair.key, replica, {}, asked=True)
    return Difference(missing, gone, key, replica_key)


def _replica(ctx: Context, pair: Pair) -> ObjectVersion | None:
    return versions.find(ctx, pair.destination, pair.key, pair.version_id)


def _mark(annotation: Annotation) -> tuple[str, float, int]:
    """What tells one writing of a name from another; the ETag does not, of what is sealed."""
    return annotation.name, annotation.modified_at, annotation.size


def _put(ctx: Context, pair: Pair, annotation: Annotation, payload: kept_annotations.Payload) -> bool:
    replica = _replica(ctx, pair)
    if replica is None:
        return False
    copy = Annotation(
        replica.bucket, replica.key, replica.sequence, annotation.name, annotation.modified_at, annotation.size,
        annotation.etag, annotation.checksums,
    )  # fmt: skip
    if kept_annotations.put(ctx, copy, payload):
        replica.annotations += 1
        versions.update(ctx, replica)
    return True


def _drop(ctx: Context, pair: Pair, name: str) -> None:
    replica = _replica(ctx, pair)
    there = ANNOTATIONS.peek(ctx, replica.bucket, replica.key, replica.sequence, name) if replica is not None else None
    if replica is not None and there is not None:
        kept_annotations.delete(ctx, there)
        replica.annotations -= 1
        versions.update(ctx, replica)
