"""Writing one item: its bytes, the entries of all indexes, the counts, and word to whoever watches the table.

Everything that changes an item goes through `write`, in one transaction with whatever was checked before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.data.dynamodb.metering import consumption, key_insights
from cumulo.services.data.dynamodb.metering.capacity import Usage, write_units
from cumulo.services.data.dynamodb.stored import changes, item_collections
from cumulo.services.data.dynamodb.stored.stored_items import (
    decode,
    encode,
    of_transaction,
    read,
    sealed,
    size_of,
)
from cumulo.services.data.dynamodb.tables.item_keys import hash_bytes
from cumulo.services.data.dynamodb.tables.tables import COUNTS
from cumulo.services.data.dynamodb.values.attribute_values import Item, item_size

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.tables.layouts import IndexLayout, Layout


class Before:
    """An item as it was found: its bytes, decoded only if somebody asks."""

    __slots__ = ("_item", "stored")

    def __init__(self, stored: bytes | None) -> None:
        self.stored = stored
        self._item: Item | None = None

    @property
    def item(self) -> Item | None:
        """The item, None when there was none."""
        if self._item is None and self.stored is not None:
            self._item = decode(self.stored)
        return self._item

    @property
    def size(self) -> int:
        """Its size in bytes, 0 when there was none."""
        return size_of(self.stored) if self.stored is not None else 0


def find(ctx: Context, layout: Layout, key: bytes) -> Before:
    """The item of a key, in this transaction."""
    return Before(read(ctx, layout, key))


def write(
    ctx: Context,
    layout: Layout,
    key: bytes,
    before: Before,
    item: Item | None,
    size: int,
    usage: Usage,
    *,
    user_identity: dict[str, str] | None = None,
    replicated: bool = False,
) -> None:
    """Put the checked item in place of what was there, or with None remove that; `usage` counts what it takes.

    `replicated`: another region of a global table wrote it.
    """
    old = before.stored
    units = write_units(max(size, before.size))
    usage.add(units)
    if user_identity is None and not replicated:  # else it expired, or was written elsewhere
        consumption.wrote(ctx, layout, units * usage.factor)
    if layout.insights and user_identity is None:
        touched = item if item is not None else before.item
        if touched is not None:
            key_insights.written(ctx, layout, "", touched, units * usage.factor)
    if item is None:
        if old is None:
            return
        ctx.txn.delete(layout.place + key)
        new = None
    else:
        new = encode(item, size)
        if usage.factor != 1:
            new = of_transaction(new)
        ctx.txn.put(layout.place + key, sealed(ctx, layout.record, new))
    grown = size - before.size
    count = (new is not None) - (old is not None)
    record = layout.record
    if count or grown:
        COUNTS.add(ctx, record.id, "", count=count, size=grown)
    if layout.indexes:
        _write_entries(ctx, layout, key, before.item, item, new, usage)
    if record.watched:
        changes.capture(ctx, layout, key, before, item, new, user_identity, replicated)


def _write_entries(
    ctx: Context, layout: Layout, key: bytes, old: Item | None, new: Item | None, stored: bytes | None, usage: Usage
) -> None:
    grown = 0
    for index in layout.indexes:
        grown += _write_entry(ctx, layout, index, key, old, new, stored, usage)
    if layout.locals:
        item = new if new is not None else old
        assert item is not None
        count = (new is not None) - (old is not None)
        whole = (item_size(new) if new is not None else 0) - (item_size(old) if old is not None else 0)
        item_collections.grow(ctx, layout, hash_bytes(layout, item), count, whole + grown)


def _write_entry(
    ctx: Context,
    layout: Layout,
    index: IndexLayout,
    key: bytes,
    old: Item | None,
    new: Item | None,
    stored: bytes | None,
    usage: Usage,
) -> int:
    """Bring one index's entry up to date; by how many bytes a local index grew."""
    was_at = index.entry_of(old, key) if old is not None else None
    if index.backfilling and was_at is not None and ctx.txn.get(was_at) is None:
        was_at = None  # the backfill has not come to this item yet
    is_at = index.entry_of(new, key) if new is not None else None
    if was_at is None and is_at is None:
        return 0
    was = _projected(index, old) if was_at is not None and old is not None else None
    now = _projected(index, new) if is_at is not None and new is not None else None
    if was_at == is_at and was == now:
        return 0
    was_size = item_size(was) if was is not None else 0
    now_size = item_size(now) if now is not None else 0
    units = 0.0
    if was_at is not None and was_at != is_at:
        ctx.txn.delete(was_at)
        units = write_units(was_size)
        was_overwritten = 0
    else:
        was_overwritten = was_size
    if is_at is not None and now is not None:
        whole = stored if index.projected is None else None
        ctx.txn.put(is_at, sealed(ctx, layout.record, whole or encode(now, now_size)))
        units += write_units(max(now_size, was_overwritten))
    usage.add_index(index.name, index.local, units)
    if not index.local:
        consumption.wrote_entry(ctx, layout, index.name, units * usage.factor)
    if index.name in layout.insights:
        entry = new if is_at is not None else old
        assert entry is not None
        key_insights.written(ctx, layout, index.name, entry, units * usage.factor)
    count = (is_at is not None) - (was_at is not None)
    if count or now_size != was_size:
        COUNTS.add(ctx, layout.record.id, index.name, count=count, size=now_size - was_size)
    return now_size - was_size if index.local else 0


def fill(ctx: Context, layout: Layout, index: IndexLayout, key: bytes, item: Item, stored: bytes) -> None:
    """Make the entry of an item that was there before the index, unless a write has made it since."""
    place = index.entry_of(item, key)
    if place is None or ctx.txn.get(place) is not None:
        return
    projected = _projected(index, item)
    size = item_size(projected)
    entry = stored if index.projected is None else encode(projected, size)
    ctx.txn.put(place, sealed(ctx, layout.record, entry))
    COUNTS.add(ctx, layout.record.id, index.name, count=1, size=size)


def _projected(index: IndexLayout, item: Item) -> Item:
    names = index.projected
    if names is None:
        return item
    return {name: value for name, value in item.items() if name in names}
