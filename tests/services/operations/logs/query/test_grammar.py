"""What is no query, and where; and how expressions are grouped."""

from __future__ import annotations

import pytest

from cumulo.services.operations.logs.query import grammar
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.tree import Fields, Limit, Source
from tests.services.operations.logs.query.running import events, rows


@pytest.mark.parametrize(
    ("text", "wrong", "start", "end"),
    [
        ("", "Query string is empty", 0, 0),
        ("nonsense @message", "unexpected symbol found nonsense at line 1 and position 0", 0, 8),
        ("fields @timestamp, f | count()", "unexpected symbol found count at line 1 and position 23", 23, 28),
        ("fields a |\n  limit x", "unexpected symbol found x at line 2 and position 8", 19, 20),
        ("fields", "unexpected symbol found <EOF> at line 1 and position 6", 6, 11),
        ("filter a = ", "unexpected symbol found <EOF> at line 1 and position 10", 10, 15),
        ("filter (a = 1", "unexpected symbol found <EOF> at line 1 and position 13", 13, 18),
        ("filter a = 1 b", "unexpected symbol found b at line 1 and position 13", 13, 14),
        ("dedup a | sort b", "unexpected symbol found sort at line 1 and position 10", 10, 14),
        ("sort a | pattern @message", "unexpected symbol found pattern at line 1 and position 9", 9, 16),
        ("sort a | stats count(*)", "unexpected symbol found stats at line 1 and position 9", 9, 14),
        ("fields 'a", "unterminated string 'a", 7, 9),
        ("filter a like /x", "unterminated regular expression", 14, 16),
        ("filter a like /x(/", "Invalid regular expression: missing ): x(", 14, 18),
        ("filter a =~ /x(?=y)/", "Regular expressions have no lookaround", 12, 20),
        ("fields regexReplace(a, '[', '')", "Invalid regular expression: missing ]: [", 23, 26),
        ("fields regexReplace(a, /(b)\\1/, '')", "Regular expressions have no backreferences", 23, 30),
        ("fields regexReplace(a, b, '')", "the pattern must be a string", 23, 24),
        ("fields nothing(a)", "Invalid arguments or unknown function nothing", 7, 14),
        ("fields abs()", "Invalid arguments or unknown function abs", 7, 12),
        ("fields abs(count(*))", "count is only allowed in stats", 11, 19),
        ("stats sum(avg(x))", "Aggregations cannot be nested", 6, 17),
        ("stats count(*) by max(x)", "max is not allowed in the by clause of stats", 18, 24),
        ("stats sum(x) as s | fields y", "Unknown symbols found in or after stats: y", 27, 28),
        ("stats x by y", "Unknown symbols found in or after stats: x", 6, 7),
        ("fields a as b | fields c as b", "Ephemeral field is already defined: b", 0, 0),
        (
            "filter @message like /x/ | diff",
            "Diff compilation Failed : Diff operation has to be used after Pattern",
            27,
            31,
        ),
        ("fields bin(5 m)", "unexpected symbol found m at line 1 and position 13", 13, 14),
    ],
)
def test_what_is_wrong_and_where(text: str, wrong: str, start: int, end: int) -> None:
    with pytest.raises(Malformed) as caught:
        grammar.parse(text)
    assert (caught.value.text, caught.value.start, caught.value.end) == (wrong, start, end)


@pytest.mark.parametrize(
    "text",
    [
        "stats count(*) by a | stats count(*) by a | stats count(*)",
        'parse @message "a*b*" as x',
        "parse @message /abc/",
        "parse @message /(?<x>a/",
        "filter a like /a(?=b)/",
        "filter a in (fields b | filter c in (fields d))",
        "join left=a right=b where a.x > b.y (fields y)",
        "outlier action=explode x",
        "SOURCE logGroups(namePrefix: ['1', '2', '3', '4', '5', '6'])",
        "SOURCE dataSource([]) | fields a",
        "SOURCE dataSource(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']) | fields a",
        "relevantfields a",
        "fields " + "(" * 20_000 + "1" + ")" * 20_000,  # whatever depth other tests have left Python with
    ],
)
def test_what_is_no_query(text: str) -> None:
    with pytest.raises(Malformed):
        grammar.parse(text)


def test_words_in_any_case_comments_and_last_pipes() -> None:
    query = grammar.parse("  # all of it\nFIELDS `a b`, c.0.d AS e # and more\n | LIMIT 5 |")
    fields, limit = query.commands
    assert isinstance(fields, Fields)
    assert [item.name for item in fields.items] == ["a b", "e"]
    assert limit == Limit(5)


def test_sources() -> None:
    query = grammar.parse("SOURCE '/a' START=-3600s END=0s | SOURCE \"/b\", c | fields x")
    assert query.source == Source(names=("/a", "/b", "c"), start="-3600s", end="0s")
    query = grammar.parse("SOURCE logGroups(namePrefix: ['a'], class: 'STANDARD', accountIdentifiers:['1']) | limit 1")
    assert query.source == Source(selects=True, prefixes=("a",), accounts=("1",), classes=("STANDARD",))
    query = grammar.parse(
        "SOURCE dataSource(['amazon_vpc.flow']) logGroups(namePrefix: 'a') START=-1h END=0s | limit 1"
    )
    assert query.source == Source(
        selects=True, prefixes=("a",), start="-1h", end="0s", data_sources=("amazon_vpc.flow",)
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "4"),
        ("7 % 4 * 2", "6"),
        ("1 = 1 or 1 = 2 and 1 = 3", "1"),
        ("not 1 = 2 and 1 = 1", "1"),
        ("1 + 1 = 2", "1"),
        ("8 / 0", None),
    ],
)
def test_precedence(text: str, value: str | None) -> None:
    pytest.importorskip("duckdb")
    assert rows(f"fields {text} as x", events("line")) == [{"x": value} if value is not None else {}]


def test_long_chains() -> None:
    pytest.importorskip("duckdb")
    chain = " or ".join(f"a={number}" for number in range(1000))
    assert rows(f"filter {chain} | fields a", events({"a": 999}, {"a": 1000})) == [{"a": "999"}]
