"""What a Query or Scan looks through: the table or an index, and what it wants to see of each item there.

Sources: DynamoDB API Reference, Query, Select; texts: AWS's answers as issues of its clients quote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.metering import consumption, throttling
from cumulo.services.data.dynamodb.metering.capacity import Usage, read_units
from cumulo.services.data.dynamodb.stored.stored_items import decode, read, size_of
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.values.attribute_values import Item

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.expressions.conditions import Condition
    from cumulo.services.data.dynamodb.expressions.key_conditions import KeySchema
    from cumulo.services.data.dynamodb.expressions.projections import Projection
    from cumulo.services.data.dynamodb.queries.pages import Page
    from cumulo.services.data.dynamodb.tables.layouts import IndexLayout, Layout

ALL, PROJECTED, SPECIFIC, COUNT = "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "COUNT"


def check_select(request: Mapping[str, Any]) -> None:
    """Refuse a Select that contradicts the rest of the request; before any table is looked for."""
    select = request.get("Select")
    if select is None:
        return
    for name in ("AttributesToGet", "ProjectionExpression"):
        if name in request and select != SPECIFIC:
            chosen = "only the Count" if select == COUNT else select
            raise VALIDATION(f"Cannot specify the {name} when choosing to get {chosen}")
    if select == SPECIFIC and not ("AttributesToGet" in request or "ProjectionExpression" in request):
        raise VALIDATION(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select == PROJECTED and "IndexName" not in request:
        raise VALIDATION("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")


class View:
    """The table or the index that a request reads, and how it sees items there."""

    __slots__ = ("_ctx", "_fetches", "_units", "condition", "consistent", "counted", "index", "layout", "projection")

    def __init__(
        self,
        ctx: Context,
        request: Mapping[str, Any],
        layout: Layout,
        projection: Projection | None,
        condition: Condition | None,
    ) -> None:
        self._ctx = ctx
        self._units = 0.0
        self.layout = layout
        self.projection = projection
        self.condition = condition
        self.consistent: bool = request.get("ConsistentRead", False)
        select = request.get("Select")
        self.counted = select == COUNT
        name = request.get("IndexName")
        self.index = self._index(name) if name is not None else None
        self._fetches = self._has_to_fetch(select)

    def _index(self, name: str) -> IndexLayout:
        index = self.layout.index(name)
        if index is None:
            raise VALIDATION(f"The table does not have the specified index: {name}")
        if not index.local and self.consistent:
            raise VALIDATION("Consistent reads are not supported on global secondary indexes")
        if index.backfilling:
            raise VALIDATION(f"Cannot read from backfilling global secondary index: {name}")
        return index

    def _has_to_fetch(self, select: str | None) -> bool:
        """Whether the table has to be asked for attributes that the index lacks: a local index's way only."""
        index = self.index
        if index is None or index.projected is None:
            return False
        if select == ALL:
            if index.local:
                return True
            raise VALIDATION(
                "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
                f"secondary index {index.name} because its projection type is not ALL"
            )
        if self.projection is None:
            return False
        lacking = sorted(self.projection.attributes - index.projected)
        if lacking and not index.local:
            raise VALIDATION(
                "One or more parameter values were invalid: Global secondary index "
                f"{index.name} does not project [{', '.join(lacking)}]"
            )
        return bool(lacking)

    @property
    def place(self) -> bytes:
        """What all keys of the table's items, or of the index's entries, start with."""
        return self.layout.place if self.index is None else self.index.place

    @property
    def schema(self) -> KeySchema:
        """The key attributes of what is read."""
        return self.layout.schema if self.index is None else self.index.schema

    @property
    def plain(self) -> bool:
        """Whether every item is answered just as it is kept."""
        return self.projection is None and self.condition is None and not self._fetches

    def take(self, item: Item) -> Item | None:
        """What is answered of an item; None where the filter holds it back."""
        if self._fetches:
            item = self._fetch(item)
        if self.condition is not None and not self.condition.matches(item):
            return None
        return self.projection.apply(item) if self.projection is not None else item

    def _fetch(self, entry: Item) -> Item:
        layout = self.layout
        key = item_keys.of_key(layout, {name: entry[name] for name in layout.keys})
        stored = read(self._ctx, layout, key)
        if stored is None:
            return entry
        self._units += read_units(size_of(stored), self.consistent)
        return decode(stored)

    # --- where a page goes on ---------------------------------------------------------------------

    def start_of(self, key: Item) -> bytes | None:
        """The place of an ExclusiveStartKey; None where it is not of this form."""
        layout, index = self.layout, self.index
        names = set(layout.keys) | (set(index.types) if index is not None else set())
        if key.keys() != names:
            return None
        types = layout.record.attribute_types
        if any(types[name] not in value for name, value in key.items()):
            return None
        primary = item_keys.of_key(layout, {name: key[name] for name in layout.keys})
        return layout.place + primary if index is None else index.entry_of(key, primary)

    def key_of(self, stored: bytes) -> Item:
        """The LastEvaluatedKey of a page that ends with this item."""
        item = decode(stored)
        names = dict.fromkeys(self.layout.keys)
        if self.index is not None:
            names = dict.fromkeys((*self.index.types, *names))
        return {name: item[name] for name in names}

    def answer(self, request: Mapping[str, Any], page: Page) -> Any:
        """The answer of Query and Scan."""
        answer: dict[str, Any] = {"Count": page.count, "ScannedCount": page.scanned}
        if not self.counted:
            answer["Items"] = page.items
        if page.last is not None:
            answer["LastEvaluatedKey"] = self.key_of(page.last)
        mode = request.get("ReturnConsumedCapacity") or "NONE"
        usage = self.usage(page)
        consumption.looked(self._ctx, self.layout, usage, self._ctx.operation, page.count)
        if mode != "NONE":
            answer["ConsumedCapacity"] = usage.answer(request["TableName"], mode)
        if self._ctx.runtime.throttling:
            throttling.charge(self._ctx, self.layout, usage)
        return answer

    def usage(self, page: Page) -> Usage:
        """What reading a page took."""
        units = read_units(page.size, self.consistent)
        if self.index is None:
            return Usage(units, reads=True)
        usage = Usage(self._units, reads=True)
        usage.add_index(self.index.name, self.index.local, units)
        return usage
