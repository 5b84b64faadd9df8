"""DynamoDB's metrics of tables: what is consumed, found and refused.

A call that has to run again, after a conflict on a distributed store, is counted once; what expires consumes nothing.
Source: DynamoDB Developer Guide, "DynamoDB metrics and dimensions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.monitoring import service_metrics
from cumulo.core.monitoring.service_metrics import Series

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.metering.capacity import Usage
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.tables import TableRecord

NAMESPACE = "AWS/DynamoDB"
_KEY = "dynamodb.consumption"
_MOST = 10_000


class Meters:
    """The metrics of one table; `more` holds those that few tables have, by name and dimensions."""

    __slots__ = ("_ctx_of", "_table", "more", "reads", "writes")

    def __init__(self, ctx: Context, table: TableRecord) -> None:
        self._table = table
        self._ctx_of = service_metrics.of(ctx.runtime)
        self.more: dict[tuple[str, str, str], Series] = {}
        self.reads = self._series("ConsumedReadCapacityUnits", {})
        self.writes = self._series("ConsumedWriteCapacityUnits", {})

    def _series(self, name: str, dimensions: dict[str, str]) -> Series:
        table = self._table
        named = {"TableName": table.name, **dimensions}
        return self._ctx_of.series(table.account, table.region, NAMESPACE, name, "Count", named)

    def other(self, name: str, *, index: str = "", operation: str = "") -> Series:
        """The series of this name, of an index or of an operation."""
        key = name, index, operation
        found = self.more.get(key)
        if found is None:
            dimensions = {"GlobalSecondaryIndexName": index} if index else {}
            if operation:
                dimensions["Operation"] = operation
            found = self.more[key] = self._series(name, dimensions)
        return found


def of(ctx: Context, layout: Layout) -> Meters:
    """The metrics of a table."""
    tables: dict[str, Meters] | None = ctx.runtime.memory.get(_KEY)
    if tables is None:
        tables = ctx.runtime.memory[_KEY] = {}
    table = layout.record
    found = tables.get(table.id)
    if found is None:
        if len(tables) >= _MOST:
            tables.clear()
        found = tables[table.id] = Meters(ctx, table)
    return found


def read(ctx: Context, layout: Layout, units: float) -> None:
    """Count what reading by key took."""
    if ctx.tries <= 1:
        of(ctx, layout).reads.add(units)


def wrote(ctx: Context, layout: Layout, units: float) -> None:
    """Count what writing an item took."""
    if ctx.tries <= 1:
        of(ctx, layout).writes.add(units)


def wrote_entry(ctx: Context, layout: Layout, index: str, units: float) -> None:
    """Count what writing to a global index took."""
    if ctx.tries <= 1:
        of(ctx, layout).other("ConsumedWriteCapacityUnits", index=index).add(units)


def looked(ctx: Context, layout: Layout, usage: Usage, operation: str, count: int) -> None:
    """Count what a Query or Scan took, and how many items it gave; a statement (operation "") says only the first."""
    if ctx.tries > 1:
        return
    meters = of(ctx, layout)
    units = usage.table + sum(usage.locals.values(), 0.0)
    if units:
        meters.reads.add(units)
    for index, taken in usage.globals.items():
        meters.other("ConsumedReadCapacityUnits", index=index).add(taken)
    if operation:
        meters.other("ReturnedItemCount", operation=operation).add(float(count))


def refused_condition(ctx: Context, layout: Layout) -> None:
    """Count a write whose condition did not hold."""
    of(ctx, layout).other("ConditionalCheckFailedRequests").add(1.0)


def throttled(ctx: Context, layout: Layout, index: str, reads: bool) -> None:
    """Count what was refused for want of throughput, of the table or of a global index."""
    meters = of(ctx, layout)
    meters.other("ReadThrottleEvents" if reads else "WriteThrottleEvents", index=index).add(1.0)
    meters.other("ThrottledRequests", operation=ctx.operation).add(1.0)
