"""Expected, QueryFilter, ScanFilter and ConditionalOperator."""

from typing import Any

from cumulo.services.data.dynamodb.expressions.conditions import Condition


def expected(expectations: dict[str, dict[str, Any]], operator: str = "AND") -> Condition:
    """The condition of Expected and ConditionalOperator. Raises ValidationException."""
    raise NotImplementedError


def filtered(conditions: dict[str, dict[str, Any]], operator: str = "AND") -> Condition:
    """The condition of QueryFilter or ScanFilter and ConditionalOperator. Raises ValidationException."""
    raise NotImplementedError
