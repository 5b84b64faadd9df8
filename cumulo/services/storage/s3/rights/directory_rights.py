"""Who may do what with directory buckets: s3express actions, and the sessions that CreateSession began.

What is done to the bucket has actions of its own, as s3express:DeleteBucket. All that is done to objects needs
s3express:CreateSession, once, when the session begins: its keys are good for five minutes, for that bucket, and in mode
ReadOnly for reading. A request that is signed with other keys needs the permission by itself.

Source: S3 User Guide, "Authenticating and authorizing requests" and "Authorizing Zonal endpoint API operations with
CreateSession"; Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3 Express".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.callers import credentials
from cumulo.core.callers.authorization import environment_of
from cumulo.core.s3.access import AccessPoint, access_point
from cumulo.services.storage.s3.directory_buckets import SIGNING_NAME
from cumulo.services.storage.s3.errors import ACCESS_DENIED
from cumulo.services.storage.s3.rights import access_points, denials

if TYPE_CHECKING:
    from cumulo.core.callers.credentials import AccessKey
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

READ_ONLY, READ_WRITE = "ReadOnly", "ReadWrite"
_READS = frozenset(
    (
        "s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAttributes", "s3:GetObjectTagging", "s3:ListBucket",
        "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts",
    )
)  # fmt: skip
_OF_BUCKETS = frozenset(("CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "GetBucketPolicy", "PutBucketPolicy"))
# What only the bucket's own account may do, by policies of its users and roles. Source: S3 API Reference, the directory
# bucket permissions of PutBucketEncryption and its like.
_OF_OWNERS = frozenset(
    (
        "GetEncryptionConfiguration", "GetInventoryConfiguration", "GetLifecycleConfiguration",
        "GetMetricsConfiguration", "PutEncryptionConfiguration", "PutInventoryConfiguration",
        "PutLifecycleConfiguration", "PutMetricsConfiguration",
    )
)  # fmt: skip


def session_of(ctx: Context) -> AccessKey | None:
    """The key of the session that the request is signed with, None where it is signed with other keys."""
    if ctx.claim is None or ctx.claim.service != SIGNING_NAME:
        return None
    key = credentials.find(ctx, ctx.principal.access_key_id)
    return key if key is not None and key.bucket else None


def check_elsewhere(ctx: Context, *, anywhere: bool) -> None:
    """AccessDenied for a request to a general purpose bucket that is signed for a directory bucket.

    `anywhere`: the source of a copy may be such a bucket, but not with a session's keys, which are good for one alone.
    """
    if not anywhere or session_of(ctx) is not None:
        ctx.authorized = True
        raise ACCESS_DENIED()


def point_of(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> AccessPoint | None:
    """The access point of the bucket that the request names; None where it names the bucket."""
    named = request.get("Bucket", bucket.name)
    point = access_point(ctx, named) if named != bucket.name else None
    return point if point is not None and point.bucket == bucket.name else None


def allow(ctx: Context, bucket: Bucket, action: str, request: Mapping[str, Any], key: str = "") -> None:
    """AccessDenied unless the caller may do what general purpose buckets call `action` ("s3:GetObject").

    Through an access point, its scope has a say each time.
    """
    if ctx.internal:
        ctx.authorized = True
        return
    name = action.partition(":")[2]
    session = session_of(ctx)
    point = point_of(ctx, bucket, request)
    if session is not None and session.bucket != (point.name if point is not None else bucket.name):
        ctx.authorized = True
        raise ACCESS_DENIED()
    if point is not None:
        _check_scope(ctx, point, name, request, key)
    if name in _OF_OWNERS:
        ctx.authorize(bucket.arn, action=f"{SIGNING_NAME}:{name}", context={}, account=bucket.account)
        return
    if name in _OF_BUCKETS:
        authorize(ctx, bucket, f"{SIGNING_NAME}:{name}", {})
        return
    mode = READ_ONLY if action in _READS else READ_WRITE
    if session is not None:
        ctx.authorized = True
        if session.read_only and mode == READ_WRITE:
            raise ACCESS_DENIED()
        return
    allow_session(ctx, bucket, mode, point)


def _check_scope(ctx: Context, point: AccessPoint, name: str, request: Mapping[str, Any], key: str) -> None:
    """AccessDenied for what the scope of an access point leaves out, and for other networks than its own.

    Source: S3 User Guide, "Manage the scope of your access points for directory buckets".
    """
    where = key or request.get("Prefix") or ""
    permitted = not point.permissions or name in point.permissions
    # HeadBucket, which needs ListBucket, asks for no keys.
    inside = not point.prefixes or where.startswith(tuple(point.prefixes)) or ctx.operation == "HeadBucket"
    if not permitted or not inside or (point.vpc and not environment_of(ctx).source_vpc_endpoint):
        ctx.authorized = True
        raise ACCESS_DENIED()


def allow_session(ctx: Context, bucket: Bucket, mode: str, point: AccessPoint | None = None) -> None:
    """AccessDenied unless the caller may begin a session of this mode; an access point must allow it too."""
    action, given = f"{SIGNING_NAME}:CreateSession", {f"{SIGNING_NAME}:SessionMode": mode}
    if point is None:
        authorize(ctx, bucket, action, given)
        return
    given |= {
        f"{SIGNING_NAME}:DataAccessPointArn": point.arn,
        f"{SIGNING_NAME}:DataAccessPointAccount": point.account,
        f"{SIGNING_NAME}:AccessPointNetworkOrigin": "VPC" if point.vpc else "Internet",
    }
    ctx.authorize(
        point.arn, policy=point.policy or None, tags=point.tags, action=action, context=given, account=point.account
    )
    if not access_points.bucket_allows(ctx, bucket, action, bucket.arn, given):
        raise ACCESS_DENIED()


def may_begin(ctx: Context, bucket: Bucket, mode: str, point: AccessPoint | None = None) -> bool:
    """Whether the caller may begin a session of this mode."""
    return denials.allowed(ctx, lambda: allow_session(ctx, bucket, mode, point))


def authorize(ctx: Context, bucket: Bucket, action: str, context: Mapping[str, Any]) -> None:
    """AccessDenied unless the caller's policies and the bucket's allow this action of s3express."""
    if not bucket.policy and ctx.trusted(bucket.account):
        return
    ctx.authorize(bucket.arn, policy=bucket.policy or None, action=action, context=context, account=bucket.account)
