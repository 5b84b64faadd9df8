"""The JSON formats of the HTTP endpoints, case by case as AWS's pages have them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.operations.logs.ingestion.documents import Malformed, hlc, lines, structured

NOW = 1_800_000_000_000
AT = 1_771_007_942_000


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"event":"Hello world!","time":1486683865.0}', [(1486683865000, "Hello world!")]),
        (
            '[{"event":"msg1","time":1486683865.0},{"event":"msg2","time":1486683866.0}]',
            [(1486683865000, "msg1"), (1486683866000, "msg2")],
        ),
        (
            '{"event":"msg1","time":1486683865.0}{"event":"msg2","time":1486683866.0}\n{"event":"msg3"}',
            [(1486683865000, "msg1"), (1486683866000, "msg2"), (NOW, "msg3")],
        ),
        (
            '{"event":{"message":"structured data","severity":"INFO"}}',
            [(NOW, '{"message":"structured data","severity":"INFO"}')],
        ),
        ('{"event":42}{"event":true}{"event":null}', [(NOW, "42"), (NOW, "true"), (NOW, "null")]),
        ('{"message":"this is skipped"}', []),
        ('"text" 1 true null [2, {"event": "in"}]', [(NOW, "in")]),
        ('{"event":"x","time":1486683865.500}', [(1486683865500, "x")]),
        ('{"event":"x","time":1486683865}', [(1486683865000, "x")]),
        ('{"event":"x","time":"1486683865.500"}', [(1486683865500, "x")]),
        ('{"event":"x","time":"1486683865"}', [(1486683865000, "x")]),
        ('{"event":"x","time":"invalid"}', [(NOW, "x")]),
        ('{"event":"x","time":"nan"}', [(NOW, "x")]),
        ('{"event":"x","time":true}', [(NOW, "x")]),
        ('{"event":"x","host":"h","time":1}', [(1000, '{"event":"x","host":"h"}')]),
        ("", []),
    ],
)
def test_hlc(body: str, expected: list[tuple[int, str]]) -> None:
    assert hlc(body.encode(), NOW) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'{{"timestamp":{AT},"message":"one"}}\r\n\n{{"level":"ERROR"}}', [AT, NOW]),
        ('[{"timestamp":1000,"message":"a"},{"timestamp":2000,"message":"b"}]', [1000, 2000]),
        ('"a plain string log message"\n42\ntrue\nnull', [NOW] * 4),
        ("[]\n{broken\n7", [NOW]),
        ('{"timestamp":"invalid"}\n{"timestamp":"5"}\n{"timestamp":1e400}', [NOW] * 3),
    ],
)
def test_lines(body: str, expected: list[int]) -> None:
    assert [event.timestamp for event in lines(body.encode(), NOW)] == expected


def test_messages_of_lines() -> None:
    found = lines('"a plain string"\n{"a": "ü", "b": [1, 2.5]}\nnull'.encode(), NOW)
    assert [event.message for event in found] == ["a plain string", '{"a":"ü","b":[1,2.5]}', "null"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f'{{"timestamp":{AT},"message":"single event","level":"INFO"}}', [AT]),
        (f'[{{"timestamp":{AT},"m":1}}, "just a string", 42, {{"m":2}}]', [AT, NOW]),
        ("[]", []),
        ('"hello"', []),
        ("42", []),
        ('{"a":1}{"b":2}', [NOW]),
    ],
)
def test_structured(body: str, expected: list[int]) -> None:
    assert [event.timestamp for event in structured(body.encode(), NOW)] == expected


@pytest.mark.parametrize("read", [hlc, structured])
@pytest.mark.parametrize("body", [b"{", b"\xff", b"x", b"[" * 50_000])
def test_what_is_no_json(read: Any, body: bytes) -> None:
    with pytest.raises(Malformed):
        read(body, NOW)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.lists(_JSON))
def test_no_line_is_lost(values: list[Any]) -> None:
    body = "\n".join(map(json.dumps, values)).encode()
    expected = [each for value in values for each in (value if isinstance(value, list) else [value])]
    found = [event.message for event in lines(body, NOW)]
    assert len(found) == len(expected)
    for message, value in zip(found, expected, strict=True):
        assert message == value if isinstance(value, str) else json.loads(message) == value
