"""What conditions compare: document paths, values, sizes.

`check` is done once for an expression, `value` for every item. Which types an operator or function takes is known of
a value beforehand; of a path only when there is an item, and then a wrong type is no error but no match.
"""

from collections.abc import Mapping

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.expressions import paths
from cumulo.services.data.dynamodb.expressions.paths import Path, PathSyntax
from cumulo.services.data.dynamodb.expressions.scopes import Scope
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value, type_of

Values = Mapping[str, Value]

_SIZED = frozenset(("S", "B", "SS", "NS", "BS", "L", "M"))


class Operand:
    """Something with a value."""

    __slots__ = ("kind",)

    def __init__(self) -> None:
        self.kind = ""  # the type of its values, where that is known beforehand

    def check(self, scope: Scope) -> "Operand":
        """Resolve names; what to evaluate in its place. Raises ValidationException."""
        raise NotImplementedError

    def value(self, item: Item, values: Values) -> Value | None:
        """Its value in an item; None where there is none."""
        raise NotImplementedError


class PathOperand(Operand):
    """A document path."""

    __slots__ = ("name", "path", "syntax")

    def __init__(self, syntax: PathSyntax) -> None:
        self.kind = ""
        self.syntax = syntax
        self.path: Path = ()
        self.name: str | None = None

    def check(self, scope: Scope) -> Operand:
        if self.path:
            return self  # it never was a placeholder: see `attribute`
        self.path = self.syntax.resolve(scope)
        if len(self.path) == 1:
            self.name = str(self.path[0])
        return self

    def value(self, item: Item, values: Values) -> Value | None:
        if self.name is not None:
            return item.get(self.name)
        return paths.find(item, self.path)


class ValueOperand(Operand):
    """`:placeholder`."""

    __slots__ = ("placeholder",)

    def __init__(self, placeholder: str) -> None:
        self.kind = ""
        self.placeholder = placeholder

    def check(self, scope: Scope) -> Operand:
        self.kind = scope.type_of_value(self.placeholder)
        return self

    def value(self, item: Item, values: Values) -> Value | None:
        return values[self.placeholder]


class GivenOperand(Operand):
    """A value that stands in no expression: of a legacy parameter, of a PartiQL statement."""

    __slots__ = ("given",)

    def __init__(self, given: Value) -> None:
        self.kind = type_of(given)
        self.given = given

    def check(self, scope: Scope) -> Operand:
        return self

    def value(self, item: Item, values: Values) -> Value | None:
        return self.given


def attribute(*path: str | int) -> PathOperand:
    """The operand of a document path that stands in no expression."""
    operand = PathOperand(PathSyntax([]))
    operand.path = path
    if len(path) == 1:
        operand.name = str(path[0])
    return operand


class SizeOperand(Operand):
    """`size(operand)`: the length of a text in UTF-16, of a binary in bytes, else the number of elements.

    Observed in AWS's answers: UTF-16 ("é𝄞" has 3); a number, a boolean and a null have no size.
    """

    __slots__ = ("inner",)

    def __init__(self, inner: Operand) -> None:
        self.kind = "N"
        self.inner = inner

    def check(self, scope: Scope) -> Operand:
        if self.inner.kind and self.inner.kind not in _SIZED:
            raise scope.wrong_type("size", self.inner.kind)
        return self

    def value(self, item: Item, values: Values) -> Value | None:
        found = self.inner.value(item, values)
        if found is None:
            return None
        for kind, content in found.items():
            if kind == "S" and not content.isascii():
                return {"N": str(len(content.encode("utf-16-le")) // 2)}
            if kind in _SIZED:
                return {"N": str(len(content))}
        return None


class CallOperand(Operand):
    """A function as it is written where a value is wanted; of a condition's functions only `size` has one."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: str, arguments: list[Operand]) -> None:
        self.kind = ""
        self.function = function
        self.arguments = arguments

    def check(self, scope: Scope) -> Operand:
        function = self.function
        check_function(scope, function)
        if function != "size":
            raise misused(scope, function)
        return SizeOperand(checked_arguments(scope, function, self.arguments, 1)[0]).check(scope)


_CONDITION_FUNCTIONS = frozenset(
    ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
)
_UPDATE_FUNCTIONS = frozenset(("if_not_exists", "list_append"))


def check_function(scope: Scope, function: str) -> None:
    """Raises ValidationException for a function that conditions do not have."""
    if function in _UPDATE_FUNCTIONS:
        raise scope.fail(f"The function is not allowed in a condition expression; function: {function}")
    if function not in _CONDITION_FUNCTIONS:
        raise scope.fail(f"Invalid function name; function: {function}")


def misused(scope: Scope, function: str) -> Fault:
    """The error of a function that gives no value where one is wanted, or a value where none is."""
    return scope.fail(f"The function is not allowed to be used this way in an expression; function: {function}")


def checked_arguments(scope: Scope, function: str, arguments: list[Operand], count: int) -> list[Operand]:
    """The arguments, checked. Raises ValidationException when there are not so many."""
    if len(arguments) != count:
        raise scope.fail(
            "Incorrect number of operands for operator or function; "
            f"operator or function: {function}, number of operands: {len(arguments)}"
        )
    found = []
    for argument in arguments:  # not a comprehension: that would be one more frame for each of 300 nested functions
        found.append(argument.check(scope))
    return found
