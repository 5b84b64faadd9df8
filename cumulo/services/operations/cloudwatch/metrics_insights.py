"""Metrics Insights: SELECT function(metric) FROM namespace WHERE … GROUP BY … ORDER BY function() LIMIT n.

Source: CloudWatch User Guide, "Metrics Insights query components and syntax".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cumulo.services.operations.cloudwatch.distributions import Distribution
from cumulo.services.operations.cloudwatch.metric_math.values import ExpressionError

MAXIMUM_SERIES = 500
Dimensions = dict[str, str]
Condition = Callable[[Dimensions], bool]

FUNCTIONS: dict[str, Callable[[Distribution], float]] = {
    "AVG": lambda values: values.total / values.count,
    "COUNT": lambda values: values.count,
    "MAX": lambda values: values.high,
    "MIN": lambda values: values.low,
    "SUM": lambda values: values.total,
}
ORDERS: dict[str, Callable[[list[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "COUNT": lambda values: float(len(values)),
    "MAX": max,
    "MIN": min,
    "SUM": sum,
}
_KEYWORDS = frozenset(
    ("SELECT", "FROM", "WHERE", "GROUP", "ORDER", "BY", "LIMIT", "AND", "OR", "ASC", "DESC", "SCHEMA")
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<value>'(?:[^'\\]|\\.)*')|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<name>[A-Za-z0-9_]+)
    |(?P<sign>!=|[=(),]))""",
    re.VERBOSE,
)


class Query:
    """A query: what to compute of which metrics."""

    __slots__ = (
        "condition",
        "descending",
        "exact_dimensions",
        "function",
        "group_by",
        "limit",
        "metric",
        "namespace",
        "order_by",
    )

    def __init__(self, function: str, metric: str, namespace: str) -> None:
        self.function = function
        self.metric = metric
        self.namespace = namespace
        self.exact_dimensions: frozenset[str] | None = None
        self.condition: Condition = lambda dimensions: True
        self.group_by: list[str] = []
        self.order_by = ""
        self.descending = False
        self.limit = MAXIMUM_SERIES

    def matches(self, dimensions: Dimensions) -> bool:
        """Whether a metric with these dimensions is among those asked for."""
        if self.exact_dimensions is not None and dimensions.keys() != self.exact_dimensions:
            return False
        return self.condition(dimensions)

    def group_of(self, dimensions: Dimensions) -> tuple[str, ...]:
        """The group of a metric: the values of its dimensions, `Other` for one that it lacks."""
        return tuple(dimensions.get(key, "Other") for key in self.group_by)


def is_query(text: str) -> bool:
    """Whether an expression is a query rather than metric math."""
    return re.match(r"\s*SELECT\s", text, re.IGNORECASE) is not None


def parse(text: str) -> Query:
    """A query from its text. Raises ExpressionError."""
    parser = _Parser(text)
    parser.keyword("SELECT")
    function = parser.function()
    parser.sign("(")
    metric = parser.name()
    parser.sign(")")
    parser.keyword("FROM")
    query = _source(parser, function, metric)
    if parser.has("WHERE"):
        query.condition = _either(parser)
    if parser.has("GROUP"):
        parser.keyword("BY")
        query.group_by = parser.names()
    if parser.has("ORDER"):
        parser.keyword("BY")
        query.order_by = parser.function()
        parser.sign("(")
        parser.sign(")")
        query.descending = parser.has("DESC")
        if not query.descending:
            parser.has("ASC")
    if parser.has("LIMIT"):
        query.limit = parser.count()
    parser.finish()
    return query


def _source(parser: _Parser, function: str, metric: str) -> Query:
    if not parser.has("SCHEMA"):
        return Query(function, metric, parser.name())
    parser.sign("(")
    namespace, *keys = parser.names()
    parser.sign(")")
    query = Query(function, metric, namespace)
    query.exact_dimensions = frozenset(keys)
    return query


def _either(parser: _Parser) -> Condition:
    choices = [_all(parser)]
    while parser.has("OR"):
        choices.append(_all(parser))
    return lambda dimensions: any(choice(dimensions) for choice in choices)


def _all(parser: _Parser) -> Condition:
    parts = [_comparison(parser)]
    while parser.has("AND"):
        parts.append(_comparison(parser))
    return lambda dimensions: all(part(dimensions) for part in parts)


def _comparison(parser: _Parser) -> Condition:
    if parser.is_sign("("):
        parser.sign("(")
        inner = _either(parser)
        parser.sign(")")
        return inner
    key = parser.name()
    equal = parser.is_sign("=")
    parser.sign("=" if equal else "!=")
    value = parser.value()
    return lambda dimensions: (dimensions.get(key) == value) == equal


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place, text = 0, text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise ExpressionError(f"'{text[place:].strip()[:10]}' is not expected in the query")
            kind = match.lastgroup or ""
            self._tokens.append((kind, match[kind]))
            place = match.end()
        self._tokens.append(("end", "the end of the query"))
        self._place = 0

    def _next(self, wanted: str) -> tuple[str, str]:
        kind, text = self._tokens[self._place]
        if kind == "end":
            raise ExpressionError(f"{wanted} is expected in place of {text}")
        self._place += 1
        return kind, text

    def has(self, keyword: str) -> bool:
        """Whether this keyword comes next; if so, past it."""
        kind, text = self._tokens[self._place]
        if kind == "name" and text.upper() == keyword:
            self._place += 1
            return True
        return False

    def keyword(self, keyword: str) -> None:
        if not self.has(keyword):
            raise ExpressionError(f"{keyword} is expected in place of '{self._tokens[self._place][1]}'")

    def is_sign(self, sign: str) -> bool:
        return self._tokens[self._place] == ("sign", sign)

    def sign(self, sign: str) -> None:
        kind, text = self._next(f"'{sign}'")
        if (kind, text) != ("sign", sign):
            raise ExpressionError(f"'{sign}' is expected in place of '{text}'")

    def name(self) -> str:
        kind, text = self._next("a name")
        if kind == "quoted":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if kind != "name" or text.upper() in _KEYWORDS:
            raise ExpressionError(f"a name is expected in place of '{text}'")
        return text

    def names(self) -> list[str]:
        found = [self.name()]
        while self.is_sign(","):
            self.sign(",")
            found.append(self.name())
        return found

    def value(self) -> str:
        kind, text = self._next("a value")
        if kind != "value":
            raise ExpressionError(f"a value in single quotes is expected in place of '{text}'")
        return re.sub(r"\\(.)", r"\1", text[1:-1])

    def function(self) -> str:
        _, text = self._next("a function")
        if text.upper() not in FUNCTIONS:
            raise ExpressionError(f"AVG, COUNT, MAX, MIN or SUM is expected in place of '{text}'")
        return text.upper()

    def count(self) -> int:
        _, text = self._next("a number")
        if not text.isdecimal() or not 0 < int(text) <= MAXIMUM_SERIES:
            raise ExpressionError(f"LIMIT takes a number up to {MAXIMUM_SERIES}")
        return int(text)

    def finish(self) -> None:
        kind, text = self._tokens[self._place]
        if kind != "end":
            raise ExpressionError(f"'{text}' is not expected in the query")
