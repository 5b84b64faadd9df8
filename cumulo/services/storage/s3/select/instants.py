"""Timestamps of S3 Select: their literals, their parts, and their formats. All are kept in UTC.

Source: S3 User Guide, "Date functions" (DATE_ADD, DATE_DIFF, EXTRACT, TO_STRING, TO_TIMESTAMP, UTCNOW).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cumulo.services.storage.s3.select.errors import TIMESTAMP_FAILURE, TIMESTAMP_PATTERN

_INSTANT = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T(?:(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?\Z",
    re.ASCII,
)
_PATTERN = re.compile(r"'(?:[^']|'')*'|([a-zA-Z])\1*|[^a-zA-Z']+")
_FORMS = {
    "y": "%Y", "yyyy": "%Y", "yy": "%y", "M": "%-m", "MM": "%m", "MMM": "%b", "MMMM": "%B", "d": "%-d", "dd": "%d",
    "a": "%p", "h": "%-I", "hh": "%I", "H": "%-H", "HH": "%H", "m": "%-M", "mm": "%M", "s": "%-S", "ss": "%S",
    "SSS": "%g", "SSSSSS": "%f", "n": "%n", "X": "Z", "XX": "Z", "XXXX": "Z", "XXX": "Z", "XXXXX": "Z",
    "x": "+00", "xx": "+0000", "xxxx": "+0000", "xxx": "+00:00", "xxxxx": "+00:00",
}  # fmt: skip


def literal(text: str) -> str:
    """The SQL of an instant as it is written: 2010T, 2010-05T, 2010-01-01T23:00Z. Raises ValueParseFailure."""
    found = _INSTANT.match(text)
    if found is None:
        raise TIMESTAMP_FAILURE()
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        instant = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "0").ljust(6, "0")[:6]), UTC,
        )  # fmt: skip
    except ValueError:
        raise TIMESTAMP_FAILURE() from None
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        instant = instant - offset if zone[0] == "+" else instant + offset
    return _sql(instant)


def at(seconds: float) -> str:
    """The SQL of a moment in seconds since 1970."""
    return _sql(datetime.fromtimestamp(seconds, UTC))


def _sql(instant: datetime) -> str:
    return f"TIMESTAMP '{instant:%Y-%m-%d %H:%M:%S.%f}'"


def unit(part: str) -> str:
    """The unit of DuckDB for a date part. Raises ParseExpectedDatePart for those that cannot be counted in."""
    from cumulo.services.storage.s3.select.errors import EXPECTED_DATE_PART

    if part.startswith("TIMEZONE"):
        raise EXPECTED_DATE_PART()
    return part.lower()


def strftime_form(pattern: str) -> str:
    """A pattern of TO_STRING as one of strftime. Raises EvaluatorInvalidTimestampFormatPattern."""
    form, at_end = "", 0
    for found in _PATTERN.finditer(pattern):
        if found.start() != at_end:
            raise TIMESTAMP_PATTERN()
        at_end = found.end()
        piece = found[0]
        if piece.startswith("'"):
            form += piece[1:-1].replace("''", "'").replace("%", "%%")
        elif found[1]:
            if piece not in _FORMS:
                raise TIMESTAMP_PATTERN()
            form += _FORMS[piece]
        else:
            form += piece.replace("%", "%%")
    if at_end != len(pattern):
        raise TIMESTAMP_PATTERN()
    return form


def shown(instant: datetime) -> str:
    """An instant in an answer: 2007-04-05T14:30:00Z."""
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{instant.microsecond:06d}".rstrip("0") + "Z" if instant.microsecond else f"{text}Z"
