"""ExpressionAttributeNames and ExpressionAttributeValues of one request, and which of them its expressions used."""

from collections.abc import Mapping

from cumulo.services.data.dynamodb.attribute_values import Item, Value


class Placeholders:
    """One per request (or per part of a transaction), given to the parse functions of all its expressions.

    placeholders = Placeholders(request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues"))
    condition = conditions.parse(text, placeholders)
    placeholders.check_used()
    """

    __slots__ = ("names", "used_names", "used_values", "values")

    def __init__(self, names: Mapping[str, str] | None, values: Item | None) -> None:
        """Check names and values (the values' numbers are normalized in place). Raises ValidationException."""
        self.names: Mapping[str, str] = names or {}
        self.values: Mapping[str, Value] = values or {}
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()

    def check_used(self) -> None:
        """Raises ValidationException for names or values that no expression of the request used."""
        raise NotImplementedError
