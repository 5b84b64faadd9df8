"""DynamoDB's numbers: decimal texts of up to 38 digits, kept in the form in which AWS answers them.

Sources: DynamoDB Developer Guide, "Naming rules and data types", Number: 38 digits of precision; zero, or a magnitude
of 1E-130 to 9.9999999999999999999999999999999999999E+125; leading and trailing zeros are trimmed. Observed in AWS's
answers: numbers come back without an exponent (1E125 as 126 digits); zero is checked by the exponent that it is
written with; an exponent beyond 64 bits is no number at all.
"""

import re
from decimal import Context, Decimal

from cumulo.services.data.dynamodb.errors import VALIDATION

MAX_DIGITS = 38
MIN_EXPONENT = -130
MAX_EXPONENT = 125

_NOT_NUMERIC = "The parameter cannot be converted to a numeric value: {}"
_TOO_MANY_DIGITS = "Attempting to store more than 38 significant digits in a Number"
_OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
_UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"

_PLAIN = re.compile(r"(?:0|-?[1-9][0-9]{0,37})\Z")  # whole, and written as it is kept
_NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?\Z")
_EXACT = Context(prec=700)  # sums of any two numbers in range have fewer digits

_NEGATIVE, _ZERO, _POSITIVE = b"\x7f", b"\x80", b"\x81"
_COMPLEMENT = bytes([255 - byte for byte in range(256)])
_UP = bytes([(byte + 1) % 256 for byte in range(256)])
_DOWN = bytes([(byte - 1) % 256 for byte in range(256)])


def is_plain(text: str) -> bool:
    """Whether it is a whole number above 0, written as it is kept: as most are."""
    return text.isdigit() and text[0] != "0" and len(text) <= MAX_DIGITS and text.isascii()


def normalize(text: str) -> str:
    """The number as DynamoDB keeps and answers it: plain digits without an exponent or idle zeros.

    Raises ValidationException in AWS's words for what is no number, has over 38 digits or is out of range.
    """
    if is_plain(text) or _PLAIN.match(text):
        return text
    found = _NUMBER.match(text)
    if found is None:
        raise VALIDATION(_NOT_NUMERIC.format(text))
    sign, whole, fraction, written = found.groups()
    fraction = fraction or ""
    exponent = int(written) if written and len(written) < 25 else 0 if not written else 1 << 64
    if not (whole or fraction) or not -(1 << 63) <= exponent < 1 << 63:
        raise VALIDATION(_NOT_NUMERIC.format(text))
    digits = (whole + fraction).lstrip("0")
    if not digits:
        _check_range(exponent - len(fraction), exponent - len(fraction))
        return "0"
    leading = exponent - len(fraction) + len(digits) - 1  # the exponent of the first digit
    digits = digits.rstrip("0")
    _check_range(leading, leading)
    if len(digits) > MAX_DIGITS:
        raise VALIDATION(_TOO_MANY_DIGITS)
    return ("-" if sign == "-" else "") + _written(digits, leading)


def _check_range(lowest: int, highest: int) -> None:
    if highest > MAX_EXPONENT:
        raise VALIDATION(_OVERFLOW)
    if lowest < MIN_EXPONENT:
        raise VALIDATION(_UNDERFLOW)


def _written(digits: str, leading: int) -> str:
    """Plain digits of a number: its significant digits, and the exponent of the first."""
    if leading < 0:
        return "0." + "0" * (-leading - 1) + digits
    if len(digits) <= leading + 1:
        return digits + "0" * (leading + 1 - len(digits))
    return digits[: leading + 1] + "." + digits[leading + 1 :]


def _taken_apart(text: str) -> tuple[str, int]:
    """Significant digits and the exponent of the first, of a normalized number other than zero, without its sign."""
    whole, _, fraction = text.partition(".")
    if whole != "0":
        return (whole + fraction).rstrip("0"), len(whole) - 1
    digits = fraction.lstrip("0")
    return digits, len(digits) - len(fraction) - 1


def sort_bytes(text: str) -> bytes:
    """Bytes of a normalized number that sort as the numbers do.

    A byte for the sign, one for the exponent, then two digits a byte, and 1 added to each; a negative number's bytes
    are complemented and end with 0xff, so that of two with a common beginning the longer sorts first.
    """
    if text == "0":
        return _ZERO
    negative = text[0] == "-"
    digits, leading = _taken_apart(text[1:] if negative else text)
    if len(digits) & 1:
        digits += "0"
    body = bytes((leading - MIN_EXPONENT,)) + bytes.fromhex(digits).translate(_UP)
    return _NEGATIVE + body.translate(_COMPLEMENT) + b"\xff" if negative else _POSITIVE + body


def from_sort_bytes(encoded: bytes) -> str:
    """The normalized number of such bytes."""
    if encoded == _ZERO:
        return "0"
    negative = encoded[:1] == _NEGATIVE
    body = encoded[1:-1].translate(_COMPLEMENT) if negative else encoded[1:]
    digits = body[1:].translate(_DOWN).hex().rstrip("0")
    return ("-" if negative else "") + _written(digits, body[0] + MIN_EXPONENT)


def value_of(text: str) -> int | Decimal:
    """A normalized number as one that Python compares exactly."""
    return Decimal(text) if "." in text else int(text)


def add(left: str, right: str) -> str:
    """The sum of two normalized numbers, normalized. Raises ValidationException when it cannot be kept."""
    if "." not in left and "." not in right:
        return normalize(str(int(left) + int(right)))
    return normalize(str(_EXACT.add(Decimal(left), Decimal(right))))


def subtract(left: str, right: str) -> str:
    """The difference of two normalized numbers, normalized. Raises ValidationException when it cannot be kept."""
    if "." not in left and "." not in right:
        return normalize(str(int(left) - int(right)))
    return normalize(str(_EXACT.subtract(Decimal(left), Decimal(right))))


def size_of(text: str) -> int:
    """The bytes that a normalized number counts in an item.

    One, one more for two digits before the point, for two after it, and for a minus. Observed in AWS's limit of
    400 KB; the guide ("1 byte per two significant digits plus 1 byte") leaves out that the point parts the digits.
    """
    if "." not in text:
        if text[0] == "-":
            return 1 + len(text.rstrip("0")) // 2 + 1
        return 1 + (len(text.rstrip("0")) + 1) // 2
    negative = text[0] == "-"
    whole, _, fraction = (text[1:] if negative else text).partition(".")
    if whole == "0":
        whole = ""
        fraction = fraction.lstrip("0")
    return 1 + (len(whole) + 1) // 2 + (len(fraction) + 1) // 2 + negative
