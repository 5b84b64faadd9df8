"""What CloudWatch Logs tells CloudWatch of itself: the metrics of the namespace AWS/Logs that count what passes.

Source: CloudWatch Logs User Guide, "Monitoring with CloudWatch metrics".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.core import service_metrics

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.service_metrics import Series
    from cumulo.services.operations.logs.groups import Group

NAMESPACE = "AWS/Logs"
INCOMING_BYTES, INCOMING_EVENTS = "IncomingBytes", "IncomingLogEvents"
FORWARDED_BYTES, FORWARDED_EVENTS = "ForwardedBytes", "ForwardedLogEvents"
DELIVERY_ERRORS, DELIVERY_THROTTLING = "DeliveryErrors", "DeliveryThrottling"
PARSING_ERRORS, VALIDATION_ERRORS = "EMFParsingErrors", "EMFValidationErrors"
ACCOUNT_POLICY = "AccountPolicy"
_KEY = "logs.meters"
_MOST = 10_000
_BYTES = (INCOMING_BYTES, FORWARDED_BYTES)


class Owner(NamedTuple):
    """The account and region whose metrics they are."""

    account: str
    region: str


def add(ctx: Context, owner: Owner | Group, name: str, value: float, **dimensions: str) -> None:
    """Count so much. A transaction that is tried again counts once."""
    if not value or ctx.tries > 1:
        return
    known: dict[tuple[str, ...], Series] | None = ctx.runtime.memory.get(_KEY)
    if known is None:
        known = ctx.runtime.memory[_KEY] = {}
    key = (owner.account, owner.region, name, *dimensions.values())
    series = known.get(key)
    if series is None:
        if len(known) >= _MOST:
            known.clear()
        unit = "Bytes" if name in _BYTES else "None"
        metrics = service_metrics.of(ctx.runtime)
        series = known[key] = metrics.series(owner.account, owner.region, NAMESPACE, name, unit, dimensions)
    series.add(value)


def came(ctx: Context, group: Group, events: int, size: int) -> None:
    """Count a batch that came to a group."""
    for dimensions in ({}, {"LogGroupName": group.name}):
        add(ctx, group, INCOMING_EVENTS, float(events), **dimensions)
        add(ctx, group, INCOMING_BYTES, float(size), **dimensions)


def of_subscription(group_name: str, filter_name: str, of_account: bool) -> dict[str, str]:
    """The dimensions of what a subscription filter forwards: those of the account's have no group."""
    ascii_name = filter_name.encode("ascii", "replace").decode()  # "unsupported characters get replaced"
    where = {"PolicyLevel": ACCOUNT_POLICY} if of_account else {"LogGroupName": group_name}
    return {**where, "DestinationType": "Lambda", "FilterName": ascii_name}
