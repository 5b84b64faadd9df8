"""The functions of conditions that say yes or no. Their names are case-sensitive. Texts: observed in AWS's answers."""

from cumulo.services.data.dynamodb.expressions.operands import (
    GivenOperand,
    Operand,
    PathOperand,
    ValueOperand,
    Values,
    check_function,
    checked_arguments,
    misused,
)
from cumulo.services.data.dynamodb.expressions.predicates import TYPE_NAMES, Predicate, check_distinct
from cumulo.services.data.dynamodb.expressions.scopes import Scope
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value, equal, type_of

_SET_TYPES = {"S": "SS", "N": "NS", "B": "BS"}
_VALID_TYPES = "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}"  # in the order of AWS's answer


class CallPredicate(Predicate):
    """A function as it is written where a condition is wanted."""

    __slots__ = ("arguments", "function")

    def __init__(self, function: str, arguments: list[Operand]) -> None:
        self.function = function
        self.arguments = arguments

    def check(self, scope: Scope) -> Predicate:
        function = self.function
        check_function(scope, function)
        if function == "size":
            raise misused(scope, function)
        count = 1 if function == "attribute_exists" or function == "attribute_not_exists" else 2
        operands = checked_arguments(scope, function, self.arguments, count)
        if count == 1:
            return Exists(path_of(scope, function, operands[0]), function == "attribute_exists")
        if function == "attribute_type":
            path = path_of(scope, function, operands[0])
            return HasType(path, operands[1]).check(scope)
        if function == "begins_with":
            return BeginsWith(operands[0], operands[1]).check(scope)
        return Contains(operands[0], operands[1]).check(scope)

    def matches(self, item: Item, values: Values) -> bool:
        raise NotImplementedError


def path_of(scope: Scope, function: str, operand: Operand) -> PathOperand:
    """The operand when it is a document path. Raises ValidationException when it is none."""
    if not isinstance(operand, PathOperand):
        raise scope.fail(f"Operator or function requires a document path; operator or function: {function}")
    return operand


class Exists(Predicate):
    """`attribute_exists` and `attribute_not_exists`."""

    __slots__ = ("path", "wanted")

    def __init__(self, path: PathOperand, wanted: bool) -> None:
        self.path = path
        self.wanted = wanted

    def matches(self, item: Item, values: Values) -> bool:
        return (self.path.value(item, values) is not None) == self.wanted


class HasType(Predicate):
    """`attribute_type(path, :type)`."""

    __slots__ = ("path", "wanted")

    def __init__(self, path: PathOperand, wanted: Operand) -> None:
        self.path = path
        self.wanted = wanted

    def check(self, scope: Scope) -> Predicate:
        wanted = self.wanted
        if isinstance(wanted, GivenOperand) and wanted.kind == "S":
            _check_type_name(scope, wanted.given["S"])
            return self
        if not isinstance(wanted, ValueOperand) and not isinstance(wanted, GivenOperand):
            raise scope.fail(
                "Operator or function requires an expression attribute value; operator or function: attribute_type"
            )
        if wanted.kind != "S":
            raise scope.wrong_type("attribute_type", wanted.kind)
        assert isinstance(wanted, ValueOperand)
        placeholder = wanted.placeholder
        scope.bindings.append(lambda values: _check_type_name(scope, values[placeholder]["S"]))
        return self

    def matches(self, item: Item, values: Values) -> bool:
        found = self.path.value(item, values)
        wanted = self.wanted.value(item, values)
        return found is not None and wanted is not None and type_of(found) == wanted["S"]


def _check_type_name(scope: Scope, name: str) -> None:
    if name not in TYPE_NAMES:
        raise scope.fail(f"Invalid attribute type name found; type: {name}, valid types: {_VALID_TYPES}")


class BeginsWith(Predicate):
    """`begins_with(operand, prefix)`: of texts and binaries."""

    __slots__ = ("operand", "prefix")

    def __init__(self, operand: Operand, prefix: Operand) -> None:
        self.operand = operand
        self.prefix = prefix

    def check(self, scope: Scope) -> Predicate:
        for operand in (self.operand, self.prefix):
            if operand.kind and operand.kind != "S" and operand.kind != "B":
                raise scope.wrong_type("begins_with", operand.kind)
        check_distinct(scope, "begins_with", [self.operand, self.prefix])
        return self

    def matches(self, item: Item, values: Values) -> bool:
        found = self.operand.value(item, values)
        prefix = self.prefix.value(item, values)
        if found is None or prefix is None:
            return False
        for kind, content in prefix.items():
            if (kind == "S" or kind == "B") and kind in found:
                return found[kind].startswith(content)  # type: ignore[no-any-return]
        return False


class Contains(Predicate):
    """`contains(operand, part)`: a part of a text or binary, a member of a set, an element of a list."""

    __slots__ = ("operand", "part")

    def __init__(self, operand: Operand, part: Operand) -> None:
        self.operand = operand
        self.part = part

    def check(self, scope: Scope) -> Predicate:
        kind = self.operand.kind
        if kind and kind not in ("S", "B", "SS", "NS", "BS", "L"):
            raise scope.wrong_type("contains", kind)
        check_distinct(scope, "contains", [self.operand, self.part])
        return self

    def matches(self, item: Item, values: Values) -> bool:
        found = self.operand.value(item, values)
        part = self.part.value(item, values)
        return found is not None and part is not None and contains(found, part)


def contains(value: Value, part: Value) -> bool:
    """Whether a value contains another: as a part of a text or binary, a member of a set, an element of a list."""
    elements = value.get("L")
    if elements is not None:
        return any(equal(element, part) for element in elements)
    for kind, content in part.items():
        if kind == "S" or kind == "B":
            whole = value.get(kind)
            if whole is not None:
                return content in whole
        members = value.get(_SET_TYPES.get(kind, ""))
        return members is not None and content in members
    return False
