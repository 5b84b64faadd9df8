"""Who uses a table's keys: counted in memory while insights are on, and told to CloudWatch's rules every ten seconds.

A key that is read or written contributes its read units and three times its write units; one that is throttled
contributes one. A Query counts for its partition key. What PartiQL statements do and what expires is not counted. What
was counted in the last seconds is lost with a crash.
Source: DynamoDB Developer Guide, "CloudWatch Contributor Insights for DynamoDB: How it works".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.monitoring import insight_rules
from cumulo.core.monitoring.insight_rules import RULES, ContributionMinute
from cumulo.core.operation import reconciler
from cumulo.services.data.dynamodb.tables.table_access import text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.tables import InsightsRecord

WRITE_FACTOR = 3
FLUSH_S = 10
ACCESSED_PARTITIONS, ACCESSED_ITEMS, THROTTLED_PARTITIONS, THROTTLED_ITEMS = "PKC", "SKC", "PKT", "SKT"

_MEMORY = "dynamodb.insights"
_STATEMENTS = frozenset(("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"))

Keys = tuple[str, ...]
Rule = tuple[str, str, str, bytes]  # account, region, name, id
Pending = dict[tuple[Rule, int], dict[Keys, list[float]]]  # by rule and minute: total, count, least, most


def accessed(ctx: Context, layout: Layout, index: str, values: Mapping[str, Any], units: float) -> None:
    """Count units for the key that is among the values, once this transaction is kept; `index` is "" for the table.

    Call it only where `layout.insights`.
    """
    setting = layout.insights.get(index)
    if setting is not None and ctx.operation not in _STATEMENTS:
        kinds = ACCESSED_PARTITIONS, ACCESSED_ITEMS
        ctx.txn.on_commit(partial(_count, ctx, _contributions(layout, setting, kinds, values), units))


def written(ctx: Context, layout: Layout, index: str, values: Mapping[str, Any], units: float) -> None:
    """Count write units for a key."""
    accessed(ctx, layout, index, values, WRITE_FACTOR * units)


def throttled(ctx: Context, layout: Layout, values: Mapping[str, Any]) -> None:
    """Count a key of the table that was refused, at once: the transaction comes to nothing."""
    setting = layout.insights.get("")
    if setting is not None and ctx.operation not in _STATEMENTS:
        kinds = THROTTLED_PARTITIONS, THROTTLED_ITEMS
        _count(ctx, _contributions(layout, setting, kinds, values), 1.0)


def _contributions(
    layout: Layout, setting: InsightsRecord, kinds: tuple[str, str], values: Mapping[str, Any]
) -> list[tuple[Rule, Keys]]:
    """The rules that hear of a key, and how they call it."""
    table = layout.record
    index = layout.index(setting.index) if setting.index else None
    schema = index.schema if index is not None else layout.schema
    hashes = tuple([text_of(values[name]) for name in schema.hashes])
    found: list[tuple[Rule, Keys]] = []
    for kind, name, rule_id in setting.rules:
        rule = table.account, table.region, name, rule_id
        if kind == kinds[0]:
            found.append((rule, hashes))
        elif kind == kinds[1] and all(name in values for name in schema.ranges):
            found.append((rule, (*hashes, *[text_of(values[name]) for name in schema.ranges])))
    return found


def _count(ctx: Context, contributions: list[tuple[Rule, Keys]], units: float) -> None:
    pending = pending_of(ctx.runtime)
    minute = int(ctx.now()) // 60 * 60
    for rule, keys in contributions:
        counted = pending.setdefault((rule, minute), {})
        known = counted.get(keys)
        if known is None:
            counted[keys] = [units, 1.0, units, units]
        else:
            known[0] += units
            known[1] += 1.0
            known[2] = min(known[2], units)
            known[3] = max(known[3], units)


def pending_of(runtime: Runtime) -> Pending:
    """What this node has counted and not told yet; told at the latest when the cloud closes."""
    pending: Pending | None = runtime.memory.get(_MEMORY)
    if pending is None:
        pending = runtime.memory[_MEMORY] = {}

        async def close() -> None:
            await tell_insights(runtime.internal_context("dynamodb", "tell_insights", "", ""))

        runtime.on_close.append(close)
    return pending


@reconciler(every_s=FLUSH_S)
async def tell_insights(ctx: Context) -> None:
    """Tell CloudWatch's rules what was counted since the last time."""
    pending = pending_of(ctx.runtime)
    counted = pending.copy()
    pending.clear()
    if counted:
        await ctx.transact(partial(_tell, counted=counted))


def _tell(ctx: Context, counted: Pending) -> None:
    for ((account, region, name, rule_id), start), contributors in counted.items():
        kept = RULES.peek(ctx, name, account=account, region=region)
        if kept is None or kept.id != rule_id:  # the insights were switched off meanwhile
            continue
        minute = ContributionMinute(start, [])
        for keys, (total, count, low, high) in contributors.items():
            minute.add(keys, total, count, low, high)
        insight_rules.contribute(ctx, rule_id, minute, account=account, region=region)
