"""BatchGetItem: up to 100 items of several tables, up to 16 MB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.items.items import projection_of, read_facts
from cumulo.services.data.dynamodb.legacy import mixing
from cumulo.services.data.dynamodb.metering import consumption, key_insights, throttling
from cumulo.services.data.dynamodb.metering.capacity import Usage, read_units
from cumulo.services.data.dynamodb.stored.stored_items import decode, read, shown, size_of
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.table_access import layout_for
from cumulo.services.data.dynamodb.values.attribute_values import check_item

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.expressions.projections import Projection
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.values.attribute_values import Item
    from cumulo.stubs import dynamodb as t

LIMIT_KEYS = 100
LIMIT_BYTES = 16 << 20


class _Part:
    """What is asked of one table."""

    __slots__ = ("keys", "layout", "name", "projection", "refusal", "request", "usage")

    def __init__(self, name: str, request: dict[str, Any]) -> None:
        mixing.check(request)
        for key in request["Keys"]:
            check_item(key)
        self.name = name
        self.request = request
        self.projection: Projection | None = projection_of(request)
        self.usage = Usage(reads=True)
        self.refusal: Fault | None = None
        self.layout: Layout
        self.keys: list[bytes]

    def look_up(self, ctx: Context) -> None:
        """Find the table, and check the keys against it."""
        request = self.request
        self.layout = layout_for(
            ctx, self.name, lambda layout: read_facts(ctx, layout, request, request["Keys"], self.projection)
        )
        self.keys = [item_keys.of_key(self.layout, key) for key in self.request["Keys"]]
        if len(set(self.keys)) < len(self.keys):
            raise VALIDATION("Provided list of item keys contains duplicates")

    def read(self, ctx: Context, room: int) -> tuple[list[Any], list[Any], int]:
        """The items found, the keys that had no room any more, and how many bytes were read."""
        found: list[Any] = []
        size = 0
        consistent = self.request.get("ConsistentRead", False)
        for number, key in enumerate(self.keys):
            stored = read(ctx, self.layout, key)
            item_bytes = size_of(stored) if stored is not None else 0
            if size + item_bytes > room:
                return found, self.request["Keys"][number:], size
            units = read_units(item_bytes, consistent)
            if ctx.runtime.throttling and not self._admitted(ctx, units, self.request["Keys"][number]):
                return found, self.request["Keys"][number:], size
            size += item_bytes
            self.usage.add(units)
            consumption.read(ctx, self.layout, units)
            if self.layout.insights:
                key_insights.accessed(ctx, self.layout, "", self.request["Keys"][number], units)
            if stored is not None:
                whole = self.projection is None
                found.append(shown(ctx, stored) if whole else self.projection.apply(decode(stored)))  # type: ignore[union-attr]
        return found, [], size

    def _admitted(self, ctx: Context, units: float, key: Item) -> bool:
        """Whether the table's throughput admits one more item; what it does not is left to the next call."""
        try:
            throttling.charge_key(ctx, self.layout, Usage(units, reads=True), key)
        except Fault as fault:
            if not throttling.refused(fault):
                raise
            self.refusal = fault
            return False
        return True


@operation
def batch_get_item(ctx: Context, request: t.BatchGetItemInput) -> t.BatchGetItemOutput:
    """Items by their keys; what does not fit into the answer is left to the next call (UnprocessedKeys)."""
    items: Any = request["RequestItems"]
    if sum(len(part["Keys"]) for part in items.values()) > LIMIT_KEYS:
        raise VALIDATION("Too many items requested for the BatchGetItem call")
    parts = [_Part(name, part) for name, part in items.items()]
    for part in parts:
        part.look_up(ctx)
    responses: dict[str, Any] = {}
    unprocessed: dict[str, Any] = {}
    room = LIMIT_BYTES
    for part in parts:
        found, left, size = part.read(ctx, room)
        room -= size
        responses[part.name] = found
        if left:
            unprocessed[part.name] = {**part.request, "Keys": left}
            if part.refusal is None:
                room = 0
    refusals = [part.refusal for part in parts if part.refusal is not None]
    if refusals and not any(part.usage.table for part in parts):
        raise refusals[0]  # nothing at all was read
    answer: Any = {"Responses": responses, "UnprocessedKeys": unprocessed}
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = [part.usage.answer(part.name, mode) for part in parts if part.usage.table]
    return answer  # type: ignore[no-any-return]
