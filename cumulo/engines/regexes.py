r"""Regular expressions that somebody gave us: RE2, which takes time in proportion to the text, never more.

Python's own module tries one way after another: three `.*` of a user can hold the interpreter for minutes. RE2 has no
lookaround, backreferences or possessive quantifiers, which need just that, and frees the interpreter while it works.
It is loaded with the first expression. Sources: RE2's "Syntax"; docs/decisions/0021-expressions-of-users-are-re2s.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from time import thread_time
from typing import Any, Final

MEMORY_BYTES: Final = 1 << 20  # of one expression: its program and the states that it has been in
REMEMBERED: Final = 256  # expressions that are kept ready
MOST_S: Final = 1.0  # of a processor, for all matches in one text

# What RE2 says of the expressions that others take, and what those have.
_LACKS: Final = (
    ("invalid perl operator: (?=", "lookaround"),
    ("invalid perl operator: (?!", "lookaround"),
    ("invalid perl operator: (?<", "lookaround"),
    ("invalid perl operator: (?>", "atomic groups"),
    ("invalid perl operator: (?x", "the flag x"),
    ("invalid escape sequence: \\k", "backreferences"),
    *((f"invalid escape sequence: \\{digit}", "backreferences") for digit in range(1, 10)),
    *((f"bad repetition operator: {sign}+", "possessive quantifiers") for sign in "*+?"),
    ("invalid repetition size", "more than 1,000 repetitions"),
    ("pattern too large", "as many states as this one needs"),
)
_TOKEN: Final = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\[pP]\{[A-Za-z]+\}|\\u[0-9a-fA-F]{4}|\\.|\[:\^?[a-z]+:\]|\[\^?\]?|&&|.", re.DOTALL
)
_POSIX: Final = re.compile(r"Lower|Upper|ASCII|Alpha|Digit|Alnum|Punct|Graph|Print|Blank|Cntrl|XDigit|Space")
_MULTILINE: Final = re.compile(r"\(\?[A-Za-z]*m")
_END: Final = r"(?:\n?\z)"  # as in Java and Python, `$` is also before the line's end that ends a text

Groups = Sequence[str | None]


class RegexError(ValueError):
    """A text that is no regular expression."""


class Unsupported(RegexError):
    """An expression with something that RE2 has not: what is `lacking`."""

    def __init__(self, lacking: str) -> None:
        super().__init__(f"{lacking} in regular expressions")
        self.lacking = lacking


class TooCostly(Exception):
    """To find every match in this text would take longer than MOST_S."""


class Regex:
    """An expression that was read, and how RE2 writes it.

    `groups` counts its groups, `names` gives the numbers of those with names.
    """

    __slots__ = ("_whole", "groups", "names", "source", "written")

    def __init__(self, source: str, *, java: bool = False) -> None:
        """Raises RegexError. `java`: where AWS takes Java's syntax, in which classes have classes in them."""
        self.source = source
        self.written = _written(source, java, _END)
        self._whole = _written(source, java, r"\z")  # of a whole text the line's end is a part like any other
        compiled = _compiled(self.written)
        self.groups: int = compiled.groups
        self.names: dict[str, int] = {name.decode(): number for name, number in compiled.groupindex.items()}

    def found_in(self, text: str) -> bool:
        """Whether it matches any part of the text."""
        return _compiled(self.written, captures=False).search(_bytes(text)) is not None

    def fills(self, text: str) -> bool:
        """Whether it matches the whole text."""
        return _compiled(self._whole, captures=False).fullmatch(_bytes(text)) is not None

    def search(self, text: str) -> Groups | None:
        """The first match's groups, the match itself at 0, None for groups that had no part in it."""
        found = _compiled(self.written).search(_bytes(text))
        return None if found is None else _groups(found)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it matches, in characters. Raises TooCostly."""
        data = _bytes(text)
        ascii_only = len(data) == len(text)
        characters = passed = 0
        for found in _every(_compiled(self.written, captures=False), data):
            start, end = found.span()
            if ascii_only:
                yield start, end
                continue
            characters += len(_text(data[passed:start]))
            length = len(_text(data[start:end]))
            yield characters, characters + length
            characters += length
            passed = end

    def replaced(self, text: str, replacement: Callable[[Groups], str]) -> str:
        """The text with something else in the place of each match. Raises TooCostly."""
        data = _bytes(text)
        parts: list[str] = []
        passed = 0
        for found in _every(_compiled(self.written), data):
            start, end = found.span()
            parts += (_text(data[passed:start]), replacement(_groups(found)))
            passed = end
        return "".join([*parts, _text(data[passed:])]) if parts else text


def _every(compiled: Any, data: bytes) -> Iterator[Any]:
    """All matches. Each may have looked at all of the text to know where it ends, so that they are bounded together."""
    begun = thread_time()
    at = number = 0
    while at <= len(data) and (found := compiled.search(data, at)) is not None:
        number += 1
        if number % 32 == 0 and thread_time() - begun > MOST_S:
            raise TooCostly
        yield found
        start, at = found.span()
        if at == start:  # nothing was found: go on behind the next character
            at += 1
            while at < len(data) and data[at] & 0xC0 == 0x80:
                at += 1


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _text(data: bytes) -> str:
    return data.decode(errors="surrogatepass")


def _groups(found: Any) -> Groups:
    return [None if each is None else _text(each) for each in (found[0], *found.groups())]


@lru_cache(maxsize=REMEMBERED)
def _compiled(written: str, captures: bool = True) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY_BYTES
    options.never_capture = not captures
    try:
        return re2.compile(_bytes(written), options)
    except re2.error as error:
        text = _text(error.args[0]) if isinstance(error.args[0], bytes) else str(error.args[0])
        for start, lacking in _LACKS:
            if text.startswith(start):
                raise Unsupported(lacking) from None
        raise RegexError(text) from None


def _written(source: str, java: bool, end: str) -> str:
    """The expression as RE2 writes it, with its words for the end of a text."""
    ends = {"$": "$" if _MULTILINE.search(source) else end, "\\Z": end}
    parts: list[str] = []
    in_class = False
    for found in _TOKEN.finditer(source):
        token = found[0]
        if token.startswith("\\u") and len(token) > 2:
            token = f"\\x{{{token[2:]}}}"
        elif _POSIX.fullmatch(token, 3, max(len(token) - 1, 3)) and token[:2] in ("\\p", "\\P"):
            token = f"[:{'^' if token[1] == 'P' else ''}{token[3:-1].lower()}:]"
            token = token if in_class else f"[{token}]"
        elif not in_class:
            token = ends.get(token, token)
            in_class = token[0] == "[" and not token.endswith(":]")
        elif token == "]":
            in_class = False
        elif token == "&&" and java:
            raise Unsupported("intersections of classes")
        elif token[0] == "[" and token[:2] != "[:":
            if java:
                raise Unsupported("classes within classes")
            in_class = token[-1] != "]"
            token = f"\\{token}"
        parts.append(token)
    return "".join(parts)
