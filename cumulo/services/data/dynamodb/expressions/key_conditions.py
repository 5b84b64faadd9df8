"""Key condition expressions of Query."""

from cumulo.services.data.dynamodb.attribute_values import Value
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders


class KeySchema:
    """The key attributes of a table or an index (several of each where an index has a multi-attribute key)."""

    __slots__ = ("hashes", "ranges", "types")

    def __init__(self, hashes: tuple[str, ...], ranges: tuple[str, ...], types: dict[str, str]) -> None:
        self.hashes = hashes
        self.ranges = ranges
        self.types = types  # attribute name -> S, N or B


class KeyCondition:
    """What a query asks of the key.

    `hashes` are the values of the partition key's attributes, `equals` those of the leading sort key attributes that
    must be equal; `operator` ("", "<", "<=", ">", ">=", "BETWEEN", "begins_with") and `operands` are about the next
    sort key attribute. (An "=" on the only sort key is in `equals`.)
    """

    __slots__ = ("equals", "hashes", "operands", "operator")

    def __init__(
        self, hashes: tuple[Value, ...], equals: tuple[Value, ...], operator: str, operands: tuple[Value, ...]
    ) -> None:
        self.hashes = hashes
        self.equals = equals
        self.operator = operator
        self.operands = operands


def parse(text: str, placeholders: Placeholders, schema: KeySchema) -> KeyCondition:
    """The key condition of a KeyConditionExpression. Raises ValidationException."""
    raise NotImplementedError
