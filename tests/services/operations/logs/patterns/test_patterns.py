"""Filter patterns: the examples of AWS's guide, and random ones against evaluators that are plain to see."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.operations.logs import patterns
from cumulo.services.operations.logs.patterns import PatternError, fields

TERMS = ("ERROR WARN message", "ERROR message", "WARN message")


def matching(pattern: str, *messages: str) -> list[int]:
    """Which messages are chosen, from 1."""
    found = patterns.read(pattern)
    return [number for number, message in enumerate(messages, 1) if found.matches(message)]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("", [1, 2, 3]),
        (" ", [1, 2, 3]),
        ("ERROR", [1, 2]),
        ("?ERROR ?WARN", [1, 2, 3]),
        ("ERROR WARN", [1]),
        ("ERROR -WARN", [2]),
        ('"ERROR message"', [2]),
        ("error", []),
        ("?WARN ERROR", [1, 2]),
        ("%^[EW]R+%", [1, 2]),
        ("%WARN|^x%", [1, 3]),
        ("[w1=ERROR, w2]", [2]),
        ("[w1=ERROR || w1=WARN, w2]", [2, 3]),
        ("[w1!=ERROR && w1!=WARN, w2]", []),
        ("[w1, w2 != WARN, w3]", []),
        ("[...]", [1, 2, 3]),
        ("[..., last=mess*]", [1, 2, 3]),
        ("[first=%W.RN%, ...]", [3]),
        ("[a,b,c]", [1]),
    ],
)
def test_terms_and_fields(pattern: str, wanted: list[int]) -> None:
    assert matching(pattern, *TERMS) == wanted


def test_a_term_may_be_part_of_a_word() -> None:
    assert matching("ERROR", "[ERROR] A fatal exception has occurred", "Exiting with ERRORCODE: -1") == [1, 2]
    assert matching('"ERROR" - "Exiting"', "[ERROR] A fatal", "Exiting with ERRORCODE: -1") == [1]


APACHE = (
    '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534',
    '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.gif HTTP/1.0" 500 5324',
    '127.0.0.1 - frank [10/Oct/2000:13:50:35 -0700] "GET /index.html HTTP/1.0" 404 4355',
)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", [1, 2, 3]),
        ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", [1, 2, 3]),
        ("[ip, user, username, timestamp, request, status_code, bytes > 4.4e3]", [2]),
        ("[ip, user, username, timestamp, request, status_code = 200, bytes]", [1]),
        ("[ip, user, username, timestamp, request, status_code = 4*, bytes]", [3]),
        ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", [3]),
        ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]", [3]),
        ("[ip, user, username, timestamp, request, status_code, bytes >= 5324 || bytes < 2e3]", [1, 2]),
        ("[ip, user, ..., status_code, bytes <= 1534]", [1]),
        ("[ip, user, ...]", [1, 2, 3]),
        ('[..., request = "GET /index*", status_code = 4*,]', [3]),
        ("[ip=%127\\.0\\.0\\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]", [3]),
    ],
)
def test_the_guides_space_delimited_events(pattern: str, wanted: list[int]) -> None:
    assert matching(pattern, *APACHE) == wanted


def test_what_fields_extract() -> None:
    pattern = patterns.read("[..., request=*.html*, status_code=4*,]")
    assert pattern.extracted(APACHE[2]) == {
        "$status_code": "404",
        "$request": "GET /index.html HTTP/1.0",
        "$7": "4355",
        "$4": "10/Oct/2000:13:50:35 -0700",
        "$3": "frank",
        "$2": "-",
        "$1": "127.0.0.1",
    }
    assert patterns.read("[a, ..., b]").extracted("1 2 3") == {"$a": "1", "$2": "2", "$b": "3"}
    assert patterns.read("ERROR").extracted("ERROR") == {}


EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "cluster.name": "c",
        "latency": 512.5,
        "code": 400,
        "codes": "400",
        "ThisFlag": True,
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ('$.eventType = "UpdateTrail"', True),
        ("$.eventType = UpdateTrail", True),
        ("$.eventType = *Trail", True),
        ('$.eventType = "Update*"', True),
        ("$.eventType = Up*Trail", False),
        ("$.sourceIPAddress != 123.123.*", True),
        ("$.sourceIPAddress != 111.111.*", False),
        ("$.sourceIPAddress = %^111\\.%", True),
        ('$.arrayKey[0] = "value"', True),
        ('$.arrayKey[*] = "another value"', True),
        ("$.arrayKey[2] = *", False),
        ("$.objectList[1].id = 2", True),
        ("$.objectList[*].id > 1", True),
        ("$.SomeObject IS NULL", True),
        ("$.eventType IS NULL", False),
        ("$.SomeOtherObject NOT EXISTS", True),
        ("$.SomeObject NOT EXISTS", False),
        ("$.SomeOtherObject IS NULL", False),
        ("$.ThisFlag IS TRUE", True),
        ("$.ThisFlag IS FALSE", False),
        ("$.['cluster.name'] = c", True),
        ("$.latency = *", True),
        ('$.latency = "*"', True),
        ("$.missing = *", False),
        ("$.missing != x", False),
        ("$.actions = 1", False),
        ("$.actions != 1", False),
        ("$.latency >= 500", True),
        ("$.latency < 10e3", True),
        ("$.latency <= 10e-3", False),
        ("$.latency > +1000", False),
        ("$.code = 400", True),
        ("$.code != 500", True),
        ('$.code = "400"', False),
        ("$.code = 4*", True),
        ("$.codes = 400", True),
        ("$.codes > 1", False),
        ('($.user.id = 1) && ($.users[0].email = "John.Doe@example.com")', True),
        ('($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET"', False),
        ('$.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch', True),
        (
            '($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch',
            False,
        ),
    ],
)
def test_the_guides_json_events(condition: str, wanted: bool) -> None:
    assert (matching("{ " + condition + " }", EVENT) == [1]) is wanted
    assert matching("{" + condition + "}", "no json", "[1]", '"text"', "{") == (
        []  # what is no object has none of this, but for what does not exist in an array
        if "NOT EXISTS" not in condition
        else [2]
    )


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("{$.a = 1", "If a filter pattern starts with '{' it must end with '}'"),
        ("[a, b", "If a filter pattern starts with '[' it must end with ']'"),
        ("[a=“x“]", "Invalid character(s) in term '“'"),
        ("foo-bar", "Invalid character(s) in term '-'"),
        ('"open', ""),
        ("?", ""),
        ("{ $.a }", ""),
        ("{ a = 1 }", ""),
        ("{ $.a = 1 && }", ""),
        ("{ ($.a = 1 }", ""),
        ("{ $.a > x }", ""),
        ("{ $.a IS MAYBE }", ""),
        ("{ $.a[*].b[*] = 1 }", ""),
        ("{ $.a = %(x)% }", ""),
        ("{ $.a = %x% || $.b = %x% || $.c = %x% }", ""),
        ("%something!%", ""),
        ("%[%", ""),
        ("[a, ..., ...]", ""),
        ("[a=1 && b=2]", ""),
        ("{" + "(" * 51 + "$.a = 1" + ")" * 51 + "}", ""),
        ("[" + "(" * 51 + "a=1" + ")" * 51 + "]", ""),
        ("[a] b", "If a filter pattern starts with '[' it must end with ']'"),
    ],
)
def test_patterns_that_cannot_be_read(pattern: str, text: str) -> None:
    with pytest.raises(PatternError) as caught:
        patterns.read(pattern)
    assert str(caught.value) == text


# ---- random ones


words = st.sampled_from(["a", "b", "ab", "ba", "abc", "B"])


@given(
    wanted=st.lists(words, max_size=3),
    excluded=st.lists(words, max_size=2),
    optional=st.lists(words, max_size=3),
    message=st.lists(words, max_size=4),
)
def test_terms_are_what_they_say(
    wanted: list[str], excluded: list[str], optional: list[str], message: list[str]
) -> None:
    text = " ".join(message)
    pattern = patterns.read(
        " ".join([*wanted, *("-" + word for word in excluded), *(f'?"{word}"' for word in optional)])
    )
    expected = all(word in text for word in wanted) and not any(word in text for word in excluded)
    if optional and not wanted and not excluded:
        expected = any(word in text for word in optional)
    assert pattern.matches(text) is expected
    if expected:
        assert all(each in text for each in pattern.texts)


scalars = st.one_of(st.integers(-3, 3), st.sampled_from(["a", "ab", "b", "1"]), st.booleans(), st.none())
documents = st.dictionaries(
    st.sampled_from(["a", "b"]), st.one_of(scalars, st.dictionaries(st.sampled_from(["c"]), scalars), st.lists(scalars))
)
leaves = st.builds(
    lambda path, operator, literal: {"path": path, "operator": operator, "literal": literal},
    st.sampled_from(["a", "b", "a.c", "b[0]"]),
    st.sampled_from(["=", "!=", "<", ">=", "IS NULL", "IS TRUE", "NOT EXISTS"]),
    st.one_of(st.integers(-3, 3), st.sampled_from(["a", "a*", "*b", "*"])),
)
trees: Any = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda kind, left, right: {"kind": kind, "left": left, "right": right},
        st.sampled_from(["&&", "||"]),
        inner,
        inner,
    ),
    max_leaves=6,
)


def written(tree: dict[str, Any]) -> str:
    if "kind" in tree:
        return f"({written(tree['left'])} {tree['kind']} {written(tree['right'])})"
    if " " in tree["operator"] or tree["operator"].isalpha():
        return f"$.{tree['path']} {tree['operator']}"
    literal = tree["literal"]
    return f"$.{tree['path']} {tree['operator']} " + (str(literal) if isinstance(literal, int) else f'"{literal}"')


MISSING = object()


def looked_up(document: Any, path: str) -> Any:
    for name in re.findall(r"\w+", path):
        if isinstance(document, dict) and not name.isdigit():
            document = document.get(name, MISSING)
        elif isinstance(document, list) and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        else:
            return MISSING
    return document


def holds(tree: dict[str, Any], document: Any) -> bool:
    if "kind" in tree:
        left, right = holds(tree["left"], document), holds(tree["right"], document)
        return (left and right) if tree["kind"] == "&&" else (left or right)
    value, operator, literal = looked_up(document, tree["path"]), tree["operator"], tree["literal"]
    if operator == "NOT EXISTS":
        return value is MISSING
    if operator == "IS NULL":
        return value is None
    if operator == "IS TRUE":
        return value is True
    if value is MISSING or value is None or isinstance(value, dict | list):
        return False
    if operator in ("<", ">="):
        if isinstance(value, str | bool):
            return False
        return (value < literal) if operator == "<" else (value >= literal)
    return equals(value, literal) is (operator == "=")


def equals(value: Any, literal: Any) -> bool:
    if isinstance(literal, int):
        return str(value) == str(literal)
    if literal == "*":
        return True
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str):
        return False
    return re.fullmatch(re.escape(literal).replace(r"\*", ".*"), value) is not None


@given(tree=trees, document=documents)
def test_json_conditions_are_what_they_say(tree: dict[str, Any], document: dict[str, Any]) -> None:
    if any(part in written(tree) for part in ('< "', '>= "')):
        with pytest.raises(PatternError):
            patterns.read("{ " + written(tree) + " }")
        return
    assert patterns.read("{ " + written(tree) + " }").matches(json.dumps(document)) is holds(tree, document)


@given(st.text(alphabet='{}[]()$.=!<>&|"%*?-, ab1\\\n', max_size=25))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        pattern = patterns.read(text)
    except PatternError:
        return
    for message in ("", "a b", '{"a": 1}', "[a] b"):
        assert isinstance(pattern.matches(message), bool)
        assert all(isinstance(value, str) for value in pattern.extracted(message).values())


def test_parentheses_within_each_other() -> None:
    pattern = patterns.read("{" + "(" * 50 + "$.a = 1 || $.b = 1" + ")" * 50 + "}")
    assert pattern.matches('{"b": 1}')
    assert not pattern.matches('{"b": 2}')


SEVERAL = re.compile(r'\[([^\]]*)\](?=\s|$)|"((?:[^"\\]|\\.)*)"(?=\s|$)|(\S+)')


@given(st.text(alphabet='[]" ab\\\n', max_size=25))
def test_fields_are_in_brackets_in_quotes_or_between_spaces(message: str) -> None:
    wanted = [found[found.lastindex or 0] for found in SEVERAL.finditer(message)]
    assert fields.split(message) == wanted
    assert fields.split(message * 20) == [found[found.lastindex or 0] for found in SEVERAL.finditer(message * 20)]


@pytest.mark.parametrize("pattern", ["[a, ..., b]", "%a*a*a*a*b%", "[..., x = %a*a*a*b%]"])
@pytest.mark.parametrize("piece", ["[ ", '" ', "a", "aaaa ", '"\\" ', "\\ ", "[] "])
def test_hostile_messages_take_no_time(pattern: str, piece: str) -> None:
    """Each bracket that opens might look for its end as far as the message goes."""
    found = patterns.read(pattern)
    begun = time.thread_time()
    found.matches(piece * (24_000 // len(piece)))
    assert time.thread_time() - begun < 0.05
