"""JSON patterns: `{ ($.user.id = 1 || $.tags[*] = "a*") && $.error NOT EXISTS }`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from cumulo.services.operations.logs.patterns.scanning import PatternError, Scanner
from cumulo.services.operations.logs.patterns.values import OPERATORS, read_test

Condition = Callable[[Any], bool]
ANY = object()  # every element, or every member
_MOST_WILDCARDS = 3  # in a compound expression, and one in a selector (User Guide)

_MEMBER = re.compile(r"\.([\w\-@]+)")
_INDEX = re.compile(r"\.?\[(\d+|\*)\]")
_QUOTED = re.compile(r"""\.?\[(?:'([^']*)'|"([^"]*)")\]""")

_decode = msgspec.json.Decoder().decode


class Selector:
    """A path into a document: `$.users[0].email`."""

    __slots__ = ("steps", "text")

    def __init__(self, text: str, steps: tuple[Any, ...]) -> None:
        self.text = text
        self.steps = steps

    def values(self, document: Any) -> list[Any]:
        """All values there; none where the path does not lead anywhere."""
        found = [document]
        for step in self.steps:
            found = list(_down(found, step))
        return found

    @property
    def wildcards(self) -> int:
        """How many steps go everywhere."""
        return sum([step is ANY for step in self.steps])


def _down(values: list[Any], step: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, dict):
            if step is ANY:
                yield from value.values()
            elif isinstance(step, str) and step in value:
                yield value[step]
        elif isinstance(value, list):
            if step is ANY:
                yield from value
            elif isinstance(step, int) and step < len(value):
                yield value[step]


def read_selector(text: str) -> Selector | None:
    """The selector that a text is, None for other texts."""
    scanner = Scanner(text)
    try:
        found = _selector(scanner)
    except PatternError:
        return None
    return found if scanner.at == len(text) else None


def _selector(scanner: Scanner) -> Selector:
    scanner.skip_space()
    start = scanner.at
    scanner.expect("$")
    steps: list[Any] = []
    text = scanner.text
    while True:
        if (found := _MEMBER.match(text, scanner.at)) is not None:
            steps.append(found[1])
        elif (found := _INDEX.match(text, scanner.at)) is not None:
            steps.append(ANY if found[1] == "*" else int(found[1]))
        elif (found := _QUOTED.match(text, scanner.at)) is not None:
            steps.append(found[1] if found[1] is not None else found[2])
        elif text.startswith(".*", scanner.at):
            steps.append(ANY)
            scanner.at += 2
            continue
        else:
            break
        scanner.at = found.end()
    selector = Selector(text[start : scanner.at], tuple(steps))
    if not steps or selector.wildcards > 1:
        raise PatternError
    return selector


class JsonConditions:
    """A JSON pattern."""

    texts: Sequence[str] = ()
    names: Sequence[str] | None = None
    structured = True

    def __init__(self, condition: Condition, regexes: int) -> None:
        self._condition = condition
        self.regexes = regexes

    def matches(self, message: str) -> bool:
        """Whether the message is a document of which the condition holds."""
        document = decoded(message)
        return document is not None and self._condition(document)

    def extracted(self, message: str) -> dict[str, str]:
        """Nothing: only space-delimited patterns extract."""
        return {}


def decoded(message: str) -> Any:
    """The JSON object or array that a message is, None for other messages."""
    start = message.lstrip()[:1]
    if start != "{" and start != "[":
        return None
    try:
        return _decode(message)
    except (msgspec.DecodeError, RecursionError):
        return None


def read_json(text: str) -> JsonConditions:
    """A JSON pattern."""
    if not text.endswith("}"):
        raise PatternError("If a filter pattern starts with '{' it must end with '}'")
    scanner = Scanner(text)
    scanner.expect("{")
    selectors: list[Selector] = []
    condition = _either(scanner, selectors)
    scanner.expect("}")
    if scanner.peek() or sum([selector.wildcards for selector in selectors]) > _MOST_WILDCARDS:
        raise PatternError
    return JsonConditions(condition, scanner.regexes)


def _either(scanner: Scanner, selectors: list[Selector]) -> Condition:
    found = [_both(scanner, selectors)]
    while scanner.take("||"):
        found.append(_both(scanner, selectors))
    return found[0] if len(found) == 1 else (lambda document: any(part(document) for part in found))


def _both(scanner: Scanner, selectors: list[Selector]) -> Condition:
    found = [_single(scanner, selectors)]
    while scanner.take("&&"):
        found.append(_single(scanner, selectors))
    return found[0] if len(found) == 1 else (lambda document: all(part(document) for part in found))


_KEYWORD = re.compile(r"(IS|NOT|EXISTS)\b\s*(NULL|TRUE|FALSE|EXISTS)?\b", re.IGNORECASE)
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}


def _single(scanner: Scanner, selectors: list[Selector]) -> Condition:
    if scanner.parenthesis():
        inner = _either(scanner, selectors)
        scanner.end_parenthesis()
        return inner
    selector = _selector(scanner)
    selectors.append(selector)
    values = selector.values
    scanner.skip_space()
    keyword = _KEYWORD.match(scanner.text, scanner.at)
    if keyword is not None:
        scanner.at = keyword.end()
        return _constant(keyword, values)
    operator = scanner.take(*OPERATORS)
    if not operator:
        raise PatternError
    test = read_test(scanner, operator, ")}", texts_hold_numbers=False)
    return lambda document: any(_scalar(value) and test(_plain(value)) for value in values(document))


def _constant(keyword: re.Match[str], values: Callable[[Any], list[Any]]) -> Condition:
    first, second = keyword[1].upper(), (keyword[2] or "").upper()
    if first == "NOT" and second == "EXISTS":
        return lambda document: not values(document)
    if first == "EXISTS" and not second:
        return lambda document: bool(values(document))
    if first != "IS" or second not in _CONSTANTS:
        raise PatternError
    constant = _CONSTANTS[second]
    return lambda document: any(value is constant for value in values(document))


def _scalar(value: Any) -> bool:
    """Whether there is something to compare: what is an array, an object or null never matches, not even `!=`."""
    return isinstance(value, str | int | float)


def _plain(value: Any) -> str | float:
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value  # type: ignore[no-any-return]
