"""What conditions are made of: comparisons, functions, AND, OR, NOT.

`check` is done once for an expression, `matches` for every item. Texts: observed in AWS's answers.
"""

from base64 import b64encode

from cumulo.services.data.dynamodb.expressions.operands import Operand, PathOperand, ValueOperand, Values
from cumulo.services.data.dynamodb.expressions.paths import shown
from cumulo.services.data.dynamodb.expressions.scopes import Scope
from cumulo.services.data.dynamodb.values.attribute_values import Item, Value, equal, order, type_of

ORDERED = frozenset(("S", "N", "B"))
TYPE_NAMES = frozenset(("B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M"))
MAX_IN_OPERANDS = 100


class Predicate:
    """Something that an item satisfies or not."""

    __slots__ = ()

    def check(self, scope: Scope) -> "Predicate":
        """Resolve names; what to evaluate in its place. Raises ValidationException."""
        raise NotImplementedError

    def matches(self, item: Item, values: Values) -> bool:
        """Whether the item satisfies it."""
        raise NotImplementedError


def check_distinct(scope: Scope, operator: str, operands: list[Operand]) -> None:
    """Raises ValidationException when the first operand is a path that occurs again among the others."""
    first = operands[0]
    if isinstance(first, PathOperand):
        for other in operands[1:]:
            if isinstance(other, PathOperand) and other.path == first.path:
                raise scope.fail(
                    "The first operand must be distinct from the remaining operands for this operator or function; "
                    f"operator: {operator}, first operand: {shown(first.path)}"
                )


def check_ordered(scope: Scope, operator: str, operands: list[Operand]) -> None:
    """Raises ValidationException for a value that has no order: of a type other than S, N and B."""
    for operand in operands:
        if operand.kind and operand.kind not in ORDERED:
            raise scope.wrong_type(operator, operand.kind)


class Comparison(Predicate):
    """`= <> < <= > >=`. An attribute that is missing is unequal to everything, and has no order."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, operator: str, left: Operand, right: Operand) -> None:
        self.operator = operator
        self.left = left
        self.right = right

    def check(self, scope: Scope) -> Predicate:
        self.left = self.left.check(scope)
        self.right = self.right.check(scope)
        if self.operator != "=" and self.operator != "<>":
            check_ordered(scope, self.operator, [self.left, self.right])
        check_distinct(scope, self.operator, [self.left, self.right])
        return self

    def matches(self, item: Item, values: Values) -> bool:
        operator = self.operator
        left = self.left.value(item, values)
        right = self.right.value(item, values)
        if left is None or right is None:
            return operator == "<>"
        if operator == "=":
            return equal(left, right)
        if operator == "<>":
            return not equal(left, right)
        found = order(left, right)
        if found is None:
            return False
        if operator == "<":
            return found < 0
        if operator == "<=":
            return found <= 0
        return found > 0 if operator == ">" else found >= 0


class Between(Predicate):
    """`operand BETWEEN lower AND upper`, bounds included."""

    __slots__ = ("lower", "operand", "upper")

    def __init__(self, operand: Operand, lower: Operand, upper: Operand) -> None:
        self.operand = operand
        self.lower = lower
        self.upper = upper

    def check(self, scope: Scope) -> Predicate:
        operands = [operand.check(scope) for operand in (self.operand, self.lower, self.upper)]
        self.operand, self.lower, self.upper = operands
        check_ordered(scope, "BETWEEN", operands)
        check_distinct(scope, "BETWEEN", operands)
        lower, upper = self.lower, self.upper
        if isinstance(lower, ValueOperand) and isinstance(upper, ValueOperand):
            low, high = lower.placeholder, upper.placeholder
            scope.bindings.append(lambda values: check_bounds(scope, values[low], values[high]))
        return self

    def matches(self, item: Item, values: Values) -> bool:
        value = self.operand.value(item, values)
        lower = self.lower.value(item, values)
        upper = self.upper.value(item, values)
        if value is None or lower is None or upper is None:
            return False
        above = order(value, lower)
        below = order(value, upper)
        return above is not None and below is not None and above >= 0 and below <= 0


def check_bounds(scope: Scope, lower: Value, upper: Value) -> None:
    """Raises ValidationException for the bounds of a BETWEEN that nothing can lie between."""
    reason = ""
    if type_of(lower) != type_of(upper):
        reason = "requires same data type for lower and upper bounds"
    elif (order(lower, upper) or 0) > 0:
        reason = "requires upper bound to be greater than or equal to lower bound"
    if reason:
        raise scope.fail(
            f"The BETWEEN operator {reason}; lower bound operand: AttributeValue: {_shown(lower)}, "
            f"upper bound operand: AttributeValue: {_shown(upper)}"
        )


def _shown(value: Value) -> str:
    for kind, content in value.items():
        return f"{{{kind}:{b64encode(content).decode() if kind == 'B' else content}}}"
    return "{}"


class In(Predicate):
    """`operand IN (operand, …)`."""

    __slots__ = ("operand", "options")

    def __init__(self, operand: Operand, options: list[Operand]) -> None:
        self.operand = operand
        self.options = options

    def check(self, scope: Scope) -> Predicate:
        if len(self.options) > MAX_IN_OPERANDS:
            raise scope.fail(
                f"The IN operator is provided with too many operands; number of operands: {len(self.options)}"
            )
        self.operand = self.operand.check(scope)
        self.options = [option.check(scope) for option in self.options]
        check_distinct(scope, "IN", [self.operand, *self.options])
        return self

    def matches(self, item: Item, values: Values) -> bool:
        value = self.operand.value(item, values)
        if value is None:
            return False
        for option in self.options:
            other = option.value(item, values)
            if other is not None and equal(value, other):
                return True
        return False


class Several(Predicate):
    """Parts that are asked one after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: list[Predicate]) -> None:
        self.parts = parts

    def check(self, scope: Scope) -> Predicate:
        self.parts = [part.check(scope) for part in self.parts]
        return self


class AllOf(Several):
    """AND."""

    __slots__ = ()

    def matches(self, item: Item, values: Values) -> bool:
        for part in self.parts:  # noqa: SIM110 - a generator costs more than the parts
            if not part.matches(item, values):
                return False
        return True


class AnyOf(Several):
    """OR."""

    __slots__ = ()

    def matches(self, item: Item, values: Values) -> bool:
        for part in self.parts:  # noqa: SIM110 - a generator costs more than the parts
            if part.matches(item, values):
                return True
        return False


class Not(Predicate):
    """NOT."""

    __slots__ = ("part",)

    def __init__(self, part: Predicate) -> None:
        self.part = part

    def check(self, scope: Scope) -> Predicate:
        self.part = self.part.check(scope)
        return self

    def matches(self, item: Item, values: Values) -> bool:
        return not self.part.matches(item, values)
