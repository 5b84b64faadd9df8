"""Scan: every item of a table or an index, in the order of the hashes of their partition keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.legacy import mixing
from cumulo.services.data.dynamodb.queries import key_ranges, pages
from cumulo.services.data.dynamodb.queries.queries import check_start, filter_of, projection_of, range_facts
from cumulo.services.data.dynamodb.queries.reading_views import View, check_select
from cumulo.services.data.dynamodb.tables import table_names
from cumulo.services.data.dynamodb.tables.table_access import layout_for
from cumulo.services.data.dynamodb.values import older_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.expressions.conditions import Condition
    from cumulo.services.data.dynamodb.queries.key_ranges import Range
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.table_access import Facts
    from cumulo.stubs import dynamodb as t


@operation
def scan(ctx: Context, request: t.ScanInput) -> t.ScanOutput:
    """All items, or those of one segment, page by page."""
    table_names.check(request["TableName"])
    mixing.check(request, ("FilterExpression",))
    check_select(request)
    segment, total = _segment(request)
    start: Any = request.get("ExclusiveStartKey")
    try:
        check_start(start)
    except Fault as fault:
        raise older_values.reworded(start, fault) from None
    placeholders = _placeholders(request)
    condition = _filter(request, placeholders)
    projection = projection_of(request, placeholders)
    placeholders.check_used()

    def facts(layout: Layout | None) -> Facts:
        return range_facts(ctx, request, projection, condition)

    layout = layout_for(ctx, request["TableName"], facts, index=request.get("IndexName"))
    view = View(ctx, request, layout, projection, condition)
    where = key_ranges.of_segment(view.place, segment, total)
    if start is not None:
        where = _from(view, where, start, segment, total)
    take = None if view.plain else view.take
    page = pages.read(ctx, layout.record, where, False, request.get("Limit"), take, view.counted)
    answer: t.ScanOutput = view.answer(request, page)
    return answer


def _placeholders(request: Mapping[str, Any]) -> Placeholders:
    values: Any = request.get("ExpressionAttributeValues")
    try:
        return Placeholders(request.get("ExpressionAttributeNames"), values)
    except Fault as fault:
        if values is None or fault.message.startswith("Expression"):  # of a placeholder, not of a value
            raise
        raise older_values.reworded_values(values, fault) from None


def _filter(request: Mapping[str, Any], placeholders: Placeholders) -> Condition | None:
    try:
        return filter_of(request, placeholders, "ScanFilter")
    except Fault as fault:
        given = request.get("ScanFilter") or {}
        values = {str(at): value for at, value in enumerate(_listed(given))}
        raise older_values.reworded(values, fault) from None


def _listed(conditions: Mapping[str, Any]) -> Iterator[Any]:
    for condition in conditions.values():
        yield from condition.get("AttributeValueList") or ()


def _segment(request: Mapping[str, Any]) -> tuple[int, int]:
    segment, total = request.get("Segment"), request.get("TotalSegments")
    if segment is None and total is None:
        return 0, 1
    if segment is None or total is None:
        lacking, given = ("Segment", "TotalSegments") if segment is None else ("TotalSegments", "Segment")
        raise VALIDATION(
            f"The {lacking} parameter is required but was not present in the request when "
            + ("parameter TotalSegments is present" if given == "TotalSegments" else "Segment parameter is present")
        )
    if segment >= total:
        raise VALIDATION(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )
    return segment, total


def _from(view: View, where: Range, start: dict[str, Any], segment: int, total: int) -> Range:
    place = view.start_of(start)
    if place is None:
        raise VALIDATION("The provided starting key is invalid: The provided key element does not match the schema")
    if not where[0] <= place < where[1]:
        raise VALIDATION(
            "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with "
            f"correct Segment. TotalSegments: {total} Segment: {segment}"
        )
    return place + b"\x00", where[1]
