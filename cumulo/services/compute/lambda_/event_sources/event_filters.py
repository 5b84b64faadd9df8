"""Event filters: which records of a source are worth a call of the function.

Pure. A record passes when one of the filters takes it. What producers put into a record (the body of a message, the
data of a stream's record) is looked at as JSON or as a plain string, whichever it is; a filter that expects the other
never takes it. Source: Lambda Developer Guide, "Control which events Lambda sends to your function", and the pages on
filtering of each source.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import msgspec

from cumulo.core.event_patterns import PatternError as PatternError
from cumulo.core.event_patterns import compile_pattern
from cumulo.core.event_patterns.matching import Rule, accepts, document_leaves

SQS, DYNAMODB, KINESIS, KAFKA, MQ = "sqs", "dynamodb", "kinesis", "kafka", "mq"

_DATA = {SQS: "body", DYNAMODB: "", KINESIS: "data", KAFKA: "value", MQ: "data"}  # the member that producers fill
_decode = msgspec.json.decode


class EventFilters:
    """The filters of one event source mapping, compiled."""

    __slots__ = ("_data", "_for_json", "_for_text", "_kind")

    def __init__(self, kind: str, patterns: tuple[str, ...]) -> None:
        """Raises PatternError."""
        self._kind = kind
        self._data = data = _DATA[kind]
        rules: list[Rule] = [rule for pattern in patterns for rule in compile_pattern(pattern).rules]
        self._for_json = tuple(rule for rule in rules if not data or all(path != data for path, _ in rule))
        nested = f"{data}."
        self._for_text = tuple(rule for rule in rules if not any(path.startswith(nested) for path, _ in rule))

    def accept(self, record: dict[str, Any]) -> bool:
        """Whether a record of an event goes to the function."""
        seen, is_json = self._view(record)
        rules = self._for_json if is_json else self._for_text
        return bool(rules) and accepts(rules, document_leaves(seen))

    def _view(self, record: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """The record as filters name its members, and whether what producers put in is JSON."""
        kind, name = self._kind, self._data
        if kind == DYNAMODB:
            return record, True
        seen = dict(record[KINESIS] if kind == KINESIS else record)
        value = seen.get(name)
        if not isinstance(value, str):
            return seen, False
        text = value if kind == SQS else base64.b64decode(value).decode(errors="replace")
        try:
            parsed = _decode(text)
        except (msgspec.DecodeError, RecursionError):
            parsed = None
        seen[name] = parsed if isinstance(parsed, dict | list) else text
        return seen, isinstance(parsed, dict | list)


@lru_cache(maxsize=1024)
def compile_filters(kind: str, patterns: tuple[str, ...]) -> EventFilters:
    """The filters of these patterns; the same ones give the same object. Raises PatternError."""
    return EventFilters(kind, patterns)
