"""What Python functions answer, as JSON."""

import enum
import json
import math
from collections import OrderedDict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.engines.environments.guest.documents import Encoder

FINITE = {"allow_nan": False, "allow_infinity": False}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(**FINITE) | st.text() | st.decimals(**FINITE),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(VALUES, st.booleans())
def test_any_value_is_written_as_json(value: Any, escaped: bool) -> None:
    def expected(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: expected(item) for key, item in part.items()}
        if isinstance(part, list | tuple):
            return [expected(item) for item in part]
        return part if not isinstance(part, Decimal) else ("decimal", part.normalize())

    def read(text: str) -> Any:
        return json.loads(text, parse_float=lambda digits: ("float", digits))

    def alike(found: Any, wanted: Any) -> bool:
        if isinstance(wanted, tuple) and wanted and wanted[0] == "decimal":
            digits = found[1] if isinstance(found, tuple) else str(found)
            return Decimal(digits).normalize() == wanted[1]
        if isinstance(wanted, float):
            return isinstance(found, tuple) and float(found[1]) == wanted
        if isinstance(wanted, dict):
            return found.keys() == wanted.keys() and all(alike(found[key], wanted[key]) for key in wanted)
        if isinstance(wanted, list):
            return len(found) == len(wanted) and all(map(alike, found, wanted))
        return bool(found == wanted)

    assert alike(read(Encoder(escaped).encode(value)), expected(value))


class Point(NamedTuple):
    x: Any
    y: Any


class Numbers(enum.IntEnum):
    ONE = 1


class Named:
    def _asdict(self) -> Any:
        return ["no", "dict"]


def circle() -> list[Any]:
    made: list[Any] = []
    made.append({"again": made})
    return made


# Texts: simplejson 4.3, as AWS's runtime calls it.
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([Point(1, [Point(b"a", ())])], '[{"x": 1, "y": [{"x": "a", "y": []}]}]'),
        (OrderedDict(b=Point(1, 2), a=1), '{"b": {"x": 1, "y": 2}, "a": 1}'),
        (
            {2: "a", b"k": "b", None: "c", True: "d", 1.5: "e"},
            '{"2": "a", "k": "b", "null": "c", "true": "d", "1.5": "e"}',
        ),
        ({Numbers.ONE: Numbers.ONE}, '{"1": 1}'),
        ([Decimal("1.10"), Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+30")], "[1.10, NaN, -Infinity, 1E+30]"),
        ([math.nan, math.inf], "[NaN, Infinity]"),
        ("\u2028é\x7f", '"\u2028é\x7f"'),
    ],
)
def test_values_that_json_does_not_know(value: Any, text: str) -> None:
    assert Encoder(escaped=False).encode(value) == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({1, 2}, "Object of type set is not JSON serializable"),
        (datetime(2026, 1, 1, tzinfo=UTC), "Object of type datetime is not JSON serializable"),
        ([bytearray(b"a")], "Object of type bytearray is not JSON serializable"),
        ({(1, 2): 3}, "keys must be str, int, float, bool or None, not tuple"),
        ({date(2026, 1, 1): 3}, "keys must be str, int, float, bool or None, not date"),
        ({Decimal("1"): 3}, "keys must be str, int, float, bool or None, not Decimal"),
        ([b"\xff"], "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        ({"a": Named()}, "_asdict() must return a dict, not list"),
        (circle(), "Circular reference detected"),
    ],
)
def test_values_that_cannot_be_written(value: Any, said: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Encoder(escaped=False).encode(value)
    assert str(caught.value) == said


def test_deep_values_are_looked_at_once() -> None:
    deep: Any = Point(1, 2)
    for _ in range(100):  # twice a level would take longer than anybody lives
        deep = {"list": [deep]}
    assert Encoder(escaped=False).encode(deep).count("list") == 100
