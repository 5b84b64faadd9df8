"""Delivery sources: resources whose logs services vend. Of those that are here, buckets: their server access logs.

Source: API reference, PutDeliverySource; Amazon S3 User Guide, "Log format in CloudWatch Logs"; answers of AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.errors import not_implemented
from cumulo.core.monitoring import vended_logs
from cumulo.core.operation import operation
from cumulo.core.s3.buckets import BUCKETS
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import (
    CONFLICT,
    DELIVERY_SOURCE_NOT_FOUND,
    INVALID_DELIVERY_TOKEN,
    RESOURCE_NOT_FOUND,
    VALIDATION,
)
from cumulo.services.operations.logs.groups import tags

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t

ALLOW = "s3:AllowVendedLogDeliveryForResource"


class DeliverySource(Record):
    """A resource (by ARN) and the type of logs that it vends."""

    name: str
    resource: str
    log_type: str
    service: str
    tags: dict[str, str] = {}


DELIVERY_SOURCES = Table(
    DeliverySource,
    name="logs.delivery_sources",
    key="name",
    scope=REGION,
    arn="arn:{partition}:logs:{region}:{account}:delivery-source:{name}",
    missing=DELIVERY_SOURCE_NOT_FOUND,
    tags=lambda source: source.tags,
)


@operation
def put_delivery_source(ctx: Context, request: t.PutDeliverySourceRequest) -> t.PutDeliverySourceResponse:
    """Make a delivery source of a resource."""
    name, resource, log_type = request["name"], request["resourceArn"], request["logType"]
    found = DELIVERY_SOURCES.peek(ctx, name)
    ctx.authorize(DELIVERY_SOURCES.arn(ctx, name), tags=found.tags if found is not None else None)
    parts = resource.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or not parts[2]:
        raise VALIDATION(f"Provided resourceArn is not a valid ARN: {resource}")
    if parts[2] != "s3" or log_type != vended_logs.S3_ACCESS:
        raise not_implemented("logs", ctx.operation, f"logType {log_type} of {parts[2]}")
    if "deliverySourceConfiguration" in request:
        raise not_implemented("logs", ctx.operation, "deliverySourceConfiguration")
    bucket = BUCKETS.peek(ctx, parts[5])
    ctx.authorize(resource, action=ALLOW)
    if bucket is None or bucket.arn != resource or (bucket.account, bucket.region) != (ctx.account, ctx.region):
        raise RESOURCE_NOT_FOUND("The specified resource does not exist in this account and Region.")
    for other in DELIVERY_SOURCES.range(ctx):
        if (other.name == name) is not (other.resource == resource):
            raise CONFLICT("This ResourceId has already been used in another Delivery Source in this account")
    given = tags.checked(request.get("tags"))
    if found is None:
        found = DeliverySource(name, resource, log_type, parts[2], given)
    elif given:
        raise VALIDATION("Tags of a delivery source that exists are changed with TagResource.")
    DELIVERY_SOURCES.put(ctx, found)
    return {"deliverySource": _described(ctx, found)}


@operation
def describe_delivery_sources(
    ctx: Context, request: t.DescribeDeliverySourcesRequest
) -> t.DescribeDeliverySourcesResponse:
    """Delivery sources, by name."""
    wanted = request.get("resourceArns")
    chosen = [each for each in DELIVERY_SOURCES.range(ctx) if not wanted or each.resource in wanted]
    found, more = pages.of_list(ctx, request, chosen, lambda each: (each.name,), error=INVALID_DELIVERY_TOKEN())
    return {"deliverySources": [_described(ctx, each) for each in found], **more}


@operation
def get_delivery_source(ctx: Context, request: t.GetDeliverySourceRequest) -> t.GetDeliverySourceResponse:
    """A delivery source."""
    return {"deliverySource": _described(ctx, DELIVERY_SOURCES.get(ctx, request["name"]))}


def _described(ctx: Context, source: DeliverySource) -> t.DeliverySource:
    answer: t.DeliverySource = {
        "name": source.name,
        "arn": DELIVERY_SOURCES.arn(ctx, source.name),
        "resourceArns": [source.resource],
        "service": source.service,
        "logType": source.log_type,
    }
    if source.tags:
        answer["tags"] = source.tags
    return answer


tags.add_kind("delivery-source", DELIVERY_SOURCES)
