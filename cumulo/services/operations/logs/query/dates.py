"""Dates in other forms, as SQL: strftime's out, Java's DateTimeFormatter's in.

Source: CloudWatch Logs User Guide, "Datetime functions" (parseDate, formatDate); Java's DateTimeFormatter for letters.
"""

from __future__ import annotations

import re
import zoneinfo

from cumulo.services.operations.logs.query.failures import Malformed, Unsupported
from cumulo.services.operations.logs.query.values import quoted

_STRFTIME = frozenset("aAwdbBmyYHIpMSfzZjUWGuVgn%cxXDFT")
_JAVA = {
    "yyyy": "%Y",
    "uuuu": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "mm": "%M",
    "m": "%-M",
    "ss": "%S",
    "s": "%-S",
    "SSS": "%g",
    "SSSSSS": "%f",
    "a": "%p",
    "EEE": "%a",
    "EEEE": "%A",
    "DDD": "%j",
    "Z": "%z",
    "X": "%z",
    "XX": "%z",
    "XXX": "%z",
    "xx": "%z",
    "xxx": "%z",
}
_ZONED = ("Z", "X", "XX", "XXX", "xx", "xxx")
_LETTERS = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")


def formatted(time: str, form: str, zone: str = "UTC") -> str:
    """A time (milliseconds) in a form of strftime's."""
    for letter in re.findall(r"%-?(.)", form):
        if letter not in _STRFTIME:
            raise Malformed(f"invalid date format {form}", 0, 0)
    stamp = f"make_timestamp(CAST({time} AS BIGINT) * 1000)"
    if _zone(zone) != "UTC":
        stamp = f"timezone({quoted(zone)}, {stamp} AT TIME ZONE 'UTC')"
    return f"strftime({stamp}, {quoted(form)})"


def parsed(text: str, form: str, zone: str = "UTC") -> str:
    """The milliseconds of a date in a form of Java's."""
    out, zoned = [], False
    for found in _LETTERS.finditer(form):
        word = found[0]
        if word.startswith("'"):
            out.append((found[1] or "'").replace("%", "%%"))
        elif word[0].isalpha():
            if word not in _JAVA:
                raise Unsupported(f"{word} in the format of parseDate")
            zoned = zoned or word in _ZONED
            out.append(_JAVA[word])
        else:
            out.append(word.replace("%", "%%"))
    stamp = f"try_strptime({text}, {quoted(''.join(out))})"
    if zoned:
        stamp = f"timezone('UTC', {stamp})"
    elif _zone(zone) != "UTC":
        stamp = f"timezone('UTC', timezone({quoted(zone)}, {stamp}))"
    return f"CAST(epoch_ms({stamp}) AS DOUBLE)"


def _zone(name: str) -> str:
    if name in ("UTC", "GMT", "Z"):
        return "UTC"
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise Malformed(f"invalid time zone {name}", 0, 0) from None
    return name
