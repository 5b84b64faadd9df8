"""What a table does by itself: it becomes ACTIVE after it was made or changed, and goes after it was deleted.

Each state is really there, and is left by a task as soon as that has its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.core.table import GLOBAL, Space, pack
from cumulo.services.data.dynamodb.stored import expirations, replication, streams, undo_log
from cumulo.services.data.dynamodb.tables.tables import (
    ACTIVE,
    COUNTS,
    CREATING,
    DELETING,
    INSIGHTS_DISABLED,
    INSIGHTS_DISABLING,
    INSIGHTS_ENABLED,
    INSIGHTS_ENABLING,
    TABLES,
    UPDATING,
    TableRecord,
    keep,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

ITEMS = Space("dynamodb.items", scope=GLOBAL).prefix("", "")  # as layouts.py has them
INDEX = Space("dynamodb.index", scope=GLOBAL).prefix("", "")
_SWEPT = 1000

# What else goes with a table (None) or with an index of that name.
ON_REMOVAL: list[Callable[[Context, TableRecord, str | None], None]] = []


def find(ctx: Context, payload: dict[str, Any]) -> TableRecord | None:
    """The table that a task is about; None when it is gone, whatever has its name now."""
    table = TABLES.peek(ctx, payload["name"], account=payload["account"])
    return table if table is not None and table.id == payload["id"] else None


@task
def settle(ctx: Context, payload: dict[str, Any]) -> None:
    """Leave the states in which nothing is waited for."""
    table = find(ctx, payload)
    if table is None:
        return
    if table.status == DELETING:
        if not table.copies:
            _go(ctx, table)
        return
    if table.status in (CREATING, UPDATING) and not table.filling and not table.leaving:
        table.status = ACTIVE
    table.throughput.warm_asked = False
    for index in table.indexes:
        if index.status == DELETING:
            ctx.later(sweep, {"prefix": INDEX + pack(table.id, index.name, index.mark)})
            COUNTS.forget(ctx, table.id, index.name)
            for removed in ON_REMOVAL:
                removed(ctx, table, index.name)
        elif index.status == UPDATING:
            index.status = ACTIVE
    table.indexes = [index for index in table.indexes if index.status != DELETING]
    keys = {*table.key_attributes, *(name for index in table.indexes for name in (*index.hash_keys, *index.range_keys))}
    table.attribute_types = {name: kind for name, kind in table.attribute_types.items() if name in keys}
    for setting in table.insights:
        if setting.status == INSIGHTS_ENABLING:
            setting.status = INSIGHTS_ENABLED
        elif setting.status == INSIGHTS_DISABLING:
            setting.status = INSIGHTS_DISABLED
    keep(ctx, table)


def _go(ctx: Context, table: TableRecord) -> None:
    """Drop a table; its items are swept some at a time."""
    streams.disable(ctx, table)
    for removed in ON_REMOVAL:
        removed(ctx, table, None)
    TABLES.delete(ctx, table, account=table.account)
    COUNTS.forget(ctx, table.id, "")
    for index in table.indexes:
        COUNTS.forget(ctx, table.id, index.name)
    ctx.later(sweep, {"prefix": ITEMS + pack(table.id)})
    ctx.later(sweep, {"prefix": INDEX + pack(table.id)})
    ctx.later(sweep, {"prefix": expirations.place_of(ctx, table)})
    ctx.later(sweep, {"prefix": undo_log.LOG.key(ctx, table.id)})
    for prefix in replication.forget(ctx, table):
        ctx.later(sweep, {"prefix": prefix})


@task
def sweep(ctx: Context, payload: dict[str, Any]) -> None:
    """Drop what lies under a prefix of keys that nothing refers to, some at a time."""
    prefix: bytes = payload["prefix"]
    found = ctx.txn.range(prefix, prefix + b"\xff" * 9, limit=_SWEPT)
    for key, _ in found:
        ctx.txn.delete(key)
    if len(found) == _SWEPT:
        ctx.later(sweep, payload)
