"""What SEARCH looks for: '{AWS/Lambda,FunctionName} MetricName="Errors" OR (Invocations NOT test)'.

Names are cut into tokens where the kind of characters changes: CustomCount1 is `custom`, `count`, `1` and, whole,
`customcount1`. A term of one token matches any token, in any case; one of several matches tokens that follow each
other, in the case that is written. What is quoted must be the whole name.
Source: CloudWatch User Guide, "CloudWatch search expression syntax".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from cumulo.services.operations.cloudwatch.metric_math.values import ExpressionError

Dimensions = list[tuple[str, str]]
Names = dict[str, list[str]]  # of one metric, by property: Namespace, MetricName and its dimensions
Condition = Callable[[Names], bool]

_PIECES = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_TERM = re.compile(r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>[()=])|(?P<word>[^\s()="]+))')
_SCHEMA = re.compile(r'\s*\{((?:"(?:[^"\\]|\\.)*"|[^"}])*)\}\s*,?')
_SCHEMA_NAME = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^",\s][^",]*?)\s*(?:,|$)')


class Search:
    """A search: `namespace` and `dimensions` of its schema, None where it has none, and its terms."""

    __slots__ = ("_condition", "dimensions", "namespace")

    def __init__(self, namespace: str | None, dimensions: frozenset[str] | None, condition: Condition) -> None:
        self.namespace = namespace
        self.dimensions = dimensions
        self._condition = condition

    def matches(self, namespace: str, name: str, dimensions: Dimensions) -> bool:
        """Whether the metric is looked for. A schema with dimensions takes metrics with exactly these."""
        if self.namespace is not None and namespace != self.namespace:
            return False
        if self.dimensions and frozenset(key for key, _ in dimensions) != self.dimensions:
            return False
        names: Names = {"Namespace": [namespace], "MetricName": [name], "": [key for key, _ in dimensions]}
        for key, value in dimensions:
            names.setdefault(key, []).append(value)
        return self._condition(names)


def parse(text: str) -> Search:
    """A search from its text. Raises ExpressionError."""
    schema = _SCHEMA.match(text)
    namespace: str | None = None
    dimensions: frozenset[str] | None = None
    if schema:
        names = [_unquoted(found) for found in _SCHEMA_NAME.findall(schema[1])]
        if not names:
            raise ExpressionError("the schema of a search names a namespace")
        namespace, dimensions = names[0], frozenset(names[1:])
        text = text[schema.end() :]
    parser = _Parser(text)
    if parser.kind == "end":
        if schema is None:
            raise ExpressionError("a search has a schema, a term or both")
        return Search(namespace, dimensions, lambda names: True)
    condition = parser.either()
    if parser.kind != "end":
        raise ExpressionError(f"'{parser.text}' is not expected in the search")
    return Search(namespace, dimensions, condition)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def pieces(text: str) -> list[str]:
    """The tokens of a name in their order and case."""
    return _PIECES.findall(text)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text.rstrip().rstrip(",")
        self._place = 0
        self.kind = self.text = ""
        self._next()

    def _next(self) -> str:
        """The token at hand, and on to the next."""
        before = self.text
        if self._place >= len(self._text):
            self.kind, self.text = "end", "the end"
            return before
        match = _TERM.match(self._text, self._place)
        if match is None:
            raise ExpressionError(f"'{self._text[self._place :].strip()[:10]}' is not expected in the search")
        self._place = match.end()
        self.kind = match.lastgroup or ""
        self.text = match[self.kind]
        return before

    def _is(self, kind: str, text: str) -> bool:
        return self.kind == kind and self.text == text

    def either(self) -> Condition:
        choices = [self._all()]
        while self._is("word", "OR"):
            self._next()
            choices.append(self._all())
        return choices[0] if len(choices) == 1 else lambda names: any(choice(names) for choice in choices)

    def _all(self) -> Condition:
        parts = [self._unary()]
        while self.kind != "end" and not self._is("word", "OR") and not self._is("sign", ")"):
            if self._is("word", "AND"):
                self._next()
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else lambda names: all(part(names) for part in parts)

    def _unary(self) -> Condition:
        if self._is("word", "NOT"):
            self._next()
            inner = self._unary()
            return lambda names: not inner(names)
        if self._is("sign", "("):
            self._next()
            grouped = self.either()
            if not self._is("sign", ")"):
                raise ExpressionError("')' is expected in the search")
            self._next()
            return grouped
        return self._term()

    def _term(self) -> Condition:
        kind, text = self.kind, self._next()
        if kind not in ("word", "quoted"):
            raise ExpressionError(f"'{text}' is not expected in the search")
        wanted = None
        if self._is("sign", "="):
            wanted = _unquoted(text)
            self._next()
            kind, text = self.kind, self._next()
            if kind not in ("word", "quoted"):
                raise ExpressionError(f"'{text}' is not expected in the search")
        if wanted is not None and wanted.startswith(":aws."):
            raise ExpressionError(f"{wanted} is for monitoring accounts")
        fits = _exactly(_unquoted(text)) if kind == "quoted" else _partly(text.rstrip(","))

        def condition(names: Names) -> bool:
            if wanted is not None:
                return any(fits(name) for name in names.get(wanted, ()))
            return any(fits(name) for found in names.values() for name in found)

        return condition


def _exactly(text: str) -> Callable[[str], bool]:
    return lambda name: name == text


def _partly(text: str) -> Callable[[str], bool]:
    wanted = pieces(text)
    whole = "".join(wanted).lower()

    def fits(name: str) -> bool:
        own = pieces(name)
        if len(wanted) == 1:
            return any(piece.lower() == whole for piece in own) or "".join(own).lower() == whole
        if not wanted:
            return False
        if "".join(own).lower() == whole and text.lower() == text and _one_token(text):
            return True
        return any(own[start : start + len(wanted)] == wanted for start in range(len(own) - len(wanted) + 1))

    return fits


def _one_token(text: str) -> bool:
    """Whether a term is written as a whole name's own token is: letters and digits without a break."""
    return text.isalnum()


def distinguishing(metrics: Iterable[tuple[str, str, Dimensions]]) -> list[str]:
    """What tells found metrics apart, one text each: the names and values that are not the same in all of them."""
    found = list(metrics)
    texts: list[str] = []
    for namespace, name, dimensions in found:
        parts = [value for key, value in dimensions if any(dict(other[2]).get(key) != value for other in found)]
        if any(other[1] != name for other in found) or not parts:
            parts.append(name)
        if any(other[0] != namespace for other in found):
            parts.insert(0, namespace)
        texts.append(" ".join(parts))
    return texts
