"""What a write wants to do, read and checked before any table is looked at: single writes and parts of transactions.

The order is AWS's: what a request says is checked before the table is looked for, its key against the table after
that, then the condition, and at last what an update finds in the item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.errors import CONDITIONAL_CHECK_FAILED, VALIDATION
from cumulo.services.data.dynamodb.expressions import conditions, updates
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.legacy import conditions as legacy_conditions
from cumulo.services.data.dynamodb.legacy import updates as legacy_updates
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.table_access import common_facts, leading_keys
from cumulo.services.data.dynamodb.values.attribute_values import Item, check_item, item_size

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.expressions.conditions import Condition
    from cumulo.services.data.dynamodb.expressions.updates import Update
    from cumulo.services.data.dynamodb.stored.item_writes import Before
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.table_access import Facts

LIMIT_BYTES = 400 * 1024
TOO_BIG = "Item size has exceeded the maximum allowed size"
TOO_BIG_UPDATED = "Item size to update has exceeded the maximum allowed size"
PUT, DELETE, UPDATE, CHECK = "Put", "Delete", "Update", "ConditionCheck"


class Plan:
    """One write. `given` is the whole item of a put, else the key."""

    __slots__ = ("condition", "given", "kind", "request", "size", "update")

    def __init__(
        self,
        kind: str,
        request: Mapping[str, Any],
        given: Item,
        size: int,
        condition: Condition | None,
        update: Update | None = None,
    ) -> None:
        self.kind = kind
        self.request = request
        self.given = given
        self.size = size
        self.condition = condition
        self.update = update

    def facts(self, ctx: Context, layout: Layout | None) -> Facts:
        """The condition keys of this write: its partition key, the attributes it names, what it answers."""
        request = self.request
        names = dict.fromkeys(self.given)
        if self.condition is not None:
            names.update(dict.fromkeys(sorted(self.condition.attributes)))
        if self.update is not None:
            names.update(dict.fromkeys(sorted(self.update.attributes)))
        facts = common_facts(ctx, request)
        facts["dynamodb:LeadingKeys"] = leading_keys(layout, (self.given,))
        facts["dynamodb:Attributes"] = list(names)
        answered = "ReturnValuesOnConditionCheckFailure" if ctx.operation.startswith("Transact") else "ReturnValues"
        facts["dynamodb:ReturnValues"] = request.get(answered) or "NONE"
        return facts

    def key(self, layout: Layout) -> bytes:
        """The key of its item, checked against the table."""
        if self.kind == PUT:
            return item_keys.of_item(layout, self.given)
        update = self.update
        if update is not None:
            for name in layout.keys:
                if name in update.attributes:
                    raise VALIDATION(
                        f"One or more parameter values were invalid: Cannot update attribute {name}. "
                        "This attribute is part of the key"
                    )
        return item_keys.of_key(layout, self.given)

    def holds(self, before: Before) -> bool:
        """Whether the item that is there satisfies the condition."""
        return self.condition is None or self.condition.matches(before.item)

    def check(self, before: Before) -> None:
        """Refuse the write where the condition does not hold; with the item that is there, if it is asked for."""
        if self.condition is None or self.condition.matches(before.item):
            return
        if before.item is not None and self.request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            # With an item AWS spells "Message", without one "message": observed in its answers.
            members = {"Item": before.item, "Message": CONDITIONAL_CHECK_FAILED.text}
            raise CONDITIONAL_CHECK_FAILED(members=members)
        raise CONDITIONAL_CHECK_FAILED()

    def outcome(self, layout: Layout, before: Before) -> tuple[Item | None, int]:
        """The item after it, None where there is none, and its size."""
        if self.kind == PUT:
            return self.given, self.size
        if self.kind == DELETE:
            return None, 0
        found = before.item
        item = found if found is not None else self.given
        if self.update is not None:
            item = self.update.apply(item)
        size = item_size(item)
        if size > LIMIT_BYTES:
            raise VALIDATION(TOO_BIG_UPDATED)
        if layout.indexes:
            item_keys.check_index_keys(layout, item, updated=True)
        return item, size


def put(request: Mapping[str, Any]) -> Plan:
    """A put: of PutItem, or of a transaction."""
    item: Item = request["Item"]
    size = check_new(item)
    return Plan(PUT, request, item, size, condition_of(request))


def delete(request: Mapping[str, Any]) -> Plan:
    """A removal."""
    key: Item = request["Key"]
    condition = condition_of(request)  # before the key: observed in AWS's answers
    check_item(key)
    return Plan(DELETE, request, key, 0, condition)


def check(request: Mapping[str, Any]) -> Plan:
    """A condition alone, as transactions have it."""
    key: Item = request["Key"]
    condition = condition_of(request)
    check_item(key)
    return Plan(CHECK, request, key, 0, condition)


def update(request: Mapping[str, Any]) -> Plan:
    """A change of an item that is there, or else is made of its key."""
    key: Item = request["Key"]
    check_item(key)
    text, condition_text = request.get("UpdateExpression"), request.get("ConditionExpression")
    if text is None and condition_text is None:
        changes = request.get("AttributeUpdates")
        change = legacy_updates.parse(changes) if changes else None
        return Plan(UPDATE, request, key, 0, condition_of(request), change)
    placeholders = _placeholders(request)
    change = updates.parse(text, placeholders) if text is not None else None
    condition = conditions.parse(condition_text, placeholders) if condition_text is not None else None
    placeholders.check_used()
    if change is not None:
        charge = change.charge
        if (
            charge.fixed + charge.most * placeholders.size > LIMIT_BYTES
            and charge.of(placeholders.values) > LIMIT_BYTES
        ):
            raise VALIDATION(TOO_BIG_UPDATED)
    return Plan(UPDATE, request, key, 0, condition, change)


def check_new(item: Item) -> int:
    """The size of an item that is to be put, checked."""
    size = check_item(item)
    if size > LIMIT_BYTES:
        raise VALIDATION(TOO_BIG)
    return size


def condition_of(request: Mapping[str, Any]) -> Condition | None:
    """The condition that a request sets for its item, in either language."""
    text = request.get("ConditionExpression")
    if text is not None:
        placeholders = _placeholders(request)
        condition = conditions.parse(text, placeholders)
        placeholders.check_used()
        return condition
    expected = request.get("Expected")
    if expected:
        return legacy_conditions.expected(expected, request.get("ConditionalOperator") or "AND")
    return None


def _placeholders(request: Mapping[str, Any]) -> Placeholders:
    return Placeholders(request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues"))
