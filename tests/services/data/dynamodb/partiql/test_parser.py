"""Statements that AWS refuses to read, in its words (2026), and literals."""

from typing import Any

import pytest

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.partiql import parser
from cumulo.services.data.dynamodb.partiql.syntax import Delete, Exists, Insert, Select, Update

BAD = "Statement wasn't well formed, can't be processed: "
LEFTOVER = BAD + "Unexpected token after expression"
ALIAS = "Aliasing is not supported"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
DIGITS = "Attempting to store more than 38 significant digits in a Number"
TYPE = "Incorrect operand type for operator or function; operator or function: {}, operand type: {}"
PATH = "Operator or function requires a document path; operator or function: attribute_exists"
COUNT = "Incorrect number of operands for operator or function; operator or function: attribute_exists, "
RETURNING = "Invalid returning clause: RETURNING {} *. Only RETURNING ALL OLD * is allowed in DELETE statements."


def place(statement: str, word: str, length: int | None = None, after: str = "") -> str:
    """Where a word stands, as AWS says it."""
    at = statement.index(word, statement.index(after) if after else 0)
    return f"1:{at + 1}:{len(word) if length is None else length}"


def message(statement: str, parameters: list[Any] | None = None) -> str:
    with pytest.raises(Fault) as caught:
        parser.parse(statement, parameters)
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ('SELECTT * FROMM "T"', BAD + "Expected data manipulation"),
        ('SLECT * FROM "T"', BAD + "Expected data manipulation"),
        ('SELECT * FROM "T" WHERE pk = 1 foo', LEFTOVER),
        ('SELECT * FROM "T" WHERE pk = 1 e5', LEFTOVER),
        ("INSERT INTO \"T\" VALUE {'pk': 1} foo", LEFTOVER),
        ('UPDATE "T" SET a = 9 WHERE pk = 1 foo', LEFTOVER),
        ('DELETE FROM "T" WHERE pk = 1 foo', LEFTOVER),
        ('SELECT * FROM "T" WHERE pk = 1)', LEFTOVER),
        ('DELETE FROM "T" WHERE pk = 1 ORDER BY pk', LEFTOVER),
        ('SELECT * FROM "T" ORDER BY pk WHERE pk = 1', LEFTOVER),
        ("INSERT INTO \"T\" t VALUE {'pk': 'x'}", LEFTOVER),
        ('SELECT * FROM "T" WHERE pk = 1e2147483648', BAD),
        ('SELECT * FROM "T" WHERE pk = 1e99999999999', BAD),
        ('SELECT * FROM "T" WHERE pk = 1.5e-2147483647', BAD),
        ('SELECT * FROM "T" WHERE pk = 1 # note', BAD),
        ('SELECT * FROM "T" WHERE pk = 1 /* note', BAD),
        ('SELECT * FROM "T', BAD),
        ('SELECT * FROM "T" WHERE', BAD + "Unexpected term"),
        ("SELECT * FROM \"T\" t WHERE pk = 'x'", ALIAS),
        ("SELECT * FROM \"T\" AS t WHERE pk = 'x'", ALIAS),
        ("UPDATE \"T\" t SET a = 3 WHERE pk = 'x'", ALIAS),
        ("DELETE FROM \"T\" t WHERE pk = 'x'", ALIAS),
        ('SELECT * FROM "T" WHERE pk = 1e126', OVERFLOW + " under root"),
        ('SELECT * FROM "T" WHERE pk = 1e-131', UNDERFLOW + " under root"),
        (f'SELECT * FROM "T" WHERE pk = {"1" * 39}', DIGITS + " under root"),
        ("INSERT INTO \"T\" VALUE {'pk': 1e126}", OVERFLOW + " under root"),
        ('UPDATE "T" SET a = 1e-131 WHERE pk = 1', UNDERFLOW + " under root"),
        ("INSERT INTO \"T\" VALUE {'pk': 1, 'm': {'x': 1e126}}", OVERFLOW + " under root.x"),
        ("INSERT INTO \"T\" VALUE {'pk': 1, 'l': [1, 1e126]}", OVERFLOW + " under root[1]"),
        ('SELECT * FROM "T"."i"."x" WHERE pk = \'p\'', "A path may contain at most 2 components in the FROM clause"),
        ('SELECT * FROM "T"."" WHERE pk = \'p\'', "Path component cannot be an empty string"),
        ("SELECT * FROM \"\" WHERE pk = 'p'", "Path component cannot be an empty string"),
        ("SELECT * FROM \"T\" WHERE pk = 'a' AND attribute_exists('ss')", PATH),
        ('SELECT * FROM "T" WHERE attribute_exists()', COUNT + "number of operands: 0"),
        ('SELECT * FROM "T" WHERE attribute_exists(ss, ns)', COUNT + "number of operands: 2"),
        ('SELECT * FROM "T" WHERE attribute_exists(m.inner)', BAD + "Invalid path dot component"),
        ('SELECT payload.size FROM "T"', BAD + "Invalid path dot component"),  # PyDynamoDB issue 28
        ('SELECT * FROM "T" WHERE val < true', TYPE.format("<", "BOOL")),
        ('DELETE FROM "T" WHERE pk = 1 RETURNING MODIFIED OLD *', RETURNING.format("MODIFIED OLD")),
        ('DELETE FROM "T" WHERE pk = 1 RETURNING ALL NEW *', RETURNING.format("ALL NEW")),
        ('DELETE FROM "T" WHERE pk = 1 RETURNING MODIFIED NEW *', RETURNING.format("MODIFIED NEW")),
        ('UPDATE "T" SET ss = set_add(ss, <<>>) WHERE pk = 1', "Empty bags are not supported"),
        (
            "UPDATE \"T\" SET ss = set_add(ss, <<'x', 'x'>>) WHERE pk = 1",
            "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
        ),
        (
            "UPDATE \"T\" SET m.inner = set_add(m.inner, <<'y'>>) WHERE pk = 1",
            BAD + "Invalid path dot component",
        ),
        ('SELECT * FROM "T" WHERE pk = ?', "Number of parameters in request and statement don't match."),
        *[
            (f'SELECT * FROM "T" WHERE pk = 1 {clause}', f"Unsupported clause: {name}")
            for clause, name in (
                ("GROUP BY a", "GROUP BY"),
                ("HAVING a = 1", "HAVING"),
                ("LIMIT 1", "LIMIT"),
                ("OFFSET 1", "OFFSET"),
            )
        ],
        ('UPDATE "T" WHERE pk = 1', BAD + "Expected data manipulation"),
        ('SELECT * FROM "T".?', BAD + "Invalid path dot component"),
        ('UPDATE "T"."i" SET a = 1 WHERE pk = 1', "Index is not supported in INSERT, UPDATE and DELETE statements"),
        ('SELECT * FROM "T" WHERE a IS FOO', BAD + "Expected type name"),
        *[
            (statement, BAD + "Unexpected term")
            for statement in (
                *(
                    'SELECT * FROM "T" WHERE',
                    'SELECT * FROM "T" WHERE;',
                    'UPDATE "T" SET a = 1 WHERE',
                    'DELETE FROM "T" WHERE',
                ),
                *('SELECT * FROM "T" WHERE NOT', 'SELECT * FROM "T" WHERE (', "SELECT * FROM", "SELECT * FROM ?"),
                *("SELECT * FROM T WHERE a 5", "SELECT * FROM T WHERE 5 IS 6", "INSERT INTO T VALUE {a: 1}"),
                *(
                    "INSERT INTO T VALUE {'a': }",
                    "INSERT INTO T VALUE {'a': -'b'}",
                    "SELECT * FROM T WHERE a BETWEEN 1, 2",
                ),
                *("DELETE FROM T WHERE a = 1 RETURNING SOME OLD *", "DELETE FROM T WHERE a = 1 RETURNING ALL OLD"),
            )
        ],
        ("SELECT * FROM \"T\" WHERE pk = 'p1' AND", BAD + "Missing right-hand side expression of infix operator"),
        ("SELECT * FROM \"T\" WHERE pk = 'p1' OR", BAD + "Missing right-hand side expression of infix operator"),
        ('SELECT * FROM "T" WHERE pk =', BAD + "Missing right-hand side expression of infix operator"),
        ('SELECT * FROM "T" WHERE ORDER BY pk', BAD + "Unexpected keyword"),
        ('SELECT * FROM "T" WHERE IS NULL', BAD + "Unexpected operator"),
        ('SELECT * FROM "T" WHERE pk = LIKE', BAD + "Unexpected operator"),
        ("DELETE FROM", BAD + "Expected identifier for simple path"),
        ("DELETE FROM;", BAD + "Expected identifier for simple path"),
        ("DELETE FROM WHERE pk = 'a'", BAD + "Expected identifier for simple path"),
        ("FROM \"T\" SET c = 1 WHERE pk = 'a'", BAD + "Unexpected token after expression"),
        ('SELECT * FROM "T" WHERE a[x] = 1', BAD + "Invalid path component"),
        (
            "INSERT INTO \"T\" VALUE {'pk': 1, 'l': <<1, 'a'>>}",
            "Bags may only hold strings, numbers or binaries, all of one type",
        ),
        ("INSERT INTO \"T\" VALUE {'pk': 1, 'l': <<1, 1>>}", "Input collection contains duplicates"),
    ],
)
def test_statements_that_cannot_be_read(statement: str, text: str) -> None:
    assert message(statement) == text


@pytest.mark.parametrize(
    ("statement", "text", "word", "after"),
    [
        ('SELECT attribute_exists(ss) FROM "T"', "Unexpected path component", "attribute_exists", ""),
        ('SELECT * FROM "T" WHERE EXISTS(ss)', "Unrecognized function: exists", "EXISTS", ""),
        ('UPDATE "T" SET a = foo(b) WHERE pk = 1', "Unrecognized function: foo", "foo", ""),
        ("SELECT * FROM \"T\" WHERE set_add(ss, <<'x'>>) = ss", "Unrecognized function: set_add", "set_add", ""),
        (
            "UPDATE \"T\" SET t = set_add(ss, <<'x'>>) WHERE pk = 1",
            "The first argument to SET_ADD must equal the assignment value",
            "set_add",
            "",
        ),
        (
            "UPDATE \"T\" SET ss = set_add(<<'a'>>, <<'b'>>) WHERE pk = 1",
            "The first argument to SET_ADD must equal the assignment value",
            "set_add",
            "",
        ),
        (
            "UPDATE \"T\" SET ss = set_add(ss, 'x') WHERE pk = 1",
            "The second argument to SET_ADD must be a value with type SET",
            "ss",
            "set_add(",
        ),
        (
            "UPDATE \"T\" SET ss = set_delete(ss, ['x']) WHERE pk = 1",
            "The second argument to SET_DELETE must be a value with type SET",
            "ss",
            "set_delete(",
        ),
        ('UPDATE "T" SET ss = set_add(ss) WHERE pk = 1', "SET_ADD must have exactly two arguments", "set_add", ""),
        (
            "INSERT INTO \"T\" VALUE {'pk': 'p', 'ss': set_add(<<'a'>>, <<'b'>>)}",
            "Unsupported data type: set_add under key root",
            "set_add",
            "",
        ),
    ],
)
def test_places_in_statements(statement: str, text: str, word: str, after: str) -> None:
    assert message(statement) == f"{text} at {place(statement, word, after=after)}"


def test_parameters_that_do_not_fit_the_statement() -> None:
    one: list[Any] = [{"S": "a"}]
    text = "Number of parameters in request and statement don't match."
    assert message("SELECT * FROM \"T\" WHERE pk = 'a'", one) == text
    assert message('INSERT INTO "T" VALUE ?', one) == "Unsupported data type: the value of an INSERT must be a map"


UNCONVERTIBLE = "The parameter cannot be converted to a numeric value"
TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)


def deep(levels: int, leaf: dict[str, Any]) -> dict[str, Any]:
    for _ in range(levels):
        leaf = {"M": {"n": leaf}}
    return leaf


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[
            ({"N": text}, f"{UNCONVERTIBLE}: {text}")
            for text in ("1e99999999999", "-1e99999999999", "1e2147483648", "1e-2147483648", "abc")
        ],
        ({"N": "1e2147483647"}, UNDERFLOW),
        ({"N": ""}, UNCONVERTIBLE),
        ({"L": [{"N": "1"}, {"N": "1e99999999999"}]}, f"{UNCONVERTIBLE}: 1e99999999999"),
        ({"M": {"x": {"N": "1e99999999999"}}}, f"{UNCONVERTIBLE}: 1e99999999999"),
        ({"NS": ["1", "1e99999999999"]}, f"{UNCONVERTIBLE}: 1e99999999999"),
        ({"M": {"d": deep(40, {"S": ""}), "bad": {"N": "abc"}}}, TOO_DEEP),
        ({"M": {"bad": {"N": "abc"}, "d": deep(40, {"S": ""})}}, f"{UNCONVERTIBLE}: abc"),
        (deep(100, {"N": "abc"}), TOO_DEEP),
    ],
    ids=lambda part: str(part)[:50],
)
def test_parameters_that_are_no_values(value: dict[str, Any], text: str) -> None:
    assert message('SELECT * FROM "T" WHERE n = ?', [value]) == text


def test_the_first_wrong_parameter_is_told() -> None:
    both = [deep(40, {"S": ""}), {"N": "abc"}]
    assert message('SELECT * FROM "T" WHERE x = ? AND y = ?', both) == TOO_DEEP
    assert message('SELECT * FROM "T" WHERE x = ? AND y = ?', both[::-1]) == f"{UNCONVERTIBLE}: abc"


def test_literals() -> None:
    found = parser.parse(
        "INSERT INTO T VALUE {'pk': 'it''s', 'n': -.73e1, 'l': [1, 'a', [true]], 'm': {'x': null, 'y': ?}, "
        "'ss': <<'b', 'a'>>, 'ns': <<1, 2.50>>} -- a note",
        [{"B": b"\x00"}],
    )
    assert isinstance(found, Insert)
    assert found.item == {
        "pk": {"S": "it's"},
        "n": {"N": "-7.3"},
        "l": {"L": [{"N": "1"}, {"S": "a"}, {"L": [{"BOOL": True}]}]},
        "m": {"M": {"x": {"NULL": True}, "y": {"B": b"\x00"}}},
        "ss": {"SS": ["a", "b"]},
        "ns": {"NS": ["1", "2.5"]},
    }


def test_statements() -> None:
    found = parser.parse('select a, b.c[1]."size" from "T"."i" where a = 1 order by b desc, c', None)
    assert isinstance(found, Select)
    assert (found.table, found.index) == ("T", "i")
    assert found.columns == [("a",), ("b", "c", 1, "size")]
    assert found.order == [("b", True), ("c", False)]
    updated = parser.parse('FROM "T" WHERE pk = 1 SET a = 1 SET b = a + 2 REMOVE c RETURNING MODIFIED NEW *', None)
    assert isinstance(updated, Update)
    assert updated.returning == "MODIFIED NEW"
    assert [(action.section, action.path) for action in updated.actions] == [
        ("SET", ("a",)),
        ("SET", ("b",)),
        ("REMOVE", ("c",)),
    ]
    assert isinstance(parser.parse("DELETE FROM T WHERE pk = 1 RETURNING ALL OLD *;", None), Delete)
    assert isinstance(parser.parse("EXISTS(SELECT * FROM T WHERE pk = 1 AND a = 2)", None), Exists)


@pytest.mark.parametrize("opening", ["(", "NOT (", "[", "{'a': ["])
def test_bottomless_statements_are_refused(opening: str) -> None:
    message('SELECT * FROM "T" WHERE pk = 1 AND ' + opening * 1000)
    message("INSERT INTO T VALUE {'a': " + opening * 1000)
