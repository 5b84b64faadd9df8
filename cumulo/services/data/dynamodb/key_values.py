"""Key attributes as bytes that sort as DynamoDB sorts them.

Strings sort by their UTF-8 bytes, binaries by their unsigned bytes, numbers by value (Developer Guide, "Query").
"""

from cumulo.services.data.dynamodb.attribute_values import Value


def encode(value: Value) -> bytes:
    """The bytes of a checked S, N or B value; within one type they sort as the values."""
    raise NotImplementedError


def decode(kind: str, encoded: bytes) -> Value:
    """The value of type S, N or B that has these bytes."""
    raise NotImplementedError
