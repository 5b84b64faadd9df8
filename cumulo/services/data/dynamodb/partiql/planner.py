"""From the condition of a statement to the keys that it names: what is left is a filter, or a condition on a write."""

from collections.abc import Sequence

from cumulo.services.data.dynamodb.attribute_values import Item, Value
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions.conditions import Condition, of_predicate
from cumulo.services.data.dynamodb.expressions.functions import BeginsWith
from cumulo.services.data.dynamodb.expressions.key_conditions import KeyCondition, KeySchema, KeyTerm, KeyTerms
from cumulo.services.data.dynamodb.expressions.operands import GivenOperand, Operand, PathOperand
from cumulo.services.data.dynamodb.expressions.predicates import AllOf, AnyOf, Between, Comparison, In, Predicate
from cumulo.services.data.dynamodb.partiql.syntax import Where

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Lookup:
    """How a SELECT finds its items: by these keys, one query after the other, or (no keys) by a scan."""

    __slots__ = ("keys", "rest")

    def __init__(self, keys: list[KeyCondition], rest: list[Predicate]) -> None:
        self.keys = keys
        self.rest = rest


def lookup(where: Where, schema: KeySchema) -> Lookup:
    """The best way to the items of a condition. Raises ValidationException for keys of another type."""
    rest = list(where.parts)
    terms: list[KeyTerm] = []
    choices: list[Value] | None = None
    for name in schema.hashes:
        found = _take(rest, name, ("=",))
        if found is not None:
            terms.append(found)
        elif len(schema.hashes) == 1 and (choices := _take_choices(rest, name)) is not None:
            continue
        else:
            return Lookup([], list(where.parts))
    for name in schema.ranges:
        found = _take(rest, name, ("=",))
        if found is None:
            found = _take(rest, name, ("<", "<=", ">", ">=", "BETWEEN", "begins_with"))
            if found is not None:
                terms.append(found)
            break
        terms.append(found)
    if choices is None:
        return Lookup([KeyTerms(terms).bind(schema)], rest)
    hash_name = schema.hashes[0]
    keys = [KeyTerms([KeyTerm(hash_name, "=", (value,)), *terms]).bind(schema) for value in choices]
    return Lookup(keys, rest)


def primary_key(where: Where, names: Sequence[str]) -> tuple[Item, list[Predicate]] | None:
    """The key of the one item that a condition is about, and what else it says; None when it names no such key."""
    rest = list(where.parts)
    key: Item = {}
    for name in names:
        found = _take(rest, name, ("=",))
        if found is None:
            return None
        key[name] = found.operands[0]
    return key, rest


def mandatory_key(where: Where, names: Sequence[str]) -> tuple[Item, list[Predicate]]:
    """The key of the item that a write is about, and its further conditions. Raises ValidationException for none."""
    found = primary_key(where, names)
    if found is None:
        raise VALIDATION("Where clause does not contain a mandatory equality on all key attributes")
    return found


def joined(parts: list[Predicate], attributes: frozenset[str]) -> Condition | None:
    """One condition of several parts; None of none."""
    if not parts:
        return None
    return of_predicate(parts[0] if len(parts) == 1 else AllOf(parts), attributes)


def _take(parts: list[Predicate], name: str, operators: tuple[str, ...]) -> KeyTerm | None:
    """The first part that says one of these things of a key attribute; it leaves the list."""
    for at, part in enumerate(parts):
        term = _term(part, name)
        if term is not None and term.operator in operators:
            del parts[at]
            return term
    return None


def _term(part: Predicate, name: str) -> KeyTerm | None:
    if isinstance(part, Comparison) and part.operator in _MIRRORED:
        left, right = part.left, part.right
        if _names(left, name) and isinstance(right, GivenOperand):
            return KeyTerm(name, part.operator, (right.given,))
        if _names(right, name) and isinstance(left, GivenOperand):
            return KeyTerm(name, _MIRRORED[part.operator], (left.given,))
    elif isinstance(part, Between):
        lower, upper = part.lower, part.upper
        if _names(part.operand, name) and isinstance(lower, GivenOperand) and isinstance(upper, GivenOperand):
            return KeyTerm(name, "BETWEEN", (lower.given, upper.given))
    elif isinstance(part, BeginsWith) and _names(part.operand, name) and isinstance(part.prefix, GivenOperand):
        return KeyTerm(name, "begins_with", (part.prefix.given,))
    return None


def _take_choices(parts: list[Predicate], name: str) -> list[Value] | None:
    """The values that an IN, or equalities joined by OR, leave a key attribute, each once; it leaves the list."""
    for at, part in enumerate(parts):
        options = _choices(part, name)
        if options:
            del parts[at]
            return [value for number, value in enumerate(options) if value not in options[:number]]
    return None


def _choices(part: Predicate, name: str) -> list[Value]:
    """The values of which such a part wants one; none where it says something else."""
    if isinstance(part, In) and _names(part.operand, name):
        given = [option.given for option in part.options if isinstance(option, GivenOperand)]
        return given if len(given) == len(part.options) else []
    if not isinstance(part, AnyOf):
        return []
    found: list[Value] = []
    for each in part.parts:
        term = _term(each, name)
        if term is not None and term.operator == "=":
            found.append(term.operands[0])
            continue
        more = _choices(each, name)
        if not more:
            return []
        found.extend(more)
    return found


def _names(operand: Operand, name: str) -> bool:
    return isinstance(operand, PathOperand) and operand.name == name
