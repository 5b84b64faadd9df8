"""Scalars as protocols write them: timestamps, numbers, base64. A timestamp is float epoch seconds inside."""

import binascii
import calendar
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EARLIEST, _LATEST = -62135596800.0, 253402300800.0  # years 1 to 9999, as every date library knows them
_OLD_DATES = ("%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")  # RFC 850's and asctime's
INTEGER_LIMIT = {"integer": 1 << 31, "long": 1 << 63}
_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def write_iso8601(seconds: float) -> str:
    """`2020-01-01T00:00:00Z`, with milliseconds where there are any."""
    whole = math.floor(seconds)
    milliseconds = round((seconds - whole) * 1000)
    if milliseconds == 1000:
        whole, milliseconds = whole + 1, 0
    year, month, day, hour, minute, second, *_ = time.gmtime(whole)
    fraction = f".{milliseconds:03d}" if milliseconds else ""
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}{fraction}Z"


def write_rfc822(seconds: float) -> str:
    """`Sun, 06 Nov 1994 08:49:37 GMT`: whole seconds, as HTTP dates are."""
    year, month, day, hour, minute, second, weekday, *_ = time.gmtime(math.floor(seconds))
    return f"{_DAYS[weekday]}, {day:02d} {_MONTHS[month - 1]} {year:04d} {hour:02d}:{minute:02d}:{second:02d} GMT"


def write_epoch(seconds: float) -> int | float:
    """Epoch seconds as a number: an integer where it is one, else with milliseconds."""
    whole = int(seconds)
    return whole if whole == seconds else round(seconds, 3)


def write_epoch_text(seconds: float) -> str:
    """Epoch seconds as text."""
    return str(write_epoch(seconds))


def timestamp_writer(form: str) -> Callable[[float], str]:
    """The text writer of a timestamp format; "" and unknown ones are iso8601."""
    lowered = form.lower()
    if lowered == "rfc822":
        return write_rfc822
    return write_epoch_text if lowered == "unixtimestamp" else write_iso8601


def read_timestamp(text: str) -> float:
    """Any form of timestamp that AWS clients write as text. Raises ValueError."""
    text = text.strip()
    if len(text) > 64:
        raise ValueError("too long for a timestamp")
    if text[:1].isalpha():
        return _read_rfc822(text)
    if len(text) > 4 and text[4] == "-" and text[:4].isdigit():
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp()
    return check_epoch(float(text))


def read_http_date(text: str) -> float | None:
    """The date of a condition in any of HTTP's three forms; None for what is no date, which HTTP has ignored.

    Source: RFC 9110, "Date/Time Formats", "If-Modified-Since", "If-Unmodified-Since".
    """
    try:
        return read_timestamp(text)
    except (ValueError, OverflowError):
        for form in _OLD_DATES:
            try:
                return datetime.strptime(text.strip(), form).replace(tzinfo=UTC).timestamp()
            except (ValueError, OverflowError):
                continue
    return None


def check_epoch(seconds: float) -> float:
    """Epoch seconds that are a date. Raises ValueError for NaN, infinities and years beyond 9999."""
    if not _EARLIEST <= seconds < _LATEST:
        raise ValueError("no such date")
    return float(seconds)


def _read_rfc822(text: str) -> float:
    _, _, rest = text.partition(",")
    parts = rest.split()
    if len(parts) not in (4, 5) or (len(parts) == 5 and parts[4] not in ("GMT", "UTC", "+0000")):
        raise ValueError("not a date of RFC 822")
    clock, _, fraction = parts[3].partition(".")
    hour, minute, second = (int(field) for field in clock.split(":"))
    month = _MONTHS.index(parts[1]) + 1
    moment = datetime(int(parts[2]), month, int(parts[0]), hour, minute, second, tzinfo=UTC)
    return calendar.timegm(moment.utctimetuple()) + (float(f"0.{fraction}") if fraction else 0.0)


def read_integer(text: str, limit: int) -> int:
    """A decimal integer in [-limit, limit). Raises ValueError."""
    if len(text) < 10 and text.isdigit() and text.isascii():
        return int(text)
    digits = text.strip()
    if len(digits) > 20:
        raise ValueError("too many digits")
    if not digits.lstrip("+-").isdigit() or not digits.isascii():
        raise ValueError("not a number")
    number = int(digits)
    if not -limit <= number < limit:
        raise ValueError("out of range")
    return number


def read_float(text: str) -> float:
    """A decimal number, NaN, Infinity or -Infinity. Raises ValueError."""
    stripped = text.strip()
    special = _FLOATS.get(stripped)
    if special is not None:
        return special
    if len(stripped) > 400 or (not stripped[-1:].isdigit() and stripped[-1:] != "."):
        raise ValueError("not a number")  # float() would take "inf", "nan" and "1_0"
    if "_" in stripped:
        raise ValueError("not a number")
    return float(stripped)


def write_float(number: float) -> str:
    """A number as XML and headers carry it."""
    if number != number:
        return "NaN"
    if number in (math.inf, -math.inf):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(number)


def read_boolean(text: str) -> bool:
    """true or false in any case. Raises ValueError."""
    lowered = text.strip().lower()
    if lowered not in ("true", "false"):
        raise ValueError("not a boolean")
    return lowered == "true"


def read_blob(text: str | bytes) -> bytes:
    """Base64, with or without white space. Raises ValueError."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error:
        data = text.encode() if isinstance(text, str) else text
        return binascii.a2b_base64(b"".join(data.split()), strict_mode=True)


def write_blob(data: bytes | bytearray | memoryview | str) -> str:
    """Base64 in one line."""
    return binascii.b2a_base64(data.encode() if isinstance(data, str) else data, newline=False).decode()
