"""Attribute values: checks in AWS's words, sizes, equality, order; and keys as bytes."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.values import attribute_values, key_values, numbers
from tests.services.data.dynamodb import drawn_values

TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)
INVALID = "One or more parameter values were invalid: "


def deep(wraps: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(wraps):
        value = {"M": {"n": value}}
    return value


# Observed in AWS's answers of 2026: to PutItem, without its "1 validation error detected: ".
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    (
        {"S": "x", "N": "1"},
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
    ),
    ({"SS": []}, INVALID + "An string set  may not be empty"),
    ({"NS": []}, INVALID + "An number set  may not be empty"),
    ({"BS": []}, INVALID + "Binary sets should not be empty"),
    ({"NULL": False}, INVALID + "Null attribute value types must have the value of true"),
    ({"SS": ["b", "a", "b"]}, INVALID + 'Input collection ["a", "b", "b"] contains duplicates.'),
    (
        {"BS": [b"\xff", b"\x00", b"\x00"]},
        INVALID + 'Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.',
    ),
    ({"NS": ["2", "1", "2.0"]}, INVALID + "Input collection contains duplicates."),
    ({"N": "abc"}, "The parameter cannot be converted to a numeric value: abc"),
    ({"N": ""}, "The parameter cannot be converted to a numeric value: "),
    ({"NS": ["1", ""]}, "The parameter cannot be converted to a numeric value: "),
    ({"N": " 1"}, "The parameter cannot be converted to a numeric value:  1"),
    ({"N": "1 "}, "The parameter cannot be converted to a numeric value: 1 "),
    ({"N": "1.2.3"}, "The parameter cannot be converted to a numeric value: 1.2.3"),
    ({"N": "0x10"}, "The parameter cannot be converted to a numeric value: 0x10"),
    ({"N": "1e"}, "The parameter cannot be converted to a numeric value: 1e"),
    ({"N": "NaN"}, "The parameter cannot be converted to a numeric value: NaN"),
    ({"N": "Infinity"}, "The parameter cannot be converted to a numeric value: Infinity"),
    ({"N": "1\n"}, "The parameter cannot be converted to a numeric value: 1\n"),
    ({"N": "1e9223372036854775808"}, "The parameter cannot be converted to a numeric value: 1e9223372036854775808"),
    ({"N": "1" * 39}, "Attempting to store more than 38 significant digits in a Number"),
    *[
        ({"N": text}, "Number overflow. Attempting to store a number with magnitude larger than supported range")
        for text in ("1e126", "-1e126", "1e99999999999", "1e2147483648", "0e126")
    ],
    *[
        ({"N": text}, "Number underflow. Attempting to store a number with magnitude smaller than supported range")
        for text in ("1e-131", "1e-99999999999", "1e-2147483648", "0e-131")
    ],
    (deep(32), TOO_DEEP),
    ({"L": [{"N": "abc"}, deep(40)]}, TOO_DEEP),
    ({"M": {"": {"S": "x"}}}, "Empty attribute name"),
    ({"M": {"n" * 65536: {"S": "x"}}}, "Attribute name is too large, must be less than 65536 bytes"),
]


@pytest.mark.parametrize(("value", "text"), REFUSED, ids=lambda part: str(part)[:40])
def test_wrong_values_are_refused(value: dict[str, Any], text: str) -> None:
    with pytest.raises(Fault, match=f"^ValidationException: {re.escape(text)}$"):
        attribute_values.check_value(copy.deepcopy(value))
    with pytest.raises(Fault, match=f"^ValidationException: {re.escape(text)}$"):
        attribute_values.check_item({"id": {"S": "1"}, "value": copy.deepcopy(value)})


def test_an_empty_name_is_told_before_levels() -> None:
    for item in ({"": {"S": "x"}, "d": deep(100)}, {"d": deep(100), "": {"S": "x"}}):
        with pytest.raises(Fault, match="Empty attribute name"):
            attribute_values.check_item(item)


def test_levels_are_told_before_an_empty_name_inside() -> None:
    with pytest.raises(Fault, match="Nesting Levels"):
        attribute_values.check_item({"m": {"M": {"": {"S": "x"}}}, "d": deep(40)})


def test_31_levels_and_an_empty_list_below_are_accepted() -> None:
    attribute_values.check_value(deep(31))
    value: dict[str, Any] = {"L": []}
    for _ in range(31):
        value = {"L": [value]}
    attribute_values.check_value(value)


def test_names_of_65535_bytes_are_accepted() -> None:
    assert attribute_values.check_item({"n" * 65535: {"S": ""}}) == 65535


@given(drawn_values.items)
def test_a_checked_item_has_the_size_that_the_check_gave(item: dict[str, Any]) -> None:
    size = attribute_values.check_item(item)
    assert attribute_values.item_size(item) == size
    assert attribute_values.check_item(copy.deepcopy(item)) == size


def test_sizes() -> None:
    """Developer Guide, "DynamoDB item sizes and formats"; SizeBytes of a stream's record for {"id": "Fred"}: 6."""
    assert attribute_values.item_size({"id": {"S": "Fred"}}) == 6
    assert attribute_values.size_of({"L": []}) == 3
    assert attribute_values.size_of({"L": [{"S": "aa"}] * 2}) == 3 + 2 * 3
    assert attribute_values.size_of({"M": {"é": {"BOOL": True}}}) == 3 + 1 + 2 + 1
    assert attribute_values.size_of({"NULL": True}) == 1
    assert attribute_values.size_of({"NS": ["1", "1.5"]}) == 2 + 3
    assert attribute_values.size_of({"BS": [b"ab", b"c"]}) == 3


@given(drawn_values.values, st.randoms())
def test_sets_are_equal_in_any_order(value: dict[str, Any], chance: Any) -> None:
    attribute_values.check_value(value)
    other = copy.deepcopy(value)
    waiting = [other]
    while waiting:
        found = waiting.pop()
        for kind, content in found.items():
            if kind in ("SS", "NS", "BS"):
                chance.shuffle(content)
            waiting += content if kind == "L" else content.values() if kind == "M" else []
    assert attribute_values.equal(value, other)


@given(drawn_values.values, drawn_values.values)
def test_equal_values_are_equal_both_ways(left: dict[str, Any], right: dict[str, Any]) -> None:
    attribute_values.check_value(left)
    attribute_values.check_value(right)
    assert attribute_values.equal(left, right) == attribute_values.equal(right, left)


@given(drawn_values.scalars, drawn_values.scalars)
def test_keys_sort_as_values_do(left: dict[str, Any], right: dict[str, Any]) -> None:
    attribute_values.check_value(left)
    attribute_values.check_value(right)
    order = attribute_values.order(left, right)
    kind = attribute_values.type_of(left)
    if order is None:
        assert kind not in "SNB" or attribute_values.type_of(right) != kind
        return
    one, two = key_values.encode(left), key_values.encode(right)
    assert (one > two) - (one < two) == order
    assert key_values.decode(kind, one) == left


def test_what_is_no_key_is_not_encoded() -> None:
    with pytest.raises(ValueError):
        key_values.encode({"BOOL": True})


def test_numbers_are_normalized_in_place() -> None:
    item: dict[str, Any] = {"n": {"N": "1.50"}, "l": {"L": [{"NS": ["1e1", "02"]}]}}
    attribute_values.check_item(item)
    assert item == {"n": {"N": "1.5"}, "l": {"L": [{"NS": ["10", "2"]}]}}
    assert numbers.add("0.1", "0.2") == "0.3"
