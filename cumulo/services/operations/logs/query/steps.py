"""What each command does to a relation: those that choose, make and cut.

Source: CloudWatch Logs User Guide, the page of each command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulo.services.operations.logs.query import functions, grouping, parsing, series, tables
from cumulo.services.operations.logs.query.relations import LATEST_FIRST, Relation
from cumulo.services.operations.logs.query.tree import (
    Accumulate,
    AddTotals,
    AppendColumns,
    AutoRegress,
    Command,
    CountFrequent,
    Dedup,
    Field,
    Fields,
    FillDown,
    FillMissing,
    Filter,
    Join,
    JsonField,
    Limit,
    Lookup,
    Outlier,
    ParseCsv,
    ParseGlob,
    ParseLogfmt,
    ParseRegex,
    Sessionize,
    Sort,
    Stats,
    Unnest,
)
from cumulo.services.operations.logs.query.values import NODE, TEXT, Value, quoted


def apply(relation: Relation, command: Command) -> None:
    """Change the relation as the command says. Raises Malformed and Unsupported."""
    _STEPS[type(command)](relation, command)


def _fields(relation: Relation, command: Fields) -> None:
    compiler = relation.compiler()
    added = []
    for item in command.items:
        plain = isinstance(item.expression, Field) and not item.aliased
        if not plain or item.name not in relation.columns:
            added.append((item.name, compiler.value(item.expression)))
    relation.extend(added)
    if command.display:
        relation.shown = []
    relation.chosen = True
    relation.show(item.name for item in command.items)


def _filter(relation: Relation, command: Filter) -> None:
    relation.where(relation.compiler().truth(command.condition))


def _sort(relation: Relation, command: Sort) -> None:
    relation.sort([(relation.value(key), down) for key, down in command.keys])


def _limit(relation: Relation, command: Limit) -> None:
    if not command.tail:
        relation.cut(command.count, anywhere=command.anywhere)
        return
    column = relation.numbered()
    relation.sql = f"SELECT * FROM ({relation.sql}) ORDER BY {column} DESC LIMIT {command.count}"


def _dedup(relation: Relation, command: Dedup) -> None:
    """The first row of each combination; rows in which a key is missing are all kept."""
    keys = [relation.value(key).text() for key in command.keys]
    missing = " OR ".join(f"{key} IS NULL" for key in keys)
    if relation.unique and tuple(relation.order) == LATEST_FIRST:
        # The places of the first rows are found first: to sort whole rows takes more than to read them twice.
        first = f"SELECT max(row(ts, seq, sid)) FROM ({relation.sql}) WHERE NOT ({missing}) GROUP BY {', '.join(keys)}"
        relation.where(f"{missing} OR row(ts, seq, sid) IN ({first})")
        return
    position = relation.identifier()
    window = f"PARTITION BY {', '.join(keys)}{relation.ordered()}"
    relation.sql = f"SELECT *, row_number() OVER ({window}) AS {position} FROM ({relation.sql})"
    relation.where(f"{position} = 1 OR {missing}")


def _unnest(relation: Relation, command: Unnest) -> None:
    """A row for each item of a list; what is no list is a list of itself."""
    if command.strict:
        value = relation.value(command.operand)
        text = f"CAST({value.sql} AS VARCHAR)" if value.kind == NODE else f"CAST(to_json({value.text()}) AS VARCHAR)"
    else:
        found = functions.raw(relation.compiler(), command.operand)
        text = f"CASE WHEN starts_with({found}, '[') AND json_valid({found}) THEN {found} ELSE to_json({found}) END"
    column = relation.identifier()
    is_list = f"starts_with({text}, '[')"
    items = f"""CASE WHEN {is_list} THEN from_json({text}, '["JSON"]') ELSE [CAST({text} AS JSON)] END"""
    relation.sql = f"SELECT *, unnest({items}) AS {column} FROM ({relation.sql})"
    relation.unique = False
    value = Value(column, NODE)
    if not command.strict:  # an item is a field like those that are discovered
        value = Value(f"coalesce(q_scalar({column}), CAST(q_json({column}) AS VARCHAR))", TEXT)
        relation.extend([(command.name, value)])
    else:
        relation.columns = {**relation.columns, command.name: value}


def _json_field(relation: Relation, command: JsonField) -> None:
    text = functions.raw(relation.compiler(), command.operand)
    found = f"json_extract_string(CASE WHEN json_valid({text}) THEN {text} END, {quoted(_pointer(command.parts))})"
    relation.extend([(command.name, Value(found, TEXT))])
    relation.show([command.name])


def _pointer(parts: tuple[str | int, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


_STEPS: dict[type, Callable[[Relation, Any], None]] = {
    Fields: _fields,
    Filter: _filter,
    Sort: _sort,
    Limit: _limit,
    Dedup: _dedup,
    Unnest: _unnest,
    JsonField: _json_field,
    ParseGlob: parsing.glob,
    ParseRegex: parsing.regex,
    ParseLogfmt: parsing.logfmt,
    ParseCsv: parsing.csv,
    Stats: grouping.stats,
    CountFrequent: grouping.count_frequent,
    Lookup: tables.lookup,
    Join: tables.join,
    AppendColumns: tables.append_columns,
    AddTotals: series.add_totals,
    Accumulate: series.accumulate,
    AutoRegress: series.auto_regress,
    FillDown: series.fill_down,
    FillMissing: series.fill_missing,
    Outlier: series.outlier,
    Sessionize: series.sessionize,
}
