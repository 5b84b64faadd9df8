"""What projections leave of items."""

from typing import Any

import pytest

from cumulo.services.data.dynamodb.expressions import projections
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders

ITEM: dict[str, dict[str, Any]] = {
    "id": {"S": "1"},
    "n": {"N": "1"},
    "l": {"L": [{"S": "0"}, {"S": "1"}, {"M": {"a": {"S": "x"}, "b": {"S": "y"}}}]},
    "m": {"M": {"a": {"M": {"b": {"N": "1"}, "c": {"N": "2"}}}, "d": {"L": [{"L": [{"S": "z"}]}]}}},
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("id, n", {"id": ITEM["id"], "n": ITEM["n"]}),
        ("gone", {}),
        ("n, gone", {"n": ITEM["n"]}),
        ("l[2], l[0]", {"l": {"L": [ITEM["l"]["L"][2], {"S": "0"}][::-1]}}),
        ("l[2].b", {"l": {"L": [{"M": {"b": {"S": "y"}}}]}}),
        ("l[7]", {}),
        ("l.a, n[0], id.x", {}),
        ("m.a.c, m.d[0][0]", {"m": {"M": {"a": {"M": {"c": {"N": "2"}}}, "d": {"L": [{"L": [{"S": "z"}]}]}}}}),
        ("m.a.x, id", {"id": ITEM["id"]}),
        ("#i,#m . #a . b", {"id": ITEM["id"], "m": {"M": {"a": {"M": {"b": {"N": "1"}}}}}}),
    ],
)
def test_projections(text: str, wanted: dict[str, Any]) -> None:
    names = {"#i": "id", "#m": "m", "#a": "a"} if "#" in text else None
    assert projections.parse(text, Placeholders(names, None)).apply(ITEM) == wanted


def test_what_a_projection_tells_of_itself() -> None:
    projection = projections.parse("m.a, id", Placeholders(None, None))
    assert projection.attributes == {"m", "id"}
    assert not projection.flat
    assert projections.of_attributes(["id", "x"]).flat
    assert projections.of_attributes(["id", "x"]).apply(ITEM) == {"id": ITEM["id"]}
