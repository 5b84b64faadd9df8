"""The versioning state of a bucket.

Sources: S3 API Reference, PutBucketVersioning; S3 User Guide, "Object Lock considerations", "Replication
requirements"; the texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.s3.buckets import SUSPENDED, keep
from cumulo.services.storage.s3.errors import ACCESS_DENIED, ILLEGAL_VERSIONING, INVALID_BUCKET_STATE
from cumulo.services.storage.s3.rights import access, mfa

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t


@operation
def put_bucket_versioning(ctx: Context, request: t.PutBucketVersioningRequest) -> None:
    """Enable or suspend versions; with MFA delete, only the account's root user may, and with a code."""
    bucket = access.bucket_for(ctx, request)
    given = request["VersioningConfiguration"]
    status, wanted = given.get("Status"), given.get("MFADelete")
    if status is None:
        raise ILLEGAL_VERSIONING()
    if bucket.mfa_delete or wanted == "Enabled":  # "Disabled" where it never was on asks for nothing
        if ctx.principal.kind is not PrincipalKind.ROOT or ctx.principal.account != bucket.account:
            raise ACCESS_DENIED()
        mfa.check(ctx, request)
    if status == SUSPENDED:
        if bucket.object_lock:
            raise INVALID_BUCKET_STATE(
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            )
        if "replication" in bucket.configured:
            raise INVALID_BUCKET_STATE(
                "A replication configuration is present on this bucket, so you cannot change the versioning state. "
                "To change the versioning state, first delete the replication configuration."
            )
    bucket.versioning = status
    if wanted is not None:
        bucket.mfa_delete = wanted == "Enabled"
    keep(ctx, bucket)


@operation
def get_bucket_versioning(ctx: Context, request: t.GetBucketVersioningRequest) -> t.GetBucketVersioningOutput:
    """The state; nothing where versions were never enabled."""
    bucket = access.bucket_for(ctx, request)
    found: t.GetBucketVersioningOutput = {}
    if bucket.versioning:
        found["Status"] = bucket.versioning
    if bucket.mfa_delete:
        found["MFADelete"] = "Enabled"
    return found
