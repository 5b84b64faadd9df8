"""Throttling: what a table may consume, and the refusal of what is beyond. Off unless the setting `throttling` is on.

Each table and each global index has a store of read units and one of write units that fills at its provisioned rate and
holds 300 seconds of it: bursts. What is hot within a table has all of the table's throughput, up to what one
partition can do: 3,000 read and 1,000 write units a second for one partition key (adaptive capacity, isolated at
once). On demand a table starts with 12,000 and 4,000 units a second and takes twice its last peak within 30 minutes,
up to 40,000; its own maximum, if it has one, holds.

A call is admitted while there is something left, and what it takes beyond that is owed. Kept in this process's memory,
each node for itself.
Sources: DynamoDB Developer Guide, "Burst and adaptive capacity", "On-demand capacity mode", "Throttling in DynamoDB";
API Reference, ThrottlingReason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import PROVISIONED_THROUGHPUT_EXCEEDED, THROTTLING
from cumulo.services.data.dynamodb.metering import consumption, key_insights
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.tables import PAY_PER_REQUEST, Throughput

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.metering.capacity import Usage
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.values.attribute_values import Item

BURST_S = 300.0
PARTITION_READS, PARTITION_WRITES = 3000.0, 1000.0
FIRST_READS, FIRST_WRITES = 12_000.0, 4_000.0
MOST = 40_000.0
PEAK_S = 1800.0
_REMEMBERED = 100_000

_MEMORY = "dynamodb.throughput"
_ON_DEMAND = (
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or "
    "index so please try again shortly. If exceptions persist, check if you have a hot key: "
    "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"
)
_INDEX = (
    "The level of configured provisioned throughput for one or more global secondary indexes of the table was "
    "exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the "
    "UpdateTable API"
)


class Bucket:
    """Units that fill up at a rate, in units a second, and are drawn from. Times are cloud time in seconds."""

    __slots__ = ("at", "left", "peak", "peaked_at", "second", "taken")

    def __init__(self, full: float, now: float) -> None:
        self.left = full
        self.at = now
        self.peak = 0.0
        self.peaked_at = now
        self.second = 0
        self.taken = 0.0

    def fill(self, rate: float, burst_s: float, now: float) -> float:
        """What is left at this time."""
        self.left = min(self.left + max(now - self.at, 0.0) * rate, rate * burst_s)
        self.at = now
        return self.left

    def draw(self, units: float, now: float) -> None:
        """Take units; the most that were taken in a second are the peak."""
        self.left -= units
        if self.second != int(now):
            self.second, self.taken = int(now), 0.0
        self.taken += units
        if self.taken >= self.peak or now - self.peaked_at > PEAK_S:
            self.peak, self.peaked_at = self.taken, now


class _Draft:
    """One thing that a call draws from, and the words of a refusal."""

    __slots__ = ("burst_s", "error", "place", "rate", "reason", "units")

    def __init__(
        self, place: tuple[str, ...], rate: float, burst_s: float, units: float, error: Fault, reason: dict[str, str]
    ) -> None:
        self.place = place
        self.rate = rate
        self.burst_s = burst_s
        self.units = units
        self.error = error
        self.reason = reason


def charge(ctx: Context, layout: Layout, usage: Usage, *partitions: bytes) -> None:
    """Draw what a call took from its table and indexes, or refuse it; `partitions` are the partition keys it touched.

    Only where `ctx.runtime.throttling`.
    """
    memory: dict[tuple[str, ...], Bucket] = ctx.runtime.memory.setdefault(_MEMORY, {})
    now = ctx.now()
    drafts = _drafts(layout, usage, partitions, memory)
    for draft in drafts:
        bucket = memory.get(draft.place)
        if bucket is None:
            if len(memory) >= _REMEMBERED:
                memory.clear()
            bucket = memory[draft.place] = Bucket(draft.rate * draft.burst_s, now)
        if bucket.fill(draft.rate, draft.burst_s, now) <= 0:
            # The model spells the same member in two ways.
            member = "throttlingReasons" if draft.error.code == THROTTLING.code else "ThrottlingReasons"
            draft.error.members = {member: [draft.reason]}
            consumption.throttled(ctx, layout, draft.place[1], usage.reads)
            raise draft.error

    # At once, for the next item of the same batch: a transaction that has to run again on PostgreSQL draws again.
    for draft in drafts:
        drawn = memory.get(draft.place)
        if drawn is not None:
            drawn.draw(draft.units, now)


def charge_key(ctx: Context, layout: Layout, usage: Usage, values: Item) -> None:
    """Draw what a call took for the item whose key is among the values; its key is noted where it is refused."""
    try:
        charge(ctx, layout, usage, item_keys.hash_bytes(layout, values))
    except Fault:
        if layout.insights:
            key_insights.throttled(ctx, layout, values)
        raise


def _drafts(
    layout: Layout, usage: Usage, partitions: tuple[bytes, ...], memory: dict[tuple[str, ...], Bucket]
) -> list[_Draft]:
    table = layout.record
    on_demand = table.billing_mode == PAY_PER_REQUEST
    verb = "Read" if usage.reads else "Write"
    drafts = []
    units = usage.table + sum(usage.locals.values(), 0.0)
    parts: list[tuple[str, float, Throughput | None]] = [("", units, table.throughput)] if units else []
    for name, index_units in usage.globals.items():
        index = table.index(name)
        parts.append((name, index_units, index.throughput if index is not None else None))
    for name, taken, throughput in parts:
        place = (table.id, name, verb)
        resource = f"{table.arn}/index/{name}" if name else table.arn
        kind = "Index" if name else "Table"
        if on_demand:
            rate, limit = _on_demand_rate(throughput, usage.reads, memory.get(place))
            reason = {"reason": f"{kind}{verb}{limit}Exceeded", "resource": resource}
            drafts.append(_Draft(place, rate, 1.0, taken, THROTTLING(_ON_DEMAND), reason))
        elif throughput is not None:
            rate = float(throughput.read if usage.reads else throughput.write)
            reason = {"reason": f"{kind}{verb}ProvisionedThroughputExceeded", "resource": resource}
            error = PROVISIONED_THROUGHPUT_EXCEEDED(_INDEX) if name else PROVISIONED_THROUGHPUT_EXCEEDED()
            drafts.append(_Draft(place, rate, BURST_S, taken, error, reason))
    rate = PARTITION_READS if usage.reads else PARTITION_WRITES
    for partition in partitions:
        reason = {"reason": f"Table{verb}KeyRangeThroughputExceeded", "resource": table.arn}
        error = THROTTLING(_ON_DEMAND) if on_demand else PROVISIONED_THROUGHPUT_EXCEEDED()
        hot = (table.id, "", verb, partition.hex())
        drafts.append(_Draft(hot, rate, 1.0, usage.table / len(partitions), error, reason))
    return drafts


def _on_demand_rate(throughput: Throughput | None, reads: bool, bucket: Bucket | None) -> tuple[float, str]:
    """Units a second that a table on demand takes now, and what sets that limit."""
    first = FIRST_READS if reads else FIRST_WRITES
    rate = min(max(first, 2 * bucket.peak if bucket is not None else 0.0), MOST)
    if throughput is not None:
        own = throughput.maximum_read if reads else throughput.maximum_write
        if 0 < own < rate:
            return float(own), "MaxOnDemandThroughput"
    return rate, "AccountLimit" if rate == MOST else "KeyRangeThroughput"


def refused(fault: Any) -> bool:
    """Whether a fault is one of these."""
    return getattr(fault, "code", "") in (PROVISIONED_THROUGHPUT_EXCEEDED.code, THROTTLING.code)
