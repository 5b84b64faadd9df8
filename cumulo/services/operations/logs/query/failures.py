"""What is wrong with a query: text and place, as MalformedQueryException tells them."""

from __future__ import annotations


class Malformed(Exception):
    """The query does not compile. `start` and `end` are offsets of characters in its text, `end` exclusive."""

    def __init__(self, text: str, start: int, end: int) -> None:
        super().__init__(text)
        self.text = text
        self.start = start
        self.end = end


class Unsupported(Exception):
    """The query asks for something that AWS has and this cloud has not; the text names it."""


def unexpected(found: str, query: str, start: int) -> Malformed:
    """A symbol where none of its kind may be. AWS: "unexpected symbol found sort at line 1 and position 30"."""
    line = query.count("\n", 0, start) + 1
    position = start - (query.rfind("\n", 0, start) + 1)
    text = f"unexpected symbol found {found} at line {line} and position {position}"
    return Malformed(text, start, start + max(len(found), 1))
