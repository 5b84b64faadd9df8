"""Update expressions, ready to be applied to items. Texts: observed in AWS's answers."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions import paths
from cumulo.services.data.dynamodb.expressions.operands import Operand
from cumulo.services.data.dynamodb.expressions.paths import Path
from cumulo.services.data.dynamodb.expressions.placeholders import NO_VALUES, Placeholders
from cumulo.services.data.dynamodb.expressions.projections import Projection
from cumulo.services.data.dynamodb.expressions.scopes import Scope
from cumulo.services.data.dynamodb.expressions.update_charges import Charge
from cumulo.services.data.dynamodb.expressions.update_operands import needed, wrong_type
from cumulo.services.data.dynamodb.expressions.update_syntax import Clause, UpdateParser
from cumulo.services.data.dynamodb.values import numbers
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value, check_levels, type_of

Pairs = tuple[tuple[str, str], ...]
# What is changed in a value: for each member or element the number of the action, or what is changed in it.
Edits = dict[Any, Any]

_SETS = frozenset(("SS", "NS", "BS"))
_TYPE_NAMES = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "SS": "STRING_SET",
    "NS": "NUMBER_SET",
    "BS": "BINARY_SET",
    "M": "MAP",
    "L": "LIST",
    "BOOL": "BOOLEAN",
    "NULL": "NULL",
}


class Action:
    """One thing that an update does: SET, ADD or DELETE with an operand, or REMOVE."""

    __slots__ = ("operand", "path", "section")

    def __init__(self, section: str, path: Path, operand: Operand | None) -> None:
        self.section = section
        self.path = path
        self.operand = operand

    def outcome(self, item: Item, values: Mapping[str, Value]) -> Value | None:
        """The value that the path shall have; None to remove what is there. Raises ValidationException."""
        if self.operand is None:
            return None
        if self.section == "SET":
            found = needed(self.operand, item, values)
            if len(self.path) > 1 or "M" in found or "L" in found:
                check_levels(found, len(self.path))
            return found
        given = self.operand.value(item, values)
        assert given is not None
        before = paths.find(item, self.path)
        if self.section == "ADD":
            return given if before is None else _added(before, given)
        return None if before is None else _deleted(before, given)


def _added(before: Value, given: Value) -> Value:
    kind = type_of(given)
    content = before.get(kind)
    if content is None:
        raise wrong_type()
    if kind == "N":
        return {"N": numbers.add(content, given["N"])}
    members = set(content)
    return _set(kind, [*content, *[member for member in given[kind] if member not in members]])


def _deleted(before: Value, given: Value) -> Value | None:
    kind = type_of(given)
    content = before.get(kind)
    if content is None:
        raise wrong_type()
    members = set(given[kind])
    rest = [member for member in content if member not in members]
    return {kind: rest} if rest else None


def _set(kind: str, members: list[Any]) -> Value:
    return {kind: members if kind == "NS" else sorted(members)}


def _wrong_path() -> Fault:
    return VALIDATION("The document path provided in the update expression is invalid for update")


class Update:
    """What an update changes.

    `paths` are the document paths that it writes, `attributes` their top-level attributes in the order in which they
    were written (for the check of key attributes), `touched` the projection that UPDATED_OLD and UPDATED_NEW answer.
    """

    __slots__ = ("_plan", "_values", "attributes", "charge", "paths", "touched")

    def __init__(self, plan: "Plan", values: Mapping[str, Value]) -> None:
        self._plan = plan
        self.charge = plan.charge
        self._values = values
        self.attributes = plan.attributes
        self.paths = plan.paths
        self.touched = plan.touched

    def apply(self, item: Item) -> Item:
        """The changed item (a new one: the given item stays as it is, unchanged parts are shared).

        `item` is the key's attributes when there is no item yet. Raises ValidationException in AWS's words where the
        item's values do not allow the change.
        """
        plan = self._plan
        outcomes = [action.outcome(item, self._values) for action in plan.actions]
        changed = dict(item)
        for name, edit in plan.edits.items():
            outcome = outcomes[edit] if isinstance(edit, int) else _edited(item.get(name), edit, outcomes)
            if outcome is None:
                changed.pop(name, None)
            else:
                changed[name] = outcome
        return changed


def _edited(value: Value | None, edits: Edits, outcomes: list[Value | None]) -> Value:
    """A value with changes in it. Indexes are those before the update; beyond a list's end they append."""
    if value is None:
        raise _wrong_path()
    elements = value.get("L")
    members = value.get("M")
    for part in edits:
        if (elements if isinstance(part, int) else members) is None:
            raise _wrong_path()
    if elements is not None:
        return {"L": _edited_list(elements, edits, outcomes)}
    changed = dict(members or {})
    for name, edit in edits.items():
        outcome = outcomes[edit] if isinstance(edit, int) else _edited(changed.get(name), edit, outcomes)
        if outcome is None:
            changed.pop(name, None)
        else:
            changed[name] = outcome
    return {"M": changed}


def _edited_list(elements: list[Value], edits: Edits, outcomes: list[Value | None]) -> list[Value]:
    changed: list[Value | None] = list(elements)
    for at in sorted(edits):
        edit = edits[at]
        inside = at < len(elements)
        if not isinstance(edit, int):
            changed[at : at + 1] = [_edited(elements[at] if inside else None, edit, outcomes)]
        elif inside:
            changed[at] = outcomes[edit]
        else:
            changed.append(outcomes[edit])
    return [element for element in changed if element is not None]


class Plan:
    """The actions of an update, for all requests with the same text, names and types of values."""

    __slots__ = ("actions", "attributes", "charge", "edits", "paths", "touched", "used_names", "used_values")

    def __init__(self, actions: list[Action]) -> None:
        self.actions = actions
        self.paths = tuple([action.path for action in actions])
        self.touched = Projection(self.paths)
        self.attributes: tuple[str, ...] = tuple(dict.fromkeys([str(path[0]) for path in self.paths]))
        self.edits: Edits = {}
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()
        self.charge = Charge()
        for number, action in enumerate(actions):
            self.charge.add(action.section, action.path, action.operand)
            inner = self.edits
            for part in action.path[:-1]:
                inner = inner.setdefault(part, {})
            inner[action.path[-1]] = number


@lru_cache(maxsize=4096)
def _compiled(text: str, names: Pairs, types: Pairs) -> Plan:
    scope = Scope("UpdateExpression", dict(names), dict(types))
    actions = [_checked(clause, scope) for clause in UpdateParser(text).parse()]
    paths.check_apart([action.path for action in actions], scope)
    plan = Plan(actions)
    plan.used_names = scope.used_names
    plan.used_values = scope.used_values
    return plan


def _checked(clause: Clause, scope: Scope) -> Action:
    path = clause.path.resolve(scope)
    operand = clause.operand
    if operand is not None:
        operand = operand.check(scope)
        section = clause.section
        if section != "SET" and operand.kind not in _SETS and not (section == "ADD" and operand.kind == "N"):
            raise scope.fail(
                f"Incorrect operand type for operator or function; operator: {section}, "
                f"operand type: {_TYPE_NAMES[operand.kind]}, typeSet: ALLOWED_FOR_{section}_OPERAND"
            )
    return Action(clause.section, path, operand)


def parse(text: str, placeholders: Placeholders) -> Update:
    """The update of an UpdateExpression. Raises ValidationException."""
    plan = _compiled(text, placeholders.names_given, placeholders.types)
    placeholders.used_names |= plan.used_names
    placeholders.used_values |= plan.used_values
    return Update(plan, placeholders.values)


def of_actions(actions: list[Action]) -> Update:
    """An update that was not written as an expression."""
    return Update(Plan(actions), NO_VALUES)
