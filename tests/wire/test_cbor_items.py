"""CBOR: what another library writes we read, and the reverse; what is no CBOR is refused."""

import math
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.wire.protocols import cbor_items
from cumulo.wire.protocols.cbor_items import MalformedCbor, Timestamp

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=20,
)


@given(value=VALUES)
def test_round_trips_with_another_library(value: Any) -> None:
    assert cbor_items.decode(cbor2.dumps(value)) == value
    assert cbor2.loads(cbor_items.encode(value)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("bf61616131ff", {"a": "1"}),
        ("9f01820203ff", [1, [2, 3]]),
        ("7f657374726561646d696e67ff", "streaming"),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
        ("f93c00", 1.0),
        ("fa47c35000", 100000.0),
        ("f7", None),
        ("c11a514b67b0", 1363896240.0),
        ("c1fb41d452d9ec200000", 1363896240.5),
    ],
)
def test_forms_of_the_standard(data: str, value: Any) -> None:
    assert cbor_items.decode(bytes.fromhex(data)) == value


def test_numbers_that_are_none() -> None:
    assert math.isnan(cbor_items.decode(bytes.fromhex("f97e00")))
    assert math.isnan(cbor_items.decode(cbor_items.encode(math.nan)))
    assert cbor_items.decode(cbor_items.encode(-math.inf)) == -math.inf


def test_timestamps_are_tagged() -> None:
    assert cbor_items.encode(Timestamp(5)) == bytes.fromhex("c105")
    assert isinstance(cbor_items.decode(cbor_items.encode(Timestamp(5.5))), Timestamp)


@pytest.mark.parametrize(
    "data",
    ["", "a1", "ff", "9f", "bf6161", "bf61ff", "82ff01", "1c", "5f6161ff", "5f5f4101ffff", "6180", "a10102",
     "f8ff", "c46161", "c16161", "0000", "9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff", "df"],
)  # fmt: skip
def test_what_is_no_cbor_is_refused(data: str) -> None:
    with pytest.raises(MalformedCbor):
        cbor_items.decode(bytes.fromhex(data))


def test_what_cbor_has_no_form_for_is_our_own_mistake() -> None:
    with pytest.raises(TypeError):
        cbor_items.encode(object())
