"""Which buckets there are, and where: ListBuckets, HeadBucket, GetBucketLocation.

Source: S3 API Reference, ListBuckets; the text of a wrong region was observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.core.s3.access import canonical_user_id
from cumulo.core.s3.buckets import BUCKETS, Bucket
from cumulo.services.storage.s3.buckets.regions import is_region
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

MOST = 10_000


@operation
def list_buckets(ctx: Context, request: t.ListBucketsRequest) -> t.ListBucketsOutput:
    """The caller's buckets by name, of all regions unless one is named."""
    region, prefix = request.get("BucketRegion"), request.get("Prefix", "")
    if region is not None and not is_region(region):
        raise INVALID_ARGUMENT(
            f"Argument value {region} is not a valid AWS Region", members={"ArgumentName": "bucket-region"}
        )
    limit = request.get("MaxBuckets", MOST)
    if not 1 <= limit <= MOST:
        raise INVALID_ARGUMENT(
            "Argument max-buckets must be an integer between 1 and 10000",
            members={"ArgumentName": "max-buckets", "ArgumentValue": str(limit)},
        )
    token = request.get("ContinuationToken")
    after: tuple[Any, ...] | None = None
    if token is not None:
        wrong = INVALID_ARGUMENT("The continuation token provided is incorrect")
        after = (ctx.account, *paging.decode(ctx, token, wrong))
    page, more = _page(ctx, prefix, region, after, limit)
    answer: t.ListBucketsOutput = {
        "Buckets": [
            {
                "Name": bucket.name,
                "CreationDate": bucket.created_at,
                "BucketRegion": bucket.region,
                "BucketArn": bucket.arn,
            }
            for bucket in page
        ],
        "Owner": {"ID": canonical_user_id(ctx.account)},
    }
    if more:
        answer["ContinuationToken"] = paging.encode(ctx, (page[-1].name,))
    if "Prefix" in request:
        answer["Prefix"] = prefix
    return answer


def _page(
    ctx: Context, prefix: str, region: str | None, after: tuple[Any, ...] | None, limit: int
) -> tuple[list[Bucket], bool]:
    found: list[Bucket] = []
    start, end = ((prefix,), (prefix + "\U0010ffff",)) if prefix else (None, None)
    while True:
        chunk = BUCKETS.range(ctx, ctx.account, index="by_account", start=start, end=end, after=after, limit=limit + 1)
        for bucket in chunk:
            if not bucket.zone and (region is None or bucket.region == region):
                if len(found) == limit:
                    return found, True
                found.append(bucket)
        if len(chunk) <= limit:
            return found, False
        after = (ctx.account, chunk[-1].name)


@operation
def head_bucket(ctx: Context, request: t.HeadBucketRequest) -> t.HeadBucketOutput:
    """Whether the bucket is there, and the caller may list it."""
    bucket = access.bucket_for(ctx, request)
    through = request["Bucket"] != bucket.name
    if bucket.zone:
        return {
            "BucketArn": bucket.arn,
            "BucketLocationType": "LocalZone" if bucket.local_zone else "AvailabilityZone",
            "BucketLocationName": bucket.zone,
            "BucketRegion": bucket.region,
            "AccessPointAlias": through,
        }
    return {"BucketArn": bucket.arn, "BucketRegion": bucket.region, "AccessPointAlias": through}


@operation
def get_bucket_location(ctx: Context, request: t.GetBucketLocationRequest) -> t.GetBucketLocationOutput:
    """The location constraint that the bucket was created with; empty in us-east-1."""
    bucket = access.bucket_for(ctx, request)
    return {"LocationConstraint": bucket.location}
