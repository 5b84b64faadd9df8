"""Numbers in text, outside SQL: the same texts are numbers here and there."""

from __future__ import annotations

import math


def as_number(text: str) -> float | None:
    """The number that a text is, or None."""
    if "_" in text or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def as_text(value: float) -> str:
    """A number as results show it: whole ones without a point, others with at most four decimals."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    if abs(value) >= 1e15:
        return repr(value)
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return text
