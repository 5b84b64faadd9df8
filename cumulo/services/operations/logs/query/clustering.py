"""Log lines to patterns: texts that differ in what varies (times, identifiers, numbers) are one.

DuckDB has grouped lines by their shape already: the same text once every word with a digit in it is taken away. Here
shapes of as many words become one pattern when they differ in few of them. Words that differ are dynamic tokens, named
by what they look like and by their place among the dynamic ones: "<Time-1> [INFO] … id <ID-2>".
Source: CloudWatch Logs User Guide, "Pattern analysis" and "pattern" (ERROR, WARN, INFO by the words in the pattern).
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

# What is taken away from a line to have its shape, in RE2's form: every run without spaces or brackets with a digit.
VARYING = r"""[^\s\[\](){}<>"',;=|]*[0-9][^\s\[\](){}<>"',;=|]*"""
MARK = "\x01"
SHAPES_MOST = 50_000
SIMILAR = 0.6  # the part of words that two shapes of one pattern share
_WORD = re.compile(r"[^\s\[\](){}<>\"',;=|]+|[\s\[\](){}<>\"',;=|]")

_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
    r"|\d{2}:\d{2}:\d{2}(?:[.,]\d+)?|\d{2}/\w{3}/\d{4}(?::\d{2}:\d{2}:\d{2})?|1[5-9]\d{8}(?:\d{3})?"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


class Shape(NamedTuple):
    """Lines of one shape: how many, one of them, and when the first and the last were."""

    shape: str
    lines: int
    sample: str
    first: int
    last: int


class Found(NamedTuple):
    """A pattern."""

    id: str
    text: str
    regex: str
    lines: int
    severity: str
    samples: tuple[str, ...]
    first: int
    last: int
    shapes: tuple[str, ...]


def patterns(shapes: Iterable[Shape]) -> list[Found]:
    """The patterns of shapes, the most frequent first."""
    clusters: dict[tuple[int, str], list[_Cluster]] = defaultdict(list)
    for shape in sorted(shapes, key=lambda shape: (-shape.lines, shape.shape)):
        words = words_of(shape.shape)
        near = clusters[frame_of(words)]
        best = max(near, key=lambda cluster: cluster.likeness(words), default=None)
        if best is not None and best.likeness(words) >= SIMILAR:
            best.add(words, shape)
        else:
            near.append(_Cluster(words, shape))
    merged: dict[str, Found] = {}
    for near in clusters.values():
        for cluster in near:
            found = cluster.described()
            before = merged.get(found.text)
            merged[found.text] = found if before is None else _both(before, found)
    return sorted(merged.values(), key=lambda found: (-found.lines, found.text))


def words_of(text: str) -> list[str]:
    """The words of a line, and each sign or space between them."""
    return _WORD.findall(text)


def frame_of(words: Sequence[str]) -> tuple[int, str]:
    """What lines must have in common to be of one pattern: how many words, and what stands where between them."""
    return len(words), "".join([MARK if word[0].isalnum() else word for word in words])


def likeness(pattern: Sequence[str | None], words: Sequence[str]) -> float:
    """The part of words that are the same, of those that are no spaces or brackets. None is a word that varies."""
    same = total = 0
    for mine, theirs in zip(pattern, words, strict=True):
        if not theirs[0].isalnum() and theirs[0] != MARK:
            continue
        total += 1
        same += mine == theirs or (mine is None and MARK in theirs)
    return same / total if total else 1.0


def regex_of(words: Iterable[str | None]) -> str:
    """A pattern as a regular expression, in which what varies is a group."""
    return "".join([r"(\S+)" if word is None else re.escape(word) for word in words])


def _both(one: Found, other: Found) -> Found:
    return one._replace(
        lines=one.lines + other.lines,
        samples=(one.samples + other.samples)[:3],
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        shapes=one.shapes + other.shapes,
    )


class _Cluster:
    """Shapes that are one pattern; None in `words` is a word that varies."""

    def __init__(self, words: list[str], shape: Shape) -> None:
        self.words: list[str | None] = [None if MARK in word else word for word in words]
        self.shapes = [shape]

    def likeness(self, words: list[str]) -> float:
        """How much a shape is like these."""
        return likeness(self.words, words)

    def add(self, words: list[str], shape: Shape) -> None:
        """One more shape."""
        self.words = [mine if mine == theirs else None for mine, theirs in zip(self.words, words, strict=True)]
        self.shapes.append(shape)

    def described(self) -> Found:
        """The pattern in words."""
        samples = [words_of(shape.sample) for shape in self.shapes[:20]]
        text, place = [], 0
        for index, word in enumerate(self.words):
            if word is not None:
                text.append(word)
                continue
            place += 1
            values = [words[index] for words in samples if index < len(words)]
            text.append(f"<{kind_of(values)}-{place}>")
        joined = _joined("".join(text))
        return Found(
            hashlib.md5(joined.encode(), usedforsecurity=False).hexdigest(),
            joined,
            regex_of(self.words),
            sum(shape.lines for shape in self.shapes),
            severity(joined),
            tuple(shape.sample for shape in self.shapes[:3]),
            min(shape.first for shape in self.shapes),
            max(shape.last for shape in self.shapes),
            tuple(shape.shape for shape in self.shapes),
        )


_DATE_AND_TIME = re.compile(r"<Time-(\d+)> <Time-\d+>")


def _joined(text: str) -> str:
    """A date and the time after it are one token."""
    if not _DATE_AND_TIME.search(text):
        return text
    text = _DATE_AND_TIME.sub(r"<Time-\1>", text)
    places = iter(range(1, text.count("<") + 1))
    return re.sub(r"<([A-Za-z]+)-\d+>", lambda found: f"<{found[1]}-{next(places)}>", text)


def kind_of(values: Sequence[str]) -> str:
    """What the values of a dynamic token look like."""
    for name, pattern in (("Time", _TIME), ("UUID", _UUID), ("IPAddress", _IP)):
        if values and all(pattern.fullmatch(value) for value in values):
            return name
    if values and all(_NUMBER.fullmatch(value) for value in values):
        return "Number"
    if values and all(any(letter.isdigit() for letter in value) and len(value) > 7 for value in values):
        return "ID"
    return "Token"


def severity(pattern: str) -> str:
    """ERROR, WARN or INFO, by the words in the pattern."""
    lower = pattern.lower()
    if "error" in lower:
        return "ERROR"
    return "WARN" if "warn" in lower else "INFO"
