"""The rarer configurations of buckets, each a row of its own; `Bucket.configured` says which there are.

A document is the structure that the Put operation of its kind brought, as the model names its members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.s3 import buckets
from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.errors import Error
    from cumulo.core.s3.buckets import Bucket


class Configuration(Record):
    """One configuration; `id` is "" for kinds of which a bucket has one. `document` is msgpack."""

    bucket: str
    kind: str
    id: str
    document: bytes


CONFIGURATIONS = Table(Configuration, name="s3.configurations", key=("bucket", "kind", "id"), scope=GLOBAL)


def find(ctx: Context, bucket: Bucket, kind: str, id: str = "") -> dict[str, Any] | None:
    """The document of a configuration; None where there is none."""
    if kind not in bucket.configured:
        return None
    found = CONFIGURATIONS.peek(ctx, bucket.name, kind, id)
    return None if found is None else _decoded(found)


def get(ctx: Context, bucket: Bucket, kind: str, missing: Error) -> dict[str, Any]:
    """The document of a configuration of which a bucket has one. Raises `missing`, which names the bucket."""
    found = find(ctx, bucket, kind)
    if found is None:
        raise missing(members={"BucketName": bucket.name})
    return found


def all_of(ctx: Context, bucket: Bucket, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """The configurations of a kind that has several: (id, document), by id."""
    if kind not in bucket.configured:
        return []
    return [(found.id, _decoded(found)) for found in CONFIGURATIONS.range(ctx, bucket.name, kind)]


def put(ctx: Context, bucket: Bucket, kind: str, document: dict[str, Any], id: str = "") -> None:
    """Keep a configuration in place of the one before, and note it in the bucket."""
    CONFIGURATIONS.put(ctx, Configuration(bucket.name, kind, id, msgspec.msgpack.encode(document)))
    buckets.mark(ctx, bucket, kind, True)


def remove(ctx: Context, bucket: Bucket, kind: str, id: str = "") -> bool:
    """Drop a configuration; False where there is none."""
    found = CONFIGURATIONS.peek(ctx, bucket.name, kind, id)
    if found is None:
        return False
    CONFIGURATIONS.delete(ctx, found)
    if not CONFIGURATIONS.range(ctx, bucket.name, kind, limit=1):
        buckets.mark(ctx, bucket, kind, False)
    return True


def remove_all(ctx: Context, bucket: Bucket) -> None:
    """Drop everything that is configured, as with the bucket itself."""
    for found in CONFIGURATIONS.range(ctx, bucket.name):
        CONFIGURATIONS.delete(ctx, found)


def _decoded(found: Configuration) -> dict[str, Any]:
    return msgspec.msgpack.decode(found.document)  # type: ignore[no-any-return]
