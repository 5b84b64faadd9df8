"""Attribute values in their wire form ({"S": "text"}, {"N": "12"}, {"B": b"…"} …): checks, sizes, equality, order.

Sources: DynamoDB Developer Guide, "Naming rules and data types", "DynamoDB item sizes and formats", "Quotas" (32
levels, names of 64 KB); the texts are those of AWS's answers of 2026 (before, the members of a set stood there unquoted
and as they were sent).
"""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.values import numbers

Value = dict[str, Any]
Item = dict[str, Value]

MAX_LEVELS = 32
MAX_NAME_BYTES = 65535
CONTAINER_BYTES = 3  # of a list or a map, and one for each of its elements

_INVALID = "One or more parameter values were invalid: "
_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)
_TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)
_NULL_FALSE = _INVALID + "Null attribute value types must have the value of true"
_EMPTY_NAME = "Empty attribute name"
_LONG_NAME = f"Attribute name is too large, must be less than {MAX_NAME_BYTES + 1} bytes"


def check_item(item: Item) -> int:
    """Check the attributes of a new item or key, normalize its numbers in place; the item's size in bytes.

    Raises ValidationException in AWS's words: for an empty name before anything else, for too many levels before
    anything else in the values.
    """
    size = 0
    try:
        for name, value in item.items():
            if len(name) > 20_000 or not name:
                _check_name(name)
            size += (len(name) if name.isascii() else len(name.encode())) + _check(value, 1)
    except Exception:
        if "" in item:
            raise VALIDATION(_EMPTY_NAME) from None
        for value in item.values():
            check_levels(value, 1)
        raise
    return size


def check_value(value: Value) -> int:
    """Check one value, normalize its numbers in place; its size in bytes. Raises ValidationException."""
    try:
        return _check(value, 1)
    except Exception:
        check_levels(value, 1)
        raise


def _check(value: Value, level: int) -> int:
    if len(value) != 1:
        raise VALIDATION(_SEVERAL if value else _EMPTY)
    for kind, content in value.items():
        if kind == "S":
            return len(content) if content.isascii() else len(content.encode())
        if kind == "N":
            if numbers.is_plain(content):
                return 1 + (len(content.rstrip("0")) + 1) // 2
            number = numbers.normalize(content)
            if number is not content:
                value["N"] = number
            return numbers.size_of(number)
        if kind == "M" or kind == "L":
            return _check_container(kind, content, level)
        return _CHECKS[kind](value, content)
    raise AssertionError("unreachable: the value has one member")


def _check_container(kind: str, content: Any, level: int) -> int:
    if level >= MAX_LEVELS:
        if content:
            raise VALIDATION(_TOO_DEEP)
        return CONTAINER_BYTES
    size = CONTAINER_BYTES + len(content)
    if kind == "L":
        for element in content:
            size += _check(element, level + 1)
        return size
    for name, element in content.items():
        if len(name) > 20_000 or not name:
            _check_name(name)
        size += (len(name) if name.isascii() else len(name.encode())) + _check(element, level + 1)
    return size


def _check_name(name: str) -> None:
    if not name:
        raise VALIDATION(_EMPTY_NAME)
    if len(name.encode()) > MAX_NAME_BYTES:
        raise VALIDATION(_LONG_NAME)


def check_levels(value: Value, level: int) -> None:
    """Raises ValidationException when something in a value, itself at this level, lies below the last level."""
    if level > MAX_LEVELS:
        raise VALIDATION(_TOO_DEEP)
    for element in value.get("L", ()):
        check_levels(element, level + 1)
    for element in value.get("M", {}).values():
        check_levels(element, level + 1)


def _check_binary(value: Value, content: bytes) -> int:
    return len(content)


def _check_boolean(value: Value, content: bool) -> int:
    return 1


def _check_null(value: Value, content: bool) -> int:
    if content is not True:
        raise VALIDATION(_NULL_FALSE)
    return 1


def _check_strings(value: Value, content: list[str]) -> int:
    if not content:
        raise VALIDATION(_INVALID + "An string set  may not be empty")
    if len(set(content)) != len(content):
        shown = ", ".join([f'"{text}"' for text in _up_to_repeat(content)])
        raise VALIDATION(f"{_INVALID}Input collection [{shown}] contains duplicates.")
    value["SS"] = sorted(content)  # code points sort as UTF-8's bytes do
    return sum([len(text.encode()) for text in content])


def _check_binaries(value: Value, content: list[bytes]) -> int:
    if not content:
        raise VALIDATION(_INVALID + "Binary sets should not be empty")
    if len(set(content)) != len(content):
        shown = ",".join([f'"{b64encode(data).decode()}"' for data in _up_to_repeat(content)])
        raise VALIDATION(f"{_INVALID}Input collection [{shown}]of type BS contains duplicates.")
    value["BS"] = sorted(content)
    return sum([len(data) for data in content])


def _check_numbers(value: Value, content: list[str]) -> int:
    if not content:
        raise VALIDATION(_INVALID + "An number set  may not be empty")
    normalized = [numbers.normalize(text) for text in content]
    if len(set(normalized)) != len(normalized):
        raise VALIDATION(_INVALID + "Input collection contains duplicates.")
    value["NS"] = normalized
    return sum([numbers.size_of(text) for text in normalized])


def _up_to_repeat(content: list[Any]) -> list[Any]:
    """The members in order up to the first repeat, the repeat, and the rest as they came: so AWS shows them."""
    seen: set[Any] = set()
    for at, member in enumerate(content):
        if member in seen:
            return [*sorted(seen), *content[at:]]
        seen.add(member)
    return content


_CHECKS: dict[str, Callable[[Value, Any], int]] = {
    "B": _check_binary,
    "BOOL": _check_boolean,
    "NULL": _check_null,
    "SS": _check_strings,
    "NS": _check_numbers,
    "BS": _check_binaries,
}


def item_size(item: Item) -> int:
    """The size of a checked item in bytes, names included."""
    size = 0
    for name, value in item.items():
        size += (len(name) if name.isascii() else len(name.encode())) + size_of(value)
    return size


def size_of(value: Value) -> int:
    """The size of one checked value in bytes: three of a list or a map, and one for each of its elements."""
    for kind, content in value.items():
        if kind == "S":
            return len(content) if content.isascii() else len(content.encode())
        if kind == "N":
            return numbers.size_of(content)
        if kind == "B":
            return len(content)
        if kind == "L":
            return CONTAINER_BYTES + sum([1 + size_of(element) for element in content])
        if kind == "M":
            return CONTAINER_BYTES + len(content) + item_size(content)
        if kind == "SS":
            return sum([len(text.encode()) for text in content])
        if kind == "NS":
            return sum([numbers.size_of(text) for text in content])
        if kind == "BS":
            return sum([len(data) for data in content])
    return 1


def type_of(value: Value) -> str:
    """The type letter(s) of a checked value: S, N, B, SS, NS, BS, M, L, BOOL or NULL."""
    for kind in value:
        return kind
    raise ValueError("an attribute value without a type")


def equal(left: Value, right: Value) -> bool:
    """Whether two checked values are equal; sets without regard to order."""
    if left == right:
        return True
    kind = type_of(left)
    other = right.get(kind)
    if other is None:
        return False
    content = left[kind]
    if kind == "SS" or kind == "NS" or kind == "BS":
        return len(content) == len(other) and set(content) == set(other)
    if kind == "L":
        return len(content) == len(other) and all(map(equal, content, other))
    if kind == "M":
        return content.keys() == other.keys() and all(equal(value, other[name]) for name, value in content.items())
    return False


def order(left: Value, right: Value) -> int | None:
    """-1, 0 or 1 as the left of two checked values sorts before, with or after the right.

    None when they have no order: of two types, or of one that is neither S, N nor B.
    """
    for kind, content in left.items():
        other = right.get(kind)
        if other is None:
            return None
        if kind == "N":
            content = numbers.value_of(content)
            other = numbers.value_of(other)
        elif kind != "S" and kind != "B":
            return None
        return -1 if content < other else 1 if content > other else 0
    return None
