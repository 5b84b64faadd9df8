"""Projection expressions, and AttributesToGet."""

from collections.abc import Iterable

from cumulo.services.data.dynamodb.attribute_values import Item
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders


class Projection:
    """The parts of an item that are asked for. `attributes` are the top-level attributes among them."""

    __slots__ = ("attributes", "flat")
    attributes: frozenset[str]
    flat: bool  # it asks for whole top-level attributes only

    def apply(self, item: Item) -> Item:
        """The asked-for parts that the item has; the item itself is not changed."""
        raise NotImplementedError


def parse(text: str, placeholders: Placeholders) -> Projection:
    """The projection of a ProjectionExpression. Raises ValidationException."""
    raise NotImplementedError


def of_attributes(names: Iterable[str]) -> Projection:
    """The projection to whole attributes: AttributesToGet, or what an index projects."""
    raise NotImplementedError
