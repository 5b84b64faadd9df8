"""CBOR (RFC 8949) as DAX uses it: keys of maps of any kind, decimal fractions, and four tags of its own.

    sets of strings, numbers and binaries    ValueSet    tags 3321, 3322, 3323
    list positions in document paths         Ordinal     tag 3324
    decimal fractions                        Decimal     tag 4

Maps, arrays and texts may have no length in advance.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

DEPTH_LIMIT = 100
ELEMENTS_LIMIT = 1 << 18  # of one call, and far more than any has: items travel as bytes within it
SETS = {3321: "SS", 3322: "NS", 3323: "BS"}
SET_TAGS = {name: tag for tag, name in SETS.items()}
ORDINAL = 3324
DECIMAL = 4
MAP_BEGIN, BREAK, NULL = b"\xbf", b"\xff", b"\xf6"

_BREAK = object()
_FLOATS = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}


class MalformedItem(ValueError):
    """The bytes are no CBOR that DAX uses."""


class Truncated(MalformedItem):
    """The bytes end within an item."""


class Ordinal(int):
    """A position in a list, within a document path."""


class ValueSet:
    """A set: what it is of ("SS", "NS", "BS"), and its elements as DynamoDB's API has them."""

    __slots__ = ("elements", "kind")

    def __init__(self, kind: str, elements: list[Any]) -> None:
        self.kind = kind
        self.elements = elements


class Reader:
    """Items one after the other."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def at_end(self) -> bool:
        """Whether all items were read."""
        return self.at >= len(self.data)

    def rest(self) -> bytes:
        """The bytes that are left, which are no items."""
        found = self.data[self.at :]
        self.at = len(self.data)
        return found

    def item(self, depth: int = 0) -> Any:
        """The next item. Raises MalformedItem."""
        value = self._item(depth)
        if value is _BREAK:
            raise MalformedItem("a break without a beginning")
        return value

    def _take(self, size: int) -> bytes:
        end = self.at + size
        if end > len(self.data):
            raise Truncated("truncated")
        found = self.data[self.at : end]
        self.at = end
        return found

    def _argument(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise MalformedItem("reserved additional information")
        return int.from_bytes(self._take(1 << info - 24), "big")

    def _item(self, depth: int) -> Any:
        if depth > DEPTH_LIMIT:
            raise MalformedItem("nested too deeply")
        initial = self._take(1)[0]
        major, info = initial >> 5, initial & 31
        if major == 7:
            return self._simple(info)
        if info == 31:
            return self._endless(major, depth)
        argument = self._argument(info)
        if major < 2:
            return argument if major == 0 else -1 - argument
        if major == 2:
            return self._take(argument)
        if major == 3:
            return _text(self._take(argument))
        if major == 6:
            return self._tagged(argument, depth)
        if argument > len(self.data) - self.at:  # every element takes a byte at least
            raise Truncated("truncated")
        if major == 4:
            return [self.item(depth + 1) for _ in range(argument)]
        return {_key(self.item(depth + 1)): self.item(depth + 1) for _ in range(argument)}

    def _endless(self, major: int, depth: int) -> Any:
        if major not in (2, 3, 4, 5):
            raise MalformedItem("no such indefinite length")
        found: list[Any] = []
        while (value := self._item(depth + 1)) is not _BREAK:
            found.append(value)
        if major == 4:
            return found
        if major == 5:
            if len(found) % 2:
                raise MalformedItem("a key without a value")
            return {_key(key): value for key, value in zip(found[::2], found[1::2], strict=True)}
        if any(type(part) is not (bytes if major == 2 else str) for part in found):
            raise MalformedItem("a wrong chunk")
        return b"".join(found) if major == 2 else "".join(found)

    def _simple(self, info: int) -> Any:
        if info in (20, 21):
            return info == 21
        if info in (22, 23):
            return None
        if info == 31:
            return _BREAK
        layout = _FLOATS.get(info)
        if layout is None:
            raise MalformedItem("an unknown simple value")
        return layout.unpack(self._take(layout.size))[0]

    def _tagged(self, tag: int, depth: int) -> Any:
        value = self.item(depth + 1)
        if tag in (2, 3) and type(value) is bytes and len(value) <= 64:
            number = int.from_bytes(value, "big")
            return number if tag == 2 else -1 - number
        if tag == DECIMAL and type(value) is list and len(value) == 2:
            exponent, mantissa = value
            if type(exponent) is int and type(mantissa) is int and -1000 <= exponent <= 1000:
                sign, digits, _ = Decimal(mantissa).as_tuple()
                return Decimal((sign, digits, exponent))  # not scaleb(), which rounds to 28 digits
        if tag in SETS and type(value) is list:
            kind = SETS[tag]
            if kind != "NS" and any(type(each) is not (str if kind == "SS" else bytes) for each in value):
                raise MalformedItem("a wrong element in a set")
            return ValueSet(kind, [number_text(each) for each in value] if kind == "NS" else value)
        if tag == ORDINAL and type(value) is int:
            return Ordinal(value)
        raise MalformedItem("an unknown tag")


def _text(chunk: bytes) -> str:
    try:
        return chunk.decode()
    except UnicodeDecodeError:
        raise MalformedItem("text is not UTF-8") from None


def _key(value: Any) -> Any:
    if type(value) not in (str, int, bytes):
        raise MalformedItem("a map's key is neither text nor a number")
    return value


def number_text(value: Any) -> str:
    """A number as DynamoDB's API writes it. Raises MalformedItem for what is none."""
    if type(value) is int:
        return str(value)
    if isinstance(value, Decimal):
        return str(value)
    if type(value) is float and math.isfinite(value):
        return repr(value)
    raise MalformedItem("not a number")


# --- writing ---------------------------------------------------------------------------------------------


def head(major: int, argument: int) -> bytes:
    """The beginning of an item of a major type, with its length or number."""
    if argument < 24:
        return bytes((major << 5 | argument,))
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * size:
            return bytes((major << 5 | info,)) + argument.to_bytes(size, "big")
    raise ValueError("too large for one head")


def integer(value: int) -> bytes:
    """A whole number of any size."""
    magnitude = value if value >= 0 else -1 - value
    if magnitude < 1 << 64:
        return head(0 if value >= 0 else 1, magnitude)
    data = magnitude.to_bytes((magnitude.bit_length() + 7) // 8, "big")
    return head(6, 2 if value >= 0 else 3) + head(2, len(data)) + data


def number(text: str) -> bytes:
    """A number of DynamoDB's."""
    value = Decimal(text)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    mantissa = int("".join(map(str, digits)) or "0") * (-1 if sign else 1)
    if exponent >= 0 and len(digits) + exponent <= 38:
        return integer(mantissa * 10**exponent)
    return head(6, DECIMAL) + head(4, 2) + integer(exponent) + integer(mantissa)


def text(value: str) -> bytes:
    """A text."""
    encoded = value.encode()
    return head(3, len(encoded)) + encoded


def binary(value: bytes) -> bytes:
    """Bytes."""
    return head(2, len(value)) + value


def floating(value: float) -> bytes:
    """A double."""
    return b"\xfb" + struct.pack(">d", value)


def array(items: Iterable[bytes]) -> bytes:
    """An array of items that are written already."""
    written = list(items)
    return head(4, len(written)) + b"".join(written)


def mapping(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A map of keys and values that are written already."""
    written = [key + value for key, value in pairs]
    return head(5, len(written)) + b"".join(written)


# --- how much has come --------------------------------------------------------------------------------------


class Scanner:
    """Finds the end of items in bytes that come piece by piece, without reading anything twice."""

    __slots__ = ("_begun", "_left", "at", "done")

    def __init__(self, at: int = 0) -> None:
        self.at = at  # where the next head begins
        self.done = 0  # items that are whole
        self._begun = 0  # heads that were read
        self._left: list[int] = []  # elements that each open array, map or tag still lacks; -1: until a break

    def run(self, data: bytes | bytearray, wanted: int) -> bool:
        """Go on until so many items are whole; False when more bytes are needed. Raises MalformedItem."""
        while self.done < wanted:
            if not self._step(data):
                return False
        return True

    def _step(self, data: bytes | bytearray) -> bool:
        at = self.at
        if at >= len(data):
            return False
        if self._begun >= ELEMENTS_LIMIT:
            raise MalformedItem("too many elements")
        initial = data[at]
        major, info = initial >> 5, initial & 31
        at += 1
        if initial == 0xFF:
            if not self._left or self._left.pop() != -1:
                raise MalformedItem("a break without a beginning")
            self.at = at
            self._begun += 1
            self._one_done()
            return True
        argument = info
        if 24 <= info <= 27:
            size = 1 << info - 24
            if at + size > len(data):
                return False
            argument = int.from_bytes(data[at : at + size], "big")
            at += size
        elif info in (28, 29, 30) or (info == 31 and major not in (2, 3, 4, 5)):
            raise MalformedItem("reserved additional information")
        if info == 31:
            self._open(-1)
        elif major in (2, 3):
            if at + argument > len(data):
                return False
            at += argument
            self._one_done()
        elif major in (4, 5, 6):
            count = 1 if major == 6 else argument * (2 if major == 5 else 1)
            if count:
                self._open(count)
            else:
                self._one_done()
        else:
            self._one_done()
        self.at = at
        self._begun += 1
        return True

    def _open(self, count: int) -> None:
        if len(self._left) > DEPTH_LIMIT:
            raise MalformedItem("nested too deeply")
        self._left.append(count)

    def _one_done(self) -> None:
        left = self._left
        while left:
            if left[-1] == -1:
                return
            left[-1] -= 1
            if left[-1]:
                return
            left.pop()
        self.done += 1
