"""Buckets come and go: CreateBucket and DeleteBucket.

Sources: S3 API Reference, CreateBucket and DeleteBucket; the texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.s3.access import PublicAccessBlock, has_access_points
from cumulo.core.s3.buckets import BUCKET_OWNER_ENFORCED, BUCKETS, ENABLED, Bucket, count, keep
from cumulo.services.storage.s3.buckets import bucket_names, bucket_tags, directory_lifetimes
from cumulo.services.storage.s3.buckets.regions import is_region
from cumulo.services.storage.s3.errors import (
    BUCKET_ACL_WITH_OWNERSHIP,
    BUCKET_ACL_WITH_PUBLIC_ACCESS_BLOCK,
    BUCKET_ALREADY_EXISTS,
    BUCKET_ALREADY_OWNED_BY_YOU,
    BUCKET_HAS_ACCESS_POINTS,
    BUCKET_NOT_EMPTY,
    ILLEGAL_LOCATION_CONSTRAINT,
    INVALID_ARGUMENT,
    INVALID_BUCKET_NAME,
    INVALID_LOCATION_CONSTRAINT,
    TOO_MANY_BUCKETS,
    WRONG_REGION,
)
from cumulo.services.storage.s3.rights import access, acls
from cumulo.services.storage.s3.stored import configurations, open_uploads, renamings
from cumulo.services.storage.s3.stored.object_versions import CURRENT, NONCURRENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

DEFAULT_REGION = "us-east-1"
MOST_BUCKETS = 10_000  # Source: S3 User Guide, "Bucket restrictions and limitations": the default quota of an account
REGIONAL = "account-regional"
_OLD_NAMES = {"EU": "eu-west-1"}
_OWNERSHIPS = frozenset((BUCKET_OWNER_ENFORCED, "BucketOwnerPreferred", "ObjectWriter"))


@operation
def create_bucket(ctx: Context, request: t.CreateBucketRequest) -> t.CreateBucketOutput:
    """A new bucket in the caller's account and region, or, from us-east-1, in the region that is named."""
    if directory_lifetimes.is_wanted(request):
        return directory_lifetimes.create(ctx, request)  # type: ignore[return-value]
    name = request["Bucket"]
    configuration: Mapping[str, Any] = request.get("CreateBucketConfiguration", {})
    constraint = configuration.get("LocationConstraint") or ""
    elsewhere = _elsewhere(ctx, constraint)
    new = Bucket(name, ctx.account, elsewhere or ctx.region, ctx.now(), location=constraint)
    access.allow_new_bucket(ctx, new, request)
    _check_name(ctx, request)
    if not elsewhere:
        _check_location(ctx, constraint)
    _fill(new, request)
    there = BUCKETS.peek(ctx, name)
    if there is not None:
        return _again(ctx, there, new)
    if count(ctx, ctx.account, MOST_BUCKETS) >= MOST_BUCKETS:
        raise TOO_MANY_BUCKETS()
    keep(ctx, new)
    location = f"http://{name}.s3.amazonaws.com/" if constraint else f"/{name}"
    return {"Location": location, "BucketArn": new.arn}


def _elsewhere(ctx: Context, constraint: str) -> str:
    """The other region that a request to us-east-1, the global endpoint too, makes a bucket in; "" for none.

    Source: API Reference, CreateBucket: there "the signature calculations in Signature Version 4 must use us-east-1 as
    the Region, even if the location constraint in the request specifies another Region where the bucket is to be
    created".
    """
    region = _OLD_NAMES.get(constraint, constraint)
    foreign = region.startswith(("cn-", "us-gov-")) or region == DEFAULT_REGION
    return region if ctx.region == DEFAULT_REGION and is_region(region) and not foreign else ""


def _check_name(ctx: Context, request: Mapping[str, Any]) -> None:
    name, namespace = request["Bucket"], request.get("BucketNamespace", "global")
    if namespace not in ("global", REGIONAL):
        members = {"ArgumentName": "x-amz-bucket-namespace", "ArgumentValue": namespace}
        raise INVALID_ARGUMENT("Invalid x-amz-bucket-namespace header", members=members)
    regional = bucket_names.is_regional(name)
    own = name.endswith(bucket_names.regional_suffix(ctx.account, ctx.region))
    if not bucket_names.is_valid(name) or (namespace == REGIONAL and not own) or (namespace != REGIONAL and regional):
        raise INVALID_BUCKET_NAME(members={"BucketName": name})


def _check_location(ctx: Context, constraint: str) -> None:
    """The region of the endpoint and the constraint must be one. Observed in AWS's answers."""
    if not is_region(ctx.region):
        members = {"Region": DEFAULT_REGION, "BucketRegion": DEFAULT_REGION}
        raise WRONG_REGION(region=ctx.region, expected=DEFAULT_REGION, members=members)
    if _OLD_NAMES.get(constraint, constraint or DEFAULT_REGION) == ctx.region and constraint != DEFAULT_REGION:
        return
    if ctx.region != DEFAULT_REGION or not constraint:
        raise ILLEGAL_LOCATION_CONSTRAINT(constraint=constraint or "unspecified")
    raise INVALID_LOCATION_CONSTRAINT(members={"LocationConstraint": constraint})


def _fill(bucket: Bucket, request: Mapping[str, Any]) -> None:
    """What the request says of ownership, rights, object lock and tags."""
    ownership = request.get("ObjectOwnership")
    if ownership is not None:
        if ownership not in _OWNERSHIPS:
            raise INVALID_ARGUMENT(
                f"Invalid x-amz-object-ownership header: {ownership}",
                members={"ArgumentName": "x-amz-object-ownership"},
            )
        bucket.ownership = ownership
    grants = acls.of_head(request, owner=bucket.account, bucket_owner=bucket.account, of_object=False)
    if not acls.only_bucket_owner(grants, bucket):
        if bucket.ownership == BUCKET_OWNER_ENFORCED:
            raise BUCKET_ACL_WITH_OWNERSHIP()
        if acls.is_public(grants):
            raise BUCKET_ACL_WITH_PUBLIC_ACCESS_BLOCK()  # every new bucket has all four settings
        bucket.acl = grants
    bucket.public_access_block = PublicAccessBlock(True, True, True, True)
    if request.get("ObjectLockEnabledForBucket"):
        bucket.object_lock, bucket.versioning = True, ENABLED
    configuration = request.get("CreateBucketConfiguration") or {}
    bucket.tags = bucket_tags.checked(configuration.get("Tags") or (), new_bucket=True)
    bucket.namespace = REGIONAL if request.get("BucketNamespace") == REGIONAL else ""


def _again(ctx: Context, there: Bucket, new: Bucket) -> t.CreateBucketOutput:
    """The name is taken. In us-east-1 the owner may ask again: then only the ACL is another.

    Source: S3 API Reference, CreateBucket, BucketAlreadyOwnedByYou: "For legacy compatibility, if you re-create an
    existing bucket that you already own in us-east-1, Amazon S3 returns 200 OK and resets the bucket access control
    lists (ACLs)".
    """
    if there.account != ctx.account:
        raise BUCKET_ALREADY_EXISTS(members={"BucketName": there.name})
    if ctx.region != DEFAULT_REGION or there.region != DEFAULT_REGION:
        raise BUCKET_ALREADY_OWNED_BY_YOU(members={"BucketName": there.name})
    if there.acl != new.acl:
        there.acl = new.acl
        keep(ctx, there)
    return {"Location": f"/{there.name}", "BucketArn": there.arn}


@operation
def delete_bucket(ctx: Context, request: t.DeleteBucketRequest) -> None:
    """Remove a bucket that has no objects, versions or delete markers; all that is configured for it goes with it."""
    bucket = access.bucket_for(ctx, request)
    if CURRENT.range(ctx, bucket.name, limit=1) or NONCURRENT.range(ctx, bucket.name, limit=1):
        raise BUCKET_NOT_EMPTY(
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
            if bucket.versioning
            else None,
            members={"BucketName": bucket.name},
        )
    if has_access_points(ctx, bucket.name):
        raise BUCKET_HAS_ACCESS_POINTS(members={"BucketName": bucket.name})
    configurations.remove_all(ctx, bucket)
    open_uploads.drop_all(ctx, bucket.name)
    if bucket.zone:
        renamings.drop_all(ctx, bucket.name)
    BUCKETS.delete(ctx, bucket)
