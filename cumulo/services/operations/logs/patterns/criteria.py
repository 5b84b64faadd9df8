"""Selection criteria: `@aws.region NOT IN ["cn-north-1"] AND @aws.account = "123456789012"`.

Filters choose events by system fields with them, account policies log groups. Sources: API reference, PutMetricFilter
(fieldSelectionCriteria: =, !=, AND, OR, IN, NOT IN) and PutAccountPolicy (selectionCriteria).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from cumulo.services.operations.logs.patterns.scanning import PatternError, Scanner

_FIELD = re.compile(r"@?[A-Za-z_][A-Za-z0-9_.]*")
_WORDS = {word: re.compile(rf"{word}\b", re.IGNORECASE) for word in ("AND", "OR", "NOT", "IN")}


class Comparison(NamedTuple):
    """Whether a field is one of these values, or none (`negated`)."""

    field: str
    values: tuple[str, ...]
    negated: bool
    listed: bool  # by IN, not by =

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether it is so."""
        return (fields.get(self.field, "") in self.values) is not self.negated


class Several(NamedTuple):
    """Criteria that all hold, or one of which does."""

    parts: Sequence[Comparison | Several]
    every: bool

    def holds(self, fields: Mapping[str, str]) -> bool:
        """Whether it is so."""
        together = all if self.every else any
        return together(part.holds(fields) for part in self.parts)


Criteria = Comparison | Several


@lru_cache(maxsize=1024)
def read(text: str) -> Criteria:
    """The criteria in a text. Raises PatternError."""
    scanner = Scanner(text)
    found = _either(scanner)
    if scanner.peek():
        raise PatternError
    return found


def comparisons(found: Criteria) -> Iterator[Comparison]:
    """All comparisons of criteria."""
    if isinstance(found, Comparison):
        yield found
    else:
        for part in found.parts:
            yield from comparisons(part)


def _word(scanner: Scanner, word: str) -> bool:
    scanner.skip_space()
    found = _WORDS[word].match(scanner.text, scanner.at)
    if found is not None:
        scanner.at = found.end()
    return found is not None


def _either(scanner: Scanner) -> Criteria:
    parts = [_both(scanner)]
    while _word(scanner, "OR"):
        parts.append(_both(scanner))
    return parts[0] if len(parts) == 1 else Several(parts, every=False)


def _both(scanner: Scanner) -> Criteria:
    parts = [_single(scanner)]
    while _word(scanner, "AND"):
        parts.append(_single(scanner))
    return parts[0] if len(parts) == 1 else Several(parts, every=True)


def _single(scanner: Scanner) -> Criteria:
    if scanner.parenthesis():
        inner = _either(scanner)
        scanner.end_parenthesis()
        return inner
    scanner.skip_space()
    field = _FIELD.match(scanner.text, scanner.at)
    if field is None:
        raise PatternError
    scanner.at = field.end()
    operator = scanner.take("!=", "=")
    if operator:
        return Comparison(field[0], (_text(scanner),), operator == "!=", listed=False)
    negated = _word(scanner, "NOT")
    if not _word(scanner, "IN"):
        raise PatternError
    return Comparison(field[0], tuple(_list(scanner)), negated, listed=True)


def _list(scanner: Scanner) -> Iterator[str]:
    scanner.expect("[")
    if scanner.take("]"):
        return
    yield _text(scanner)
    while scanner.take(","):
        yield _text(scanner)
    scanner.expect("]")


def _text(scanner: Scanner) -> str:
    if scanner.peek() != '"':
        raise PatternError
    return scanner.quoted()
