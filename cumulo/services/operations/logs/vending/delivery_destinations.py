"""Delivery destinations, and policies on who may deliver to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import (
    DELIVERY_DESTINATION_NOT_FOUND,
    DELIVERY_POLICY_NOT_FOUND,
    INVALID_DELIVERY_TOKEN,
    VALIDATION,
)
from cumulo.services.operations.logs.groups import tags

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t

_TYPES = {"s3": "S3", "logs": "CWL", "firehose": "FH"}


class DeliveryDestination(Record):
    """Where vended logs can go: a bucket, a log group, a Firehose stream (by ARN)."""

    name: str
    kind: str
    resource: str = ""
    output_format: str = ""
    policy: str = ""
    role: str = ""
    tags: dict[str, str] = {}


DELIVERY_DESTINATIONS = Table(
    DeliveryDestination,
    name="logs.delivery_destinations",
    key="name",
    scope=REGION,
    arn="arn:{partition}:logs:{region}:{account}:delivery-destination:{name}",
    missing=DELIVERY_DESTINATION_NOT_FOUND,
    tags=lambda destination: destination.tags,
)


@operation
def put_delivery_destination(
    ctx: Context, request: t.PutDeliveryDestinationRequest
) -> t.PutDeliveryDestinationResponse:
    """Make a delivery destination, or point it elsewhere."""
    name = request["name"]
    found = DELIVERY_DESTINATIONS.peek(ctx, name)
    ctx.authorize(DELIVERY_DESTINATIONS.arn(ctx, name), tags=found.tags if found is not None else None)
    configuration = request.get("deliveryDestinationConfiguration")
    resource = configuration["destinationResourceArn"] if configuration is not None else ""
    parts = resource.split(":", 5)
    vendor = _TYPES.get(parts[2], "") if len(parts) == 6 else ""
    kind = request.get("deliveryDestinationType") or vendor
    if not kind or (resource and vendor != kind):
        raise VALIDATION("The destinationResourceArn must be of a bucket, a log group or a Firehose stream.")
    if found is not None and found.kind != kind:
        raise VALIDATION("The type of a delivery destination cannot be changed.")
    given = tags.checked(request.get("tags"))
    if found is None:
        found = DeliveryDestination(name, kind, tags=given)
    elif given:
        raise VALIDATION("Tags of a delivery destination that exists are changed with TagResource.")
    found.resource = resource
    found.output_format = request.get("outputFormat") or found.output_format
    found.role = request.get("roleArn") or found.role
    DELIVERY_DESTINATIONS.put(ctx, found)
    return {"deliveryDestination": _described(ctx, found)}


@operation
def get_delivery_destination(
    ctx: Context, request: t.GetDeliveryDestinationRequest
) -> t.GetDeliveryDestinationResponse:
    """A delivery destination."""
    return {"deliveryDestination": _described(ctx, DELIVERY_DESTINATIONS.get(ctx, request["name"]))}


@operation
def describe_delivery_destinations(
    ctx: Context, request: t.DescribeDeliveryDestinationsRequest
) -> t.DescribeDeliveryDestinationsResponse:
    """Delivery destinations, by name."""
    names = request.get("names")
    chosen = [each for each in DELIVERY_DESTINATIONS.range(ctx) if not names or each.name in names]
    found, more = pages.of_list(ctx, request, chosen, lambda each: (each.name,), error=INVALID_DELIVERY_TOKEN())
    return {"deliveryDestinations": [_described(ctx, each) for each in found], **more}


def _described(ctx: Context, destination: DeliveryDestination) -> t.DeliveryDestination:
    answer: t.DeliveryDestination = {
        "name": destination.name,
        "arn": DELIVERY_DESTINATIONS.arn(ctx, destination.name),
        "deliveryDestinationType": destination.kind,
    }
    if destination.resource:
        answer["deliveryDestinationConfiguration"] = {"destinationResourceArn": destination.resource}
    if destination.output_format:
        answer["outputFormat"] = destination.output_format
    if destination.role:
        answer["roleArn"] = destination.role
    if destination.tags:
        answer["tags"] = destination.tags
    return answer


@operation
def put_delivery_destination_policy(
    ctx: Context, request: t.PutDeliveryDestinationPolicyRequest
) -> t.PutDeliveryDestinationPolicyResponse:
    """Say which accounts may deliver to a destination."""
    destination = DELIVERY_DESTINATIONS.get(ctx, request["deliveryDestinationName"])
    document = request["deliveryDestinationPolicy"]
    try:
        is_policy = isinstance(msgspec.json.decode(document), dict)
    except (msgspec.DecodeError, RecursionError):
        is_policy = False
    if not is_policy:
        raise VALIDATION("The delivery destination policy is not valid JSON.")
    destination.policy = document
    DELIVERY_DESTINATIONS.put(ctx, destination)
    return {"policy": {"deliveryDestinationPolicy": document}}


@operation
def get_delivery_destination_policy(
    ctx: Context, request: t.GetDeliveryDestinationPolicyRequest
) -> t.GetDeliveryDestinationPolicyResponse:
    """The policy of a destination."""
    destination = DELIVERY_DESTINATIONS.get(ctx, request["deliveryDestinationName"])
    if not destination.policy:
        raise DELIVERY_POLICY_NOT_FOUND()
    return {"policy": {"deliveryDestinationPolicy": destination.policy}}


@operation
def delete_delivery_destination_policy(ctx: Context, request: t.DeleteDeliveryDestinationPolicyRequest) -> None:
    """Remove the policy of a destination."""
    destination = DELIVERY_DESTINATIONS.get(ctx, request["deliveryDestinationName"])
    if not destination.policy:
        raise DELIVERY_POLICY_NOT_FOUND()
    destination.policy = ""
    DELIVERY_DESTINATIONS.put(ctx, destination)


tags.add_kind("delivery-destination", DELIVERY_DESTINATIONS)
