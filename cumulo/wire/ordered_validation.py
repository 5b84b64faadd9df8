"""Validation in DynamoDB's words: members in an order of their own, and some mistakes told alone.

AWS's regions moved during 2026 to new words for some mistakes: told before and without the others, named as the API
writes the member, and without the value. Where regions differ, these are the words of most. All observed in AWS's
answers: to an unknown ReturnValues or ConditionalOperator, an empty TableName, an empty RequestItems, TransactItems
over 100, and a ClientRequestToken over 36 characters. (TransactItems of none are told in the older words by 30 of 32
regions.)
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from cumulo.wire.faults import Fault
from cumulo.wire.models import Operation
from cumulo.wire.shapes import Shape

_LIMIT = 10
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_TRANSACTIONS = frozenset({"TransactGetItems", "TransactWriteItems"})
# Of members that are told together: the first of these stands where the model has the first of them, and so on.
_ORDERS = {
    "PutItem": ("ReturnConsumedCapacity", "ReturnValues", "TableName", "ReturnItemCollectionMetrics"),
    "UpdateItem": ("ConditionalOperator", "ReturnConsumedCapacity", "TableName", "ReturnValues", "Key"),
    "DeleteItem": ("ReturnConsumedCapacity", "ReturnValues"),
    "CreateTable": ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"),
}
_AT_LEAST = "Value at '{}' failed to satisfy constraint: Member must have length greater than or equal to {}"
_AT_MOST = "Value at '{}' failed to satisfy constraint: Member must have length less than or equal to {}"
_ONE_OF = "Failed to satisfy constraint: Member must satisfy enum value set: [{}]"
# AWS's own lists, which are not what the API takes.
_RETURN_VALUES = _ONE_OF.format("ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE")
_CONDITIONAL_OPERATORS = _ONE_OF.format("ALL, OR")
_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_NAMES = (
    "Value '{}' at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have "
    "length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy "
    "regular expression pattern: [a-zA-Z0-9_.-]+]"
)

Render = Callable[[Shape, Any], str]
Words = Callable[[Shape, dict[str, Any], str], list[str]]


def validator(
    operation: Operation, quick: Callable[[Any], bool] | None, words: Words, render: Render
) -> Callable[[dict[str, Any]], None]:
    """The closure that refuses a request in these words. `words`: what the model says of one member of a request."""
    shape = operation.input
    assert shape is not None
    members = _ordered(list(shape.members), _ORDERS.get(operation.name, ()))

    def fault(request: dict[str, Any]) -> Fault:
        alone = _alone(operation.name, shape, request)
        if alone:
            return Fault("ValidationException", alone)
        errors = [text for name in members for text in _of_member(operation.name, shape, request, name, words)]
        if not all(map(_is_name, request.get("RequestItems", ()))):
            if operation.name == "BatchGetItem":
                errors.insert(0, _NAMES.format(msgspec.json.encode(request["RequestItems"]).decode()))
            elif not errors:
                errors.append(_NAMES.format(render(shape.members["RequestItems"].shape, request["RequestItems"])))
        found = errors[:_LIMIT]
        noun = "validation error" if len(found) == 1 else "validation errors"
        return Fault("ValidationException", f"{len(found)} {noun} detected: {'; '.join(found)}")

    if quick is None:
        return lambda request: None
    if "RequestItems" not in shape.members:

        def validate(request: dict[str, Any]) -> None:
            if not quick(request):
                raise fault(request)

        return validate

    def validate_batch(request: dict[str, Any]) -> None:
        if not quick(request) or not all(map(_is_name, request["RequestItems"])):
            raise fault(request)

    return validate_batch


def _ordered(names: list[str], order: tuple[str, ...]) -> list[str]:
    places = [at for at, name in enumerate(names) if name in order]
    for at, name in zip(places, order, strict=True):
        names[at] = name
    return names


def _is_name(name: str) -> bool:
    """Whether a table can be called so; what may be an ARN is looked at by the service."""
    return name.startswith("arn:") or _NAME.fullmatch(name) is not None


def _of_member(operation: str, shape: Shape, request: dict[str, Any], name: str, words: Words) -> list[str]:
    found = words(shape, request, name)
    if found and name == "ReturnValues" and operation in _WRITES and set(shape.required) <= request.keys():
        return [_RETURN_VALUES]
    return found


def _alone(operation: str, shape: Shape, request: dict[str, Any]) -> str:
    """The mistake that is told before all others; "" for none."""
    text = _alone_in(operation, shape, request)
    return f"1 validation error detected: {text}" if text and operation != "Query" else text


def _alone_in(operation: str, shape: Shape, request: dict[str, Any]) -> str:
    if not set(shape.required) <= request.keys():
        return ""
    if operation in _TRANSACTIONS:
        if len(request.get("ClientRequestToken", "")) > 36:
            return _AT_MOST.format("ClientRequestToken", 36)
        return _AT_MOST.format("TransactItems", 100) if len(request["TransactItems"]) > 100 else ""
    if "RequestItems" in shape.members:
        return "" if request["RequestItems"] else _AT_LEAST.format("RequestItems", 1)
    if operation not in _WRITES and operation != "Query":
        return ""
    if operation != "Query" and not request["TableName"]:
        return _AT_LEAST.format("TableName", 1)
    if _unknown(shape, request, "ConditionalOperator"):
        return _CONDITIONAL_OPERATORS
    return _RETURN_VALUES if operation == "UpdateItem" and _unknown(shape, request, "ReturnValues") else ""


def _unknown(shape: Shape, request: dict[str, Any], name: str) -> bool:
    return name in request and request[name] not in shape.members[name].shape.enum
