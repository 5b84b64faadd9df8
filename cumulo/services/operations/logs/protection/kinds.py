"""What a kind of sensitive data is told by: a form, a check of what has it, and words nearby."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

NEAR: Final = 30  # characters between data and a word that tells its kind


class Identifier(NamedTuple):
    """A kind of data: its form, a check of what has it, and words of which one must stand near (30 characters)."""

    name: str
    form: re.Pattern[str]
    check: Callable[[str], bool] | None = None
    words: re.Pattern[str] | None = None


def keywords(*texts: str) -> re.Pattern[str]:
    """One of these words, as AWS looks for them: for a space there may be nothing, an underscore or a hyphen.

    Source: CloudWatch Logs User Guide, "CloudWatch Logs managed data identifiers for sensitive data types".
    """
    listed = "|".join(re.escape(text).replace(r"\ ", "[ _-]?") for text in sorted(texts, key=len, reverse=True))
    return re.compile(rf"(?<![^\W_])(?:{listed})(?![^\W_])", re.IGNORECASE)


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
