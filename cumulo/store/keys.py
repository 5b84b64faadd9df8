"""Tuples as bytes that sort like the tuples.

The encoding is FoundationDB's tuple layer, cut to four kinds of element. Kinds sort as
None < bytes < str < int; str sort by code point, int by value; a tuple sorts before its
extensions. So a packed tuple is a prefix of every packed extension of it, and nothing else is.
"""

Element = str | bytes | int | None

_ZERO = 0x14  # the code of int 0; 8 codes each side say sign and length of an int
_CODES = {length: bytes((_ZERO + length,)) for length in range(-8, 9)}
_LARGEST = (1 << 64) - 1
_SMALL = {number: bytes((_ZERO + 1, number)) for number in range(1, 256)} | {0: bytes((_ZERO,))}


def pack(*elements: Element) -> bytes:
    """The bytes of a tuple.

    Raises TypeError for another kind of element (bool and float among them), ValueError for an int
    beyond ±(2**64 - 1) and UnicodeEncodeError for a str with a lone surrogate.
    """
    return pack_all(elements)


def pack_all(elements: tuple[Element, ...]) -> bytes:
    """The same of a tuple that is at hand."""
    packed = b""
    for element in elements:
        kind = type(element)  # `type is` rather than isinstance: twice as fast, and a bool is no int here
        if kind is str and "\x00" not in element:  # type: ignore[operator]
            packed += f"\x02{element}\x00".encode()  # type: ignore[str-bytes-safe]
        elif kind is int:
            packed += _SMALL.get(element) or _pack_int(element)  # type: ignore[arg-type]
        elif kind is bytes:
            packed += b"\x01%b\x00" % element.replace(b"\x00", b"\x00\xff")  # type: ignore[union-attr,arg-type,str-format]
        elif element is None:
            packed += b"\x00"
        else:
            packed += _pack_unusual(element)
    return packed


def _pack_int(number: int) -> bytes:
    length = (number.bit_length() + 7) >> 3
    if length > 8:
        raise ValueError(f"an int in a key has at most 64 bits, not {number.bit_length()}")
    if number >= 0:
        return _CODES[length] + number.to_bytes(length, "big")
    return _CODES[-length] + (number + (1 << (8 * length)) - 1).to_bytes(length, "big")


def _pack_unusual(element: object) -> bytes:
    """A str with a zero in it, or a str enumeration's member; whatever else comes here is the caller's mistake."""
    if isinstance(element, str):
        return b"\x02%b\x00" % str.encode(element).replace(b"\x00", b"\x00\xff")
    raise TypeError(f"a key is made of str, bytes, int and None, not {type(element).__name__}")


def unpack(packed: bytes) -> tuple[Element, ...]:
    """The tuple of packed bytes. Raises ValueError when they are no packed tuple."""
    elements: list[Element] = []
    position, size = 0, len(packed)
    while position < size:
        code = packed[position]
        position += 1
        if code == 0:
            elements.append(None)
        elif code <= 2:
            end = _end_of_text(packed, position)
            data = packed[position:end].replace(b"\x00\xff", b"\x00")
            elements.append(data.decode() if code == 2 else data)
            position = end + 1
        elif -8 <= code - _ZERO <= 8:
            length = abs(code - _ZERO)
            if position + length > size:
                raise ValueError("a packed int is cut short")
            number = int.from_bytes(packed[position : position + length], "big")
            elements.append(number if code >= _ZERO else number - (1 << (8 * length)) + 1)
            position += length
        else:
            raise ValueError(f"no packed element begins with byte {code:#x}")
    return tuple(elements)


def _end_of_text(packed: bytes, start: int) -> int:
    """Where the terminating zero stands; a zero followed by 0xff is part of the text."""
    end = packed.find(b"\x00", start)
    while end >= 0 and packed[end + 1 : end + 2] == b"\xff":
        end = packed.find(b"\x00", end + 2)
    if end < 0:
        raise ValueError("a packed text is cut short")
    return end


def prefix_range(prefix: bytes) -> tuple[bytes, bytes]:
    """(begin, end) holding every packed extension of a packed tuple, and not the tuple itself.

    `prefix_range(b"")` holds every packed tuple but the empty one.
    """
    return prefix + b"\x00", prefix + b"\xff"
