"""A query on its way: SQL of the rows so far, the names of their columns, and which of them are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from cumulo.services.operations.logs.query import discovery, sorting
from cumulo.services.operations.logs.query.compiling import Compiler, Times
from cumulo.services.operations.logs.query.tree import Call, Expression, Period, Query
from cumulo.services.operations.logs.query.values import NODE, NUMBER, TEXT, TIME, Value

LATEST_FIRST = ("ts DESC", "seq DESC", "sid DESC")  # the order of events without sort


class Column(NamedTuple):
    """A column of results."""

    name: str
    kind: str


class World(NamedTuple):
    """What lies outside of a relation: time, other queries, lookup tables."""

    times: Times
    subquery: Callable[[Query, tuple[str, ...]], Relation]
    table: Callable[[str], dict[str, str] | None]  # a lookup table's columns, "" is its SQL


class Relation:
    """Rows as SQL. Every method makes `sql` the rows after a step."""

    def __init__(self, sql: str, columns: dict[str, Value], world: World, *, events: bool) -> None:
        self.sql = sql
        self.columns = columns
        self.raw: dict[str, Value] = {}
        self.world = world
        self.events = events  # whether a row is an event with its pointer
        self.unique = events  # whether each event is one row at most
        self.shown: list[str] = []
        self.chosen = not events  # whether the query says what is shown
        self.order: list[str] = list(LATEST_FIRST) if events else []
        self.limited: int | None = None
        self.bins: dict[str, Period] = {}  # the periods of columns that stats made by bin()
        self._count = 0

    # --- expressions ----------------------------------------------------------------------------

    def compiler(self, aggregate: Callable[[Call], Value] | None = None) -> Compiler:
        """What turns expressions into SQL over these columns."""
        return Compiler(self.columns, self.world.times, self._first_column, aggregate, self.raw)

    def _first_column(self, query: Query) -> str:
        inner = self.world.subquery(query, ())
        names = inner.output()
        if not names:
            return "SELECT NULL::VARCHAR WHERE false"
        return f"SELECT {inner.columns[names[0]].text()} FROM ({inner.sql})"

    def value(self, found: Expression) -> Value:
        """An expression's SQL."""
        return self.compiler().value(found)

    def identifier(self) -> str:
        """A column name that is not used yet."""
        self._count += 1
        return f"c{self._count}"

    # --- steps ----------------------------------------------------------------------------------

    def extend(self, added: Iterable[tuple[str, Value]]) -> None:
        """New columns, in place of those of the same names."""
        parts = []
        made = {}
        for name, value in added:
            column = self.identifier()
            parts.append(f"{value.sql} AS {column}")
            made[name] = Value(column, value.kind)
            self.raw.pop(name, None)
        if parts:
            self.sql = f"SELECT *, {', '.join(parts)} FROM ({self.sql})"
            self.columns = {**self.columns, **made}

    def where(self, condition: str) -> None:
        """Only rows for which this is true."""
        self.sql = f"SELECT * FROM ({self.sql}) WHERE {condition}"

    def show(self, names: Iterable[str]) -> None:
        """These columns are in the results, too."""
        for name in names:
            if name not in self.shown:
                self.shown.append(name)

    def cut(self, count: int, *, anywhere: bool = False) -> None:
        """The first rows only."""
        if anywhere:
            self.sql = f"SELECT * FROM ({self.sql}) LIMIT {count}"
        else:
            self.sql = f"SELECT * FROM ({self.sql}){self.ordered()} LIMIT {count}"
        self.limited = count if self.limited is None else min(self.limited, count)

    def ordered(self, suffix: str = "") -> str:
        """The ORDER BY clause of the rows' order."""
        return f" ORDER BY {', '.join(self.order)}{suffix}" if self.order else ""

    def sort(self, keys: list[tuple[Value, bool]]) -> None:
        """Another order; the one before decides between equals."""
        terms = []
        for value, down in keys:
            column = self.identifier()
            self.sql = f"SELECT *, {value.sql} AS {column} FROM ({self.sql})"
            terms += sorting.terms(Value(column, value.kind), down)
        self.order = [*terms, *(LATEST_FIRST if self.events else ())]

    def numbered(self) -> str:
        """Adds the rows' positions as a column, which becomes their order; its name."""
        column = self.identifier()
        self.sql = f"SELECT *, row_number() OVER ({self.ordered().strip()}) AS {column} FROM ({self.sql})"
        self.order = [column]
        return column

    # --- results --------------------------------------------------------------------------------

    def output(self) -> list[str]:
        """The names of what is shown."""
        names = list(self.shown)
        if not self.chosen:
            names = [
                discovery.TIMESTAMP,
                discovery.MESSAGE,
                *[name for name in names if name[:1] != "@" or name not in discovery.SYSTEM],
            ]
        return names

    def select(self, most: int) -> tuple[str, list[Column]]:
        """The SELECT of the results, and their columns. The last column is @ptr where rows are events."""
        names = self.output()
        if self.events and discovery.POINTER not in names:
            names.append(discovery.POINTER)
        columns = []
        parts = []
        for index, name in enumerate(names):
            value = self.columns.get(name, Value("NULL::VARCHAR", TEXT))
            kind = value.kind
            columns.append(Column(name, kind))
            sql = f"q_shown({value.sql})" if kind == NODE else value.sql
            parts.append(f"{sql} AS o{index}")
        if not parts:
            parts.append("NULL AS o0")
        return (
            f"SELECT {', '.join(parts)} FROM (SELECT * FROM ({self.sql}){self.ordered()} LIMIT {most}){self.ordered()}",
            columns,
        )


__all__ = ["NUMBER", "TIME", "Column", "Relation", "World"]
