"""What AWS says of wrong expressions. Sources: answers seen from AWS, of 2026 where not said otherwise."""

from typing import Any

import pytest

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.expressions import conditions, key_conditions, projections, updates
from cumulo.services.data.dynamodb.expressions.key_conditions import KeySchema
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders

V: dict[str, dict[str, Any]] = {
    ":s": {"S": "a"}, ":t": {"S": "b"}, ":n": {"N": "1"}, ":b": {"B": b"a"}, ":yes": {"BOOL": True},
    ":null": {"NULL": True}, ":l": {"L": []}, ":m": {"M": {}}, ":ss": {"SS": ["a"]}, ":ns": {"NS": ["1"]},
    ":FOO": {"S": "FOO"},
}  # fmt: skip
N = {"#a": "a", "#b": "b", "#data": "data"}
OPERAND = "Incorrect operand type for operator or function; operator or function: {}, operand type: {}"
MISSING_VALUE = "An expression attribute value used in expression is not defined; attribute value: {}"
MISSING_NAME = "An expression attribute name used in the document path is not defined; attribute name: {}"
DISTINCT = (
    "The first operand must be distinct from the remaining operands for this operator or function; "
    "operator: {}, first operand: {}"
)
COUNT = (
    "Incorrect number of operands for operator or function; operator or function: {}, number of operands: {}"
)  # fmt: skip
OVERLAP = "Two document paths {} with each other; must remove or rewrite one of these paths; path one: {}, path two: {}"
SECTION_TYPE = (
    "Incorrect operand type for operator or function; "
    "operator: {0}, operand type: {1}, typeSet: ALLOWED_FOR_{0}_OPERAND"
)
MISUSED = "The function is not allowed to be used this way in an expression; function: {}"
NO_PATH = "Operator or function requires a document path; operator or function: {}"
BETWEEN = "The BETWEEN operator {}; lower bound operand: AttributeValue: {}, upper bound operand: AttributeValue: {}"
REDUNDANT = "The expression has redundant parentheses;"
LONG = " AND ".join(["a = :s"] * 400)


def syntax(token: str, near: str) -> str:
    return f'Syntax error; token: "{token}", near: "{near}"'


CONDITIONS = [
    ("", "The expression can not be empty;"),
    ("  ", "The expression can not be empty;"),
    ("a = = b", syntax("=", "= = b")),
    ("a = :s and", syntax("<EOF>", "and")),
    ("attribute_exists(a) AND NOT #data", syntax("<EOF>", "#data")),  # minidyn issue 21
    ("a", syntax("<EOF>", "a")),
    ("a = :s)", syntax(")", ":s)")),
    ("(a = :s", syntax("<EOF>", ":s")),
    ("a = :s b", syntax("b", ":s b")),
    ("_a = :s", syntax("_", "_a")),
    ("a = 'x'", syntax("'", "= 'x")),
    ("a = 2", syntax("2", "= 2")),
    ("a-b = :s", syntax("-", "a-b")),
    ("a = # ", syntax("#", "= #")),
    ("a IN ()", syntax(")", "()")),
    ("a BETWEEN :s OR :t", syntax("OR", ":s OR :t")),
    ("attribute_exists([1])", syntax("[", "([1")),  # zio-dynamodb, a test's comment
    ("attribute_type()", syntax(")", "()")),
    ("a[b] = :s", syntax("b", "[b]")),
    ("a. = :s", syntax("=", ". = :s")),
    (LONG, f"Expression size has exceeded the maximum allowed size; expression size: {len(LONG)}"),
    (" and ".join(["a<:n"] * 151), "The expression contains too many operators; operator count: 301"),
    ("name = :s", "Attribute name is a reserved keyword; reserved keyword: name"),
    ("a.Status = :s", "Attribute name is a reserved keyword; reserved keyword: Status"),
    ("#missing = :s", MISSING_NAME.format("#missing")),
    ("a = :missing", MISSING_VALUE.format(":missing")),
    ("a = :missing AND a < :yes", MISSING_VALUE.format(":missing")),
    ("a < :yes AND a = :missing", OPERAND.format("<", "BOOL")),
    ("a < :yes", OPERAND.format("<", "BOOL")),
    (":m <= a", OPERAND.format("<=", "M")),
    ("a > :null", OPERAND.format(">", "NULL")),
    ("a >= :ss", OPERAND.format(">=", "SS")),
    ("a BETWEEN :l AND :l", OPERAND.format("BETWEEN", "L")),
    ("size(:n) = :n", OPERAND.format("size", "N")),
    ("size(size(a)) = :n", OPERAND.format("size", "N")),
    ("begins_with(a, :n)", OPERAND.format("begins_with", "N")),
    ("begins_with(:yes, :s)", OPERAND.format("begins_with", "BOOL")),
    ("attribute_type(a, :n)", OPERAND.format("attribute_type", "N")),
    ("contains(:n, a)", OPERAND.format("contains", "N")),
    (
        "attribute_type(a, :FOO)",
        "Invalid attribute type name found; type: FOO, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
    ),
    ("foo(a)", "Invalid function name; function: foo"),
    ("Size(a) = :n", "Invalid function name; function: Size"),
    ("attribute_exists(a, #b)", COUNT.format("attribute_exists", 2)),
    ("begins_with(a)", COUNT.format("begins_with", 1)),
    ("size(a, #b) = :n", COUNT.format("size", 2)),
    ("attribute_exists(:s)", NO_PATH.format("attribute_exists")),
    ("attribute_not_exists(:s)", NO_PATH.format("attribute_not_exists")),
    ("attribute_type(:s, :s)", NO_PATH.format("attribute_type")),
    (
        "attribute_type(a, b)",
        "Operator or function requires an expression attribute value; operator or function: attribute_type",
    ),
    ("attribute_exists(size(a))", NO_PATH.format("attribute_exists")),
    ("size(a)", MISUSED.format("size")),
    ("attribute_exists(a) = :yes", MISUSED.format("attribute_exists")),
    ("a = begins_with(a, :s)", MISUSED.format("begins_with")),
    ("if_not_exists(a, :s) = :s", "The function is not allowed in a condition expression; function: if_not_exists"),
    ("a = a", DISTINCT.format("=", "[a]")),
    ("a <> #a", DISTINCT.format("<>", "[a]")),
    ("a.b[1] < #a.#b[1]", DISTINCT.format("<", "[a, b, [1]]")),
    ("a BETWEEN :s AND a", DISTINCT.format("BETWEEN", "[a]")),
    ("a IN (:s, a)", DISTINCT.format("IN", "[a]")),
    ("contains(#data, #data)", DISTINCT.format("contains", "[data]")),
    ("begins_with(a, a)", DISTINCT.format("begins_with", "[a]")),
    (
        "a BETWEEN :t AND :s",
        BETWEEN.format("requires upper bound to be greater than or equal to lower bound", "{S:b}", "{S:a}"),
    ),
    ("a BETWEEN :n AND :s", BETWEEN.format("requires same data type for lower and upper bounds", "{N:1}", "{S:a}")),
    (
        f"a IN ({', '.join([':s'] * 101)})",
        "The IN operator is provided with too many operands; number of operands: 101",
    ),
    ("((a = :s))", REDUNDANT),
    ("((a = :s) )AND a = :t", REDUNDANT),
    ("NOT ((a = :s AND a = :t))", REDUNDANT),
    ("((a)) = :s", REDUNDANT),
    ("a" + ".a" * 32 + " = :s", "The document path has too many nesting elements; nesting levels: 33"),
    ("a[9999999999] = :s", "List index is not within the allowable range; index: [9999999999]"),
]
UPDATES = [
    ("", "The expression can not be empty;"),
    ("INVALID SYNTAX HERE", syntax("INVALID", "INVALID SYNTAX")),
    ("ADD hits : incr", syntax(":", "hits : incr")),  # aws-cdk issue 7591
    ("set _something = :s", syntax("_", "set _something")),  # aws-sdk-js issue 1691
    ("SET #, #, #a = :s", syntax("#", "SET #,")),
    ("SET", syntax("<EOF>", "SET")),
    ("SET a", syntax("<EOF>", "a")),
    ("SET a =", syntax("<EOF>", "=")),
    ("SET a = :s,", syntax("<EOF>", ",")),
    ("REMOVE a,", syntax("<EOF>", ",")),
    ("ADD a #b", syntax("#b", "a #b")),
    ("SET a = :s b = :s", syntax("b", ":s b =")),
    ("SET a = :s; SET b = :t", syntax(";", ":s; SET")),
    ("ADD x :n SET a = :s ADD y :n", 'The "ADD" section can only be used once in an update expression;'),  # moto 3972
    ("SET a = :s SET b = :s", 'The "SET" section can only be used once in an update expression;'),
    ("SET status = :s", "Attribute name is a reserved keyword; reserved keyword: status"),
    ("SET a = :missing", MISSING_VALUE.format(":missing")),
    ("REMOVE #upd", MISSING_NAME.format("#upd")),
    ("SET a = :s, a = :t", OVERLAP.format("overlap", "[a]", "[a]")),
    ("SET a.b = :s REMOVE a", OVERLAP.format("overlap", "[a, b]", "[a]")),
    ("SET a[1].b = :s, a[1] = :t", OVERLAP.format("overlap", "[a, [1], b]", "[a, [1]]")),
    ("SET a.b = :s, a[1] = :t", OVERLAP.format("conflict", "[a, b]", "[a, [1]]")),
    (
        "ADD a :s",
        SECTION_TYPE.format("ADD", "STRING"),
    ),
    (
        "DELETE a :s",  # aws-sdk-js issue 3025
        SECTION_TYPE.format("DELETE", "STRING"),
    ),
    (
        "DELETE a :n",
        SECTION_TYPE.format("DELETE", "NUMBER"),
    ),
    ("SET a = list_append(a, :m)", OPERAND.format("list_append", "M")),  # aws-sdk-js-v3 issue 7171
    ("SET a = :s + :n", OPERAND.format("+", "S")),
    ("SET a = a - :l", OPERAND.format("-", "L")),
    ("SET a = if_not_exists(:s, :t)", NO_PATH.format("if_not_exists")),
    ("SET a = list_append(a)", COUNT.format("list_append", 1)),
    ("SET a = size(a)", "The function is not allowed in an update expression; function: size"),
    ("SET a = attribute_exists(a)", "The function is not allowed in an update expression; function: attribute_exists"),
    ("SET a = foo(a)", "Invalid function name; function: foo"),
    ("SET a = ((:s))", REDUNDANT),
    ("SET " + ", ".join(f"a{at} = :s" for at in range(500)), "Expression size has exceeded the maximum allowed size;"),
    ("SET a = :n" + " + :n" * 301, "The expression contains too many operators; operator count: 301"),
]
PROJECTIONS = [
    ("", "The expression can not be empty;"),
    ("!!", syntax("!", "!!")),
    ("a,", syntax("<EOF>", ",")),
    ("a b", syntax("b", "a b")),
    ("l[a]", syntax("a", "[a]")),
    ("l[]", syntax("]", "[]")),
    (":s", syntax(":s", ":s")),
    ("name", "Attribute name is a reserved keyword; reserved keyword: name"),
    ("#missing", MISSING_NAME.format("#missing")),
    ("a, a", OVERLAP.format("overlap", "[a]", "[a]")),
    ("#a, a.b", OVERLAP.format("overlap", "[a]", "[a, b]")),
    ("a[0], a.b", OVERLAP.format("conflict", "[a, [0]]", "[a, b]")),
]
NESTED = "KeyConditionExpressions cannot have conditions on nested attributes"
ONE = "KeyConditionExpressions must only contain one condition per key"
INVALID_OPERATOR = "Invalid operator used in KeyConditionExpression: {}"
KEY_CONDITIONS = [
    ("", "The expression can not be empty;"),
    ("pk", syntax("<EOF>", "pk")),
    ("pk = :missing AND begins_with(sk, :n)", MISSING_VALUE.format(":missing")),
    ("begins_with(sk, :n) AND pk = :missing", OPERAND.format("begins_with", "N")),
    ("pk = :s AND begins_with(sk, :yes)", OPERAND.format("begins_with", "BOOL")),
    ("pk = :s AND sk < :yes", OPERAND.format("<", "BOOL")),
    ("pk = :s AND :yes >= sk", OPERAND.format(">=", "BOOL")),
    ("pk = :s AND sk BETWEEN :yes AND :yes", OPERAND.format("BETWEEN", "BOOL")),
    ("pk = :s AND sk > :s AND sk < :t", ONE),
    ("pk.a = :s", NESTED),
    ("pk[0] = :s", NESTED),
    ("pk = :s AND begins_with(sk.a, :s)", NESTED),
    ("pk = :s AND #a.#b BETWEEN :s AND :t", NESTED),
    ("((pk = :s))", REDUNDANT),
    ("pk = :s OR sk = :s", INVALID_OPERATOR.format("OR")),
    ("NOT pk = :s", INVALID_OPERATOR.format("NOT")),
    ("pk <> :s", INVALID_OPERATOR.format("<>")),
    ("pk IN (:s)", INVALID_OPERATOR.format("IN")),
    ("attribute_exists(pk)", INVALID_OPERATOR.format("attribute_exists")),
    ("contains(pk, :s)", INVALID_OPERATOR.format("contains")),
    ("size(pk) = :n", "KeyConditionExpressions cannot contain nested operations"),
    ("pk = sk", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
    (":s = :t", "Invalid condition in KeyConditionExpression: No key attribute specified"),
    ("#missing = :s", MISSING_NAME.format("#missing")),
    ("hash = :s", "Attribute name is a reserved keyword; reserved keyword: hash"),
    (
        "pk = :s AND sk BETWEEN :t AND :s",
        BETWEEN.format("requires upper bound to be greater than or equal to lower bound", "{S:b}", "{S:a}"),
    ),
]


def message(work: Any, *arguments: Any) -> str:
    with pytest.raises(Fault) as caught:
        work(*arguments)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def short(part: str) -> str:
    return part[:60]


@pytest.mark.parametrize(("text", "reason"), CONDITIONS, ids=short)
@pytest.mark.parametrize("parameter", ["ConditionExpression", "FilterExpression"])
def test_conditions(parameter: str, text: str, reason: str) -> None:
    assert message(conditions.parse, text, Placeholders(N, V), parameter) == f"Invalid {parameter}: {reason}"


@pytest.mark.parametrize(("text", "reason"), UPDATES, ids=short)
def test_updates(text: str, reason: str) -> None:
    assert message(updates.parse, text, Placeholders(N, V)) == f"Invalid UpdateExpression: {reason}"


@pytest.mark.parametrize(("text", "reason"), PROJECTIONS, ids=short)
def test_projections(text: str, reason: str) -> None:
    assert message(projections.parse, text, Placeholders(N, V)) == f"Invalid ProjectionExpression: {reason}"


@pytest.mark.parametrize(("text", "reason"), KEY_CONDITIONS, ids=short)
def test_key_conditions(text: str, reason: str) -> None:
    assert message(key_conditions.parse, text, Placeholders(N, V)) == f"Invalid KeyConditionExpression: {reason}"


def test_a_key_as_a_bound_is_no_key_condition() -> None:
    text = "pk = :s AND :n BETWEEN sk AND :n"
    assert message(key_conditions.parse, text, Placeholders(N, V)) == "Query key condition not supported"


SCHEMA = KeySchema(("pk",), ("sk",), {"pk": "S", "sk": "N"})
HASH_ONLY = KeySchema(("pk",), (), {"pk": "S"})
MANY = KeySchema(("h",), ("a", "b", "c"), {"h": "S", "a": "S", "b": "S", "c": "S"})
MISMATCH = "One or more parameter values were invalid: Condition parameter type does not match schema type"
EQUALITY = (
    "RANGE key attributes {} must have equality conditions specified in the query because a condition is present on "
    "key attribute {}"
)


@pytest.mark.parametrize(
    ("schema", "text", "reason"),
    [
        (SCHEMA, "sk = :n", "Query condition missed key schema element: pk"),
        (SCHEMA, "attr1 = :s", "Query condition missed key schema element: pk"),
        (SCHEMA, "pk = :s AND attr1 = :s", "Query condition missed key schema element: sk"),
        (
            HASH_ONLY,
            "pk = :s AND attr1 = :s",
            "The number of query conditions (2) exceeds the number of key attributes defined in the schema (1)",
        ),
        (
            SCHEMA,
            "pk = :s AND sk > :n AND extra = :s",
            "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
        ),
        (SCHEMA, "pk > :s", "Query key condition not supported"),
        (SCHEMA, "begins_with(pk, :s) AND sk = :n", "Query key condition not supported"),
        (SCHEMA, "pk = :n", MISMATCH),
        (SCHEMA, "pk = :s AND sk = :yes", MISMATCH),
        (SCHEMA, "pk = :s AND begins_with(sk, :s)", MISMATCH),
        (MANY, "h = :s AND a = :s AND c = :s", EQUALITY.format("b", "c")),
        (MANY, "h = :s AND a = :s AND b > :s AND c = :s", EQUALITY.format("b", "c")),
        (MANY, "h = :s AND b = :s", EQUALITY.format("a", "b")),
        (
            SCHEMA,
            "pk = :empty",
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: pk",
        ),
    ],
    ids=lambda part: part[:60] if isinstance(part, str) else "",
)
def test_key_conditions_that_do_not_fit_the_key(schema: KeySchema, text: str, reason: str) -> None:
    terms = key_conditions.parse(text, Placeholders(None, {**V, ":empty": {"S": ""}}))
    assert message(terms.bind, schema) == reason


UNUSED = "Value provided in {} unused in expressions: keys: {{{}}}"


def test_placeholders_that_no_expression_uses() -> None:
    """Observed: all of them are named, in the request's order."""
    given = Placeholders({"#a": "a", "#x": "x", "#y": "y"}, {":v": {"S": "1"}, ":u": {"S": "2"}})
    conditions.parse("#a = :v", given)
    assert message(given.check_used) == UNUSED.format("ExpressionAttributeNames", "#x, #y")
    given = Placeholders({"#a": "a"}, {":v": {"S": "1"}, ":u": {"S": "2"}})
    conditions.parse("#a = :v", given)
    assert message(given.check_used) == UNUSED.format("ExpressionAttributeValues", ":u")


def test_placeholders_may_be_used_by_any_expression_of_a_request() -> None:
    given = Placeholders({"#a": "a", "#b": "b"}, {":v": {"S": "1"}, ":u": {"S": "2"}})
    for _ in range(2):  # parsed, then remembered
        conditions.parse("#a = :v", given)
        updates.parse("SET #b = :u", given)
        given.check_used()


KEY_TOO_LONG = "The expression attribute map contains a key that is too long"


@pytest.mark.parametrize(
    ("names", "values", "reason"),
    [
        ({}, None, "ExpressionAttributeNames must not be empty"),
        (None, {}, "ExpressionAttributeValues must not be empty"),
        ({"a": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"'),
        ({"#": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#"'),
        # 4ossiblellc/dynamodb-update-expression issues 13 and 17, dynamodb-toolbox issue 94
        ({"#a-b": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"'),
        ({"#a b": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#a b"'),
        ({"##a": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "##a"'),
        (None, {"v": {"S": ""}}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"'),
        (None, {":a-b": {"S": ""}}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: ":a-b"'),
        ({"#" + "a" * 255: "a"}, None, f"ExpressionAttributeNames contains invalid key: {KEY_TOO_LONG}"),
        (None, {":" + "a" * 255: {"S": ""}}, f"ExpressionAttributeValues contains invalid key: {KEY_TOO_LONG}"),
        (
            None,
            {":v": {}},
            "ExpressionAttributeValues contains invalid value: Supplied AttributeValue is empty, must contain exactly "
            "one of the supported datatypes for key :v",
        ),
        (None, {":v": {"N": "abc"}}, "The parameter cannot be converted to a numeric value: abc"),
        ({"#a": "a" * 65536}, None, "Attribute name is too large, must be less than 65536 bytes"),
        ({"#a": ""}, None, 'ExpressionAttributeNames contains invalid value: Empty attribute name; key: "#a"'),
        ({f"#{number}": "a" * 65535 for number in range(33)}, None, "ExpressionAttributeNames exceeds max size"),
        (
            None,
            {f":{number}": {"S": "a" * 400_000} for number in range(6)},
            "ExpressionAttributeValues exceeds max size",
        ),
    ],
    ids=lambda part: str(part)[:60],
)
def test_wrong_placeholders(names: Any, values: Any, reason: str) -> None:
    assert message(Placeholders, names, values) == reason
