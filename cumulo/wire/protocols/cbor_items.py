"""Concise Binary Object Representation (RFC 8949), as much of it as Smithy's RPC v2 uses.

Maps with text keys, arrays, text, bytes, integers to 64 bits, half to double floats, booleans, null, undefined,
timestamps (tag 1), big integers (tags 2 and 3); definite and indefinite lengths. Everything else is refused.
"""

import math
import struct
from typing import Any

DEPTH_LIMIT = 128
_BREAK = object()
_unpack_float = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}
_pack_double = struct.Struct(">Bd").pack


class MalformedCbor(ValueError):
    """The bytes are no CBOR that we read."""


class Timestamp(float):
    """Epoch seconds that travel under tag 1."""


def decode(data: bytes) -> Any:
    """The one item that these bytes hold. Raises MalformedCbor, also for what follows it."""
    value, end = _item(data, 0, 0)
    if value is _BREAK:
        raise MalformedCbor("break without a beginning")
    if end != len(data):
        raise MalformedCbor("bytes after the end")
    return value


def _argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    if info < 24:
        return info, at
    if info > 27:
        raise MalformedCbor("reserved additional information")
    size = 1 << (info - 24)
    if at + size > len(data):
        raise MalformedCbor("truncated")
    return int.from_bytes(data[at : at + size], "big"), at + size


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if depth > DEPTH_LIMIT:
        raise MalformedCbor("nested too deeply")
    if at >= len(data):
        raise MalformedCbor("truncated")
    initial = data[at]
    major, info, at = initial >> 5, initial & 31, at + 1
    if major == 7:
        return _simple(data, at, info)
    if info == 31:
        if major in (2, 3):
            return _chunks(data, at, major)
        if major in (4, 5):
            return _array(data, at, None, depth) if major == 4 else _map(data, at, None, depth)
        raise MalformedCbor("no such indefinite length")
    argument, at = _argument(data, at, info)
    if major == 0:
        return argument, at
    if major == 1:
        return -1 - argument, at
    if major == 6:
        return _tagged(data, at, argument, depth)
    if argument > len(data) - at:  # every element takes a byte at least
        raise MalformedCbor("truncated")
    if major == 4:
        return _array(data, at, argument, depth)
    if major == 5:
        return _map(data, at, argument, depth)
    chunk = data[at : at + argument]
    return (chunk if major == 2 else _text(chunk)), at + argument


def _text(chunk: bytes) -> str:
    try:
        return chunk.decode()
    except UnicodeDecodeError:
        raise MalformedCbor("text is not UTF-8") from None


def _chunks(data: bytes, at: int, major: int) -> tuple[Any, int]:
    parts: list[bytes] = []
    while True:
        if at >= len(data):
            raise MalformedCbor("truncated")
        initial = data[at]
        at += 1
        if initial == 0xFF:
            joined = b"".join(parts)
            return (joined if major == 2 else _text(joined)), at
        if initial >> 5 != major or initial & 31 == 31:
            raise MalformedCbor("wrong chunk")
        length, at = _argument(data, at, initial & 31)
        if length > len(data) - at:
            raise MalformedCbor("truncated")
        parts.append(data[at : at + length])
        at += length


def _array(data: bytes, at: int, count: int | None, depth: int) -> tuple[list[Any], int]:
    out: list[Any] = []
    while count is None or len(out) < count:
        value, at = _item(data, at, depth + 1)
        if value is _BREAK:
            if count is None:
                break
            raise MalformedCbor("break inside a definite array")
        out.append(value)
    return out, at


def _map(data: bytes, at: int, count: int | None, depth: int) -> tuple[dict[str, Any], int]:
    out: dict[str, Any] = {}
    read = 0
    while count is None or read < count:
        key, at = _item(data, at, depth + 1)
        if key is _BREAK and count is None:
            break
        if type(key) is not str:
            raise MalformedCbor("map key is not text")
        value, at = _item(data, at, depth + 1)
        if value is _BREAK:
            raise MalformedCbor("break instead of a value")
        out[key] = value
        read += 1
    return out, at


def _simple(data: bytes, at: int, info: int) -> tuple[Any, int]:
    if info in (20, 21):
        return info == 21, at
    if info in (22, 23):
        return None, at
    if info == 31:
        return _BREAK, at
    layout = _unpack_float.get(info)
    if layout is None:
        raise MalformedCbor("unknown simple value")
    if at + layout.size > len(data):
        raise MalformedCbor("truncated")
    return layout.unpack_from(data, at)[0], at + layout.size


def _tagged(data: bytes, at: int, tag: int, depth: int) -> tuple[Any, int]:
    value, at = _item(data, at, depth + 1)
    if tag == 1 and type(value) in (int, float):
        try:
            return Timestamp(value), at
        except OverflowError:
            raise MalformedCbor("no such timestamp") from None
    if tag in (2, 3) and type(value) is bytes and len(value) <= 1024:
        number = int.from_bytes(value, "big")
        return (number if tag == 2 else -1 - number), at
    raise MalformedCbor("unknown tag")


def encode(value: Any) -> bytes:
    """One item. Raises TypeError for what CBOR has no form for here."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


def _head(out: bytearray, major: int, argument: int) -> None:
    if argument < 24:
        out.append(major << 5 | argument)
    elif argument < 0x100:
        out += bytes((major << 5 | 24, argument))
    elif argument < 0x10000:
        out.append(major << 5 | 25)
        out += argument.to_bytes(2, "big")
    elif argument < 0x100000000:
        out.append(major << 5 | 26)
        out += argument.to_bytes(4, "big")
    else:
        out.append(major << 5 | 27)
        out += argument.to_bytes(8, "big")


def _write(out: bytearray, value: Any) -> None:
    kind = type(value)
    if kind is str:
        encoded = value.encode("utf-8", "replace")
        _head(out, 3, len(encoded))
        out += encoded
    elif kind is dict:
        _head(out, 5, len(value))
        for key, item in value.items():
            _write(out, key)
            _write(out, item)
    elif kind is bool:
        out.append(0xF5 if value else 0xF4)
    elif kind is int:
        _write_integer(out, value)
    elif kind is list or kind is tuple:
        _head(out, 4, len(value))
        for item in value:
            _write(out, item)
    elif kind is Timestamp:
        out.append(0xC1)
        _write(out, int(value) if value.is_integer() else float(value))
    elif kind is float:
        out += b"\xf9\x7e\x00" if math.isnan(value) else _pack_double(0xFB, value)
    elif value is None:
        out.append(0xF6)
    elif kind in (bytes, bytearray, memoryview):
        _head(out, 2, len(value))
        out += value
    else:
        raise TypeError(f"no CBOR for {kind.__name__}")


def _write_integer(out: bytearray, value: int) -> None:
    magnitude = value if value >= 0 else -1 - value
    if magnitude < 1 << 64:
        _head(out, 0 if value >= 0 else 1, magnitude)
        return
    data = magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")
    out.append(0xC2 if value >= 0 else 0xC3)
    _head(out, 2, len(data))
    out += data
