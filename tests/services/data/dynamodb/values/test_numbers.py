"""Numbers against `decimal`, and in AWS's words."""

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.values import numbers

EXACT = Context(prec=400, Emin=-10000, Emax=10000)


@st.composite
def decimals(draw: st.DrawFn) -> Decimal:
    digits = draw(st.text("0123456789", min_size=1, max_size=38))
    exponent = draw(st.integers(-130, 125)) - len(digits) + 1
    number = EXACT.create_decimal(f"{draw(st.sampled_from(['', '-']))}{digits}E{exponent}")
    if not number:
        return Decimal(0)  # a zero's exponent counts too: "0E-131" is out of range
    leading = number.adjusted()
    return number if -130 <= leading <= 125 else Decimal(0)


@st.composite
def spellings(draw: st.DrawFn, number: Decimal) -> str:
    """A text of the number, in one of its many forms."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    shift = draw(st.integers(0, 50))
    body = "".join(map(str, digits))
    text = "0" * draw(st.integers(0, 3)) + body
    at = draw(st.integers(0, len(text)))
    written = exponent + len(text) - at
    text = text[:at] + "." + text[at:] + "0" * (shift % 4) if draw(st.booleans()) else text
    if "." not in text:
        written = exponent
    mark = "-" if sign else draw(st.sampled_from(["", "+"]))
    return (
        f"{mark}{text}{draw(st.sampled_from('eE'))}{draw(st.sampled_from(['', '+'])) if written >= 0 else ''}{written}"
    )


@given(st.data(), decimals())
def test_every_spelling_is_the_same_number(data: st.DataObject, number: Decimal) -> None:
    if not number:
        return
    text = numbers.normalize(data.draw(spellings(number)))
    assert Decimal(text) == number
    assert text == format(number.normalize(EXACT), "f")
    assert numbers.normalize(text) == text


@given(decimals(), decimals())
def test_bytes_sort_as_numbers(left: Decimal, right: Decimal) -> None:
    one, two = numbers.normalize(str(left)), numbers.normalize(str(right))
    first, second = numbers.sort_bytes(one), numbers.sort_bytes(two)
    assert (first < second) == (left < right)
    assert (first == second) == (left == right)
    assert numbers.from_sort_bytes(first) == one


@given(decimals(), decimals())
def test_sums_are_exact(left: Decimal, right: Decimal) -> None:
    for work, exact in ((numbers.add, EXACT.add), (numbers.subtract, EXACT.subtract)):
        wanted = exact(left, right)
        try:
            assert Decimal(work(numbers.normalize(str(left)), numbers.normalize(str(right)))) == wanted
        except Fault:
            leading = wanted.adjusted()
            assert len(wanted.normalize(EXACT).as_tuple().digits) > 38 or not -130 <= leading <= 125


@given(decimals())
def test_comparison_values_are_the_number(number: Decimal) -> None:
    assert numbers.value_of(numbers.normalize(str(number))) == number


# Observed in AWS's limit of 400 KB (2026-08-18), each to the byte.
@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 1), ("1", 2), ("12", 2), ("123", 3), ("1234", 3), ("12345678901234567890123456789012345678", 20),
        ("0042", 2), ("100", 2), ("1010", 3), ("0.0000001", 2), ("1E125", 2), ("1E-100", 2), ("1.5", 3), ("15", 2),
        ("1.2", 3), ("1.200", 3), ("1.234", 4), ("3.14159", 5), ("123456", 4), ("100.5", 4), ("0.15", 2), ("-42", 3),
        ("-0", 1),
    ],
)  # fmt: skip
def test_sizes_are_aws_s(text: str, size: int) -> None:
    assert numbers.size_of(numbers.normalize(text)) == size


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("0042.1200", "42.12"),
        ("1E125", "1" + "0" * 125),
        ("-0", "0"),
        ("1.5E2", "150"),
        ("0e125", "0"),
        (".5", "0.5"),
        ("5.", "5"),
    ],
)
def test_numbers_come_back_plain(text: str, kept: str) -> None:
    assert numbers.normalize(text) == kept
