"""What updates set attributes to: values, paths, sums, functions. Texts: observed in AWS's answers."""

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions.functions import path_of
from cumulo.services.data.dynamodb.expressions.operands import Operand, PathOperand, Values, checked_arguments
from cumulo.services.data.dynamodb.expressions.scopes import Scope
from cumulo.services.data.dynamodb.values import numbers
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value

_CONDITION_FUNCTIONS = frozenset(
    ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
)


def missing() -> Fault:
    """The error of an operand that the item does not have."""
    return VALIDATION("The provided expression refers to an attribute that does not exist in the item")


def wrong_type() -> Fault:
    """The error of an attribute whose type an operator, a function or a clause does not take."""
    return VALIDATION("An operand in the update expression has an incorrect data type")


def needed(operand: Operand, item: Item, values: Values) -> Value:
    """The operand's value. Raises ValidationException when the item does not have it."""
    found = operand.value(item, values)
    if found is None:
        raise missing()
    return found


class Sum(Operand):
    """`operand + operand` and `operand - operand`."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Operand, right: Operand) -> None:
        self.kind = "N"
        self.operator = operator
        self.left = left
        self.right = right

    def check(self, scope: Scope) -> Operand:
        self.left = self.left.check(scope)
        self.right = self.right.check(scope)
        for operand in (self.left, self.right):
            if operand.kind and operand.kind != "N":
                raise scope.wrong_type(self.operator, operand.kind)
        return self

    def value(self, item: Item, values: Values) -> Value | None:
        left = needed(self.left, item, values).get("N")
        right = needed(self.right, item, values).get("N")
        if left is None or right is None:
            raise wrong_type()
        return {"N": numbers.add(left, right) if self.operator == "+" else numbers.subtract(left, right)}


class UpdateCall(Operand):
    """A function as it is written in an update."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: str, arguments: list[Operand]) -> None:
        self.kind = ""
        self.function = function
        self.arguments = arguments

    def check(self, scope: Scope) -> Operand:
        function = self.function
        if function in _CONDITION_FUNCTIONS:
            raise scope.fail(f"The function is not allowed in an update expression; function: {function}")
        if function != "if_not_exists" and function != "list_append":
            raise scope.fail(f"Invalid function name; function: {function}")
        left, right = checked_arguments(scope, function, self.arguments, 2)
        if function == "if_not_exists":
            return IfNotExists(path_of(scope, function, left), right)
        for operand in (left, right):
            if operand.kind and operand.kind != "L":
                raise scope.wrong_type(function, operand.kind)
        return ListAppend(left, right)


class IfNotExists(Operand):
    """`if_not_exists(path, operand)`."""

    __slots__ = ("otherwise", "path")

    def __init__(self, path: PathOperand, otherwise: Operand) -> None:
        self.kind = ""
        self.path = path
        self.otherwise = otherwise

    def value(self, item: Item, values: Values) -> Value | None:
        found = self.path.value(item, values)
        return self.otherwise.value(item, values) if found is None else found


class ListAppend(Operand):
    """`list_append(list, list)`."""

    __slots__ = ("left", "right")

    def __init__(self, left: Operand, right: Operand) -> None:
        self.kind = "L"
        self.left = left
        self.right = right

    def value(self, item: Item, values: Values) -> Value | None:
        left = needed(self.left, item, values).get("L")
        right = needed(self.right, item, values).get("L")
        if left is None or right is None:
            raise wrong_type()
        return {"L": [*left, *right]}
