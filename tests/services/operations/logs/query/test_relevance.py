"""relevantfields: which fields have to do with a condition."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.operations.logs.query.relevance import association
from tests.services.operations.logs.query.running import events, rows

pytest.importorskip("duckdb")

REQUESTS = events(
    *(
        {
            "Time": 500 + index if index % 4 == 0 else 100 + index % 7,
            "Controller": "cart" if index % 4 == 0 else f"other{index % 3}",
            "Path": f"/{index % 2}",
            "Rows": 1000 if index % 4 == 0 else 5,
            "requestId": f"r-{index}",
        }
        for index in range(200)
    )
)


@pytest.mark.parametrize(
    "text",
    [
        "relevantfields where Time > 400",
        "fields @message | relevantfields Controller, Path, Rows, requestId where Time > 400",
    ],
)
def test_fields_are_ranked(text: str) -> None:
    found = {row["@fieldName"]: row for row in rows(text, REQUESTS)}
    assert float(found["Controller"]["@relevanceScore"]) > 0.95
    assert found["Controller"]["@topRelevanceContributors"].startswith("cart (100.0% vs 0.0%)")
    assert float(found["Rows"]["@relevanceScore"]) > 0.95
    assert (found["Rows"]["@conditionalMedian"], found["Rows"]["@baselineMedian"]) == ("1000", "5")
    assert "@topRelevanceContributors" not in found["Rows"]
    assert 0.2 < float(found["Path"]["@relevanceScore"]) < 0.8
    assert float(found["requestId"]["@relevanceScore"]) == 0.0
    assert ("Time" in found) is (text.startswith("relevantfields"))


def test_what_follows_works_on_the_fields() -> None:
    text = "relevantfields where Time > 400 | filter @relevanceScore > 0.9 | sort @fieldName | limit 2"
    text += " | display @fieldName"
    assert rows(text, REQUESTS) == [{"@fieldName": "Controller"}, {"@fieldName": "Rows"}]


def test_fields_of_plain_lines_and_of_parse() -> None:
    lines = events(*(f"{'slow' if index % 5 == 0 else 'fast'} took {index % 5 == 0}" for index in range(100)))
    text = "parse @message '* took *' as speed, flag | relevantfields speed where flag = 'True'"
    [row] = rows(text, lines)
    assert row["@fieldName"] == "speed"
    assert float(row["@relevanceScore"]) > 0.95


def test_without_a_match_nothing_is_compared() -> None:
    assert rows("relevantfields where Time > 90000", REQUESTS) == []
    assert rows("relevantfields where Time > 0", REQUESTS) == []


_COUNTS = st.dictionaries(st.integers(0, 9), st.integers(1, 50), max_size=10).map(Counter)


@given(_COUNTS, _COUNTS)
def test_an_association_is_a_share_and_has_no_direction(one: Counter[int], other: Counter[int]) -> None:
    found = association(one, other)
    assert 0.0 <= found <= 1.0
    assert found == pytest.approx(association(other, one))
    if one.total() == other.total() and one == other:
        assert found == 0.0
