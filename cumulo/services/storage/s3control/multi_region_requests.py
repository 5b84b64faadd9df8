"""The asynchronous requests that make, change and delete multi-region access points, and what becomes of them.

A request is authorized at once; all else is found out later and told by DescribeMultiRegionAccessPointOperation.
Source: S3 User Guide, "Using Multi-Region Access Points with supported API operations"; S3 API Reference, "List of
Amazon S3 asynchronous error codes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import operation, task
from cumulo.core.s3 import policy_checks, public_policies
from cumulo.core.s3.access import ACCOUNT_ACCESS, PublicAccessBlock
from cumulo.core.s3.buckets import BUCKETS, NO_SUCH_BUCKET
from cumulo.core.s3.multi_region import (
    MULTI_REGION_ACCESS_POINTS,
    NO_SUCH_MULTI_REGION_ACCESS_POINT,
    MultiRegionAccessPoint,
    RegionalRoute,
)
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.storage.s3control import accounts, public_access_blocks
from cumulo.services.storage.s3control.errors import (
    ACCESS_DENIED,
    INVALID_REQUEST,
    MULTI_REGION_ACCESS_POINT_EXISTS,
    NO_SUCH_ASYNC_REQUEST,
    SAME_BUCKET_REGION,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

IN_PROGRESS, SUCCEEDED, FAILED = "INPROGRESS", "SUCCEEDED", "FAILED"
MOST_BUCKETS = 17  # Source: "Multi-Region Access Point restrictions and limitations"
_PARAMETERS = {
    "create": "CreateMultiRegionAccessPoint",
    "delete": "DeleteMultiRegionAccessPoint",
    "put-policy": "PutMultiRegionAccessPointPolicy",
}


class AsyncRequest(Record):
    """A request and its fate. `details` are the request's, as msgpack; `regions` those of its access point."""

    operation: str
    token: str
    client_token: str
    created_at: float
    details: bytes
    alias: str
    request_id: str
    status: str = IN_PROGRESS
    code: str = ""
    message: str = ""
    regions: list[str] = []

    @property
    def said(self) -> dict[str, Any]:
        """The details of the request that made it."""
        return cast("dict[str, Any]", msgspec.msgpack.decode(self.details))


ASYNC_REQUESTS = Table(
    AsyncRequest,
    name="s3control.multi_region_requests",
    key=("operation", "token"),
    scope=ACCOUNT,
    arn="arn:{partition}:s3:us-west-2:{account}:async-request/mrap/{operation}/{token}",
    missing=NO_SUCH_ASYNC_REQUEST,
    indexes={"by_client_token": ("operation", "client_token")},
)


def by_name(ctx: Context, name: str) -> MultiRegionAccessPoint | None:
    """The caller's multi-region access point of this name."""
    found = MULTI_REGION_ACCESS_POINTS.range(ctx, ctx.account, name, index="by_name", limit=1)
    return found[0] if found else None


def submit(ctx: Context, operation: str, request: Mapping[str, Any], alias: str) -> str:
    """Note a request, to be carried out; its token's ARN. The same client token again is the same request."""
    known = ASYNC_REQUESTS.range(ctx, operation, request["ClientToken"], index="by_client_token", limit=1)
    if known:
        return ASYNC_REQUESTS.arn(ctx, operation, known[0].token)
    asked = AsyncRequest(
        operation,
        ctx.random_bytes(16).hex(),
        request["ClientToken"],
        ctx.now(),
        msgspec.msgpack.encode(request["Details"]),
        alias,
        ctx.request_id,
    )
    ASYNC_REQUESTS.put(ctx, asked)
    ctx.later(carry_out, {"operation": operation, "token": asked.token})
    return ASYNC_REQUESTS.arn(ctx, operation, asked.token)


@task
def carry_out(ctx: Context, payload: dict[str, Any]) -> None:
    """Do what was asked, or note why it cannot be done."""
    asked = ASYNC_REQUESTS.peek(ctx, payload["operation"], payload["token"])
    if asked is None or asked.status != IN_PROGRESS:
        return
    try:
        asked.regions = [route.region for route in _WORK[asked.operation](ctx, asked, asked.said).routes]
        asked.status = SUCCEEDED
    except Fault as fault:
        asked.status, asked.code, asked.message = FAILED, fault.code, fault.message
    ASYNC_REQUESTS.put(ctx, asked)


def _create(ctx: Context, asked: AsyncRequest, details: dict[str, Any]) -> MultiRegionAccessPoint:
    if by_name(ctx, details["Name"]) is not None:
        raise MULTI_REGION_ACCESS_POINT_EXISTS()
    if not 0 < len(details["Regions"]) <= MOST_BUCKETS:
        raise INVALID_REQUEST(f"A Multi-Region Access Point has 1 to {MOST_BUCKETS} buckets.")
    routes: list[RegionalRoute] = []
    for each in details["Regions"]:
        bucket = BUCKETS.peek(ctx, each["Bucket"])
        if bucket is None:
            raise NO_SUCH_BUCKET()
        if bucket.account != each.get("BucketAccountId", ctx.account):
            raise ACCESS_DENIED()
        if any(route.region == bucket.region for route in routes):
            raise SAME_BUCKET_REGION()
        routes.append(RegionalRoute(bucket.region, bucket.name, bucket.account))
    block = details.get("PublicAccessBlock")
    settings = PublicAccessBlock(True, True, True, True) if block is None else public_access_blocks.of_request(block)
    point = MultiRegionAccessPoint(asked.alias, ctx.account, details["Name"], asked.created_at, settings, routes)
    MULTI_REGION_ACCESS_POINTS.put(ctx, point)
    return point


def _delete(ctx: Context, asked: AsyncRequest, details: dict[str, Any]) -> MultiRegionAccessPoint:
    point = _there(ctx, details["Name"])
    MULTI_REGION_ACCESS_POINTS.delete(ctx, point)
    return point


def _put_policy(ctx: Context, asked: AsyncRequest, details: dict[str, Any]) -> MultiRegionAccessPoint:
    point = _there(ctx, details["Name"])
    policy = policy_checks.checked(details["Policy"], point.arn)
    account = ACCOUNT_ACCESS.peek(ctx, ctx.account)
    blocked = point.block.block_policy or (account is not None and account.block.block_policy)
    if blocked and public_policies.is_public(policy):
        raise ACCESS_DENIED()
    point.policy = policy
    MULTI_REGION_ACCESS_POINTS.put(ctx, point)
    return point


def _there(ctx: Context, name: str) -> MultiRegionAccessPoint:
    point = by_name(ctx, name)
    if point is None:
        raise NO_SUCH_MULTI_REGION_ACCESS_POINT()
    return point


_WORK = {"create": _create, "delete": _delete, "put-policy": _put_policy}


@operation
def describe_multi_region_access_point_operation(
    ctx: Context, request: t.DescribeMultiRegionAccessPointOperationRequest
) -> t.DescribeMultiRegionAccessPointOperationResult:
    """What has become of an asynchronous request."""
    accounts.check(ctx, request)
    named = request["RequestTokenARN"].split("/")
    operation, token = (named[-2], named[-1]) if len(named) == 4 else ("none", "none")
    asked = ASYNC_REQUESTS.get(ctx, operation, token)
    name = _PARAMETERS[operation]
    details: dict[str, Any] = {}
    if asked.status == FAILED:
        details["ErrorDetails"] = {"Code": asked.code, "Message": asked.message, "RequestId": asked.request_id}
    elif asked.status == SUCCEEDED:
        regions = [{"Name": region, "RequestStatus": SUCCEEDED} for region in asked.regions]
        details["MultiRegionAccessPointDetails"] = {"Regions": regions}
    shown: dict[str, Any] = {
        "CreationTime": asked.created_at,
        "Operation": name,
        "RequestTokenARN": request["RequestTokenARN"],
        "RequestParameters": {f"{name}Request": asked.said},
        "RequestStatus": asked.status,
        "ResponseDetails": details,
    }
    return cast("t.DescribeMultiRegionAccessPointOperationResult", {"AsyncOperation": shown})
