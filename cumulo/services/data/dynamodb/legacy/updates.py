"""AttributeUpdates of UpdateItem."""

from typing import Any

from cumulo.services.data.dynamodb.expressions.updates import Update


def parse(changes: dict[str, dict[str, Any]]) -> Update:
    """The update of AttributeUpdates. Raises ValidationException."""
    raise NotImplementedError
