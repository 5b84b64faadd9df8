"""Query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions import conditions, key_conditions, projections
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.legacy import conditions as legacy_conditions
from cumulo.services.data.dynamodb.legacy import key_conditions as legacy_key_conditions
from cumulo.services.data.dynamodb.legacy import mixing
from cumulo.services.data.dynamodb.metering import key_insights
from cumulo.services.data.dynamodb.queries import key_ranges, pages
from cumulo.services.data.dynamodb.queries.reading_views import View, check_select
from cumulo.services.data.dynamodb.tables import table_names
from cumulo.services.data.dynamodb.tables.table_access import common_facts, layout_for, text_of
from cumulo.services.data.dynamodb.values.attribute_values import check_item

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.expressions.conditions import Condition
    from cumulo.services.data.dynamodb.expressions.key_conditions import KeyCondition, KeyTerms
    from cumulo.services.data.dynamodb.expressions.projections import Projection
    from cumulo.services.data.dynamodb.queries.key_ranges import Range
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.table_access import Facts
    from cumulo.stubs import dynamodb as t


@operation
def query(ctx: Context, request: t.QueryInput) -> t.QueryOutput:
    """The items of one partition key, in the order of the sort key."""
    table_names.check(request["TableName"])
    mixing.check(request, ("FilterExpression", "KeyConditionExpression"))
    check_select(request)
    start: Any = request.get("ExclusiveStartKey")
    check_start(start)
    if "KeyConditionExpression" not in request and "KeyConditions" not in request:
        raise VALIDATION(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    values: Any = request.get("ExpressionAttributeValues")
    placeholders = Placeholders(request.get("ExpressionAttributeNames"), values)
    condition = filter_of(request, placeholders, "QueryFilter")
    projection = projection_of(request, placeholders)
    terms = _asked(request, placeholders)
    placeholders.check_used()

    def facts(layout: Layout | None) -> Facts:
        index = layout.index(request["IndexName"]) if layout is not None and "IndexName" in request else None
        schema = index.schema if index is not None else layout.schema if layout is not None else None
        found = range_facts(ctx, request, projection, condition)
        if schema is not None:
            hashes = terms.bind(schema).hashes
            found["dynamodb:LeadingKeys"] = [text_of(value) for value in hashes[:1]]
            found["dynamodb:Attributes"] += [*schema.hashes, *schema.ranges]
        return found

    layout = layout_for(ctx, request["TableName"], facts, index=request.get("IndexName"))
    view = View(ctx, request, layout, projection, condition)
    wanted = terms.bind(view.schema)
    if condition is not None:
        _check_filter(view, condition, "Filter Expression" if "FilterExpression" in request else "QueryFilter")
    where = key_ranges.of_query(view.layout, view.index, wanted)
    reverse = not request.get("ScanIndexForward", True)
    if start is not None:
        where = _from(view, where, start, reverse, wanted)
    take = None if view.plain else view.take
    page = pages.read(ctx, layout.record, where, reverse, request.get("Limit"), take, view.counted)
    answer: t.QueryOutput = view.answer(request, page)
    if layout.insights:
        name = request.get("IndexName") or ""
        hashes = dict(zip(view.schema.hashes, wanted.hashes, strict=True))
        key_insights.accessed(ctx, layout, name, hashes, view.usage(page).total)
    return answer


def _asked(request: Mapping[str, Any], placeholders: Placeholders) -> KeyTerms:
    """What the request asks of the key, in either language."""
    text = request.get("KeyConditionExpression")
    if text is not None:
        return key_conditions.parse(text, placeholders)
    return legacy_key_conditions.read(request["KeyConditions"])


def range_facts(
    ctx: Context, request: Mapping[str, Any], projection: Projection | None, condition: Condition | None
) -> Facts:
    """The condition keys that Query and Scan have in common: the attributes they name, and what they select."""
    names: set[str] = set()
    if projection is not None:
        names |= projection.attributes
    if condition is not None:
        names |= condition.attributes
    facts = common_facts(ctx, request)
    facts["dynamodb:Attributes"] = sorted(names)
    select = "ALL_PROJECTED_ATTRIBUTES" if "IndexName" in request else "ALL_ATTRIBUTES"
    facts["dynamodb:Select"] = request.get("Select") or ("SPECIFIC_ATTRIBUTES" if projection is not None else select)
    return facts


def filter_of(request: Mapping[str, Any], placeholders: Placeholders, legacy: str) -> Condition | None:
    """The filter of a Query or Scan; `legacy` is the member that FilterExpression replaced."""
    text = request.get("FilterExpression")
    if text is not None:
        return conditions.parse(text, placeholders, "FilterExpression")
    given = request.get(legacy)
    return legacy_conditions.filtered(given, request.get("ConditionalOperator") or "AND") if given else None


def projection_of(request: Mapping[str, Any], placeholders: Placeholders) -> Projection | None:
    """The parts of items that a Query or Scan asks for."""
    text = request.get("ProjectionExpression")
    if text is not None:
        return projections.parse(text, placeholders)
    names = request.get("AttributesToGet")
    return projections.of_attributes(names) if names else None


def check_start(start: Any) -> None:
    """Check the values of an ExclusiveStartKey."""
    if start is not None:
        check_item(start)


def _check_filter(view: View, condition: Condition, parameter: str) -> None:
    """Keys belong into the key condition. Source: DynamoDB Developer Guide, "Filter expressions for the Query"."""
    schema = view.schema
    for name in (*schema.hashes, *schema.ranges):
        if name in condition.attributes:
            raise VALIDATION(f"{parameter} can only contain non-primary key attributes: Primary key attribute: {name}")


def _from(view: View, where: Range, start: dict[str, Any], reverse: bool, wanted: KeyCondition) -> Range:
    """The rest of a range after the item at which the page before ended, which need not be there any more."""
    place = view.start_of(start)
    if place is None:
        raise VALIDATION("The provided starting key is invalid")
    begin, end = where
    if not begin <= place < end:
        if [start[name] for name in view.schema.hashes] == list(wanted.hashes):
            raise VALIDATION("The provided starting key does not match the range key predicate")
        raise VALIDATION("The provided starting key is outside query boundaries based on provided conditions")
    return (begin, place) if reverse else (place + b"\x00", end)
