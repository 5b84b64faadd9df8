"""The JSON formats: HLC (`/services/collector/event`), ND-JSON (`/ingest/bulk`), structured JSON (`/ingest/json`).

Sources: CloudWatch Logs User Guide, "Sending logs using the HLC endpoint", "… the NDJSON endpoint", "… the Structured
JSON endpoint": what is skipped, and what counts as a time, is said there. The message of an event is its JSON. What AWS
makes of HLC's fields is not documented: here the message is the value of `event`, a text without its quotes; where an
object says more (`host`, `source`, …), the message is the object without its time, so that nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Any, NamedTuple

_SPACE = " \t\r\n"
_DEPTH_TEXT = "The request body is nested too deeply."


class Event(NamedTuple):
    """An event of a request: milliseconds since 1970, and its text."""

    timestamp: int
    message: str


class Malformed(ValueError):
    """A body that is not in the format of its endpoint; the text says why."""


def hlc(body: bytes, now_ms: int) -> list[Event]:
    """Objects with `event`: alone, in an array, or one after the other. What has no `event` is skipped."""
    found = []
    for value in _concatenated(_text(body)):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and "event" in each:
                time = _seconds(each.pop("time", None), now_ms)
                message = each if len(each) > 1 else each["event"]
                found.append(Event(time, message if isinstance(message, str) else _written(message)))
    return found


def lines(body: bytes, now_ms: int) -> list[Event]:
    """A JSON value in each line; arrays are taken apart, and lines that are no JSON are skipped."""
    found = []
    for line in _text(body).split("\n"):
        if line.strip(_SPACE):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            for each in value if isinstance(value, list) else [value]:
                text = each if isinstance(each, str) else _written(each)
                time = each.get("timestamp") if isinstance(each, dict) else None
                found.append(Event(_milliseconds(time, now_ms), text))
    return found


def structured(body: bytes, now_ms: int) -> list[Event]:
    """An object, or an array of objects; what is none is skipped, and what follows the first value not read."""
    text = _text(body).lstrip(_SPACE)
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except ValueError as error:
        raise Malformed(f"The request body is not valid JSON: {error}") from None
    except RecursionError:
        raise Malformed(_DEPTH_TEXT) from None
    return [
        Event(_milliseconds(each.get("timestamp"), now_ms), _written(each))
        for each in (value if isinstance(value, list) else [value])
        if isinstance(each, dict)
    ]


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("The request body is not valid UTF-8.") from None


def _concatenated(text: str) -> Iterator[Any]:
    """JSON values, one after the other."""
    decoder = json.JSONDecoder()
    at = 0
    while True:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at == len(text):
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError as error:
            raise Malformed(f"The request body is not valid JSON: {error}") from None
        except RecursionError:
            raise Malformed(_DEPTH_TEXT) from None
        yield value


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _seconds(value: Any, now_ms: int) -> int:
    """HLC's `time`: seconds, as a number or a text; now for what is neither."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return now_ms
    return round(value * 1000) if _is_time(value, 1000) else now_ms


def _milliseconds(value: Any, now_ms: int) -> int:
    """`timestamp`: milliseconds as a number; now for anything else."""
    return int(value) if _is_time(value, 1) else now_ms


def _is_time(value: Any, factor: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (isinstance(value, int) or isfinite(value)) and 0 <= value * factor < 1 << 62
