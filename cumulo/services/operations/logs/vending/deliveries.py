"""Deliveries: from a source to a destination. Their records go to log groups; other destinations are refused by name.

Source: API reference, CreateDelivery and its kin; CloudWatch Logs User Guide, "Enable logging from AWS services" (the
resource policy that is made where it is missing); answers of AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.monitoring import vended_logs
from cumulo.core.monitoring.vended_logs import VENDED_DELIVERIES, VendedDelivery
from cumulo.core.operation import operation
from cumulo.core.s3 import buckets as s3_buckets
from cumulo.core.s3.buckets import BUCKETS
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import (
    CONFLICT,
    DELIVERY_DESTINATION_NOT_FOUND,
    DELIVERY_NOT_FOUND,
    GROUP_NOT_FOUND,
    INVALID_DELIVERY_TOKEN,
    VALIDATION,
)
from cumulo.services.operations.logs.groups import delivery_access, groups, tags
from cumulo.services.operations.logs.vending.delivery_destinations import DELIVERY_DESTINATIONS, DeliveryDestination
from cumulo.services.operations.logs.vending.delivery_sources import DELIVERY_SOURCES, DeliverySource

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t

GROUPS_TYPE, JSON = "CWL", "json"


class Delivery(Record):
    """From a source (by name) to a destination (by name), with these fields."""

    id: str
    source: str
    destination: str
    fields: list[str]
    tags: dict[str, str] = {}


DELIVERIES = Table(
    Delivery,
    name="logs.deliveries",
    key="id",
    scope=REGION,
    arn="arn:{partition}:logs:{region}:{account}:delivery:{id}",
    missing=DELIVERY_NOT_FOUND,
    tags=lambda delivery: delivery.tags,
)


@operation
def create_delivery(ctx: Context, request: t.CreateDeliveryRequest) -> t.CreateDeliveryResponse:
    """Begin to deliver the logs of a source to a destination."""
    source = DELIVERY_SOURCES.get(ctx, request["deliverySourceName"])
    destination = _destination(ctx, request["deliveryDestinationArn"])
    given = tags.checked(request.get("tags"))
    delivery_id = ctx.random_bytes(8).hex()
    ctx.authorize(DELIVERIES.arn(ctx, delivery_id), tags=given)
    if destination.kind != GROUPS_TYPE:
        raise not_implemented("logs", ctx.operation, f"destinations of the type {destination.kind}")
    if destination.output_format not in ("", JSON):
        raise VALIDATION(f"The outputFormat {destination.output_format} is not supported for this log type.")
    if any((each.source, each.destination) == (source.name, destination.name) for each in DELIVERIES.range(ctx)):
        raise CONFLICT("A delivery of this delivery source to this delivery destination already exists.")
    delivery = Delivery(delivery_id, source.name, destination.name, _fields(source, request), given)
    group = _group(ctx, destination)
    delivery_access.let_in(ctx, group)
    DELIVERIES.put(ctx, delivery)
    _connect(ctx, delivery, source, group)
    return {"delivery": _described(ctx, delivery)}


def _destination(ctx: Context, arn: str) -> DeliveryDestination:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[2] != "logs" or parts[5] != "delivery-destination":
        raise VALIDATION(f"Provided deliveryDestinationArn is not a valid ARN: {arn}")
    if parts[4] != ctx.account:
        raise not_implemented("logs", ctx.operation, "delivery destinations of other accounts")
    if parts[3] != ctx.region:
        raise DELIVERY_DESTINATION_NOT_FOUND()
    return DELIVERY_DESTINATIONS.get(ctx, parts[6])


def _group(ctx: Context, destination: DeliveryDestination) -> Group:
    parts = destination.resource.split(":", 6)
    is_ours = len(parts) == 7 and (parts[3], parts[4]) == (ctx.region, ctx.account)
    group = groups.GROUPS.peek(ctx, parts[6].removesuffix(":*")) if is_ours else None
    if group is None:
        raise GROUP_NOT_FOUND()
    return group


def _fields(source: DeliverySource, request: Any) -> list[str]:
    """The fields of the records, in order: all of them where none are asked for."""
    if request.get("fieldDelimiter"):
        raise VALIDATION("fieldDelimiter is only valid for the output formats plain, w3c and raw.")
    if "s3DeliveryConfiguration" in request:
        raise VALIDATION("s3DeliveryConfiguration is only valid for delivery destinations of the type S3.")
    known, given = vended_logs.FIELDS[source.log_type], request.get("recordFields")
    for name in given or ():
        if name not in known:
            raise VALIDATION(f"The record field {name} is not supported for this log type.")
    return list(dict.fromkeys(given or known))


def _connect(ctx: Context, delivery: Delivery, source: DeliverySource, group: Group) -> None:
    """Tell who vends where records go."""
    arn = DELIVERY_SOURCES.arn(ctx, source.name)
    VENDED_DELIVERIES.put(
        ctx, VendedDelivery(source.resource, source.log_type, delivery.id, arn, group.arn, delivery.fields)
    )
    bucket = BUCKETS.peek(ctx, source.resource.rpartition(":")[2])
    if bucket is not None:
        s3_buckets.mark(ctx, bucket, s3_buckets.VENDED, True)


def _disconnect(ctx: Context, delivery: Delivery) -> None:
    source = DELIVERY_SOURCES.peek(ctx, delivery.source)
    found = None if source is None else VENDED_DELIVERIES.peek(ctx, source.resource, source.log_type, delivery.id)
    if source is None or found is None:
        return
    VENDED_DELIVERIES.delete(ctx, found)
    bucket = BUCKETS.peek(ctx, source.resource.rpartition(":")[2])
    if bucket is not None and not VENDED_DELIVERIES.range(ctx, source.resource, limit=1):
        s3_buckets.mark(ctx, bucket, s3_buckets.VENDED, False)


@operation
def update_delivery_configuration(
    ctx: Context, request: t.UpdateDeliveryConfigurationRequest
) -> t.UpdateDeliveryConfigurationResponse:
    """Change which fields are delivered."""
    delivery = DELIVERIES.get(ctx, request["id"])
    source = DELIVERY_SOURCES.peek(ctx, delivery.source)  # which is there as long as its deliveries are
    destination = DELIVERY_DESTINATIONS.peek(ctx, delivery.destination)
    assert source is not None
    assert destination is not None
    fields = _fields(source, request)
    if request.get("recordFields"):
        delivery.fields = fields
    DELIVERIES.put(ctx, delivery)
    _connect(ctx, delivery, source, _group(ctx, destination))
    return {}


@operation
def get_delivery(ctx: Context, request: t.GetDeliveryRequest) -> t.GetDeliveryResponse:
    """A delivery."""
    return {"delivery": _described(ctx, DELIVERIES.get(ctx, request["id"]))}


@operation
def describe_deliveries(ctx: Context, request: t.DescribeDeliveriesRequest) -> t.DescribeDeliveriesResponse:
    """Deliveries, of all sources or some."""
    wanted = request.get("deliverySourceNames")
    chosen = [each for each in DELIVERIES.range(ctx) if not wanted or each.source in wanted]
    found, more = pages.of_list(ctx, request, chosen, lambda each: (each.id,), error=INVALID_DELIVERY_TOKEN())
    return {"deliveries": [_described(ctx, each) for each in found], **more}


def _described(ctx: Context, delivery: Delivery) -> t.Delivery:
    answer: t.Delivery = {
        "id": delivery.id,
        "arn": DELIVERIES.arn(ctx, delivery.id),
        "deliverySourceName": delivery.source,
        "deliveryDestinationArn": DELIVERY_DESTINATIONS.arn(ctx, delivery.destination),
        "deliveryDestinationType": GROUPS_TYPE,
        "recordFields": delivery.fields,
    }
    if delivery.tags:
        answer["tags"] = delivery.tags
    return answer


@operation
def delete_delivery(ctx: Context, request: t.DeleteDeliveryRequest) -> None:
    """End a delivery."""
    delivery = DELIVERIES.get(ctx, request["id"])
    _disconnect(ctx, delivery)
    DELIVERIES.delete(ctx, delivery)


@operation
def delete_delivery_source(ctx: Context, request: t.DeleteDeliverySourceRequest) -> None:
    """Remove a delivery source of which there are no deliveries."""
    source = DELIVERY_SOURCES.get(ctx, request["name"])
    if any(each.source == source.name for each in DELIVERIES.range(ctx)):
        raise CONFLICT("A delivery source cannot be deleted while deliveries are associated with it.")
    DELIVERY_SOURCES.delete(ctx, source)


@operation
def delete_delivery_destination(ctx: Context, request: t.DeleteDeliveryDestinationRequest) -> None:
    """Remove a delivery destination to which there are no deliveries."""
    destination = DELIVERY_DESTINATIONS.get(ctx, request["name"])
    if any(each.destination == destination.name for each in DELIVERIES.range(ctx)):
        raise CONFLICT("A delivery destination cannot be deleted while deliveries are associated with it.")
    DELIVERY_DESTINATIONS.delete(ctx, destination)


tags.add_kind("delivery", DELIVERIES)
