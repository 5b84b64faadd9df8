"""Buckets come and go: CreateBucket and DeleteBucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3_access import PublicAccessBlock
from cumulo.services.storage.s3 import access, bucket_names, configurations
from cumulo.services.storage.s3.buckets import BUCKETS, Bucket, keep
from cumulo.services.storage.s3.errors import (
    BUCKET_ALREADY_EXISTS,
    BUCKET_ALREADY_OWNED_BY_YOU,
    ILLEGAL_LOCATION_CONSTRAINT,
    INVALID_BUCKET_NAME,
    INVALID_LOCATION_CONSTRAINT,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

DEFAULT_REGION = "us-east-1"
_OLD_NAMES = {"EU": "eu-west-1"}


@operation(
    unsupported=(
        "ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP",
        "BucketNamespace", "ObjectOwnership",
    )
)  # fmt: skip
def create_bucket(ctx: Context, request: t.CreateBucketRequest) -> t.CreateBucketOutput:
    """A new bucket in the caller's account and region."""
    name = request["Bucket"]
    ctx.authorize(f"arn:{ctx.partition}:s3:::{name}", account=ctx.account)
    if not bucket_names.is_valid(name):
        raise INVALID_BUCKET_NAME(members={"BucketName": name})
    constraint = request.get("CreateBucketConfiguration", {}).get("LocationConstraint", "")
    _check_location(ctx, constraint)
    there = BUCKETS.peek(ctx, name)
    if there is not None:
        if there.account != ctx.account:
            raise BUCKET_ALREADY_EXISTS(members={"BucketName": name})
        if ctx.region != DEFAULT_REGION or there.region != DEFAULT_REGION:
            raise BUCKET_ALREADY_OWNED_BY_YOU(members={"BucketName": name})
        return {"Location": f"/{name}", "BucketArn": there.arn}
    lock = bool(request.get("ObjectLockEnabledForBucket"))
    bucket = Bucket(
        name=name,
        account=ctx.account,
        region=ctx.region,
        created_at=ctx.now(),
        versioning="Enabled" if lock else "",
        public_access_block=PublicAccessBlock(True, True, True, True),
        object_lock=lock,
        location=constraint,
    )
    keep(ctx, bucket)
    location = f"http://{name}.s3.amazonaws.com/" if constraint else f"/{name}"
    return {"Location": location, "BucketArn": bucket.arn}


def _check_location(ctx: Context, constraint: str) -> None:
    """The region of the endpoint and the constraint must be one. Observed in AWS's answers."""
    if _OLD_NAMES.get(constraint, constraint or DEFAULT_REGION) == ctx.region and constraint != DEFAULT_REGION:
        return
    if ctx.region != DEFAULT_REGION or not constraint:
        raise ILLEGAL_LOCATION_CONSTRAINT(constraint=constraint or "unspecified")
    raise INVALID_LOCATION_CONSTRAINT(members={"LocationConstraint": constraint})


@operation
def delete_bucket(ctx: Context, request: t.DeleteBucketRequest) -> None:
    """Remove a bucket that is empty."""
    bucket = access.bucket_for(ctx, request)
    configurations.remove_all(ctx, bucket)
    BUCKETS.delete(ctx, bucket)
