"""ComparisonOperator and AttributeValueList, which Expected, filters and KeyConditions have in common.

Source: Developer Guide, "Legacy conditional parameters". Texts: observed in AWS's answers.
"""

from typing import Any

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions.functions import BeginsWith, Contains, Exists
from cumulo.services.data.dynamodb.expressions.operands import GivenOperand, Values, attribute
from cumulo.services.data.dynamodb.expressions.predicates import Between, Comparison, In, Predicate
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value, check_value, order, type_of

_COMPARATORS = {"EQ": "=", "NE": "<>", "LE": "<=", "LT": "<", "GE": ">=", "GT": ">"}
_COUNTS = {"NULL": 0, "NOT_NULL": 0, "BETWEEN": 2}  # of values; all others take one, IN one or more
_SCALARS = frozenset(("S", "N", "B"))
_TYPES = {
    **dict.fromkeys(("LE", "LT", "GE", "GT", "BETWEEN", "IN"), _SCALARS),
    **dict.fromkeys(("CONTAINS", "NOT_CONTAINS"), _SCALARS | {"BOOL", "NULL"}),
    "BEGINS_WITH": frozenset(("S", "B")),
}


def invalid(reason: str) -> Fault:
    """The error of legacy parameters."""
    return VALIDATION(f"One or more parameter values were invalid: {reason}")


def check(operator: str, values: list[Value]) -> None:
    """Raises ValidationException for a number or types of values that an operator does not take."""
    for value in values:
        check_value(value)
    count = _COUNTS.get(operator, 1)
    if len(values) < count if operator == "IN" else len(values) != count:
        raise invalid(f"Invalid number of argument(s) for the {operator} ComparisonOperator")
    allowed = _TYPES.get(operator)
    for value in values:
        if type_of(value) != type_of(values[0]):
            raise invalid("AttributeValues inside AttributeValueList must all be of the same type")
        if allowed is not None and type_of(value) not in allowed:
            raise invalid(f"ComparisonOperator {operator} is not valid for {type_of(value)} AttributeValue type")
    if operator == "BETWEEN" and (order(values[0], values[1]) or 0) > 0:
        raise VALIDATION(
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"
        )


def predicate(name: str, operator: str, values: list[Value]) -> Predicate:
    """What an attribute must satisfy; the values are checked."""
    operand = attribute(name)
    given: list[Any] = [GivenOperand(value) for value in values]
    comparator = _COMPARATORS.get(operator)
    if comparator is not None:
        return Comparison(comparator, operand, given[0])
    if operator == "IN":
        return In(operand, given)
    if operator == "BETWEEN":
        return Between(operand, given[0], given[1])
    if operator == "BEGINS_WITH":
        return BeginsWith(operand, given[0])
    if operator == "CONTAINS":
        return Contains(operand, given[0])
    if operator == "NOT_CONTAINS":
        return _NotContains(Contains(operand, given[0]), Exists(operand, True))
    return Exists(operand, operator == "NOT_NULL")


class _NotContains(Predicate):
    """NOT_CONTAINS: the attribute is there, and does not contain the value."""

    __slots__ = ("contains", "exists")

    def __init__(self, contains: Contains, exists: Exists) -> None:
        self.contains = contains
        self.exists = exists

    def matches(self, item: Item, values: Values) -> bool:
        return self.exists.matches(item, values) and not self.contains.matches(item, values)
