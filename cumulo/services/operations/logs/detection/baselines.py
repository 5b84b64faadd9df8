"""What is usual in a log group: its patterns, how many lines each has in a window of time, the values of its tokens.

A model learns from lines, window by window. A pattern is a list of words of which those that vary are None, as the
`pattern` command of Insights has them. Source: CloudWatch Logs User Guide, "Log anomaly detection".
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from cumulo.services.operations.logs.query import clustering
from cumulo.services.operations.logs.query.clustering import MARK, SIMILAR

# "Pattern analysis … is limited to the first 1500 characters" of an event (User Guide).
CHARACTERS = 1500
PATTERNS_MOST = 1000  # the least recent are forgotten
VALUES_MOST = 50  # a token with more values takes any
MEMORY_MS = 14 * 86_400_000  # what is older weighs little: the two weeks of which AWS trains


class Value(msgspec.Struct, array_like=True):
    """A value of a token: in how many lines it was, and in how many of one window at most."""

    lines: int
    peak: int


class Pattern(msgspec.Struct, array_like=True):
    """A pattern. Times are milliseconds; windows are numbers: time divided by the length of one.

    `novel`: it appeared after the training. `total` and `squares` are sums over windows, in which old ones weigh less.
    `tokens` has the values of words that vary, by their places; `free` are places that take any value.
    """

    id: str
    words: list[str | None]
    first_ms: int
    last_ms: int
    novel: bool
    start: int
    at: int
    lines: int = 0
    total: float = 0.0
    squares: float = 0.0
    peak: int = 0
    least: int = -1  # lines in a window, since `start`; -1 before the first
    tokens: dict[int, dict[str, Value]] = {}
    free: list[int] = []


class Model(msgspec.Struct, array_like=True):
    """All patterns of a group, and the window up to which it has learned (exclusive)."""

    window_ms: int
    patterns: list[Pattern] = []
    until: int = 0

    @property
    def decay(self) -> float:
        """What is left of a window's weight after another one."""
        return 1.0 - min(self.window_ms / MEMORY_MS, 0.5)


class Usual(NamedTuple):
    """What a pattern's windows were like: how many there were (with weights), their mean and their deviation."""

    windows: float
    mean: float
    deviation: float


def usual(model: Model, pattern: Pattern, window: int) -> Usual:
    """What is usual of a pattern before this window."""
    count, decay = window - pattern.start, model.decay
    if count <= 0:
        return Usual(0.0, 0.0, 0.0)
    weight = (1.0 - decay**count) / (1.0 - decay)
    aged = decay ** max(window - 1 - pattern.at, 0)
    mean = pattern.total * aged / weight
    variance = max(pattern.squares * aged / weight - mean * mean, 0.0)
    return Usual(weight, mean, variance**0.5)


class Seen(msgspec.Struct):
    """A pattern's lines in one window: how many, the values at its places, and some of them (time, message)."""

    pattern: Pattern
    lines: int = 0
    values: dict[int, dict[str, int]] = {}
    samples: list[tuple[int, str]] = []
    last_ms: int = 0


SAMPLES = 10


class Reader:
    """Finds the patterns of lines in a model; adds those that it has not."""

    def __init__(self, model: Model, *, training: bool) -> None:
        self._model = model
        self._training = training
        self._frames: dict[tuple[int, str], list[Pattern]] = {}
        for pattern in model.patterns:
            words = [MARK if word is None else word for word in pattern.words]
            self._frames.setdefault(clustering.frame_of(words), []).append(pattern)
        self._found: dict[tuple[str, ...], Pattern] = {}

    def window(self, number: int, lines: Sequence[tuple[int, str]]) -> dict[str, Seen]:
        """What was seen in a window, by the ids of patterns. Lines are (time, message) in the order of time."""
        found: dict[str, Seen] = {}
        for time, message in lines:
            words = clustering.words_of(message[:CHARACTERS])
            if not words:
                continue
            pattern = self._pattern(words, number, time)
            seen = found.get(pattern.id)
            if seen is None:
                seen = found[pattern.id] = Seen(pattern)
            _widen(seen, words)
            seen.lines += 1
            seen.last_ms = time
            if len(seen.samples) < SAMPLES:
                seen.samples.append((time, message))
            for place, word in enumerate(pattern.words):
                if word is None and place not in pattern.free:
                    values = seen.values.setdefault(place, {})
                    values[words[place]] = values.get(words[place], 0) + 1
        return found

    def _pattern(self, words: list[str], window: int, time: int) -> Pattern:
        shape = tuple([MARK if any(map(str.isdigit, word)) else word for word in words])
        known = self._found.get(shape)
        if known is not None:
            return known
        near = self._frames.setdefault(clustering.frame_of(shape), [])
        best = max(near, key=lambda each: clustering.likeness(each.words, shape), default=None)
        if best is None or clustering.likeness(best.words, shape) < SIMILAR:
            template = [None if word == MARK else word for word in shape]
            best = Pattern(_id(shape), template, time, time, not self._training, window, window)
            near.append(best)
            self._model.patterns.append(best)
        self._found[shape] = best
        return best


def _widen(seen: Seen, words: list[str]) -> None:
    """Words in which a line differs from its pattern vary from now on; until now they had one value."""
    pattern = seen.pattern
    for place, (mine, theirs) in enumerate(zip(pattern.words, words, strict=True)):
        if mine is not None and mine != theirs:
            pattern.words[place] = None
            if pattern.lines:
                pattern.tokens[place] = {mine: Value(pattern.lines, pattern.peak)}
            if seen.lines:
                seen.values[place] = {mine: seen.lines}


def _id(shape: tuple[str, ...]) -> str:
    return hashlib.md5("".join(shape).encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()


def learn(model: Model, seen: Seen, window: int, but: Sequence[tuple[int, str]] = ()) -> None:
    """Take a window of a pattern for usual, but for some values of its tokens."""
    pattern, decay = seen.pattern, model.decay
    aged = decay ** max(window - pattern.at, 0)
    pattern.total = pattern.total * aged + seen.lines
    pattern.squares = pattern.squares * aged + seen.lines * seen.lines
    missed = window - pattern.at > 1 or (not pattern.lines and window > pattern.start)
    pattern.least = 0 if missed else seen.lines if pattern.least < 0 else min(pattern.least, seen.lines)
    pattern.at = window
    pattern.lines += seen.lines
    pattern.peak = max(pattern.peak, seen.lines)
    pattern.last_ms = seen.last_ms
    for place, counts in seen.values.items():
        values = pattern.tokens.setdefault(place, {})
        for text, count in counts.items():
            if (place, text) in but:
                continue
            value = values.get(text)
            if value is None:
                values[text] = Value(count, count)
            else:
                value.lines += count
                value.peak = max(value.peak, count)
        if len(values) > VALUES_MOST:
            del pattern.tokens[place]
            pattern.free.append(place)


def pass_over(model: Model, pattern: Pattern, window: int) -> None:
    """Learn nothing from a window of a pattern: as if it had been like the others."""
    mean, deviation = usual(model, pattern, window)[1:]
    aged = model.decay ** max(window - pattern.at, 0)
    pattern.total = pattern.total * aged + mean
    pattern.squares = pattern.squares * aged + mean * mean + deviation * deviation
    pattern.at = window


def skip(model: Model, begin: int, end: int) -> None:
    """Take out windows in which nobody looked, as if they had not been."""
    count = max(end - max(begin, model.until), 0)
    for pattern in model.patterns:
        pattern.start += count
        pattern.at += count
    model.until = max(model.until, end)


def forget(model: Model) -> None:
    """Drop the least recent patterns beyond the limit."""
    if len(model.patterns) > PATTERNS_MOST:
        model.patterns.sort(key=lambda pattern: pattern.last_ms)
        del model.patterns[: len(model.patterns) - PATTERNS_MOST]


def text_of(words: Sequence[str | None]) -> str:
    """A pattern as AWS shows it: what varies is <*>."""
    return "".join(["<*>" if word is None else word for word in words])
