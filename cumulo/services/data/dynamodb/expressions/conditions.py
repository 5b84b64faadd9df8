"""Condition and filter expressions, ready to be asked of items."""

from collections.abc import Mapping
from functools import lru_cache

from cumulo.services.data.dynamodb.expressions import condition_syntax
from cumulo.services.data.dynamodb.expressions.placeholders import NO_VALUES, Placeholders
from cumulo.services.data.dynamodb.expressions.predicates import Predicate
from cumulo.services.data.dynamodb.expressions.scopes import Binding, Scope
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value

Pairs = tuple[tuple[str, str], ...]

_NOTHING: Item = {}


class Condition:
    """What an item must satisfy. `attributes` are the top-level attributes that it names."""

    __slots__ = ("_predicate", "_values", "attributes")

    def __init__(self, predicate: Predicate, values: Mapping[str, Value], attributes: frozenset[str]) -> None:
        self._predicate = predicate
        self._values = values
        self.attributes = attributes

    def matches(self, item: Item | None) -> bool:
        """Whether the item satisfies it; None is an item that does not exist."""
        return self._predicate.matches(_NOTHING if item is None else item, self._values)


class _Program:
    """A parsed condition, for all requests with the same text, names and types of values."""

    __slots__ = ("attributes", "bindings", "predicate", "used_names", "used_values")

    def __init__(self, predicate: Predicate, scope: Scope) -> None:
        self.predicate = predicate
        self.bindings: list[Binding] = scope.bindings
        self.attributes = frozenset(scope.attributes)
        self.used_names = scope.used_names
        self.used_values = scope.used_values


@lru_cache(maxsize=4096)
def _compiled(text: str, parameter: str, names: Pairs, types: Pairs) -> _Program:
    scope = Scope(parameter, dict(names), dict(types))
    predicate = condition_syntax.parse(text, parameter).check(scope)
    return _Program(predicate, scope)


def parse(text: str, placeholders: Placeholders, parameter: str = "ConditionExpression") -> Condition:
    """The condition of a text; `parameter` names the request's member in errors. Raises ValidationException.

    An expression that was seen before is not parsed again.
    """
    program = _compiled(text, parameter, placeholders.names_given, placeholders.types)
    values = placeholders.values
    for check in program.bindings:
        check(values)
    if program.used_names:
        placeholders.used_names |= program.used_names
    if program.used_values:
        placeholders.used_values |= program.used_values
    return Condition(program.predicate, values, program.attributes)


def of_predicate(predicate: Predicate, attributes: frozenset[str]) -> Condition:
    """A condition that was not written as an expression."""
    return Condition(predicate, NO_VALUES, attributes)
