"""KeyConditions of Query."""

from typing import Any

from cumulo.services.data.dynamodb.expressions.key_conditions import KeyCondition, KeySchema


def parse(conditions: dict[str, dict[str, Any]], schema: KeySchema) -> KeyCondition:
    """What the query asks of the key. Raises ValidationException."""
    raise NotImplementedError
