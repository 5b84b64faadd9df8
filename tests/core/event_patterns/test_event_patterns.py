"""Event patterns: every operator, AWS's words for what is wrong, and a naive evaluator to compare with."""

import itertools
import json
import time
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.core.event_patterns import PatternError, compile_pattern
from cumulo.core.event_patterns.complexity import too_complex


def matches(pattern: Any, event: Any) -> bool:
    return compile_pattern(json.dumps(pattern)).matches(event)


def error(document: str) -> str:
    with pytest.raises(PatternError) as caught:
        compile_pattern(document)
    return str(caught.value)


@pytest.mark.parametrize(
    ("document", "message", "column"),
    [
        ('{"resources": []}', "Empty arrays are not allowed", 17),
        ('{"string": "my-value"}', '"string" must be an object or an array', 13),
        ('{"int": 42}', '"int" must be an object or an array', 11),
        ('{"time": [{"prefix": 123}]}', "prefix match pattern must be a string", 25),
        ('{"time": [{"prefix": ["2022-07-13"]}]}', "prefix match pattern must be a string", 23),
        ('{"FileName": [{"suffix": [".png"]}]}', "suffix match pattern must be a string", 27),
        (
            '{"detail-type": [{"equals-ignore-case": {"prefix": "ec2"}}]}',
            "equals-ignore-case match pattern must be a string",
            42,
        ),
        ('{"EventBusArn": [{"wildcard": 123}]}', "wildcard match pattern must be a string", 34),
        (
            '{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}',
            "Consecutive wildcard characters at pos 26",
            72,
        ),
        ('{"my_key": [{"EXISTS": true}]}', "Unrecognized match type EXISTS", 28),
        ('{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}', "Bad numeric range operator: >", 49),
        ('{"detail": {"c-count": [{"numeric": 10}]}}', "Value of numeric must be an array.", 39),
        ('{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}', "Value of < must be numeric", 50),
        (
            '{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}',
            "prefix match pattern must be a string",
            43,
        ),
        (
            '{"detail": {"state": [{"anything-but": null}]}}',
            "Value of anything-but must be an array or single string/number value.",
            44,
        ),
        (
            '{"detail": {"FileName": [{"anything-but": {"prefix": ""}}]}}',
            "Null prefix/suffix not allowed",
            56,
        ),
        (
            '{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}',
            "Value of anything-but must be an array or single string/number value.",
            55,
        ),
        (
            '{"detail": {"state": [{"anything-but": {"prefix": 123}}]}}',
            "prefix/suffix match pattern must be a string",
            54,
        ),
        (
            '{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}',
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
            66,
        ),
        ('["not", "a", "dict"]', "Filter is not an object", 2),
        ("{}", "Empty objects are not allowed", 3),
        (
            "this is no json",
            "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token 'null', "
            "'true' or 'false')",
            5,
        ),
        (
            "{'bad': 'quotation'}",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
            2,
        ),
    ],
)
def test_wrong_patterns_are_refused_in_aws_words(document: str, message: str, column: int) -> None:
    assert error(document) == f'{message}\n at [Source: (String)"{document}"; line: 1, column: {column}]'


@pytest.mark.parametrize(
    ("document", "message", "column"),
    [
        (
            '{"detail": {"state": [{"anything-but": ["stopped", null]}]}}',
            "Inside anything but list, start|null|boolean is not supported.",
            56,
        ),
        (
            '{"detail": {"state": [{"anything-but": {"prefix": [123, "test"]}}]}}',
            "prefix/suffix match pattern must be a string",
            55,
        ),
        (
            '{"detail": {"state": [{"anything-but": {"equals-ignore-case": [123, 456]}}]}}',
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
            67,
        ),
    ],
)
def test_aws_says_twice_where_in_a_list(document: str, message: str, column: int) -> None:
    where = f'\n at [Source: (String)"{document}"; line: 1, column: {column}]'
    assert error(document) == message + where + where


def test_some_errors_say_no_place() -> None:
    assert error('{"ip": [{"cidr": "bad-filter"}]}') == "Malformed CIDR, one '/' required"
    assert error('{"ip": [{"cidr": "xx.11.xx/8"}]}') == "Nonstandard IP address: xx.11.xx"
    assert error('{"ip": [{"cidr": "10.0.0.0/x"}]}') == "Malformed CIDR, mask bits must be an integer"
    wildcard = "*" + "a" * 150 + "*"
    assert error(json.dumps({"a": [{"wildcard": wildcard}]})).startswith("Rule is too complex - try using fewer")


def test_a_long_document_is_quoted_in_part() -> None:
    document = json.dumps({"a": ["x" * 600], "b": 1})
    assert f'"{document[:500]}"[truncated {len(document) - 500} chars]; line' in error(document)


def test_complexity_counts_what_may_be_followed_at_once() -> None:
    assert not too_complex("*.example.com*")
    assert not too_complex("*" + "ab" * 60)
    assert too_complex("*" + "a" * 120)


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("rugby", ["rugby", ["golf", "rugby"]], ["Rugby", 5, None, True, [], {}]),
        (None, [None], ["null", 0, False]),
        (True, [True], ["true", 1]),
        (5, [5, 5.0, [4, 5]], [4, "5", True]),
        ("", [""], ["a", None]),
        ({"prefix": "a"}, ["abc"], ["bac", "A", 1]),
        ({"prefix": ""}, ["abc", ""], [1, None]),
        ({"prefix": {"equals-ignore-case": "Ev"}}, ["event", "EVENT"], ["even"[1:]]),
        ({"suffix": ".png"}, ["a.png"], ["a.PNG"]),
        ({"suffix": {"equals-ignore-case": ".png"}}, ["a.PNG"], ["a.gif"]),
        ({"equals-ignore-case": "Alice"}, ["ALICE"], ["Alicia"]),
        ({"wildcard": "a*b*c"}, ["abc", "a1b2c"], ["acb", "ab"]),
        ({"wildcard": "a\\*b"}, ["a*b"], ["axb"]),
        ({"wildcard": "ab*ba"}, ["abba", "abxba"], ["aba"]),
        ({"anything-but": "x"}, ["y", None, 1, True], ["x"]),
        ({"anything-but": ["x", "y"]}, ["z"], ["x", "y"]),
        ({"anything-but": [1, 2]}, [3, "1"], [1, 2.0]),
        ({"anything-but": {"prefix": ["a", "b"]}}, ["c", 1, None], ["ax", "bx"]),
        ({"anything-but": {"suffix": "a"}}, ["ab"], ["ba"]),
        ({"anything-but": {"wildcard": "*a*"}}, ["b"], ["bab"]),
        ({"anything-but": {"equals-ignore-case": ["A", "B"]}}, ["c"], ["a", "b"]),
        ({"numeric": ["=", 3]}, [3, 3.0], [4, "3", None]),
        ({"numeric": [">", 0, "<=", 5]}, [1, 5], [0, 6]),
        ({"numeric": ["<", 10]}, [9.5], [10]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.255"], ["10.0.1.1", "x", 1]),
        ({"cidr": "2001:db8::/64"}, ["2001:db8::1"], ["2001:db9::1", "10.0.0.1"]),
        ({"exists": True}, ["x", None, 0, ["a"]], [[], {}, {"b": 1}]),
        ({"exists": False}, [[], {}, {"b": 1}], ["x", None]),
    ],
)
def test_conditions(condition: Any, yes: list[Any], no: list[Any]) -> None:
    for value in yes:
        assert matches({"a": [condition]}, {"a": value}), value
    for value in no:
        assert not matches({"a": [condition]}, {"a": value}), value


def test_anything_but_wants_the_field_to_be_there() -> None:
    assert not matches({"a": [{"anything-but": "x"}]}, {"b": 1})
    assert matches({"a": [{"exists": False}]}, {"b": 1})
    assert matches({"a": [{"exists": False}, "x"]}, {"a": "x"})


def test_elements_of_an_array_hold_together() -> None:
    event = {"records": [{"kind": "x", "size": 1}, {"kind": "y", "size": 2}]}
    assert matches({"records": {"kind": ["x"], "size": [1]}}, event)
    assert not matches({"records": {"kind": ["x"], "size": [2]}}, event)


def test_names_join_with_dots() -> None:
    assert matches({"a.b": ["x"]}, {"a": {"b": "x"}})
    assert matches({"a": {"b": ["x"]}}, {"a.b": "x"})


def test_or_multiplies() -> None:
    pattern = {"$or": [{"a": ["1"]}, {"b": {"c": [{"exists": True}]}}], "d": ["x"]}
    assert matches(pattern, {"a": "1", "d": "x"})
    assert matches(pattern, {"b": {"c": 1}, "d": "x"})
    assert not matches(pattern, {"a": "1", "d": "y"})
    assert not matches(pattern, {"a": "2", "d": "x"})
    assert matches({"$or": ["x"]}, {"$or": "x"})  # a name like any other, where it holds no two objects


# --- a naive evaluator ------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.text("ab*\\", max_size=4)
NUMBERS = st.integers(-3, 3)
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
EVENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.dictionaries(NAMES, inner, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=8,
)


def condition_named(operator: str) -> Any:
    return TEXTS.map(lambda text: {operator: text})


WILDCARDS = TEXTS.filter(lambda text: "**" not in text and "\\" not in text)
CONDITIONS = st.one_of(
    SCALARS,
    *map(condition_named, ("prefix", "suffix", "equals-ignore-case")),
    TEXTS.map(lambda text: {"prefix": {"equals-ignore-case": text}}),
    WILDCARDS.map(lambda text: {"wildcard": text}),
    st.booleans().map(lambda there: {"exists": there}),
    NUMBERS.map(lambda number: {"numeric": [">=", number]}),
    st.tuples(NUMBERS, st.integers(4, 6)).map(lambda ends: {"numeric": [">", ends[0], "<", ends[1]]}),
    st.lists(TEXTS, min_size=1, max_size=2).map(lambda texts: {"anything-but": texts}),
    st.lists(NUMBERS, min_size=1, max_size=2).map(lambda numbers: {"anything-but": numbers}),
    st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=2).map(
        lambda texts: {"anything-but": {"suffix": texts}}
    ),
    st.just({"cidr": "10.0.0.0/8"}),
)
PATTERNS = st.recursive(
    st.dictionaries(NAMES, st.lists(CONDITIONS, min_size=1, max_size=2), min_size=1, max_size=2),
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, min_size=1, max_size=2),
        st.tuples(inner, inner).map(lambda both: {"$or": list(both)}),
    ),
    max_leaves=4,
)


def holds(condition: Any, value: Any) -> bool:
    """What one condition says of one scalar."""
    if not isinstance(condition, dict):
        if isinstance(condition, bool) or isinstance(value, bool) or condition is None or value is None:
            return condition is value
        return type(condition) is type(value) and bool(condition == value)
    ((operator, operand),) = condition.items()
    if operator == "exists":
        return bool(operand)
    if operator == "anything-but":
        if isinstance(operand, dict):
            return not any(holds({"suffix": text}, value) for text in operand["suffix"])
        return not any(holds(each, value) for each in operand)
    if operator == "numeric":
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        tests = {">": value.__gt__, ">=": value.__ge__, "<": value.__lt__}
        return all(tests[sign](number) for sign, number in zip(operand[::2], operand[1::2], strict=True))
    if not isinstance(value, str):
        return False
    if operator == "cidr":
        try:
            return ip_address(value) in ip_network(operand)
        except ValueError:
            return False
    if operator == "wildcard":
        return like(operand, value)
    if isinstance(operand, dict):
        return value.lower().startswith(operand["equals-ignore-case"].lower())
    if operator == "equals-ignore-case":
        return bool(value.lower() == operand.lower())
    return value.startswith(operand) if operator == "prefix" else value.endswith(operand)


def like(expression: str, value: str) -> bool:
    if not expression:
        return not value
    if expression[0] == "*":
        return any(like(expression[1:], value[start:]) for start in range(len(value) + 1))
    return value[:1] == expression[0] and like(expression[1:], value[1:])


def worlds(value: Any) -> list[dict[str, Any]]:
    """Every way to choose one element of each array: the scalars that are left, by path."""
    if isinstance(value, dict):
        parts = [
            [{(f"{name}.{path}" if path else name): each for path, each in world.items()} for world in worlds(member)]
            for name, member in value.items()
        ]
        return [{path: each for part in chosen for path, each in part.items()} for chosen in itertools.product(*parts)]
    if isinstance(value, list):
        return [world for element in value for world in worlds(element)] or [{}]
    return [{"": value}]


def rules(pattern: dict[str, Any], path: str = "") -> list[dict[str, Any]]:
    """The pattern without `$or`: conditions by path, in every branch; later names win, as in the language."""
    found: list[dict[str, Any]] = [{}]
    for name, member in pattern.items():
        if name == "$or":
            found = [rule | branch for rule in found for choice in member for branch in rules(choice, path)]
            continue
        at = f"{path}.{name}" if path else name
        inner = [{at: member}] if isinstance(member, list) else rules(member, at)
        found = [rule | branch for rule in found for branch in inner]
    return found


def naive(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    everywhere = worlds(event)
    there = {path for world in everywhere for path in world}

    def fits(rule: dict[str, Any], world: dict[str, Any]) -> bool:
        return all(
            any(holds(condition, world[path]) for condition in conditions if condition != {"exists": False})
            if path in world
            else path not in there and {"exists": False} in conditions
            for path, conditions in rule.items()
        )

    return any(fits(rule, world) for rule in rules(pattern) for world in everywhere)


@settings(max_examples=400, deadline=None)
@given(pattern=PATTERNS, event=st.dictionaries(NAMES, EVENTS, max_size=3))
def test_the_compiled_pattern_and_a_naive_one_agree(pattern: dict[str, Any], event: dict[str, Any]) -> None:
    assert matches(pattern, event) == naive(pattern, event)


@pytest.mark.parametrize(
    "expression",
    [
        "*".join(chr(letter) * 3 for letter in range(65, 125)),
        "*".join(chr(65 + number % 60) for number in range(400)),
        "*" + "ab" * 80 + "*" + "ba" * 80,
        "*a" * 50 + "*b",
    ],
)
def test_hostile_wildcards_take_no_time(expression: str) -> None:
    """Neither to measure them nor, where they are taken, to match."""
    begun = time.thread_time()
    too_complex(expression)
    with suppress(PatternError):
        compile_pattern(json.dumps({"a": [{"wildcard": expression}]})).takes({"a": "a" * 24_000})
    assert time.thread_time() - begun < 0.05
