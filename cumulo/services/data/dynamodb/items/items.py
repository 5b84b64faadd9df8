"""PutItem, UpdateItem, DeleteItem and GetItem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions import projections
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.items import conflicts, planned_writes
from cumulo.services.data.dynamodb.legacy import mixing
from cumulo.services.data.dynamodb.metering import consumption, key_insights, throttling
from cumulo.services.data.dynamodb.metering.capacity import Usage, read_units
from cumulo.services.data.dynamodb.stored import item_collections
from cumulo.services.data.dynamodb.stored.item_writes import Before, find, write
from cumulo.services.data.dynamodb.stored.stored_items import decode, read, shown, size_of
from cumulo.services.data.dynamodb.tables import item_keys, table_names
from cumulo.services.data.dynamodb.tables.table_access import common_facts, layout_for, leading_keys
from cumulo.services.data.dynamodb.values.attribute_values import check_item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.items.planned_writes import Plan
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.table_access import Facts
    from cumulo.services.data.dynamodb.values.attribute_values import Item
    from cumulo.stubs import dynamodb as t


@operation
def put_item(ctx: Context, request: t.PutItemInput) -> t.PutItemOutput:
    """Put an item in place of the one with the same key."""
    answer: t.PutItemOutput = _written(ctx, _read(request, planned_writes.put))
    return answer


@operation
def delete_item(ctx: Context, request: t.DeleteItemInput) -> t.DeleteItemOutput:
    """Remove the item of a key; that there is none is no error."""
    answer: t.DeleteItemOutput = _written(ctx, _read(request, planned_writes.delete))
    return answer


@operation
def update_item(ctx: Context, request: t.UpdateItemInput) -> t.UpdateItemOutput:
    """Change an item's attributes, or make an item of its key and what is set."""
    answer: t.UpdateItemOutput = _written(ctx, _read(request, planned_writes.update))
    return answer


def _read(request: Any, plan: Callable[[Any], Plan]) -> Plan:
    """What a request wants. Of a mistake in it PutItem, DeleteItem and UpdateItem speak as the model's checks do."""
    try:
        mixing.check(request)
        if plan is not planned_writes.update:
            _check_return_values(request)
        return plan(request)
    except Fault as fault:
        table_names.check(request["TableName"])  # what is wrong with the name is said first
        if fault.message == planned_writes.TOO_BIG or fault.message == planned_writes.TOO_BIG_UPDATED:
            raise
        raise VALIDATION(f"1 validation error detected: {fault.message}") from None


def _written(ctx: Context, plan: Plan) -> Any:
    """Carry a single write out, and answer it."""
    request = plan.request
    layout = layout_for(ctx, request["TableName"], lambda layout: plan.facts(ctx, layout))
    key = plan.key(layout)
    before = find(ctx, layout, key)
    if ctx.tries > 1:
        conflicts.check_write(ctx, before.stored)
    if plan.condition is not None and not plan.holds(before):
        consumption.refused_condition(ctx, layout)
        plan.check(before)
    item, size = plan.outcome(layout, before)
    usage = Usage()
    write(ctx, layout, key, before, item, size, usage)
    if ctx.runtime.throttling:
        throttling.charge_key(ctx, layout, usage, plan.given)
    answer: dict[str, Any] = {}
    wanted = request.get("ReturnValues")
    if wanted is not None and wanted != "NONE":
        attributes = _returned(ctx, plan, wanted, before, item)
        if attributes:
            answer["Attributes"] = attributes
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = usage.answer(request["TableName"], mode)
    if layout.locals and request.get("ReturnItemCollectionMetrics") == "SIZE":
        partition = item_keys.hash_bytes(layout, plan.given)
        answer["ItemCollectionMetrics"] = item_collections.metrics(ctx, layout, plan.given, partition)
    return answer


def _returned(ctx: Context, plan: Plan, wanted: str, before: Before, item: Item | None) -> Any:
    """The attributes that ReturnValues asks for."""
    if wanted == "ALL_OLD":
        return shown(ctx, before.stored) if before.stored is not None else None
    if wanted == "ALL_NEW":
        return item
    update = plan.update
    seen = before.item if wanted == "UPDATED_OLD" else item
    return update.touched.apply(seen) if update is not None and seen is not None else None


@operation
def get_item(ctx: Context, request: t.GetItemInput) -> t.GetItemOutput:
    """The item of a key, whole or in parts."""
    given: Any = request["Key"]
    name = request["TableName"]
    try:
        mixing.check(request)
        check_item(given)
        projection = projection_of(request)
    except Fault:
        table_names.check(name)
        raise
    layout = layout_for(ctx, name, lambda layout: read_facts(ctx, layout, request, [given], projection))
    stored = read(ctx, layout, item_keys.of_key(layout, given))
    answer: Any = {}
    if stored is not None:
        answer["Item"] = shown(ctx, stored) if projection is None else projection.apply(decode(stored))
    mode = request.get("ReturnConsumedCapacity") or "NONE"
    units = read_units(size_of(stored) if stored is not None else 0, request.get("ConsistentRead", False))
    consumption.read(ctx, layout, units)
    if mode != "NONE" or ctx.runtime.throttling or layout.insights:
        usage = Usage(units, reads=True)
        if ctx.runtime.throttling:
            throttling.charge_key(ctx, layout, usage, given)
        if layout.insights:
            key_insights.accessed(ctx, layout, "", given, units)
        if mode != "NONE":
            answer["ConsumedCapacity"] = usage.answer(name, mode)
    return answer  # type: ignore[no-any-return]


def read_facts(
    ctx: Context,
    layout: Layout | None,
    request: Mapping[str, Any],
    keys: Iterable[Item],
    projection: projections.Projection | None,
) -> Facts:
    """The condition keys of a read by key: partition keys, the attributes it names, whether it asks for all."""
    names = {name: None for key in keys for name in key}
    if projection is not None:
        names.update(dict.fromkeys(sorted(projection.attributes)))
    facts = common_facts(ctx, request)
    facts["dynamodb:LeadingKeys"] = leading_keys(layout, keys)
    facts["dynamodb:Attributes"] = list(names)
    facts["dynamodb:Select"] = "ALL_ATTRIBUTES" if projection is None else "SPECIFIC_ATTRIBUTES"
    return facts


def projection_of(request: Mapping[str, Any]) -> projections.Projection | None:
    """What a read asks for: the parts of ProjectionExpression or AttributesToGet, None for all."""
    text = request.get("ProjectionExpression")
    if text is not None:
        placeholders = Placeholders(request.get("ExpressionAttributeNames"), None)
        projection = projections.parse(text, placeholders)
        placeholders.check_used()
        return projection
    names = request.get("AttributesToGet")
    return projections.of_attributes(names) if names else None


def _check_return_values(request: Mapping[str, Any]) -> None:
    if request.get("ReturnValues", "NONE") not in ("NONE", "ALL_OLD"):
        raise VALIDATION("ReturnValues can only be ALL_OLD or NONE")
