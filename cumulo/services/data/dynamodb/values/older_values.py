"""What is wrong with attribute values, in the older of AWS's two ways to say it.

Scan, BatchWriteItem and the parameters of statements say it so in all regions; the others say what `attribute_values`
says. Here numbers are read as Java's BigDecimal reads them, exponents of 32 bits only, and the members of a set are
told as they were sent, without quotes. Observed in AWS's answers (dynamodb-conformance, 2026-10-09).
"""

import re
from base64 import b64encode
from typing import Any

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.values import numbers
from cumulo.services.data.dynamodb.values.attribute_values import (
    MAX_LEVELS,
    Item,
    Value,
    check_levels,
    check_value,
)

_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)\Z")
_BOUND = 1 << 31
_NOT_NUMERIC = "The parameter cannot be converted to a numeric value"
_UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
_INVALID = "One or more parameter values were invalid: "


def reworded(item: Item, fault: Fault) -> Fault:
    """The refusal of an item or a key, in the older words."""
    if "" in item:
        return fault
    for value in item.values():
        try:
            check_levels(value, 1)
        except Fault:
            return fault
    return _first_of(item) or fault


def reworded_values(values: Item, fault: Fault) -> Fault:
    """The refusal of ExpressionAttributeValues, in the older words: they name the value."""
    for key, value in values.items():
        try:
            check(value)
        except Fault as found:
            return VALIDATION(f"ExpressionAttributeValues contains invalid value: {found.message} for key {key}")
    return fault


def _first_of(item: Item) -> Fault | None:
    for value in item.values():
        try:
            check(value)
        except Fault as found:
            return found
    return None


def check(value: Value, level: int = 1) -> None:
    """Raises ValidationException for the first thing that is wrong in a value, in the order in which it holds it."""
    if level > MAX_LEVELS:
        check_levels(value, level)
    if len(value) != 1:
        check_value(value)
    for kind, content in value.items():
        if kind == "N":
            _check_number(content)
        elif kind == "L" or kind == "M":
            for element in content if kind == "L" else content.values():
                check(element, level + 1)
        elif content and (kind == "SS" or kind == "NS" or kind == "BS"):
            _check_set(kind, content)
        else:
            check_value(value)


def _check_number(text: str) -> None:
    if not text:
        raise VALIDATION(_NOT_NUMERIC)
    exponent = _EXPONENT.search(text)
    if exponent is not None:
        if len(exponent.group(1)) > 12 or not -_BOUND < int(exponent.group(1)) < _BOUND:
            raise VALIDATION(f"{_NOT_NUMERIC}: {text}")
        if int(exponent.group(1)) == _BOUND - 1:
            raise VALIDATION(_UNDERFLOW)  # the sum of 32 bits that goes round
    numbers.normalize(text)


def _check_set(kind: str, content: list[Any]) -> None:
    if kind == "NS":
        for text in content:
            _check_number(text)
        if len({numbers.normalize(text) for text in content}) < len(content):
            raise VALIDATION("Input collection contains duplicates")
    elif len(set(content)) < len(content):
        shown = ", ".join(content if kind == "SS" else [b64encode(member).decode() for member in content])
        of_type = "of type BS" if kind == "BS" else ""
        raise VALIDATION(f"{_INVALID}Input collection [{shown}]{of_type} contains duplicates.")
