"""Which of a request's parameters go together: expressions and legacy parameters do not.

Texts: observed in AWS's answers; the order of the names in braces is the one seen there.
"""

from collections.abc import Mapping
from typing import Any

from cumulo.services.data.dynamodb.errors import VALIDATION

_LEGACY = (
    "AttributesToGet",
    "QueryFilter",
    "ScanFilter",
    "AttributeUpdates",
    "Expected",
    "ConditionalOperator",
    "KeyConditions",
)
_EXPRESSIONS = (
    "ProjectionExpression",
    "FilterExpression",
    "UpdateExpression",
    "ConditionExpression",
    "KeyConditionExpression",
)
_TAKE_VALUES = _EXPRESSIONS[1:]
_FILTERS = ("Expected", "QueryFilter", "ScanFilter")


def check(request: Mapping[str, Any], values_of: tuple[str, ...] = ()) -> None:
    """Raises ValidationException when a request mixes expressions and legacy parameters, or lacks what they need.

    To be called first: AWS checks this before it reads any expression. `values_of` names the expressions that take
    values, where AWS's answer names them (reads: Query and Scan).
    """
    expressions = [name for name in _EXPRESSIONS if name in request]
    legacy = [name for name in _LEGACY if name in request]
    if legacy:
        if expressions:
            raise VALIDATION(
                "Can not use both expression and non-expression parameters in the same request: "
                f"Non-expression parameters: {{{', '.join(legacy)}}} "
                f"Expression parameters: {{{', '.join(expressions)}}}"
            )
        _check_legacy(request)
    if not expressions and "ExpressionAttributeNames" in request:
        raise VALIDATION("ExpressionAttributeNames can only be specified when using expressions")
    if "ExpressionAttributeValues" in request and not any(name in request for name in _TAKE_VALUES):
        verb = "is" if len(values_of) == 1 else "are"
        suffix = f": {' and '.join(values_of)} {verb} null" if values_of else ""
        raise VALIDATION(f"ExpressionAttributeValues can only be specified when using expressions{suffix}")


def _check_legacy(request: Mapping[str, Any]) -> None:
    names: list[str] = request.get("AttributesToGet") or []
    for at, name in enumerate(names):
        if name in names[:at]:
            raise VALIDATION(
                f"One or more parameter values were invalid: Duplicate value in attribute name: {name}"
            )  # fmt: skip
    if "ConditionalOperator" in request:
        conditions = [request[name] for name in _FILTERS if request.get(name)]
        if not conditions:
            raise VALIDATION("ConditionalOperator cannot be used without Filter or Expected")
        if len(conditions[0]) < 2:
            raise VALIDATION("ConditionalOperator can only be used when Filter or Expected has two or more elements")
