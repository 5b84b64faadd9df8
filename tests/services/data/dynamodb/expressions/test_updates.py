"""What updates do to items."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.expressions import updates
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders

ITEM: dict[str, dict[str, Any]] = {
    "id": {"S": "1"},
    "n": {"N": "10"},
    "s": {"S": "text"},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": [b"a"]},
    "l": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}]},
    "m": {"M": {"k": {"N": "5"}, "l": {"L": [{"M": {"x": {"S": "y"}}}]}}},
}
VALUES: dict[str, dict[str, Any]] = {
    ":v": {"S": "new"}, ":one": {"N": "1"}, ":half": {"N": "0.5"}, ":list": {"L": [{"S": "z"}]},
    ":bc": {"SS": ["c", "b"]}, ":ab": {"SS": ["a", "b"]},
    ":b": {"SS": ["b"]}, ":n23": {"NS": ["2", "3"]}, ":bb": {"BS": [b"0"]},
}  # fmt: skip
NEW = VALUES[":v"]


def apply(text: str, item: dict[str, Any] = ITEM, values: dict[str, Any] = VALUES) -> dict[str, Any]:
    before = copy.deepcopy(item)
    changed = updates.parse(text, Placeholders(None, values)).apply(item)
    assert item == before, "the item itself stays"
    return changed


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("SET a = :v", {"a": NEW}),
        ("set s = :v remove n", {"s": NEW, "n": None}),
        ("SET s = :v, a = s", {"s": NEW, "a": {"S": "text"}}),  # operands are those of before
        ("SET n = n + :one", {"n": {"N": "11"}}),
        ("SET n = (n - :half)", {"n": {"N": "9.5"}}),
        ("SET n = :one + :one + :half", {"n": {"N": "2.5"}}),
        ("SET n = n - (n - :one)", {"n": {"N": "1"}}),
        ("SET a = if_not_exists(a, :v)", {"a": NEW}),
        ("SET s = if_not_exists(s, :v)", {}),
        ("SET a = if_not_exists(a, :one) + :one", {"a": {"N": "2"}}),
        ("SET l = list_append(l, :list)", {"l": {"L": [*ITEM["l"]["L"], {"S": "z"}]}}),
        ("SET l = list_append(:list, l)", {"l": {"L": [{"S": "z"}, *ITEM["l"]["L"]]}}),
        ("SET a = list_append(if_not_exists(a, :list), :list)", {"a": {"L": [{"S": "z"}, {"S": "z"}]}}),
        ("SET l[1] = :v", {"l": {"L": [{"S": "0"}, NEW, {"S": "2"}]}}),
        ("SET l[9] = :v", {"l": {"L": [*ITEM["l"]["L"], NEW]}}),
        ("SET l[9] = :v, l[5] = s", {"l": {"L": [*ITEM["l"]["L"], {"S": "text"}, NEW]}}),
        ("REMOVE l[0], l[2]", {"l": {"L": [{"S": "1"}]}}),
        ("SET l[1] = :v REMOVE l[0]", {"l": {"L": [NEW, {"S": "2"}]}}),
        ("SET l[9] = :v REMOVE l[0], l[7]", {"l": {"L": [{"S": "1"}, {"S": "2"}, NEW]}}),
        ("SET m.k = m.k + :one, m.a = :v", {"m": {"M": {"k": {"N": "6"}, "l": ITEM["m"]["M"]["l"], "a": NEW}}}),
        ("SET m.l[0].x = :v", {"m": {"M": {"k": {"N": "5"}, "l": {"L": [{"M": {"x": NEW}}]}}}}),
        ("REMOVE m.l[0].x", {"m": {"M": {"k": {"N": "5"}, "l": {"L": [{"M": {}}]}}}}),
        ("REMOVE m.nothing, nothing, l[7]", {}),
        ("ADD n :half", {"n": {"N": "10.5"}}),
        ("ADD a :one", {"a": {"N": "1"}}),
        ("ADD m.k :one, m.a :bc", {"m": {"M": {"k": {"N": "6"}, "l": ITEM["m"]["M"]["l"], "a": {"SS": ["b", "c"]}}}}),
        ("ADD ss :bc, ns :n23", {"ss": {"SS": ["a", "b", "c"]}, "ns": {"NS": ["1", "2", "3"]}}),
        ("ADD bs :bb", {"bs": {"BS": [b"0", b"a"]}}),
        ("ADD a :bc", {"a": {"SS": ["b", "c"]}}),
        ("DELETE ss :b", {"ss": {"SS": ["a"]}}),
        ("DELETE ss :ab", {"ss": None}),
        ("DELETE a :b", {}),
        ("DELETE ns :n23", {"ns": {"NS": ["1"]}}),
    ],
)  # fmt: skip
def test_updates(text: str, changes: dict[str, Any]) -> None:
    wanted = {name: value for name, value in {**ITEM, **changes}.items() if value is not None}
    assert apply(text) == wanted


MISSING = "The provided expression refers to an attribute that does not exist in the item"
WRONG_PATH = "The document path provided in the update expression is invalid for update"
WRONG_TYPE = "An operand in the update expression has an incorrect data type"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SET a = b", MISSING),
        ("SET a = b + :one", MISSING),
        ("SET a = list_append(b, :list)", MISSING),
        ("SET a = if_not_exists(b, c)", MISSING),
        ("SET a = m.nothing", MISSING),
        ("SET a.b = :v", WRONG_PATH),
        ("SET s.b = :v", WRONG_PATH),
        ("SET a[0] = :v", WRONG_PATH),
        ("SET m[0] = :v", WRONG_PATH),
        ("SET l.a = :v", WRONG_PATH),
        ("SET l[7].a = :v", WRONG_PATH),
        ("SET m.nothing.a = :v", WRONG_PATH),
        ("REMOVE a.b", WRONG_PATH),
        ("REMOVE s.b", WRONG_PATH),
        ("ADD a.b :one", WRONG_PATH),
        ("SET a = s + :one", WRONG_TYPE),
        ("SET a = list_append(s, :list)", WRONG_TYPE),
        ("ADD s :one", WRONG_TYPE),
        ("ADD ss :one", WRONG_TYPE),
        ("ADD ns :bc", WRONG_TYPE),
        ("DELETE ns :bc", WRONG_TYPE),
        ("DELETE s :bc", WRONG_TYPE),
    ],
)
def test_items_that_do_not_allow_the_update(text: str, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        apply(text)
    assert (caught.value.code, caught.value.message) == ("ValidationException", reason)


def test_sums_stay_in_range() -> None:
    big = {":a": {"N": "9.9e125"}, ":b": {"N": "9.9e125"}}
    with pytest.raises(Fault, match="Number overflow"):
        apply("SET n = :a + :b", {}, big)


def test_values_may_not_go_below_32_levels() -> None:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(30):
        value = {"M": {"n": value}}
    item = {"a": {"M": {"b": {"M": {}}}}}
    apply("SET a.c = :v", item, {":v": value})
    with pytest.raises(Fault, match="Nesting Levels"):
        apply("SET a.b.c = :v", item, {":v": value})


def test_what_an_update_tells_of_itself() -> None:
    update = updates.parse("SET m.k = :one, m.a = :v REMOVE l[1] ADD n :one", Placeholders(None, VALUES))
    assert update.paths == (("m", "k"), ("m", "a"), ("l", 1), ("n",))
    assert update.attributes == ("m", "l", "n")
    assert update.touched.apply(ITEM) == {"m": {"M": {"k": {"N": "5"}}}, "l": {"L": [{"S": "1"}]}, "n": {"N": "10"}}
    changed = update.apply(ITEM)
    assert update.touched.apply(changed) == {
        "m": {"M": {"k": {"N": "1"}, "a": NEW}},
        "l": {"L": [{"S": "2"}]},
        "n": {"N": "11"},
    }


@given(
    st.lists(st.integers(), max_size=6),
    st.dictionaries(st.integers(0, 8), st.none() | st.integers(), min_size=1, max_size=6),
)
def test_lists_are_changed_by_the_indexes_of_before(numbers: list[int], changes: dict[int, int | None]) -> None:
    """SET and REMOVE of elements in one update, against a plain model."""
    sets = [f"l[{at}] = :v{at}" for at, value in changes.items() if value is not None]
    removes = [f"l[{at}]" for at, value in changes.items() if value is None]
    text = (f"SET {', '.join(sets)} " if sets else "") + (f"REMOVE {', '.join(removes)}" if removes else "")
    values = {f":v{at}": {"N": str(value)} for at, value in changes.items() if value is not None} or None
    kept: list[int | None] = [changes.get(at, number) for at, number in enumerate(numbers)]
    kept += [changes[at] for at in sorted(changes) if at >= len(numbers)]
    item = {"l": {"L": [{"N": str(number)} for number in numbers]}}
    changed = updates.parse(text, Placeholders(None, values)).apply(item)
    assert changed["l"]["L"] == [{"N": str(number)} for number in kept if number is not None]
