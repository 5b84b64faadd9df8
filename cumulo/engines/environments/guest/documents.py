"""JSON as Lambda's Python runtime reads and writes it: events, answers and errors.

AWS's runtime uses simplejson: named tuples are objects, bytes are UTF-8 text, a Decimal is a number with all its
digits, and from Python 3.12 on text is not escaped. Source: awslambdaric 4.2 and simplejson's documentation.
"""

from __future__ import annotations

import decimal
import json
import math
import re
from typing import Any

NUMBER = "\x00decimal\x00"
_numbers = re.compile(r'"\\u0000decimal\\u0000([^"]*)"')
_SIMPLE = frozenset((str, int, float, bool, type(None)))


class Encoder:
    """Writes answers; `escaped` for the runtimes up to Python 3.11."""

    def __init__(self, escaped: bool) -> None:
        self._found_decimal = False
        self._encode = json.JSONEncoder(ensure_ascii=escaped, default=self._default).encode

    def encode(self, value: object) -> str:
        """JSON text. Raises TypeError or ValueError as the encoder says it."""
        self._found_decimal = False
        text = self._encode(value if type(value) in _SIMPLE else _plain(value))
        if self._found_decimal:
            text = _numbers.sub(r"\1", text)
        return text

    def _default(self, value: object) -> object:
        if isinstance(value, decimal.Decimal):
            if value.is_nan():
                return math.nan
            self._found_decimal = True
            return f"{NUMBER}{value}"
        if isinstance(value, bytes):
            return value.decode()
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _plain(value: Any) -> Any:
    """The same, with objects for named tuples; what holds none is not copied."""
    kind = type(value)
    if kind is dict:
        for key, item in value.items():
            if type(item) not in _SIMPLE:
                changed = _plain(item)
                if changed is not item:
                    return {**value, **{key: _plain(item) for key, item in value.items()}}
        return value
    if kind is list:
        for item in value:
            if type(item) not in _SIMPLE and _plain(item) is not item:
                return [_plain(item) for item in value]
        return value
    if isinstance(value, tuple):
        if hasattr(value, "_asdict"):
            return _plain(value._asdict())
        return _plain(list(value))
    return value
