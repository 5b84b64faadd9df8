"""A query's tree to SQL: its source with the fields that it reads, then one step a command.

`pattern`, `relevantfields` and what follows them work on the results of what was before: a plan has a second part then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cumulo.services.operations.logs.query import discovery, needs, stages, steps, walks
from cumulo.services.operations.logs.query.compiling import Compiler, Times
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.relations import Relation, World
from cumulo.services.operations.logs.query.tree import (
    Anomaly,
    Command,
    Diff,
    Fields,
    Filter,
    Join,
    JsonField,
    Limit,
    Lookup,
    ParseCsv,
    ParseGlob,
    ParseLogfmt,
    ParseRegex,
    Pattern,
    Query,
    RelevantFields,
    Sort,
    Stats,
    Unnest,
)
from cumulo.services.operations.logs.query.values import TEXT, Value, quoted

# Commands that choose and enrich events: what is left of them has matched.
_KEEP_EVENTS = (Fields, Filter, ParseGlob, ParseRegex, ParseLogfmt, ParseCsv, JsonField, Lookup, Unnest)


_COLUMNS = "ts, ingested, stream, message, seq, sid, log, gid"  # of every source of events


class Counted(NamedTuple):
    """Events of which is known when the first and the last were, how many there are, and of how many bytes."""

    first: int
    last: int
    lines: int
    bytes: int


class GroupRows(NamedTuple):
    """A log group's events as SQL with the columns ts, ingested, stream, message, seq and sid.

    `log` is "account:name", `id` the group's, in hexadecimal digits. `counted` are events of which the numbers are
    known, and `uncounted` is the SQL of the others; None where none are.
    """

    log: str
    id: str
    sql: str
    counted: Sequence[Counted] = ()
    uncounted: str | None = None

    @property
    def is_lambda(self) -> bool:
        """Whether its lines are a Lambda function's."""
        return self.log.partition(":")[2].startswith(discovery.LAMBDA_GROUP)


class Inputs(NamedTuple):
    """What a query reads: the groups of it and of those in it, and the lookup tables."""

    times: Times
    groups: Callable[[Query], Sequence[GroupRows]]
    table: Callable[[str], dict[str, str] | None]
    ranges: Callable[[Query], Times] | None = None  # the times of a query in a query, where it names its own


class Parts(NamedTuple):
    """A query's commands before the first pattern, and from there on."""

    before: tuple[Command, ...]
    after: tuple[Command, ...]


def split(query: Query) -> Parts:
    """Where a query leaves SQL."""
    for index, command in enumerate(query.commands):
        if isinstance(command, Pattern | Anomaly | RelevantFields) or (isinstance(command, Diff) and command.compare):
            return Parts(query.commands[:index], query.commands[index:])
    return Parts(query.commands, ())


def source(query: Query, inputs: Inputs, extra: tuple[str, ...] = (), shift: int = 0) -> Relation:
    """The events of a query's groups in its time, with the fields that it names. `shift` goes back, in ms."""
    times = inputs.ranges(query) if inputs.ranges is not None else inputs.times
    world = _world(query, inputs, times)
    names, raw = needs.discovered(query, tuple(discovery.SYSTEM))
    names += [name for name in extra if name not in names and name not in discovery.SYSTEM]
    columns: dict[str, str] = {}
    raws: dict[str, str] = {}
    parts = []
    groups = inputs.groups(query)
    for is_lambda in (False, True):
        rows = [each for each in groups if each.is_lambda == is_lambda]
        if rows:
            sql = " UNION ALL ".join(_rows(each, times, shift) for each in rows)
            sql = _chosen(sql, query, times, is_lambda)
            sql, columns, raws = discovery.extracted(sql, names, raw, is_lambda)
            parts.append(f"({sql})")
    if not parts:
        nothing = (
            "SELECT 0::BIGINT AS ts, 0::BIGINT AS ingested, '' AS stream, '' AS message, 0::UBIGINT AS seq,"
            " 0::UBIGINT AS sid, '' AS log, '' AS gid WHERE false"
        )
        sql, columns, raws = discovery.extracted(nothing, names, raw, False)
        parts.append(f"({sql})")
    relation = Relation(" UNION ALL ".join(parts), dict(discovery.SYSTEM), world, events=True)
    relation.columns = {**relation.columns, **{name: Value(column, TEXT) for name, column in columns.items()}}
    relation.raw = {name: Value(column, TEXT) for name, column in raws.items()}
    return relation


def narrows(query: Query) -> bool:
    """Whether a query begins with filters, and would read what they choose more than once."""
    again = not counts_itself(query) and not any(isinstance(each, Diff) for each in query.commands)
    return again and bool(stages.leading(query))


def chosen(query: Query, inputs: Inputs) -> str:
    """A SELECT of the events that the filters at a query's beginning choose."""
    times = inputs.ranges(query) if inputs.ranges is not None else inputs.times
    return " UNION ALL ".join(
        f"({_chosen(_rows(each, times, 0), query, times, each.is_lambda)})" for each in inputs.groups(query)
    )


def _chosen(sql: str, query: Query, times: Times, is_lambda: bool) -> str:
    """Of some events, those that the filters at the query's beginning choose."""
    for stage in stages.leading(query):
        hint = stages.hint(stage.condition)
        if hint:
            sql = f"SELECT * FROM ({sql}) WHERE {hint}"
        sql, columns, _ = discovery.extracted(sql, stage.fields, [], is_lambda)
        known = {**discovery.SYSTEM, **{name: Value(column, TEXT) for name, column in columns.items()}}
        test = Compiler(known, times, _no_subquery).truth(stage.condition)
        sql = f"SELECT {_COLUMNS} FROM ({sql}) WHERE {test}"
    return sql


def _no_subquery(query: Query) -> str:
    raise Malformed("A subquery is only allowed in filter", 0, 0)


def relation_of(query: Query, inputs: Inputs, extra: tuple[str, ...] = ()) -> Relation:
    """A whole query that has no pattern in it."""
    parts = split(query)
    if parts.after:
        raise Malformed(f"{type(parts.after[0]).__name__.lower()} is not allowed in a subquery", 0, 0)
    relation = source(query, inputs, extra)
    run(relation, parts.before)
    if extra and not relation.columns.keys() >= set(extra):
        relation.extend((name, Value("NULL::VARCHAR", TEXT)) for name in extra if name not in relation.columns)
    return relation


def run(relation: Relation, commands: Sequence[Command]) -> None:
    """Apply commands."""
    for command in commands:
        steps.apply(relation, command)


def filtered(query: Query, inputs: Inputs) -> Relation:
    """The events that match: the query up to what counts, sorts or cuts them."""
    relation = source(query, inputs)
    for command in query.commands:
        if not isinstance(command, _KEEP_EVENTS):
            break
        steps.apply(relation, command)
    return relation


def shows_all(query: Query) -> bool:
    """Whether each event that matches is a row, up to a limit."""
    if not all(isinstance(each, (*_KEEP_EVENTS, Sort, Limit)) for each in query.commands):
        return False
    first = next((at for at, each in enumerate(query.commands) if isinstance(each, Limit)), len(query.commands))
    return all(isinstance(each, Limit | Sort | Fields) for each in query.commands[first:])


def counts_itself(query: Query) -> bool:
    """Whether the first stats of a query tells how many events matched."""
    for command in query.commands:
        if isinstance(command, Stats):
            return True
        if not isinstance(command, _KEEP_EVENTS):
            return False
    return False


def _rows(rows: GroupRows, times: Times, shift: int) -> str:
    between = f"ts BETWEEN {times.start - shift} AND {times.end - shift}"
    columns = f"ts, ingested, stream, message, seq, sid, {quoted(rows.log)} AS log, {quoted(rows.id)} AS gid"
    return f"SELECT {columns} FROM {rows.sql} WHERE {between}"


def scanned(groups: Sequence[GroupRows], times: Times) -> tuple[str, list[Counted]]:
    """A SELECT of how many events there are in a time, and of how many bytes; and what is to be added to that."""
    parts: list[str] = []
    known: list[Counted] = []
    for rows in groups:
        if rows.uncounted is not None and all(
            times.start <= each.first and each.last <= times.end for each in rows.counted
        ):
            known += rows.counted
            rows = rows._replace(sql=rows.uncounted)
        parts.append(_rows(rows, times, 0))
    return f"SELECT count(*), coalesce(sum(strlen(message)), 0) FROM ({' UNION ALL '.join(parts)})", known


def _world(query: Query, inputs: Inputs, times: Times) -> World:
    wanted = _joined(query)

    def subquery(inner: Query, names: tuple[str, ...]) -> Relation:
        return relation_of(inner, inputs, (*names, *wanted.get(id(inner), ())))

    return World(times, subquery, inputs.table)


def _joined(query: Query) -> dict[int, tuple[str, ...]]:
    """What commands behind a join name of its other side."""
    found: dict[int, tuple[str, ...]] = {}
    for index, command in enumerate(query.commands):
        if isinstance(command, Join):
            prefix = f"{command.right}."
            names = [
                field.name.removeprefix(prefix)
                for later in query.commands[index + 1 :]
                for each in walks.expressions_of(later)
                for field in walks.fields_in(each)
                if field.name.startswith(prefix)
            ]
            found[id(command.query)] = tuple(dict.fromkeys(names))
    return found
