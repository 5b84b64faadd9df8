"""The columns of a SELECT: each comes back under the last name of its path."""

from cumulo.services.data.dynamodb.expressions import paths
from cumulo.services.data.dynamodb.expressions.paths import Path
from cumulo.services.data.dynamodb.expressions.projections import Projection
from cumulo.services.data.dynamodb.values.attribute_values import Item


class Columns(Projection):
    """A projection that takes what it finds out of its surroundings (`SELECT m.k` answers `k`).

    A column that ends with an index has no name, and comes back as `_1`, `_2` … by its place (PartiQL specification,
    "SELECT").
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: list[Path]) -> None:
        super().__init__([(path[0],) for path in columns])
        self._columns: list[tuple[str, Path]] = []
        for place, path in enumerate(columns, 1):
            last = path[-1]
            self._columns.append((last if isinstance(last, str) else f"_{place}", path))

    def apply(self, item: Item) -> Item:
        """The columns that the item has."""
        found: Item = {}
        for name, path in self._columns:
            value = paths.find(item, path)
            if value is not None:
                found[name] = value
        return found
