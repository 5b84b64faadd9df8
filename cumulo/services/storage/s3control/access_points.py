"""Access points: made, shown, listed, removed.

Sources: S3 API Reference, CreateAccessPoint and its like; S3 User Guide, "Rules for naming access points"; the texts
were observed in AWS's answers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from cumulo.core.operation import operation
from cumulo.core.s3.access import (
    ACCESS_POINT_ALIASES,
    ACCESS_POINTS,
    ALIAS_SUFFIX,
    AccessPoint,
    AccessPointAlias,
    PublicAccessBlock,
)
from cumulo.core.s3.buckets import BUCKETS
from cumulo.core.table import prefix_range
from cumulo.services.storage.s3control import accounts, directory_access_points, pages, public_access_blocks, tags
from cumulo.services.storage.s3control.errors import (
    ACCESS_DENIED,
    ACCESS_POINT_EXISTS,
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    NO_SUCH_ACCESS_POINT,
    TOO_MANY_ACCESS_POINTS,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.table import Table
    from cumulo.stubs import s3control as t

MOST = 10_000  # of an account in a region. Source: S3 User Guide, "Access points restrictions and limitations"
LONGEST_ALIAS = 63
_ALL_BLOCKED = PublicAccessBlock(True, True, True, True)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,48}[a-z0-9]", re.ASCII)


def check_name(name: str) -> None:
    """Refuse an ARN's or Outposts' name, and one against the rules."""
    if not _NAME.fullmatch(name) or name.endswith((ALIAS_SUFFIX, "--xa-s3", "--ol-s3")):
        raise INVALID_ARGUMENT("Invalid Access Point name", members={"ArgumentName": "name", "ArgumentValue": name})


def check_new(ctx: Context, table: Table[Any], name: str, most: int) -> None:
    """Refuse a name that the account has in this region, and one more than it may have there."""
    if table.peek(ctx, name) is not None:
        raise ACCESS_POINT_EXISTS(members={"AccessPointName": name})
    if ctx.txn.count(*prefix_range(table.prefix(ctx.account, ctx.region))) >= most:
        raise TOO_MANY_ACCESS_POINTS()


def found(ctx: Context, name: str) -> AccessPoint:
    """The caller's access point of this name, or of this ARN, allowed for the operation."""
    name = name.rpartition("/")[2]
    if directory_access_points.is_of_directory(name):
        return directory_access_points.found(ctx, name)
    return ACCESS_POINTS.get(ctx, name)


@operation
def create_access_point(ctx: Context, request: t.CreateAccessPointRequest) -> t.CreateAccessPointResult:
    """A new access point for a bucket in this region, of this account or of another."""
    accounts.check(ctx, request)
    name = request["Name"]
    zone = _zone(ctx, name)
    if "Scope" in request and not zone:
        raise INVALID_REQUEST("A scope can be set for access points of directory buckets only")
    check_new(ctx, ACCESS_POINTS, name, MOST)
    bucket = BUCKETS.peek(ctx, request["Bucket"])
    if bucket is None or bucket.region != ctx.region or bucket.zone != zone:
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
        name if zone else new_alias(ctx, name, ALIAS_SUFFIX),
        ctx.now(),
        _ALL_BLOCKED if block is None or zone else public_access_blocks.of_request(block),
        vpc=request["VpcConfiguration"]["VpcId"] if "VpcConfiguration" in request else "",
        tags=tags.checked(request.get("Tags", [])),
        zone=zone,
    )
    directory_access_points.set_scope(point, request.get("Scope") or {})
    ACCESS_POINTS.put(ctx, point)
    ACCESS_POINT_ALIASES.put(ctx, AccessPointAlias(point.alias, point.account, point.region, name))
    return {"AccessPointArn": point.arn, "Alias": point.alias}


def _zone(ctx: Context, name: str) -> str:
    """The zone of a new access point, "" of one for general purpose buckets; the caller may make it.

    In a zone a name is there once, whoever has it; what AWS answers where somebody else does is not documented.
    """
    if not directory_access_points.is_of_directory(name):
        ctx.authorize(ACCESS_POINTS.arn(ctx, name))
        check_name(name)
        return ""
    directory_access_points.authorize(ctx, name, None)
    zone = directory_access_points.zone_of(name)
    there = ACCESS_POINT_ALIASES.peek(ctx, name)
    if there is not None and there.account != ctx.account:
        raise ACCESS_DENIED()
    return zone


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
    point = _shown(ctx, request["Name"].rpartition("/")[2])
    answer: dict[str, Any] = {
        "Name": point.name,
        "Bucket": point.bucket,
        "PublicAccessBlockConfiguration": public_access_blocks.shown(point.block),
        "CreationDate": point.created_at,
        "Alias": point.alias,
        "AccessPointArn": point.arn,
        "BucketAccountId": point.bucket_account,
        **directory_access_points.origin(point),
    }
    if not point.zone:
        answer["Endpoints"] = {
            "ipv4": f"s3-accesspoint.{point.region}.amazonaws.com",
            "fips": f"s3-accesspoint-fips.{point.region}.amazonaws.com",
            "fips_dualstack": f"s3-accesspoint-fips.dualstack.{point.region}.amazonaws.com",
            "dualstack": f"s3-accesspoint.dualstack.{point.region}.amazonaws.com",
        }
    return answer  # type: ignore[return-value]


def _shown(ctx: Context, name: str) -> AccessPoint:
    """The access point to be shown: s3:GetAccessPoint has no resource, s3express:GetAccessPoint has."""
    if directory_access_points.is_of_directory(name):
        return directory_access_points.found(ctx, name)
    ctx.authorize("*", account=ctx.account)
    point = ACCESS_POINTS.peek(ctx, name)
    if point is None:
        raise NO_SUCH_ACCESS_POINT(members={"AccessPointName": name})
    return point


@operation
def list_access_points(ctx: Context, request: t.ListAccessPointsRequest) -> t.ListAccessPointsResult:
    """The caller's access points in this region by name, of one bucket if it is named."""
    accounts.check(ctx, request)
    if request.get("DataSourceId") or request.get("DataSourceType", "S3") not in ("S3", "ALL"):
        return {"AccessPointList": []}
    limit, wanted = pages.limit_of(request), request.get("Bucket")
    points = ACCESS_POINTS.range(ctx, after=pages.begin(ctx, request))
    points = [point for point in points if not point.zone and wanted in (None, point.bucket)]
    show = directory_access_points.shown
    answer = pages.answer(ctx, "AccessPointList", points, limit, show, lambda point: point.name)
    return cast("t.ListAccessPointsResult", answer)


@operation
def delete_access_point(ctx: Context, request: t.DeleteAccessPointRequest) -> None:
    """Remove an access point and its alias."""
    accounts.check(ctx, request)
    point = found(ctx, request["Name"])
    ACCESS_POINTS.delete(ctx, point)
    alias = ACCESS_POINT_ALIASES.peek(ctx, point.alias)
    if alias is not None:
        ACCESS_POINT_ALIASES.delete(ctx, alias)
