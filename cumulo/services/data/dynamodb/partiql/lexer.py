"""The words of a statement, where they stand, and the errors that say so."""

import re

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.partiql.keywords import KEYWORDS

NAME = "name"  # an attribute or a table: a bare word that is no keyword, or anything in double quotes
KEYWORD = "keyword"
TEXT = "text"
NUMBER = "number"
SYMBOL = "symbol"
END = "end"

_OPERATORS = frozenset(("and", "or", "is", "in", "like", "between"))
_BLANK = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_WORD = re.compile(
    r"""(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
      | "(?P<quoted>(?:[^"]|"")*)"
      | '(?P<text>(?:[^']|'')*)'
      | (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<symbol><<|>>|<>|<=|>=|!=|[=<>(){}\[\],.:?*+\-;])""",
    re.VERBOSE | re.DOTALL,
)


def not_well_formed(detail: str = "") -> Fault:
    """The error of a statement that cannot be read."""
    return VALIDATION(f"Statement wasn't well formed, can't be processed: {detail}")


class Word:
    """One word. `text` is what it means (without quotes), `lower` what keywords are compared by."""

    __slots__ = ("column", "kind", "length", "line", "lower", "quoted", "text")

    def __init__(self, kind: str, text: str, line: int, column: int, length: int, quoted: bool = False) -> None:
        self.kind = kind
        self.text = text
        self.lower = text if quoted or kind == TEXT else text.lower()
        self.line = line
        self.column = column
        self.length = length
        self.quoted = quoted

    @property
    def place(self) -> str:
        """Where it stands, as AWS's errors say it: line, column and length."""
        return f"{self.line}:{self.column}:{self.length}"


class Words:
    """The words of one statement, read one after the other."""

    __slots__ = ("_index", "_words", "current")

    def __init__(self, statement: str) -> None:
        self._words = _split(statement)
        self._index = 0
        self.current = self._words[0]

    def next(self) -> Word:
        """Go on to the word after; the word that was current."""
        word = self.current
        if word.kind != END:
            self._index += 1
            self.current = self._words[self._index]
        return word

    def ahead(self, count: int = 1) -> Word:
        """The word so many after the current one."""
        return self._words[min(self._index + count, len(self._words) - 1)]

    def at(self, word: str) -> bool:
        """Whether the current word is this keyword or symbol."""
        current = self.current
        return current.lower == word and not current.quoted and current.kind in (KEYWORD, SYMBOL, NAME)

    def accept(self, *words: str) -> bool:
        """Whether these keywords or symbols come now; if so, go on after them."""
        for at, word in enumerate(words):
            found = self.ahead(at) if at else self.current
            if found.lower != word or found.quoted or found.kind not in (KEYWORD, SYMBOL, NAME):
                return False
        for _ in words:
            self.next()
        return True

    def expect(self, word: str) -> None:
        """Go on over this keyword or symbol. Raises ValidationException when another word stands here."""
        if not self.accept(word):
            raise self.unexpected()

    def unexpected(self) -> Fault:
        """The error of a word that cannot stand here."""
        if self.current.kind != KEYWORD:
            return not_well_formed("Unexpected term")
        return not_well_formed("Unexpected operator" if self.current.lower in _OPERATORS else "Unexpected keyword")

    def check_more(self) -> None:
        """Raises ValidationException when the statement ends after an operator that wants something on its right."""
        if self.current.kind == END:
            raise not_well_formed("Missing right-hand side expression of infix operator")


def _split(statement: str) -> list[Word]:
    found: list[Word] = []
    at, line, line_start = 0, 1, 0
    size = len(statement)
    while True:
        blank = _BLANK.match(statement, at)
        assert blank is not None
        at = blank.end()
        line += statement.count("\n", blank.start(), at)
        line_start = statement.rfind("\n", 0, at) + 1
        if at >= size:
            found.append(Word(END, "", line, at - line_start + 1, 0))
            return found
        match = _WORD.match(statement, at)
        if match is None:
            raise not_well_formed()
        group = match.lastgroup
        text = match.group(group or "")
        kind = group or ""
        if group == "name":
            kind = KEYWORD if text.lower() in KEYWORDS else NAME
        elif group == "quoted":
            kind, text = NAME, text.replace('""', '"')
        elif group == "text":
            text = text.replace("''", "'")
        length = match.end() - at
        found.append(Word(kind, text, line, at - line_start + 1, length, group == "quoted"))
        line += statement.count("\n", at, match.end())
        at = match.end()
