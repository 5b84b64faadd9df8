"""Packed keys sort like their tuples, and come back."""

import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.store.keys import Element, pack, prefix_range, unpack

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.text("\x00\x01a\xff", max_size=4)
blobs = st.binary(max_size=6) | st.lists(st.sampled_from([0, 1, 255]), max_size=4).map(bytes)
edges = st.sampled_from([0, 1, 8, 16, 32, 63, 64]).flatmap(
    lambda bits: st.integers((1 << bits) - 2, (1 << bits) - 1).flatmap(lambda n: st.sampled_from([n, -n]))
)
integers = edges | st.integers(-(2**64) + 1, 2**64 - 1) | st.integers(-300, 300)
elements = st.none() | texts | blobs | integers
tuples = st.lists(elements, max_size=5).map(tuple)


def order(elements: tuple[Element, ...]) -> list[tuple[int, object]]:
    """None < bytes < str < int; within a kind as Python has it."""
    kinds = {type(None): 0, bytes: 1, str: 2, int: 3}
    return [(kinds[type(element)], 0 if element is None else element) for element in elements]


@given(tuples)
def test_round_trip(elements: tuple[Element, ...]) -> None:
    assert unpack(pack(*elements)) == elements


@given(tuples, tuples)
def test_order(one: tuple[Element, ...], other: tuple[Element, ...]) -> None:
    assert (pack(*one) < pack(*other)) == (order(one) < order(other))
    assert (pack(*one) == pack(*other)) == (order(one) == order(other))


@given(tuples, elements, elements)
def test_order_of_neighbours(start: tuple[Element, ...], one: Element, other: Element) -> None:
    left, right = (*start, one), (*start, other)
    assert (pack(*left) < pack(*right)) == (order(left) < order(right))


@given(tuples, tuples, tuples)
def test_prefix_ranges_hold_exactly_the_extensions(
    prefix: tuple[Element, ...], more: tuple[Element, ...], other: tuple[Element, ...]
) -> None:
    begin, end = prefix_range(pack(*prefix))
    for candidate in (prefix + more, other):
        extends = order(candidate)[: len(prefix)] == order(prefix) and len(candidate) > len(prefix)
        assert (begin <= pack(*candidate) < end) == extends


@pytest.mark.parametrize("number", [2**64, -(2**64)])
def test_large_integers_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="at most 64 bits"):
        pack(number)


@pytest.mark.parametrize("element", [True, 1.5, ("a",), object()])
def test_other_kinds_are_refused(element: object) -> None:
    with pytest.raises(TypeError, match=r"a key is made of|object expected"):
        pack(element)  # type: ignore[arg-type]


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        pack("\ud800")


def test_a_str_enumeration_is_a_str() -> None:
    color = enum.StrEnum("color", ["RED"])
    assert pack(color["RED"]) == pack("red")


@pytest.mark.parametrize("packed", [b"\x02abc", b"\x01a\x00\xff", b"\x16\x01", b"\x30", b"\xff"])
def test_what_is_no_packed_tuple_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="packed"):
        unpack(packed)
