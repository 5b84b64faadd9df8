"""What is no JSON, and why; lineages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.compute.lambda_.running import json_faults, lineages

VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (
            b"hello",
            f"Unrecognized token 'hello': was expecting {VALUES}\n at [Source: (byte[])\"hello\"; line: 1, column: 7]",
        ),
        (b"{a}", "Unexpected character ('a' (code 97)): was expecting double-quote to start field name"),
        (b"0D", "Unexpected character ('D' (code 68)): Expected space separating root-level values"),
        (b"\x8a", f"Unexpected character ((CTRL-CHAR, code 138)): expected a valid value {VALUES}"),
        (b'{"a" 1}', "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value"),
        (b'{"a":1', "Unexpected end-of-input: expected close marker for Object"),
        (b"[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries"),
    ],
)
def test_the_words_of_the_parser(payload: bytes, text: str) -> None:
    assert json_faults.fault(payload).startswith(text)


def strict(payload: bytes) -> bool:
    try:
        text = payload.decode()
        json.loads(text, parse_constant=lambda name: 1 / 0)
    except (ValueError, ZeroDivisionError, RecursionError):
        return False
    return True


@given(st.text(alphabet='{}[]",:0123456789.-+eE truefalsn\\/\n', max_size=25).map(str.encode))
def test_what_is_wrong_is_what_python_refuses(payload: bytes) -> None:
    assert (json_faults.fault(payload) == "") == strict(payload)


@given(st.recursive(st.none() | st.text() | st.floats(allow_nan=False, allow_infinity=False), st.lists))
def test_nothing_is_wrong_with_json(value: object) -> None:
    assert json_faults.fault(json.dumps(value).encode()) == ""


def test_a_chain_of_calls_is_counted() -> None:
    one, other = "arn:aws:lambda:us-east-1:1:function:one", "arn:aws:lambda:us-east-1:1:function:other"
    header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    for turn in range(1, 20):
        header, count = lineages.passed_on(header, one, 0.0, lambda digits: "a" * digits)
        assert count == turn
        header, count = lineages.passed_on(header, other, 0.0, lambda digits: "a" * digits)
        assert count == turn
    assert header.startswith("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=")


@given(st.text())
def test_no_header_is_too_strange(header: str) -> None:
    passed, count = lineages.passed_on(header, "arn", 1.0, lambda digits: "a" * digits)
    assert count >= 1
    assert lineages.fields(passed)["Lineage"]
