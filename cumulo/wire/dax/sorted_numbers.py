"""Numbers as bytes in their order: the sort keys of DAX.

A first byte says sign and power of ten, then come the digits in threes, ten bits each, moved up by 12 to leave room
for the marks that end them: 0, 1 and 2 say how many digits the last three hold. A negative number has the complements.
"""

from __future__ import annotations

from decimal import Decimal

from cumulo.wire.dax.items import MalformedItem

_ZERO = 0x80
_NEAR = 0x3E  # powers of ten from -62 to 61 fit into the first byte
_LIMIT = 1000
_FIRST = 12


def encode(value: Decimal) -> bytes:
    """The bytes of a number."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if not any(digits):
        return bytes((_ZERO,))
    power = len(digits) + exponent
    out = bytearray(_head(bool(sign), power))
    text = "".join(map(str, digits))
    last = (len(text) - 1) % 3
    text += "0" * (2 - last)
    tens = [int(text[at : at + 3]) for at in range(0, len(text), 3)]
    groups = [999 - each + _FIRST if sign else each + _FIRST for each in tens]
    groups.append(1023 - last if sign else last)
    bits = 0
    for group in groups:
        bits = bits << 10 | group
    size = 10 * len(groups)
    bits <<= -size % 8
    return bytes(out) + bits.to_bytes((size + 7) // 8, "big")


def _head(negative: bool, power: int) -> bytes:
    if -_NEAR <= power < _NEAR:
        return bytes((0x3F - power if negative else 0xC0 + power,))
    if negative:
        return bytes((0x7E if power < 0 else 0x01,)) + ((power & 0xFFFFFFFF) ^ 0x7FFFFFFF).to_bytes(4, "big")
    return bytes((0x81 if power < 0 else 0xFE,)) + ((power & 0xFFFFFFFF) ^ 0x80000000).to_bytes(4, "big")


def decode(data: bytes) -> Decimal:
    """The number of such bytes. Raises MalformedItem."""
    if not data:
        raise MalformedItem("a number without bytes")
    first = data[0]
    if first in (0x7F, _ZERO):
        return Decimal(0)
    negative, power, at = _read_head(data)
    digits = ""
    bits, count = 0, 0
    while True:
        if at >= len(data):
            raise MalformedItem("a number without an end")
        bits = (bits << 8 | data[at]) & 0xFFFFFF
        count += 8
        at += 1
        if count < 10:
            continue
        count -= 10
        group = bits >> count & 0x3FF
        last = 1023 - group if negative else group
        if last < 3:
            digits = digits[: len(digits) - 2 + last]
            break
        three = 999 - (group - _FIRST) if negative else group - _FIRST
        if not 0 <= three <= 999:
            raise MalformedItem("no such digits")
        digits += f"{three:03d}"
    if not digits or len(digits) > 60:
        raise MalformedItem("a number without digits")
    return Decimal((negative, tuple(map(int, digits)), power - len(digits)))


def _read_head(data: bytes) -> tuple[bool, int, int]:
    first = data[0]
    if first in (0x01, 0x7E, 0x81, 0xFE):
        if len(data) < 5:
            raise MalformedItem("a number without an end")
        negative = first in (0x01, 0x7E)
        power = int.from_bytes(data[1:5], "big") ^ (0x7FFFFFFF if negative else 0x80000000)
        power = (power & 0x7FFFFFFF) - (power & 0x80000000)
        if abs(power) > _LIMIT:
            raise MalformedItem("a number out of range")
        return negative, power, 5
    if first in (0x00, 0xFF):
        raise MalformedItem("no number")
    if first >= 0x82:
        return False, first - 0xC0, 1
    return True, 0x3F - first, 1
