"""Lengths of time as queries write them: 5m, 1hr, 3 units of the calendar.

Source: CloudWatch Logs User Guide, "stats" (units and abbreviations) and "Datetime functions" (caps).
"""

from __future__ import annotations

from cumulo.services.operations.logs.query.tree import Period

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1000, 60_000, 3_600_000, 86_400_000
# Milliseconds of a unit; of those that calendars count, 0.
UNITS = {
    "ms": 1,
    "s": SECOND_MS,
    "m": MINUTE_MS,
    "h": HOUR_MS,
    "d": DAY_MS,
    "w": 7 * DAY_MS,
    "mo": 0,
    "q": 0,
    "y": 0,
}
MONTHS = {"mo": 1, "q": 3, "y": 12}
# "CloudWatch Logs caps your request according to the time unit that you choose."
CAPS = {"ms": 1000, "s": 60, "m": 60, "h": 24}
_NAMES = {
    "ms": ("ms", "msec", "millisecond"),
    "s": ("s", "sec", "second"),
    "m": ("m", "min", "minute"),
    "h": ("h", "hr", "hour"),
    "d": ("d", "day"),
    "w": ("w", "week"),
    "mo": ("mo", "mon", "month"),
    "q": ("q", "qtr", "quarter"),
    "y": ("y", "yr", "year"),
}
_UNIT_OF = {
    spelled: unit
    for unit, names in _NAMES.items()
    for name in names
    for spelled in ((name, name + "s") if len(name) > 1 else (name,))
}


def read(count: int, unit: str) -> Period | None:
    """The period of a number and a unit; None where there is no such unit."""
    found = _UNIT_OF.get(unit.lower())
    return Period(count, found) if found is not None and count > 0 else None


def milliseconds(period: Period) -> int:
    """Its length, where it has one; of months 30 days, of years 365."""
    months = MONTHS.get(period.unit)
    if months:
        return period.count * (365 * DAY_MS if period.unit == "y" else months * 30 * DAY_MS)
    return period.count * UNITS[period.unit]


def capped(period: Period) -> Period:
    """As AWS takes it in functions of time: bin(300s) is bin(60s)."""
    return Period(min(period.count, CAPS.get(period.unit, period.count)), period.unit)
