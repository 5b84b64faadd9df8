"""What happened to an item, for those who want to know: the table's stream, point-in-time recovery, its replicas.

Called by whatever writes items, in the same transaction, where `table.watched`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import change_streams
from cumulo.core.change_streams import Change
from cumulo.services.data.dynamodb.stored import expirations, replication, sealing, streams, undo_log
from cumulo.services.data.dynamodb.values.attribute_values import item_size

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.stored.item_writes import Before
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.tables import TableRecord
    from cumulo.services.data.dynamodb.values.attribute_values import Item

TIME_TO_LIVE = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


def capture(
    ctx: Context,
    layout: Layout,
    key: bytes,
    before: Before,
    item: Item | None,
    stored: bytes | None,
    user_identity: dict[str, str] | None = None,
    replicated: bool = False,
) -> None:
    """Note that the item of a key became `item`, in bytes `stored` (None: it is no more), as that happens.

    A write that leaves an item as it was is no change: AWS writes no stream record for it.
    """
    table = layout.record
    if table.logged:
        undo_log.append(ctx, table, key, before.stored)
    if table.replicas and not replicated:
        replication.note(ctx, table, key, stored)
    if table.ttl_attribute:
        expirations.note(ctx, table, key, before.item, item)
    if not table.stream_view:
        return
    old = before.item
    if old == item:
        return
    found = item if item is not None else old
    assert found is not None
    _stream(ctx, table, old, item, {name: found[name] for name in layout.keys}, user_identity)


def _stream(
    ctx: Context, table: TableRecord, old: Item | None, new: Item | None, keys: Item, identity: dict[str, str] | None
) -> None:
    view = table.stream_view
    shown_new = new if view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES") else None
    shown_old = old if view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES") else None
    size = item_size(keys)
    if shown_new is not None:
        size += item_size(shown_new)
    if shown_old is not None:
        size += item_size(shown_old)
    name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
    event_id = ctx.random_bytes(16).hex()
    change = Change(event_id, name, ctx.now(), keys, shown_new, shown_old, size, identity)
    data = change_streams.encode(change)
    change_streams.append(ctx, streams.stream_id(table), sealing.seal(ctx, table, data) if table.sealed_key else data)
