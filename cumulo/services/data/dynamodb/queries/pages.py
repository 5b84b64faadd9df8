"""One page of Query or Scan: at most so many items, at most 1 MB, from a range of keys.

Source: DynamoDB API Reference, Query and Scan: Limit counts the items that were looked at, before the filter; a page
ends with the item that makes it exceed 1 MB. Who looks ahead? Nobody: a page that ends with the last item has a
LastEvaluatedKey all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.data.dynamodb.stored.stored_items import HEAD_BYTES, PLAIN, decode, opened

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.queries.key_ranges import Range
    from cumulo.services.data.dynamodb.tables.tables import TableRecord
    from cumulo.services.data.dynamodb.values.attribute_values import Item

LIMIT_BYTES = 1 << 20
_FIRST = 128  # items asked of the store at once: most queries are one reading
_MOST = 1024

Take = Callable[["Item"], "Item | None"]


class Page:
    """What was read. `last`: where it ended early, the bytes of the last item looked at."""

    __slots__ = ("count", "fetched", "items", "last", "scanned", "size")

    def __init__(self) -> None:
        self.items: Any = []
        self.count = 0
        self.scanned = 0
        self.size = 0
        self.fetched = 0.0  # read units that fetching from the table took, beside those of an index
        self.last: bytes | None = None


def read(
    ctx: Context, table: TableRecord, where: Range, reverse: bool, limit: int | None, take: Take | None, counted: bool
) -> Page:
    """Read a page. `take` turns an item into what is answered of it, or None; `counted`: only the number is wanted."""
    page = Page()
    texts: list[Any] = []
    raw = take is None and ctx.protocol == "json"
    for kept in _stored(ctx, where, reverse, limit, page):
        stored = kept if kept[0] == PLAIN else opened(ctx, table, kept)
        page.scanned += 1
        page.size += (stored[1] & 0x7F) << 16 | stored[2] << 8 | stored[3]
        if take is not None:
            taken = take(decode(stored))
            if taken is not None:
                page.count += 1
                if not counted:
                    texts.append(taken)
        elif not counted:
            texts.append(memoryview(stored)[HEAD_BYTES:] if raw else decode(stored))
        if page.scanned == limit or page.size > LIMIT_BYTES:
            page.last = stored
            break
    if take is None:
        page.count = page.scanned
    page.items = msgspec.Raw(b"[" + b",".join(texts) + b"]") if raw else texts
    return page


def _stored(ctx: Context, where: Range, reverse: bool, limit: int | None, page: Page) -> Iterator[bytes]:
    """The items of a range, read in pieces that are neither many nor much too large."""
    begin, end = where
    piece = _FIRST if limit is None else min(limit, _FIRST)
    while begin < end:
        rows = ctx.txn.range(begin, end, limit=piece, reverse=reverse)
        for _, stored in rows:
            yield stored
        if len(rows) < piece:
            return
        if reverse:
            end = rows[-1][0]
        else:
            begin = rows[-1][0] + b"\x00"
        average = page.size // page.scanned + 1
        piece = min((LIMIT_BYTES - page.size) // average + 1, _MOST)
        if limit is not None:
            piece = min(piece, limit - page.scanned)
