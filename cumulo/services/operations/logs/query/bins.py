"""Time in bins, as SQL over milliseconds.

Bins of fixed lengths begin with 1970, weeks on Mondays, months, quarters and years with their calendars.
Source: CloudWatch Logs User Guide, "stats" and "Datetime functions".
"""

from __future__ import annotations

from cumulo.services.operations.logs.query import periods
from cumulo.services.operations.logs.query.tree import Period

_FIRST_MONDAY = 4 * periods.DAY_MS


def floor(time: str, period: Period) -> str:
    """The beginning of the bin that a time is in."""
    period = periods.capped(period)
    months = periods.MONTHS.get(period.unit)
    if months:
        return _month(f"(({_months(time)}) // {months * period.count}) * {months * period.count}")
    length = periods.UNITS[period.unit] * period.count
    if period.unit == "w":
        return f"({time} - (({time} - {_FIRST_MONDAY}) % {length}))"
    return f"({time} - ({time} % {length}))"


def ceiling(time: str, period: Period) -> str:
    """The first beginning of a bin that is not before a time."""
    return f"CASE WHEN {floor(time, period)} = {time} THEN {time} ELSE {following(floor(time, period), period)} END"


def following(beginning: str, period: Period) -> str:
    """The beginning of the next bin."""
    period = periods.capped(period)
    months = periods.MONTHS.get(period.unit)
    if months:
        return _month(f"{_months(beginning)} + {months * period.count}")
    return f"({beginning} + {periods.UNITS[period.unit] * period.count})"


def _months(time: str) -> str:
    stamp = f"make_timestamp(CAST({time} AS BIGINT) * 1000)"
    return f"(year({stamp}) * 12 + month({stamp}) - 1)"


def _month(count: str) -> str:
    return f"epoch_ms(make_timestamp(CAST(({count}) // 12 AS BIGINT), CAST(({count}) % 12 + 1 AS BIGINT), 1, 0, 0, 0))"
