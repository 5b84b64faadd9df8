"""The words of a query.

A slash begins a regular expression or divides, which only the grammar knows: so words are read one at a time, and
`regex` reads the one that begins where the next word does.
Source: CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax", "Fields that contain special
characters", "Use aliases and comments in queries".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.operations.logs.query.failures import Malformed, unexpected

if TYPE_CHECKING:
    from cumulo.services.operations.logs.query.tree import Query

NAME, NUMBER, DURATION, STRING, REGEX, SYMBOL, END = "name", "number", "duration", "string", "regex", "symbol", "end"

# A literal \n between words comes with queries that were copied out of JSON.
_SPACE = re.compile(r"(?:[\s\ufeff]|\\n|#[^\n]*)+")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s|,)]+")
_PART = r"(?:[A-Za-z0-9_@$]+|`[^`]*`)"
_NAME = re.compile(rf"(?:[A-Za-z_@$][A-Za-z0-9_@$]*|`[^`]*`)(?:\.{_PART}|\[\d+\])*")
_DURATION = re.compile(r"(\d+)([A-Za-z]+)(?![A-Za-z0-9_])")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+")
_SYMBOL = re.compile(r"!=|<=|>=|=~|==|\{\{|\}\}|[|,()\[\]=<>+\-*/%^:]")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\", "/": "/"}


class Token(NamedTuple):
    """A word: `text` is it as written, `value` what it means (a string without its quotes)."""

    kind: str
    text: str
    value: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, in any case."""
        return self.kind == NAME and self.text.lower() in words

    def is_symbol(self, *symbols: str) -> bool:
        """Whether it is one of these signs."""
        return self.kind == SYMBOL and self.text in symbols


class Tokens:
    """A query's words from the first to the last."""

    def __init__(self, query: str, read_query: Callable[[Tokens], Query]) -> None:
        self.query = query
        self.read_query = read_query  # what reads a query in parentheses
        self.last_end = 0  # where the word before ended
        self._next: Token | None = None

    @property
    def peek(self) -> Token:
        """The next word, which stays ahead."""
        if self._next is None:
            self._next = self._read(self.last_end)
        return self._next

    def take(self) -> Token:
        """The next word, which is behind us then."""
        token = self.peek
        self.seek(token.end)
        return token

    def after(self) -> Token:
        """The word behind the next."""
        return self._read(self.peek.end)

    def seek(self, at: int) -> None:
        """Go on from here."""
        self.last_end = at
        self._next = None

    def regex(self) -> Token:
        """The regular expression between slashes that begins here."""
        start = self.peek.start
        at = start + 1
        while at < len(self.query) and self.query[at] != "/":
            at += 2 if self.query[at] == "\\" else 1
        if at >= len(self.query):
            raise Malformed("unterminated regular expression", start, len(self.query))
        value = self.query[start + 1 : at].replace("\\/", "/")
        self.seek(at + 1)
        return Token(REGEX, self.query[start : at + 1], value, start, at + 1)

    def refused(self, token: Token | None = None) -> Malformed:
        """What to raise for a word that may not stand here."""
        token = token or self.peek
        if token.kind == END:
            before = self.query.rstrip()
            return unexpected("<EOF>", self.query, len(before))
        return unexpected(token.text, self.query, token.start)

    def _read(self, at: int) -> Token:
        query = self.query
        space = _SPACE.match(query, at)
        if space is not None:
            at = space.end()
        if at >= len(query):
            return Token(END, "", "", len(query), len(query))
        if query[at] in "\"'":
            return self._string(at)
        for kind, pattern in ((STRING, _URL), (NAME, _NAME), (DURATION, _DURATION), (NUMBER, _NUMBER)):
            found = pattern.match(query, at)
            if found is not None:
                return Token(kind, found[0], found[0], at, found.end())
        found = _SYMBOL.match(query, at)
        if found is None:
            raise unexpected(query[at], query, at)
        return Token(SYMBOL, found[0], found[0], at, found.end())

    def _string(self, start: int) -> Token:
        query, quote = self.query, self.query[start]
        at = start + 1
        while at < len(query) and query[at] != quote:
            at += 2 if query[at] == "\\" else 1
        if at >= len(query):
            raise Malformed(f"unterminated string {query[start : start + 20]}", start, len(query))
        value = _ESCAPE.sub(lambda found: _ESCAPES.get(found[1], found[0]), query[start + 1 : at])
        return Token(STRING, query[start : at + 1], value, start, at + 1)


_PARTS = re.compile(r"\[(\d+)\]|`([^`]*)`|([^.\[`]+)")


def parts_of(name: str) -> tuple[str | int, ...]:
    """A name's parts: `a.b[1].c` is ("a", "b", 1, "c"); a part in backticks may have anything in it."""
    found: list[str | int] = []
    for index, quoted, plain in _PARTS.findall(name):
        found.append(int(index) if index else quoted or plain)
    return tuple(found)
