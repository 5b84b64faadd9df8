"""The dates of signed requests: basic ISO 8601, and HTTP's own form."""

import re
from datetime import UTC, datetime

from cumulo.wire import signature_faults as faults

_BASIC_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z\Z")
_HTTP_DATE = re.compile(
    r"[A-Za-z]{3}, ([0-9]{2}) ([A-Za-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC|[+-]0000)\Z"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CACHE_LIMIT = 1024

known_timestamps: dict[str, float] = {}


def header_date(amz_date: str, date: str, authorization: str, s3: bool) -> tuple[str, float]:
    """The request's date in basic format and in seconds, from x-amz-date, else from Date."""
    text = amz_date or date
    if not text:
        raise faults.bad_date("", s3) if s3 else faults.incomplete_header(["Date"], authorization)
    http_date = _HTTP_DATE.match(text)
    if http_date and http_date[2] in _MONTHS:
        day, month, year, hours, minutes, seconds = http_date.groups()
        text = f"{year}{_MONTHS.index(month) + 1:02}{day}T{hours}{minutes}{seconds}Z"
    return text, timestamp_of(text, s3)


def timestamp_of(text: str, s3: bool, presigned: bool = False) -> float:
    """The seconds of a date in basic format. Raises IncompleteSignature, or S3's faults."""
    known = known_timestamps.get(text)
    if known is not None:
        return known
    try:
        if not _BASIC_DATE.match(text):
            raise ValueError(text)
        day = (int(text[0:4]), int(text[4:6]), int(text[6:8]))
        time = (int(text[9:11]), int(text[11:13]), int(text[13:15]))
        timestamp = datetime(*day, *time, tzinfo=UTC).timestamp()
    except ValueError:
        if s3 and presigned:
            raise faults.s3_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"") from None
        raise faults.bad_date(text, s3) from None
    if len(known_timestamps) >= _CACHE_LIMIT:
        known_timestamps.clear()
    known_timestamps[text] = timestamp
    return timestamp
