"""AttributeUpdates of UpdateItem. Texts: observed in AWS's answers."""

from collections.abc import Mapping
from typing import Any

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions.operands import GivenOperand
from cumulo.services.data.dynamodb.expressions.updates import Action, Update, of_actions
from cumulo.services.data.dynamodb.legacy.comparisons import invalid
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value, check_value, type_of

_SETS = frozenset(("SS", "NS", "BS"))


class _Change(Action):
    """ADD and DELETE as AttributeUpdates have them: ADD appends to lists too, and a wrong type has another text."""

    __slots__ = ()

    def outcome(self, item: Item, values: Mapping[str, Value]) -> Value | None:
        assert self.operand is not None
        given = self.operand.value(item, values)
        before = item.get(str(self.path[0]))
        if before is not None and given is not None:
            if type_of(before) != type_of(given):
                raise VALIDATION("Type mismatch for attribute to update")
            if "L" in given:
                return {"L": [*before["L"], *given["L"]]}
        return super().outcome(item, values)


def parse(changes: dict[str, dict[str, Any]]) -> Update:
    """The update of AttributeUpdates. Raises ValidationException."""
    return of_actions([_action(name, change) for name, change in changes.items()])


def _action(name: str, change: dict[str, Any]) -> Action:
    action = change.get("Action", "PUT")
    value = change.get("Value")
    if value is None:
        if action != "DELETE":
            raise invalid("Only DELETE action is allowed when no attribute value is specified")
        return Action("REMOVE", (name,), None)
    check_value(value)
    kind = type_of(value)
    if action == "ADD" and kind not in _SETS and kind != "N" and kind != "L":
        raise invalid(f"ADD action is not supported for the type {kind}")
    if action == "DELETE" and kind not in _SETS:
        raise invalid(f"DELETE action with value is not supported for the type {kind}")
    if action == "PUT":
        return Action("SET", (name,), GivenOperand(value))
    return _Change(action, (name,), GivenOperand(value))
