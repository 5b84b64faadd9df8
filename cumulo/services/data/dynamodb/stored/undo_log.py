"""What items were before each change: with it a table can be put together as it was at any second since the log began.

It is kept while point-in-time recovery is on, for as many days as that goes back, and while a copy of the table is
being made. An entry is an item's key and its bytes before the change, sealed as the table's items are, under a number
that grows with time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core import change_streams
from cumulo.core.change_streams import number_at
from cumulo.core.table import GLOBAL, Space, pack
from cumulo.services.data.dynamodb.stored.stored_items import sealed

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.tables.tables import TableRecord

LOG = Space("dynamodb.undo", scope=GLOBAL)  # (table id, number) → Entry


class Entry(NamedTuple):
    """A key, and the item's bytes before the change; None where there was no item."""

    key: bytes
    before: bytes | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode
_OPEN_END = 1 << 63


def _counter(table_id: str) -> str:
    return f"{table_id} undo"


def append(ctx: Context, table: TableRecord, key: bytes, before: bytes | None) -> None:
    """Note what an item was."""
    number = change_streams.next_number(ctx, _counter(table.id))
    kept = sealed(ctx, table, before) if before is not None else None
    ctx.txn.put(LOG.key(ctx, table.id, number), _encode(Entry(key, kept)))


def read(ctx: Context, table_id: str, number: int, limit: int) -> tuple[list[Entry], int]:
    """Entries from a number on, and the number to go on from."""
    place = LOG.key(ctx, table_id)
    pairs = ctx.txn.range(place + pack(number), place + pack(_OPEN_END), limit=limit)
    if not pairs:
        return [], number
    return [_decode(value) for _, value in pairs], int.from_bytes(pairs[-1][0][-8:], "big") + 1


def numbered(ctx: Context, table_id: str, number: int, limit: int) -> list[tuple[int, Entry]]:
    """Entries with their numbers, from a number on."""
    place = LOG.key(ctx, table_id)
    pairs = ctx.txn.range(place + pack(number), place + pack(_OPEN_END), limit=limit)
    return [(int.from_bytes(key[-8:], "big"), _decode(value)) for key, value in pairs]


def next_number(ctx: Context, table_id: str) -> int:
    """A number above that of every change until now."""
    return change_streams.next_number(ctx, _counter(table_id))


def trim(ctx: Context, table_id: str, until: float, limit: int) -> bool:
    """Drop some entries from before a time; whether there are more of them."""
    place = LOG.key(ctx, table_id)
    found: list[tuple[bytes, Any]] = ctx.txn.range(place, place + pack(number_at(until)), limit=limit)
    for key, _ in found:
        ctx.txn.delete(key)
    return len(found) == limit
