"""Requests through access points: which bucket they are for, and that the access point and the bucket both let in.

Source: S3 User Guide, "Configuring IAM policies for using access points" ("for the request to be allowed, both the
access point and the underlying bucket must permit it"), "Access points restrictions and limitations", "Access point
compatibility with S3 operations".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from cumulo.core.callers.authorization import environment_of
from cumulo.core.errors import Fault
from cumulo.core.policy.authorization import authorize
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.s3 import public_policies
from cumulo.core.s3.access import ACCOUNT_ACCESS, AccessPoint, access_point
from cumulo.core.s3.buckets import BUCKETS, Bucket
from cumulo.core.s3.multi_region import MultiRegionAccessPoint, multi_region_access_point, route_of
from cumulo.core.s3.object_lambda import ObjectLambdaAccessPoint, object_lambda_access_point
from cumulo.services.storage.s3.errors import ACCESS_DENIED, METHOD_NOT_ALLOWED, NOT_ASYMMETRIC
from cumulo.services.storage.s3.object_lambdas import lenses

if TYPE_CHECKING:
    from cumulo.core.context import Context

# What can be done to a bucket through an access point; of objects everything can.
_OF_BUCKETS = frozenset(
    (
        "GetBucketAcl", "GetBucketCors", "GetBucketLocation", "GetBucketNotificationConfiguration", "GetBucketPolicy",
        "HeadBucket", "ListMultipartUploads", "ListObjects", "ListObjectsV2", "ListObjectVersions", "DeleteObjects",
    )
)  # fmt: skip

_OF_DIRECTORY_BUCKETS = frozenset(
    ("CreateSession", "DeleteObjects", "HeadBucket", "ListMultipartUploads", "ListObjectsV2")
)

# What multi-region access points take. Source: S3 User Guide, "Using Multi-Region Access Points with supported API
# operations".
_IN_REGIONS = frozenset(
    (
        "AbortMultipartUpload", "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "DeleteObject",
        "DeleteObjectTagging", "GetObject", "GetObjectAcl", "GetObjectLegalHold", "GetObjectRetention",
        "GetObjectTagging", "HeadObject", "ListMultipartUploads", "ListObjectsV2", "ListParts", "PutObject",
        "PutObjectAcl", "PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging", "RestoreObject", "UploadPart",
    )
)  # fmt: skip


class Way(NamedTuple):
    """The access point that a request names; `lens` is the Object Lambda access point before it, if it names one."""

    point: AccessPoint | MultiRegionAccessPoint
    lens: ObjectLambdaAccessPoint | None = None


def bucket_of(ctx: Context, named: str, *, source: bool = False) -> Bucket | None:
    """The bucket behind an access point's ARN, alias or host name; None where that is none.

    A request through a multi-region access point is one in the region of the bucket that it goes to from there on;
    it cannot be the `source` of a copy.
    """
    across = multi_region_access_point(ctx, named)
    if across is not None:
        if source or ctx.operation not in _IN_REGIONS:
            ctx.authorized = True
            raise METHOD_NOT_ALLOWED(members={"ResourceType": "MULTI_REGION_ACCESS_POINT"})
        if ctx.claim is not None and not ctx.claim.region_set and not ctx.internal:
            ctx.authorized = True
            raise NOT_ASYMMETRIC()
        bucket = BUCKETS.peek(ctx, route_of(ctx, across).bucket)
        if bucket is not None and (ctx.claim is None or ctx.internal or ctx.claim.holds_in(bucket.region)):
            ctx.region = bucket.region
        return bucket
    lens = object_lambda_access_point(ctx, named)
    point = access_point(ctx, named) if lens is None else lenses.enter(ctx, lens, named, source=source)
    if point is None:
        return None
    handler = ctx.handler
    shape = handler.model.input if handler is not None else None
    of_buckets = _OF_DIRECTORY_BUCKETS if point.zone else _OF_BUCKETS
    if ctx.operation not in of_buckets and (shape is None or "Key" not in shape.members):
        ctx.authorized = True
        raise METHOD_NOT_ALLOWED(members={"ResourceType": "ACCESSPOINT"})
    return BUCKETS.peek(ctx, point.bucket)


def of_request(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> Way | None:
    """The access point that the request names; None where it names the bucket."""
    named = request.get("Bucket", bucket.name)
    if named == bucket.name:
        return None
    across = multi_region_access_point(ctx, named)
    if across is not None:
        return Way(across) if any(route.bucket == bucket.name for route in across.routes) else None
    lens = object_lambda_access_point(ctx, named)
    point = access_point(ctx, named) if lens is None else lenses.supporting(ctx, lens)
    return Way(point, lens) if point is not None and point.bucket == bucket.name else None


def allow(
    ctx: Context,
    bucket: Bucket,
    way: Way,
    action: str,
    key: str,
    conditions: Mapping[str, Any],
) -> None:
    """AccessDenied unless the access point lets the caller do this, and the bucket lets the access point."""
    if way.lens is None:
        _allow(ctx, bucket, way.point, action, key, conditions)
        return
    lenses.allow(ctx, way.lens, action)
    before = ctx.called_via
    ctx.called_via = (*before, lenses.CALLED_VIA)
    try:
        _allow(ctx, bucket, way.point, action, key, conditions)
    finally:
        ctx.called_via = before


def _allow(
    ctx: Context,
    bucket: Bucket,
    point: AccessPoint | MultiRegionAccessPoint,
    action: str,
    key: str,
    conditions: Mapping[str, Any],
) -> None:
    given = {
        **conditions,
        "s3:DataAccessPointArn": point.arn,
        "s3:DataAccessPointAccount": point.account,
        "s3:AccessPointNetworkOrigin": "VPC" if point.vpc else "Internet",
        **{f"s3:AccessPointTag/{name}": value for name, value in point.tags.items()},
    }
    if point.vpc and not environment_of(ctx).source_vpc_endpoint:
        ctx.authorized = True
        raise ACCESS_DENIED()
    arn = f"{point.arn}/object/{key}" if key else point.arn
    policy = point.policy
    if policy and ctx.principal.account != point.account and _restricted(ctx, point):
        policy = ""
    try:
        ctx.authorize(arn, policy=policy or None, tags=point.tags, action=action, context=given, account=point.account)
    except Fault as fault:
        if fault.code != "AccessDenied" or ctx.principal.account == point.account:
            raise
        raise ACCESS_DENIED() from None
    if not ctx.internal and not bucket_allows(ctx, bucket, action, f"{bucket.arn}/{key}" if key else bucket.arn, given):
        raise ACCESS_DENIED()


def _restricted(ctx: Context, point: AccessPoint | MultiRegionAccessPoint) -> bool:
    """Whether the policy is public, and the public are to be kept out."""
    account = ACCOUNT_ACCESS.peek(ctx, point.account)
    restricted = point.block.restrict_buckets or (account is not None and account.block.restrict_buckets)
    return restricted and public_policies.is_public(point.policy)


def bucket_allows(ctx: Context, bucket: Bucket, action: str, arn: str, given: Mapping[str, Any]) -> bool:
    """The bucket's own say: callers of its account it lets in unless it denies, others it must let in.

    The caller's own policies were asked for the access point; here only the bucket's policy counts, as for those who
    have none.
    """
    principal = ctx.principal
    own = principal.account == bucket.account
    if not bucket.policy:
        return own
    known = principal.kind is not PrincipalKind.ANONYMOUS
    return authorize(
        replace(principal, kind=PrincipalKind.WEB_IDENTITY) if known else principal,
        action,
        arn,
        environment=environment_of(ctx),
        resource_policy=bucket.policy,
        resource_account=bucket.account,
        resource_tags=bucket.tags if bucket.abac else None,
        given=given,
        granted=own,
    ).allowed
