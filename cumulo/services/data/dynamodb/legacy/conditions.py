"""Expected, QueryFilter, ScanFilter and ConditionalOperator. Texts: observed in AWS's answers."""

from typing import Any

from cumulo.services.data.dynamodb.expressions.conditions import Condition, of_predicate
from cumulo.services.data.dynamodb.expressions.predicates import AllOf, AnyOf, Predicate
from cumulo.services.data.dynamodb.legacy import comparisons
from cumulo.services.data.dynamodb.legacy.comparisons import invalid
from cumulo.services.data.dynamodb.values.attribute_values import Value


def expected(expectations: dict[str, dict[str, Any]], operator: str = "AND") -> Condition:
    """The condition of Expected and ConditionalOperator. Raises ValidationException."""
    parts = []
    for name, wanted in expectations.items():
        comparison, values = _expectation(name, wanted)
        parts.append(comparisons.predicate(name, comparison, values))
    return _joined(parts, operator, frozenset(expectations))


def _expectation(name: str, wanted: dict[str, Any]) -> tuple[str, list[Value]]:
    """The operator and the values of an entry of Expected, which has two forms, checked."""
    comparison = wanted.get("ComparisonOperator")
    listed = wanted.get("AttributeValueList")
    exists = wanted.get("Exists")
    value = wanted.get("Value")
    if comparison is None:
        reason = ""
        if listed is not None:
            reason = "AttributeValueList can only be used with a ComparisonOperator"
        elif exists is False and value is not None:
            reason = "Value cannot be used when Exists is false"
        elif exists is not False and value is None:
            reason = f"Value must be provided when Exists is {'null' if exists is None else 'true'}"
        if reason:
            raise invalid(f"{reason} for Attribute: {name}")
        if value is None:
            return "NULL", []
        comparisons.check("EQ", [value])
        return "EQ", [value]
    if exists is not None:
        raise invalid(f"Exists and ComparisonOperator cannot be used together for Attribute: {name}")
    if listed is not None and value is not None:
        raise invalid(f"Value and AttributeValueList cannot be used together for Attribute: {name}")
    values: list[Value] = listed if listed is not None else [] if value is None else [value]
    if not values and comparison != "NULL" and comparison != "NOT_NULL" and listed is None:
        raise invalid(
            f"Value or AttributeValueList must be used with ComparisonOperator: {comparison} for Attribute: {name}"
        )
    comparisons.check(comparison, values)
    return comparison, values


def filtered(conditions: dict[str, dict[str, Any]], operator: str = "AND") -> Condition:
    """The condition of QueryFilter or ScanFilter and ConditionalOperator. Raises ValidationException."""
    parts = []
    for name, wanted in conditions.items():
        comparison = wanted["ComparisonOperator"]
        values = wanted.get("AttributeValueList") or []
        comparisons.check(comparison, values)
        parts.append(comparisons.predicate(name, comparison, values))
    return _joined(parts, operator, frozenset(conditions))


def _joined(parts: list[Predicate], operator: str, attributes: frozenset[str]) -> Condition:
    if len(parts) == 1:
        return of_predicate(parts[0], attributes)
    return of_predicate(AnyOf(parts) if operator == "OR" else AllOf(parts), attributes)
