"""The plan for DuckDB finds what the reference finds: random events, random queries."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulo.services.operations.logs.query import grammar
from tests.services.operations.logs.query import reference
from tests.services.operations.logs.query.running import Event, rows

pytest.importorskip("duckdb")

WORDS = ("", "a", "ERROR", "info x", "web-2", "web-10", "5", "07", "1e3", "-3", "é", "x=1 y=2", " 9", "true")
TEXTS = st.sampled_from(WORDS)
NUMBERS = st.one_of(st.integers(-50, 50), st.integers(-400, 400).map(lambda x: x / 8))
LEAVES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "level": st.sampled_from(["ERROR", "INFO", "WARN"]),
        "status": st.one_of(st.sampled_from([200, 404, 500]), st.sampled_from(["200", "x"])),
        "latency": NUMBERS,
        "user": st.fixed_dictionaries({}, optional={"id": LEAVES, "name": TEXTS}),
        "tags": st.lists(LEAVES, max_size=3),
        "odd-name": LEAVES,
        "a.b": LEAVES,
        "ok": st.booleans(),
    },
)
PLAIN = st.builds(
    lambda word, number, other: f"{word} took {number} ms for {other}", TEXTS, NUMBERS, st.sampled_from(["bob", "ann"])
)
MESSAGES = st.one_of(
    DOCUMENTS.map(json.dumps), PLAIN, st.sampled_from(["", "{", '{"a":', "[1]", "{} x", ' {"level": 5}'])
)


@st.composite
def happenings(draw: st.DrawFn) -> list[Event]:
    messages = draw(st.lists(MESSAGES, max_size=9))
    times = draw(st.lists(st.integers(0, 3_599_999), min_size=len(messages), max_size=len(messages), unique=True))
    return [Event(at, message, draw(st.sampled_from("st"))) for at, message in zip(times, messages, strict=True)]


FIELDS = st.sampled_from(
    ["level", "status", "latency", "user.id", "user.name", "tags.0", "`odd-name`", "a.b", "ok", "nothing", "@message",
     "@logStream"]
)  # fmt: skip
STRINGS = st.sampled_from(["ERROR", "web-2", "200", "x", "", "a", "5"]).map(lambda text: f'"{text}"')
PLAIN_NUMBERS = st.integers(0, 600).map(str) | st.sampled_from(["0.5", "1.25", "2e2"])
PERIODS = st.sampled_from(["1m", "5m", "300s", "1h", "1d", "1w", "1mo", "1q", "2y", "250ms", "10min"])


def _calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}({})".format, st.sampled_from(["abs", "ceil", "floor", "sqrt", "toNumber", "toInt"]), inner),
        st.builds("strlen({})".format, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "%"]), inner),
        st.builds("(-{})".format, inner),
        st.builds("{}({}, {})".format, st.sampled_from(["greatest", "least"]), inner, inner),
    )


NUMERIC = st.recursive(FIELDS | PLAIN_NUMBERS, _calls, max_leaves=4)
TEXTUAL = st.one_of(
    FIELDS,
    STRINGS,
    st.builds("{}({})".format, st.sampled_from(["toupper", "trim", "ltrim", "rtrim", "md5"]), FIELDS),
    st.builds("concat({}, {})".format, FIELDS, STRINGS),
    st.builds("substr({}, {}, {})".format, FIELDS, st.integers(0, 4), st.integers(0, 4)),
    st.builds("replace({}, {}, {})".format, FIELDS, STRINGS, STRINGS),
    st.builds("coalesce({}, {})".format, FIELDS, FIELDS),
)
PATTERNS = st.sampled_from(["/ERR/", "/(?i)error/", "/^a|web-\\d+$/", "/[0-9]+/", '"web"', '"a"'])
TESTS = st.one_of(
    st.builds("{} {} {}".format, NUMERIC, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), NUMERIC),
    st.builds("{} {} {}".format, TEXTUAL, st.sampled_from(["=", "!=", "<", ">="]), TEXTUAL),
    st.builds("{} {} {}".format, FIELDS, st.sampled_from(["like", "not like", "=~"]), PATTERNS),
    st.builds("{} {} [{}, {}]".format, FIELDS, st.sampled_from(["in", "not in"]), STRINGS, PLAIN_NUMBERS),
    st.builds("{}({})".format, st.sampled_from(["ispresent", "isempty", "isblank", "isNumeric"]), FIELDS),
    st.builds("{}({}, {})".format, st.sampled_from(["strcontains", "startsWith", "endsWith"]), FIELDS, STRINGS),
    st.builds("{} = {}".format, FIELDS, st.sampled_from(["true", "false"])),
    FIELDS,
)
CONDITIONS = st.recursive(
    TESTS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=3,
)
AGGREGATES = st.one_of(
    st.just("count(*)"),
    st.builds("{}({})".format, st.sampled_from(["sum", "avg", "median"]), NUMERIC),
    st.builds(
        "{}({})".format, st.sampled_from(["count", "count_distinct", "min", "max", "earliest", "latest"]), FIELDS
    ),
    st.builds("pct({}, {})".format, FIELDS, st.sampled_from(["0", "50", "90", "99.9", "100"])),
    st.builds("sum({}) / count(*)".format, FIELDS),
)


@st.composite
def queries(draw: st.DrawFn) -> str:
    parts = []
    if draw(st.booleans()):
        parts.append(f"filter {draw(CONDITIONS)}")
    made = draw(st.sampled_from(["", "glob", "regex", "fields", "json"]))
    if made == "glob":
        parts.append(f'parse @message "{draw(st.sampled_from(["*", "", " "]))} took * ms for *" as p{0}, p1, p2')
        if parts[-1].count("*") != 3:
            parts[-1] = 'parse @message " took * ms for *" as p1, p2'
    elif made == "regex":
        parts.append(r"parse @message /(?<p1>-?\d+)(\.\d+)? (?<p2>[a-z]*)/")
    elif made == "fields":
        parts.append(f"fields {draw(NUMERIC)} as p1, {draw(TEXTUAL)} as p2, bin({draw(PERIODS)}) as p3")
    elif made == "json":
        parts.append("fields jsonParse(@message) as j | fields j.user.id as p1, j.tags as p2, j.level")
    if made and draw(st.booleans()):
        parts.append(f"filter p1 {draw(st.sampled_from(['>', '=', '!=']))} {draw(PLAIN_NUMBERS | STRINGS)}")
    end = draw(st.sampled_from(["", "stats", "sort", "dedup", "limit", "display"]))
    if end == "stats":
        by = draw(st.lists(st.one_of(FIELDS, st.builds("bin({})".format, PERIODS)), max_size=2, unique=True))
        items = [f"{draw(AGGREGATES)} as s{index}" for index in range(draw(st.integers(1, 3)))]
        parts.append(f"stats {', '.join(items)}" + (f" by {', '.join(by)}" if by else ""))
        if draw(st.booleans()):
            parts.append(f"filter s0 {draw(st.sampled_from(['>', '!=']))} 1")
    elif end == "sort":
        keys = draw(st.lists(st.one_of(FIELDS, NUMERIC), min_size=1, max_size=2))
        parts.append("sort " + ", ".join(f"{key} {draw(st.sampled_from(['asc', 'desc', '']))}" for key in keys))
        parts.append(f"limit {draw(st.integers(1, 5))}")
    elif end == "dedup":
        parts.append(f"dedup {draw(FIELDS)}")
    elif end == "limit":
        parts.append(f"{draw(st.sampled_from(['limit', 'head', 'tail']))} {draw(st.integers(1, 4))}")
    elif end == "display":
        parts.append(f"display level, {draw(NUMERIC)} as shown")
    return " | ".join(parts) or "fields @timestamp, level, user.id, tags.1"


def alike(one: dict[str, str], other: dict[str, str]) -> bool:
    """The same texts; of numbers the same but for the last digits, as sums depend on their order."""
    if one.keys() != other.keys():
        return False
    for name, value in one.items():
        if value != other[name]:
            try:
                mine, theirs = float(value), float(other[name])
            except ValueError:
                return False
            if abs(mine - theirs) > 1e-3 * max(1.0, abs(mine)):
                return False
    return True


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(text=queries(), found=happenings())
def test_the_plan_finds_what_the_reference_finds(text: str, found: list[Event]) -> None:
    expected = reference.run(grammar.parse(text), found)
    given_rows = rows(text, found)
    assert len(given_rows) == len(expected), (text, given_rows, expected)
    assert all(map(alike, given_rows, expected)), (text, given_rows, expected)
