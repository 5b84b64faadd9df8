"""Requests through Object Lambda access points: what a function answers, and what goes on to the access point behind.

Sources: S3 User Guide, "Transforming objects with S3 Object Lambda", "Configuring IAM policies for Object Lambda Access
Points", "Security considerations for S3 Object Lambda Access Points", "Working with Range and partNumber headers".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from cumulo.core.errors import Fault
from cumulo.core.operation import Wait
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.s3.access import ACCESS_POINTS, NO_SUCH_ACCESS_POINT, AccessPoint
from cumulo.core.s3.object_lambda import SERVICE, ObjectLambdaAccessPoint
from cumulo.services.storage.s3 import conditions
from cumulo.services.storage.s3.errors import (
    ACCESS_DENIED,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NOT_IMPLEMENTED_HEADER,
    NOT_IMPLEMENTED_PARAMETER,
    WRONG_REGION,
)
from cumulo.services.storage.s3.object_lambdas import calls, metrics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context

CALLED_VIA = f"{SERVICE}.amazonaws.com"  # as aws:CalledVia has it
_OBJECTS = ("GetObject", "HeadObject")
_LISTING = "ListBucket"


def enter(ctx: Context, lens: ObjectLambdaAccessPoint, named: str, *, source: bool) -> AccessPoint:
    """The supporting access point, for what goes on to it.

    Raises Wait where a function answers in its place; AccessDenied for callers whom nobody knows, who may do nothing
    here; MethodNotAllowed for the `source` of a copy.
    """
    if source or not ctx.tries:  # a call inside another's transaction cannot wait for a function
        ctx.authorized = True
        raise METHOD_NOT_ALLOWED(members={"ResourceType": "OBJECT_LAMBDA_ACCESS_POINT"})
    if ctx.principal.kind is PrincipalKind.ANONYMOUS:
        ctx.authorized = True
        raise ACCESS_DENIED()
    if lens.region != ctx.region:
        ctx.authorized = True
        raise WRONG_REGION(region=ctx.region, expected=lens.region, members={"Region": lens.region})
    if not named.startswith("arn:") and named != lens.alias:
        ctx.request["Bucket"] = lens.arn  # what the host names, a bucket may be called as well
    point = supporting(ctx, lens)
    for transformation in lens.transformations:
        if ctx.operation in transformation.actions:
            metrics.watch(ctx, lens, invoked=True)
            _admit(ctx, lens)
            answer = calls.ANSWERS[ctx.operation]
            raise Wait(partial(answer, lens=lens, point=point, transformation=transformation))
    metrics.watch(ctx, lens, invoked=False)
    return point


def supporting(ctx: Context, lens: ObjectLambdaAccessPoint) -> AccessPoint:
    """The access point that it is before. Raises NoSuchAccessPoint where that is gone."""
    _, _, _, region, account, place = lens.supporting.split(":", 5)
    name = place.removeprefix("accesspoint/")
    found = ACCESS_POINTS.peek(ctx, name, account=account, region=region)
    if found is None:
        ctx.authorized = True
        raise NO_SUCH_ACCESS_POINT(members={"AccessPointName": name})
    return found


def _admit(ctx: Context, lens: ObjectLambdaAccessPoint) -> None:
    """Refuse who may not have the function's answer, and what the function does not know to deal with."""
    request = ctx.request
    action = _LISTING
    if ctx.operation in _OBJECTS:
        action = "GetObjectVersion" if "VersionId" in request else "GetObject"
    allow(ctx, lens, f"s3:{action}")
    if ctx.operation not in _OBJECTS:
        return
    if any(name.startswith("SSECustomer") for name in request):
        raise INVALID_REQUEST("Server-side encryption with customer-provided keys is not supported by S3 Object Lambda")
    if ("Range" in request or _asks(ctx, "range")) and f"{ctx.operation}-Range" not in lens.features:
        raise NOT_IMPLEMENTED_HEADER(members={"Header": "Range"})
    if "PartNumber" in request and f"{ctx.operation}-PartNumber" not in lens.features:
        raise NOT_IMPLEMENTED_PARAMETER(members={"Parameter": "partNumber"})


def _asks(ctx: Context, parameter: str) -> bool:
    query = ctx.target.partition("?")[2]
    return any(name.lower() == parameter for name, _ in parse_qsl(query, keep_blank_values=True))


def allow(ctx: Context, lens: ObjectLambdaAccessPoint, action: str) -> None:
    """AccessDenied unless the caller may do here what general purpose buckets call `action` ("s3:GetObject")."""
    given: Mapping[str, Any] = {
        f"{SERVICE}:{key.partition(':')[2]}": value for key, value in conditions.of_signature(ctx).items()
    }
    if "VersionId" in ctx.request:
        given = {**given, f"{SERVICE}:versionid": ctx.request["VersionId"]}
    try:
        ctx.authorize(
            lens.arn,
            policy=lens.policy or None,
            action=f"{SERVICE}:{action.partition(':')[2]}",
            context=given,
            account=lens.account,
        )
    except Fault as fault:
        if fault.code != "AccessDenied" or ctx.principal.account == lens.account:
            raise
        raise ACCESS_DENIED() from None
