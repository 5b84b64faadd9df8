"""KeyConditions of Query. Texts: observed in AWS's answers."""

from typing import Any

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions.key_conditions import KeyCondition, KeySchema, KeyTerm, KeyTerms
from cumulo.services.data.dynamodb.legacy import comparisons

_OPERATORS = {
    "EQ": "=",
    "LE": "<=",
    "LT": "<",
    "GE": ">=",
    "GT": ">",
    "BETWEEN": "BETWEEN",
    "BEGINS_WITH": "begins_with",
}


def read(conditions: dict[str, dict[str, Any]]) -> KeyTerms:
    """The conditions, to be bound to a key schema. Raises ValidationException."""
    terms = []
    for name, wanted in conditions.items():
        comparison = wanted["ComparisonOperator"]
        values = wanted.get("AttributeValueList") or []
        comparisons.check(comparison, values)
        operator = _OPERATORS.get(comparison)
        if operator is None:
            raise VALIDATION("Attempted conditional constraint is not an indexable operation")
        terms.append(KeyTerm(name, operator, tuple(values)))
    if not terms:
        raise VALIDATION("Conditions can be of length 1 or 2 only")
    return KeyTerms(terms)


def parse(conditions: dict[str, dict[str, Any]], schema: KeySchema) -> KeyCondition:
    """What the query asks of the key. Raises ValidationException."""
    return read(conditions).bind(schema)
