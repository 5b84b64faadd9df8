"""Values of results as text.

Source: answers that AWS's documents show: times "2022-01-14 13:18:31.000", counts without a point, averages with at
most four decimals, truth as 1 and 0. What is missing is left out of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cumulo.services.operations.logs.query import numbers
from cumulo.services.operations.logs.query.relations import Column
from cumulo.services.operations.logs.query.values import NUMBER, TIME, TRUTH

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_text(milliseconds: int) -> str:
    """A time as results show it, in UTC."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}"


def _truth_text(value: Any) -> str:
    return "1" if value else "0"


_RENDERERS: dict[str, Callable[[Any], str]] = {NUMBER: numbers.as_text, TIME: time_text, TRUTH: _truth_text}


def rows(columns: Sequence[Column], values: Sequence[Sequence[Any]]) -> list[list[tuple[str, str]]]:
    """Rows as results have them: names and texts of what is there."""
    renderers = [(column.name, _RENDERERS.get(column.kind, str)) for column in columns]
    return [
        [(name, render(value)) for (name, render), value in zip(renderers, row, strict=True) if value is not None]
        for row in values
    ]
