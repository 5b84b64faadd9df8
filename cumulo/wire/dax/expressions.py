"""Expressions: DAX carries them parsed, DynamoDB's API takes text. `Writer` makes text of them again.

Names and values become placeholders (`#n0`, `:v0`), so no name is a reserved word and no value has to be quoted.
"""

from __future__ import annotations

from typing import Any, NoReturn

from cumulo.wire.dax.attribute_values import Value, value_of
from cumulo.wire.dax.items import MalformedItem, Ordinal, Reader

FORMAT = 1
DEPTH_LIMIT = 300

_COMPARISONS = {0: "=", 1: "<>", 2: "<", 3: ">=", 4: ">", 5: "<="}
AND, OR, NOT, BETWEEN, IN = 6, 7, 8, 9, 10
_FUNCTIONS = {
    11: "attribute_exists",
    12: "attribute_not_exists",
    13: "attribute_type",
    14: "begins_with",
    15: "contains",
    16: "size",
    23: "if_not_exists",
    24: "list_append",
}
VARIABLE, PATH = 17, 18
_ACTIONS = {19: "SET", 20: "ADD", 21: "DELETE", 22: "REMOVE"}
PLUS, MINUS = 25, 26

Path = list[str | int]


class Writer:
    """The expressions of one request, with the placeholders that they share."""

    __slots__ = ("_by_name", "names", "values")

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # ExpressionAttributeNames
        self.values: dict[str, Value] = {}  # ExpressionAttributeValues
        self._by_name: dict[str, str] = {}

    def condition(self, data: bytes) -> str:
        """The text of a condition, a filter or a key condition. Raises MalformedItem."""
        tree, variables = _parts(data, 3)
        return _Sentence(self, variables).condition(tree, 0)

    def update(self, data: bytes) -> str:
        """The text of an update."""
        tree, variables = _parts(data, 3)
        sentence = _Sentence(self, variables)
        clauses: dict[str, list[str]] = {}
        if type(tree) is not list:
            _wrong()
        for action in tree:
            if type(action) is not list or len(action) < 2 or action[0] not in _ACTIONS:
                _wrong()
            name = _ACTIONS[action[0]]
            operands = [sentence.path(action[1])]
            if name == "REMOVE":
                if len(action) != 2:
                    _wrong()
            else:
                if len(action) != 3:
                    _wrong()
                operands.append(sentence.operand(action[2], 0))
            clauses.setdefault(name, []).append((" = " if name == "SET" else " ").join(operands))
        return " ".join(f"{name} {', '.join(parts)}" for name, parts in clauses.items())

    def projection(self, data: bytes) -> tuple[str, list[Path]]:
        """The text of a projection, and its paths in order."""
        (tree,) = _parts(data, 2)
        if type(tree) is not list:
            _wrong()
        sentence = _Sentence(self, [])
        return ", ".join(map(sentence.path, tree)), [_elements(path) for path in tree]

    def name(self, name: str) -> str:
        """The placeholder of an attribute's name."""
        known = self._by_name.get(name)
        if known is None:
            known = self._by_name[name] = f"#n{len(self.names)}"
            self.names[known] = name
        return known

    def value(self, value: Value) -> str:
        """A placeholder for a value."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder

    def placed(self) -> dict[str, Any]:
        """The request's members for the placeholders that there are."""
        found: dict[str, Any] = {}
        if self.names:
            found["ExpressionAttributeNames"] = self.names
        if self.values:
            found["ExpressionAttributeValues"] = self.values
        return found


class _Sentence:
    """One expression with its variables."""

    def __init__(self, writer: Writer, variables: list[Any]) -> None:
        self._writer = writer
        self._variables = variables
        self._written: dict[int, str] = {}

    def condition(self, tree: Any, depth: int) -> str:
        if type(tree) is not list or not tree or type(tree[0]) is not int or depth > DEPTH_LIMIT:
            _wrong()
        kind, *operands = tree
        if kind in (AND, OR) and len(operands) == 2:
            one, other = (self.condition(each, depth + 1) for each in operands)
            return f"({one} {'AND' if kind == AND else 'OR'} {other})"
        if kind == NOT and len(operands) == 1:
            return f"(NOT {self.condition(operands[0], depth + 1)})"
        if kind in _COMPARISONS and len(operands) == 2:
            one, other = (self.operand(each, depth) for each in operands)
            return f"{one} {_COMPARISONS[kind]} {other}"
        if kind == BETWEEN and len(operands) == 3:
            one, low, high = (self.operand(each, depth) for each in operands)
            return f"{one} BETWEEN {low} AND {high}"
        if kind == IN and len(operands) == 2 and type(operands[1]) is list:
            among = ", ".join(self.operand(each, depth) for each in operands[1])
            return f"{self.operand(operands[0], depth)} IN ({among})"
        return self.operand(tree, depth)

    def operand(self, tree: Any, depth: int) -> str:
        if type(tree) is not list or not tree or type(tree[0]) is not int or depth > DEPTH_LIMIT:
            _wrong()
        kind, *operands = tree
        if kind == PATH:
            return self.path(tree)
        if kind == VARIABLE and len(operands) == 1:
            return self._variable(operands[0])
        if kind in (PLUS, MINUS) and len(operands) == 2:
            one, other = (self.operand(each, depth + 1) for each in operands)
            return f"{one} {'+' if kind == PLUS else '-'} {other}"
        if kind in _FUNCTIONS:
            return f"{_FUNCTIONS[kind]}({', '.join(self.operand(each, depth + 1) for each in operands)})"
        _wrong()

    def path(self, tree: Any) -> str:
        text = ""
        for element in _elements(tree):
            if isinstance(element, int):
                text += f"[{int(element)}]"
            else:
                text += ("." if text else "") + self._writer.name(element)
        return text

    def _variable(self, number: Any) -> str:
        if type(number) is not int or not 0 <= number < len(self._variables):
            _wrong()
        known = self._written.get(number)
        if known is None:
            known = self._written[number] = self._writer.value(value_of(self._variables[number]))
        return known


def _parts(data: bytes, count: int) -> list[Any]:
    found = Reader(data).item() if type(data) is bytes else None
    if type(found) is not list or len(found) != count or found[0] != FORMAT:
        _wrong()
    if count == 3 and type(found[2]) is not list:
        _wrong()
    return found[1:]


def _elements(tree: Any) -> Path:
    if type(tree) is not list or len(tree) < 2 or tree[0] != PATH:
        _wrong()
    elements = tree[1:]
    if any(type(each) not in (str, Ordinal) for each in elements) or type(elements[0]) is not str:
        _wrong()
    return elements


def _wrong() -> NoReturn:
    raise MalformedItem("no such expression")
