"""The filters that a query begins with, one by one: what one leaves out, nothing else is looked for in.

DuckDB does not move a filter below the extraction of fields that it does not need, so each is put there: a condition is
tested as soon as its own fields are known, and a text that must be in the message before any field is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulo.services.operations.logs.query import discovery, walks
from cumulo.services.operations.logs.query.tree import (
    Binary,
    Call,
    Command,
    Expression,
    Field,
    Fields,
    Filter,
    In,
    InQuery,
    Like,
    Literal,
    Query,
)
from cumulo.services.operations.logs.query.values import quoted

STAGES_MOST = 4  # with fields: each reads the JSON of what is left once more
_RAW = ("jsonArraySize", "jsonArrayContains")
# JSON may write any letter as \u0041; what else it escapes is none of these.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_ .:-]*")
_ESCAPED = r"contains(message, '\u')"


class Stage(NamedTuple):
    """A condition, and the discovered fields that it names."""

    condition: Expression
    fields: list[str]


def leading(query: Query) -> list[Stage]:
    """The conditions on events that all results fulfil, those first that need no fields."""
    found: list[Stage] = []
    for command in query.commands:
        if isinstance(command, Filter):
            found += [_stage(each) for each in _parts(command.condition) if _is_worth_it(each)]
        elif not _shows_fields(command):
            break
    found.sort(key=lambda stage: bool(stage.fields))
    without = sum(not stage.fields for stage in found)
    return found[: without + STAGES_MOST]


def _shows_fields(command: Command) -> bool:
    return isinstance(command, Fields) and all(
        isinstance(item.expression, Field) and not item.aliased for item in command.items
    )


def _parts(condition: Expression) -> list[Expression]:
    """What a condition joins by and."""
    if isinstance(condition, Binary) and condition.operator == "and":
        return _parts(condition.left) + _parts(condition.right)
    return [condition]


def _is_worth_it(condition: Expression) -> bool:
    """Whether a condition compares, which leaves most events out, and needs nothing but fields."""
    return isinstance(condition, Binary | In | Like) and not any(
        isinstance(each, InQuery) or (isinstance(each, Call) and each.name in _RAW) for each in walks.inside(condition)
    )


def _stage(condition: Expression) -> Stage:
    names = [field.name for field in walks.fields_in(condition) if field.name not in discovery.SYSTEM]
    return Stage(condition, list(dict.fromkeys(names)))


def hint(condition: Expression) -> str:
    """SQL that is true of every message of which the condition is, "" where nothing is known: quick to test."""
    texts: list[str] = []
    if isinstance(condition, Binary) and condition.operator == "=":
        for one, other in ((condition.left, condition.right), (condition.right, condition.left)):
            if _is_json(one) and isinstance(other, Literal):
                texts = [_written(other)]
    elif isinstance(condition, In) and _is_json(condition.operand):
        if all(isinstance(item, Literal) for item in condition.items):
            texts = [_written(item) for item in condition.items if isinstance(item, Literal)]
    elif isinstance(condition, Like) and not condition.regex and _is_json(condition.operand):
        texts = [condition.pattern]
    if not texts or not all(_PLAIN.fullmatch(text) for text in texts):
        return ""
    return " OR ".join([*(f"contains(message, {quoted(text)})" for text in texts), _ESCAPED])


def _written(found: Literal) -> str:
    """How a message has a value that equals this one; "" where it may in several ways: true may be a 1."""
    return "" if isinstance(found.value, bool) else str(found.value)


def _is_json(found: Expression) -> bool:
    """Whether it is a field whose value is written in the message."""
    return isinstance(found, Field) and found.name not in discovery.SYSTEM and discovery.is_json_name(found.name)
