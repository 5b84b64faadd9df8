"""OTLP requests in both encodings, and the cutting of what is too large."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.operations.logs.ingestion import large_events, otlp, protobuf
from cumulo.services.operations.logs.ingestion.documents import Malformed
from cumulo.services.operations.logs.ingestion.large_events import TooLarge

NOW = 1_800_000_000_000


def _tagged(number: int, wire: int, data: bytes) -> bytes:
    return _varint(number << 3 | wire) + data


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value >= 128:
        out += bytes([value % 128 + 128])
        value //= 128
    return out + bytes([value])


def _long(number: int, data: bytes) -> bytes:
    return _tagged(number, 2, _varint(len(data)) + data)


def any_value(value: Any) -> bytes:
    """An AnyValue."""
    if isinstance(value, bool):
        return _tagged(2, 0, _varint(value))
    if isinstance(value, str):
        return _long(1, value.encode())
    if isinstance(value, int):
        return _tagged(3, 0, _varint(value))
    if isinstance(value, float):
        return _tagged(4, 1, struct.pack("<d", value))
    if isinstance(value, bytes):
        return _long(7, value)
    if isinstance(value, list):
        return _long(5, b"".join(_long(1, any_value(each)) for each in value))
    if isinstance(value, dict):
        return _long(6, b"".join(_long(1, key_value(*each)) for each in value.items()))
    return b""


def key_value(key: str, value: Any) -> bytes:
    return _long(1, key.encode()) + _long(2, any_value(value))


def any_json(value: Any) -> dict[str, Any]:
    """The same in JSON."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, bytes):
        return {"bytesValue": b64encode(value).decode()}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_json(each) for each in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": [{"key": key, "value": any_json(each)} for key, each in value.items()]}}
    return {}


_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return {key: _plain(each) for key, each in value.items()} if isinstance(value, dict) else value


@given(
    _VALUES,
    st.dictionaries(_TEXT, _VALUES, max_size=3),
    st.integers(1_000_000, (1 << 64) - 1),
    st.binary(min_size=16, max_size=16),
)
def test_both_encodings_say_the_same(body: Any, attributes: dict[str, Any], time: int, trace: bytes) -> None:
    record = _tagged(1, 1, time.to_bytes(8, "little")) + _tagged(2, 0, _varint(9)) + _long(3, b"INFO")
    record += _long(5, any_value(body)) + b"".join(_long(6, key_value(*each)) for each in attributes.items())
    record += _tagged(8, 5, (1).to_bytes(4, "little")) + _long(9, trace) + _long(99, b"unknown")
    scope = _long(1, b"library") + _long(2, b"1.0")
    resource = _long(1, key_value("service.name", "x"))
    logs = _long(1, scope) + _long(2, record)
    binary = _long(1, _long(1, resource) + _long(2, logs) + _long(3, b"https://schema"))
    text = {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "x"}}]},
                "schemaUrl": "https://schema",
                "scopeLogs": [
                    {
                        "scope": {"name": "library", "version": "1.0"},
                        "logRecords": [
                            {
                                "timeUnixNano": str(time),
                                "severityNumber": 9,
                                "severityText": "INFO",
                                "body": any_json(body),
                                "attributes": [
                                    {"key": key, "value": any_json(each)} for key, each in attributes.items()
                                ],
                                "flags": 1,
                                "traceId": trace.hex().upper(),
                                "unknown": {},
                            }
                        ],
                    }
                ],
            }
        ]
    }
    [found] = otlp.from_protobuf(binary, NOW)
    [other] = otlp.from_json(json.dumps(text).encode(), NOW)
    assert found == other
    assert found.timestamp == time // 1_000_000
    document = found.document
    assert document["resource"] == {"attributes": {"service.name": "x"}, "schemaUrl": "https://schema"}
    assert document["scope"] == {"name": "library", "version": "1.0"}
    assert (document["traceId"], document["flags"], document["severityNumber"]) == (trace.hex(), 1, 9)
    assert document["body"] == _plain(body)
    assert document.get("attributes", {}) == _plain(attributes)


def test_times() -> None:
    def at(**times: Any) -> int:
        request = {"resourceLogs": [{"scopeLogs": [{"logRecords": [times]}]}]}
        return otlp.from_json(json.dumps(request).encode(), NOW)[0].timestamp

    assert at(timeUnixNano="5000000", observedTimeUnixNano="9000000") == 5
    assert at(observedTimeUnixNano=9_000_000) == 9
    assert at() == NOW


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"x",
        b'{"resourceLogs": 5}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "x"}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": -1}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": [{}]}]}]}]}',
        b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"bytesValue": "%"}}]}]}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_request_in_json(body: bytes) -> None:
    with pytest.raises(Malformed):
        otlp.from_json(body, NOW)


def _nested(depth: int) -> bytes:
    value = any_value("x")
    for _ in range(depth):
        value = _long(5, _long(1, value))
    return _long(1, _long(2, _long(2, _long(5, value))))


@pytest.mark.parametrize(
    "body",
    [b"\x0a", b"\x0a\x05x", b"\x08\x01", b"\x02", b"\x0b", b"\xff" * 11, _nested(300), _long(1, _long(3, b"\xff"))],
)
def test_what_is_no_request_in_protocol_buffers(body: bytes) -> None:
    with pytest.raises(Malformed):
        otlp.from_protobuf(body, NOW)


@given(st.binary(max_size=64))
def test_any_bytes_are_a_request_or_none(body: bytes) -> None:
    try:
        otlp.from_protobuf(body, NOW)
    except Malformed as error:
        assert str(error)


def test_an_answer_in_protocol_buffers() -> None:
    body = otlp.answer({"tooOldLogEventCount": 300}, as_protobuf=True)
    fields = {1: protobuf.varint("rejected", signed=True), 2: protobuf.text("message")}
    found = protobuf.read(body, {1: protobuf.message("partial", fields)})
    assert found == {"partial": {"rejected": 300, "message": '{"tooOldLogEventCount": 300}'}}


# --- large events ----------------------------------------------------------------------------------


@given(
    st.dictionaries(
        st.text(max_size=5), st.text(max_size=200) | st.lists(st.text(max_size=100), max_size=3), max_size=6
    ),
    st.integers(300, 1500),
)
def test_what_is_cut_off_and_what_is_left_are_the_whole(document: dict[str, Any], most: int) -> None:
    before = json.loads(json.dumps(document))
    names = iter(range(100))
    try:
        message, excess = large_events.cut(document, most, lambda: f"p{next(names)}")
    except TooLarge:
        assert large_events.size_of(large_events.written(before)) > most
        return
    assert large_events.size_of(message) <= most
    found = json.loads(message)
    texts = {each.pointer: each.text for each in excess}
    for name in [name for name in found if name.startswith("@ptr.$") and found[name] in texts]:
        [path] = large_events.paths(name.removeprefix("@ptr.")) or [None]
        text = texts[found.pop(name)]
        if path is None or large_events.reference(path) != name:
            return  # a name with brackets or commas of its own
        value = found
        for part in path[:-1]:
            value = value[part]
        value[path[-1]] += text
    assert found == before


def test_the_largest_fields_are_cut_first() -> None:
    document = {"a": {"b": "x" * 5000}, "c": ["y" * 3000], "d": "z" * 100}
    message, excess = large_events.cut(document, 1000, iter(("one", "two")).__next__)
    found = json.loads(message)
    assert (found["@ptr.$['a']['b']"], found["@ptr.$['c'][0]"]) == ("one", "two")
    assert found["d"] == "z" * 100
    assert len(message) in range(990, 1001)
    assert [each.pointer for each in excess] == ["one", "two"]


def test_ten_fields_at_most() -> None:
    document = {f"f{index}": "x" * 1000 for index in range(30)}
    with pytest.raises(TooLarge):
        large_events.cut(dict(document), 15_000, lambda: "p")
    message, excess = large_events.cut(dict(document), 25_000, lambda: "p")
    assert len(excess) <= 10
    assert len(message) <= 25_000


def test_paths_of_fields() -> None:
    assert large_events.paths("$['input']['message'], $.a.b[0] ,c") == [("input", "message"), ("a", "b", 0), ("c",)]
