"""Logs Insights once more, slowly and row by row: what the plan for DuckDB is compared with.

Values are None (missing), str, float, bool, Time and Node (a part of JSON).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Any

from cumulo.services.operations.logs.query import flattening, numbers, periods, rendering
from cumulo.services.operations.logs.query import tree as t
from tests.services.operations.logs.query.running import BASE, HOUR, Event


@dataclass(frozen=True)
class Time:
    ms: int


@dataclass(frozen=True)
class Node:
    value: Any


Value = Any


@dataclass
class Row:
    """Fields that the query made, over those of the event."""

    event: dict[str, Value]
    made: dict[str, Value] = field(default_factory=dict)
    order: tuple[int, int] = (0, 0)

    def get(self, parts: tuple[str | int, ...]) -> Value:
        name = ".".join(map(str, parts))
        if name in self.made:
            return self.made[name]
        for count in range(len(parts) - 1, 0, -1):
            outer = self.made.get(".".join(map(str, parts[:count])))
            if isinstance(outer, Node):
                return into(outer, parts[count:])
        return self.event.get(name)


def into(node: Value, parts: Sequence[str | int]) -> Value:
    """A part of a map or list."""
    if not isinstance(node, Node):
        return None
    found = node.value
    for part in parts:
        if isinstance(found, dict) and str(part) in found:
            found = found[str(part)]
        elif isinstance(found, list) and str(part).isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return Node(found)


# --- kinds --------------------------------------------------------------------------------------


def text(value: Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return numbers.as_text(value)
    if isinstance(value, Time):
        return rendering.time_text(value.ms)
    if value.value is None or isinstance(value.value, dict | list):
        return None
    return flattening.leaf_text(value.value)


def number(value: Value) -> float | None:
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, float):
        return value
    if isinstance(value, Time):
        return float(value.ms)
    found = text(value)
    return None if found is None else numbers.as_number(found)


def truth(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return value != 0
    if isinstance(value, Time):
        return True
    found = text(value)
    return found is not None and found not in ("", "0", "false")


def numeric(value: Value) -> bool:
    return isinstance(value, float | bool | Time)


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def shown(value: Value) -> str | None:
    if isinstance(value, Node) and isinstance(value.value, dict | list):
        return json.dumps(value.value, separators=(",", ":"), ensure_ascii=False)
    return text(value)


# --- expressions --------------------------------------------------------------------------------


def evaluate(found: t.Expression, row: Row, aggregate: Callable[[t.Call], Value] | None = None) -> Value:
    """An expression's value for a row."""

    def of(inner: t.Expression) -> Value:
        return evaluate(inner, row, aggregate)

    if isinstance(found, t.Field):
        return row.get(found.parts)
    if isinstance(found, t.Literal):
        return found.value
    if isinstance(found, t.Not):
        return not truth(of(found.operand))
    if isinstance(found, t.Negative):
        value = number(of(found.operand))
        return None if value is None else -value
    if isinstance(found, t.Like):
        value = text(of(found.operand))
        if value is None:
            return False
        if not found.regex:
            return found.pattern in value
        return bool(re.search(found.pattern.replace(r"\z", r"\Z"), value))  # as RE2 and as Python write the end
    if isinstance(found, t.In):
        return any(equal(of(found.operand), of(item), found.operand, item) for item in found.items)
    if isinstance(found, t.Access):
        return into(of(found.operand), found.parts)
    if isinstance(found, t.Call):
        if aggregate is not None and found.name in AGGREGATES:
            return aggregate(found)
        return call(found, row, of)
    assert isinstance(found, t.Binary)
    return binary(found, of)


def binary(found: t.Binary, of: Callable[[t.Expression], Value]) -> Value:
    if found.operator == "and":
        return truth(of(found.left)) and truth(of(found.right))
    if found.operator == "or":
        return truth(of(found.left)) or truth(of(found.right))
    left, right = of(found.left), of(found.right)
    if found.operator == "=":
        return equal(left, right, found.left, found.right)
    if found.operator == "!=":
        structures = [each for each in (left, right) if isinstance(each, Node) and text(each) is None]
        return not equal(left, right, found.left, found.right) and not structures
    if found.operator in ("<", "<=", ">", ">="):
        return ordered(left, found.operator, right, found)
    one, other = number(left), number(right)
    if one is None or other is None or (found.operator in "/%" and other == 0):
        return None
    return arithmetic(one, found.operator, other)


def arithmetic(one: float, operator: str, other: float) -> float | None:
    try:
        if operator == "+":
            return finite(one + other)
        if operator == "-":
            return finite(one - other)
        if operator == "*":
            return finite(one * other)
        if operator == "/":
            return finite(one / other)
        if operator == "%":
            return finite(math.fmod(one, other))
        power = one**other
    except (OverflowError, ZeroDivisionError):
        return None
    return finite(power) if isinstance(power, float) else None


def equal(left: Value, right: Value, one: t.Expression, other: t.Expression) -> bool:
    for truth_value, beside in ((left, right), (right, left)):
        if isinstance(truth_value, bool) and not numeric(beside):
            spelled = {"true": 1.0, "false": 0.0}.get(text(beside) or "", number(beside))
            return spelled == float(truth_value)
    if numeric(left) or numeric(right):
        return number(left) is not None and number(left) == number(right)
    return compare(left, "=", right, isinstance(one, t.Literal) or isinstance(other, t.Literal))


def ordered(left: Value, operator: str, right: Value, found: t.Binary) -> bool:
    spelled = [each.value for each in (found.left, found.right) if isinstance(each, t.Literal)]
    if numeric(left) or numeric(right) or any(numbers.as_number(str(each)) is not None for each in spelled):
        one, other = number(left), number(right)
        return one is not None and other is not None and holds(one, operator, other)
    return compare(left, operator, right, bool(spelled))


def compare(left: Value, operator: str, right: Value, as_text: bool) -> bool:
    one, other = number(left), number(right)
    if not as_text and one is not None and other is not None:
        return holds(one, operator, other)
    mine, theirs = text(left), text(right)
    return mine is not None and theirs is not None and holds(mine, operator, theirs)


def holds(one: Any, operator: str, other: Any) -> bool:
    return bool(
        {"=": one == other, "<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[operator]
    )


def floor_time(ms: int, period: t.Period) -> int:
    period = periods.capped(period)
    months = periods.MONTHS.get(period.unit)
    if months:
        moment = datetime.fromtimestamp(ms / 1000, UTC)
        count = (moment.year * 12 + moment.month - 1) // (months * period.count) * months * period.count
        return int(datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)
    length = periods.UNITS[period.unit] * period.count
    edge = 4 * periods.DAY_MS if period.unit == "w" else 0
    return ms - (ms - edge) % length


def call(found: t.Call, row: Row, of: Callable[[t.Expression], Value]) -> Value:
    """A scalar function."""
    name, arguments = found.name, found.arguments
    if name == "bin":
        return Time(floor_time(row.get(("@timestamp",)).ms, arguments[0]))  # type: ignore[arg-type]
    if name == "ispresent":
        return of(arguments[0]) is not None
    if name == "datefloor":
        time = number(of(arguments[0]))
        return None if time is None else Time(floor_time(math.floor(time), arguments[1]))  # type: ignore[arg-type]
    values = [of(each) for each in arguments]
    if name == "coalesce":
        return next((value for value in values if value is not None), None)
    if name in ("if", "case"):
        for index in range(0, len(values) - 1, 2):
            if truth(values[index]):
                return values[index + 1]
        return values[-1] if len(values) % 2 else None
    if name == "isempty":
        return (text(values[0]) or "") == ""
    if name == "isblank":
        return (text(values[0]) or "").strip(" \t\n\v\f\r") == ""
    if name == "concat":
        return "".join(text(value) or "" for value in values)
    if name == "isNumeric":
        return number(values[0]) is not None
    if name in ("strcontains", "startsWith", "endsWith"):
        one, other = text(values[0]), text(values[1])
        if one is None or other is None:
            return False
        return {"strcontains": other in one, "startsWith": one.startswith(other), "endsWith": one.endswith(other)}[name]
    if name in ("greatest", "least"):
        given = [each for each in map(number, values) if each is not None]
        return None if not given else max(given) if name == "greatest" else min(given)
    if name == "jsonParse":
        try:
            parsed = json.loads(text(values[0]) or "")
        except ValueError:
            return None
        return Node(parsed) if isinstance(parsed, dict | list) else None
    if name in _NUMBERS:
        given = [number(value) for value in values]
        return None if None in given else _NUMBERS[name](*given)
    texts: list[Any] = [text(values[0]), *[text(v) if isinstance(v, str) else number(v) for v in values[1:]]]
    if name in ("trim", "ltrim", "rtrim", "replace"):
        texts = [text(value) for value in values]
    return None if None in texts else _TEXTS[name](*texts)


def _trimmed(method: str) -> Callable[..., str]:
    return lambda value, what=" \t\n\v\f\r": getattr(value, method)(what)


def _substr(value: str, begin: float, count: float | None = None) -> str:
    first = max(int(begin), 0)
    return value[first:] if count is None else value[first : first + max(int(count), 0)]


_NUMBERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": lambda x: float(math.ceil(x)),
    "floor": lambda x: float(math.floor(x)),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else None,
    "log": lambda x: math.log(x) if x > 0 else None,
    "toNumber": lambda x: x,
    "toMillis": lambda x: x,
    "fromMillis": lambda x: Time(math.floor(x)),
    "toInt": lambda x: float(math.trunc(x)) if abs(math.trunc(x)) < 2**31 else None,
}
_TEXTS: dict[str, Callable[..., Any]] = {
    "strlen": lambda x: float(len(x)),
    "messageSize": lambda x: float(len(x.encode())),
    "toupper": str.upper,
    "tolower": str.lower,
    "trim": _trimmed("strip"),
    "ltrim": _trimmed("lstrip"),
    "rtrim": _trimmed("rstrip"),
    "substr": _substr,
    "replace": lambda x, old, new: x.replace(old, new) if old else x,
    "md5": lambda x: hashlib.md5(x.encode()).hexdigest(),
}


# --- aggregates ---------------------------------------------------------------------------------


def _extreme(choose: Callable[..., Any]) -> Callable[[list[Value]], Value]:
    def of(values: list[Value]) -> Value:
        present = [value for value in values if value is not None]
        if present and all(numeric(value) for value in present):
            return choose(number(value) for value in present)
        given = [(number(value), text(value)) for value in present if text(value) is not None]
        with_number = [pair for pair in given if pair[0] is not None]
        if with_number:
            return choose(with_number, key=lambda pair: pair[0])[1]
        return choose(pair[1] for pair in given) if given else None

    return of


def _numbers_of(values: list[Value]) -> list[float]:
    return [found for found in map(number, values) if found is not None]


def _percentile(values: list[float], share: float) -> float | None:
    if not values:
        return None
    return sorted(values)[max(math.ceil(share * len(values)), 1) - 1]


def _median(values: list[float]) -> float | None:
    ordered_values, middle = sorted(values), len(values) // 2
    if not values:
        return None
    return ordered_values[middle] if len(values) % 2 else (ordered_values[middle - 1] + ordered_values[middle]) / 2


AGGREGATES = {"count", "countDistinct", "sum", "avg", "min", "max", "pct", "median", "earliest", "latest"}


def aggregate(found: t.Call, rows: list[Row]) -> Value:
    """An aggregate of rows."""
    if found.name == "count" and (not found.arguments or isinstance(found.arguments[0], t.Star)):
        return float(len(rows))
    values = [evaluate(found.arguments[0], row) for row in rows]
    if found.name == "count":
        return float(sum(value is not None for value in values))
    if found.name == "countDistinct":
        return float(len({text(value) for value in values} - {None}))
    if found.name in ("min", "max"):
        return _extreme(min if found.name == "min" else max)(values)
    if found.name in ("earliest", "latest"):
        present = [(row.order, value) for row, value in zip(rows, values, strict=True) if value is not None]
        if not present:
            return None
        value = sorted(present, key=lambda pair: pair[0])[0 if found.name == "earliest" else -1][1]
        return float(value.ms) if isinstance(value, Time) else value
    given = _numbers_of(values)
    if found.name == "pct":
        return _percentile(given, float(found.arguments[1].value) / 100)  # type: ignore[union-attr, arg-type]
    if found.name == "median":
        return _median(given)
    if not given:
        return None
    return math.fsum(given) if found.name == "sum" else math.fsum(given) / len(given)


# --- order --------------------------------------------------------------------------------------


def _natural(value: str) -> list[tuple[int, ...]]:
    key = []
    for part in re.findall(r"[0-9]+|[^0-9]+", value):
        key.append(f"0{len(part):08}{part}" if part[0].isdigit() and part[0].isascii() else part)
    return [tuple(map(ord, "".join(key)))]


def sort_key(value: Value) -> tuple[Any, ...]:
    """Missing values first, then text, then numbers."""
    if numeric(value):
        return (2, number(value))
    found = text(value)
    if found is None:
        return (0,)
    as_number = numbers.as_number(found)
    return (1, _natural(found), found) if as_number is None else (2, as_number, found)


def _compare(one: Any, other: Any) -> int:
    return (one > other) - (one < other)


# --- commands -----------------------------------------------------------------------------------


@dataclass
class State:
    rows: list[Row]
    shown: list[str] = field(default_factory=list)
    chosen: bool = False
    limited: int | None = None


def run(query: t.Query, given: Sequence[Event], most: int = 10_000) -> list[dict[str, str]]:
    """The rows of a query, without their pointers."""
    rows = []
    for index, event in enumerate(given):
        if 0 <= event.at < HOUR:
            fields: dict[str, Value] = dict(flattening.discovered(event.message, "/app"))
            fields |= {
                "@timestamp": Time(BASE + event.at),
                "@ingestionTime": Time(BASE + event.at + 40),
                "@message": event.message,
                "@logStream": event.stream,
                "@log": "111122223333:/app",
            }
            rows.append(Row(fields, {}, (event.at, index)))
    rows.sort(key=lambda row: row.order, reverse=True)
    state = State(rows)
    for command in query.commands:
        _COMMANDS[type(command)](state, command)
    names = state.shown if state.chosen else ["@timestamp", "@message", *state.shown]
    out = []
    for row in state.rows[: state.limited or most]:
        cells = {name: shown(row.made[name] if name in row.made else row.event.get(name)) for name in names}
        out.append({name: value for name, value in cells.items() if value is not None})
    return out


def _show(state: State, names: Sequence[str]) -> None:
    state.shown += [name for name in dict.fromkeys(names) if name not in state.shown]


def _fields(state: State, command: t.Fields) -> None:
    for row in state.rows:
        values = {item.name: evaluate(item.expression, row) for item in command.items}
        row.made |= {
            item.name: values[item.name]
            for item in command.items
            if item.aliased or not isinstance(item.expression, t.Field) or item.name not in row.event
        }
    if command.display:
        state.shown = []
    state.chosen = True
    _show(state, [item.name for item in command.items])


def _filter(state: State, command: t.Filter) -> None:
    state.rows = [row for row in state.rows if truth(evaluate(command.condition, row))]


def _sort(state: State, command: t.Sort) -> None:
    def compare_rows(one: Row, other: Row) -> int:
        for key, down in command.keys:
            result = _compare(sort_key(evaluate(key, one)), sort_key(evaluate(key, other)))
            if result:
                return -result if down else result
        return -_compare(one.order, other.order)

    state.rows.sort(key=cmp_to_key(compare_rows))


def _limit(state: State, command: t.Limit) -> None:
    state.rows = state.rows[-command.count :] if command.tail else state.rows[: command.count]
    if command.tail and not command.count:
        state.rows = []


def _glob(state: State, command: t.ParseGlob) -> None:
    pattern = "(.*?)".join(re.escape(literal) for literal in command.literals)
    if not command.literals[0]:
        pattern = "^" + pattern
    if not command.literals[-1]:
        pattern += "$"
    expression = re.compile(pattern.replace("$", r"\Z"), re.DOTALL)
    for row in state.rows:
        found = text(evaluate(command.operand, row))
        match = expression.search(found) if found is not None else None
        row.made |= dict(zip(command.names, match.groups() if match else [None] * len(command.names), strict=True))
    _show(state, command.names)


def _regex(state: State, command: t.ParseRegex) -> None:
    for row in state.rows:
        found = text(evaluate(command.operand, row))
        match = re.search(command.pattern, found) if found is not None else None
        row.made |= {name: (match[number] or "") if match else None for number, name in command.names}
    _show(state, [name for _, name in command.names])


def _dedup(state: State, command: t.Dedup) -> None:
    seen = set()
    kept = []
    for row in state.rows:
        key = tuple(text(evaluate(each, row)) for each in command.keys)
        if None in key or key not in seen:
            kept.append(row)
        seen.add(key)
    state.rows = kept


def _unnest(state: State, command: t.Unnest) -> None:
    out = []
    for row in state.rows:
        value = evaluate(command.operand, row)
        items = (
            [Node(item) for item in value.value]
            if isinstance(value, Node) and isinstance(value.value, list)
            else [value if isinstance(value, Node) or value is None else Node(text(value))]
        )
        out += [Row(row.event, {**row.made, command.name: item}, row.order) for item in items]
    state.rows = out


def _stats(state: State, command: t.Stats) -> None:
    groups: dict[tuple[Any, ...], list[Row]] = {}
    keys: dict[tuple[Any, ...], list[Value]] = {}
    for row in state.rows:
        values = [evaluate(item.expression, row) for item in command.by]
        values = [text(value) if isinstance(value, Node) else value for value in values]
        key = tuple((type(value), value) for value in values)
        groups.setdefault(key, []).append(row)
        keys[key] = values
    out = []
    for key, rows in groups.items():
        made = dict(zip([item.name for item in command.by], keys[key], strict=True))
        for item in command.items:
            inner = Row({}, made)
            made[item.name] = evaluate(item.expression, inner, lambda found, rows=rows: aggregate(found, rows))  # type: ignore[misc]
        out.append(Row({}, made))
    times = [item.name for item in command.by if any(isinstance(row.made[item.name], Time) for row in out)]
    for item in reversed([item for item in command.by if item.name not in times]):
        out.sort(key=lambda row: sort_key(row.made[item.name]))
    for name in reversed(times):
        out.sort(key=lambda row: -(number(row.made[name]) or 0))
    state.rows = [Row(row.event, row.made, (0, -index)) for index, row in enumerate(out)]
    state.chosen = True
    state.shown = []
    _show(state, [*(item.name for item in command.by), *(item.name for item in command.items)])


_COMMANDS: dict[type, Callable[[State, Any], None]] = {
    t.Fields: _fields,
    t.Filter: _filter,
    t.Sort: _sort,
    t.Limit: _limit,
    t.ParseGlob: _glob,
    t.ParseRegex: _regex,
    t.Dedup: _dedup,
    t.Unnest: _unnest,
    t.Stats: _stats,
}
