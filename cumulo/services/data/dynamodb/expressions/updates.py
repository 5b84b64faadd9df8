"""Update expressions."""

from cumulo.services.data.dynamodb.attribute_values import Item
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.expressions.projections import Projection

Path = tuple[str | int, ...]


class Update:
    """What an update changes.

    `paths` are the document paths that it writes, `attributes` their top-level attributes (for the check of key
    attributes), `touched` the projection that UPDATED_OLD and UPDATED_NEW answer.
    """

    __slots__ = ("attributes", "paths", "touched")
    attributes: frozenset[str]
    paths: tuple[Path, ...]
    touched: Projection

    def apply(self, item: Item) -> Item:
        """The changed item (a new one: the given item stays as it is, unchanged parts are shared).

        `item` is the key's attributes when there is no item yet. Raises ValidationException in AWS's words where the
        item's values do not allow the change.
        """
        raise NotImplementedError


def parse(text: str, placeholders: Placeholders) -> Update:
    """The update of an UpdateExpression. Raises ValidationException."""
    raise NotImplementedError
