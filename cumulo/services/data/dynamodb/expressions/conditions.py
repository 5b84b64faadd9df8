"""Condition and filter expressions."""

from cumulo.services.data.dynamodb.attribute_values import Item
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders


class Condition:
    """What an item must satisfy. `attributes` are the top-level attributes that it names."""

    __slots__ = ("attributes",)
    attributes: frozenset[str]

    def matches(self, item: Item | None) -> bool:
        """Whether the item satisfies it; None is an item that does not exist."""
        raise NotImplementedError


def parse(text: str, placeholders: Placeholders, parameter: str = "ConditionExpression") -> Condition:
    """The condition of a text; `parameter` names the request's member in errors. Raises ValidationException."""
    raise NotImplementedError
