"""Key condition expressions of Query.

The expression is read first, and only then held against the key of the table or index: AWS tells of a mistake in the
expression before it looks for the table. Texts: observed in AWS's answers.
"""

from functools import lru_cache

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions import condition_syntax
from cumulo.services.data.dynamodb.expressions.functions import BeginsWith, CallPredicate
from cumulo.services.data.dynamodb.expressions.operands import CallOperand, Operand, PathOperand, ValueOperand
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.expressions.predicates import AllOf, AnyOf, Between, Comparison, In, Not, Predicate
from cumulo.services.data.dynamodb.expressions.scopes import Binding, Scope
from cumulo.services.data.dynamodb.values.attribute_values import Value

Pairs = tuple[tuple[str, str], ...]

PARAMETER = "KeyConditionExpression"
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INVALID = "One or more parameter values were invalid: "
_EMPTY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
    "{kind} value. Key: {name}"
)


class KeySchema:
    """The key attributes of a table or an index (several of each where an index has a multi-attribute key)."""

    __slots__ = ("hashes", "ranges", "types")

    def __init__(self, hashes: tuple[str, ...], ranges: tuple[str, ...], types: dict[str, str]) -> None:
        self.hashes = hashes
        self.ranges = ranges
        self.types = types  # attribute name -> S, N or B


class KeyTerm:
    """What is asked of one attribute: an operator (= < <= > >= BETWEEN begins_with) and its operands."""

    __slots__ = ("name", "operands", "operator")

    def __init__(self, name: str, operator: str, operands: tuple[Value, ...]) -> None:
        self.name = name
        self.operator = operator
        self.operands = operands


class KeyCondition:
    """What a query asks of the key.

    `hashes` are the values of the partition key's attributes, `equals` those of the leading sort key attributes that
    must be equal; `operator` ("", "<", "<=", ">", ">=", "BETWEEN", "begins_with") and `operands` are about the next
    sort key attribute. (An "=" on the only sort key is in `equals`.)
    """

    __slots__ = ("equals", "hashes", "operands", "operator")

    def __init__(
        self, hashes: tuple[Value, ...], equals: tuple[Value, ...], operator: str, operands: tuple[Value, ...]
    ) -> None:
        self.hashes = hashes
        self.equals = equals
        self.operator = operator
        self.operands = operands


class KeyTerms:
    """A key condition that has not met its key schema."""

    __slots__ = ("terms",)

    def __init__(self, terms: list[KeyTerm]) -> None:
        self.terms = terms

    def bind(self, schema: KeySchema) -> KeyCondition:
        """What it asks of this key. Raises ValidationException when the key cannot be asked so."""
        terms = {term.name: term for term in self.terms}
        size = len(schema.hashes) + len(schema.ranges)
        if len(terms) > size:
            raise VALIDATION(
                f"The number of query conditions ({len(terms)}) exceeds the number of key attributes defined in the "
                f"schema ({size})"
            )
        hashes = []
        for name in schema.hashes:
            term = terms.pop(name, None)
            if term is None:
                raise _missed(name)
            if term.operator != "=":
                raise VALIDATION("Query key condition not supported")
            _check_type(term, schema)
            hashes.append(term.operands[0])
        equals, last = _ranges(schema, terms)
        if last is None:
            return KeyCondition(tuple(hashes), tuple(equals), "", ())
        return KeyCondition(tuple(hashes), tuple(equals), last.operator, last.operands)


def _ranges(schema: KeySchema, terms: dict[str, KeyTerm]) -> tuple[list[Value], KeyTerm | None]:
    """The equal values of the leading sort key attributes, and the term about the next."""
    equals: list[Value] = []
    last: KeyTerm | None = None
    unequal: list[str] = []  # sort key attributes without an equality so far
    for name in schema.ranges:
        term = terms.pop(name, None)
        if term is None:
            unequal.append(name)
            continue
        if unequal:
            raise VALIDATION(
                f"RANGE key attributes {', '.join(unequal)} must have equality conditions specified in the query "
                f"because a condition is present on key attribute {name}"
            )
        _check_type(term, schema)
        if term.operator == "=":
            equals.append(term.operands[0])
        else:
            last = term
            unequal.append(name)
    if terms:  # a condition on something else, where the key has an attribute left
        raise _missed(next((name for name in schema.ranges if name in unequal), next(iter(terms))))
    return equals, last


def _missed(name: str) -> Fault:
    return VALIDATION(f"Query condition missed key schema element: {name}")


def _check_type(term: KeyTerm, schema: KeySchema) -> None:
    kind = schema.types[term.name]
    for value in term.operands:
        content = value.get(kind)
        if content is None:
            raise VALIDATION(_INVALID + "Condition parameter type does not match schema type")
        if not content and term.operator != "begins_with":
            raise VALIDATION(_EMPTY.format(kind="string" if kind == "S" else "binary", name=term.name))


class _Written:
    """What a key condition asks of one attribute, for all requests: placeholders instead of values."""

    __slots__ = ("name", "operator", "placeholders")

    def __init__(self, name: str, operator: str, placeholders: list[str]) -> None:
        self.name = name
        self.operator = operator
        self.placeholders = placeholders


class _Program:
    """A parsed key condition, for all requests with the same text, names and types of values."""

    __slots__ = ("bindings", "terms", "used_names", "used_values")

    def __init__(self, terms: list[_Written], scope: Scope) -> None:
        self.terms = terms
        self.bindings: list[Binding] = scope.bindings
        self.used_names = scope.used_names
        self.used_values = scope.used_values


@lru_cache(maxsize=4096)
def _compiled(text: str, names: Pairs, types: Pairs) -> _Program:
    scope = Scope(PARAMETER, dict(names), dict(types))
    terms: list[_Written] = []
    predicate = condition_syntax.parse(text, PARAMETER)
    waiting = [predicate]
    while waiting:
        part = waiting.pop()
        if isinstance(part, AllOf):
            waiting.extend(reversed(part.parts))
        else:
            terms.append(_written(part, scope))
    for at, term in enumerate(terms):
        if any(term.name == other.name for other in terms[:at]):
            raise scope.fail("KeyConditionExpressions must only contain one condition per key")
    return _Program(terms, scope)


def _written(part: Predicate, scope: Scope) -> _Written:
    operator = _operator(part)
    if operator not in _MIRRORED and operator != "BETWEEN" and operator != "begins_with":
        raise scope.fail(f"Invalid operator used in KeyConditionExpression: {operator}")
    for operand in _operands(part):
        if isinstance(operand, CallOperand):
            raise scope.fail("KeyConditionExpressions cannot contain nested operations")
    checked = part.check(scope)
    operands = _operands(checked)
    found = [operand for operand in operands if isinstance(operand, PathOperand)]
    if len(found) > 1:
        raise scope.fail("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
    if not found:
        raise scope.fail("Invalid condition in KeyConditionExpression: No key attribute specified")
    if found[0].name is None:
        raise scope.fail("KeyConditionExpressions cannot have conditions on nested attributes")
    if operands[0] is not found[0]:
        if operator not in _MIRRORED:
            raise VALIDATION("Query key condition not supported")
        operator = _MIRRORED[operator]
    values = [operand.placeholder for operand in operands if isinstance(operand, ValueOperand)]
    return _Written(found[0].name, operator, values)


def _operator(part: Predicate) -> str:
    if isinstance(part, Comparison):
        return part.operator
    if isinstance(part, CallPredicate):
        return part.function
    names = {AnyOf: "OR", Not: "NOT", In: "IN", Between: "BETWEEN"}
    return names[type(part)]


def _operands(part: Predicate) -> list[Operand]:
    if isinstance(part, Comparison):
        return [part.left, part.right]
    if isinstance(part, Between):
        return [part.operand, part.lower, part.upper]
    if isinstance(part, BeginsWith):
        return [part.operand, part.prefix]
    if isinstance(part, CallPredicate):
        return part.arguments
    return []


def parse(text: str, placeholders: Placeholders) -> KeyTerms:
    """The key condition of a KeyConditionExpression; `bind` it to a key schema. Raises ValidationException."""
    program = _compiled(text, placeholders.names_given, placeholders.types)
    values = placeholders.values
    for check in program.bindings:
        check(values)
    placeholders.used_names |= program.used_names
    placeholders.used_values |= program.used_values
    return KeyTerms(
        [KeyTerm(term.name, term.operator, tuple([values[key] for key in term.placeholders])) for term in program.terms]
    )
