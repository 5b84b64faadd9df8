"""What follows a batch of events: points of metrics, and deliveries to subscribers.

A batch that has followers leaves a note with its transaction; a task reads the events, works out in a thread what
follows, and does it in one transaction with the note's end: so it happens once, however often the task is tried.
"""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.monitoring import vended_logs
from cumulo.core.monitoring.vended_logs import VendedDelivery, VendedRecord
from cumulo.core.operation import task
from cumulo.core.table import GLOBAL, Space
from cumulo.services.operations.logs import patterns
from cumulo.services.operations.logs.filters import (
    account_policies,
    embedded_metrics,
    group_filters,
    metric_filters,
    metric_points,
    service_meters,
    subscription_filters,
)
from cumulo.services.operations.logs.filters.group_filters import F
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.groups.groups import STANDARD
from cumulo.services.operations.logs.groups.streams import STREAMS
from cumulo.services.operations.logs.lines import INDEX_BITS, Line
from cumulo.services.operations.logs.protection import audits, data_protection
from cumulo.services.operations.logs.stored import blocks, reading
from cumulo.services.operations.logs.stored.reading import Reading
from cumulo.services.operations.logs.transformation import transformers

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.filters.embedded_metrics import Embedded
    from cumulo.services.operations.logs.filters.metric_filters import MetricFilter
    from cumulo.services.operations.logs.filters.subscription_filters import SubscriptionFilter
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.groups.streams import Stream
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.services.operations.logs.transformation.pipelines import Pipeline

NOTES = Space("logs.followed", scope=GLOBAL)  # group, stream, serial of batches whose followers have not been served
DATA_BYTES = 240_000  # of base64 in the event of one invocation
METRICS = 1000  # in one PutMetricData
REPORTS = 500  # that one task brings to their log group
_THROTTLED = ("TooManyRequestsException", "ThrottlingException", "EC2ThrottledException")
DAY_ATTEMPTS = 34  # with at most an hour between them: a delivery is tried for a day (User Guide, "Subscriptions")


class _Followers(NamedTuple):
    """What follows the batches of a group, and what masks them for it."""

    metric_filters: list[MetricFilter]
    subscriptions: list[SubscriptionFilter]
    of_account: list[SubscriptionFilter]
    masks: Masks | None
    pipeline: Pipeline | None


class _Work(NamedTuple):
    """What follows a batch: data of metrics by namespace, documents for subscribers, reports by their log group."""

    metrics: dict[str, list[Any]]
    embedded: Embedded | None
    deliveries: list[_Delivery]
    reports: dict[str, list[dict[str, Any]]]


class _Delivery(NamedTuple):
    """A packed document (base64) for a subscriber."""

    subscription: SubscriptionFilter
    data: str
    events: int
    of_account: bool


def note(ctx: Context, group: Group, stream: Stream, text: str) -> None:
    """A batch of messages (`text` is all of them) came: remember it if anything follows."""
    is_standard = group.log_class == STANDARD
    if not (
        group.subscriptions
        or group.metric_filters
        or (is_standard and (embedded_metrics.MARK in text or _is_protected(ctx, group)))
        or account_policies.subscriptions(ctx, group)
    ):
        return
    ctx.txn.put(NOTES.key(ctx, group.id, stream.id, stream.serial), b"")
    payload = {"group": group.id.hex(), "stream": stream.name, "id": stream.id.hex(), "serial": stream.serial}
    ctx.later(follow, payload, lane=f"logs {stream.id.hex()}")


def _is_protected(ctx: Context, group: Group) -> bool:
    return data_protection.current(ctx, data_protection.account_key(group.account, group.region)) is not None or (
        bool(group.protected) and data_protection.current(ctx, group.id) is not None
    )


@task(attempts=DAY_ATTEMPTS)
async def follow(ctx: Context, payload: dict[str, Any]) -> None:
    """Do what follows a batch."""
    place = (bytes.fromhex(payload["group"]), bytes.fromhex(payload["id"]), int(payload["serial"]))
    found = await ctx.transact(partial(_found, place=place, name=payload["stream"]))
    if found is None:
        return
    group, stream, followers = found
    lines = await _lines(ctx, group, stream, place)
    work = await ctx.in_thread(partial(_worked_out, group, stream, lines, followers, int(ctx.now() * 1000)))
    await ctx.transact(partial(_do, group=group, place=place, work=work))


def _found(ctx: Context, place: tuple[bytes, bytes, int], name: str) -> tuple[Group, Stream, _Followers] | None:
    group = groups.by_id(ctx, place[0])
    stream = STREAMS.peek(ctx, place[0], name) if group is not None else None
    if group is None or stream is None or stream.id != place[1] or ctx.txn.get(NOTES.key(ctx, *place)) is None:
        ctx.txn.delete(NOTES.key(ctx, *place))
        return None
    followers = _Followers(
        _selecting(metric_filters.of_group(ctx, group), group) if group.metric_filters else [],
        _selecting(subscription_filters.of_group(ctx, group), group) if group.subscriptions else [],
        account_policies.subscriptions(ctx, group),
        data_protection.masks_of(ctx, group),
        transformers.of_group(ctx, group, account_policies.transformer(ctx, group)),
    )
    return group, stream, followers


def _selecting(found: list[F], group: Group) -> list[F]:
    return [each for each in found if group_filters.selects(each, group)]


async def _lines(ctx: Context, group: Group, stream: Stream, place: tuple[bytes, bytes, int]) -> list[Line]:
    """The batch's events: of its block, or of the segment that it went into meanwhile."""
    block = await ctx.transact(lambda ctx: blocks.one(ctx, group, stream, place[2]))
    if block is not None:
        return await ctx.transact(lambda ctx: blocks.lines_of(ctx, group, block, stream.name, 0, reading.EVER))
    lines = await reading.read(ctx, Reading(group, (stream,), limit=1 << 30, most_bytes=1 << 30))
    return [line for line in lines if line.sequence >> INDEX_BITS == place[2]]


def _worked_out(group: Group, stream: Stream, lines: Sequence[Line], followers: _Followers, now_ms: int) -> _Work:
    metrics: dict[str, list[Any]] = {}
    reports: dict[str, list[dict[str, Any]]] = {}
    embedded = embedded_metrics.extracted(lines, now_ms) if group.log_class == STANDARD else None
    if followers.masks is not None:
        audit = audits.of_lines(group, lines, followers.masks, now_ms)
        reports = audit.reports
        if audit.minutes:
            metrics[service_meters.NAMESPACE] = _counted(group, audit.minutes)
        lines = followers.masks.lines(lines)
    changed = transformers.transformed(followers.pipeline, group, lines) if followers.pipeline is not None else lines
    for each in followers.metric_filters:
        seen = changed if each.on_transformed else lines
        system = {name: group_filters.fields_of(group)[name] for name in each.system_fields}
        data = metric_points.of_filter(metric_filters.pattern_of(each), each.transformation, seen, system)
        if data:
            metrics.setdefault(each.transformation["metricNamespace"], []).extend(data)
    deliveries: list[_Delivery] = []
    for subscription in followers.subscriptions:
        deliveries += _deliveries(group, stream, changed if subscription.on_transformed else lines, subscription)
    for subscription in followers.of_account:
        deliveries += _deliveries(group, stream, lines, subscription, of_account=True)
    return _Work(metrics, embedded, deliveries, reports)


def _counted(group: Group, minutes: dict[int, int]) -> list[Any]:
    """How many events held sensitive data, minute by minute: the metric LogEventsWithFindings."""
    dimensions = [{"Name": "LogGroupName", "Value": group.name}, {"Name": "DataProtectionOperation", "Value": "Audit"}]
    return [
        {"MetricName": "LogEventsWithFindings", "Dimensions": dimensions, "Timestamp": minute * 60.0, "Value": count}
        for minute, count in minutes.items()
    ]


def _deliveries(
    group: Group, stream: Stream, lines: Sequence[Line], subscription: SubscriptionFilter, *, of_account: bool = False
) -> list[_Delivery]:
    pattern = patterns.read(subscription.pattern)
    system = {name: group_filters.fields_of(group)[name] for name in subscription.system_fields}
    chosen = []
    for line in lines:
        if pattern.matches(line.message):
            event: dict[str, Any] = {"id": line.event_id, "timestamp": line.timestamp, "message": line.message}
            fields = {key[1:]: value for key, value in pattern.extracted(line.message).items()}
            if pattern.names is not None or system:
                event["extractedFields"] = {**fields, **system}
            chosen.append(event)
    if not chosen:
        return []
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": group.account,
        "logGroup": group.name,
        "logStream": stream.name,
        "subscriptionFilters": [subscription.name],
        "logEvents": chosen,
    }
    if of_account:
        document["policyLevel"] = "ACCOUNT_LEVEL_POLICY"
    return [_Delivery(subscription, data, events, of_account) for data, events in packed(document)]


def packed(document: dict[str, Any]) -> list[tuple[str, int]]:
    """A document as subscribers get it, and its number of events: gzip in base64; several where one is too large."""
    data = b64encode(gzip.compress(msgspec.json.encode(document), 6, mtime=0)).decode()
    events = document["logEvents"]
    if len(data) <= DATA_BYTES or len(events) == 1:
        return [(data, len(events))]
    half = len(events) // 2
    return [*packed({**document, "logEvents": events[:half]}), *packed({**document, "logEvents": events[half:]})]


def _do(ctx: Context, group: Group, place: tuple[bytes, bytes, int], work: _Work) -> None:
    key = NOTES.key(ctx, *place)
    if ctx.txn.get(key) is None:
        return  # it was done
    ctx.txn.delete(key)
    for namespace, data in work.metrics.items():
        put_metrics(ctx, group, namespace, data)
    if work.embedded is not None:
        wrong = work.embedded.validation_errors
        for namespace, data in work.embedded.data.items():
            wrong += put_metrics(ctx, group, namespace, data)
        for name, count in (
            (service_meters.PARSING_ERRORS, work.embedded.parsing_errors),
            (service_meters.VALIDATION_ERRORS, wrong),
        ):
            service_meters.add(ctx, group, name, float(count), LogGroupName=group.name)
    for delivery in work.deliveries:
        destination = delivery.subscription.destination
        payload = {
            "group": group.arn,
            "destination": destination,
            "data": delivery.data,
            "events": delivery.events,
            "filter": delivery.subscription.name,
            "of_account": delivery.of_account,
        }
        ctx.later(deliver, payload, lane=f"logs to {destination}")
    for name, reports in work.reports.items():
        about = {"group": group.arn, "to": name, "at_ms": int(ctx.now() * 1000)}
        for at in range(0, len(reports), REPORTS):
            some = reports[at : at + REPORTS]
            ctx.later(deliver_reports, {**about, "reports": some}, lane=f"logs findings {group.id.hex()}")


def put_metrics(ctx: Context, group: Group, namespace: str, data: Sequence[Any]) -> int:
    """Put points of metrics in the group's account; how many of them CloudWatch refuses (for names, units, times)."""
    refused = 0
    for at in range(0, len(data), METRICS):
        found = _put_metrics(ctx, group, {"Namespace": namespace, "MetricData": data[at : at + METRICS]})
        if found is not None:
            refused += found[0]
            ctx.logger.warning("%s makes %d points less in %s: %s", group.arn, found[0], namespace, found[1])
    return refused


def _put_metrics(ctx: Context, group: Group, request: dict[str, Any]) -> tuple[int, str] | None:
    """How many points are refused and why the last one is; one that is leaves the others as they are."""
    data = request["MetricData"]
    owner = {"account": group.account, "region": group.region}
    try:
        ctx.call("cloudwatch", "PutMetricData", request, service="logs", internal=True, **owner)
    except Fault as fault:
        half = len(data) // 2
        if not half:
            return 1, fault.message
        parts = [_put_metrics(ctx, group, {**request, "MetricData": part}) for part in (data[:half], data[half:])]
        found = [part for part in parts if part is not None]
        return sum(count for count, _ in found), found[-1][1] if found else fault.message
    return None


@task(attempts=DAY_ATTEMPTS)
def deliver(ctx: Context, payload: dict[str, Any]) -> None:
    """Invoke a subscribed function with what was packed for it.

    What went wrong on the way is tried again, what is refused is not. Source: User Guide, "Monitoring with CloudWatch
    metrics", DeliveryErrors.
    """
    event = msgspec.json.encode({"awslogs": {"data": payload["data"]}})
    request = {"InvocationType": "Event", "Payload": event}
    account, region, name = _group_of(payload["group"])
    owner = service_meters.Owner(account, region)
    dimensions = service_meters.of_subscription(name, payload.get("filter", ""), payload.get("of_account", False))
    events = float(payload.get("events", 0))
    try:
        subscription_filters.invoke(ctx, payload["destination"], f"{payload['group']}:*", request)
    except Fault as fault:
        is_throttled = fault.code in _THROTTLED
        metric = service_meters.DELIVERY_THROTTLING if is_throttled else service_meters.DELIVERY_ERRORS
        service_meters.add(ctx, owner, metric, events, **dimensions)
        if is_throttled or not fault.sender:
            raise
        ctx.logger.warning("%s is not delivered to %s: %s", payload["group"], payload["destination"], fault)
        return
    service_meters.add(ctx, owner, service_meters.FORWARDED_EVENTS, events, **dimensions)
    service_meters.add(ctx, owner, service_meters.FORWARDED_BYTES, len(payload["data"]) * 3 / 4, **dimensions)


@task(attempts=DAY_ATTEMPTS)
async def deliver_reports(ctx: Context, payload: dict[str, Any]) -> None:
    """Put reports of findings into the log group that a policy names, as other vended logs: what is refused is lost.

    The name of the stream, which is not documented, is that of the log group where they were found.
    """
    account, region, name = _group_of(payload["group"])
    to = payload["group"].removesuffix(name) + payload["to"]
    delivery = VendedDelivery(payload["group"], "DATA_PROTECTION", "", payload["group"], to, list(audits.FIELDS))
    records = [VendedRecord(payload["at_ms"], report) for report in payload["reports"]]
    await vended_logs.deliver(ctx, delivery, name, records, account=account, region=region)


def _group_of(arn: str) -> tuple[str, str, str]:
    """Account, region and name of a log group's ARN."""
    parts = arn.split(":", 6)
    return parts[4], parts[3], parts[6]
