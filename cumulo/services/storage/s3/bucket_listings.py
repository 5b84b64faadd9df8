"""Which buckets there are, and where: ListBuckets, HeadBucket, GetBucketLocation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.storage.s3 import access

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t


@operation
def head_bucket(ctx: Context, request: t.HeadBucketRequest) -> t.HeadBucketOutput:
    """Whether the bucket is there, and the caller may list it."""
    bucket = access.bucket_for(ctx, request)
    return {"BucketArn": bucket.arn, "BucketRegion": bucket.region, "AccessPointAlias": False}


@operation
def get_bucket_location(ctx: Context, request: t.GetBucketLocationRequest) -> t.GetBucketLocationOutput:
    """The location constraint that the bucket was created with; empty in us-east-1."""
    bucket = access.bucket_for(ctx, request)
    return {"LocationConstraint": bucket.location}
