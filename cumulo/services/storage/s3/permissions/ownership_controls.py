"""Who owns what others write into a bucket, and whether ACLs count at all.

Source: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import BUCKET_OWNER_ENFORCED, keep
from cumulo.services.storage.s3.errors import (
    BUCKET_ACL_WITH_OWNERSHIP,
    MALFORMED_XML,
    NO_SUCH_OWNERSHIP_CONTROLS,
)
from cumulo.services.storage.s3.rights import access, acls

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t


@operation
def put_bucket_ownership_controls(ctx: Context, request: t.PutBucketOwnershipControlsRequest) -> None:
    """Set the one rule. BucketOwnerEnforced needs an ACL that lets in nobody else."""
    bucket = access.bucket_for(ctx, request)
    rules = request["OwnershipControls"]["Rules"]
    if len(rules) != 1:
        raise MALFORMED_XML()
    ownership = rules[0]["ObjectOwnership"]
    if ownership == BUCKET_OWNER_ENFORCED and not acls.only_bucket_owner(bucket.acl, bucket):
        raise BUCKET_ACL_WITH_OWNERSHIP()
    bucket.ownership = ownership
    keep(ctx, bucket)


@operation
def get_bucket_ownership_controls(
    ctx: Context, request: t.GetBucketOwnershipControlsRequest
) -> t.GetBucketOwnershipControlsOutput:
    """The one rule."""
    bucket = access.bucket_for(ctx, request)
    if not bucket.ownership:
        raise NO_SUCH_OWNERSHIP_CONTROLS(members={"BucketName": bucket.name})
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": bucket.ownership}]}}


@operation
def delete_bucket_ownership_controls(ctx: Context, request: t.DeleteBucketOwnershipControlsRequest) -> None:
    """Remove the rule: then it is as with ObjectWriter."""
    bucket = access.bucket_for(ctx, request)
    bucket.ownership = ""
    keep(ctx, bucket)
