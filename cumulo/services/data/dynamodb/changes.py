"""What happened to an item, for those who want to know: the table's stream, point-in-time recovery, its replicas.

Called by whatever writes items, in the same transaction, where `table.watched`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import change_streams
from cumulo.core.change_streams import Change
from cumulo.services.data.dynamodb import streams
from cumulo.services.data.dynamodb.attribute_values import item_size

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.tables import TableRecord

Item = dict[str, dict[str, Any]]
TIME_TO_LIVE = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


def capture(
    ctx: Context,
    table: TableRecord,
    old: Item | None,
    new: Item | None,
    keys: Item,
    user_identity: dict[str, str] | None = None,
) -> None:
    """Note that an item became `new` from `old` (None: it was not, or is no more there).

    A write that leaves an item as it was is no change: AWS writes no stream record for it.
    """
    if old == new:
        return
    if table.stream_view:
        _stream(ctx, table, old, new, keys, user_identity)


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
    change_streams.append(ctx, streams.stream_id(table), change)
