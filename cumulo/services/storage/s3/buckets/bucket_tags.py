"""The tags of buckets, as PutBucketTagging and CreateBucket bring them.

Source: S3 API Reference, PutBucketTagging; the texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import keep
from cumulo.core.tags import TAG_LIMIT, is_key, is_value, to_list
from cumulo.services.storage.s3.errors import (
    BAD_REQUEST,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    INVALID_TAG,
    MALFORMED_XML,
    NO_SUCH_TAG_SET,
)
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.stubs import s3 as t

_WITH_ABAC = (
    "The bucket has attribute-based access control (ABAC) enabled: manage its tags by TagResource and UntagResource"
)


def checked(tags: Iterable[Mapping[str, Any]], *, new_bucket: bool = False) -> dict[str, str]:
    """The tags as they are kept. Raises InvalidTag, or BadRequest for more than 50."""
    found: dict[str, str] = {}
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if key.lower().startswith("aws:"):
            if new_bucket:
                raise INVALID_TAG(
                    'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove '
                    '"aws:" from your tag keys and try again.'
                )
            raise INVALID_TAG("System tags cannot be added/updated by requester")
        if not is_key(key):
            raise INVALID_TAG("The TagKey you have provided is invalid", members={"TagKey": key})
        if not is_value(value):
            members = {"TagKey": key, "TagValue": value}
            raise INVALID_TAG("The TagValue you have provided is invalid", members=members)
        if key in found:
            if new_bucket:
                raise INTERNAL_ERROR()  # so AWS answers
            raise INVALID_TAG("Cannot provide multiple Tags with the same key", members={"TagKey": key})
        found[key] = value
    if len(found) > TAG_LIMIT:
        raise BAD_REQUEST(f"Bucket tag count cannot be greater than {TAG_LIMIT}")
    return found


def _check_changeable(bucket: Bucket) -> None:
    """Source: S3 API Reference, PutBucketAbac: with ABAC, TagResource and UntagResource alone manage tags."""
    if bucket.abac:
        raise INVALID_REQUEST(_WITH_ABAC)


@operation
def put_bucket_tagging(ctx: Context, request: t.PutBucketTaggingRequest) -> None:
    """Replace all tags of the bucket."""
    bucket = access.bucket_for(ctx, request)
    _check_changeable(bucket)
    given = request["Tagging"].get("TagSet")
    if given is None:
        raise MALFORMED_XML()
    bucket.tags = checked(given)
    keep(ctx, bucket)


@operation
def get_bucket_tagging(ctx: Context, request: t.GetBucketTaggingRequest) -> t.GetBucketTaggingOutput:
    """The tags of the bucket."""
    bucket = access.bucket_for(ctx, request)
    if not bucket.tags:
        raise NO_SUCH_TAG_SET(members={"BucketName": bucket.name})
    return {"TagSet": to_list(bucket.tags)}  # type: ignore[typeddict-item]


@operation
def delete_bucket_tagging(ctx: Context, request: t.DeleteBucketTaggingRequest) -> None:
    """Remove all tags of the bucket."""
    bucket = access.bucket_for(ctx, request)
    _check_changeable(bucket)
    bucket.tags = {}
    keep(ctx, bucket)
