"""What CloudWatch Logs tells CloudWatch of itself: the metrics of the namespace AWS/Logs that count what passes.

Source: CloudWatch Logs User Guide, "Monitoring with CloudWatch metrics".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.monitoring import service_metrics

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.monitoring.service_metrics import Series
    from cumulo.services.operations.logs.groups.groups import Group

NAMESPACE = "AWS/Logs"
INCOMING_BYTES, INCOMING_EVENTS = "IncomingBytes", "IncomingLogEvents"
FORWARDED_BYTES, FORWARDED_EVENTS = "ForwardedBytes", "ForwardedLogEvents"
DELIVERY_ERRORS, DELIVERY_THROTTLING = "DeliveryErrors", "DeliveryThrottling"
PARSING_ERRORS, VALIDATION_ERRORS = "EMFParsingErrors", "EMFValidationErrors"
ACCOUNT_POLICY = "AccountPolicy"
_KEY, _GROUPS = "logs.meters", "logs.group_meters"
_MOST = 10_000
_BYTES = (INCOMING_BYTES, FORWARDED_BYTES)


class Owner(NamedTuple):
    """The account and region whose metrics they are."""

    account: str
    region: str


def add(ctx: Context, owner: Owner | Group, name: str, value: float, **dimensions: str) -> None:
    """Count so much. A transaction that is tried again counts once."""
    if value and ctx.tries <= 1:
        _series(ctx, owner, name, dimensions).add(value)


def _series(ctx: Context, owner: Owner | Group, name: str, dimensions: dict[str, str]) -> Series:
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
    return series


def came(ctx: Context, group: Group, events: int, size: int) -> None:
    """Count a batch that came to a group: for the group, and for the account."""
    if ctx.tries > 1:
        return
    known: dict[bytes, tuple[Series, ...]] | None = ctx.runtime.memory.get(_GROUPS)
    if known is None:
        known = ctx.runtime.memory[_GROUPS] = {}
    found = known.get(group.id)
    if found is None:
        if len(known) >= _MOST:
            known.clear()
        places: list[dict[str, str]] = [{}, {"LogGroupName": group.name}]
        names = (INCOMING_EVENTS, INCOMING_BYTES)
        found = known[group.id] = tuple([_series(ctx, group, name, place) for name in names for place in places])
    for_account, for_group, bytes_for_account, bytes_for_group = found
    for_account.add(events)
    for_group.add(events)
    bytes_for_account.add(size)
    bytes_for_group.add(size)


def of_subscription(group_name: str, filter_name: str, of_account: bool) -> dict[str, str]:
    """The dimensions of what a subscription filter forwards: those of the account's have no group."""
    ascii_name = filter_name.encode("ascii", "replace").decode()  # "unsupported characters get replaced"
    where = {"PolicyLevel": ACCOUNT_POLICY} if of_account else {"LogGroupName": group_name}
    return {**where, "DestinationType": "Lambda", "FilterName": ascii_name}
