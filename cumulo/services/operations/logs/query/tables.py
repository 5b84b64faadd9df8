"""lookup, cidrlookup, join and appendcols in SQL.

Source: CloudWatch Logs User Guide, the pages of these commands.
"""

from __future__ import annotations

from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.relations import Relation
from cumulo.services.operations.logs.query.tree import AppendColumns, Join, Lookup
from cumulo.services.operations.logs.query.values import TEXT, Value


def lookup(relation: Relation, command: Lookup) -> None:
    """Columns of the first row of a table whose keys are the event's.

    OUTPUT overwrites, with nothing where no row fits; OUTPUTNEW fills what is empty.
    """
    table = relation.world.table(command.table)
    if table is None:
        raise Malformed(f"Lookup table {command.table} does not exist", command.start, command.end)
    ours = [relation.value(field).text() for _, field in command.keys]
    place = relation.identifier()
    source = f"(SELECT * FROM ({relation.sql})) AS l_"
    found = _column(command, table, command.keys[0][0]) if not command.cidr else _cidr_column(command, table)
    if command.cidr:
        prefix = f"CAST(split_part(t_.{found}, '/', 2) AS INTEGER)"
        host = f"((1 << (32 - {prefix})) - 1)"
        low = f"(q_ip4(split_part(t_.{found}, '/', 1)) & ~{host})"
        test = f"coalesce(q_ip4({ours[0]}) BETWEEN {low} AND ({low} | {host}), false)"
        outputs = ", ".join(
            f"first(t_.{_column(command, table, theirs)} ORDER BY {prefix} DESC) AS u{index}"
            for index, (theirs, _) in enumerate(command.outputs)
        )
        matched = f"SELECT {outputs} FROM ({table['']}) AS t_ WHERE {test}"
        relation.sql = f"SELECT l_.*, m_.* FROM {source}, LATERAL ({matched}) AS m_"
    else:
        keys = [_column(command, table, theirs) for theirs, _ in command.keys]
        outputs = ", ".join(
            f"first(t_.{_column(command, table, theirs)} ORDER BY t_.row_) AS u{index}"
            for index, (theirs, _) in enumerate(command.outputs)
        )
        named = ", ".join(f"t_.{key} AS {place}k{index}" for index, key in enumerate(keys))
        grouped = ", ".join(f"t_.{key}" for key in keys)
        rows = f"SELECT {named}, {outputs} FROM ({table['']}) AS t_ GROUP BY {grouped}"
        tests = " AND ".join(f"{text} = m_.{place}k{index}" for index, text in enumerate(ours))
        hidden = ", ".join(f"{place}k{index}" for index in range(len(keys)))
        relation.sql = f"SELECT * EXCLUDE ({hidden}) FROM {source} LEFT JOIN ({rows}) AS m_ ON {tests}"
    added = []
    for index, (_, name) in enumerate(command.outputs):
        value = Value(f"u{index}", TEXT)
        before = relation.columns.get(name)
        if command.keep and before is not None:
            value = Value(f"CASE WHEN coalesce({before.text()}, '') = '' THEN u{index} ELSE {before.text()} END", TEXT)
        added.append((name, value))
    relation.extend(added)
    dropped = ", ".join(f"u{index}" for index in range(len(command.outputs)))
    relation.sql = f"SELECT * EXCLUDE ({dropped}) FROM ({relation.sql})"
    relation.show(name for _, name in command.outputs)


def _column(command: Lookup, table: dict[str, str], name: str) -> str:
    column = table.get(name)
    if column is None or not name:
        text = f"Lookup table {command.table} has no field {name}"
        raise Malformed(text, command.start, command.end)
    return column


def _cidr_column(command: Lookup, table: dict[str, str]) -> str:
    """The column with ranges: the one that is named, or `cidr`, or the first."""
    named = command.keys[0][0]
    if named:
        return _column(command, table, named)
    return table.get("cidr") or next(column for name, column in table.items() if name)


def join(relation: Relation, command: Join) -> None:
    """Rows of both sides whose keys are equal; the sides' fields go by `side.field` afterwards."""
    wanted = tuple(theirs.name for _, theirs in command.keys)
    other = relation.world.subquery(command.query, wanted)
    ours = [relation.value(left).text() for left, _ in command.keys]
    theirs = [other.value(right).text() for _, right in command.keys]
    left = ", ".join(f"{text} AS jl{index}" for index, text in enumerate(ours))
    right = ", ".join(f"{text} AS jr{index}" for index, text in enumerate(theirs))
    columns: dict[str, Value] = {}
    parts: list[str] = []
    for name, value in other.columns.items():
        column = f"b{len(parts)}"
        parts.append(f"{value.sql} AS {column}")
        columns[f"{command.right}.{name}"] = Value(column, value.kind)
    inner = f"SELECT {', '.join([*parts, right])} FROM ({other.sql})"
    kind = "LEFT JOIN" if command.outer else "JOIN"
    test = " AND ".join(f"l_.jl{index} = r_.jr{index}" for index in range(len(ours)))
    hidden = ", ".join([f"jl{index}" for index in range(len(ours))] + [f"jr{index}" for index in range(len(ours))])
    ours_side = f"(SELECT *, {left} FROM ({relation.sql})) AS l_"
    sql = f"SELECT * EXCLUDE ({hidden}) FROM {ours_side} {kind} ({inner}) AS r_ ON {test}"
    relation.unique = False
    # One name for each column, as both sides may come from the same place.
    relation.sql = f"SELECT * FROM ({sql})"
    prefixed = {f"{command.left}.{name}": value for name, value in relation.columns.items()}
    relation.columns = {**columns, **relation.columns, **prefixed}


def append_columns(relation: Relation, command: AppendColumns) -> None:
    """Columns of another query, the first row's beside the first row."""
    other = relation.world.subquery(command.query, ())
    position = relation.numbered()
    parts: list[str] = []
    added: dict[str, Value] = {}
    for name in other.output():
        value = other.columns.get(name)
        if value is None or (name in relation.columns and name in relation.shown and not command.override):
            continue
        column = f"{position}x{len(parts)}"
        parts.append(f"{value.sql} AS {column}")
        added[name] = Value(column, value.kind)
    window = f"row_number() OVER ({other.ordered().strip()}) AS {position}n"
    inner = f"SELECT {', '.join([*parts, window])} FROM ({other.sql}) QUALIFY {position}n <= {command.most}"
    relation.sql = (
        f"SELECT * EXCLUDE ({position}n) FROM ({relation.sql}) AS l_ LEFT JOIN ({inner}) AS r_"
        f" ON l_.{position} = r_.{position}n"
    )
    relation.columns = {**relation.columns, **added}
    relation.show(added)
