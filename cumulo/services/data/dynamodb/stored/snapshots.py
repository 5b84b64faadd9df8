"""Copies of whole tables as they were at one moment, made some items at a time while the table goes on changing.

A copy is made by a chain of tasks. Each first reads what the undo log has noted since the one before: an item that was
changed after the moment is taken from the log, from its first change, and marked; then it copies some more items that
are not marked. So every item ends up as it was at the moment, whenever it was changed or copied. A table is not gone
before its copies are done. What is to be done with a copy then is a continuation: a backup keeps it, a restore fills a
table from it, an export writes it to S3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.core.table import GLOBAL, Record, Space, Table, pack
from cumulo.services.data.dynamodb.stored import replication, settling, undo_log
from cumulo.services.data.dynamodb.stored.stored_items import size_of
from cumulo.services.data.dynamodb.tables.tables import DELETING, TABLES, TableRecord, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context

_ENTRIES = 500
_ITEMS = 500
END = b"\xff" * 9
ITEMS = Space("dynamodb.snapshot_items", scope=GLOBAL)  # (snapshot id, item key) → the item's bytes
MARKS = Space("dynamodb.snapshot_marks", scope=GLOBAL)  # (snapshot id, item key), while it is being made


class Snapshot(Record):
    """A copy. `number` is the last change that it has; `position` the next of the log; `cursor` the next item."""

    id: str
    account: str
    region: str
    table: str
    table_id: str
    number: int
    position: int
    then: str  # the continuation, by name
    payload: dict[str, Any]
    cursor: bytes = b""
    done: bool = False
    count: int = 0
    size: int = 0


SNAPSHOTS = Table(Snapshot, name="dynamodb.snapshots", key="id", scope=GLOBAL)

# By name what follows a copy that is done, in the transaction that ended it. Filled by those modules.
CONTINUATIONS: dict[str, Callable[[Context, Snapshot], None]] = {}


def begin(ctx: Context, table: TableRecord, then: str, payload: dict[str, Any], number: int | None = None) -> Snapshot:
    """Start to copy a table as it was at a number of its log, which must be kept since then; or as it is now."""
    table.copies += 1
    keep(ctx, table)
    if number is None:
        number = undo_log.next_number(ctx, table.id)
    snapshot = Snapshot(
        ctx.uuid(), table.account, table.region, table.name, table.id, number, number + 1, then, payload
    )
    SNAPSHOTS.put(ctx, snapshot)
    ctx.later(copy, {"id": snapshot.id})
    return snapshot


@task
def copy(ctx: Context, payload: dict[str, Any]) -> None:
    """Copy some more items of a table."""
    snapshot = SNAPSHOTS.peek(ctx, payload["id"])
    if snapshot is None or snapshot.done:
        return
    if _follow(ctx, snapshot) and _copy(ctx, snapshot):
        _end(ctx, snapshot)
    else:
        ctx.later(copy, payload)
    SNAPSHOTS.put(ctx, snapshot)


def _follow(ctx: Context, snapshot: Snapshot) -> bool:
    """Take what was changed since from the log; whether that was all."""
    entries, snapshot.position = undo_log.read(ctx, snapshot.table_id, snapshot.position, _ENTRIES)
    for entry in entries:
        mark = MARKS.key(ctx, snapshot.id, entry.key)
        if ctx.txn.get(mark) is not None:
            continue
        ctx.txn.put(mark, b"")
        _forget(ctx, snapshot, entry.key)  # the item may have been copied, changed by this very entry or before it
        if entry.before is not None:
            _take(ctx, snapshot, entry.key, entry.before)
    return len(entries) < _ENTRIES


def _copy(ctx: Context, snapshot: Snapshot) -> bool:
    """Copy some items that were not changed since; whether those were the last."""
    place = settling.ITEMS + pack(snapshot.table_id)
    found = ctx.txn.range(place + snapshot.cursor, place + END, limit=_ITEMS)
    for at, stored in found:
        key = at[len(place) :]
        if ctx.txn.get(MARKS.key(ctx, snapshot.id, key)) is None:
            _take(ctx, snapshot, key, stored)
            if snapshot.then == "replica":
                replication.copy_version(ctx, snapshot.table_id, snapshot.payload["id"], key)
    if len(found) < _ITEMS:
        return True
    snapshot.cursor = found[-1][0][len(place) :] + b"\x00"
    return False


def _take(ctx: Context, snapshot: Snapshot, key: bytes, stored: bytes) -> None:
    ctx.txn.put(ITEMS.key(ctx, snapshot.id) + key, stored)
    snapshot.count += 1
    snapshot.size += size_of(stored)


def _forget(ctx: Context, snapshot: Snapshot, key: bytes) -> None:
    place = ITEMS.key(ctx, snapshot.id) + key
    stored = ctx.txn.get(place)
    if stored is not None:
        ctx.txn.delete(place)
        snapshot.count -= 1
        snapshot.size -= size_of(stored)


def _end(ctx: Context, snapshot: Snapshot) -> None:
    snapshot.done = True
    ctx.later(settling.sweep, {"prefix": MARKS.key(ctx, snapshot.id)})
    table = TABLES.peek(ctx, snapshot.table, account=snapshot.account, region=snapshot.region)
    if table is not None and table.id == snapshot.table_id:
        table.copies -= 1
        keep(ctx, table)
        if not table.logged:
            ctx.later(settling.sweep, {"prefix": undo_log.LOG.key(ctx, table.id)})
        if table.status == DELETING:
            ctx.later(settling.settle, {"account": table.account, "name": table.name, "id": table.id})
    CONTINUATIONS[snapshot.then](ctx, snapshot)


def read(ctx: Context, snapshot_id: str, cursor: bytes, limit: int) -> list[tuple[bytes, bytes]]:
    """Items of a copy, by key, from a key on."""
    place = ITEMS.key(ctx, snapshot_id)
    found = ctx.txn.range(place + cursor, place + END, limit=limit)
    return [(at[len(place) :], stored) for at, stored in found]


def drop(ctx: Context, snapshot_id: str) -> None:
    """Have a copy swept away."""
    snapshot = SNAPSHOTS.peek(ctx, snapshot_id)
    if snapshot is not None:
        SNAPSHOTS.delete(ctx, snapshot)
    ctx.later(settling.sweep, {"prefix": ITEMS.key(ctx, snapshot_id)})
