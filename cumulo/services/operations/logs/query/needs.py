"""Which discovered fields a query reads: those that it names before anything hides the events."""

from __future__ import annotations

from cumulo.services.operations.logs.query import walks
from cumulo.services.operations.logs.query.tree import (
    Accumulate,
    AddTotals,
    AutoRegress,
    Call,
    Command,
    CountFrequent,
    Diff,
    Field,
    FillDown,
    Join,
    Lookup,
    Outlier,
    Pattern,
    Query,
    RelevantFields,
    Stats,
    Unnest,
)

_RAW = ("jsonArraySize", "jsonArrayContains")


def discovered(query: Query, system: dict[str, object] | tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Names of fields, and of those that are wanted as the JSON that they are."""
    names: dict[str, None] = {}
    raw: dict[str, None] = {}
    made: set[str] = set()
    left: tuple[str, ...] = ()
    for command in query.commands:
        for name in [
            *(field.name for found in walks.expressions_of(command) for field in walks.fields_in(found)),
            *_named(command),
        ]:
            for prefix in left:
                name = name.removeprefix(prefix)
            if not _is_made(name, made) and name not in system:
                names[name] = None
        for name in _raw(command):
            if not _is_made(name, made) and name not in system:
                raw[name] = None
        if isinstance(command, Stats | Pattern | CountFrequent | RelevantFields) or (
            isinstance(command, Diff) and command.compare
        ):
            break
        if isinstance(command, Join):
            left = (*left, f"{command.left}.")
            made.add(command.right)
        made.update(walks.names_of(command))
        if isinstance(command, Unnest | Accumulate):
            made.add(command.name)
        if isinstance(command, Lookup) and not command.keep:
            made.update(ours for _, ours in command.outputs)
    return list(names), list(raw)


def _is_made(name: str, made: set[str]) -> bool:
    """Whether a name, or the map that it is in, was made by the query."""
    parts = name.split(".")
    return any(".".join(parts[:count]) in made for count in range(len(parts), 0, -1))


def _named(command: Command) -> list[str]:
    if isinstance(command, AddTotals | Outlier):
        return list(command.fields)
    if isinstance(command, FillDown):
        return [name for name in command.names if not name.endswith("*")]
    if isinstance(command, AutoRegress):
        return [command.field.name]
    return []


def _raw(command: Command) -> list[str]:
    found = []
    if isinstance(command, Unnest) and isinstance(command.operand, Field):
        found.append(command.operand.name)
    for each in walks.expressions_of(command):
        for inner in walks.inside(each):
            if isinstance(inner, Call) and inner.name in _RAW and isinstance(inner.arguments[0], Field):
                found.append(inner.arguments[0].name)
    return found
