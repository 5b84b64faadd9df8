"""From the condition of a statement to the keys that it names: what is left is a filter, or a condition on a write."""

from collections.abc import Sequence

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions.conditions import Condition, of_predicate
from cumulo.services.data.dynamodb.expressions.functions import BeginsWith
from cumulo.services.data.dynamodb.expressions.key_conditions import KeyCondition, KeySchema, KeyTerm, KeyTerms
from cumulo.services.data.dynamodb.expressions.operands import GivenOperand, Operand, PathOperand
from cumulo.services.data.dynamodb.expressions.predicates import (
    AllOf,
    AnyOf,
    Between,
    Comparison,
    In,
    Not,
    Predicate,
    Several,
)
from cumulo.services.data.dynamodb.partiql.syntax import Where
from cumulo.services.data.dynamodb.values.attribute_values import Item

_MOST_BRANCHES = 100
_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Lookup:
    """How a SELECT finds its items: by these keys, one query after the other, or (no keys) by a scan."""

    __slots__ = ("keys", "rest")

    def __init__(self, keys: list[KeyCondition], rest: list[Predicate]) -> None:
        self.keys = keys
        self.rest = rest


def lookup(where: Where, schema: KeySchema) -> Lookup:
    """The best way to the items of a condition. Raises ValidationException for keys of another type."""
    branches = []
    for parts in _branches(where.parts, (*schema.hashes, *schema.ranges)):
        found = _key_of(parts, schema)
        if found is None:
            return Lookup([], list(where.parts))
        branches.append(found)
    if len(branches) == 1:
        return Lookup([branches[0].key], branches[0].rest)
    keys: list[KeyCondition] = []
    for branch in branches:
        key = branch.key
        same = [each for each in branches if each.key.hashes == key.hashes]
        # What a sort key is not is no range to be read: such a partition is read once, whole.
        if any(_denies(part, schema.ranges) for each in same for part in each.rest):
            key = KeyCondition(key.hashes, (), "", ())
            if branch is not same[0]:
                continue
        keys.append(key)
    whole = any(branch.rest for branch in branches)
    return Lookup(keys, list(where.parts) if whole else [])


class _Branch:
    """One of the alternatives of a condition: a key, and what else it says."""

    __slots__ = ("key", "rest")

    def __init__(self, key: KeyCondition, rest: list[Predicate]) -> None:
        self.key = key
        self.rest = rest


def _key_of(parts: list[Predicate], schema: KeySchema) -> _Branch | None:
    rest = list(parts)
    terms: list[KeyTerm] = []
    for name in schema.hashes:
        found = _take(rest, name, ("=",))
        if found is None:
            return None
        terms.append(found)
    for name in schema.ranges:
        found = _take(rest, name, ("=",))
        if found is None:
            found = _take(rest, name, ("<", "<=", ">", ">=", "BETWEEN", "begins_with"))
            if found is not None:
                terms.append(found)
            break
        terms.append(found)
    return _Branch(KeyTerms(terms).bind(schema), rest)


def _branches(parts: Sequence[Predicate], names: tuple[str, ...]) -> list[list[Predicate]]:
    """The alternatives that the ORs and INs of key attributes leave; those of other attributes stay as they are."""
    found: list[list[Predicate]] = [[]]
    for part in parts:
        options = _options(part, names)
        if len(options) * len(found) > _MOST_BRANCHES:
            options = [[part]]
        found = [[*before, *option] for before in found for option in options]
    return found


def _options(part: Predicate, names: tuple[str, ...]) -> list[list[Predicate]]:
    if isinstance(part, In) and any(_names(part.operand, name) for name in names):
        if all(isinstance(option, GivenOperand) for option in part.options):
            return [[Comparison("=", part.operand, option)] for option in part.options]
    elif isinstance(part, AnyOf) and _mentions(part, names):
        return [
            branch
            for each in part.parts
            for branch in _branches(each.parts if isinstance(each, AllOf) else [each], names)
        ]
    return [[part]]


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


def _denies(part: Predicate, names: tuple[str, ...]) -> bool:
    """Whether it says what one of these attributes is not."""
    if isinstance(part, Not):
        return _mentions(part.part, names)
    return isinstance(part, Comparison) and part.operator == "<>" and _mentions(part, names)


def _mentions(part: Predicate, names: tuple[str, ...]) -> bool:
    if isinstance(part, Several):
        return any(_mentions(each, names) for each in part.parts)
    if isinstance(part, Not):
        return _mentions(part.part, names)
    operands: list[Operand] = []
    if isinstance(part, Comparison):
        operands = [part.left, part.right]
    elif isinstance(part, Between | In | BeginsWith):
        operands = [part.operand]
    return any(_names(operand, name) for operand in operands for name in names)


def _names(operand: Operand, name: str) -> bool:
    return isinstance(operand, PathOperand) and operand.name == name
