"""Access points: made, shown, listed, removed.

Sources: S3 API Reference, CreateAccessPoint and its like; S3 User Guide, "Rules for naming access points"; the texts
were observed in AWS's answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.s3_access import (
    ACCESS_POINT_ALIASES,
    ACCESS_POINTS,
    ALIAS_SUFFIX,
    AccessPoint,
    AccessPointAlias,
    PublicAccessBlock,
)
from cumulo.core.s3_buckets import BUCKETS
from cumulo.core.table import prefix_range
from cumulo.services.storage.s3control import accounts, public_access_blocks, tags
from cumulo.services.storage.s3control.errors import (
    ACCESS_DENIED,
    ACCESS_POINT_EXISTS,
    INVALID_ARGUMENT,
    INVALID_NEXT_TOKEN,
    INVALID_REQUEST,
    TOO_MANY_ACCESS_POINTS,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

MOST_LISTED = 1000
MOST = 10_000  # of an account in a region. Source: S3 User Guide, "Access points restrictions and limitations"
LONGEST_ALIAS = 63
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,48}[a-z0-9]", re.ASCII)


def check_name(name: str) -> None:
    """Refuse an ARN's or Outposts' name, and one against the rules."""
    if not _NAME.fullmatch(name) or name.endswith((ALIAS_SUFFIX, "--xa-s3", "--ol-s3")):
        raise INVALID_ARGUMENT("Invalid Access Point name", members={"ArgumentName": "name", "ArgumentValue": name})


def found(ctx: Context, name: str) -> AccessPoint:
    """The caller's access point of this name, or of this ARN, allowed for the operation."""
    return ACCESS_POINTS.get(ctx, name.rpartition("/")[2])


@operation(unsupported=("Scope",))
def create_access_point(ctx: Context, request: t.CreateAccessPointRequest) -> t.CreateAccessPointResult:
    """A new access point for a bucket in this region, of this account or of another."""
    accounts.check(ctx, request)
    name = request["Name"]
    ctx.authorize(ACCESS_POINTS.arn(ctx, name))
    check_name(name)
    if ACCESS_POINTS.peek(ctx, name) is not None:
        raise ACCESS_POINT_EXISTS(members={"AccessPointName": name})
    if ctx.txn.count(*prefix_range(ACCESS_POINTS.prefix(ctx.account, ctx.region))) >= MOST:
        raise TOO_MANY_ACCESS_POINTS()
    bucket = BUCKETS.peek(ctx, request["Bucket"])
    if bucket is not None and bucket.zone:
        raise not_implemented("s3control", "CreateAccessPoint", "Bucket (directory buckets)")
    if bucket is None or bucket.region != ctx.region:
        raise INVALID_REQUEST("Amazon S3 AccessPoint can only be created for existing bucket")
    if bucket.account != request.get("BucketAccountId", ctx.account):
        raise ACCESS_DENIED()
    block = request.get("PublicAccessBlockConfiguration")
    point = AccessPoint(
        ctx.account,
        ctx.region,
        name,
        bucket.name,
        bucket.account,
        new_alias(ctx, name, ALIAS_SUFFIX),
        ctx.now(),
        PublicAccessBlock(True, True, True, True) if block is None else public_access_blocks.of_request(block),
        vpc=request["VpcConfiguration"]["VpcId"] if "VpcConfiguration" in request else "",
        tags=tags.checked(request.get("Tags", [])),
    )
    ACCESS_POINTS.put(ctx, point)
    ACCESS_POINT_ALIASES.put(ctx, AccessPointAlias(point.alias, point.account, point.region, name))
    return {"AccessPointArn": point.arn, "Alias": point.alias}


def new_alias(ctx: Context, name: str, suffix: str) -> str:
    """`name-34 random characters-s3alias`. Source: "Using a bucket-style alias for your access points"."""
    number = int.from_bytes(ctx.random_bytes(23), "big")
    letters = "0123456789abcdefghijklmnopqrstuvwxyz"
    middle = "".join([letters[number // 36**place % 36] for place in range(34)])
    room = LONGEST_ALIAS - len(suffix) - len(middle) - 1
    return f"{name[:room].rstrip('-')}-{middle}{suffix}"


@operation
def get_access_point(ctx: Context, request: t.GetAccessPointRequest) -> t.GetAccessPointResult:
    """What an access point is; its policy is asked for apart."""
    accounts.check(ctx, request)
    point = ACCESS_POINTS.get(ctx, request["Name"].rpartition("/")[2])
    answer: dict[str, Any] = {
        "Name": point.name,
        "Bucket": point.bucket,
        "PublicAccessBlockConfiguration": public_access_blocks.shown(point.block),
        "CreationDate": point.created_at,
        "Alias": point.alias,
        "AccessPointArn": point.arn,
        "Endpoints": {
            "ipv4": f"s3-accesspoint.{point.region}.amazonaws.com",
            "fips": f"s3-accesspoint-fips.{point.region}.amazonaws.com",
            "fips_dualstack": f"s3-accesspoint-fips.dualstack.{point.region}.amazonaws.com",
            "dualstack": f"s3-accesspoint.dualstack.{point.region}.amazonaws.com",
        },
        "BucketAccountId": point.bucket_account,
        **_origin(point),
    }
    return answer  # type: ignore[return-value]


def _origin(point: AccessPoint) -> dict[str, Any]:
    if point.vpc:
        return {"NetworkOrigin": "VPC", "VpcConfiguration": {"VpcId": point.vpc}}
    return {"NetworkOrigin": "Internet"}


@operation
def list_access_points(ctx: Context, request: t.ListAccessPointsRequest) -> t.ListAccessPointsResult:
    """The caller's access points in this region by name, of one bucket if it is named."""
    accounts.check(ctx, request)
    if request.get("DataSourceId") or request.get("DataSourceType", "S3") not in ("S3", "ALL"):
        return {"AccessPointList": []}
    limit = request.get("MaxResults", MOST_LISTED)
    if not 0 <= limit <= MOST_LISTED:
        raise INVALID_ARGUMENT("Invalid maxResults", members={"ArgumentName": "maxResults"})
    token = request.get("NextToken")
    after = paging.decode(token, INVALID_NEXT_TOKEN()) if token is not None else None
    wanted = request.get("Bucket")
    points = [point for point in ACCESS_POINTS.range(ctx, after=after) if wanted is None or point.bucket == wanted]
    answer: dict[str, Any] = {
        "AccessPointList": [
            {
                "Name": point.name,
                "Bucket": point.bucket,
                "AccessPointArn": point.arn,
                "Alias": point.alias,
                "BucketAccountId": point.bucket_account,
                **_origin(point),
            }
            for point in points[:limit]
        ]
    }
    if len(points) > limit > 0:
        answer["NextToken"] = paging.encode((points[limit - 1].name,))
    return answer  # type: ignore[return-value]


@operation
def delete_access_point(ctx: Context, request: t.DeleteAccessPointRequest) -> None:
    """Remove an access point and its alias."""
    accounts.check(ctx, request)
    point = found(ctx, request["Name"])
    ACCESS_POINTS.delete(ctx, point)
    alias = ACCESS_POINT_ALIASES.peek(ctx, point.alias)
    if alias is not None:
        ACCESS_POINT_ALIASES.delete(ctx, alias)
