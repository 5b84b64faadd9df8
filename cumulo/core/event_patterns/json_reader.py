"""JSON documents read as AWS reads them: the same texts and positions when they are wrong.

SNS and EventBridge answer a malformed document with the words of their parser, down to line and column
("Unexpected character ('i' (code 105)): was expecting double-quote to start field name …"),
and people search for those words. So documents that come in attributes are read here.
"""

import json
import re
from typing import Any, NamedTuple

_REDACTED = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
_SHOWN_CHARACTERS = 500  # of a document that its location quotes
_LITERALS: dict[str, Any] = {"true": True, "false": False, "null": None}
_TOKENS = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[A-Za-z0-9_$]+")
_STRING_STOP = re.compile(r'["\\\x00-\x1f]')
_ESCAPES = '"\\/bfnrt'
_MAX_DEPTH = 1000


class Token(NamedTuple):
    """One token: `kind` is one of `{ } [ ]`, "name", "string", "number" or "literal"; `at` is where a reader stands.

    A string's text is read lazily: who has read it stands at `end`.
    """

    kind: str
    text: str
    value: Any
    at: int
    end: int


class JsonError(ValueError):
    """A document that is not what it must be; `position` is the offset that AWS would report."""

    def __init__(self, message: str, document: str, position: int, quoted: bool = False) -> None:
        self.reason = message
        super().__init__(f"{message}\n at {location(document, position, quoted)}")


def location(document: str, position: int, quoted: bool = False) -> str:
    """`[Source: REDACTED (…); line: 1, column: 2]` for a 0-based offset; `quoted` shows the document."""
    line = document.count("\n", 0, position) + 1
    column = position - (document.rfind("\n", 0, position) + 1) + 1
    return f"[Source: {_quote(document) if quoted else _REDACTED}; line: {line}, column: {column}]"


def _quote(document: str) -> str:
    left_out = len(document) - _SHOWN_CHARACTERS
    return f'(String)"{document[:_SHOWN_CHARACTERS]}"{f"[truncated {left_out} chars]" if left_out > 0 else ""}'


def tokens(document: str, quoted: bool = False) -> list[Token]:
    """Every token of the document, or JsonError with AWS's text."""
    return _Reader(document, quoted).read()


def parse(document: str) -> Any:
    """The value of the document, or JsonError with AWS's text."""
    try:
        value, _ = _DECODER.raw_decode(document.lstrip(" \t\r\n"))  # what follows the first value is not looked at
        return value
    except (ValueError, RecursionError):
        tokens(document)  # raises with the right words
        raise JsonError("Unexpected end-of-input", document, len(document)) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


class _Reader:
    def __init__(self, document: str, quoted: bool) -> None:
        self.document = document
        self.quoted = quoted
        self.position = 0
        self.out: list[Token] = []
        self.open: list[tuple[str, int]] = []

    def read(self) -> list[Token]:
        self._value()
        while self.open:
            if self.open[-1][0] == "{":
                self._entry()
            else:
                self._element()
        return self.out

    def _fail(self, message: str, position: int | None = None) -> JsonError:
        return JsonError(message, self.document, self.position if position is None else position, self.quoted)

    def _peek(self) -> str:
        """The next significant character, or the error for a document that ends too early."""
        document, position = self.document, self.position
        while position < len(document) and document[position] in " \t\r\n":
            position += 1
        self.position = position
        if position < len(document):
            return document[position]
        if self.open:
            kind, start = self.open[-1]
            name = "Object" if kind == "{" else "Array"
            marker = location(self.document, start, self.quoted)
            raise self._fail(f"Unexpected end-of-input: expected close marker for {name} (start marker at {marker})")
        raise self._fail("No content to map due to end-of-input")

    def _unexpected(self, expectation: str) -> JsonError:
        character = self.document[self.position]
        shown = f"'{character}' (code {ord(character)})" if character >= " " else f"(CTRL-CHAR, code {ord(character)})"
        return self._fail(f"Unexpected character ({shown}): {expectation}")

    def _entry(self) -> None:
        """`"name": value` of an object, or its end."""
        first = self.out[-1].kind == "{" and self.out[-1].at == self.open[-1][1] + 1
        character = self._peek()
        if character == "}":
            self._close("}")
            return
        if not first:
            if character != ",":
                raise self._unexpected("was expecting comma to separate Object entries")
            self.position += 1
            character = self._peek()
        if character != '"':
            raise self._unexpected("was expecting double-quote to start field name")
        name = self._string("field name")
        self.out.append(Token("name", name, name, self.position, self.position))
        if self._peek() != ":":
            raise self._unexpected("was expecting a colon to separate field name and value")
        self.position += 1
        self._value()

    def _element(self) -> None:
        """A value of an array, or its end."""
        first = self.out[-1].kind == "[" and self.out[-1].at == self.open[-1][1] + 1
        character = self._peek()
        if character == "]":
            self._close("]")
            return
        if not first:
            if character != ",":
                raise self._unexpected("was expecting comma to separate Array entries")
            self.position += 1
        self._value()

    def _close(self, mark: str) -> None:
        self.open.pop()
        self.position += 1
        self.out.append(Token(mark, mark, None, self.position, self.position))

    def _value(self) -> None:
        character = self._peek()
        start = self.position
        if character in "{[":
            if len(self.open) >= _MAX_DEPTH:
                raise self._fail(
                    f"Document nesting depth ({_MAX_DEPTH + 1}) exceeds the maximum allowed ({_MAX_DEPTH})"
                )
            self.open.append((character, start))
            self.position += 1
            self.out.append(Token(character, character, None, self.position, self.position))
        elif character == '"':
            text = self._string("String value")
            self.out.append(Token("string", text, text, start + 1, self.position))
        elif character == "-" or character.isdigit():
            self._number(start)
        elif word := _WORD.match(self.document, start):
            self.position = word.end()
            if word[0] not in _LITERALS:
                raise self._fail(f"Unrecognized token '{word[0]}': was expecting {_TOKENS}")
            self.out.append(Token("literal", word[0], _LITERALS[word[0]], self.position, self.position))
        else:
            raise self._unexpected(f"expected a valid value {_TOKENS}")

    def _number(self, start: int) -> None:
        found = _NUMBER.match(self.document, start)
        if found is None:
            self.position += 1
            raise self._fail("No digit following minus sign")
        self.position = found.end()
        text = found[0]
        if text.lstrip("-") == "0" and self.document[self.position : self.position + 1].isdigit():
            raise self._fail("Invalid numeric value: Leading zeroes not allowed")
        number = float(text) if any(mark in text for mark in ".eE") else int(text[:4000])
        self.out.append(Token("number", text, number, self.position, self.position))

    def _string(self, what: str) -> str:
        document = self.document
        start = self.position
        position = start + 1
        while True:
            stop = _STRING_STOP.search(document, position)
            if stop is None:
                where = "in field name" if what == "field name" else ": was expecting closing quote for a string value"
                raise self._fail(f"Unexpected end-of-input {where}".replace(" :", ":"), len(document))
            position = stop.end()
            if stop[0] == '"':
                break
            if stop[0] != "\\":
                text = "has to be escaped using backslash to be included in"
                what = "name" if what == "field name" else "string value"
                code = ord(stop[0])
                raise self._fail(f"Illegal unquoted character ((CTRL-CHAR, code {code})): {text} {what}", stop.start())
            position = self._escape(position)
        self.position = position
        value: str = json.loads(document[start:position])
        return value

    def _escape(self, position: int) -> int:
        """The offset behind the escape whose letter is at `position`."""
        letter = self.document[position : position + 1]
        if letter == "u":
            digits = self.document[position + 1 : position + 5]
            if len(digits) < 4 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
                raise self._fail(
                    "Unexpected character: expected a hex-digit for character escape sequence", position + 1
                )
            return position + 5
        if not letter or letter not in _ESCAPES:
            raise self._fail(f"Unrecognized character escape '{letter}' (code {ord(letter or ' ')})", position)
        return position + 1
