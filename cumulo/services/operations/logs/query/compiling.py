"""Expressions to SQL.

Comparisons: with a number on one side, both are numbers; a text that the query spells out compares as text where it
is asked for equality, and as a number where it looks like one and is asked for order; two fields compare as numbers
when both are. Source: CloudWatch Logs User Guide, "filter" and "Comparison operators" ("accept all data types").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cumulo.services.operations.logs.query import functions
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.numbers import as_number
from cumulo.services.operations.logs.query.tree import (
    Access,
    Binary,
    Call,
    Expression,
    Field,
    In,
    InQuery,
    Like,
    Literal,
    Negative,
    Not,
    Query,
)
from cumulo.services.operations.logs.query.values import NODE, NUMBER, TEXT, TRUTH, Value, number, quoted


@dataclass(slots=True)
class Times:
    """When a query runs and what it looks at, in milliseconds; `end` inclusive."""

    now: int
    start: int
    end: int


@dataclass(slots=True)
class Compiler:
    """Turns expressions into SQL over the columns of a relation."""

    columns: Mapping[str, Value]
    times: Times
    subquery: Callable[[Query], str]  # a query's first column, as a SELECT
    aggregate: Callable[[Call], Value] | None = None
    raw: Mapping[str, Value] = field(default_factory=dict)  # fields as they are in JSON, maps and lists too

    def value(self, found: Expression) -> Value:
        """The expression's SQL and kind. Raises Malformed."""
        if isinstance(found, Field):
            return self.column(found)
        if isinstance(found, Literal):
            return literal(found.value)
        if isinstance(found, Call):
            if self.aggregate is not None:
                given = self.aggregate(found)
                if given is not NOT_AN_AGGREGATE:
                    return given
            return functions.call(self, found)
        if isinstance(found, Binary):
            return self._binary(found)
        if isinstance(found, Not):
            return Value(f"(NOT {self.truth(found.operand)})", TRUTH)
        if isinstance(found, Negative):
            return Value(f"(-({self.value(found.operand).number()}))", NUMBER)
        if isinstance(found, Like):
            return self._like(found)
        if isinstance(found, In):
            tests = [self._equal(self.value(found.operand), self.value(item)) for item in found.items]
            return Value("(" + " OR ".join(tests) + ")", TRUTH)
        if isinstance(found, InQuery):
            text = self.value(found.operand).text()
            return Value(f"coalesce({text} IN ({self.subquery(found.query)}), false)", TRUTH)
        if isinstance(found, Access):
            return into(self.value(found.operand), found.parts)
        raise Malformed("A period stands where a value is expected", 0, 0)

    def truth(self, found: Expression) -> str:
        """The SQL of a condition."""
        return self.value(found).truth()

    def column(self, found: Field) -> Value:
        """A field: a column of its name, a part of a map that is one, or nothing."""
        given = self.columns.get(found.name)
        if given is not None:
            return given
        names = [str(part) for part in found.parts]
        for count in range(len(names) - 1, 0, -1):
            outer = self.columns.get(".".join(names[:count]))
            if outer is not None and outer.kind == NODE:
                return into(outer, found.parts[count:])
        return Value("NULL::VARCHAR", TEXT)

    def _binary(self, found: Binary) -> Value:
        operator = found.operator
        if operator in ("and", "or"):
            return Value(f"({self.truth(found.left)} {operator.upper()} {self.truth(found.right)})", TRUTH)
        left, right = self.value(found.left), self.value(found.right)
        if operator == "=":
            return Value(self._equal(left, right), TRUTH)
        if operator == "!=":
            return Value(self._unequal(left, right), TRUTH)
        if operator in ("<", "<=", ">", ">="):
            return Value(self._ordered(left, operator, right, found), TRUTH)
        return Value(_arithmetic(left.number(), operator, right.number()), NUMBER)

    def _equal(self, left: Value, right: Value) -> str:
        for one, other in ((left, right), (right, left)):
            if other.kind == TRUTH and not one.numeric():  # JSON's true is a text here, and AWS's 1 as well
                text = one.text()
                number_of = f"CASE WHEN {text} = 'true' THEN 1 WHEN {text} = 'false' THEN 0 ELSE {one.number()} END"
                return f"coalesce({number_of} = {other.number()}, false)"
        if left.numeric() or right.numeric():
            return f"coalesce({left.number()} = {right.number()}, false)"
        if _is_literal(left) or _is_literal(right):
            return f"coalesce({left.text()} = {right.text()}, false)"
        return f"coalesce({_either(left, '=', right)}, false)"

    def _unequal(self, left: Value, right: Value) -> str:
        maps = [f"({each.text()} IS NULL AND {each.sql} IS NOT NULL)" for each in (left, right) if each.kind == NODE]
        opposite = f"NOT {self._equal(left, right)}"
        return f"({opposite} AND NOT ({' OR '.join(maps)}))" if maps else f"({opposite})"

    def _ordered(self, left: Value, operator: str, right: Value, found: Binary) -> str:
        spelled = [each.value for each in (found.left, found.right) if isinstance(each, Literal)]
        if left.numeric() or right.numeric() or any(as_number(str(each)) is not None for each in spelled):
            return f"coalesce({left.number()} {operator} {right.number()}, false)"
        if spelled:
            return f"coalesce({left.text()} {operator} {right.text()}, false)"
        return f"coalesce({_either(left, operator, right)}, false)"

    def _like(self, found: Like) -> Value:
        text = self.value(found.operand).text()
        test = "regexp_matches" if found.regex else "contains"
        return Value(f"coalesce({test}({text}, {quoted(found.pattern)}), false)", TRUTH)


NOT_AN_AGGREGATE = Value("", "")


def literal(value: str | float | bool) -> Value:
    """What a query spells out."""
    if isinstance(value, bool):
        return Value("true" if value else "false", TRUTH)
    if isinstance(value, str):
        return Value(quoted(value), TEXT)
    return Value(number(value), NUMBER)


def into(value: Value, parts: tuple[str | int, ...]) -> Value:
    """A part of a map or list."""
    if value.kind != NODE:
        return Value("NULL::JSON", NODE)
    return Value(f"json_extract({value.sql}, {quoted(pointer(parts))})", NODE)


def pointer(parts: tuple[str | int, ...]) -> str:
    """A JSON pointer, in which a number is a list's position or a map's key. Source: RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _is_literal(value: Value) -> bool:
    return value.sql.startswith("'")


def _either(left: Value, operator: str, right: Value) -> str:
    one, other = left.number(), right.number()
    return (
        f"CASE WHEN {one} IS NOT NULL AND {other} IS NOT NULL THEN {one} {operator} {other}"
        f" ELSE {left.text()} {operator} {right.text()} END"
    )


def _arithmetic(left: str, operator: str, right: str) -> str:
    if operator in ("/", "%"):
        return f"q_finite({left} {operator} nullif({right}, 0))"
    if operator == "^":
        return f"q_finite(pow({left}, {right}))"
    return f"q_finite({left} {operator} {right})"
