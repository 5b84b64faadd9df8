"""The data of metrics: one row a metric, period and unit, kept at four resolutions as AWS keeps them.

Rows of 1 s (metrics of high resolution) become rows of 60 s after 3 hours, those become 300 s after 15 days and 3,600 s
after 63 days, which are kept for 455 days. What is asked for counts by its age, however far the rolling has come.
Source: CloudWatch API Reference, GetMetricStatistics.

Who writes takes a row of its own where transactions run side by side, so that services on several nodes put data of
one metric without waiting for each other.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cumulo.core.counters import Slots
from cumulo.core.operation import reconciler
from cumulo.core.table import GLOBAL, Codec, Record, Space, prefix_range
from cumulo.services.operations.cloudwatch.distributions import Distribution, empty
from cumulo.services.operations.cloudwatch.metrics import FRESH_S, METRICS, Metric

if TYPE_CHECKING:
    from cumulo.core.context import Context

HOUR_S, DAY_S = 3600, 86_400
KEPT_S = {1: 3 * HOUR_S, 60: 15 * DAY_S, 300: 63 * DAY_S, 3600: 455 * DAY_S}  # resolution: how long
COARSER = {1: 60, 60: 300, 300: 3600}
_BUCKET_S = {1: HOUR_S, 60: DAY_S, 300: DAY_S, 3600: 7 * DAY_S}  # how much of a metric is rolled at once
_ROLLED_AT_ONCE = 50

# The model's order; a unit is kept as its place, so this list only grows at its end.
UNITS = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
]
UNIT_CODES = {unit: code for code, unit in enumerate(UNITS)}


class Point(Record):
    """What was put for one period (from `start`, in seconds) with one unit."""

    start: int
    unit: int
    values: Distribution


class Due(Record):
    """A metric that has rows of a resolution in some period of time, to be rolled up when that is over."""

    account: str
    region: str
    namespace: str
    name: str
    id: bytes
    resolution: int
    start: int


CODEC = Codec(Point)
POINTS = Space("cloudwatch.points")
DUE = Space("cloudwatch.due", scope=GLOBAL)
DUE_CODEC = Codec(Due)
SLOTS = Slots()

Series = dict[str, dict[int, Distribution]]  # by unit, then by the start of the period


def open_point(ctx: Context, metric: Metric, resolution: int, at: float, unit: int) -> tuple[bytes, Point]:
    """The row for data of that moment, to be changed and given to `keep`, and its key."""
    start = int(at // resolution) * resolution
    key = POINTS.key(ctx, metric.id, resolution, start, unit, SLOTS.of(ctx))
    data = ctx.txn.get(key)
    if data is not None:
        point = CODEC.decode(data)
        if start > metric.last_put_at - FRESH_S:
            return key, point
    else:
        point = Point(start, unit, empty())
        _note_due(ctx, metric, resolution, start, ctx.account, ctx.region)
    known = METRICS.peek(ctx, metric.namespace, metric.name, metric.id)
    if known is None:
        METRICS.put(ctx, metric)
    elif known.last_put_at < metric.last_put_at - FRESH_S:
        known.last_put_at = metric.last_put_at
        METRICS.put(ctx, known)
    return key, point


def keep(ctx: Context, key: bytes, point: Point) -> None:
    """Write a row back."""
    ctx.txn.put(key, CODEC.encode(point))


def _note_due(ctx: Context, metric: Metric | Due, resolution: int, start: int, account: str, region: str) -> None:
    bucket = start // _BUCKET_S[resolution] * _BUCKET_S[resolution]
    due = Due(account, region, metric.namespace, metric.name, metric.id, resolution, bucket)
    ctx.txn.put(DUE.key(ctx, resolution, bucket, account, region, metric.id), DUE_CODEC.encode(due))


def read(ctx: Context, metric_id: bytes, start: int, end: int, period: int, unit: str | None = None) -> Series:
    """What was put from start to end, both in seconds, by unit and by period; periods begin at `start`."""
    now = ctx.now()
    wanted = None if unit is None else UNIT_CODES[unit]
    series: Series = {}
    for resolution in KEPT_S:
        begin = POINTS.key(ctx, metric_id, resolution, start)
        stop = POINTS.key(ctx, metric_id, resolution, end)
        for _, data in ctx.txn.range(begin, stop):
            point = CODEC.decode(data)
            if (wanted is not None and point.unit != wanted) or not _available(point.start, resolution, period, now):
                continue
            periods = series.setdefault(UNITS[point.unit], {})
            place = start + (point.start - start) // period * period
            found = periods.get(place)
            if found is None:
                periods[place] = point.values
            else:
                found.merge(point.values)
    return series


def _available(start: int, resolution: int, period: int, now: float) -> bool:
    """Whether data of that age can be seen in periods of that length."""
    age = now - start
    while resolution in COARSER and age > KEPT_S[resolution]:
        resolution = COARSER[resolution]
    return period % resolution == 0 and age <= KEPT_S[resolution]


@reconciler(every_s=300)
async def roll_points(ctx: Context) -> None:
    """Gather rows that are older than their resolution is kept for, and drop those that are older than all."""
    for resolution in KEPT_S:
        while due := await ctx.transact(partial(_due, resolution=resolution)):
            for one in due:
                await ctx.transact(partial(_roll, due=one))


def _due(ctx: Context, resolution: int) -> list[Due]:
    until = int(ctx.now()) - KEPT_S[resolution] - _BUCKET_S[resolution]
    begin, _ = prefix_range(DUE.key(ctx, resolution))
    rows = ctx.txn.range(begin, DUE.key(ctx, resolution, max(until, 0)), limit=_ROLLED_AT_ONCE)
    return [DUE_CODEC.decode(data) for _, data in rows]


def _roll(ctx: Context, due: Due) -> None:
    resolution, place = due.resolution, {"account": due.account, "region": due.region}
    coarser = COARSER.get(resolution)
    begin = POINTS.key(ctx, due.id, resolution, due.start, **place)
    end = POINTS.key(ctx, due.id, resolution, due.start + _BUCKET_S[resolution], **place)
    gathered: dict[tuple[int, int], Distribution] = {}
    for key, data in ctx.txn.range(begin, end):
        ctx.txn.delete(key)
        if coarser is None:
            continue
        point = CODEC.decode(data)
        at = point.start // coarser * coarser, point.unit
        if at in gathered:
            gathered[at].merge(point.values)
        else:
            gathered[at] = point.values
    for (start, unit), values in gathered.items():
        key = POINTS.key(ctx, due.id, coarser or 0, start, unit, SLOTS.of(ctx), **place)
        found = ctx.txn.get(key)
        if found is not None:
            values.merge(CODEC.decode(found).values)
        else:
            _note_due(ctx, due, coarser or 0, start, due.account, due.region)
        ctx.txn.put(key, CODEC.encode(Point(start, unit, values)))
    ctx.txn.delete(DUE.key(ctx, resolution, due.start, due.account, due.region, due.id))
    if coarser is None:
        metric = METRICS.peek(ctx, due.namespace, due.name, due.id, **place)
        if metric is not None and metric.last_put_at < ctx.now() - KEPT_S[3600]:
            METRICS.delete(ctx, metric, **place)
