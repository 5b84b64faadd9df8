"""The words of an S3 Select expression.

Source: S3 User Guide, "SQL reference for Amazon S3 Select" (reserved keywords, attribute names, literals).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulo.services.storage.s3.select.errors import (
    EXPRESSION_TOO_LONG,
    LEXER_INVALID_CHAR,
    LEXER_INVALID_LITERAL,
)

LIMIT_B = 256 * 1024

WORD, NAME, STRING, NUMBER, SIGN, END = "word", "name", "string", "number", "sign", "end"

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>--[^\n]*|/\*.*?\*/)
  | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<name>"(?:[^"]|"")*")
  | (?P<string>'(?:[^']|'')*')
  | (?P<instant>`[^`]*`)
  | (?P<sign><>|!=|<=|>=|\|\||[-+*/%=<>().,\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A word: `text` is a keyword or bare name as written, the content of a quoted name or string, or the sign."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text or "the end"

    @property
    def upper(self) -> str:
        """A bare word in capitals, a sign as it is, "" for all else: what keywords are compared with."""
        return self.text.upper() if self.kind in (WORD, SIGN) else ""


def tokens(text: str) -> list[Token]:
    """The words of an expression, END last. Raises LexerInvalidChar, LexerInvalidLiteral, ExpressionTooLong."""
    if len(text.encode("utf-8", "replace")) > LIMIT_B:
        raise EXPRESSION_TOO_LONG()
    found: list[Token] = []
    at = 0
    text = text.rstrip().rstrip(";")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise (LEXER_INVALID_LITERAL if text[at] in "'\"`" else LEXER_INVALID_CHAR)()
        at = match.end()
        kind = match.lastgroup or ""
        word = match[0]
        if kind == "name":
            found.append(Token(NAME, word[1:-1].replace('""', '"')))
        elif kind == "string":
            found.append(Token(STRING, word[1:-1].replace("''", "'")))
        elif kind == "instant":  # a literal of Ion: an instant is all that is of use here
            found.append(Token(STRING, word[1:-1]))
        elif kind not in ("space", "comment"):
            found.append(Token(kind, word))
    found.append(Token(END, ""))
    return found
