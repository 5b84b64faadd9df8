"""The language of Contributor Insights rules over log groups: what an event contributes.

Source: CloudWatch User Guide, "Contributor Insights rule syntax".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

MAXIMUM_KEYS = 4
MAXIMUM_FILTERS = 4
MAXIMUM_TEXTS = 10

Field = Callable[[Any], Any]  # the value of a field in an event that was read; MISSING where there is none
Filter = Callable[[Any], bool]

_PATH = re.compile(r"\$((?:\.[^.\[\]\s]+|\[\d+\])+)")
_STEP = re.compile(r"\.([^.\[\]\s]+)|\[(\d+)\]")
_WORDS = re.compile(r'"((?:[^"\\]|\\.)*)"|\[([^\]]*)\]|(\S+)')


class Missing:
    """Stands for the value of a field that an event does not have."""


MISSING = Missing()


class DefinitionError(Exception):
    """What is wrong with a rule's definition."""


class Definition:
    """A definition, read: `contribution` tells what an event contributes, None where it does not count."""

    __slots__ = ("_fields", "_filters", "_json", "_value", "aggregate_on", "key_labels", "log_groups")

    def __init__(self, document: dict[str, Any]) -> None:
        self._json = document.get("LogFormat") == "JSON"
        aliases = _aliases(document)
        contribution = document.get("Contribution")
        if not isinstance(contribution, dict):
            raise DefinitionError("Contribution is required")
        self.log_groups = _texts(document, "LogGroupNames", 100)
        self.key_labels = _texts(contribution, "Keys", MAXIMUM_KEYS)
        self._fields = [self._field(label, aliases) for label in self.key_labels]
        self.aggregate_on = document.get("AggregateOn")
        if self.aggregate_on not in ("Count", "Sum"):
            raise DefinitionError("AggregateOn must be Count or Sum")
        value = contribution.get("ValueOf")
        if (value is None) != (self.aggregate_on == "Count"):
            raise DefinitionError("ValueOf is for rules that aggregate on Sum, and required there")
        self._value = self._field(value, aliases) if value is not None else None
        filters = contribution.get("Filters") or []
        if not isinstance(filters, list) or len(filters) > MAXIMUM_FILTERS:
            raise DefinitionError(f"Filters holds at most {MAXIMUM_FILTERS} filters")
        self._filters = [self._filter(one, aliases) for one in filters]

    def contribution(self, message: str) -> tuple[tuple[str, ...], float] | None:
        """The keys and the value that a log event contributes."""
        event = _read_json(message) if self._json else _words(message)
        if event is None or not all(fits(event) for fits in self._filters):
            return None
        values = [field(event) for field in self._fields]
        if any(value is MISSING or isinstance(value, dict | list) for value in values):
            return None
        keys = tuple(_text(value) for value in values)
        if self._value is None:
            return keys, 1.0
        number = _number(self._value(event))
        return None if number is None else (keys, number)

    def _field(self, name: Any, aliases: dict[str, int]) -> Field:
        if not isinstance(name, str):
            raise DefinitionError("a field is named by a text")
        if self._json:
            return _json_field(name)
        place = int(name) if name.isdecimal() else aliases.get(name, 0)
        if place < 1:
            raise DefinitionError(f"{name} is neither the number nor the alias of a field")
        return lambda words: words[place - 1] if place <= len(words) else MISSING

    def _filter(self, given: Any, aliases: dict[str, int]) -> Filter:
        if not isinstance(given, dict) or len(given) != 2 or "Match" not in given:
            raise DefinitionError("a filter has Match and one operator")
        field = self._field(given["Match"], aliases)
        [(operator, wanted)] = [(key, value) for key, value in given.items() if key != "Match"]
        if operator in ("In", "NotIn", "StartsWith"):
            return _text_filter(field, operator, _texts(given, operator, MAXIMUM_TEXTS))
        if operator == "IsPresent" and isinstance(wanted, bool):
            return lambda event: (not isinstance(field(event), Missing | dict | list)) == wanted
        compare = _COMPARISONS.get(operator)
        if compare is None or isinstance(wanted, bool) or not isinstance(wanted, int | float):
            raise DefinitionError(f"{operator} is no operator of filters, or its value is of another kind")
        limit = float(wanted)

        def fits(event: Any) -> bool:
            number = _number(field(event))
            return number is not None and compare(number, limit)

        return fits


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThan": lambda value, limit: value > limit,
    "LessThan": lambda value, limit: value < limit,
    "EqualTo": lambda value, limit: value == limit,
    "NotEqualTo": lambda value, limit: value != limit,
}


def parse(text: str) -> Definition:
    """A definition from its JSON. Raises DefinitionError."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise DefinitionError("it is no JSON") from None
    if not isinstance(document, dict):
        raise DefinitionError("it is no JSON object")
    if document.get("Schema") != {"Name": "CloudWatchLogRule", "Version": 1}:
        raise DefinitionError('Schema must be {"Name": "CloudWatchLogRule", "Version": 1}')
    if document.get("LogFormat") not in ("JSON", "CLF"):
        raise DefinitionError("LogFormat must be JSON or CLF")
    return Definition(document)


def _texts(document: dict[str, Any], member: str, most: int) -> list[str]:
    found = document.get(member)
    if not isinstance(found, list) or not 0 < len(found) <= most or not all(isinstance(one, str) for one in found):
        raise DefinitionError(f"{member} holds 1 to {most} texts")
    return found


def _aliases(document: dict[str, Any]) -> dict[str, int]:
    """The names of numbered fields in rules for CLF."""
    fields = document.get("Fields")
    if fields is None:
        return {}
    if document.get("LogFormat") != "CLF" or not isinstance(fields, dict):
        raise DefinitionError("Fields names the numbered fields of CLF")
    if not all(key.isdecimal() and int(key) > 0 and isinstance(name, str) for key, name in fields.items()):
        raise DefinitionError("Fields names the numbered fields of CLF")
    return {name: int(key) for key, name in fields.items()}


def _json_field(name: str) -> Field:
    match = _PATH.fullmatch(name)
    if match is None:
        raise DefinitionError(f"{name} is no JSON property like $.users[1].name")
    steps: list[str | int] = [step or int(place) for step, place in _STEP.findall(match[1])]

    def field(event: Any) -> Any:
        for step in steps:
            if isinstance(step, int):
                if not isinstance(event, list) or step >= len(event):
                    return MISSING
                event = event[step]
            elif isinstance(event, dict) and step in event:
                event = event[step]
            else:
                return MISSING
        return event

    return field


def _text_filter(field: Field, operator: str, wanted: list[str]) -> Filter:
    starts = tuple(wanted)

    def fits(event: Any) -> bool:
        value = field(event)
        if isinstance(value, Missing | dict | list):
            return False
        text = _text(value)
        if operator == "StartsWith":
            return text.startswith(starts)
        return (text in starts) == (operator == "In")

    return fits


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _number(value: Any) -> float | None:
    if isinstance(value, bool | Missing):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _read_json(message: str) -> Any:
    try:
        return msgspec.json.decode(message)
    except (msgspec.DecodeError, RecursionError):
        return None


def _words(message: str) -> list[str]:
    """The fields of a line in Common Log Format: words, and what stands in quotes or brackets."""
    return [quoted or bracketed or word for quoted, bracketed, word in _WORDS.findall(message)]


def service_key_labels(text: str) -> list[str]:
    """The keys that a service's rule names in its definition."""
    document: dict[str, Any] = msgspec.json.decode(text)
    labels: list[str] = document["Contribution"]["Keys"]
    return labels
