"""SELECT: a query, several, or a scan, page by page."""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.metering import consumption, throttling
from cumulo.services.data.dynamodb.metering.capacity import Usage, read_units
from cumulo.services.data.dynamodb.partiql import planner
from cumulo.services.data.dynamodb.partiql.columns import Columns
from cumulo.services.data.dynamodb.queries import key_ranges, pages
from cumulo.services.data.dynamodb.queries.reading_views import View
from cumulo.services.data.dynamodb.stored.stored_items import decode, read, shown, size_of
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.table_access import common_facts, layout_for, text_of
from cumulo.services.data.dynamodb.values.key_values import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.expressions.key_conditions import KeyCondition, KeySchema
    from cumulo.services.data.dynamodb.partiql.planner import Lookup
    from cumulo.services.data.dynamodb.partiql.syntax import Select
    from cumulo.services.data.dynamodb.queries.key_ranges import Range
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.table_access import Facts
    from cumulo.services.data.dynamodb.values.attribute_values import Item


class _Token:
    """Where a page goes on: in which of the queries, after which key."""

    __slots__ = ("number", "place")

    def __init__(self, number: int, place: bytes) -> None:
        self.number = number
        self.place = place


def select(ctx: Context, statement: Select, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of ExecuteStatement to a SELECT."""
    layout = find_layout(ctx, statement, request)
    consistent = request.get("ConsistentRead", False)
    check_index(layout, statement, consistent)
    projection = Columns(statement.columns) if statement.columns is not None else None
    seen = {"TableName": statement.table, "ConsistentRead": consistent}
    if statement.index is not None:
        seen["IndexName"] = statement.index
    schema = _schema(layout, statement)
    found = planner.lookup(statement.where, schema)
    condition = planner.joined(found.rest, statement.where.attributes)
    view = View(ctx, seen, layout, projection, condition)
    if found.keys:
        _check_filter(view, statement, found)
    reverse = _reverse(statement, schema, found)
    answer = _page(ctx, view, found.keys, reverse, request)
    consumption.looked(ctx, layout, answer["ConsumedCapacity"], "", 0)
    if ctx.runtime.throttling:
        throttling.charge(ctx, layout, answer["ConsumedCapacity"])
    mode = request.get("ReturnConsumedCapacity")
    if mode is None or mode == "NONE":
        answer.pop("ConsumedCapacity")
    else:
        answer["ConsumedCapacity"] = answer["ConsumedCapacity"].answer(statement.table, mode)
    return answer


def find_layout(ctx: Context, statement: Select, request: Mapping[str, Any]) -> Layout:
    """The table of a SELECT, found and authorized."""

    def facts(layout: Layout | None) -> Facts:
        found = common_facts(ctx, request)
        names = dict.fromkeys(sorted(statement.where.attributes))
        names.update(dict.fromkeys([str(path[0]) for path in statement.columns or ()]))
        found["dynamodb:Attributes"] = list(names)
        found["dynamodb:Select"] = "ALL_ATTRIBUTES" if statement.columns is None else "SPECIFIC_ATTRIBUTES"
        if layout is not None and (statement.index is None or layout.index(statement.index) is not None):
            keys = planner.lookup(statement.where, _schema(layout, statement)).keys
            found["dynamodb:LeadingKeys"] = [text_of(key.hashes[0]) for key in keys]
            found["dynamodb:FullTableScan"] = "false" if keys else "true"
        return found

    return layout_for(ctx, statement.table, facts, action=statement.action, index=statement.index)


def _schema(layout: Layout, statement: Select) -> KeySchema:
    index = layout.index(statement.index) if statement.index is not None else None
    return layout.schema if index is None else index.schema


def check_index(layout: Layout, statement: Select, consistent: bool) -> None:
    """Refuse an index that statements cannot read so. Texts: as AWS words them here; Query has its own."""
    if statement.index is None:
        return
    index = layout.index(statement.index)
    if index is None:
        raise VALIDATION("The table does not have the specified index")
    if len(index.hashes) > 1 or len(index.ranges) > 1:
        raise VALIDATION(
            "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE "
            "keys."
        )
    if consistent and not index.local:
        raise VALIDATION("Strongly consistent read is not supported on Global Secondary Indexes")


def _check_filter(view: View, statement: Select, found: Lookup) -> None:
    """A query of an index filters by what the index has; a scan finds nothing instead (observed)."""
    index = view.index
    if index is None or index.projected is None or not found.rest:
        return
    lacking = sorted(statement.where.attributes - index.projected)
    if lacking:
        raise VALIDATION(
            f"One or more parameter values were invalid: Secondary index {index.name} does not project one or more "
            f"filter attributes: [{', '.join(lacking)}]"
        )


def _reverse(statement: Select, schema: KeySchema, found: Lookup) -> bool:
    """Whether the items come in the order from the highest sort key down."""
    if not statement.order:
        return False
    if not statement.where.parts:
        raise VALIDATION("Must have WHERE clause in the statement when using ORDER BY clause.")
    for name, _ in statement.order:
        if name not in schema.hashes and name not in schema.ranges:
            raise VALIDATION(f"Variable reference {name} in ORDER BY clause must be part of the primary key.")
    if not found.keys:
        raise VALIDATION(
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause."
        )
    return next((down for name, down in statement.order if name in schema.ranges), False)


def _page(
    ctx: Context, view: View, keys: list[KeyCondition], reverse: bool, request: Mapping[str, Any]
) -> dict[str, Any]:
    """One page: of one query, or of as many as there is room for."""
    digest = blake2b(msgspec.json.encode([request["Statement"], request.get("Parameters")]), digest_size=8).digest()
    ranges = _ranges(view, keys, reverse) if keys else [key_ranges.of_segment(view.place, 0, 1)]
    token = _read_token(request.get("NextToken"), digest, len(ranges))
    limit, usage = request.get("Limit"), Usage(reads=True)
    items: list[Any] = []
    whole: Any = None
    size = 0
    for number in range(token.number if token is not None else 0, len(ranges)):
        where = ranges[number]
        if token is not None and number == token.number:
            where = _after(where, token.place, reverse)
        take = None if view.plain else view.take
        page = pages.read(ctx, view.layout.record, where, reverse, limit, take, False)
        usage.merge(view.usage(page))
        size += page.size
        if len(ranges) == 1:
            whole = page.items
        else:
            items.extend(msgspec.json.decode(page.items) if isinstance(page.items, msgspec.Raw) else page.items)
        if limit is not None:
            limit -= page.scanned
        if page.last is not None or limit == 0 or size > pages.LIMIT_BYTES:
            return _ended(view, page.last, digest, number, len(ranges), whole if whole is not None else items, usage)
    return {"Items": whole if whole is not None else items, "ConsumedCapacity": usage}


def _ranges(view: View, keys: list[KeyCondition], reverse: bool) -> list[Range]:
    """Where the items of the keys lie: the partitions as the statement names them, each in the order of its sort key.

    Ranges that overlap are refused. Observed in AWS's answers.
    """
    if len(keys) == 1:
        return [key_ranges.of_query(view.layout, view.index, keys[0])]
    partitions: dict[tuple[bytes, ...], list[Range]] = {}
    for key in keys:
        place = tuple([encode(value) for value in key.hashes])
        partitions.setdefault(place, []).append(key_ranges.of_query(view.layout, view.index, key))
    found: list[Range] = []
    for ranges in partitions.values():
        ranges.sort()
        for before, after in pairwise(ranges):
            if after[0] < before[1]:
                raise VALIDATION("Overlapping conditions with range keys are not supported in where clause")
        found.extend(reversed(ranges) if reverse else ranges)
    return found


def _ended(
    view: View, last: bytes | None, digest: bytes, number: int, count: int, items: Any, usage: Usage
) -> dict[str, Any]:
    answer = {"Items": items, "ConsumedCapacity": usage}
    if last is not None:
        key = view.key_of(last)
        answer["LastEvaluatedKey"] = key
        answer["NextToken"] = _token(digest, number, view.start_of(key) or b"")
    elif number + 1 < count:
        answer["NextToken"] = _token(digest, number + 1, b"")
    return answer


def _token(digest: bytes, number: int, place: bytes) -> str:
    return b64encode(msgspec.msgpack.encode((digest, number, place))).decode()


def _read_token(text: str | None, digest: bytes, count: int) -> _Token | None:
    if text is None:
        return None
    try:
        given, number, place = msgspec.msgpack.decode(b64decode(text, validate=True), type=tuple[bytes, int, bytes])
    except (ValueError, msgspec.MsgspecError):
        raise VALIDATION("Invalid NextToken") from None
    if given != digest or not 0 <= number < count:
        raise VALIDATION("NextToken does not match request")
    return _Token(number, place)


def _after(where: Range, place: bytes, reverse: bool) -> Range:
    """The rest of a range after the item at which the page before ended."""
    begin, end = where
    if not place:
        return where
    if not begin <= place < end:
        raise VALIDATION("NextToken does not match request")
    return (begin, place) if reverse else (place + b"\x00", end)


def key_of(layout: Layout, statement: Select) -> Item | None:
    """The key of the one item that a SELECT of a batch or a transaction is about; None when it says more, or less."""
    found = planner.primary_key(statement.where, layout.keys)
    return None if found is None or found[1] or statement.index is not None else found[0]


def get(
    ctx: Context, layout: Layout, statement: Select, key: Item, consistent: bool, usage: Usage
) -> dict[str, Any] | None:
    """The item of a key, in the columns asked for; None when there is none."""
    stored = read(ctx, layout, item_keys.of_key(layout, key))
    took = Usage(read_units(size_of(stored) if stored is not None else 0, consistent), reads=True, factor=usage.factor)
    if ctx.runtime.throttling:
        throttling.charge(ctx, layout, took, item_keys.hash_bytes(layout, key))
    usage.merge(took)
    consumption.read(ctx, layout, took.table)
    if stored is None:
        return None
    if statement.columns is None:
        return shown(ctx, stored)  # type: ignore[no-any-return]
    return Columns(statement.columns).apply(decode(stored))
