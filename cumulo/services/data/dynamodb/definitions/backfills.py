"""Filling a new index with what its table held before: a durable task, some items at a time.

Every write reaches the index from its creation on, so item and entry agree whichever comes first. Meanwhile the index
takes no queries. Items whose attributes cannot be keys of the index are left out, as in any sparse index.
Source: DynamoDB Developer Guide, "Managing Global Secondary Indexes", the two phases of an index's creation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.services.data.dynamodb.stored import item_writes
from cumulo.services.data.dynamodb.stored.stored_items import decode, opened
from cumulo.services.data.dynamodb.tables.layouts import after, layout_of
from cumulo.services.data.dynamodb.tables.tables import ACTIVE, DELETING, TABLES, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context

AT_ONCE = 200


@task
def backfill(ctx: Context, payload: dict[str, Any]) -> None:
    """Copy the next items of the table `account`, `name`, `id` into its `index`; then it is ACTIVE."""
    table = TABLES.peek(ctx, payload["name"], account=payload["account"])
    if table is None or table.id != payload["id"]:
        return
    record = table.index(payload["index"])
    if record is None or record.status == DELETING or not record.backfilling:
        return
    layout = layout_of(table)
    index = layout.index(record.name)
    assert index is not None
    begin: bytes = payload.get("from") or layout.place
    rows = ctx.txn.range(begin, after(layout.place), limit=AT_ONCE)
    for place, kept in rows:
        stored = opened(ctx, table, kept)
        item_writes.fill(ctx, layout, index, place[len(layout.place) :], decode(stored), stored)
    if len(rows) == AT_ONCE:
        ctx.later(backfill, {**payload, "from": rows[-1][0] + b"\x00"})
        return
    record.backfilling, record.status = False, ACTIVE
    keep(ctx, table)
