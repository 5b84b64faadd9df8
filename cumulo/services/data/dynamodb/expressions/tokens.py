"""The words of an expression, and the errors that name them.

Texts and the extent of `near` (the word before, the word itself, the word after, as they stand in the expression):
observed in AWS's answers. A name starts with a letter (`_x` is the word `_` and the name `x`).
"""

import re

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION

MAX_BYTES = 4096
MAX_OPERATORS = 300

NAME = "name"  # attribute, function or keyword
NAME_PLACEHOLDER = "#"
VALUE_PLACEHOLDER = ":"
NUMBER = "number"
SYMBOL = "symbol"
END = "<EOF>"

_WORD = re.compile(
    r"[ \t\r\n\f]*(?:([A-Za-z][A-Za-z0-9_]*)|(#[A-Za-z0-9_]+)|(:[A-Za-z0-9_]+)|([0-9]+)|(<>|<=|>=|.))", re.DOTALL
)
_KINDS = ("", NAME, NAME_PLACEHOLDER, VALUE_PLACEHOLDER, NUMBER, SYMBOL)


class Token:
    """One word, and where it stands."""

    __slots__ = ("end", "kind", "start", "text", "upper")

    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind = kind
        self.text = text
        self.upper = text.upper() if kind == NAME else text  # keywords are not case-sensitive
        self.start = start
        self.end = end


class Tokens:
    """The words of one expression, read one after the other. `parameter` names the request's member in errors."""

    __slots__ = ("_index", "_tokens", "current", "operators", "parameter", "text")

    def __init__(self, text: str, parameter: str) -> None:
        self.text = text
        self.parameter = parameter
        self.operators = 0
        self._index = 0
        if not text:
            raise self.fail("The expression can not be empty;")
        size = len(text.encode())
        if size > MAX_BYTES:
            # Of an update AWS's answer ends before the size.
            shown = "" if parameter == "UpdateExpression" else f" expression size: {size}"
            raise self.fail(f"Expression size has exceeded the maximum allowed size;{shown}")
        self._tokens = self._split(text.rstrip(" \t\r\n\f"))
        self.current = self._tokens[0]
        if self.current.kind == END:
            raise self.fail("The expression can not be empty;")

    @staticmethod
    def _split(text: str) -> list[Token]:
        found = []
        at = 0
        while at < len(text):
            match = _WORD.match(text, at)
            assert match is not None and match.lastindex is not None
            group = match.lastindex
            found.append(Token(_KINDS[group], match.group(group), match.start(group), match.end()))
            at = match.end()
        found.append(Token(END, END, len(text), len(text)))
        return found

    def fail(self, reason: str) -> Fault:
        """The error of this expression."""
        return VALIDATION(f"Invalid {self.parameter}: {reason}")

    def unexpected(self) -> Fault:
        """The error of a word that cannot stand here."""
        before = self._tokens[self._index - 1] if self._index else self.current
        after = self.current if self.current.kind == END else self._tokens[self._index + 1]
        end = self._tokens[self._index - 1].end if self.current.kind == END and self._index else self.current.end
        if after.kind != END:
            end = after.end
        return self.fail(f'Syntax error; token: "{self.current.text}", near: "{self.text[before.start : end]}"')

    def next(self) -> Token:
        """Go on to the word after; the word that was current."""
        token = self.current
        if token.kind != END:
            self._index += 1
            self.current = self._tokens[self._index]
        return token

    def ahead(self) -> Token:
        """The word after the current one."""
        return self._tokens[self._index + 1] if self.current.kind != END else self.current

    def accept(self, upper: str) -> bool:
        """Whether the current word is this symbol or keyword; if so, go on."""
        if self.current.upper == upper and (self.current.kind == SYMBOL or self.current.kind == NAME):
            self.next()
            return True
        return False

    def expect(self, upper: str) -> None:
        """Go on over this symbol or keyword. Raises ValidationException when another word stands here."""
        if not self.accept(upper):
            raise self.unexpected()

    def finish(self) -> None:
        """Raises ValidationException when words are left."""
        if self.current.kind != END:
            raise self.unexpected()

    def count_operator(self) -> None:
        """Count an operator or function. Raises ValidationException for the 301st (Developer Guide, "Quotas")."""
        self.operators += 1
        if self.operators > MAX_OPERATORS:
            raise self.fail(f"The expression contains too many operators; operator count: {self.operators}")
