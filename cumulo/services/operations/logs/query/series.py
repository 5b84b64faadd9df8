"""The commands that look at rows beside each other, in SQL.

Source: CloudWatch Logs User Guide, the pages addtotals, accum, autoregress, filldown, fillmissing, outlier, sessionize.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from cumulo.services.operations.logs.query import bins, periods
from cumulo.services.operations.logs.query.relations import Relation
from cumulo.services.operations.logs.query.tree import (
    Accumulate,
    AddTotals,
    AutoRegress,
    Field,
    FillDown,
    FillMissing,
    Outlier,
    Period,
    Sessionize,
)
from cumulo.services.operations.logs.query.values import NODE, NUMBER, TEXT, TIME, TRUTH, Value, number, quoted


def add_totals(relation: Relation, command: AddTotals) -> None:
    """A column with each row's sum, and a row with each column's."""
    names = list(command.fields) or [name for name in relation.output() if _may_be_number(relation, name)]
    values = [(name, relation.value(Field((name,))).number()) for name in names]
    if command.row:
        some = " OR ".join(f"{sql} IS NOT NULL" for _, sql in values) or "false"
        total = " + ".join(f"coalesce({sql}, 0)" for _, sql in values) or "0"
        relation.extend([(command.name, Value(f"CASE WHEN {some} THEN {total} END", NUMBER))])
        relation.show([command.name])
    if not command.column:
        return
    position = relation.numbered()
    sums = {name: f"sum({sql})" for name, sql in values}
    if command.row:
        sums[command.name] = f"sum({relation.columns[command.name].sql})"
    parts = []
    for name, value in list(relation.columns.items()):
        if name in sums:
            parts.append(f"{sums[name]} AS {value.sql}" if value.numeric() else f"q_text({sums[name]}) AS {value.sql}")
    parts.append(f"9223372036854775807 AS {position}")
    relation.sql = f"{relation.sql} UNION ALL BY NAME SELECT {', '.join(parts)} FROM ({relation.sql})"


def _may_be_number(relation: Relation, name: str) -> bool:
    value = relation.columns.get(name)
    return value is not None and value.kind in (NUMBER, TEXT, TRUTH) and name not in ("@message", "@ptr", "@log")


def accumulate(relation: Relation, command: Accumulate) -> None:
    """A running sum in the order of rows; missing values add nothing."""
    value = relation.value(command.field).number()
    position = relation.numbered()
    window = f"OVER (ORDER BY {position} ROWS UNBOUNDED PRECEDING)"
    relation.extend([(command.name, Value(f"sum({value}) {window}", NUMBER))])
    relation.show([command.name])


def auto_regress(relation: Relation, command: AutoRegress) -> None:
    """Values of the rows before, so many rows as each name tells."""
    value = relation.value(command.field)
    position = relation.numbered()
    added = []
    for lag in range(command.first, command.last + 1):
        name = command.name if command.aliased and command.first == command.last else f"{command.name}_p{lag}"
        added.append((name, Value(f"lag({value.sql}, {lag}) OVER (ORDER BY {position})", value.kind)))
    relation.extend(added)
    relation.show(name for name, _ in added)


def fill_down(relation: Relation, command: FillDown) -> None:
    """What is missing gets the value of the nearest row above that has one."""
    names = []
    for name in relation.output():
        if not command.names or any(fnmatchcase(name, each) for each in command.names):
            names.append(name)
    position = relation.numbered()
    window = f"OVER (ORDER BY {position} ROWS UNBOUNDED PRECEDING)"
    added = []
    for name in names:
        value = relation.columns.get(name)
        if value is not None:
            added.append((name, Value(f"last_value({value.sql} IGNORE NULLS) {window}", value.kind)))
    relation.extend(added)


def fill_missing(relation: Relation, command: FillMissing) -> None:
    """A row for each bin between the first and the last that has none."""
    found = next(((name, value) for name, value in relation.columns.items() if value.kind == TIME), None)
    if found is None:
        return
    name, value = found
    period = _period_of(name, relation)
    times = f"SELECT DISTINCT {value.sql} AS t_ FROM ({relation.sql})"
    following = bins.following("t_", period)
    until = f"{following} <= (SELECT max(t_) FROM ({times}))"
    steps = f"SELECT min(t_) FROM ({times}) UNION ALL SELECT {following} FROM b_ WHERE {until}"
    gaps = f"WITH RECURSIVE b_(t_) AS ({steps})"
    parts = [f"t_ AS {value.sql}"]
    for field, constant in command.values:
        column = relation.columns.get(field)
        if column is not None:
            sql = number(constant) if isinstance(constant, float) else quoted(constant)
            parts.append(f"{sql} AS {column.sql}")
    missing = f"SELECT {', '.join(parts)} FROM ({gaps} SELECT t_ FROM b_) WHERE t_ NOT IN ({times})"
    relation.sql = f"SELECT * FROM ({relation.sql}) UNION ALL BY NAME {missing}"


def _period_of(name: str, relation: Relation) -> Period:
    return relation.bins.get(name, Period(1, "m"))


def outlier(relation: Relation, command: Outlier) -> None:
    """Values beyond the quartiles are drawn to the edge, or their rows dropped."""
    marks: list[tuple[str, Value]] = []
    kept: list[str] = []
    for name in command.fields:
        value = relation.value(Field((name,))).number()
        low, high, edge_low, edge_high = (relation.identifier() for _ in range(4))
        quartiles = f"quantile_cont({value}, 0.25) OVER () AS {low}, quantile_cont({value}, 0.75) OVER () AS {high}"
        relation.sql = f"SELECT *, {quartiles} FROM ({relation.sql})"
        distance = f"{number(command.factor)} * ({high} - {low})"
        relation.sql = (
            f"SELECT *, {low} - {distance} AS {edge_low}, {high} + {distance} AS {edge_high} FROM ({relation.sql})"
        )
        out = f"coalesce({value} > {edge_high}{f' OR {value} < {edge_low}' if command.lower else ''}, false)"
        if command.mark:
            marks.append((f"{name}_outlier", Value(out, TRUTH)))
        if command.remove:
            kept.append(f"NOT {out}")
        else:
            drawn = f"least({value}, {edge_high})"
            if command.lower:
                drawn = f"greatest({drawn}, {edge_low})"
            marks.append((name, Value(f"CASE WHEN {value} IS NOT NULL THEN {drawn} END", NUMBER)))
    relation.extend(marks)
    relation.show(name for name, _ in marks)
    if kept:
        relation.where(" AND ".join(kept))


def sessionize(relation: Relation, command: Sessionize) -> None:
    """A number for each session: who, and since when without a longer gap."""
    time = relation.value(Field(("@timestamp",))).time()
    who = [value.text() if value.kind == NODE else value.sql for value in map(relation.value, command.fields)]
    partition = f"PARTITION BY {', '.join(who)}" if who else ""
    begins, start = relation.identifier(), relation.identifier()
    gap = f"{time} - lag({time}) OVER ({partition} ORDER BY {time})"
    same = f"coalesce({gap} <= {periods.milliseconds(command.gap)}, false)"
    begun = f"CASE WHEN {same} THEN NULL ELSE {time} END AS {begins}"
    relation.sql = f"SELECT *, {begun} FROM ({relation.sql})"
    window = f"OVER ({partition} ORDER BY {time} RANGE UNBOUNDED PRECEDING)"
    relation.sql = f"SELECT *, max({begins}) {window} AS {start} FROM ({relation.sql})"
    order = ", ".join([start, *who])
    relation.extend([(command.name, Value(f"CAST(dense_rank() OVER (ORDER BY {order}) AS DOUBLE)", NUMBER))])
    relation.show([command.name])
