"""Unstructured patterns: terms that are in a message, or not, or one of which is; or one regular expression."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cumulo.services.operations.logs.patterns.scanning import PatternError, Scanner, compiled


class Everything:
    """The empty pattern."""

    texts: Sequence[str] = ()
    regexes = 0
    names: Sequence[str] | None = None
    structured = False

    def matches(self, message: str) -> bool:
        """Every event is chosen."""
        return True

    def extracted(self, message: str) -> dict[str, str]:
        """Nothing."""
        return {}


class Regex(Everything):
    """`%regex%` alone."""

    regexes = 1

    def __init__(self, source: str) -> None:
        self._found_in = compiled(source).found_in

    def matches(self, message: str) -> bool:
        """Whether it is found anywhere."""
        return self._found_in(message)


class Terms(Everything):
    """All of `wanted`, none of `excluded`; where there are neither, any of `optional`."""

    def __init__(self, wanted: list[str], excluded: list[str], optional: list[str]) -> None:
        self.texts = wanted
        self._excluded = excluded
        # "If you combine the question mark with other patterns, the question mark is ignored" (User Guide).
        self._optional = [] if wanted or excluded else optional

    def matches(self, message: str) -> bool:
        """Whether the terms are in the message, in the same case, also within words."""
        for term in self.texts:
            if term not in message:
                return False
        for term in self._excluded:
            if term in message:
                return False
        return not self._optional or any(term in message for term in self._optional)


def read_terms(text: str) -> Terms | Regex:
    """An unstructured pattern."""
    if len(text) > 1 and text[0] == text[-1] == "%":
        return Regex(text[1:-1])
    scanner = Scanner(text)
    wanted: list[str] = []
    excluded: list[str] = []
    optional: list[str] = []
    while scanner.peek():
        kind = optional if scanner.take("?") else excluded if scanner.take("-") else wanted
        if scanner.peek() == '"':
            term = scanner.quoted()
        else:
            term = _bare(scanner)
        if not term:
            raise PatternError
        kind.append(term)
    return Terms(wanted, excluded, optional)


_WORD = re.compile(r"\S+")


def _bare(scanner: Scanner) -> str:
    """A term without quotes: letters, digits and underscores (User Guide)."""
    found = _WORD.match(scanner.text, scanner.at)
    term = found[0] if found is not None else ""
    for character in term:
        if not character.isalnum() and character != "_":
            raise PatternError(f"Invalid character(s) in term '{character}'")
    scanner.at += len(term)
    return term
