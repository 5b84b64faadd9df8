"""Access points of directory buckets: their names, which end with their zone, their listing, and their scope.

Sources: S3 User Guide, "Access points for directory buckets naming rules, restrictions, and limitations" and "Manage
the scope of your access points for directory buckets"; S3 API Reference, PutAccessPointScope. Their actions are those
of s3express; that a scope of nothing is answered where there is none is our reading.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from cumulo.core.operation import operation
from cumulo.core.s3.access import ACCESS_POINTS, DIRECTORY_SUFFIX, AccessPoint, directory_arn
from cumulo.services.storage.s3control import accounts, pages
from cumulo.services.storage.s3control.errors import (
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NO_SUCH_ACCESS_POINT,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

SERVICE = "s3express"
LONGEST_PREFIXES_B = 256  # all of them together are shorter
_NAME = re.compile(
    r"[a-z0-9][a-z0-9-]{1,48}[a-z0-9]--([a-z0-9-]+-(?:az|lz)\d+|[a-z0-9]+-[a-z0-9-]+-\d?[a-z]+\d)--xa-s3", re.ASCII
)


def is_of_directory(name: str) -> bool:
    """Whether a name is one of these access points'."""
    return name.endswith(DIRECTORY_SUFFIX)


def zone_of(name: str) -> str:
    """The zone in a name ("use1-az4"). Raises InvalidArgument for a name against the rules."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise INVALID_ARGUMENT("Invalid Access Point name", members={"ArgumentName": "name", "ArgumentValue": name})
    return found[1]


def authorize(ctx: Context, name: str, point: AccessPoint | None) -> None:
    """AccessDenied unless the caller may do this operation of s3express with the access point."""
    ctx.authorize(
        directory_arn(ctx.region, ctx.account, name),
        policy=point.policy or None if point is not None else None,
        tags=point.tags if point is not None else None,
        action=f"{SERVICE}:{ctx.operation}",
        account=ctx.account,
    )


def found(ctx: Context, name: str) -> AccessPoint:
    """The caller's one of this name, allowed for the operation. Raises NoSuchAccessPoint."""
    point = ACCESS_POINTS.peek(ctx, name)
    authorize(ctx, name, point)
    if point is None:
        raise NO_SUCH_ACCESS_POINT(members={"AccessPointName": name})
    return point


def set_scope(point: AccessPoint, scope: Mapping[str, Any]) -> None:
    """Restrict an access point. Raises InvalidRequest for prefixes that are too long together."""
    prefixes = list(scope.get("Prefixes") or ())
    if sum([len(prefix.encode()) for prefix in prefixes]) >= LONGEST_PREFIXES_B:
        raise INVALID_REQUEST("The total length of all prefixes must be less than 256 bytes")
    point.prefixes = prefixes
    point.permissions = list(scope.get("Permissions") or ())


def _scoped(ctx: Context, request: Mapping[str, Any]) -> AccessPoint:
    accounts.check(ctx, request)
    name = request["Name"].rpartition("/")[2]
    if not is_of_directory(name):
        ctx.authorized = True
        raise METHOD_NOT_ALLOWED()
    return found(ctx, name)


@operation
def put_access_point_scope(ctx: Context, request: t.PutAccessPointScopeRequest) -> None:
    """Let through only keys that begin with these prefixes, and only these permissions; of none of either, all."""
    point = _scoped(ctx, request)
    set_scope(point, request["Scope"])
    ACCESS_POINTS.put(ctx, point)


@operation
def get_access_point_scope(ctx: Context, request: t.GetAccessPointScopeRequest) -> t.GetAccessPointScopeResult:
    """The prefixes and permissions that are let through."""
    point = _scoped(ctx, request)
    scope: dict[str, Any] = {}
    if point.prefixes:
        scope["Prefixes"] = point.prefixes
    if point.permissions:
        scope["Permissions"] = point.permissions
    return cast("t.GetAccessPointScopeResult", {"Scope": scope})


@operation
def delete_access_point_scope(ctx: Context, request: t.DeleteAccessPointScopeRequest) -> None:
    """Let everything through again."""
    point = _scoped(ctx, request)
    set_scope(point, {})
    ACCESS_POINTS.put(ctx, point)


@operation
def list_access_points_for_directory_buckets(
    ctx: Context, request: t.ListAccessPointsForDirectoryBucketsRequest
) -> t.ListAccessPointsForDirectoryBucketsResult:
    """The caller's in this region by name, of one directory bucket if it is named."""
    accounts.check(ctx, request)
    ctx.authorize("*", action=f"{SERVICE}:ListAccessPointsForDirectoryBuckets", account=ctx.account)
    limit, wanted = pages.limit_of(request), request.get("DirectoryBucket")
    points = ACCESS_POINTS.range(ctx, after=pages.begin(ctx, request))
    points = [point for point in points if point.zone and wanted in (None, point.bucket)]
    answer = pages.answer(ctx, "AccessPointList", points, limit, shown, lambda point: point.name)
    return cast("t.ListAccessPointsForDirectoryBucketsResult", answer)


def shown(point: AccessPoint) -> dict[str, Any]:
    """An access point as listings show it."""
    return {
        "Name": point.name,
        "Bucket": point.bucket,
        "AccessPointArn": point.arn,
        "Alias": point.alias,
        "BucketAccountId": point.bucket_account,
        **origin(point),
    }


def origin(point: AccessPoint) -> dict[str, Any]:
    """Where its requests come from."""
    if point.vpc:
        return {"NetworkOrigin": "VPC", "VpcConfiguration": {"VpcId": point.vpc}}
    return {"NetworkOrigin": "Internet"}
