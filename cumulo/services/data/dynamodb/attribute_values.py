"""Attribute values in their wire form ({"S": "text"}, {"N": "12"}, {"B": b"…"} …): checks, sizes and equality."""

from typing import Any

Value = dict[str, Any]
Item = dict[str, Value]


def check_item(item: Item) -> int:
    """Check the attributes of a new item or key, normalize its numbers in place; the item's size in bytes.

    Raises ValidationException in AWS's words.
    """
    raise NotImplementedError


def check_value(value: Value) -> int:
    """Check one value, normalize its numbers in place; its size in bytes. Raises ValidationException."""
    raise NotImplementedError


def item_size(item: Item) -> int:
    """The size of a checked item in bytes, names included.

    Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats".
    """
    raise NotImplementedError


def size_of(value: Value) -> int:
    """The size of one checked value in bytes."""
    raise NotImplementedError


def type_of(value: Value) -> str:
    """The type letter(s) of a checked value: S, N, B, SS, NS, BS, M, L, BOOL or NULL."""
    for kind in value:
        return kind
    raise ValueError("an attribute value without a type")


def equal(left: Value, right: Value) -> bool:
    """Whether two checked values are equal; sets without regard to order."""
    raise NotImplementedError
