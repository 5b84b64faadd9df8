"""The wire format of Protocol Buffers, as far as OTLP's logs need it: fields of a message, by a description of them.

A dozen messages that never change do not need a library and its compiler. Source: protobuf.dev, "Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEPTH = 100


class Malformed(ValueError):
    """Bytes that are no such message."""


class Field(NamedTuple):
    """A field: its name in JSON, how its bytes become a value, and whether there may be many."""

    name: str
    wire: int
    read: Callable[[Any, int], Any]
    repeated: bool = False


Message = dict[int, Field]


def varint(name: str, *, signed: bool = False) -> Field:
    """An int64 (signed), a uint32, an enum."""
    return Field(name, _VARINT, _signed if signed else _as_it_is)


def truth(name: str) -> Field:
    """A bool."""
    return Field(name, _VARINT, lambda value, _: bool(value))


def fixed64(name: str) -> Field:
    """A fixed64."""
    return Field(name, _FIXED64, lambda value, _: int.from_bytes(value, "little"))


def fixed32(name: str) -> Field:
    """A fixed32."""
    return Field(name, _FIXED32, lambda value, _: int.from_bytes(value, "little"))


def double(name: str) -> Field:
    """A double."""
    return Field(name, _FIXED64, lambda value, _: struct.unpack("<d", value)[0])


def text(name: str) -> Field:
    """A string."""
    return Field(name, _BYTES, _text)


def raw(name: str) -> Field:
    """A bytes field."""
    return Field(name, _BYTES, lambda value, _: bytes(value))


def message(name: str, fields: Message, *, repeated: bool = False) -> Field:
    """A message within the message."""
    return Field(name, _BYTES, lambda value, depth: read(value, fields, depth + 1), repeated)


def read(data: bytes | memoryview, fields: Message, depth: int = 0) -> dict[str, Any]:
    """A message's fields by name; those that are not described are passed over. Raises Malformed."""
    if depth > _DEPTH:
        raise Malformed("The message is nested too deeply.")
    found: dict[str, Any] = {}
    for number, wire, value in _fields(memoryview(data)):
        field = fields.get(number)
        if field is None:
            continue
        if wire != field.wire:
            raise Malformed(f"The field {field.name} has a wrong wire type.")
        if field.repeated:
            found.setdefault(field.name, []).append(field.read(value, depth))
        else:
            found[field.name] = field.read(value, depth)
    return found


def _fields(data: memoryview) -> Iterator[tuple[int, int, Any]]:
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise Malformed("A field has the number 0.")
        value: Any
        if wire == _VARINT:
            value, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32, _BYTES):
            size = 8 if wire == _FIXED64 else 4
            if wire == _BYTES:
                size, at = _varint(data, at)
            if at + size > end:
                raise Malformed("The message is cut off.")
            value, at = data[at : at + size], at + size
        else:
            raise Malformed(f"The wire type {wire} is not known.")
        yield number, wire, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7
        if shift > 63:
            raise Malformed("A number is too long.")
    raise Malformed("The message is cut off.")


def _as_it_is(value: int, depth: int) -> int:
    return value


def _signed(value: int, depth: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _text(value: memoryview, depth: int) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        raise Malformed("A string is not valid UTF-8.") from None


def written(fields: list[tuple[int, int | str | bytes]]) -> bytes:
    """A small message: numbers as varints, texts and bytes with their length."""
    out = bytearray()
    for number, value in fields:
        if isinstance(value, int):
            out += _number(number << 3 | _VARINT) + _number(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += _number(number << 3 | _BYTES) + _number(len(data)) + data
    return bytes(out)


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
