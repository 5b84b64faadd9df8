"""What a field is compared with: a text with wildcards, a number, a regular expression."""

from __future__ import annotations

import re
from collections.abc import Callable

from cumulo.services.operations.logs.patterns.scanning import PatternError, Scanner, number_of

OPERATORS = ("!=", "<=", ">=", "=", "<", ">")
Test = Callable[[str | float], bool]

_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_SYMBOLS = frozenset("_-.*:/#+!?~\\^@;'$&|`")


def read_test(scanner: Scanner, operator: str, stops: str, *, texts_hold_numbers: bool) -> Test:
    """What follows an operator, as a question about a field's value, which is a text or a number.

    `texts_hold_numbers`: the fields are texts, of which some are numbers (space-delimited events).
    """
    following = scanner.peek()
    if following == "%":
        if operator not in ("=", "!="):
            raise PatternError
        found_in = scanner.regex().found_in
        found: Test = lambda value: found_in(_text(value))  # noqa: E731
        return found if operator == "=" else (lambda value: not found(value))
    is_quoted = following == '"'
    literal = scanner.quoted() if is_quoted else scanner.until(stops)
    if not is_quoted:
        check_characters(literal)
    if operator not in ("=", "!="):
        return _compared(operator, None if is_quoted else number_of(literal), texts_hold_numbers)
    equal = _equal(literal, is_quoted, texts_hold_numbers)
    return equal if operator == "=" else (lambda value: not equal(value))


def check_characters(literal: str) -> None:
    """Refuse a bare text that would need quotes."""
    if not literal:
        raise PatternError
    for character in literal:
        if not character.isalnum() and character not in _SYMBOLS:
            raise PatternError(f"Invalid character(s) in term '{character}'")


def _compared(operator: str, number: float | None, texts_hold_numbers: bool) -> Test:
    if number is None:
        raise PatternError
    compare, right = _NUMERIC[operator], number

    def test(value: str | float) -> bool:
        left = (number_of(value) if texts_hold_numbers else None) if isinstance(value, str) else value
        return left is not None and compare(left, right)

    return test


def _equal(literal: str, is_quoted: bool, texts_hold_numbers: bool) -> Test:
    number = None if is_quoted else number_of(literal)
    same = wildcard(literal)
    if number is None:
        if is_quoted and literal.strip("*"):  # what is quoted is a text: numbers are none
            return lambda value: isinstance(value, str) and same(value)
        return lambda value: same(_text(value))

    def test(value: str | float) -> bool:
        if not isinstance(value, str):
            return value == number
        return same(value) or (texts_hold_numbers and number_of(value) == number)

    return test


def wildcard(literal: str) -> Callable[[str], bool]:
    """Whether a text is the literal, where an asterisk at its beginning or end stands for anything."""
    inner = literal.strip("*")
    before, after = literal.startswith("*"), literal.endswith("*")
    if not inner:
        return (lambda value: True) if literal else (lambda value: value == "")
    if before and after:
        return lambda value: inner in value
    if before:
        return lambda value: value.endswith(inner)
    if after:
        return lambda value: value.startswith(inner)
    return inner.__eq__


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else repr(value)


NAME = re.compile(r"[A-Za-z0-9_$]+")
