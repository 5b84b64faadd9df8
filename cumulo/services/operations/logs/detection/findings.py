"""What is unusual in a window of a log group, measured by a model of what is usual.

Four kinds: a pattern that was not there before, many more or many fewer lines of one, a value that a token never had,
and a value in many more lines. AWS's models are not known; these are their names for what they find (CloudWatch Logs
User Guide, "anomaly"), with a rule that can be told: beyond four deviations and beyond all that was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from cumulo.services.operations.logs.detection import baselines
from cumulo.services.operations.logs.detection.baselines import SAMPLES as SAMPLES
from cumulo.services.operations.logs.detection.baselines import Model, Pattern, Reader, Seen
from cumulo.services.operations.logs.query import clustering

DEVIATIONS = 4.0
BEYOND = 1.5  # times the highest, or the lowest divided by it
WINDOWS_LEAST = 5.0  # before which nothing is known about how many lines are usual
LINES_LEAST = 100  # before which nothing is known about the values of a token
UNSEEN_MOST = 0.01  # the chance that a value is a new one, where new ones are unusual
FEW = 10  # fewer lines are no burst, and no silence
NEW, MORE, FEWER, VALUE = "new", "more", "fewer", "value"  # the second word of a subject
PRIORITIES = HIGH, MEDIUM, LOW = "HIGH", "MEDIUM", "LOW"
# "severity … keywords such as FATAL, ERROR, WARN"; what has none is of severity NONE (User Guide).
_SEVERE = ("fatal", "critical", "error", "exception")

# Whether so many lines of a subject were said to be normal.
Normal = Callable[[str, int], bool]


class Token(msgspec.Struct, array_like=True):
    """A token of a pattern: its text, and of one that varies its place among those, its name and its values."""

    text: str
    position: int = 0
    name: str = ""
    values: dict[str, int] = {}


class Details(msgspec.Struct, array_like=True):
    """What an anomaly tells of log events: sealed where the detector has a KMS key."""

    pattern: str
    regex: str
    description: str
    samples: list[tuple[int, str]]
    tokens: list[Token]


class Finding(msgspec.Struct):
    """Something unusual in a window. `subject` names the same again in other windows."""

    subject: str
    pattern: str  # its id
    window_ms: int
    lines: int
    last_ms: int
    priority: str
    details: Details


def train(model: Model, lines: Sequence[tuple[int, str]]) -> None:
    """Take lines, in the order of time, for usual."""
    reader = Reader(model, training=True)
    for window, some in _windows(lines, model.window_ms):
        for seen in reader.window(window, some).values():
            baselines.learn(model, seen, window)
    baselines.forget(model)


def evaluate(
    model: Model, lines: Sequence[tuple[int, str]], until: int, normal: Normal, *, late: bool = False
) -> list[Finding]:
    """What is unusual in the windows from the model's last to `until` (exclusive); the model learns from the rest.

    `late`: nobody was there for a while, maybe nobody who writes lines either: windows without any are as if not been.
    """
    reader = Reader(model, training=False)
    by_window = dict(_windows(lines, model.window_ms))
    found: list[Finding] = []
    windows = sorted(by_window) if late else range(max(model.until, until - _most(model)), until)
    for window in windows:
        if late:
            baselines.skip(model, model.until, window)
        seen = reader.window(window, by_window.get(window, ()))
        unusual = [*_silent(model, seen, window, normal)]
        for each in seen.values():
            unusual += _of_seen(model, each, window, normal)
        _learn(model, seen, window, unusual)
        found += unusual
        model.until = window + 1
    if late:
        baselines.skip(model, model.until, until)
    model.until = max(model.until, until)
    baselines.forget(model)
    return found


def _learn(model: Model, seen: dict[str, Seen], window: int, unusual: Sequence[Finding]) -> None:
    """Take for usual what is not unusual."""
    subjects = {finding.subject for finding in unusual}
    kept_out = {finding.pattern for finding in unusual if finding.subject.split(" ")[1] != VALUE}
    for each in seen.values():
        pattern = each.pattern
        if pattern.id not in kept_out:
            values = [(place, text) for place, texts in each.values.items() for text in texts]
            but = [(place, text) for place, text in values if _of_value(pattern, place, text) in subjects]
            baselines.learn(model, each, window, but)
    for pattern in model.patterns:
        if pattern.id in kept_out and not pattern.novel:
            baselines.pass_over(model, pattern, window)


def _most(model: Model) -> int:
    return baselines.MEMORY_MS // model.window_ms


def _windows(lines: Sequence[tuple[int, str]], length: int) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    some: list[tuple[int, str]] = []
    for line in lines:
        if some and line[0] // length != some[0][0] // length:
            yield some[0][0] // length, some
            some = []
        some.append(line)
    if some:
        yield some[0][0] // length, some


def _of_seen(model: Model, seen: Seen, window: int, normal: Normal) -> Iterator[Finding]:
    pattern = seen.pattern
    if pattern.novel:
        subject = f"{pattern.id} {NEW}"
        if not normal(subject, seen.lines):
            yield _finding(model, seen, window, subject, "New pattern", 0.0)
            return
        pattern.novel, pattern.start, pattern.at = False, window, window
    usual = baselines.usual(model, pattern, window)
    subject = f"{pattern.id} {MORE}"
    beyond = usual.windows >= WINDOWS_LEAST and seen.lines >= FEW and _is_beyond(seen.lines, usual, pattern.peak)
    if beyond and not normal(subject, seen.lines):
        change = _change(seen.lines, usual.mean)
        text = f"{change * 100:.1f}% increase in count of this pattern"
        yield _finding(model, seen, window, subject, text, change)
        return
    # In so many lines that are normal, the values are many too.
    yield from _values(model, seen, window, 0.0 if beyond else usual.windows, normal)


def _is_beyond(lines: int, usual: baselines.Usual, peak: float) -> bool:
    deviation = max(usual.deviation, usual.mean**0.5, 1.0)
    return lines > usual.mean + DEVIATIONS * deviation and lines > BEYOND * peak


def _change(lines: int, mean: float) -> float:
    return abs(lines - mean) / max(mean, 1.0)


def _values(model: Model, seen: Seen, window: int, windows: float, normal: Normal) -> Iterator[Finding]:
    """Values that tokens never had, and values in more lines than ever."""
    pattern = seen.pattern
    if pattern.lines < LINES_LEAST:
        return
    for place, counts in seen.values.items():
        known = pattern.tokens.get(place)
        if known is None or place in pattern.free:
            continue
        lines = sum([value.lines for value in known.values()])
        # Good's estimate: values are as likely new as those that were seen once only.
        closed = sum([value.lines == 1 for value in known.values()]) <= UNSEEN_MOST * lines
        if lines < LINES_LEAST or not closed:
            continue
        name = _names(pattern, seen)[place]
        for text, count in counts.items():
            value, description, change = known.get(text), "", 0.0
            if value is None:
                description = f'New value "{text}" for {name}'
            elif windows >= WINDOWS_LEAST and count >= FEW:
                mean = value.lines / max(windows, 1.0)
                if _is_beyond(count, baselines.Usual(windows, mean, 0.0), value.peak):
                    change = _change(count, mean)
                    description = f'{change * 100:.1f}% increase in count of value "{text}" for {name}'
            subject = _of_value(pattern, place, text)
            if description and not normal(subject, count):
                yield _finding(model, seen, window, subject, description, change)


def _of_value(pattern: Pattern, place: int, text: str) -> str:
    return f"{pattern.id} {VALUE} {place} {text}"


def _silent(model: Model, seen: dict[str, Seen], window: int, normal: Normal) -> Iterator[Finding]:
    """Patterns that were in every window, and have far fewer lines in this one, or none."""
    for pattern in model.patterns:
        if pattern.novel or pattern.least < FEW:
            continue
        here = seen.get(pattern.id, Seen(pattern))
        usual = baselines.usual(model, pattern, window)
        deviation = max(usual.deviation, usual.mean**0.5, 1.0)
        if usual.windows < WINDOWS_LEAST or here.lines >= usual.mean - DEVIATIONS * deviation:
            continue
        subject = f"{pattern.id} {FEWER}"
        if here.lines * BEYOND < pattern.least and not normal(subject, here.lines):
            change = _change(here.lines, usual.mean)
            text = f"{change * 100:.1f}% decrease in count of this pattern"
            yield _finding(model, here, window, subject, text, change)


def _finding(model: Model, seen: Seen, window: int, subject: str, description: str, change: float) -> Finding:
    pattern = seen.pattern
    text = baselines.text_of(pattern.words)
    details = Details(text, clustering.regex_of(pattern.words), description, seen.samples, tokens_of(pattern, seen))
    last_ms = seen.last_ms or (window + 1) * model.window_ms - 1
    return Finding(subject, pattern.id, window * model.window_ms, seen.lines, last_ms, _priority(text, change), details)


def _priority(text: str, change: float) -> str:
    """By the severity in a pattern's words and by how far it is from what is usual (API reference, Anomaly)."""
    lower = text.lower()
    severe = any(word in lower for word in _SEVERE)
    if severe or change >= 5.0:  # "if a certain token value suddenly increases by 500%" (User Guide)
        return HIGH
    return MEDIUM if "warn" in lower or change >= 2.0 else LOW


def tokens_of(pattern: Pattern, seen: Seen) -> list[Token]:
    """The tokens of a pattern, with the values that they have in a window."""
    names = _names(pattern, seen)
    found: list[Token] = []
    position = 0
    for place, word in enumerate(pattern.words):
        if word is not None:
            found.append(Token(word))
            continue
        position += 1
        values = seen.values.get(place) or _sampled(seen, place)
        most = dict(sorted(values.items(), key=lambda entry: (-entry[1], entry[0]))[: baselines.VALUES_MOST])
        found.append(Token("<*>", position, names[place], most))
    return found


def _sampled(seen: Seen, place: int) -> dict[str, int]:
    """The values of a place that takes any, in samples."""
    found: dict[str, int] = {}
    for _, message in seen.samples:
        word = clustering.words_of(message[: baselines.CHARACTERS])[place]
        found[word] = found.get(word, 0) + 1
    return found


def _names(pattern: Pattern, seen: Seen) -> dict[int, str]:
    """What tokens that vary are called: by what their values look like, and by their places among each other."""
    names: dict[int, str] = {}
    for place, word in enumerate(pattern.words):
        if word is None:
            values = list(seen.values.get(place) or pattern.tokens.get(place) or _sampled(seen, place))
            names[place] = f"{clustering.kind_of(values)}-{len(names) + 1}"
    return names
