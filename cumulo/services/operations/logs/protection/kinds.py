"""What a kind of sensitive data is told by: a form, a check of what has it, and words nearby."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Final, NamedTuple

from cumulo.engines.regexes import Regex

NEAR: Final = 30  # characters between data and a word that tells its kind


class Words:
    """Words of which one must stand near data, as AWS looks for them: for a space there may be nothing, _ or -.

    `more` is an expression of what tells the kind, too. Source: CloudWatch Logs User Guide, "CloudWatch Logs managed
    data identifiers for sensitive data types".
    """

    def __init__(self, *texts: str, more: str = "") -> None:
        listed = "|".join(re.escape(text).replace(r"\ ", "[ _-]?") for text in sorted(texts, key=len, reverse=True))
        more = f"|{more}" if more else ""
        self._exactly = re.compile(rf"(?<![^\W_])(?:{listed})(?![^\W_]){more}", re.IGNORECASE)
        self._roughly = f"(?i){listed}{more}"

    @cached_property
    def _regex(self) -> Regex:
        return Regex(self._roughly)

    def may_be_in(self, message: str) -> bool:
        """Whether one is in a message, maybe within a longer word: quickly, as most messages have none."""
        return self._regex.found_in(message)

    def near(self, message: str, start: int, end: int) -> bool:
        """Whether one is near a place in a message."""
        return self._exactly.search(message, max(start - NEAR, 0), end + NEAR) is not None


class Identifier(NamedTuple):
    """A kind of data: its form, a check of what has it, and words of which one must stand near (30 characters).

    Forms of ours may look around; that they take time in proportion to the message, a test holds. Users' are RE2's.
    """

    name: str
    form: re.Pattern[str] | Regex
    check: Callable[[str], bool] | None = None
    words: Words | None = None


def digits(text: str) -> list[int]:
    """The digits of a text."""
    return [int(character) for character in text if character.isdigit()]


def is_luhn(text: str) -> bool:
    """Whether the digits add up as those of a card do (ISO/IEC 7812-1)."""
    total = 0
    for index, digit in enumerate(reversed(digits(text))):
        doubled = digit * 2 if index % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
