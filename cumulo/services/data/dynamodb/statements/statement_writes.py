"""INSERT, UPDATE, DELETE and EXISTS, as plans of writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.errors import DUPLICATE_ITEM, VALIDATION
from cumulo.services.data.dynamodb.expressions import updates
from cumulo.services.data.dynamodb.expressions.functions import Exists as IsThere
from cumulo.services.data.dynamodb.expressions.operands import attribute
from cumulo.services.data.dynamodb.items import conflicts
from cumulo.services.data.dynamodb.items.planned_writes import CHECK, DELETE, PUT, UPDATE, Plan, check_new
from cumulo.services.data.dynamodb.metering import throttling
from cumulo.services.data.dynamodb.partiql import planner
from cumulo.services.data.dynamodb.partiql.syntax import Delete, Exists, Insert, Update
from cumulo.services.data.dynamodb.stored.item_writes import find, write
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.table_access import common_facts, layout_for, leading_keys
from cumulo.services.data.dynamodb.values.attribute_values import check_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.metering.capacity import Usage
    from cumulo.services.data.dynamodb.partiql.syntax import Statement
    from cumulo.services.data.dynamodb.stored.item_writes import Before
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.table_access import Facts
    from cumulo.services.data.dynamodb.values.attribute_values import Item


def find_layout(ctx: Context, statement: Statement, request: Mapping[str, Any]) -> Layout:
    """The table of a write, found and authorized."""

    def facts(layout: Layout | None) -> Facts:
        found = common_facts(ctx, request)
        names = dict.fromkeys(sorted(statement.where.attributes))
        if isinstance(statement, Insert):
            names.update(dict.fromkeys(statement.item))
        elif isinstance(statement, Update):
            names.update(dict.fromkeys([str(action.path[0]) for action in statement.actions]))
        found["dynamodb:Attributes"] = list(names)
        if layout is not None:
            keyed = planner.primary_key(statement.where, (layout.hash,))
            key = statement.item if isinstance(statement, Insert) else keyed[0] if keyed is not None else {}
            found["dynamodb:LeadingKeys"] = leading_keys(layout, (key,))
        return found

    return layout_for(ctx, statement.table, facts, action=statement.action)


def plan_of(statement: Statement, layout: Layout, request: Mapping[str, Any]) -> Plan:
    """What a statement wants to do to its item. Raises ValidationException when it does not name one by its key."""
    wanted = {"TableName": statement.table}
    if "ReturnValuesOnConditionCheckFailure" in request:
        wanted["ReturnValuesOnConditionCheckFailure"] = request["ReturnValuesOnConditionCheckFailure"]
    if isinstance(statement, Insert):
        return Plan(PUT, wanted, statement.item, check_new(statement.item), None)
    key, rest = planner.mandatory_key(statement.where, layout.keys)
    check_item(key)
    attributes = statement.where.attributes
    if isinstance(statement, Update):
        # UPDATE makes no items: that there is one is its first condition.
        condition = planner.joined([IsThere(attribute(layout.hash), True), *rest], attributes)
        return Plan(UPDATE, wanted, key, 0, condition, updates.of_actions(statement.actions))
    if isinstance(statement, Delete):
        return Plan(DELETE, wanted, key, 0, planner.joined(rest, attributes))
    assert isinstance(statement, Exists)
    if not rest:
        raise VALIDATION("EXISTS() must contain a single item read with additional condition")
    return Plan(CHECK, wanted, key, 0, planner.joined(rest, attributes))


def carry_out(
    ctx: Context, statement: Statement, layout: Layout, request: Mapping[str, Any], usage: Usage
) -> Item | None:
    """Carry a write out; what RETURNING asks for, None for nothing."""
    plan = plan_of(statement, layout, request)
    key = plan.key(layout)
    before = find(ctx, layout, key)
    if ctx.tries > 1 and ctx.operation == "ExecuteStatement":
        conflicts.check_write(ctx, before.stored)
    if isinstance(statement, Insert) and before.stored is not None:
        raise DUPLICATE_ITEM()
    plan.check(before)
    item, size = plan.outcome(layout, before)
    write(ctx, layout, key, before, item, size, usage)
    if ctx.runtime.throttling:
        throttling.charge(ctx, layout, usage, item_keys.hash_bytes(layout, plan.given))
    return returned(statement, plan, before, item)


def returned(statement: Statement, plan: Plan, before: Before, item: Item | None) -> Item | None:
    """What RETURNING asks for; None when it asks for nothing, or there is nothing of it."""
    wanted = statement.returning if isinstance(statement, Update | Delete) else ""
    if not wanted:
        return None
    seen = before.item if wanted.endswith("OLD") else item
    if seen is None or wanted.startswith("ALL"):
        return seen
    assert plan.update is not None
    return plan.update.touched.apply(seen) or None
