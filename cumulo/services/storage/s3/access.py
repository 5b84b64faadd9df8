"""Rights: the bucket of a request, and whether the caller may do with it, or with an object in it, what it asks.

Everything else in this package asks here and nowhere else:

    bucket = access.bucket_for(ctx, request)   # found, and the operation's bucket action allowed on it
    bucket = access.object_for(ctx, request)   # found, and the action allowed on arn:aws:s3:::bucket/key, where no
                                               # object that is there has a say (PutObject, DeleteObject)
    bucket = access.located(ctx, request)      # for reading: found only; then, with the version that was found,
    access.allow_object(ctx, bucket, request, version)
    raise access.no_such_key(ctx, bucket, request)   # NoSuchKey to those who may list, AccessDenied to others

A request's "Bucket" is a name, or the ARN or alias of an access point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.storage.s3.buckets import BUCKETS, Bucket
from cumulo.services.storage.s3.errors import (
    ACCESS_DENIED,
    INVALID_EXPECTED_OWNER,
    NO_SUCH_BUCKET,
    NO_SUCH_KEY,
    PERMANENT_REDIRECT,
    WRONG_REGION,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)


def located(ctx: Context, request: Mapping[str, Any]) -> Bucket:
    """The bucket of a request, in the region and of the account that the request expects; nothing is allowed yet.

    Raises NoSuchBucket, what AWS answers to a request in the wrong region, and AccessDenied where
    ExpectedBucketOwner is not the owner.
    """
    name = request["Bucket"]
    bucket = BUCKETS.peek(ctx, name)
    expected = request.get("ExpectedBucketOwner")
    if expected is not None and not _ACCOUNT.fullmatch(expected):
        raise INVALID_EXPECTED_OWNER(value=expected)
    if bucket is None:
        ctx.authorized = True
        raise NO_SUCH_BUCKET(members={"BucketName": name})
    if bucket.region != ctx.region:
        _check_region(ctx, bucket)
    if expected is not None and expected != bucket.account:
        raise ACCESS_DENIED()
    return bucket


def bucket_for(
    ctx: Context, request: Mapping[str, Any], *, action: str = "", context: Mapping[str, Any] | None = None
) -> Bucket:
    """The bucket of a request, found and allowed; `action` ("s3:ListBucket") where it is not the operation's own."""
    bucket = located(ctx, request)
    allow_bucket(ctx, bucket, request, action=action, context=context)
    return bucket


def object_for(
    ctx: Context,
    request: Mapping[str, Any],
    *,
    action: str = "",
    version: Any = None,
    context: Mapping[str, Any] | None = None,
) -> Bucket:
    """The bucket of a request, found, and the action allowed on the object of its "Key"."""
    bucket = located(ctx, request)
    allow_object(ctx, bucket, request, version, action=action, context=context)
    return bucket


def allow_bucket(
    ctx: Context,
    bucket: Bucket,
    request: Mapping[str, Any],
    *,
    action: str = "",
    context: Mapping[str, Any] | None = None,
) -> None:
    """AccessDenied unless the caller may do this with the bucket."""
    if not bucket.policy and ctx.trusted(bucket.account):
        return
    _authorize(ctx, bucket, bucket.arn, action, context)


def allow_object(
    ctx: Context,
    bucket: Bucket,
    request: Mapping[str, Any],
    version: Any = None,
    *,
    action: str = "",
    key: str = "",
    context: Mapping[str, Any] | None = None,
) -> None:
    """AccessDenied unless the caller may do this with the object of the request's "Key" (or of `key`).

    `version` is the object that is there already, where its ACL and its tags have a say; None where there is none.
    """
    if not bucket.policy and ctx.trusted(bucket.account) and (version is None or version.owner == bucket.account):
        return
    _authorize(ctx, bucket, f"{bucket.arn}/{key or request['Key']}", action, context)


def owner_of_new(ctx: Context, bucket: Bucket) -> str:
    """The account that will own what the caller writes; "" is nobody (an anonymous caller)."""
    if bucket.ownership == "BucketOwnerEnforced" or ctx.internal:
        return bucket.account
    return ctx.principal.account


def no_such_key(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> Fault:
    """The fault of a key that is not there: AccessDenied to those who may not list the bucket.

    Source: S3 API Reference, GetObject, "Permissions".
    """
    allow_bucket(ctx, bucket, request, action="s3:ListBucket")
    return NO_SUCH_KEY(members={"Key": request["Key"]})


def _check_region(ctx: Context, bucket: Bucket) -> None:
    """The redirects of a request that was signed for another region than the bucket's."""
    principal = ctx.principal
    if ctx.internal or principal.kind in (PrincipalKind.ANONYMOUS, PrincipalKind.SERVICE):
        return  # an unsigned request names no region
    ctx.authorized = True
    authorization = ctx.headers.get("authorization") if ctx.headers is not None else ""
    if not authorization.startswith("AWS4-HMAC"):
        return
    if bucket.name in ctx.endpoint:
        raise WRONG_REGION(
            region=ctx.region, expected=bucket.region, members={"Region": bucket.region, "BucketRegion": bucket.region}
        )
    members = {"Endpoint": f"{bucket.name}.s3.{bucket.region}.amazonaws.com", "Bucket": bucket.name}
    raise PERMANENT_REDIRECT(members={**members, "BucketRegion": bucket.region})


def _authorize(ctx: Context, bucket: Bucket, arn: str, action: str, context: Mapping[str, Any] | None) -> None:
    try:
        ctx.authorize(arn, policy=bucket.policy or None, action=action or None, context=context, account=bucket.account)
    except Fault as fault:
        raise _worded(ctx, bucket, arn, fault) from None


def _worded(ctx: Context, bucket: Bucket, arn: str, fault: Fault) -> Fault:
    """S3 says why only to callers of the bucket's own account, and sets the ARN in quotes.

    Source: S3 User Guide, "Troubleshoot access denied (403 Forbidden) errors", "Access denied message examples".
    """
    if fault.code != "AccessDenied":
        return fault
    if ctx.principal.account != bucket.account:
        return ACCESS_DENIED()
    return ACCESS_DENIED(fault.message.replace(f"on resource: {arn}", f'on resource: "{arn}"'))
