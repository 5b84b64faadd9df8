"""Items whose time is over: when each expires is noted as it is written, and a reconciler removes those that are due.

An item expires when the number in the table's time-to-live attribute, seconds since 1970, is in the past, by no more
than five years. It is removed like any deletion, which costs no capacity, and the stream names DynamoDB as who did it.
Source: Amazon DynamoDB Developer Guide, "Using time to live (TTL) in DynamoDB". AWS takes up to days, this a minute.

Notes are keys (table id, second, the item's key): what was in the table when time to live was switched on is noted by
a task, some items at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import reconciler, task
from cumulo.core.table import GLOBAL, Space, pack
from cumulo.services.data.dynamodb.stored.stored_items import decode, opened
from cumulo.services.data.dynamodb.tables.tables import ACTIVE, ALL_TABLES, TABLES, TableRecord
from cumulo.services.data.dynamodb.values.attribute_values import Item

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.tables.layouts import Layout

EXPIRIES = Space("dynamodb.expiries", scope=GLOBAL)
OLDEST_S = 5 * 365 * 86_400
_REMOVED = 100
_NOTED = 500
_TABLES = 100
_LATEST = 1 << 62


def second_of(item: Item | None, attribute: str) -> int | None:
    """The last second of an item, None where it has none."""
    if item is None:
        return None
    value = item.get(attribute)
    if value is None or "N" not in value:
        return None
    try:
        second = int(float(value["N"]))
    except OverflowError:
        return None
    return second if 0 <= second < _LATEST else None


def _place(ctx: Context, table_id: str, second: int, key: bytes) -> bytes:
    return EXPIRIES.key(ctx, table_id, second, key)


def note(ctx: Context, table: TableRecord, key: bytes, old: Item | None, new: Item | None) -> None:
    """Keep the note of an item's expiry with what it became."""
    was, now = second_of(old, table.ttl_attribute), second_of(new, table.ttl_attribute)
    if was == now:
        return
    if was is not None:
        ctx.txn.delete(_place(ctx, table.id, was, key))
    if now is not None:
        ctx.txn.put(_place(ctx, table.id, now, key), key)


@task
def note_all(ctx: Context, payload: dict[str, Any]) -> None:
    """Note the expiry of what was in the table before time to live was switched on."""
    from cumulo.services.data.dynamodb.tables.layouts import layout_of

    table = TABLES.peek(ctx, payload["name"], account=payload["account"])
    if table is None or table.id != payload["id"] or table.ttl_attribute != payload["attribute"]:
        return
    layout = layout_of(table)
    begin = layout.place + payload["after"]
    found = ctx.txn.range(begin, layout.place + b"\xff" * 9, limit=_NOTED)
    for key, stored in found:
        note(ctx, table, key[len(layout.place) :], None, decode(opened(ctx, table, stored)))
    if len(found) == _NOTED:
        ctx.later(note_all, {**payload, "after": found[-1][0][len(layout.place) :] + b"\x00"})


def begin(ctx: Context, table: TableRecord) -> None:
    """Start to note when items expire, as time to live is switched on."""
    payload = {"name": table.name, "account": table.account, "id": table.id, "attribute": table.ttl_attribute}
    ctx.later(note_all, {**payload, "after": b""})


def place_of(ctx: Context, table: TableRecord) -> bytes:
    """What all notes of a table start with."""
    return EXPIRIES.key(ctx, table.id)


@reconciler(every_s=60)
async def expire_items(ctx: Context) -> None:
    """Remove what is due, in all tables with time to live."""
    after: bytes | None = b""
    while after is not None:
        start = after
        tables, after = await ctx.transact(lambda ctx, start=start: _some_tables(ctx, start))  # type: ignore[misc]
        for table in tables:
            inner = ctx.runtime.internal_context("dynamodb", "ExpireItems", table.account, table.region)
            while await inner.transact(lambda ctx, table=table: _expire(ctx, table)):  # type: ignore[misc]
                pass


def _some_tables(ctx: Context, after: bytes) -> tuple[list[TableRecord], bytes | None]:
    everywhere = ALL_TABLES.prefix("", "")
    found = ctx.txn.range(max(after, everywhere), everywhere + b"\xff", limit=_TABLES)
    tables = [TABLES.codec.decode(value) for _, value in found]
    due = [table for table in tables if table.ttl_attribute and table.status == ACTIVE]
    return due, found[-1][0] + b"\x00" if len(found) == _TABLES else None


def _expire(ctx: Context, seen: TableRecord) -> bool:
    """Remove some items of a table; whether there may be more."""
    from cumulo.services.data.dynamodb.tables.layouts import layout_of

    table = TABLES.peek(ctx, seen.name)
    if table is None or table.id != seen.id or not table.ttl_attribute:
        return False
    now = ctx.now()
    base = place_of(ctx, table)
    first, last = max(int(now - OLDEST_S), 0), int(now)
    found = ctx.txn.range(base + pack(first), base + pack(last), limit=_REMOVED)
    layout = layout_of(table)
    for place, key in found:
        ctx.txn.delete(place)
        _remove(ctx, layout, key, now)
    return len(found) == _REMOVED


def _remove(ctx: Context, layout: Layout, key: bytes, now: float) -> None:
    from cumulo.services.data.dynamodb.metering.capacity import Usage
    from cumulo.services.data.dynamodb.stored.changes import TIME_TO_LIVE
    from cumulo.services.data.dynamodb.stored.item_writes import find, write

    before = find(ctx, layout, key)
    second = second_of(before.item, layout.record.ttl_attribute)
    if second is not None and second < now:
        write(ctx, layout, key, before, None, 0, Usage(), user_identity=TIME_TO_LIVE)
