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
        try:
            plain = value if type(value) in _SIMPLE else _plain(value)
        except RecursionError:
            plain = value  # the encoder says whether it is a circle
        text = self._encode(plain)
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
    """The same, with objects for named tuples and text for keys of bytes; what holds none is not copied."""
    kind = type(value)
    if kind is dict:
        return _plain_dict(value)
    if kind is list or isinstance(value, list):
        for index, item in enumerate(value):
            if type(item) not in _SIMPLE and (plain := _plain(item)) is not item:
                return [*value[:index], plain, *map(_plain, value[index + 1 :])]
        return value
    as_dict = getattr(value, "_asdict", None)
    if as_dict is not None and callable(as_dict):
        found = as_dict()
        if not isinstance(found, dict):
            raise TypeError(f"_asdict() must return a dict, not {type(found).__name__}")
        return _plain_dict(found)
    if isinstance(value, tuple):
        return _plain(list(value))
    if isinstance(value, dict):
        return _plain_dict(value)
    return value


def _plain_dict(value: dict[Any, Any]) -> dict[Any, Any]:
    made: dict[Any, Any] | None = None
    for key, item in value.items():
        plain_key = key if type(key) is str else _key(key)
        plain = item if type(item) in _SIMPLE else _plain(item)
        if made is None:
            if plain_key is key and plain is item:
                continue
            made = {}
            for before in value:
                if before is key:
                    break
                made[before] = value[before]
        made[plain_key] = plain
    return value if made is None else made


def _key(key: object) -> object:
    if isinstance(key, bytes):
        return key.decode()
    if key is None or isinstance(key, (str, int, float)):
        return key
    raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")
