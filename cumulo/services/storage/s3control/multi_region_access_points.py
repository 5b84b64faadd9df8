"""Multi-region access points: made and removed in time, shown, listed, their routes and policies.

AWS answers in us-west-2 alone, or for routes in five regions; here every region does.
Source: S3 API Reference, CreateMultiRegionAccessPoint and its like; S3 User Guide, "Managing multi-Region traffic with
Multi-Region Access Points".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.core.s3 import public_policies
from cumulo.core.s3.multi_region import (
    ALIAS_SUFFIX,
    MULTI_REGION_ACCESS_POINTS,
    NO_SUCH_MULTI_REGION_ACCESS_POINT,
    MultiRegionAccessPoint,
)
from cumulo.services.storage.s3control import accounts, multi_region_requests, pages, public_access_blocks
from cumulo.services.storage.s3control.errors import INVALID_NEXT_TOKEN, INVALID_REQUEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

ACTIVE, PASSIVE = 100, 0
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def _of_name(ctx: Context, name: str) -> MultiRegionAccessPoint:
    """The caller's, found and authorized for the operation."""
    point = multi_region_requests.by_name(ctx, name)
    return MULTI_REGION_ACCESS_POINTS.get(ctx, point.alias if point is not None else "*")


def _of_arn(ctx: Context, arn: str) -> MultiRegionAccessPoint:
    """The same by its ARN. InvalidRequest for what is none ("failover controls errors": 400)."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2:4] != ["s3", ""] or not parts[5].startswith("accesspoint/"):
        ctx.authorized = True
        raise INVALID_REQUEST("Invalid Multi-Region Access Point ARN")
    point = MULTI_REGION_ACCESS_POINTS.get(ctx, parts[5].removeprefix("accesspoint/"))
    if point.account != ctx.account or parts[4] != ctx.account:
        raise NO_SUCH_MULTI_REGION_ACCESS_POINT()
    return point


@operation
def create_multi_region_access_point(
    ctx: Context, request: t.CreateMultiRegionAccessPointRequest
) -> t.CreateMultiRegionAccessPointResult:
    """Ask for a multi-region access point; the answer is the token of the request."""
    accounts.check(ctx, request)
    _check_manager(ctx)
    number = int.from_bytes(ctx.random_bytes(12), "big")
    alias = "m" + "".join([_LETTERS[number // 36**place % 36] for place in range(12)]) + ALIAS_SUFFIX
    ctx.authorize(MULTI_REGION_ACCESS_POINTS.arn(ctx, alias))
    return {"RequestTokenARN": multi_region_requests.submit(ctx, "create", request, alias)}


@operation
def delete_multi_region_access_point(
    ctx: Context, request: t.DeleteMultiRegionAccessPointRequest
) -> t.DeleteMultiRegionAccessPointResult:
    """Ask for one to be removed; its buckets stay."""
    accounts.check(ctx, request)
    _check_manager(ctx)
    alias = _authorized(ctx, request["Details"]["Name"])
    return {"RequestTokenARN": multi_region_requests.submit(ctx, "delete", request, alias)}


@operation
def put_multi_region_access_point_policy(
    ctx: Context, request: t.PutMultiRegionAccessPointPolicyRequest
) -> t.PutMultiRegionAccessPointPolicyResult:
    """Ask for its policy to be replaced."""
    accounts.check(ctx, request)
    _check_manager(ctx)
    alias = _authorized(ctx, request["Details"]["Name"])
    return {"RequestTokenARN": multi_region_requests.submit(ctx, "put-policy", request, alias)}


def _check_manager(ctx: Context) -> None:
    """Managers need s3:ListAllMyBuckets too. Source: S3 User Guide, "Managing Multi-Region Access Points"."""
    ctx.authorize("*", action="s3:ListAllMyBuckets")


def _authorized(ctx: Context, name: str) -> str:
    """The alias, after the question of rights; that there is none of this name is told later."""
    point = multi_region_requests.by_name(ctx, name)
    alias = point.alias if point is not None else "*"
    policy = point.policy or None if point is not None else None
    ctx.authorize(MULTI_REGION_ACCESS_POINTS.arn(ctx, alias), policy=policy)
    return alias


def _shown(point: MultiRegionAccessPoint) -> dict[str, Any]:
    return {
        "Name": point.name,
        "Alias": point.alias,
        "CreatedAt": point.created_at,
        "PublicAccessBlock": public_access_blocks.shown(point.block),
        "Status": "READY",  # one that is being made is not there yet
        "Regions": [
            {"Bucket": route.bucket, "Region": route.region, "BucketAccountId": route.bucket_account}
            for route in point.routes
        ],
    }


@operation
def get_multi_region_access_point(
    ctx: Context, request: t.GetMultiRegionAccessPointRequest
) -> t.GetMultiRegionAccessPointResult:
    """What one is, by its name."""
    accounts.check(ctx, request)
    return cast("t.GetMultiRegionAccessPointResult", {"AccessPoint": _shown(_of_name(ctx, request["Name"]))})


@operation
def list_multi_region_access_points(
    ctx: Context, request: t.ListMultiRegionAccessPointsRequest
) -> t.ListMultiRegionAccessPointsResult:
    """All of the account's, by name; in pages where that is asked for."""
    accounts.check(ctx, request)
    token, limit = request.get("NextToken"), pages.limit_of(request) or None
    after = str(paging.decode(ctx, token, INVALID_NEXT_TOKEN())[0]) if token is not None else ""
    points = MULTI_REGION_ACCESS_POINTS.range(ctx, ctx.account, index="by_name")
    points = [point for point in points if point.name > after]
    answer: dict[str, Any] = {"AccessPoints": [_shown(point) for point in points[:limit]]}
    if limit is not None and len(points) > limit:
        answer["NextToken"] = paging.encode(ctx, (points[limit - 1].name,))
    return cast("t.ListMultiRegionAccessPointsResult", answer)


@operation
def get_multi_region_access_point_policy(
    ctx: Context, request: t.GetMultiRegionAccessPointPolicyRequest
) -> t.GetMultiRegionAccessPointPolicyResult:
    """Its policy, and the one that was asked for last."""
    accounts.check(ctx, request)
    point = _of_name(ctx, request["Name"])
    policy: dict[str, Any] = {}
    if point.policy:
        policy = {"Established": {"Policy": point.policy}, "Proposed": {"Policy": point.policy}}
    return cast("t.GetMultiRegionAccessPointPolicyResult", {"Policy": policy})


@operation
def get_multi_region_access_point_policy_status(
    ctx: Context, request: t.GetMultiRegionAccessPointPolicyStatusRequest
) -> t.GetMultiRegionAccessPointPolicyStatusResult:
    """Whether the policy lets in callers whom nobody chose."""
    accounts.check(ctx, request)
    point = _of_name(ctx, request["Name"])
    public = bool(point.policy) and public_policies.is_public(point.policy)
    return {"Established": {"IsPublic": public}}


@operation
def get_multi_region_access_point_routes(
    ctx: Context, request: t.GetMultiRegionAccessPointRoutesRequest
) -> t.GetMultiRegionAccessPointRoutesResult:
    """Which of its buckets take requests."""
    accounts.check(ctx, request)
    point = _of_arn(ctx, request["Mrap"])
    routes = [
        {
            "Bucket": route.bucket,
            "Region": route.region,
            "TrafficDialPercentage": ACTIVE if route.active else PASSIVE,
        }
        for route in point.routes
    ]
    return cast("t.GetMultiRegionAccessPointRoutesResult", {"Mrap": point.arn, "Routes": routes})


@operation
def submit_multi_region_access_point_routes(ctx: Context, request: t.SubmitMultiRegionAccessPointRoutesRequest) -> None:
    """Let buckets take requests, or none. Raises InvalidRequest when none would be left that does."""
    accounts.check(ctx, request)
    point = _of_arn(ctx, request["Mrap"])
    for update in request["RouteUpdates"]:
        bucket, region, dial = update.get("Bucket"), update.get("Region"), update["TrafficDialPercentage"]
        if bucket is None and region is None:
            raise INVALID_REQUEST("Either the Bucket or the Region value must be provided.")
        if dial not in (ACTIVE, PASSIVE):
            raise INVALID_REQUEST("TrafficDialPercentage must be 0 or 100.")
        routes = [route for route in point.routes if bucket in (None, route.bucket) and region in (None, route.region)]
        if not routes:
            raise INVALID_REQUEST("The bucket and Region must belong to the Multi-Region Access Point.")
        routes[0].active = dial == ACTIVE
    if not any(route.active for route in point.routes):
        raise INVALID_REQUEST("At least one Region must be active.")
    MULTI_REGION_ACCESS_POINTS.put(ctx, point)
