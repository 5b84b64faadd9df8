"""The Condition element: every operator, with IfExists, ForAnyValue and ForAllValues.

A condition compiles to one function of the request context. Sources: IAM User Guide, "IAM JSON policy
elements: Condition operators", "Conditions with multiple context keys or values", "Set operators for
multivalued context keys".
"""

import base64
import binascii
import re
import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cumulo.core.policy import variables
from cumulo.core.policy.condition_keys import Value
from cumulo.core.policy.variables import Lookup, Part
from cumulo.core.policy.wildcards import Matcher, Token, arn_matcher, matcher, tokens

Condition = Callable[[Lookup], bool]
Test = Callable[[str], bool]
Tests = Callable[[Sequence[str]], Test]
"""From the values in the policy to: does this value of the request match one of them?"""


class Operator:
    """A condition operator as written: its family, negation, IfExists, and set qualifier."""

    __slots__ = ("family", "if_exists", "negated", "qualifier", "variables")

    def __init__(self, family: str, negated: bool, if_exists: bool, qualifier: str) -> None:
        self.family = family
        self.negated = negated
        self.if_exists = if_exists
        self.qualifier = qualifier
        self.variables = family in _TOKENS


def operator(name: str) -> Operator | None:
    """The operator with this name, or None when there is no such operator."""
    rest = name.lower()
    qualifier = ""
    for prefix in ("foranyvalue:", "forallvalues:"):
        if rest.startswith(prefix):
            qualifier, rest = prefix[:-1], rest[len(prefix) :]
    if_exists = rest.endswith("ifexists")
    if if_exists:
        rest = rest[: -len("ifexists")]
    family, negated = _NAMES.get(rest, ("", False))
    if not family or (family == "null" and (if_exists or qualifier)):
        return None
    return Operator(family, negated, if_exists, qualifier)


def compile_condition(name: str, key: str, values: Sequence[str], *, with_variables: bool) -> Condition:
    """The function that decides one operator over one key; `name` must be an operator's.

    `values` are the policy's, any one of which suffices. `with_variables` is true for 2012-10-17.
    """
    op = operator(name)
    if op is None:
        raise ValueError(name)
    key = key.lower()
    if op.family == "null":
        return _null(key, values)
    if op.variables:
        parts = [variables.parse(value) if with_variables else _plain(value) for value in values]
        if any(variables.has_variables(part) for part in parts):
            return _varying(op, key, parts)
        return _quantified(op, key, _matches_any(op.family, [variables.fixed(part) for part in parts]))
    return _quantified(op, key, _FIXED[op.family](values))


def _plain(value: str) -> list[Part]:
    return list(tokens(value))


def _varying(op: Operator, key: str, parts: list[list[Part]]) -> Condition:
    """A condition whose policy values hold variables: resolved anew for every request.

    A value with a variable that this request cannot resolve matches nothing. Under a negated operator
    that would make the statement apply, so there the whole condition fails instead: AWS calls such a
    statement invalid ("Variables and tags", note at the top).
    """

    def condition(lookup: Lookup) -> bool:
        patterns: list[list[Token]] = []
        for value in parts:
            resolved = variables.resolve(value, lookup)
            if resolved is not None:
                patterns.append(resolved)
            elif op.negated:
                return False
        return _quantified(op, key, _matches_any(op.family, patterns))(lookup)

    return condition


def _quantified(op: Operator, key: str, test: Test) -> Condition:
    """How many of the request's values must pass, and what an absent key means."""
    if op.qualifier == "foranyvalue":
        return _for_any(key, test, op.negated, op.if_exists)
    if op.qualifier == "forallvalues":
        return _for_all(key, test, op.negated)
    absent = op.if_exists or op.negated
    if op.negated:

        def negated(lookup: Lookup) -> bool:
            value = lookup(key)
            if value is None:
                return absent
            return not (test(value) if isinstance(value, str) else any(test(each) for each in value))

        return negated

    def positive(lookup: Lookup) -> bool:
        value = lookup(key)
        if value is None:
            return absent
        return test(value) if isinstance(value, str) else any(test(each) for each in value)

    return positive


def _several(value: Value | None) -> Sequence[str]:
    """The request's values as a set: nothing and an empty string are the empty set."""
    if not value:
        return ()
    return (value,) if isinstance(value, str) else value


def _for_any(key: str, test: Test, negated: bool, if_exists: bool) -> Condition:
    def condition(lookup: Lookup) -> bool:
        value = lookup(key)
        if value is None:
            return if_exists
        return any(test(each) is not negated for each in _several(value))

    return condition


def _for_all(key: str, test: Test, negated: bool) -> Condition:
    def condition(lookup: Lookup) -> bool:
        return all(test(each) is not negated for each in _several(lookup(key)))

    return condition


def _null(key: str, values: Sequence[str]) -> Condition:
    """Null: "true" wants the key absent, "false" wants it present with a value."""
    wanted = {value.lower() == "true" for value in values if value.lower() in ("true", "false")}

    def condition(lookup: Lookup) -> bool:
        value = lookup(key)
        return (value is None or value == []) in wanted

    return condition


# ---- families whose values may hold variables: tokens to a matcher ----


def _text(pattern: Sequence[Token]) -> str:
    """The literal text of tokens: in StringEquals, `*` and `?` are themselves."""
    return "".join(token if isinstance(token, str) else token.value for token in pattern)


def _matches_any(family: str, patterns: list[list[Token]]) -> Test:
    make = _TOKENS[family]
    if family == "string":
        texts = frozenset(_text(pattern) for pattern in patterns)
        if len(texts) == 1:
            return next(iter(texts)).__eq__
        return texts.__contains__
    matchers = [make(pattern) for pattern in patterns]
    if len(matchers) == 1:
        return matchers[0]
    return lambda value: any(match(value) for match in matchers)


def _equal(pattern: Sequence[Token]) -> Matcher:
    return _text(pattern).__eq__


def _equal_ignoring_case(pattern: Sequence[Token]) -> Matcher:
    text = _text(pattern).casefold()
    return lambda value: value.casefold() == text


def _truth(pattern: Sequence[Token]) -> Matcher:
    wanted = _text(pattern).lower()
    if wanted not in ("true", "false"):
        return lambda value: False
    return lambda value: value.lower() == wanted


_TOKENS: dict[str, Callable[[Sequence[Token]], Matcher]] = {
    "string": _equal,
    "string-ignoring-case": _equal_ignoring_case,
    "string-like": matcher,
    "arn": arn_matcher,
    "bool": _truth,
}

# ---- families whose values are fixed ----

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)


def number(text: str) -> float | int | None:
    """The number that a text writes, whole numbers exact; None when it writes none."""
    text = text.strip()
    if len(text) > 400 or not _NUMBER.fullmatch(text):
        return None
    try:
        return int(text)
    except ValueError:
        return float(text)


def instant(text: str) -> float | int | None:
    """Seconds since 1970 of an ISO 8601 date (its W3C profile) or of epoch seconds; None when neither."""
    text = text.strip()
    found = _DATE.fullmatch(text)
    if found is None:
        return number(text)
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    seconds = moment.timestamp()
    if zone and zone not in "Zz":
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        seconds += -offset if zone[0] == "+" else offset
    return seconds + float(fraction or 0)


def address(text: str) -> tuple[int, int] | None:
    """An IP address as (bits, number): 32 for v4 and v4 written inside v6, 128 for v6."""
    try:
        if ":" not in text:
            return 32, int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
        found = int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
    except (OSError, ValueError):
        return None
    return (32, found & 0xFFFFFFFF) if found >> 32 == 0xFFFF else (128, found)


def network(text: str) -> tuple[int, int, int] | None:
    """An address range as (bits, its first bits, how many bits are free); a bare address is a range of one."""
    base, slash, length = text.strip().partition("/")
    found = address(base)
    if found is None:
        return None
    bits, value = found
    if not slash:
        return bits, value, 0
    if not (length.isascii() and length.isdigit() and len(length) <= 3) or int(length) > bits:
        return None
    free = bits - int(length)
    return bits, value >> free, free


def binary(text: str) -> bytes | None:
    """The bytes that base64 text stands for, or None."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _in_networks(values: Sequence[str]) -> Test:
    ranges = [found for found in map(network, values) if found is not None]

    def test(value: str) -> bool:
        found = address(value)
        if found is None:
            return False
        bits, position = found
        return any(bits == of and position >> free == first for of, first, free in ranges)

    return test


def _same_bytes(values: Sequence[str]) -> Test:
    wanted = {found for found in map(binary, values) if found is not None}
    return lambda value: binary(value) in wanted


Order = Callable[[float, float], bool]


def _ordered(read: Callable[[str], float | int | None], holds: Order) -> Tests:
    """A test that compares the request's number or date with each of the policy's."""

    def make(values: Sequence[str]) -> Test:
        bounds = [found for found in map(read, values) if found is not None]

        def test(value: str) -> bool:
            found = read(value)
            return found is not None and any(holds(found, bound) for bound in bounds)

        return test

    return make


_ORDERS: dict[str, Order] = {
    "equals": lambda left, right: left == right,
    "lessthan": lambda left, right: left < right,
    "lessthanequals": lambda left, right: left <= right,
    "greaterthan": lambda left, right: left > right,
    "greaterthanequals": lambda left, right: left >= right,
}

_FIXED: dict[str, Tests] = {
    "ip": _in_networks,
    "binary": _same_bytes,
    **{f"numeric{name}": _ordered(number, holds) for name, holds in _ORDERS.items()},
    **{f"date{name}": _ordered(instant, holds) for name, holds in _ORDERS.items()},
}

_NAMES: dict[str, tuple[str, bool]] = {
    "stringequals": ("string", False),
    "stringnotequals": ("string", True),
    "stringequalsignorecase": ("string-ignoring-case", False),
    "stringnotequalsignorecase": ("string-ignoring-case", True),
    "stringlike": ("string-like", False),
    "stringnotlike": ("string-like", True),
    "arnequals": ("arn", False),
    "arnlike": ("arn", False),
    "arnnotequals": ("arn", True),
    "arnnotlike": ("arn", True),
    "bool": ("bool", False),
    "binaryequals": ("binary", False),
    "ipaddress": ("ip", False),
    "notipaddress": ("ip", True),
    "null": ("null", False),
    "numericnotequals": ("numericequals", True),
    "datenotequals": ("dateequals", True),
    **{f"numeric{name}": (f"numeric{name}", False) for name in _ORDERS},
    **{f"date{name}": (f"date{name}", False) for name in _ORDERS},
}
