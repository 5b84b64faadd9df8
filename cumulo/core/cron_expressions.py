"""AWS's cron expressions: cron(minute hour day-of-month month day-of-week year), and when they are due next. Pure.

Source: EventBridge Scheduler User Guide, "Cron-based schedules" (fields, wildcards, L, W, #; one of day-of-month and
day-of-week is ?); CloudWatch Logs User Guide, "Schedule expressions and timezone handling".
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

_MONTHS = {
    name: index + 1
    for index, name in enumerate(("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"))
}
_DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_FORM = re.compile(r"cron\((.*)\)")
_PART = re.compile(r"(\*|[A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?(?:/(\d+))?")
_END_S = 7_258_118_400  # 2200-01-01: expressions name years until 2199
_YEARS_MOST = 8  # ahead; no expression with a date that exists waits longer than from one leap year over 2100


class Cron(NamedTuple):
    """An expression's fields. Days are those of a month (with L, W), weekdays those of a week (1 is Sunday; L, #)."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]


def parse(text: str) -> Cron | None:
    """The expression, or None where it is none of AWS's."""
    found = _FORM.fullmatch(text.strip())
    fields = found[1].split() if found is not None else []
    if len(fields) != 6 or (fields[2] == "?") == (fields[4] == "?"):
        return None
    minutes, hours = _numbers(fields[0], 0, 59), _numbers(fields[1], 0, 23)
    months, years = _numbers(fields[3], 1, 12, _MONTHS), _numbers(fields[5], 1970, 2199)
    if minutes is None or hours is None or months is None or years is None:
        return None
    if not _are_days(fields[2], fields[4]):
        return None
    return Cron(minutes, hours, fields[2], months, fields[4].upper(), years)


def _are_days(days: str, weekdays: str) -> bool:
    if days != "?" and not re.fullmatch(r"L|LW|\d{1,2}W", days) and _numbers(days, 1, 31) is None:
        return False
    weekdays = weekdays.upper()
    special = re.fullmatch(r"([1-7]|[A-Z]{3})?L|([1-7]|[A-Z]{3})#[1-5]", weekdays)
    return weekdays == "?" or special is not None or _numbers(weekdays, 1, 7, _DAYS) is not None


def _numbers(text: str, least: int, most: int, names: dict[str, int] | None = None) -> frozenset[int] | None:
    """The numbers that a field allows, None where it is none."""
    allowed: set[int] = set()
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            return None
        if found[1] == "*":
            first, last = least, most
            if found[2]:
                return None
        else:
            begin = _number(found[1], names)
            end = _number(found[2], names) if found[2] else (most if found[3] else begin)
            if begin is None or end is None:
                return None
            first, last = begin, end
        if not least <= first <= most or not least <= last <= most:
            return None
        step = int(found[3] or 1)
        if step < 1:
            return None
        if first <= last:
            allowed.update(range(first, last + 1, step))
        else:  # SAT-MON goes round
            allowed.update([*range(first, most + 1, step), *range(least, last + 1, step)])
    return frozenset(allowed)


def _number(text: str, names: dict[str, int] | None) -> int | None:
    if text.isdigit():
        return int(text)
    return (names or {}).get(text.upper())


def next_after(cron: Cron, after: float, zone: tzinfo = UTC) -> float | None:
    """The first time later than `after` (seconds since 1970) at which it is due; None when there is none.

    Times that a change of the clocks leaves out are not; those that it repeats are once.
    """
    if after >= _END_S:
        return None
    moment = datetime.fromtimestamp(after, zone).replace(second=0, microsecond=0) + timedelta(minutes=1)
    day, begin = moment.date(), (moment.hour, moment.minute)
    until = day.replace(year=day.year + _YEARS_MOST, day=1)
    while day < until:
        if day.year not in cron.years or day.month not in cron.months:
            day, begin = (day.replace(day=1) + timedelta(days=32)).replace(day=1), (0, 0)
            continue
        if _is_due(cron, day):
            for hour in sorted(cron.hours):
                for minute in sorted(cron.minutes):
                    if (hour, minute) < begin:
                        continue
                    time = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    due = time.timestamp()
                    if due > after and datetime.fromtimestamp(due, zone).hour == hour:
                        return due
        day, begin = day + timedelta(days=1), (0, 0)
    return None


def _is_due(cron: Cron, day: date) -> bool:
    if cron.days != "?":
        return day.day in _days_of(cron.days, day)
    weekday = day.isoweekday() % 7 + 1
    text = cron.weekdays
    if text.endswith("L"):
        wanted = _number(text[:-1], _DAYS) if len(text) > 1 else 7
        return weekday == wanted and (len(text) == 1 or day.day + 7 > calendar.monthrange(day.year, day.month)[1])
    if "#" in text:
        name, _, place = text.partition("#")
        return weekday == _number(name, _DAYS) and (day.day - 1) // 7 + 1 == int(place)
    return weekday in (_numbers(text, 1, 7, _DAYS) or ())


def _days_of(text: str, day: date) -> frozenset[int]:
    last = calendar.monthrange(day.year, day.month)[1]
    if text == "L":
        return frozenset((last,))
    if text.endswith("W"):  # the weekday that is nearest, in the same month
        wanted = last if text == "LW" else int(text[:-1])
        if wanted > last:
            return frozenset()
        weekday = day.replace(day=wanted).isoweekday()
        if weekday == 6:
            wanted += -1 if wanted > 1 else 2
        elif weekday == 7:
            wanted += 1 if wanted < last else -2
        if text == "LW" and wanted > last:
            wanted -= 3
        return frozenset((wanted,))
    return _numbers(text, 1, 31) or frozenset()
