"""Dates in the patterns of Java's DateTimeFormatter: "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "epoch"."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS_LONG = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYS_LONG = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(.)", re.DOTALL)
_ZONES = frozenset("XxZzVO")


class DateError(ValueError):
    """A pattern, a zone or a text that is not one."""


@lru_cache(maxsize=256)
def _tokens(pattern: str) -> tuple[tuple[str, str], ...]:
    """(letter run, "") or ("", literal) in order."""
    found = []
    for token in _TOKEN.finditer(pattern):
        if token[1] is not None:
            found.append(("", token[1].replace("''", "'") or "'"))
        elif token[2] is not None:
            found.append((token[0], ""))
        else:
            found.append(("", token[3]))
    return tuple(found)


def zone_of(name: str) -> tzinfo:
    """The zone of a name ("Europe/Berlin") or an offset ("+02:00", "GMT+2")."""
    offset = re.fullmatch(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?", name)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    if name in ("Z", "UTC", "GMT", "UT"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise DateError(f"{name} is no time zone") from None


_NUMBERS = {"y": r"\d{4}", "u": r"\d{4}", "M": r"\d{1,2}", "d": r"\d{1,2}", "H": r"\d{1,2}", "h": r"\d{1,2}",
            "m": r"\d{1,2}", "s": r"\d{1,2}"}  # fmt: skip


@lru_cache(maxsize=256)
def _expression(pattern: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    parts: list[str] = []
    fields: list[str] = []
    for run, literal in _tokens(pattern):
        if not run:
            parts.append(re.escape(literal))
            continue
        letter, count = run[0], len(run)
        if letter == "S":
            part = rf"\d{{{count}}}"
        elif letter == "M" and count >= 3:
            part = "|".join(_MONTHS_LONG + _MONTHS)
        elif letter == "E":
            part = "|".join(_DAYS_LONG + _DAYS)
        elif letter == "a":
            part = "[AaPp][Mm]"
        elif letter in _ZONES:
            part = r"Z|(?:GMT|UTC)?[+-]\d{1,2}:?(?:\d{2})?|[A-Za-z]+(?:/[A-Za-z_]+)*"
        elif letter in "yu" and count == 2:
            part = r"\d{2}"
        elif letter in _NUMBERS:
            part = rf"\d{{{count}}}" if count >= 2 and letter not in "yu" else _NUMBERS[letter]
        else:
            raise DateError(f"{letter} is not a supported letter of a date pattern")
        parts.append(f"({part})")
        fields.append(run)
    return re.compile("".join(parts)), tuple(fields)


def parse(text: str, pattern: str, zone: tzinfo, year: int = 1970) -> datetime | None:
    """The date in a text; None where the text is not of this pattern."""
    if pattern == "epoch":
        return datetime.fromtimestamp(int(text) / 1000, UTC) if re.fullmatch(r"-?\d{1,14}", text) else None
    expression, fields = _expression(pattern)
    found = expression.fullmatch(text)
    if found is None:
        return None
    values = {"year": year, "month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}
    afternoon: bool | None = None
    for run, value in zip(fields, found.groups(), strict=True):
        letter = run[0]
        if letter in "yu":
            values["year"] = int(value) + (2000 if len(run) == 2 else 0)
        elif letter == "M":
            values["month"] = int(value) if value.isdigit() else _MONTHS.index(value[:3]) + 1
        elif letter == "S":
            values["microsecond"] = int(value[:6].ljust(6, "0"))
        elif letter == "a":
            afternoon = value.lower() == "pm"
        elif letter in _ZONES:
            zone = zone_of(value)
        elif letter != "E":
            name = {"d": "day", "H": "hour", "h": "hour", "m": "minute", "s": "second"}[letter]
            values[name] = int(value)
    if afternoon is not None:
        values["hour"] = values["hour"] % 12 + (12 if afternoon else 0)
    try:
        return datetime(**values, tzinfo=zone)
    except ValueError:
        return None


def write(moment: datetime, pattern: str, zone: tzinfo) -> str:
    """A date as the pattern wants it, in a zone."""
    if pattern == "epoch":
        return str(int(moment.timestamp() * 1000))
    local = moment.astimezone(zone)
    return "".join([literal if not run else _written(local, run) for run, literal in _tokens(pattern)])


def _written(moment: datetime, run: str) -> str:
    letter, count = run[0], len(run)
    if letter in "yu":
        return f"{moment.year % 100:02d}" if count == 2 else f"{moment.year:0{count}d}"
    if letter == "M" and count >= 3:
        return (_MONTHS_LONG if count > 3 else _MONTHS)[moment.month - 1]
    if letter == "E":
        return (_DAYS_LONG if count > 3 else _DAYS)[moment.weekday()]
    if letter == "S":
        return f"{moment.microsecond:06d}".ljust(9, "0")[:count]
    if letter == "a":
        return "PM" if moment.hour >= 12 else "AM"
    if letter in _ZONES:
        return _offset(moment, letter, count)
    numbers = {"M": moment.month, "d": moment.day, "H": moment.hour, "h": moment.hour % 12 or 12, "m": moment.minute,
               "s": moment.second}  # fmt: skip
    if letter not in numbers:
        raise DateError(f"{letter} is not a supported letter of a date pattern")
    return f"{numbers[letter]:0{count}d}"


def _offset(moment: datetime, letter: str, count: int) -> str:
    if letter in "zV":
        return moment.tzname() or "UTC"
    minutes = int((moment.utcoffset() or timedelta()).total_seconds() // 60)
    if letter == "X" and minutes == 0:
        return "Z"
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    colon = ":" if (letter in "Xx" and count in (3, 5)) or count == 5 else ""
    return f"{sign}{minutes // 60:02d}{colon}{minutes % 60:02d}"
