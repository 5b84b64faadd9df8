"""Whether an event matches a pattern.

A pattern is a choice of rules (`$or` makes several); a rule asks something of several paths, and
all must hold. An event is taken apart into its leaves: every path has values, each with the
places it holds in arrays, since the values that satisfy one rule must come from the same
elements (`{"Records": {"a": …, "b": …}}` wants both in one record), as Event Ruler has it.
"""

from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

Rule = tuple[tuple[str, tuple["Condition", ...]], ...]
Place = tuple[tuple[int, int], ...]  # (number of the array, index in it), outermost first
Leaves = dict[str, list[tuple[Any, Place]]]

_MAX_CANDIDATES = 10_000  # of places that one rule follows at once


class Condition:
    """One alternative of a field. `absent` conditions are about paths that do not occur."""

    __slots__ = ()
    absent = False

    def matches(self, value: Any) -> bool:
        """Whether one leaf value satisfies this condition."""
        raise NotImplementedError


class Exact(Condition):
    """A literal: a string, a number (5 and 5.0 are one), true, false or null."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def matches(self, value: Any) -> bool:
        if isinstance(value, bool) or isinstance(self.value, bool):
            return value is self.value
        return bool(value == self.value)


class Pattern(Condition):
    """`prefix`, `suffix`, `equals-ignore-case` or `wildcard` on a string; `folded`: in whatever case."""

    __slots__ = ("folded", "operator", "parts", "text")

    def __init__(self, operator: str, text: str, folded: bool = False) -> None:
        self.operator = operator
        self.folded = folded or operator == "equals-ignore-case"
        self.text = text.lower() if self.folded else text
        self.parts = wildcard_parts(text)

    def matches(self, value: Any) -> bool:
        if not isinstance(value, str):
            return False
        text: str = value.lower() if self.folded else value
        if self.operator == "prefix":
            return text.startswith(self.text)
        if self.operator == "suffix":
            return text.endswith(self.text)
        if self.operator == "wildcard":
            return _is_like(text, self.parts)
        return text == self.text


class Numeric(Condition):
    """A range of numbers; an open end does not contain its bound."""

    __slots__ = ("bottom", "open_bottom", "open_top", "top")

    def __init__(self, bottom: float, open_bottom: bool, top: float, open_top: bool) -> None:
        self.bottom = bottom
        self.open_bottom = open_bottom
        self.top = top
        self.open_top = open_top

    @classmethod
    def one(cls, operator: str, number: float) -> "Numeric":
        """`= > >= < <=` a number."""
        infinity = float("inf")
        if operator == "=":
            return cls(number, False, number, False)
        if operator[0] == ">":
            return cls(number, operator == ">", infinity, False)
        return cls(-infinity, False, number, operator == "<")

    def matches(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        over = value > self.bottom or (value == self.bottom and not self.open_bottom)
        return over and (value < self.top or (value == self.top and not self.open_top))


class AnythingBut(Condition):
    """Any value that is none of these."""

    __slots__ = ("values",)

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values

    def matches(self, value: Any) -> bool:
        return isinstance(value, bool) or value not in self.values


class AnythingButPattern(Condition):
    """Any value that none of these patterns takes."""

    __slots__ = ("patterns",)

    def __init__(self, patterns: tuple[Pattern, ...]) -> None:
        self.patterns = patterns

    def matches(self, value: Any) -> bool:
        return not any(pattern.matches(value) for pattern in self.patterns)


class Cidr(Condition):
    """A string that is an address of the block."""

    __slots__ = ("network",)

    def __init__(self, network: IPv4Network | IPv6Network) -> None:
        self.network = network

    def matches(self, value: Any) -> bool:
        try:
            return isinstance(value, str) and ip_address(value) in self.network
        except ValueError:
            return False


class Exists(Condition):
    """The path occurs, whatever its value."""

    __slots__ = ()

    def matches(self, value: Any) -> bool:
        return True


class Absent(Condition):
    """The path does not occur."""

    __slots__ = ()
    absent = True

    def matches(self, value: Any) -> bool:
        return False


def accepts(rules: tuple[Rule, ...], leaves: Leaves) -> bool:
    """Whether one of the rules holds for these leaves."""
    return any(_holds(rule, leaves) for rule in rules)


def _holds(rule: Rule, leaves: Leaves) -> bool:
    """Whether all fields hold together: each adds its places to those that the fields before it left possible."""
    candidates: set[frozenset[tuple[int, int]]] = {frozenset()}
    for path, conditions in rule:
        values = leaves.get(path)
        if values is None:
            if any(condition.absent for condition in conditions):
                continue
            return False
        found = {place for value, place in values if any(condition.matches(value) for condition in conditions)}
        candidates = {
            candidate | merged
            for candidate in candidates
            for place in found
            if (merged := _consistent(candidate, place)) is not None
        }
        if not candidates:
            return False
        if len(candidates) > _MAX_CANDIDATES:
            candidates = set(list(candidates)[:_MAX_CANDIDATES])
    return True


def _consistent(candidate: frozenset[tuple[int, int]], place: Place) -> frozenset[tuple[int, int]] | None:
    """The place as a set, or None when it wants another element of an array that is already decided."""
    if candidate and place:
        chosen = dict(candidate)
        for array, index in place:
            if chosen.get(array, index) != index:
                return None
    return frozenset(place)


def document_leaves(document: dict[str, Any]) -> Leaves:
    """The leaves of an event, paths joined with dots. Empty objects and arrays have none."""
    leaves: Leaves = {}
    arrays = 0
    stack: list[tuple[str, Any, Place]] = [("", document, ())]
    while stack:
        path, value, place = stack.pop()
        if isinstance(value, dict):
            prefix = path + "." if path else ""
            stack.extend((prefix + key, member, place) for key, member in value.items())
        elif isinstance(value, list):
            arrays += 1
            stack.extend((path, element, (*place, (arrays, index))) for index, element in enumerate(value))
        else:
            leaves.setdefault(path, []).append((value, place))
    return leaves


def wildcard_parts(text: str) -> list[str]:
    """A wildcard expression as the texts between its `*`; `\\*` and `\\\\` stand for themselves."""
    parts = [""]
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and position + 1 < len(text):
            position += 1
            parts[-1] += text[position]
        elif character == "*":
            parts.append("")
        else:
            parts[-1] += character
        position += 1
    return parts


def _is_like(value: str, parts: list[str]) -> bool:
    """Whether a text is the parts in their order, with anything between them: no backtracking, whatever it holds."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return value == first
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    position, end = len(first), len(value) - len(last)
    for part in parts[1:-1]:
        found = value.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True
