"""The encodings of DAX: round trips, and bytes that are none of it."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.wire.dax import attribute_values, sorted_numbers
from cumulo.wire.dax.attribute_values import KeyAttribute
from cumulo.wire.dax.items import MalformedItem, Reader, Scanner, Truncated

numbers = st.builds(
    lambda mantissa, exponent: Decimal(f"{mantissa}E{exponent}"),  # scaleb() would round to 28 digits
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(-120, 80),
)
texts = st.text(max_size=5)
scalars = st.one_of(
    st.builds(lambda value: {"S": value}, texts),
    st.builds(lambda value: {"N": format(value, "f")}, numbers),
    st.builds(lambda value: {"B": value}, st.binary(max_size=5)),
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda value: {"SS": value}, st.lists(texts, min_size=1, max_size=3)),
    st.builds(lambda value: {"BS": value}, st.lists(st.binary(max_size=3), min_size=1, max_size=3)),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda value: {"L": value}, st.lists(inner, max_size=3)),
        st.builds(lambda value: {"M": value}, st.dictionaries(texts, inner, max_size=3)),
    ),
    max_leaves=8,
)


def canonical(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"N"} and isinstance(value["N"], str):
            return Decimal(value["N"])
        return {name: canonical(each) for name, each in value.items()}
    return [canonical(each) for each in value] if isinstance(value, list) else value


@given(values)
def test_attribute_values_come_back(value: Any) -> None:
    data = attribute_values.write(value)
    assert canonical(attribute_values.value_of(Reader(data).item())) == canonical(value)


@given(values, st.data())
def test_the_scanner_finds_the_end_whatever_comes_when(value: Any, data: Any) -> None:
    whole = attribute_values.write(value) + attribute_values.write({"S": "next"})
    scanner, came = Scanner(), bytearray()
    position = 0
    while not scanner.run(came, 1):
        step = data.draw(st.integers(1, 5))
        came += whole[position : position + step]
        position += step
    assert whole[scanner.at :] == attribute_values.write({"S": "next"})


@given(st.binary(max_size=40))
def test_other_bytes_are_refused_and_nothing_else_happens(data: bytes) -> None:
    with contextlib.suppress(MalformedItem):
        Reader(data).item()
    with contextlib.suppress(MalformedItem):
        Scanner().run(data, 3)


@given(numbers, numbers)
def test_sort_keys_are_in_the_order_of_their_numbers(one: Decimal, other: Decimal) -> None:
    assert (sorted_numbers.encode(one) < sorted_numbers.encode(other)) == (one < other)
    assert sorted_numbers.decode(sorted_numbers.encode(one)) == one


@given(st.binary(max_size=12))
def test_other_sort_keys_are_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedItem):
        sorted_numbers.decode(data)


@pytest.mark.parametrize("kinds", ["S", "N", "B", "SS", "NB", "BN"])
def test_keys(kinds: str) -> None:
    contents: dict[str, Any] = {"S": "ü", "N": "-12.5", "B": b"\xff\x00"}
    schema = [KeyAttribute(f"k{place}", kind) for place, kind in enumerate(kinds)]
    key = {name: {kind: contents[kind]} for name, kind in schema}
    assert attribute_values.read_key(attribute_values.write_key(key, schema), schema) == key


def test_truncated() -> None:
    with pytest.raises(Truncated):
        Reader(b"\x65ab").item()
    with pytest.raises(MalformedItem, match="nested too deeply"):
        Reader(b"\x81" * 200 + b"\x00").item()
    with pytest.raises(MalformedItem, match="nested too deeply"):
        Scanner().run(b"\x81" * 200 + b"\x00", 1)
