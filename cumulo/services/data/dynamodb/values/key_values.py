"""Key attributes as bytes that sort as DynamoDB sorts them.

Strings sort by their UTF-8 bytes, binaries by their unsigned bytes, numbers by value (Developer Guide, "Query").
"""

from cumulo.services.data.dynamodb.values import numbers
from cumulo.services.data.dynamodb.values.attribute_values import Value


def encode(value: Value) -> bytes:
    """The bytes of a checked S, N or B value; within one type they sort as the values. Raises ValueError of others."""
    for kind, content in value.items():
        if kind == "S":
            return content.encode()  # type: ignore[no-any-return]
        if kind == "N":
            return numbers.sort_bytes(content)
        if kind == "B":
            return content  # type: ignore[no-any-return]
    raise ValueError("a key is of type S, N or B")


def decode(kind: str, encoded: bytes) -> Value:
    """The value of type S, N or B that has these bytes."""
    if kind == "S":
        return {"S": encoded.decode()}
    if kind == "N":
        return {"N": numbers.from_sort_bytes(encoded)}
    return {"B": encoded}
