"""Subscription filters: which events of a group go on to a function at once.

Kinesis and Firehose, and destinations of other accounts (which are Kinesis and Firehose, too), are refused by name.
Sources: API reference, PutSubscriptionFilter; answers of AWS as users quote them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import Arn
from cumulo.core.errors import Fault, not_implemented
from cumulo.core.operation import operation
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import (
    FUNCTION_NOT_USABLE,
    INVALID_PARAMETER,
    SUBSCRIPTION_FILTER_NOT_FOUND,
)
from cumulo.services.operations.logs.events import filtering
from cumulo.services.operations.logs.filters import group_filters
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.groups.groups import STANDARD

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t

MOST = 2
BY_STREAM = "ByLogStream"
_VENDORS = ("firehose", "kinesis", "logs")


class SubscriptionFilter(Record):
    """A subscription filter of the group with this id.

    `selection` are criteria on system fields, `system_fields` those that go with each event.
    """

    group: bytes
    name: str
    pattern: str
    destination: str
    distribution: str
    created_ms: int
    on_transformed: bool = False
    selection: str = ""
    system_fields: list[str] = []


SUBSCRIPTION_FILTERS = Table(SubscriptionFilter, name="logs.subscription_filters", key=("group", "name"), scope=GLOBAL)


def of_group(ctx: Context, group: Group) -> list[SubscriptionFilter]:
    """A group's subscription filters, by name."""
    return SUBSCRIPTION_FILTERS.range(ctx, group.id)


@operation
def put_subscription_filter(ctx: Context, request: t.PutSubscriptionFilterRequest) -> None:
    """Set a subscription filter of a group."""
    group = groups.find(ctx, request["logGroupName"])
    groups.refuse_class(group, "PutSubscriptionFilter", STANDARD, groups.DELIVERY)
    pattern = filtering.read_pattern(request["filterPattern"], "subscription filter")
    name, destination = request["filterName"], request["destinationArn"]
    check_destination(ctx, group, destination, request.get("roleArn"))
    emitted = request.get("emitSystemFields") or []
    system_fields = group_filters.check_fields(emitted, *group_filters.fields_of(group))
    before = group_filters.check(pattern, name, of_group(ctx, group), MOST)
    if before is None:
        group.subscriptions += 1
        groups.keep(ctx, group)
    SUBSCRIPTION_FILTERS.put(
        ctx,
        SubscriptionFilter(
            group.id,
            name,
            request["filterPattern"],
            destination,
            request.get("distribution") or BY_STREAM,
            before.created_ms if before is not None else int(ctx.now() * 1000),
            bool(request.get("applyOnTransformedLogs")),
            group_filters.read_selection(request.get("fieldSelectionCriteria")),
            system_fields,
        ),
    )


def check_destination(ctx: Context, group: Group | None, destination: str, role: str | None) -> None:
    """Refuse what events cannot go to. CloudWatch Logs tries whether it may invoke a function."""
    try:
        arn = Arn.parse(destination)
    except ValueError:
        raise INVALID_PARAMETER("destinationArn must be a valid ARN.") from None
    if arn.service in _VENDORS:
        raise not_implemented("logs", ctx.operation, f"destinationArn of {arn.service}")
    if arn.service != "lambda":
        raise INVALID_PARAMETER(f"{ctx.operation} operation cannot work with destinationArn for vendor {arn.service}")
    if role is not None:
        raise INVALID_PARAMETER("destinationArn for vendor lambda cannot be used with roleArn")
    if arn.account != ctx.account or arn.region != ctx.region:
        raise FUNCTION_NOT_USABLE()
    name = arn.resource.removeprefix("function:").partition(":")[0]
    if group is not None and group.name == f"/aws/lambda/{name}":
        raise INVALID_PARAMETER(
            "The log group provided is reserved for the function log group of the destination function."
        )
    source = group.arn + ":*" if group is not None else f"arn:{ctx.partition}:logs:{ctx.region}:{ctx.account}:*"
    try:
        invoke(ctx, destination, source, {"InvocationType": "DryRun"})
    except Fault as fault:
        raise FUNCTION_NOT_USABLE() from fault


def invoke(ctx: Context, function: str, source: str, request: dict[str, Any]) -> None:
    """Invoke a function as CloudWatch Logs: policies name it with the region, or without."""
    region = Arn.parse(function).region
    for service in (f"logs.{region}", "logs"):
        try:
            ctx.call("lambda", "Invoke", {"FunctionName": function, **request}, service=service, source_arn=source)
            return
        except Fault as fault:
            if service == "logs" or fault.code != "AccessDeniedException":
                raise


@operation
def delete_subscription_filter(ctx: Context, request: t.DeleteSubscriptionFilterRequest) -> None:
    """Remove a subscription filter."""
    group = groups.find(ctx, request["logGroupName"])
    if not group_filters.remove(ctx, SUBSCRIPTION_FILTERS, group, request["filterName"], "subscriptions"):
        raise SUBSCRIPTION_FILTER_NOT_FOUND()


@operation
def describe_subscription_filters(
    ctx: Context, request: t.DescribeSubscriptionFiltersRequest
) -> t.DescribeSubscriptionFiltersResponse:
    """A group's subscription filters, by name."""
    group = groups.find(ctx, request["logGroupName"])
    prefix = request.get("filterNamePrefix") or ""
    found = [each for each in of_group(ctx, group) if each.name.startswith(prefix)]
    page, more = pages.of_list(ctx, request, found, lambda each: (each.name,))
    return {"subscriptionFilters": [_described(group, each) for each in page], **more}


def _described(group: Group, found: SubscriptionFilter) -> Any:
    answer: dict[str, Any] = {
        "filterName": found.name,
        "logGroupName": group.name,
        "filterPattern": found.pattern,
        "destinationArn": found.destination,
        "distribution": found.distribution,
        "applyOnTransformedLogs": found.on_transformed,
        "creationTime": found.created_ms,
    }
    if found.selection:
        answer["fieldSelectionCriteria"] = found.selection
    if found.system_fields:
        answer["emitSystemFields"] = found.system_fields
    return answer
