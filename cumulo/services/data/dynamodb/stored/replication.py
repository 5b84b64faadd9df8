"""Replication of a global table's items between its regions.

Each write in one region gets a version, its time and its region, and is put into that region's outbox; a task for each
other region takes it from there and applies it where the item has no later version: the last writer wins, everywhere
alike, deletions among them. With strong consistency a write reaches all regions in its own transaction.
Source: Amazon DynamoDB Developer Guide, "How global tables work", consistency modes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core import change_streams
from cumulo.core.operation import task
from cumulo.core.table import GLOBAL, Space, pack, prefix_range
from cumulo.services.data.dynamodb.stored.stored_items import opened, sealed
from cumulo.services.data.dynamodb.tables.tables import STRONG, TABLES, TableRecord

if TYPE_CHECKING:
    from cumulo.core.context import Context

VERSIONS = Space("dynamodb.versions", scope=GLOBAL)  # (table id, item key) → the version of the item, or of its end
OUTBOX = Space("dynamodb.outbox", scope=GLOBAL)  # (table id, number) → Sent
CURSORS = Space("dynamodb.outbox_cursors", scope=GLOBAL)  # (table id, region) → the last number that it has
PENDING = Space("dynamodb.outbox_pending", scope=GLOBAL)  # (table id, region), while a task is on its way
_SENT = 200
_OPEN_END = 1 << 63


class Sent(NamedTuple):
    """A write on its way: the key, the item's bytes as its region keeps them (None: deleted), and the version."""

    key: bytes
    stored: bytes | None
    version: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Sent).decode


def in_region(ctx: Context, account: str, region: str) -> Context:
    """DynamoDB's own work in another region, in this transaction."""
    inner = ctx.runtime.internal_context("dynamodb", ctx.operation, account, region)
    inner.enter(ctx.txn)
    return inner


def members(ctx: Context, table: TableRecord) -> list[tuple[Context, TableRecord]]:
    """The other regions of a global table: a context for work there, and the table there."""
    found = []
    for replica in table.replicas:
        inner = in_region(ctx, table.account, replica.region)
        other = TABLES.peek(inner, table.name)
        if other is not None:
            found.append((inner, other))
    return found


def note(ctx: Context, table: TableRecord, key: bytes, stored: bytes | None) -> None:
    """A write happened here: give it a version, and send it to the other regions."""
    place = VERSIONS.key(ctx, table.id) + key
    found = ctx.txn.get(place)
    number = change_streams.next_number(ctx, f"{table.id} outbox")
    version = number if found is None else max(number, int.from_bytes(found[:8], "big") + 1)
    ctx.txn.put(place, version.to_bytes(8, "big") + table.region.encode())
    if table.consistency == STRONG:
        for inner, other in members(ctx, table):
            receive(inner, other, key, stored, version, table.region)
        return
    kept = sealed(ctx, table, stored) if stored is not None else None
    ctx.txn.put(OUTBOX.key(ctx, table.id, number), _encode(Sent(key, kept, version)))
    for replica in table.replicas:
        wake(ctx, table, replica.region)


def wake(ctx: Context, table: TableRecord, region: str) -> None:
    """Have a region told, unless that is on its way already."""
    pending = PENDING.key(ctx, table.id, region)
    if ctx.txn.get(pending) is None:
        ctx.txn.put(pending, b"")
        place = {"account": table.account, "region": table.region, "name": table.name, "id": table.id}
        ctx.later(replicate, {**place, "target": region})


def receive(ctx: Context, table: TableRecord, key: bytes, stored: bytes | None, version: int, region: str) -> None:
    """Apply a write of another region, in its plain form, unless the item here is younger."""
    from cumulo.services.data.dynamodb.metering.capacity import Usage
    from cumulo.services.data.dynamodb.stored.item_writes import find, write
    from cumulo.services.data.dynamodb.stored.stored_items import decode, size_of
    from cumulo.services.data.dynamodb.tables.layouts import layout_of

    place = VERSIONS.key(ctx, table.id) + key
    mark = version.to_bytes(8, "big") + region.encode()
    found = ctx.txn.get(place)
    if found is not None and found >= mark:
        return
    ctx.txn.put(place, mark)
    layout = layout_of(table)
    before = find(ctx, layout, key)
    item = decode(stored) if stored is not None else None
    size = size_of(stored) if stored is not None else 0
    write(ctx, layout, key, before, item, size, Usage(), replicated=True)


@task
def replicate(ctx: Context, payload: dict[str, Any]) -> None:
    """Send a region some of what it does not have yet."""
    pending = PENDING.key(ctx, payload["id"], payload["target"])
    source = TABLES.peek(ctx, payload["name"], account=payload["account"], region=payload["region"])
    inner = in_region(ctx, payload["account"], payload["target"])
    target = TABLES.peek(inner, payload["name"])
    member = source is not None and any(each.region == payload["target"] for each in source.replicas)
    if source is None or source.id != payload["id"] or not member or target is None or target.filling:
        ctx.txn.delete(pending)  # a replica that is being made wakes us at its end
        return
    home = in_region(ctx, source.account, source.region)
    if send(home, source, inner, target):
        ctx.txn.delete(pending)
    else:
        ctx.later(replicate, payload)


def send(ctx: Context, source: TableRecord, inner: Context, target: TableRecord) -> bool:
    """Send a region some of what it does not have yet; whether that was all.

    `ctx` and `inner` are contexts of the two regions, in one transaction.
    """
    cursor = CURSORS.key(ctx, source.id, target.region)
    last = ctx.txn.get(cursor)
    begin = OUTBOX.key(ctx, source.id) + pack(int.from_bytes(last, "big") + 1 if last is not None else 0)
    found = ctx.txn.range(begin, OUTBOX.key(ctx, source.id) + pack(_OPEN_END), limit=_SENT)
    for _, value in found:
        sent = _decode(value)
        stored = opened(ctx, source, sent.stored) if sent.stored is not None else None
        receive(inner, target, sent.key, stored, sent.version, source.region)
    if found:
        ctx.txn.put(cursor, found[-1][0][-8:])
        _trim(ctx, source)
    return len(found) < _SENT


def _trim(ctx: Context, source: TableRecord) -> None:
    """Drop what all regions have."""
    lasts = [ctx.txn.get(CURSORS.key(ctx, source.id, replica.region)) for replica in source.replicas]
    known = [int.from_bytes(last, "big") for last in lasts if last is not None]
    if len(known) < len(lasts) or not known:
        return
    place = OUTBOX.key(ctx, source.id)
    for key, _ in ctx.txn.range(place, place + pack(min(known) + 1), limit=2 * _SENT):
        ctx.txn.delete(key)


def copy_version(ctx: Context, source_id: str, target_id: str, key: bytes) -> None:
    """A new replica knows the version of an item that it gets with its first copy."""
    found = ctx.txn.get(VERSIONS.key(ctx, source_id) + key)
    if found is not None:
        ctx.txn.put(VERSIONS.key(ctx, target_id) + key, found)


def forget(ctx: Context, table: TableRecord) -> list[bytes]:
    """Drop where a region stood with a table that goes; the prefixes that are to be swept."""
    for space in (CURSORS, PENDING):
        for key, _ in ctx.txn.range(*prefix_range(space.key(ctx, table.id))):
            ctx.txn.delete(key)
    return [VERSIONS.key(ctx, table.id), OUTBOX.key(ctx, table.id)]
