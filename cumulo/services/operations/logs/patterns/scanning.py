"""What the kinds of patterns have in common: their errors, quoted texts, regular expressions, numbers."""

from __future__ import annotations

import re
from typing import Final

from cumulo.engines.regexes import Regex, RegexError

MOST_REGEXES: Final = 2
MOST_PARENTHESES: Final = 50  # within each other: AWS names no number

# Source: "Supported regular expressions (regex) syntax": these symbols and operators, letters and digits, no others.
_REGEX_ALLOWED = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+. ]+")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


class PatternError(ValueError):
    """A pattern that cannot be read. Its text is AWS's own words, "" where AWS says only that it is invalid."""


class Scanner:
    """A text and a place in it."""

    __slots__ = ("at", "depth", "regexes", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.regexes = 0
        self.depth = 0

    def parenthesis(self) -> bool:
        """Take an opening parenthesis if it comes next; one within too many others is refused."""
        if not self.take("("):
            return False
        self.depth += 1
        if self.depth > MOST_PARENTHESES:
            raise PatternError
        return True

    def end_parenthesis(self) -> None:
        """Take the closing one or refuse the pattern."""
        self.expect(")")
        self.depth -= 1

    def skip_space(self) -> None:
        """Go past white space."""
        text, at = self.text, self.at
        while at < len(text) and text[at].isspace():
            at += 1
        self.at = at

    def take(self, *tokens: str) -> str:
        """The first of these tokens that comes next, taken; "" when none does."""
        self.skip_space()
        for token in tokens:
            if self.text.startswith(token, self.at):
                self.at += len(token)
                return token
        return ""

    def peek(self) -> str:
        """The next character, "" at the end."""
        self.skip_space()
        return self.text[self.at : self.at + 1]

    def expect(self, token: str) -> None:
        """Take the token or refuse the pattern."""
        if not self.take(token):
            raise PatternError

    def quoted(self) -> str:
        """The text in the double quotes that begin here; a backslash takes what follows as it is."""
        self.at += 1
        found: list[str] = []
        text = self.text
        while self.at < len(text):
            character = text[self.at]
            self.at += 1
            if character == '"':
                return "".join(found)
            if character == "\\" and self.at < len(text):
                character = text[self.at]
                self.at += 1
            found.append(character)
        raise PatternError

    def regex(self) -> Regex:
        """The regular expression in the percent signs that begin here."""
        end = self.text.find("%", self.at + 1)
        if end < 0:
            raise PatternError
        source = self.text[self.at + 1 : end]
        self.at = end + 1
        self.regexes += 1
        if self.regexes > MOST_REGEXES:
            raise PatternError
        return compiled(source)

    def until(self, stops: str) -> str:
        """What comes next up to white space, one of these characters, && or ||."""
        text, start = self.text, self.at
        at = start
        while at < len(text):
            character = text[at]
            if character.isspace() or character in stops or text[at : at + 2] in ("&&", "||"):
                break
            at += 1
        self.at = at
        return text[start:at]


def compiled(source: str) -> Regex:
    """A regular expression of the supported kind. Raises PatternError."""
    if not _REGEX_ALLOWED.fullmatch(source):
        raise PatternError
    try:
        return Regex(source)
    except RegexError:
        raise PatternError from None


def number_of(text: str) -> float | None:
    """The number that a text is, None for other texts."""
    return float(text) if _NUMBER.fullmatch(text) else None
