"""A query's run in DuckDB. All of it blocks and frees the interpreter: call it in a thread."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cumulo.engines.duckdb import Session, quoted
from cumulo.services.operations.logs.query import clustering, pattern_steps, planning, relevance, rendering, values
from cumulo.services.operations.logs.query.compiling import Times
from cumulo.services.operations.logs.query.planning import GroupRows, Inputs
from cumulo.services.operations.logs.query.relations import Relation
from cumulo.services.operations.logs.query.tree import Filter, ParseRegex, Query, RelevantFields, Stats, Unnest
from cumulo.services.operations.logs.query.values import NUMBER, TEXT, Value

RESULTS_MOST = 100_000
RESULTS_DEFAULT = 10_000
FEW = 10_000  # events that a query may have in a table in memory
FETCH = 500  # rows that are made into objects while the interpreter is held

Row = list[tuple[str, str]]


@dataclass(slots=True)
class Work:
    """What is to be run: the query, what it reads, and how much is wanted of it."""

    query: Query
    times: Times
    groups: Mapping[int, Sequence[GroupRows]]  # of the query and of those in it, by their identity
    ranges: Mapping[int, Times] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)  # lookup tables' CSV
    limit: int | None = None


@dataclass(slots=True)
class Outcome:
    """Results and what it took to have them."""

    rows: list[Row]
    matched: int
    scanned: int
    bytes: int


class Execution:
    """One query on its way."""

    def __init__(self, folder: Path, blobs: Sequence[Path], work: Work) -> None:
        self._folder = folder
        self._blobs = blobs
        self._work = work
        self._session: Session | None = None
        self._tables: dict[str, dict[str, str]] = {}
        self.stopped = False

    def stop(self) -> None:
        """End it from another thread; `run` raises QueryFailed then, or ends as if nothing had been."""
        self.stopped = True
        if self._session is not None:
            self._session.interrupt()

    def run(self) -> Outcome:
        """Run it. Raises QueryFailed, Malformed and Unsupported."""
        session = self._session = Session(self._folder, self._blobs, ordered=False)
        try:
            for macro in values.MACROS:
                session.execute(macro)
            for name, text in self._work.tables.items():
                self._load(session, name, text)
            return self._run()
        finally:
            self._session = None
            session.close()

    # --- its parts ------------------------------------------------------------------------------

    def _run(self) -> Outcome:
        work = self._work
        inputs = Inputs(
            work.times,
            lambda query: work.groups.get(id(query), ()),
            self._tables.get,
            lambda query: work.ranges.get(id(query), work.times),
        )
        groups = work.groups.get(id(work.query), ())
        scanned = size = 0
        if groups:
            sql, counted = planning.scanned(groups, inputs.ranges(work.query) if inputs.ranges else work.times)
            [(scanned, size)] = self._query(sql)
            scanned += sum(each.lines for each in counted)
            size += sum(each.bytes for each in counted)
        inputs = self._narrowed(inputs, groups)
        parts = planning.split(work.query)
        matched: int | None = None
        if parts.after and isinstance(parts.after[0], RelevantFields):
            relation, matched = self._relevance(inputs, parts, parts.after[0])
        elif parts.after:
            relation, matched = self._patterns(inputs, parts)
        elif planning.counts_itself(work.query):
            relation, matched = self._grouped(inputs)
        else:
            relation = planning.relation_of(work.query, inputs)
        most = _most(work, relation)
        sql, columns = relation.select(min(most, RESULTS_MOST))
        rows = rendering.rows(columns, self._query(sql))
        if matched is None and planning.shows_all(work.query) and len(rows) < min(most, RESULTS_MOST):
            matched = len(rows)
        if matched is None:
            matched = scanned if _takes_all(work.query) else self._matched(inputs)
        return Outcome(rows, matched, scanned, int(size))

    def _narrowed(self, inputs: Inputs, groups: Sequence[GroupRows]) -> Inputs:
        """The inputs, with the few events that the query's first filters choose in a table of their own.

        They are then read from files once, not again to count them. Where they are not few, the search for them ends
        soon, and the files are read as ever.
        """
        query = self._work.query
        if not groups or not planning.narrows(query):
            return inputs
        self._execute(f"CREATE TEMP TABLE few_ AS SELECT * FROM ({planning.chosen(query, inputs)}) LIMIT {FEW + 1}")
        [(count,)] = self._query("SELECT count(*) FROM few_")
        if count > FEW:
            self._execute("DROP TABLE few_")
            return inputs
        few = [each._replace(sql=f"(SELECT * FROM few_ WHERE gid = {quoted(each.id)})") for each in groups]
        return inputs._replace(groups=lambda found: few if found is query else inputs.groups(found))

    def _grouped(self, inputs: Inputs) -> tuple[Relation, int]:
        """The query through a table of its first groups, which know how many events they hold."""
        work = self._work
        relation = planning.source(work.query, inputs)
        at = next(index for index, command in enumerate(work.query.commands) if isinstance(command, Stats)) + 1
        planning.run(relation, work.query.commands[:at])
        self._execute(f"CREATE TEMP TABLE grouped_ AS {relation.sql}")
        [(matched,)] = self._query("SELECT coalesce(sum(matched_), 0) FROM grouped_")
        relation.sql = "SELECT * FROM grouped_"
        planning.run(relation, work.query.commands[at:])
        return relation, int(matched)

    def _patterns(self, inputs: Inputs, parts: planning.Parts) -> tuple[Relation, int]:
        """The query through a table of patterns."""
        operand, diff, anomaly, count = pattern_steps.leading(parts.after)
        times = inputs.ranges(self._work.query) if inputs.ranges else inputs.times

        def shapes(shift: int) -> list[clustering.Shape]:
            relation = planning.source(self._work.query, inputs, shift=shift)
            planning.run(relation, parts.before)
            return pattern_steps.shapes(self._query, pattern_steps.shapes_sql(relation, operand))

        now = shapes(0)
        found = clustering.patterns(now)
        if diff is not None:
            rows = pattern_steps.compared(now, shapes(pattern_steps.shift_ms(diff, times)))
        else:
            rows = pattern_steps.rows(found)
        if anomaly:
            rows = pattern_steps.with_anomalies(found, times, rows)
        relation = self._table(rows, inputs, pattern_steps.PATTERN_FIELDS)
        planning.run(relation, parts.after[count:])
        return relation, sum(shape.lines for shape in now)

    def _relevance(self, inputs: Inputs, parts: planning.Parts, command: RelevantFields) -> tuple[Relation, int]:
        """The query through a table of fields."""
        events = planning.source(self._work.query, inputs)
        planning.run(events, parts.before)
        found = relevance.compared(self._query, events, command)
        relation = self._table(relevance.rows(found), inputs, relevance.FIELDS)
        planning.run(relation, parts.after[1:])
        return relation, found.matching

    def _table(self, rows: pattern_steps.Rows, inputs: Inputs, usual: Sequence[str]) -> Relation:
        """Rows as a relation in their order; the usual names of its columns are those of one without rows."""
        names = list(dict.fromkeys(name for row in rows for name in row)) or list(usual)
        kinds = {name: NUMBER if any(isinstance(row.get(name), float) for row in rows) else TEXT for name in names}
        path = self._folder / "rows.json"
        with path.open("w") as file:
            for index, row in enumerate(rows):
                file.write(
                    json.dumps({"n": index, **{f"p{at}": row.get(name) for at, name in enumerate(names)}}) + "\n"
                )
        types = ", ".join(
            f"p{at}: '{'DOUBLE' if kinds[name] == NUMBER else 'VARCHAR'}'" for at, name in enumerate(names)
        )
        source = f"read_json({quoted(str(path))}, format='newline_delimited', columns={{n: 'BIGINT', {types}}})"
        self._execute(f"CREATE TEMP TABLE rows_ AS SELECT * FROM {source}")
        columns = {name: Value(f"p{at}", kinds[name]) for at, name in enumerate(names)}
        world = planning.source(Query(None, ()), inputs).world
        relation = Relation("SELECT * FROM rows_", columns, world, events=False)
        relation.shown, relation.order = names, ["n"]
        return relation

    def _matched(self, inputs: Inputs) -> int:
        [(count,)] = self._query(f"SELECT count(*) FROM ({planning.filtered(self._work.query, inputs).sql})")
        return int(count)

    def _load(self, session: Session, name: str, text: str) -> None:
        """A lookup table's CSV as a table."""
        rows = list(csv.reader(io.StringIO(text)))
        header = rows[0] if rows else []
        table = f"lookup_{len(self._tables)}"
        path = self._folder / f"{table}.json"
        with path.open("w") as file:
            for index, row in enumerate(rows[1:]):
                cells = {f"v{at}": cell for at, cell in enumerate(row[: len(header)])}
                file.write(json.dumps({"row_": index, **cells}) + "\n")
        types = ", ".join(["row_: 'BIGINT'", *(f"v{at}: 'VARCHAR'" for at in range(len(header)))])
        source = f"read_json({quoted(str(path))}, format='newline_delimited', columns={{{types}}})"
        session.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM {source}")
        columns = {title.strip(): f"v{at}" for at, title in enumerate(header)}
        self._tables[name] = {**columns, "": f"SELECT * FROM {table}"}

    def _execute(self, sql: str) -> None:
        assert self._session is not None
        self._session.execute(sql)

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        assert self._session is not None
        self._session.execute(sql)
        found: list[tuple[Any, ...]] = []
        while rows := self._session.fetch(FETCH):
            found += rows
        return found


def _most(work: Work, relation: Relation) -> int:
    """How many rows are wanted: the request's limit or the query's, whichever is less, else ten thousand."""
    limits = [limit for limit in (work.limit, relation.limited) if limit is not None]
    return min(limits, default=RESULTS_DEFAULT)


def _takes_all(query: Query) -> bool:
    """Whether no command leaves events out or makes more of them."""
    return not any(
        isinstance(each, Filter | Unnest) or (isinstance(each, ParseRegex) and each.multi) for each in query.commands
    )
