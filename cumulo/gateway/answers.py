"""The bytes of an answer's head, and the answers that the gateway gives by itself."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from cumulo.wire.http import Request

Headers = Iterable[tuple[str, str]]
Answer = tuple[int, list[tuple[str, str]], bytes]

_STATUSES = """
100 Continue
101 Switching Protocols
102 Processing
103 Early Hints
200 OK
201 Created
202 Accepted
203 Non-Authoritative Information
204 No Content
205 Reset Content
206 Partial Content
207 Multi-Status
208 Already Reported
226 IM Used
300 Multiple Choices
301 Moved Permanently
302 Found
303 See Other
304 Not Modified
305 Use Proxy
307 Temporary Redirect
308 Permanent Redirect
400 Bad Request
401 Unauthorized
402 Payment Required
403 Forbidden
404 Not Found
405 Method Not Allowed
406 Not Acceptable
407 Proxy Authentication Required
408 Request Timeout
409 Conflict
410 Gone
411 Length Required
412 Precondition Failed
413 Request Entity Too Large
414 Request-URI Too Long
415 Unsupported Media Type
416 Requested Range Not Satisfiable
417 Expectation Failed
421 Misdirected Request
422 Unprocessable Entity
423 Locked
424 Failed Dependency
425 Too Early
426 Upgrade Required
428 Precondition Required
429 Too Many Requests
431 Request Header Fields Too Large
451 Unavailable For Legal Reasons
500 Internal Server Error
501 Not Implemented
502 Bad Gateway
503 Service Unavailable
504 Gateway Timeout
505 HTTP Version Not Supported
506 Variant Also Negotiates
507 Insufficient Storage
508 Loop Detected
510 Not Extended
511 Network Authentication Required
"""
_STATUS_LINES: Final = {int(line[:3]): f"HTTP/1.1 {line}\r\n" for line in _STATUSES.split("\n") if line}
# Ours to say: framing and connection belong to the gateway, the date to the server's clock.
_OURS: Final = frozenset({"connection", "content-length", "date", "keep-alive", "transfer-encoding"})
_starts: Final[dict[str, str]] = {}  # of lines, by the names of fields: answers have few
_MOST_STARTS: Final = 1024
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BREAKS = str.maketrans({"\r": " ", "\n": " ", "\0": " "})

INTERNAL_FAILURE = "The request processing has failed because of an unknown error, exception or failure."


class Date:
    """The Date field, rendered once a second. The clock gives seconds since 1970."""

    __slots__ = ("_clock", "_line", "_second", "_value")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._second = -1
        self._value = ""
        self._line = ""

    def line(self) -> str:
        """ "Date: …" with its line end, for HTTP/1."""
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._value = http_date(second)
            self._line = f"Date: {self._value}\r\n"
        return self._line

    def value(self) -> str:
        self.line()
        return self._value


def http_date(second: float) -> str:
    """IMF-fixdate of RFC 9110, without the weight of the email package."""
    year, month, day, hour, minute, sec, weekday, *_ = time.gmtime(second)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{sec:02} GMT"


def declared_length(headers: Headers) -> int | None:
    """The Content-Length that the application gave, or None. ValueError if it is no number."""
    for name, value in headers:
        if len(name) == 14 and name.lower() == "content-length":
            return int(value)
    return None


def _start(name: str) -> str:
    """How a field's line starts; "" for one of ours."""
    start = "" if name.lower() in _OURS else f"{name.translate(_BREAKS)}: "
    if len(_starts) < _MOST_STARTS and len(name) <= 64:
        _starts[name] = start
    return start


def head(status: int, headers: Headers, tail: str) -> bytes:
    """Status line, the application's fields without those that are ours to say, and `tail`
    (our own fields, which ends the head). A line break or NUL inside a field becomes a space:
    no value may start a field of its own."""
    parts = [_STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n"]
    values: list[str] = []
    for name, value in headers:
        start = _starts.get(name)
        if start is None:
            start = _start(name)
        if start:
            values.append(value)
            parts.append(start)
            parts.append(value)
            parts.append("\r\n")
    said = "".join(values)  # to look through them all at once
    if "\n" in said or "\r" in said or "\0" in said:
        return head(status, [(name, value.translate(_BREAKS)) for name, value in headers], tail)
    parts.append(tail)
    text = "".join(parts)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def clean_fields(headers: Headers) -> list[tuple[str, str]]:
    """The same rules for HTTP/2: lower-case names, nothing that is ours to say."""
    return [
        (lower.translate(_BREAKS), value.translate(_BREAKS))
        for name, value in headers
        if (lower := name.lower()) not in _OURS
    ]


def refusal(request: Request | None, status: int, code: str, message: str) -> Answer:
    """An error answer in the form that this client most probably reads.

    The gateway does not know services: JSON for clients that speak JSON or CBOR, plain text for
    a browser's page load, else XML. `X-Amzn-ErrorType` is read by all JSON and REST-JSON clients.
    """
    headers = [("x-amzn-ErrorType", code)]
    asked = "" if request is None else request.headers.get("content-type")
    accepts = "" if request is None else request.headers.get("accept")
    if "json" in asked or "cbor" in asked:
        from msgspec import json

        headers.append(("Content-Type", "application/json"))
        return status, headers, json.encode({"__type": code, "message": message})
    if "text/html" in accepts:
        headers.append(("Content-Type", "text/plain; charset=utf-8"))
        return status, headers, f"{code}: {message}\n".encode()
    text = message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    headers.append(("Content-Type", "text/xml; charset=utf-8"))
    side = "Sender" if status < 500 else "Receiver"
    body = (
        f"<ErrorResponse><Error><Type>{side}</Type><Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>"
    )
    return status, headers, body.encode("utf-8", "replace")
