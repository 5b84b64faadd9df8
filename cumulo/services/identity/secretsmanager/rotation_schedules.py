"""When a secret is rotated next: `rate(…)` and `cron(…)` expressions and their windows, in UTC. Pure.

Source: Secrets Manager User Guide, "Schedule expressions".
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from cumulo.services.identity.secretsmanager.errors import INVALID_PARAMETER

DAY_S, HOUR_S = 86_400, 3600
SHORTEST_RATE_H, LONGEST_RATE_DAYS = 4, 999
DEFAULT_WINDOW_S = 3600  # of schedules in hours; those in days have the whole day
YEARS_AHEAD = 10

_RATE = re.compile(r"rate\((\d{1,4}) (hours?|days?)\)")
_CRON = re.compile(r"cron\(([^()]+)\)")
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)}

Window = tuple[float, float]
"""Begin and end of a rotation window, in seconds since 1970."""


def check(rules: Any) -> None:
    """InvalidParameterException unless these are rotation rules that Secrets Manager takes."""
    if "AutomaticallyAfterDays" in rules and "ScheduleExpression" in rules:
        raise INVALID_PARAMETER("You can't specify both AutomaticallyAfterDays and ScheduleExpression.")
    if "Duration" in rules and not 1 <= _duration_h(rules) <= 24:
        raise INVALID_PARAMETER("Invalid rotation window duration: it must be between 1h and 24h.")
    if "ScheduleExpression" in rules:
        expression = rules["ScheduleExpression"]
        if next_window(rules, 0.0) is None:
            raise _invalid(expression)
        rate = _RATE.fullmatch(expression)
        hourly = rate is not None and rate[2].startswith("hour") and "Duration" in rules
        if rate is not None and hourly and _duration_h(rules) > int(rate[1]):
            raise INVALID_PARAMETER("The rotation window must not extend into the next rotation window.")


def _duration_h(rules: Any) -> int:
    return int(rules["Duration"][:-1])


def _invalid(expression: str) -> Exception:
    return INVALID_PARAMETER(f"The schedule expression {expression} is not valid.")


def next_window(rules: Any, after: float) -> Window | None:
    """The first rotation window that begins after a moment; None without a schedule, or one that never comes."""
    length_s = _duration_h(rules) * HOUR_S if "Duration" in rules else 0
    if "AutomaticallyAfterDays" in rules:
        return _days(int(rules["AutomaticallyAfterDays"]), after, length_s)
    expression = rules.get("ScheduleExpression", "")
    if not expression:
        return None
    rate = _RATE.fullmatch(expression)
    if rate is not None:
        count = int(rate[1])
        if rate[2].startswith("day"):
            if not 1 <= count <= LONGEST_RATE_DAYS:
                raise _invalid(expression)
            return _days(count, after, length_s)
        if not SHORTEST_RATE_H <= count <= LONGEST_RATE_DAYS * 24:
            raise _invalid(expression)
        begin = after - after % HOUR_S + count * HOUR_S
        return begin, begin + (length_s or DEFAULT_WINDOW_S)
    cron = _CRON.fullmatch(expression)
    if cron is None:
        raise _invalid(expression)
    return _cron(cron[1].split(), expression, after, length_s)


def _days(count: int, after: float, length_s: int) -> Window:
    """Windows of schedules in days open at midnight."""
    begin = after - after % DAY_S + count * DAY_S
    return begin, begin + (length_s or DAY_S - 1)


def _cron(fields: list[str], expression: str, after: float, length_s: int) -> Window | None:
    if len(fields) != 6 or fields[0] != "0" or fields[5] != "*":
        raise _invalid(expression)  # minutes are 0 and years are *
    if (fields[2] == "?") == (fields[4] == "?"):
        raise _invalid(expression)  # one of day-of-month and day-of-week is ?
    try:
        hours = _values(fields[1], 0, 23, {})
        months = _values(fields[3], 1, 12, _MONTHS)
        dates = None if fields[2] == "?" else _dates(fields[2])
        weekdays = None if fields[4] == "?" else _weekdays(fields[4])
    except (ValueError, KeyError):
        raise _invalid(expression) from None
    ordered = sorted(hours)
    if any(later - earlier < SHORTEST_RATE_H for earlier, later in pairwise(ordered)):
        raise _invalid(expression)
    day = datetime.fromtimestamp(after, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(366 * YEARS_AHEAD):
        if day.month in months and _on(day, dates, weekdays):
            for hour in ordered:
                begin = day.timestamp() + hour * HOUR_S
                if begin > after:
                    return begin, begin + (length_s or _rest_of_day(ordered, hour))
        day += timedelta(days=1)
    return None


def _rest_of_day(hours: list[int], hour: int) -> int:
    """Without a duration a window lasts until the day ends; one of several in a day lasts an hour."""
    return DEFAULT_WINDOW_S if len(hours) > 1 else (24 - hour) * HOUR_S - 1


def _number(text: str, names: dict[str, int]) -> int:
    return int(text) if text.isdigit() else names[text.upper()]


def _values(field: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    """The numbers of a cron field. ValueError or KeyError when it is none."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        elif dash:
            begin, end = _number(first, names), _number(last, names)
        else:
            begin = _number(span, names)
            end = high if slash else begin
        width = int(step) if slash else 1
        if not low <= begin <= high or not low <= end <= high or begin > end or width < 1:
            raise ValueError(field)
        found.update(range(begin, end + 1, width))
    return found


def _dates(field: str) -> set[int]:
    """Days of the month; 0 stands for the last one. "3W" is the weekday nearest to the third, as 100 + 3."""
    found: set[int] = set()
    for part in field.split(","):
        if part == "L":
            found.add(0)
        elif part.endswith("W"):
            found.update(100 + day for day in _values(part[:-1], 1, 31, {}))
        else:
            found |= _values(part, 1, 31, {})
    return found


def _weekdays(field: str) -> set[tuple[int, int]]:
    """(day, which of the month): 1 is Sunday; which is 0 for every one, -1 for the last one ("6L"), 3 in "6#3"."""
    found: set[tuple[int, int]] = set()
    for part in field.split(","):
        day, hash_, which = part.partition("#")
        if hash_:
            if not 1 <= int(which) <= 5:
                raise ValueError(field)
            found.update((each, int(which)) for each in _values(day, 1, 7, _DAYS))
        elif part.endswith("L") and part != "L":
            found.update((each, -1) for each in _values(part[:-1], 1, 7, _DAYS))
        else:
            found.update((each, 0) for each in _values("7" if part == "L" else part, 1, 7, _DAYS))
    return found


def _on(day: datetime, dates: set[int] | None, weekdays: set[tuple[int, int]] | None) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if dates is not None:
        if day.day in dates or (0 in dates and day.day == last):
            return True
        return any(_nearest_weekday(day, each - 100, last) == day.day for each in dates if each > 100)
    assert weekdays is not None
    number = day.isoweekday() % 7 + 1
    which = (day.day - 1) // 7 + 1
    return bool({(number, 0), (number, which)} & weekdays) or ((number, -1) in weekdays and day.day + 7 > last)


def _nearest_weekday(day: datetime, date: int, last: int) -> int:
    date = min(date, last)
    weekday = day.replace(day=date).isoweekday()
    if weekday == 6:
        return date - 1 if date > 1 else date + 2
    if weekday == 7:
        return date + 1 if date < last else date - 2
    return date
