"""What is inside expressions and commands."""

from __future__ import annotations

from collections.abc import Iterator

from cumulo.services.operations.logs.query.tree import (
    Access,
    Accumulate,
    AutoRegress,
    Binary,
    Call,
    Command,
    CountFrequent,
    Dedup,
    Expression,
    Field,
    Fields,
    Filter,
    In,
    InQuery,
    Join,
    JsonField,
    Like,
    Lookup,
    Negative,
    Not,
    ParseCsv,
    ParseGlob,
    ParseLogfmt,
    ParseRegex,
    Pattern,
    RelevantFields,
    Sessionize,
    Sort,
    Stats,
    Unnest,
)


def inside(found: Expression) -> Iterator[Expression]:
    """An expression and all that it is made of; of another query in it, only the value that is looked for."""
    yield found
    if isinstance(found, Call):
        for argument in found.arguments:
            yield from inside(argument)
    elif isinstance(found, Binary):
        yield from inside(found.left)
        yield from inside(found.right)
    elif isinstance(found, Negative | Not | Like | InQuery | Access):
        yield from inside(found.operand)
    elif isinstance(found, In):
        yield from inside(found.operand)
        for item in found.items:
            yield from inside(item)


def fields_in(found: Expression) -> list[Field]:
    """The fields of an expression; functions of time read @timestamp."""
    names = []
    for each in inside(found):
        if isinstance(each, Field):
            names.append(each)
        elif isinstance(each, Call) and each.name == "bin":
            names.append(Field(("@timestamp",), each.start, each.end))
    return names


def aggregates_in(found: Expression, names: frozenset[str]) -> list[Call]:
    """The calls of these functions."""
    return [each for each in inside(found) if isinstance(each, Call) and each.name in names]


def expressions_of(command: Command) -> list[Expression]:
    """The expressions that a command reads; fields of a join's other side are the other query's."""
    if isinstance(command, Fields):
        return [item.expression for item in command.items]
    if isinstance(command, Filter):
        return [command.condition]
    if isinstance(command, Stats):
        return [item.expression for item in (*command.by, *command.items)]
    if isinstance(command, Sort):
        return [key for key, _ in command.keys]
    if isinstance(command, ParseGlob | ParseRegex | ParseLogfmt | ParseCsv | JsonField | Unnest | Pattern):
        return [command.operand]
    if isinstance(command, Dedup):
        return list(command.keys)
    if isinstance(command, Lookup):
        outputs = [Field((ours,)) for _, ours in command.outputs] if command.keep else []
        return [*[ours for _, ours in command.keys], *outputs]
    if isinstance(command, Join):
        return [ours for ours, _ in command.keys]
    if isinstance(command, Accumulate | AutoRegress):
        return [command.field]
    if isinstance(command, Sessionize):
        return [*command.fields, Field(("@timestamp",))]
    if isinstance(command, CountFrequent):
        return list(command.fields)
    if isinstance(command, RelevantFields):
        return [*command.fields, command.condition]
    return []


def names_of(command: Command) -> list[str]:
    """The fields that a command makes."""
    if isinstance(command, Fields):
        return [item.name for item in command.items if item.aliased]
    if isinstance(command, ParseGlob | ParseCsv):
        return list(command.names)
    if isinstance(command, ParseRegex):
        return [name for _, name in command.names]
    if isinstance(command, ParseLogfmt | JsonField):
        return [command.name]
    return []
