"""Object Lambda access points: made, shown, listed, changed, removed. What they do to requests is S3's business.

Sources: S3 API Reference, CreateAccessPointForObjectLambda and its like; S3 User Guide, "Creating Object Lambda Access
Points". That AWS lets no new customers begin with them (since 7 November 2025) is no matter here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from cumulo.core.operation import operation
from cumulo.core.s3.access import ACCESS_POINTS, PublicAccessBlock
from cumulo.core.s3.access import ALIAS_SUFFIX as ACCESS_POINT_SUFFIX
from cumulo.core.s3.object_lambda import (
    ALIAS_SUFFIX,
    OBJECT_LAMBDA_ACCESS_POINTS,
    OBJECT_LAMBDA_ALIASES,
    ObjectLambdaAccessPoint,
    ObjectLambdaAlias,
    Transformation,
)
from cumulo.services.storage.s3control import access_points, accounts, pages, public_access_blocks
from cumulo.services.storage.s3control.errors import (
    INVALID_ARGUMENT,
    INVALID_REQUEST,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

MOST = 1000  # of an account in a region. Source: S3 User Guide, "Access points restrictions and limitations"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,43}[a-z0-9]", re.ASCII)
_ALL_BLOCKED = PublicAccessBlock(True, True, True, True)


def found(ctx: Context, request: Mapping[str, Any]) -> ObjectLambdaAccessPoint:
    """The caller's one of the request's "Name" (or ARN), allowed for the operation."""
    accounts.check(ctx, request)
    return OBJECT_LAMBDA_ACCESS_POINTS.get(ctx, request["Name"].rpartition("/")[2])


@operation
def create_access_point_for_object_lambda(
    ctx: Context, request: t.CreateAccessPointForObjectLambdaRequest
) -> t.CreateAccessPointForObjectLambdaResult:
    """A new one before an access point of this account and region."""
    accounts.check(ctx, request)
    name = request["Name"]
    ctx.authorize(OBJECT_LAMBDA_ACCESS_POINTS.arn(ctx, name))
    if not _NAME.fullmatch(name) or name.endswith((ACCESS_POINT_SUFFIX, ALIAS_SUFFIX)):
        members = {"ArgumentName": "name", "ArgumentValue": name}
        raise INVALID_ARGUMENT("Invalid Object Lambda Access Point name", members=members)
    access_points.check_new(ctx, OBJECT_LAMBDA_ACCESS_POINTS, name, MOST)
    alias = access_points.new_alias(ctx, name, ALIAS_SUFFIX)
    point = ObjectLambdaAccessPoint(ctx.account, ctx.region, name, alias, ctx.now(), "", [])
    _configure(ctx, point, request["Configuration"])
    OBJECT_LAMBDA_ACCESS_POINTS.put(ctx, point)
    OBJECT_LAMBDA_ALIASES.put(ctx, ObjectLambdaAlias(alias, point.account, point.region, name))
    answer = {"ObjectLambdaAccessPointArn": point.arn, "Alias": _shown_alias(point)}
    return cast("t.CreateAccessPointForObjectLambdaResult", answer)


def _configure(ctx: Context, point: ObjectLambdaAccessPoint, wanted: Mapping[str, Any]) -> None:
    """Give it a configuration. Raises InvalidRequest for one that cannot be."""
    arn = wanted["SupportingAccessPoint"]
    _, _, _, region, account, place = arn.split(":", 5)
    supporting = None
    if (region, account) == (ctx.region, ctx.account):
        supporting = ACCESS_POINTS.peek(ctx, place.removeprefix("accesspoint/"))
    if supporting is None:
        raise INVALID_REQUEST("The specified supporting access point does not exist")
    given = wanted["TransformationConfigurations"]
    if not given:
        raise INVALID_REQUEST("At least one transformation configuration must be specified")
    transformations: list[Transformation] = []
    for each in given:
        function = each["ContentTransformation"].get("AwsLambda")
        if function is None or not each["Actions"]:
            raise INVALID_REQUEST("A transformation configuration must have actions and an AWS Lambda function")
        transformations.append(
            Transformation(list(each["Actions"]), function["FunctionArn"], function.get("FunctionPayload"))
        )
    actions = [action for each in transformations for action in each.actions]
    if len(set(actions)) < len(actions):
        raise INVALID_REQUEST("An action can be part of one transformation configuration only")
    point.supporting = supporting.arn
    point.transformations = transformations
    point.features = list(wanted.get("AllowedFeatures", ()))
    point.metrics = wanted.get("CloudWatchMetricsEnabled")


def _listed(point: ObjectLambdaAccessPoint) -> dict[str, Any]:
    return {"Name": point.name, "ObjectLambdaAccessPointArn": point.arn, "Alias": _shown_alias(point)}


def _shown_alias(point: ObjectLambdaAccessPoint) -> dict[str, str]:
    return {"Value": point.alias, "Status": "READY"}


@operation
def get_access_point_for_object_lambda(
    ctx: Context, request: t.GetAccessPointForObjectLambdaRequest
) -> t.GetAccessPointForObjectLambdaResult:
    """What it is; its configuration and its policy are asked for apart. The public can never use one."""
    point = found(ctx, request)
    answer = {
        "Name": point.name,
        "PublicAccessBlockConfiguration": public_access_blocks.shown(_ALL_BLOCKED),
        "CreationDate": point.created_at,
        "Alias": _shown_alias(point),
    }
    return cast("t.GetAccessPointForObjectLambdaResult", answer)


@operation
def list_access_points_for_object_lambda(
    ctx: Context, request: t.ListAccessPointsForObjectLambdaRequest
) -> t.ListAccessPointsForObjectLambdaResult:
    """The caller's in this region, by name."""
    accounts.check(ctx, request)
    limit = pages.limit_of(request)
    points = OBJECT_LAMBDA_ACCESS_POINTS.range(ctx, after=pages.begin(ctx, request), limit=limit + 1)
    answer = pages.answer(ctx, "ObjectLambdaAccessPointList", points, limit, _listed, lambda point: point.name)
    return cast("t.ListAccessPointsForObjectLambdaResult", answer)


@operation
def delete_access_point_for_object_lambda(ctx: Context, request: t.DeleteAccessPointForObjectLambdaRequest) -> None:
    """Remove it and its alias; the supporting access point stays."""
    point = found(ctx, request)
    OBJECT_LAMBDA_ACCESS_POINTS.delete(ctx, point)
    alias = OBJECT_LAMBDA_ALIASES.peek(ctx, point.alias)
    if alias is not None:
        OBJECT_LAMBDA_ALIASES.delete(ctx, alias)


@operation
def get_access_point_configuration_for_object_lambda(
    ctx: Context, request: t.GetAccessPointConfigurationForObjectLambdaRequest
) -> t.GetAccessPointConfigurationForObjectLambdaResult:
    """The configuration as it was given."""
    point = found(ctx, request)
    shown: dict[str, Any] = {"SupportingAccessPoint": point.supporting, "TransformationConfigurations": []}
    if point.metrics is not None:
        shown["CloudWatchMetricsEnabled"] = point.metrics
    if point.features:
        shown["AllowedFeatures"] = point.features
    for each in point.transformations:
        function = {"FunctionArn": each.function}
        if each.payload is not None:
            function["FunctionPayload"] = each.payload
        entry = {"Actions": each.actions, "ContentTransformation": {"AwsLambda": function}}
        shown["TransformationConfigurations"].append(entry)
    return cast("t.GetAccessPointConfigurationForObjectLambdaResult", {"Configuration": shown})


@operation
def put_access_point_configuration_for_object_lambda(
    ctx: Context, request: t.PutAccessPointConfigurationForObjectLambdaRequest
) -> None:
    """Replace the configuration."""
    point = found(ctx, request)
    _configure(ctx, point, request["Configuration"])
    OBJECT_LAMBDA_ACCESS_POINTS.put(ctx, point)
