"""What conditions match: each operator and function, and their precedence against Python's own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.expressions import conditions
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders

ITEM: dict[str, dict[str, Any]] = {
    "s": {"S": "hello"},
    "uni": {"S": "é𝄞"},
    "n": {"N": "10"},
    "b": {"B": b"\x00\xff\x01"},
    "yes": {"BOOL": True},
    "nil": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2.5"]},
    "bs": {"BS": [b"a", b"b"]},
    "l": {"L": [{"S": "x"}, {"N": "1"}, {"M": {"k": {"S": "deep"}}}, {"SS": ["p", "q"]}]},
    "m": {"M": {"in": {"N": "7"}, "a.b": {"S": "dot"}}},
}
VALUES: dict[str, dict[str, Any]] = {
    ":hello": {"S": "hello"}, ":ell": {"S": "ell"}, ":he": {"S": "he"}, ":x": {"S": "x"}, ":a": {"S": "a"},
    ":ten": {"N": "1e1"}, ":nine": {"N": "9"}, ":nine_text": {"S": "9"}, ":hundred": {"N": "100"}, ":one": {"N": "1"},
    ":three": {"N": "3"}, ":zero": {"N": "0"}, ":bin": {"B": b"\xff"}, ":bin0": {"B": b"\x00"}, ":yes": {"BOOL": True},
    ":null": {"NULL": True}, ":ba": {"SS": ["b", "a"]}, ":qp": {"SS": ["q", "p"]}, ":S": {"S": "S"}, ":M": {"S": "M"},
    ":NULL": {"S": "NULL"}, ":low": {"N": "9.5"}, ":high": {"N": "10.5"}, ":list": {"L": [{"S": "a"}]},
    ":k": {"M": {"k": {"S": "deep"}}}, ":bytea": {"B": b"a"}, ":four": {"N": "4"},
}  # fmt: skip
NAMES = {"#dot": "a.b", "#in": "in"}

YES = """
    s = :hello; :hello = s; s <> :x; n = :ten; n <> :nine_text; n > :nine; n >= :ten; n <= :ten; n < :hundred
    gone <> :x; gone <> gone2; NOT gone = :x; b = b1 OR b < :bin; b > :bin0
    n BETWEEN :low AND :high; n BETWEEN :ten AND :ten; n IN (:one, :ten); ss = :ba; l[3] = :qp; s between :he and :x
    attribute_exists(s); attribute_exists(l[2].k); attribute_exists(m.#dot); attribute_not_exists(m.x)
    attribute_not_exists(l[9]); attribute_not_exists(s.x); attribute_not_exists(m[0]); attribute_type(s, :S)
    attribute_type(m, :M); attribute_type(nil, :NULL); begins_with(s, :he); begins_with(b, :bin0)
    contains(s, :ell); contains(b, :bin); contains(ss, :a); contains(ns, :one); contains(bs, :bytea); contains(l, :x)
    contains(l, :one); contains(l, :qp); contains(l, :k); size(uni) = :three; size(b) = :three; size(l) = :four
    size(s) > size(uni); size(:hello) = size(s); m.#in < :nine; yes = :yes; (s) = (:hello); NOT (NOT s = :hello)
    s = :x OR n = :ten AND yes = :yes; NOT s = :x AND n = :ten; (s = :x OR n = :ten) AND yes = :yes
    nil = :null; contains(:hello, s) AND attribute_exists(s); :ell IN (s, :ell)
"""
NO = """
    s = :x; s <> :hello; n = :nine_text; n < :nine_text; n > :nine_text; gone = :x; gone = gone2; gone < :x
    gone > :x; gone BETWEEN :he AND :x; gone IN (:x); NOT gone <> :x; n BETWEEN :nine AND :low
    s BETWEEN :nine AND :ten; n IN (:one, :nine_text); yes < n; ss < s; attribute_exists(gone)
    attribute_not_exists(s); attribute_type(s, :M); attribute_type(gone, :S); begins_with(s, :ell)
    begins_with(n, :he); begins_with(s, :bin0); contains(s, :x); contains(ss, :x); contains(n, :one)
    contains(m, :x); contains(l, :a); size(n) = :one; size(gone) < :ten; size(yes) >= :zero; size(nil) < :one
    s = :hello AND n = :nine; NOT (s = :hello OR n = :nine); l[0].x = :x; l.x = :x; m[1] = :x; contains(s, l)
    begins_with(gone, :he); contains(gone, :x); NOT s = :hello OR s = :x
"""


def parse(text: str, values: dict[str, Any] = VALUES) -> conditions.Condition:
    names = {name: NAMES[name] for name in NAMES if name in text} or None
    return conditions.parse(text, Placeholders(names, values))


def cases(texts: str) -> list[str]:
    return [text.strip() for text in texts.replace("\n", ";").split(";") if text.strip()]


@pytest.mark.parametrize("text", cases(YES))
def test_matches(text: str) -> None:
    assert parse(text).matches(ITEM)


@pytest.mark.parametrize("text", cases(NO))
def test_does_not_match(text: str) -> None:
    assert not parse(text).matches(ITEM)


def test_no_item_has_no_attributes() -> None:
    assert parse("attribute_not_exists(s)").matches(None)
    assert not parse("attribute_exists(s)").matches(None)


def test_the_attributes_that_a_condition_names() -> None:
    assert parse("s = :x AND size(m.#in) > :one OR l[0] IN (n, :x)").attributes == {"s", "m", "l", "n"}


def test_values_are_of_the_request_not_of_the_text() -> None:
    """The same text with other values of the same types is the same program."""
    for word in ("one", "two"):
        condition = parse("s = :v", {":v": {"S": word}})
        assert condition.matches({"s": {"S": word}})
        assert not condition.matches({"s": {"S": "else"}})
    with pytest.raises(Fault):
        parse("a BETWEEN :v AND :w", {":v": {"N": "2"}, ":w": {"N": "1"}})
    assert parse("a BETWEEN :v AND :w", {":v": {"N": "1"}, ":w": {"N": "2"}}).matches({"a": {"N": "2"}})


def test_300_operators_are_accepted() -> None:
    assert parse(" and ".join(["n<:y"] * 150), {":y": {"N": "20"}}).matches(ITEM)


@pytest.mark.parametrize(
    "text",
    ["NOT " * 299 + "n<:y", "NOT (" * 140 + "n<:y" + ")" * 140, "n<:y and (" * 149 + "n<:y" + ")" * 149],
    ids=["not", "not in parentheses", "and in parentheses"],
)
def test_deep_conditions_are_answered(text: str) -> None:
    parse(text, {":y": {"N": "20"}}).matches(ITEM)


@pytest.mark.parametrize(
    "text", ["(" * 2000 + "a=:y" + ")" * 2000, "size(" * 800 + "a", "a = " + "(" * 4000, "NOT " * 1000]
)
def test_bottomless_conditions_are_refused(text: str) -> None:
    with pytest.raises(Fault):
        parse(text, {":y": {"N": "20"}})


trees: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["a", "b", "c", "d"]),
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), inner, inner) | st.tuples(st.just("not"), inner),
    max_leaves=12,
)


def written(tree: Any, level: int = 0) -> str:
    """An expression with no more parentheses than its precedence wants."""
    if isinstance(tree, str):
        return f"{tree} = :y"
    if tree[0] == "not":
        return f"NOT {written(tree[1], 3)}"
    own = 2 if tree[0] == "and" else 1
    text = f"{written(tree[1], own)} {tree[0].upper()} {written(tree[2], own)}"
    return f"({text})" if own < level else text


def meant(tree: Any, flags: dict[str, bool]) -> bool:
    if isinstance(tree, str):
        return flags[tree]
    if tree[0] == "not":
        return not meant(tree[1], flags)
    left, right = meant(tree[1], flags), meant(tree[2], flags)
    return (left and right) if tree[0] == "and" else (left or right)


@given(trees, st.fixed_dictionaries({name: st.booleans() for name in "abcd"}))
def test_precedence_is_the_documented_one(tree: Any, flags: dict[str, bool]) -> None:
    """Developer Guide, "Precedence in conditions": NOT, then AND, then OR."""
    condition = parse(written(tree), {":y": {"BOOL": True}})
    assert condition.matches({name: {"BOOL": flag} for name, flag in flags.items()}) == meant(tree, flags)
