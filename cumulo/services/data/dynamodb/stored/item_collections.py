"""Item collections: what shares a partition key in a table that has local indexes, and its size.

Source: DynamoDB Developer Guide, "Item collections in Local Secondary Indexes": a collection, of the table's items and
its local indexes' entries, grows to 10 GB at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.counters import Counters
from cumulo.services.data.dynamodb.errors import ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED
from cumulo.services.data.dynamodb.tables.layouts import hash_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.values.attribute_values import Item

GB = 1 << 30
LIMIT_BYTES = 10 * GB
SIZES = Counters("dynamodb.collections")


def grow(ctx: Context, layout: Layout, partition: bytes, count: int, size: int) -> None:
    """Note that a collection grew, or shrank; refused where it would be beyond the limit."""
    label = hash_of(partition).hex()
    SIZES.add(ctx, layout.record.id, label, count=count, size=size)
    if size > 0 and SIZES.total(ctx, layout.record.id, label)[1] > LIMIT_BYTES:
        raise ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED()


def metrics(ctx: Context, layout: Layout, item: Item, partition: bytes) -> dict[str, Any]:
    """ItemCollectionMetrics of an item's collection. The estimate is a gigabyte wide."""
    size = SIZES.total(ctx, layout.record.id, hash_of(partition).hex())[1]
    low = size // GB
    return {
        "ItemCollectionKey": {layout.hash: item[layout.hash]},
        "SizeEstimateRangeGB": [float(low), float(low + 1)],
    }
