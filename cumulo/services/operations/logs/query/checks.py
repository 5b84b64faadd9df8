"""What is wrong with a query that its grammar lets pass.

Sources: CloudWatch Logs User Guide, "Use multiple stats commands in a single query" (what a command behind stats may
name) and "subqueries"; texts as users of AWS have reported them: "Unknown symbols found in or after stats: x" and
"Ephemeral field is already defined: x".
"""

from __future__ import annotations

from collections.abc import Iterable

from cumulo.services.operations.logs.query import catalogue, walks
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.tree import (
    Accumulate,
    AddTotals,
    AppendColumns,
    AutoRegress,
    Command,
    CountFrequent,
    Diff,
    Expression,
    Field,
    Fields,
    Filter,
    InQuery,
    Join,
    Lookup,
    Outlier,
    Pattern,
    Query,
    RelevantFields,
    Sessionize,
    Stats,
    Unnest,
)

_AGGREGATES = frozenset(each.name for each in catalogue.FUNCTIONS.values() if each.aggregate)


def check(query: Query, nested: bool = False) -> None:
    """Raises Malformed."""
    scope = _Scope()
    for command in query.commands:
        _check_functions(command)
        _check_subqueries(command, nested)
        scope.enter(command)


class _Scope:
    """Which names a command may use: all there are (`known` None), or those that stats left."""

    def __init__(self) -> None:
        self.known: set[str] | None = None
        self.made: set[str] = set()

    def enter(self, command: Command) -> None:
        """Check a command's names and add those that it makes."""
        if isinstance(command, Stats):
            self._enter_stats(command)
            return
        if self.known is not None:
            self._refuse_unknown(walks.expressions_of(command), self.known)
        for name in walks.names_of(command):
            if name in self.made:
                raise Malformed(f"Ephemeral field is already defined: {name}", 0, 0)
            self.made.add(name)
        if isinstance(command, Pattern | RelevantFields) or (isinstance(command, Diff) and command.compare):
            self.known, self.made = None, set()
        elif isinstance(command, CountFrequent):
            self.known = {field.name for field in command.fields} | {"_approxcount"}
        if self.known is not None:
            self.known |= _made(command)

    def _enter_stats(self, command: Stats) -> None:
        by = {item.name for item in command.by}
        if self.known is not None:
            self._refuse_unknown([item.expression for item in command.by], self.known)
        seen = set(by)
        for item in command.items:
            inner: list[Expression] = []
            for call in walks.aggregates_in(item.expression, _AGGREGATES):
                inner.extend(call.arguments)
            if self.known is not None:
                self._refuse_unknown(inner, self.known)
            within = {id(field) for argument in inner for field in walks.inside(argument)}
            outside = [each for each in walks.inside(item.expression) if id(each) not in within]
            self._refuse_unknown([each for each in outside if isinstance(each, Field)], seen)
            seen.add(item.name)
        self.known = by | {item.name for item in command.items}
        self.made = set()

    def _refuse_unknown(self, found: Iterable[Expression], known: set[str]) -> None:
        missing = [field for each in found for field in walks.fields_in(each) if not _is_known(field, known)]
        if missing:
            names = ", ".join(dict.fromkeys(field.name for field in missing))
            text = f"Unknown symbols found in or after stats: {names}"
            raise Malformed(text, missing[0].start, missing[0].end)


def _is_known(field: Field, known: set[str]) -> bool:
    """Whether it, or the map that it is in, has a name here."""
    names = [str(part) for part in field.parts]
    return any(".".join(names[:count]) in known for count in range(len(names), 0, -1))


def _made(command: Command) -> set[str]:
    if isinstance(command, Unnest | Accumulate | Sessionize):
        return {command.name}
    if isinstance(command, Lookup):
        return {ours for _, ours in command.outputs}
    if isinstance(command, AddTotals):
        return {command.name}
    if isinstance(command, AutoRegress):
        return {command.name, *(f"{command.name}_p{index}" for index in range(command.first, command.last + 1))}
    if isinstance(command, Outlier):
        return {f"{name}_outlier" for name in command.fields}
    if isinstance(command, Fields):
        return {item.name for item in command.items}
    if isinstance(command, Join):
        return {command.left, command.right}
    return set(walks.names_of(command))


def _check_functions(command: Command) -> None:
    for found in walks.expressions_of(command):
        calls = walks.aggregates_in(found, _AGGREGATES)
        if not isinstance(command, Stats) and calls:
            raise Malformed(f"{calls[0].name} is only allowed in stats", calls[0].start, calls[0].end)
        for call in calls:
            nested = [each for argument in call.arguments for each in walks.aggregates_in(argument, _AGGREGATES)]
            if nested:
                raise Malformed("Aggregations cannot be nested", call.start, call.end)
    if isinstance(command, Stats):
        for item in command.by:
            for call in walks.aggregates_in(item.expression, _AGGREGATES):
                raise Malformed(f"{call.name} is not allowed in the by clause of stats", call.start, call.end)


def _check_subqueries(command: Command, nested: bool) -> None:
    queries: list[Query] = []
    if isinstance(command, Join | AppendColumns):
        queries.append(command.query)
    for found in walks.expressions_of(command):
        for each in walks.inside(found):
            if isinstance(each, InQuery):
                if not isinstance(command, Filter):
                    raise Malformed("A subquery is only allowed in filter", 0, 0)
                queries.append(each.query)
    if queries and nested:
        raise Malformed("Nested subqueries are not supported", 0, 0)
    for query in queries:
        check(query, nested=True)
