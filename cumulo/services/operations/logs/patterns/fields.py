"""Space-delimited patterns: `[ip, user, ..., status = 4* && status != 404, bytes > 1000]`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from cumulo.services.operations.logs.patterns.scanning import PatternError, Scanner
from cumulo.services.operations.logs.patterns.values import NAME, OPERATORS, read_test

Condition = Callable[[str], bool]
ELLIPSIS = "..."

# A field of an event: between a pair of brackets or quotes, or up to white space.
_BARE = r'"(?P<quotes>(?:[^"\\]|\\.)*)"(?=\s|$)|(?P<bare>\S+)'
_FIELD = re.compile(rf"\[(?P<brackets>[^\]]*)\](?=\s|$)|{_BARE}")
_UNBRACKETED = re.compile(_BARE)
_START = re.compile(r"\S")
_FEW = 16


def split(message: str) -> list[str]:
    """The fields of an event."""
    if message.count("[") > _FEW:  # each of which might look for its end in all that follows
        return list(_split_bracketed(message))
    return [found[found.lastgroup or 0] for found in _FIELD.finditer(message)]


def _split_bracketed(message: str) -> Iterator[str]:
    """The same, where the closing bracket that one found serves all before it."""
    at = closing = 0
    while (start := _START.search(message, at)) is not None:
        at = start.start()
        if message[at] == "[":
            if closing <= at:
                closing = message.find("]", at)
                closing = len(message) if closing < 0 else closing
            if closing + 1 == len(message) or message[closing + 1 : closing + 2].isspace():
                yield message[at + 1 : closing]
                at = closing + 1
                continue
        found = _UNBRACKETED.match(message, at)
        assert found is not None
        yield found[found.lastgroup or 0]
        at = found.end()


class Field:
    """One field of a pattern: its name, "" for none, and what it must be."""

    __slots__ = ("condition", "name")

    def __init__(self, name: str, condition: Condition | None) -> None:
        self.name = name
        self.condition = condition


class Fields:
    """A space-delimited pattern. `gap` is the place of its ellipsis, None without one."""

    texts: Sequence[str] = ()
    structured = True

    def __init__(self, fields: list[Field], gap: int | None, regexes: int) -> None:
        self._fields = fields
        self._gap = gap
        self.regexes = regexes
        self.names: Sequence[str] = [field.name for field in fields if field.name]

    def matches(self, message: str) -> bool:
        """Whether the event has these fields, and they are what they must be."""
        placed = self._placed(split(message))
        return placed is not None and all(field.condition is None or field.condition(text) for field, text in placed)

    def extracted(self, message: str) -> dict[str, str]:
        """All fields of an event: by their names in the pattern, those without by their places in the event."""
        texts = split(message)
        placed = self._placed(texts) or []
        before = len(placed) if self._gap is None else self._gap
        found: dict[str, str] = {}
        for index, text in enumerate(texts):
            from_end = index - (len(texts) - len(placed))
            field = placed[index][0] if index < before else placed[from_end][0] if from_end >= before else None
            found[f"${field.name}" if field is not None and field.name else f"${index + 1}"] = text
        return found

    def _placed(self, texts: list[str]) -> list[tuple[Field, str]] | None:
        fields, gap = self._fields, self._gap
        if gap is None:
            return list(zip(fields, texts, strict=True)) if len(texts) == len(fields) else None
        if len(texts) < len(fields):
            return None
        after = len(fields) - gap
        return [
            *zip(fields[:gap], texts[:gap], strict=True),
            *zip(fields[gap:], texts[len(texts) - after :], strict=True),
        ]


def read_fields(text: str) -> Fields:
    """A space-delimited pattern."""
    if not text.endswith("]") or len(text) < 2:
        raise PatternError("If a filter pattern starts with '[' it must end with ']'")
    scanner = Scanner(text)
    scanner.expect("[")
    fields: list[Field] = []
    gap: int | None = None
    if scanner.take("]"):
        return Fields([], 0, 0)
    while True:
        if scanner.take(ELLIPSIS, "…"):
            if gap is not None:
                raise PatternError
            gap = len(fields)
        else:
            fields.append(_field(scanner))
        if scanner.take("]"):
            break
        scanner.expect(",")
    if scanner.peek():
        raise PatternError
    return Fields(fields, gap, scanner.regexes)


def _field(scanner: Scanner) -> Field:
    if scanner.peek() in (",", "]"):
        return Field("", None)
    names: list[str] = []
    condition = _either(scanner, names)
    if any(name != names[0] for name in names):
        raise PatternError
    return Field(names[0], condition)


def _either(scanner: Scanner, names: list[str]) -> Condition | None:
    """Conditions joined by ||, of conditions joined by &&."""
    found = [_both(scanner, names)]
    while scanner.take("||"):
        found.append(_both(scanner, names))
    if len(found) == 1:
        return found[0]
    parts = _all_given(found)
    return lambda text: any(part(text) for part in parts)


def _both(scanner: Scanner, names: list[str]) -> Condition | None:
    found = [_single(scanner, names)]
    while scanner.take("&&"):
        found.append(_single(scanner, names))
    if len(found) == 1:
        return found[0]
    parts = _all_given(found)
    return lambda text: all(part(text) for part in parts)


def _all_given(found: list[Condition | None]) -> list[Condition]:
    parts = [part for part in found if part is not None]
    if len(parts) != len(found):
        raise PatternError
    return parts


def _single(scanner: Scanner, names: list[str]) -> Condition | None:
    if scanner.parenthesis():
        inner = _either(scanner, names)
        scanner.end_parenthesis()
        return inner
    scanner.skip_space()
    found = NAME.match(scanner.text, scanner.at)
    if found is None:
        character = scanner.text[scanner.at : scanner.at + 1]
        raise PatternError(f"Invalid character(s) in term '{character}'")
    scanner.at = found.end()
    names.append(found[0])
    operator = scanner.take(*OPERATORS)
    if not operator:
        return None
    return read_test(scanner, operator, ",])", texts_hold_numbers=True)
