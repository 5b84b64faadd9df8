"""stats and countFrequent in SQL.

Source: CloudWatch Logs User Guide, "stats", "Functions to use with stats", "Time-series functions", "countFrequent".
With no events there is no row, without `by` too.
"""

from __future__ import annotations

from collections.abc import Callable

from cumulo.services.operations.logs.query import periods, sorting
from cumulo.services.operations.logs.query.compiling import NOT_AN_AGGREGATE
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.relations import Relation
from cumulo.services.operations.logs.query.tree import (
    Call,
    CountFrequent,
    Expression,
    Field,
    Item,
    Literal,
    Period,
    Star,
    Stats,
)
from cumulo.services.operations.logs.query.values import NODE, NUMBER, TEXT, TIME, Value

MATCHED = "matched_"  # how many rows went into a group: statistics want to know


def stats(relation: Relation, command: Stats) -> None:
    """Aggregates by keys. An aggregate's name may be used by those behind it."""
    keys = [(item.name, _key(relation, item, command.offset)) for item in command.by]
    prefix = relation.identifier()  # the columns of an earlier stats have other names
    gathered = _Gathered(relation, prefix)
    relation.sql = _keyed(relation, keys, prefix)
    key_columns = {name: Value(f"{prefix}k{index}", value.kind) for index, (name, value) in enumerate(keys)}
    gathered.columns = dict(relation.columns)
    made: dict[str, Value] = dict(key_columns)
    items: list[tuple[str, Value]] = []
    for item in command.items:
        compiler = relation.compiler(gathered.aggregate)
        compiler.columns = dict(made)
        value = compiler.value(item.expression)
        items.append((item.name, value))
        made[item.name] = Value(f"({value.sql})", value.kind)
    groups = ", ".join(column.sql for column in key_columns.values())
    parts = [*([groups] if groups else []), f"count(*) AS {MATCHED}", *gathered.parts]
    relation.sql = f"SELECT {', '.join(parts)} FROM ({relation.sql})"
    relation.sql += f" GROUP BY {groups}" if groups else " HAVING count(*) > 0"
    relation.columns, relation.raw = key_columns, {}
    relation.events = relation.unique = False
    relation.chosen, relation.limited = True, None
    relation.shown = [name for name, _ in keys]
    relation.extend(items)
    relation.show(item.name for item in command.items)
    relation.order = _order(key_columns)
    for item in command.by:
        if isinstance(item.expression, Call) and item.expression.name in ("bin", "datefloor", "dateceil"):
            period = item.expression.arguments[-1]
            if isinstance(period, Period):
                relation.bins[item.name] = period


def _order(keys: dict[str, Value]) -> list[str]:
    """Without sort, the latest bin comes first, and then keys in their order: some order has to be."""
    times = [f"{value.sql} DESC" for value in keys.values() if value.kind == TIME]
    rest = [term for value in keys.values() if value.kind != TIME for term in sorting.terms(value, False)]
    return times + rest


def _key(relation: Relation, item: Item, offset: Period | None) -> Value:
    value = relation.value(item.expression)
    if offset is not None and isinstance(item.expression, Call) and item.expression.name == "bin":
        return Value(f"({value.sql} + {periods.milliseconds(offset)})", TIME)
    # Maps and lists are no keys: "Using map and list in dedup, pattern, sort, and stats isn't supported."
    return Value(value.text(), TEXT) if value.kind == NODE else value


def _keyed(relation: Relation, keys: list[tuple[str, Value]], prefix: str) -> str:
    if not keys:
        return relation.sql
    parts = ", ".join(f"{value.sql} AS {prefix}k{index}" for index, (_, value) in enumerate(keys))
    return f"SELECT *, {parts} FROM ({relation.sql})"


class _Gathered:
    """The aggregates of a stats command, each a column."""

    def __init__(self, relation: Relation, prefix: str) -> None:
        self.relation = relation
        self.prefix = prefix
        self.columns: dict[str, Value] = {}
        self.parts: list[str] = []

    def aggregate(self, call: Call) -> Value:
        """The column of an aggregate; NOT_AN_AGGREGATE for other functions."""
        build = _AGGREGATES.get(call.name)
        if build is None:
            return NOT_AN_AGGREGATE
        value = build(self, call.arguments)
        column = f"{self.prefix}a{len(self.parts)}"
        self.parts.append(f"{value.sql} AS {column}")
        return Value(column, value.kind)

    def value(self, found: Expression) -> Value:
        """What an aggregate aggregates, over the rows of before."""
        compiler = self.relation.compiler()
        compiler.columns = self.columns
        return compiler.value(found)

    def number(self, found: Expression) -> str:
        """The same as a number."""
        return self.value(found).number()

    def time(self) -> str:
        """When a row was."""
        return self.value(Field(("@timestamp",))).time()


Build = Callable[[_Gathered, tuple[Expression, ...]], Value]


def _simple(form: str) -> Build:
    def build(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
        return Value(form.format(rows.number(arguments[0])), NUMBER)

    return build


def _count(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
    if not arguments or isinstance(arguments[0], Star):
        return Value("CAST(count(*) AS DOUBLE)", NUMBER)
    return Value(f"CAST(count({rows.value(arguments[0]).sql}) AS DOUBLE)", NUMBER)


def _count_distinct(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
    return Value(f"CAST(count(DISTINCT {rows.value(arguments[0]).text()}) AS DOUBLE)", NUMBER)


def _pct(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
    share = arguments[1]
    if not isinstance(share, Literal) or not isinstance(share.value, float) or not 0 <= share.value <= 100:
        raise Malformed("pct expects a number between 0 and 100", 0, 0)
    return Value(f"quantile_disc({rows.number(arguments[0])}, {share.value / 100!r})", NUMBER)


def _extreme(name: str) -> Build:
    """min and max: of numbers if there are any, else of text."""

    def build(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
        value = rows.value(arguments[0])
        if value.numeric():  # AWS: stats max(@timestamp) is a number of milliseconds
            return Value(f"{name}({value.number()})", NUMBER)
        text, number = value.text(), value.number()
        return Value(f"coalesce(arg_{name}({text}, {number}), {name}({text}))", TEXT)

    return build


def _at(name: str) -> Build:
    """earliest and latest. AWS was seen to give times as milliseconds (2026, us-east-1)."""

    def build(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
        value = rows.value(arguments[0])
        if value.kind == TIME:
            value = Value(value.number(), NUMBER)
        return Value(f"{name}({value.sql}, {rows.time()})", value.kind)

    return build


def _sorted(name: str) -> Build:
    def build(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
        value = rows.value(arguments[0])
        if value.kind in (TIME, NODE):
            value = Value(value.text(), TEXT)
        return Value(f"{name}({value.sql}, {sorting.key(value)})", value.kind)

    return build


def _values(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
    return Value(f"to_json(list_sort(list(DISTINCT {rows.value(arguments[0]).text()})))", NODE)


def _rate(rows: _Gathered, arguments: tuple[Expression, ...]) -> Value:
    """How much the value changes in an interval, from the first to the last event of a group."""
    if not isinstance(arguments[1], Period):
        raise Malformed("rate expects a period such as 1m", 0, 0)
    number, time = rows.number(arguments[0]), rows.time()
    change = f"arg_max({number}, {time}) - arg_min({number}, {time})"
    during = f"max({time}) FILTER ({number} IS NOT NULL) - min({time}) FILTER ({number} IS NOT NULL)"
    length = periods.milliseconds(arguments[1])
    return Value(f"q_finite(coalesce(({change}) * {length} / nullif({during}, 0), 0))", NUMBER)


_AGGREGATES: dict[str, Build] = {
    "count": _count,
    "countOverTime": _count,
    "countDistinct": _count_distinct,
    "sum": _simple("sum({0})"),
    "sumOverTime": _simple("sum({0})"),
    "avg": _simple("avg({0})"),
    "median": _simple("quantile_cont({0}, 0.5)"),
    "stddev": _simple("CASE WHEN count({0}) = 1 THEN 0 ELSE stddev_samp({0}) END"),
    "variance": _simple("CASE WHEN count({0}) = 1 THEN 0 ELSE var_samp({0}) END"),
    "pct": _pct,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "earliest": _at("arg_min"),
    "latest": _at("arg_max"),
    "sortsFirst": _sorted("arg_min"),
    "sortsLast": _sorted("arg_max"),
    "values": _values,
    "rate": _rate,
}


def count_frequent(relation: Relation, command: CountFrequent) -> None:
    """The most frequent combination first. Here the count is exact."""
    values = [(field.name, relation.value(field)) for field in command.fields]
    parts = [
        f"{value.sql if value.kind != NODE else value.text()} AS k{index}" for index, (_, value) in enumerate(values)
    ]
    keys = ", ".join(f"k{index}" for index in range(len(values)))
    inner = f"SELECT {', '.join(parts)} FROM ({relation.sql})"
    relation.sql = (
        f"SELECT {keys}, count(*) AS {MATCHED}, CAST(count(*) AS DOUBLE) AS n_ FROM ({inner}) GROUP BY {keys}"
    )
    relation.columns = {name: Value(f"k{index}", value.kind) for index, (name, value) in enumerate(values)}
    order = [term for value in relation.columns.values() for term in sorting.terms(value, False)]
    relation.columns["_approxcount"] = Value("n_", NUMBER)
    relation.raw, relation.chosen = {}, True
    relation.events = relation.unique = False
    relation.shown = list(relation.columns)
    relation.order = ["n_ DESC", *order]
