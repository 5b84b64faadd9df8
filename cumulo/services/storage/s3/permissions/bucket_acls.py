"""The ACLs of buckets: GetBucketAcl and PutBucketAcl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import BUCKET_OWNER_ENFORCED, keep
from cumulo.services.storage.s3.rights import access, acls

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t


@operation
def get_bucket_acl(ctx: Context, request: t.GetBucketAclRequest) -> t.GetBucketAclOutput:
    """The bucket's ACL; where ACLs are disabled, that its owner has full control."""
    bucket = access.bucket_for(ctx, request)
    grants = bucket.acl if bucket.ownership != BUCKET_OWNER_ENFORCED else None
    return acls.shown(grants, bucket.account)  # type: ignore[return-value]


@operation
def put_bucket_acl(ctx: Context, request: t.PutBucketAclRequest) -> None:
    """Replace the bucket's ACL."""
    bucket = access.bucket_for(ctx, request)
    grants = acls.of_request(request, owner=bucket.account, bucket_owner=bucket.account, of_object=False)
    acls.check_enabled(bucket, request, grants)
    if bucket.ownership == BUCKET_OWNER_ENFORCED:
        return
    access.check_public_acl(ctx, bucket, grants, bucket.arn, "s3:PutBucketAcl")
    bucket.acl = grants
    keep(ctx, bucket)
