"""The public access block of a bucket.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3.access import PublicAccessBlock
from cumulo.core.s3.buckets import keep
from cumulo.services.storage.s3.errors import NO_SUCH_PUBLIC_ACCESS_BLOCK
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t


@operation
def put_public_access_block(ctx: Context, request: t.PutPublicAccessBlockRequest) -> None:
    """Set all four settings; those that are not named are off."""
    bucket = access.bucket_for(ctx, request)
    given = request["PublicAccessBlockConfiguration"]
    bucket.public_access_block = PublicAccessBlock(
        given.get("BlockPublicAcls", False),
        given.get("IgnorePublicAcls", False),
        given.get("BlockPublicPolicy", False),
        given.get("RestrictPublicBuckets", False),
    )
    keep(ctx, bucket)


@operation
def get_public_access_block(ctx: Context, request: t.GetPublicAccessBlockRequest) -> t.GetPublicAccessBlockOutput:
    """The four settings of the bucket, whatever its account has."""
    bucket = access.bucket_for(ctx, request)
    block = bucket.public_access_block
    if block is None:
        raise NO_SUCH_PUBLIC_ACCESS_BLOCK(members={"BucketName": bucket.name})
    return {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": block.block_acls,
            "IgnorePublicAcls": block.ignore_acls,
            "BlockPublicPolicy": block.block_policy,
            "RestrictPublicBuckets": block.restrict_buckets,
        }
    }


@operation
def delete_public_access_block(ctx: Context, request: t.DeletePublicAccessBlockRequest) -> None:
    """Remove the bucket's settings, if there are any."""
    bucket = access.bucket_for(ctx, request)
    bucket.public_access_block = None
    keep(ctx, bucket)
