"""Regular expressions of users: what RE2 finds is what Python's module finds, in time that a text's length bounds."""

import re
import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.engines import regexes
from cumulo.engines.regexes import Regex, RegexError, TooCostly, Unsupported

LINE = "GET /orders/17 from [10.0.0.1] in 12 ms, status=500"
WORDS = " ".join(f"word{number}" for number in range(4000))


def _pieces(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """What is repeated takes a character at least: of repeated nothing each has a meaning of its own."""
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: f"(?:{'|'.join(some)})"),
        st.tuples(LETTERS, inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "*?", "+?", "??"])).map(
            lambda each: f"(?:{each[0]}{each[1]}){each[2]}"
        ),
    )


LETTERS = st.sampled_from(
    ["a", "b", "é", " ", ".", r"\d", r"\w", r"\S", r"\.", "[ab]", "[^a]", "[a-c1]", r"[\d_]", "[]a]"]
)
ATOMS = LETTERS | st.sampled_from(["^", r"\b"])
EXPRESSIONS = st.recursive(ATOMS, _pieces, max_leaves=8)
ENDING = st.tuples(EXPRESSIONS, EXPRESSIONS).map(lambda two: f"(?:{two[0]}$|{two[1]})$")
TEXTS = st.text("ab1é_. \n]", max_size=12)


@given(EXPRESSIONS | ENDING, TEXTS)
def test_it_matches_what_pythons_module_matches(expression: str, text: str) -> None:
    wanted = re.compile(expression, re.ASCII)
    found = Regex(expression)
    assert found.found_in(text) is (wanted.search(text) is not None)
    assert found.fills(text) is (wanted.fullmatch(text) is not None)


# `$` takes along the line's end that it is before, where Python's is between: the same for who asks whether, not where.
@given(EXPRESSIONS, TEXTS)
def test_it_finds_where_pythons_module_finds(expression: str, text: str) -> None:
    wanted = re.compile(expression, re.ASCII)
    found = Regex(expression)
    first = wanted.search(text)
    groups = found.search(text)
    assert (groups and groups[0]) == (first and first[0])
    assert list(found.spans(text)) == _places(wanted, text)
    parts = Regex(expression).replaced(text, lambda groups: f"<{groups[0]}>")
    assert parts == _replaced(text, _places(wanted, text))


def _places(wanted: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    """As the next search from the end of the last match finds them; Python's iterator knows more of empty matches."""
    found, at = [], 0
    while at <= len(text) and (match := wanted.search(text, at)) is not None:
        found.append(match.span())
        at = match.end() + (match.end() == match.start())
    return found


def _replaced(text: str, places: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in places:
        parts += [text[at:start], f"<{text[start:end]}>"]
        at = end
    return "".join([*parts, text[at:]])


@pytest.mark.parametrize(
    ("expression", "groups"),
    [
        (r"(?<verb>[A-Z]+) (?P<path>\S+)", ["GET /orders/17", "GET", "/orders/17"]),
        (r"(\d+) ms|(never)", ["12 ms", "12", None]),
        (r"(?i)get(x)?", ["GET", None]),
        (r"\p{Alpha}+\P{Alpha}[\p{Lower}/]+", ["GET /orders/"]),
        (r"\u0047E\x54", ["GET"]),
        (r"\Q[10.0.0.1]\E", ["[10.0.0.1]"]),
        (r"=\d+\Z", ["=500"]),
        (r"[]a]", ["]"]),
    ],
)
def test_the_words_of_java(expression: str, groups: list[str | None]) -> None:
    assert Regex(expression, java=True).search(LINE) == groups


def test_names_of_groups() -> None:
    assert Regex(r"(a)(?<b>b)(?P<c>c)").names == {"b": 2, "c": 3}


def test_the_end_is_also_before_a_lines_end() -> None:
    for expression in ("500$", r"500\Z", "(?m)500$", "=[$5]00$"):
        assert Regex(expression).found_in(f"{LINE}\n"), expression
    assert not Regex(r"500\z").found_in(f"{LINE}\n")
    assert not Regex("500$").found_in(f"{LINE}\n\n")
    assert Regex("(?m)500$").found_in(f"{LINE}\nmore")


@pytest.mark.parametrize(
    ("expression", "lacking"),
    [
        ("(?=a)", "lookaround"),
        ("a(?!b)", "lookaround"),
        ("(?<=a)b", "lookaround"),
        ("(?<!a)b", "lookaround"),
        (r"(a)\1", "backreferences"),
        (r"(?<n>a)\k<n>", "backreferences"),
        ("a*+", "possessive quantifiers"),
        ("a++", "possessive quantifiers"),
        ("(?>a)", "atomic groups"),
        ("(?x) a", "the flag x"),
        ("a{1001}", "more than 1,000 repetitions"),
        (r"(?:\p{L}{900}){1}" * 20, "as many states as this one needs"),
        ("[a-c&&b]", "intersections of classes"),
        ("[a[bc]]", "classes within classes"),
    ],
)
def test_what_is_lacking_is_named(expression: str, lacking: str) -> None:
    with pytest.raises(Unsupported, match=f"^{lacking} in regular expressions$"):
        Regex(expression, java=True)


@pytest.mark.parametrize("expression", ["(", "[a", "*a", "a**", "a)", "[b-a]", "(?P<a>x)(?P<a>y)(", "\\"])
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(RegexError) as caught:
        Regex(expression)
    assert caught.type is RegexError


def test_of_a_whole_text_nothing_is_left_out() -> None:
    for expression in (r"^\d+$", r"\d+\Z", r"(?m)^\d+$"):
        assert Regex(expression, java=True).fills("12")
        assert not Regex(expression, java=True).fills("12\n"), expression
    assert Regex(r"^\d+\n$").fills("12\n")


def test_a_bracket_in_a_class_is_one_where_java_is_not_meant() -> None:
    assert Regex("[[]GET").found_in("[GET]")
    assert Regex("[[x]+").search("x[[") == ["x[["]


HOSTILE: list[tuple[str, str]] = [
    ("(a*)*b", "a" * 24_000),
    ("(a|a)*b", "a" * 24_000),
    ("(a|aa)+$", "a" * 24_000 + "b"),
    ("(.*)(.*)(.*)(.*)x", WORDS),
    (r"(\w+\s?)*:", WORDS),
    ("(?:.*?) (?:.*?) (?:.*?) END", WORDS),
    (".*.*.*=.*", WORDS),
    ("x.{200}y", "xxq" * 8000),
    ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 24_000),
]


@pytest.mark.parametrize(("expression", "text"), HOSTILE)
def test_hostile_expressions_take_no_time(expression: str, text: str) -> None:
    found = Regex(expression)
    assert _cpu_ms(lambda: found.found_in(text)) < 50
    assert _cpu_ms(lambda: found.search(text)) < 50


def _cpu_ms(work: Callable[[], object]) -> float:
    """The least of three: others may use the caches of the processor meanwhile."""
    taken = []
    for _ in range(3):
        begun = time.thread_time()
        work()
        taken.append((time.thread_time() - begun) * 1000)
    return min(taken)


def test_many_matches_that_look_far_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "MOST_S", 0.02)
    with pytest.raises(TooCostly):
        list(Regex("x*y|x").spans("x" * 100_000))
    with pytest.raises(TooCostly):
        Regex("x*y|x").replaced("x" * 100_000, lambda groups: "")
    monkeypatch.undo()
    assert len(list(Regex("x+|y").spans("xy" * 1000))) == 2000


def test_others_go_on_while_an_expression_works() -> None:
    found = Regex("x.{900}y")
    thread = threading.Thread(target=found.found_in, args=("xxq" * 40_000,))
    thread.start()
    turns = 0
    while thread.is_alive():
        time.sleep(0.001)
        turns += 1
    thread.join()
    assert turns > 10
