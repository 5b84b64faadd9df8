"""Filter policies: AWS's limits and texts, every operator, and a naive matcher to compare with."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.services.messaging.sns.filter_policies import FilterPolicyError, compile_policy


def matches(policy: Any, body: Any) -> bool:
    return compile_policy(json.dumps(policy), True).accepts({}, json.dumps(body))


def attribute_matches(policy: Any, **attributes: tuple[str, str]) -> bool:
    given = {name: list(value) for name, value in attributes.items()}
    return compile_policy(json.dumps(policy), False).accepts(given, "")


def error(document: str, nested: bool = False) -> str:
    with pytest.raises(FilterPolicyError) as caught:
        compile_policy(document, nested)
    return str(caught.value)


def at(column: int) -> str:
    source = "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)"
    return f"\n at [Source: {source}; line: 1, column: {column}]"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ('{"key":[{"exists":null}]}', "exists match pattern must be either true or false." + at(23)),
        ('{"key":[{"exists":"no"}]}', "exists match pattern must be either true or false." + at(20)),
        ('{"key":[{"cidr":"bad-filter"}]}', "Malformed CIDR, one '/' required"),
        ('{"key":[{"cidr":"bad-filter/64"}]}', "Nonstandard IP address: bad-filter"),
        ('{"key":[{"cidr":"bad-filter/bad"}]}', "Malformed CIDR, mask bits must be an integer"),
        ('{"key":[{"cidr":"xx.11.xx/8"}]}', "Nonstandard IP address: xx.11.xx"),
        ('{"key":[{"cidr":"xxxx:db8:1234:1a00::/64"}]}', "Nonstandard IP address: xxxx:db8:1234:1a00::"),
        ('{"key":[{"cidr":"10.0.0.0/32"}]}', "IPv4 mask bits must be < 32"),
        ('{"key":[{"cidr":["bad-filter"]}]}', "prefix match pattern must be a string" + at(18)),
        ('{"key":[]}', "Empty arrays are not allowed" + at(10)),
        ('{"key":[{"suffix":[]}]}', "suffix match pattern must be a string" + at(20)),
        ('{"key":[{"suffix":null}]}', "suffix match pattern must be a string" + at(23)),
        ('{"key":[{"suffix":100}]}', "suffix match pattern must be a string" + at(22)),
        ('{"key":{"not-an-operator":"value"}}', '"not-an-operator" must be an object or an array' + at(28)),
        ('{"key":{"suffix":"value","prefix":"value"}}', '"suffix" must be an object or an array' + at(19)),
        ('{"key":[{"suffix":"a","prefix":"b"}]}', "Only one key allowed in match expression" + at(31)),
        ('{"key":[{"fly":"a"}]}', "Unrecognized match type fly" + at(17)),
        ('{"key":[{"numeric":["<>",1]}]}', "Unrecognized numeric range operator: <>" + at(27)),
        ('{"key":[{"numeric":[">",2,"<",1]}]}', "Bottom must be less than top" + at(33)),
        ('{"key":[{"numeric":["=",1000000001]}]}', "Value must be between -1.0E9 and 1.0E9, inclusive" + at(35)),
        ('{"key":[{"wildcard":"a**b"}]}', "Consecutive wildcard characters at pos 2" + at(27)),
        ('{"key":{"nested":["a"]}}', "Filter policy scope MessageAttributes does not support nested filter policy"),
        (json.dumps({f"k{n}": ["v"] for n in range(6)}), "Filter policy can not have more than 5 keys"),
        (json.dumps({"key": [str(n) for n in range(151)]}), "Filter policy is too complex"),
        (json.dumps({k: [str(n) for n in range(13)] for k in "ab"}), "Filter policy is too complex"),
    ],
)
def test_wrong_policies_are_refused_in_aws_words(document: str, message: str) -> None:
    assert error(document) == message


def test_depth_and_alternatives_count() -> None:
    four = ["1", "2", "3", "4"]
    fits = {"a": {"b": {"c": four}}, "d": {"e": four[:3]}, "f": ["1", "2"]}  # 12 x 6 x 2
    compile_policy(json.dumps(fits), True)
    fits["f"] = four[:3]
    assert error(json.dumps(fits), nested=True) == "Filter policy is too complex"
    many = [str(n) for n in range(76)]
    assert error(json.dumps({"$or": [{"a": many}, {"b": many}]})) == "Filter policy is too complex"


@pytest.mark.parametrize(
    ("condition", "yes", "no"),
    [
        ("rugby", ["rugby"], ["Rugby", "rugb", 5, None, True]),
        (5, [5, 5.0], ["5", 6, True]),
        (True, [True], [False, "true", 1]),
        (None, [None], ["null", 0, ""]),
        ("", [""], [" ", None]),
        ({"prefix": "bas"}, ["baseball", "bas"], ["ba", "Bas", 5]),
        ({"suffix": "ball"}, ["baseball"], ["balls", None]),
        ({"equals-ignore-case": "TeNNis"}, ["tennis", "TENNIS"], ["tenni"]),
        ({"wildcard": "*ba*l"}, ["baseball", "bal"], ["bat"]),
        ({"wildcard": "a\\*b"}, ["a*b"], ["axb"]),
        ({"anything-but": ["rugby", "tennis"]}, ["baseball", 5, None], ["rugby"]),
        ({"anything-but": 5}, [6, "5"], [5, 5.0]),
        ({"anything-but": {"prefix": "bas"}}, ["rugby", 1], ["baseball"]),
        ({"anything-but": {"suffix": "ball"}}, ["rugby"], ["football"]),
        ({"anything-but": {"suffix": ["ball", "by"]}}, ["tennis"], ["football", "rugby"]),
        ({"anything-but": {"wildcard": "*b*"}}, ["tennis"], ["rugby"]),
        ({"anything-but": {"equals-ignore-case": "Rugby"}}, ["tennis"], ["RUGBY"]),
        ({"numeric": ["=", 3.015e2]}, [301.5], [301, "301.5"]),
        ({"numeric": [">", 0, "<=", 100]}, [1, 100, 99.9], [0, 101, "50", True]),
        ({"numeric": ["<", 0]}, [-1], [0]),
        ({"cidr": "10.0.0.0/24"}, ["10.0.0.0", "10.0.0.255"], ["10.0.1.0", "x", 10]),
        ({"cidr": "2001:db8::/32"}, ["2001:db8::1"], ["2001:db9::1", "10.0.0.1"]),
        ({"exists": True}, ["x", None, 0], []),
    ],
)
def test_operators(condition: Any, yes: list[Any], no: list[Any]) -> None:
    for value in yes:
        assert matches({"key": [condition]}, {"key": value}), value
        assert matches({"a": {"key": ["never", condition]}}, {"a": {"key": ["other", value]}}), value
    for value in no:
        assert not matches({"key": [condition]}, {"key": value}), value
    assert not matches({"key": [condition]}, {"other": "rugby"})


def test_absence_can_be_asked_for() -> None:
    policy = {"key": [{"exists": False}, "rugby"]}
    assert matches(policy, {})
    assert matches(policy, {"key": "rugby"})
    assert not matches(policy, {"key": "tennis"})


def test_or() -> None:
    policy = {"source": ["a"], "$or": [{"name": ["n"]}, {"name": ["m"], "kind": ["k"]}]}
    assert matches(policy, {"source": "a", "name": "n"})
    assert matches(policy, {"source": "a", "name": "m", "kind": "k"})
    assert not matches(policy, {"source": "a", "name": "m"})
    assert not matches(policy, {"source": "b", "name": "n"})
    plain = {"$or": ["x", "y"]}  # no objects: a field like others
    assert matches(plain, {"$or": "y"})


def test_what_belongs_together_must_be_in_one_element() -> None:
    policy = {"Records": {"s3": {"key": [{"prefix": "auto-"}]}, "event": [{"prefix": "Created"}]}}
    good = {"event": "Created:Put", "s3": {"key": "auto-1"}}
    other = {"event": "Removed", "s3": {"key": "home-1"}}
    assert matches(policy, {"Records": [other, good]})
    assert matches(policy, {"Records": [{"event": "Created:Put", "s3": [[{"key": "auto-1"}]]}]})
    mixed = [{"event": "Created:Put", "s3": {"key": "home-1"}}, {"event": "Removed", "s3": {"key": "auto-1"}}]
    assert not matches(policy, {"Records": mixed})


def test_dots_and_nesting_are_one() -> None:
    for policy in ({"object.nested": ["v"]}, {"object": {"nested": ["v"]}}):
        assert matches(policy, {"object": {"nested": "v"}})
        assert matches(policy, {"object.nested": "v"})


def test_a_body_that_is_no_object_never_passes() -> None:
    policy = compile_policy('{"key": [{"exists": false}]}', True)
    assert not policy.accepts({}, "no json")
    assert not policy.accepts({}, "[1]")
    assert policy.accepts({}, "{}")


def test_attributes_by_type() -> None:
    assert attribute_matches({"n": [{"numeric": [">", 1]}]}, n=("Number", "1.5"))
    assert not attribute_matches({"n": [{"numeric": [">", 1]}]}, n=("String", "1.5"))
    assert attribute_matches({"s": ["x"]}, s=("String.Array", '["w", "x"]'))
    assert attribute_matches({"s": [None, 5]}, s=("String.Array", "[null]"))
    assert not attribute_matches({"s": ["x"]}, s=("String.Array", "x"))
    assert not attribute_matches({"b": [{"exists": True}]}, b=("Binary", "AA=="))
    assert attribute_matches({"s": ["x"]}, s=("String.Custom", "x"), other=("String", "y"))


SCALARS = st.one_of(st.sampled_from(["", "a", "ab", "abc", "b", "A"]), st.integers(-2, 3), st.booleans(), st.none())
CONDITIONS = st.one_of(
    SCALARS,
    st.sampled_from(["", "a", "ab", "b"]).map(lambda text: {"prefix": text}),
    st.sampled_from(["", "a", "b", "c"]).map(lambda text: {"suffix": text}),
    st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=2).map(lambda values: {"anything-but": values}),
    st.tuples(st.sampled_from(["=", "<", "<=", ">", ">="]), st.integers(-2, 3)).map(
        lambda each: {"numeric": list(each)}
    ),
    st.booleans().map(lambda there: {"exists": there}),
)
POLICIES = st.dictionaries(st.sampled_from("xyz"), st.lists(CONDITIONS, min_size=1, max_size=3), min_size=1, max_size=3)
BODIES = st.dictionaries(st.sampled_from("xyz"), st.one_of(SCALARS, st.lists(SCALARS, max_size=3)), max_size=3)


def naive(policy: dict[str, list[Any]], body: dict[str, Any]) -> bool:
    """The same question, answered straight from the guide's text for flat bodies."""
    return all(
        any(naive_condition(condition, body.get(name, [])) for condition in conditions)
        for name, conditions in policy.items()
    )


def naive_condition(condition: Any, value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    if not isinstance(condition, dict):
        return any(type(each) is type(condition) and each == condition for each in values)
    [(operator, operand)] = condition.items()
    if operator == "exists":
        return bool(values) is operand
    if operator == "anything-but":
        return any(each not in operand for each in values)
    if operator == "numeric":
        numbers = [each for each in values if isinstance(each, int) and not isinstance(each, bool)]
        sign, limit = operand
        compare = {
            "=": lambda n: n == limit,
            "<": lambda n: n < limit,
            "<=": lambda n: n <= limit,
            ">": lambda n: n > limit,
            ">=": lambda n: n >= limit,
        }[sign]
        return any(compare(number) for number in numbers)
    texts = [each for each in values if isinstance(each, str)]
    return any(each.startswith(operand) if operator == "prefix" else each.endswith(operand) for each in texts)


@settings(deadline=None)
@given(POLICIES, BODIES)
def test_the_matcher_agrees_with_a_naive_one(policy: dict[str, list[Any]], body: dict[str, Any]) -> None:
    assert matches(policy, body) == naive(policy, body)


@settings(deadline=None)
@given(st.text(alphabet='{}[]":,ab1 \n\\tru', max_size=40))
def test_any_text_is_read_or_refused(document: str) -> None:
    for nested in (False, True):
        try:
            compile_policy(document, nested)
        except FilterPolicyError as refusal:
            assert str(refusal)
