"""DynamoDB's numbers: decimal texts of up to 38 digits, kept in the form in which AWS answers them.

Source: DynamoDB Developer Guide, "Naming rules and data types", Number: 38 digits of precision; zero, or a magnitude
of 1E-130 to 9.9999999999999999999999999999999999999E+125; leading and trailing zeros are trimmed.
"""


def normalize(text: str) -> str:
    """The number as DynamoDB keeps and answers it: plain digits without an exponent or idle zeros.

    Raises ValidationException in AWS's words for what is no number, has over 38 digits or is out of range.
    """
    raise NotImplementedError


def sort_bytes(text: str) -> bytes:
    """Bytes of a normalized number that sort as the numbers do."""
    raise NotImplementedError


def from_sort_bytes(encoded: bytes) -> str:
    """The normalized number of such bytes."""
    raise NotImplementedError


def add(left: str, right: str) -> str:
    """The sum of two normalized numbers, normalized. Raises ValidationException when it is out of range."""
    raise NotImplementedError


def subtract(left: str, right: str) -> str:
    """The difference of two normalized numbers, normalized. Raises ValidationException when it is out of range."""
    raise NotImplementedError


def size_of(text: str) -> int:
    """The bytes that a normalized number counts in an item."""
    raise NotImplementedError
