"""FilterSpecification of exports: which items are written, and which of their attributes.

Source: DynamoDB API Reference, ExportTableToPointInTime, FilterSpecification: the languages are those of Query.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions import conditions, key_conditions, projections
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.queries import key_ranges
from cumulo.services.data.dynamodb.tables.layouts import Layout

if TYPE_CHECKING:
    from cumulo.services.data.dynamodb.expressions.conditions import Condition
    from cumulo.services.data.dynamodb.expressions.projections import Projection
    from cumulo.services.data.dynamodb.tables.tables import TableRecord
    from cumulo.services.data.dynamodb.values.attribute_values import Item


class ExportFilter:
    """A specification, read for a table. Raises ValidationException for what is wrong with it."""

    __slots__ = ("_condition", "_place", "_projection", "_range")

    def __init__(self, specification: Mapping[str, Any], table: TableRecord) -> None:
        names, values = (specification.get(f"ExpressionAttribute{what}") for what in ("Names", "Values"))
        placeholders = Placeholders(names, values)
        layout = Layout(table)
        self._place = layout.place
        self._condition: Condition | None = None
        self._projection: Projection | None = None
        self._range: key_ranges.Range | None = None
        text = specification.get("FilterExpression")
        if text is not None:
            self._condition = conditions.parse(text, placeholders, "FilterExpression")
        text = specification.get("ProjectionExpression")
        if text is not None:
            self._projection = projections.parse(text, placeholders)
        text = specification.get("KeyConditionExpression")
        if text is not None:
            wanted = key_conditions.parse(text, placeholders).bind(layout.schema)
            self._range = key_ranges.of_query(layout, None, wanted)
            for name in layout.keys:
                if self._condition is not None and name in self._condition.attributes:
                    raise VALIDATION(
                        "Filter Expression can only contain non-primary key attributes: Primary key attribute: " + name
                    )
        placeholders.check_used()

    def take(self, key: bytes, item: Item) -> Item | None:
        """What is written of the item that has this key; None where it is left out."""
        if self._range is not None and not self._range[0] <= self._place + key < self._range[1]:
            return None
        if self._condition is not None and not self._condition.matches(item):
            return None
        return item if self._projection is None else self._projection.apply(item)
