"""The legacy parameters: what they match and change, and what AWS says of wrong ones.

Sources of texts: answers seen from AWS (2026 for Expected and ConditionalOperator), without the "1 validation error
detected: " of single writes; Developer Guide, "Legacy conditional parameters".
"""

import copy
from typing import Any

import pytest

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.expressions.key_conditions import KeySchema
from cumulo.services.data.dynamodb.legacy import conditions, key_conditions, mixing, updates

ITEM: dict[str, dict[str, Any]] = {
    "id": {"S": "1"},
    "n": {"N": "10"},
    "s": {"S": "hello"},
    "ss": {"SS": ["a", "b"]},
    "l": {"L": [{"S": "x"}]},
    "m": {"M": {"k": {"S": "v"}}},
    "yes": {"BOOL": True},
}
INVALID = "One or more parameter values were invalid: "


def message(work: Any, *arguments: Any) -> str:
    with pytest.raises(Fault) as caught:
        work(*[copy.deepcopy(each) if isinstance(each, dict) else each for each in arguments])
    assert caught.value.code == "ValidationException"
    return caught.value.message


@pytest.mark.parametrize(
    ("name", "operator", "values", "matches"),
    [
        ("n", "EQ", [{"N": "1e1"}], True),
        ("n", "EQ", [{"S": "10"}], False),
        ("ss", "EQ", [{"SS": ["b", "a"]}], True),
        ("m", "EQ", [{"M": {"k": {"S": "v"}}}], True),
        ("yes", "EQ", [{"BOOL": True}], True),
        ("n", "NE", [{"S": "10"}], True),
        ("n", "LT", [{"N": "11"}], True),
        ("n", "LE", [{"N": "10"}], True),
        ("n", "GT", [{"N": "10"}], False),
        ("n", "GE", [{"N": "10"}], True),
        ("n", "BETWEEN", [{"N": "9"}, {"N": "10"}], True),
        ("s", "IN", [{"S": "x"}, {"S": "hello"}], True),
        ("s", "BEGINS_WITH", [{"S": "he"}], True),
        ("s", "CONTAINS", [{"S": "ell"}], True),
        ("ss", "CONTAINS", [{"S": "a"}], True),
        ("l", "CONTAINS", [{"S": "x"}], True),
        ("s", "NOT_CONTAINS", [{"S": "ell"}], False),
        ("s", "NOT_CONTAINS", [{"S": "x"}], True),
        ("nothing", "NOT_CONTAINS", [{"S": "x"}], False),
        ("s", "NULL", [], False),
        ("nothing", "NULL", [], True),
        ("s", "NOT_NULL", [], True),
        ("nothing", "EQ", [{"S": "x"}], False),
    ],
)
def test_comparisons(name: str, operator: str, values: list[Any], matches: bool) -> None:
    wanted = {"ComparisonOperator": operator, **({"AttributeValueList": values} if values else {})}
    assert conditions.filtered({name: wanted}).matches(ITEM) is matches
    assert conditions.expected({name: wanted}).matches(ITEM) is matches


def test_conditional_operator() -> None:
    both = {"n": {"Value": {"N": "10"}}, "s": {"Value": {"S": "else"}}}
    assert not conditions.expected(both).matches(ITEM)
    assert conditions.expected(both, "OR").matches(ITEM)
    assert conditions.expected(both).attributes == {"n", "s"}


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        ({"Exists": False}, False),
        ({"Value": {"S": "hello"}}, True),
        ({"Exists": True, "Value": {"S": "hello"}}, True),
        ({"Exists": True, "Value": {"S": "stale"}}, False),
        ({"Value": {"S": "hello"}, "ComparisonOperator": "EQ"}, True),  # accepted, though documented as exclusive
    ],
)
def test_expectations(wanted: dict[str, Any], matches: bool) -> None:
    assert conditions.expected({"s": wanted}).matches(ITEM) is matches


def test_nothing_is_expected_of_a_new_item() -> None:
    assert conditions.expected({"s": {"Exists": False}}).matches(None)


V = {"S": "x"}


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"Exists": True}, "Value must be provided when Exists is true for Attribute: a"),
        ({}, "Value must be provided when Exists is null for Attribute: a"),
        ({"Exists": False, "Value": V}, "Value cannot be used when Exists is false for Attribute: a"),
        (
            {"Exists": True, "Value": V, "ComparisonOperator": "EQ"},
            "Exists and ComparisonOperator cannot be used together for Attribute: a",
        ),
        ({"AttributeValueList": [V]}, "AttributeValueList can only be used with a ComparisonOperator for Attribute: a"),
        (
            {"Exists": True, "AttributeValueList": [V]},
            "AttributeValueList can only be used with a ComparisonOperator for Attribute: a",
        ),
        (
            {"ComparisonOperator": "EQ"},
            "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a",
        ),
        (
            {"ComparisonOperator": "EQ", "Value": V, "AttributeValueList": [V]},
            "Value and AttributeValueList cannot be used together for Attribute: a",
        ),
    ],
    ids=str,
)
def test_wrong_expectations(wanted: dict[str, Any], reason: str) -> None:
    assert message(conditions.expected, {"a": wanted}) == INVALID + reason


@pytest.mark.parametrize(
    ("operator", "values", "reason"),
    [
        ("EQ", [V, V], INVALID + "Invalid number of argument(s) for the EQ ComparisonOperator"),
        ("BETWEEN", [V], INVALID + "Invalid number of argument(s) for the BETWEEN ComparisonOperator"),
        ("NULL", [V], INVALID + "Invalid number of argument(s) for the NULL ComparisonOperator"),
        ("IN", [], INVALID + "Invalid number of argument(s) for the IN ComparisonOperator"),
        ("LT", [{"SS": ["a"]}], INVALID + "ComparisonOperator LT is not valid for SS AttributeValue type"),
        (
            "BEGINS_WITH",
            [{"N": "1"}],
            INVALID + "ComparisonOperator BEGINS_WITH is not valid for N AttributeValue type",
        ),
        ("CONTAINS", [{"SS": ["a"]}], INVALID + "ComparisonOperator CONTAINS is not valid for SS AttributeValue type"),
        ("IN", [V, {"N": "1"}], INVALID + "AttributeValues inside AttributeValueList must all be of the same type"),
        (
            "BETWEEN",
            [{"S": "b"}, {"S": "a"}],
            "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
        ),
        ("EQ", [{"N": "abc"}], "The parameter cannot be converted to a numeric value: abc"),
    ],
    ids=str,
)
def test_wrong_comparisons(operator: str, values: list[Any], reason: str) -> None:
    wanted = {"a": {"ComparisonOperator": operator, "AttributeValueList": values}}
    assert message(conditions.filtered, wanted) == reason
    assert message(conditions.expected, wanted) == reason


SCHEMA = KeySchema(("pk",), ("sk",), {"pk": "S", "sk": "N"})
PK = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "p"}]}


@pytest.mark.parametrize(
    ("operator", "values", "wanted"),
    [
        ("EQ", [{"N": "1"}], ("", ())),
        ("LT", [{"N": "1"}], ("<", ({"N": "1"},))),
        ("GE", [{"N": "1"}], (">=", ({"N": "1"},))),
        ("BETWEEN", [{"N": "1"}, {"N": "2"}], ("BETWEEN", ({"N": "1"}, {"N": "2"}))),
    ],
)
def test_key_conditions(operator: str, values: list[Any], wanted: Any) -> None:
    sk = {"ComparisonOperator": operator, "AttributeValueList": values}
    found = key_conditions.parse({"sk": sk, "pk": PK}, SCHEMA)
    assert found.hashes == ({"S": "p"},)
    assert (found.operator, found.operands) == wanted
    assert found.equals == (tuple(values) if operator == "EQ" else ())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "Conditions can be of length 1 or 2 only"),
        ({"pk": {**PK, "ComparisonOperator": "NE"}}, "Attempted conditional constraint is not an indexable operation"),
        (
            {"pk": {**PK, "ComparisonOperator": "CONTAINS"}},
            "Attempted conditional constraint is not an indexable operation",
        ),
        ({"pk": {**PK, "ComparisonOperator": "LT"}}, "Query key condition not supported"),
        ({"sk": PK}, "Query condition missed key schema element: pk"),
        ({"pk": PK, "a": PK}, "Query condition missed key schema element: sk"),
        ({"pk": PK, "sk": PK}, INVALID + "Condition parameter type does not match schema type"),
    ],
    ids=str,
)
def test_wrong_key_conditions(given: dict[str, Any], reason: str) -> None:
    assert message(key_conditions.parse, given, SCHEMA) == reason


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"a": {"Value": V}}, {"a": V}),
        ({"s": {"Value": V, "Action": "PUT"}}, {"s": V}),
        ({"s": {"Action": "DELETE"}}, {"s": None}),
        ({"nothing": {"Action": "DELETE"}}, {}),
        ({"ss": {"Action": "DELETE", "Value": {"SS": ["a"]}}}, {"ss": {"SS": ["b"]}}),
        ({"ss": {"Action": "DELETE", "Value": {"SS": ["a", "b"]}}}, {"ss": None}),
        ({"n": {"Action": "ADD", "Value": {"N": "5"}}}, {"n": {"N": "15"}}),
        ({"c": {"Action": "ADD", "Value": {"N": "5"}}}, {"c": {"N": "5"}}),
        ({"ss": {"Action": "ADD", "Value": {"SS": ["c", "a"]}}}, {"ss": {"SS": ["a", "b", "c"]}}),
        ({"l": {"Action": "ADD", "Value": {"L": [V]}}}, {"l": {"L": [V, V]}}),
    ],
    ids=str,
)
def test_updates(changes: dict[str, Any], wanted: dict[str, Any]) -> None:
    changed = updates.parse(copy.deepcopy(changes)).apply(ITEM)
    assert changed == {name: value for name, value in {**ITEM, **wanted}.items() if value is not None}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, INVALID + "Only DELETE action is allowed when no attribute value is specified"),
        ({"Action": "ADD"}, INVALID + "Only DELETE action is allowed when no attribute value is specified"),
        ({"Action": "ADD", "Value": V}, INVALID + "ADD action is not supported for the type S"),
        ({"Action": "ADD", "Value": {"M": {}}}, INVALID + "ADD action is not supported for the type M"),
        ({"Action": "DELETE", "Value": V}, INVALID + "DELETE action with value is not supported for the type S"),
        ({"Value": {}}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    ],
    ids=str,
)
def test_wrong_updates(change: dict[str, Any], reason: str) -> None:
    assert message(updates.parse, {"a": change}) == reason


def test_updates_that_the_item_does_not_allow() -> None:
    for value in ({"N": "1"}, {"L": []}, {"NS": ["1"]}):
        change = updates.parse({"s": {"Action": "ADD", "Value": value}})
        assert message(change.apply, ITEM) == "Type mismatch for attribute to update"


MIXED = (
    "Can not use both expression and non-expression parameters in the same request: "
    "Non-expression parameters: {%s} Expression parameters: {%s}"
)
TWO = "ConditionalOperator can only be used when Filter or Expected has two or more elements"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"Expected": {"a": {}}, "ConditionExpression": "a"}, MIXED % ("Expected", "ConditionExpression")),
        ({"AttributeUpdates": {}, "UpdateExpression": ""}, MIXED % ("AttributeUpdates", "UpdateExpression")),
        (
            {"KeyConditions": {}, "QueryFilter": {}, "FilterExpression": "a", "KeyConditionExpression": "b"},
            MIXED % ("QueryFilter, KeyConditions", "FilterExpression, KeyConditionExpression"),
        ),
        ({"AttributesToGet": ["a"], "ProjectionExpression": "a"}, MIXED % ("AttributesToGet", "ProjectionExpression")),
        ({"ExpressionAttributeNames": {}}, "ExpressionAttributeNames can only be specified when using expressions"),
        ({"ExpressionAttributeValues": {}}, "ExpressionAttributeValues can only be specified when using expressions"),
        (
            {"ExpressionAttributeValues": {}, "ProjectionExpression": "a"},
            "ExpressionAttributeValues can only be specified when using expressions",
        ),
        ({"ConditionalOperator": "AND"}, "ConditionalOperator cannot be used without Filter or Expected"),
        ({"ConditionalOperator": "AND", "Expected": {"a": {}}}, TWO),
        ({"ConditionalOperator": "OR", "ScanFilter": {"a": {}}}, TWO),
        ({"AttributesToGet": ["a", "b", "a"]}, INVALID + "Duplicate value in attribute name: a"),
    ],
    ids=str,
)
def test_parameters_that_do_not_go_together(request_: dict[str, Any], reason: str) -> None:
    assert message(mixing.check, request_) == reason


def test_reads_name_the_expressions_that_take_values() -> None:
    text = "ExpressionAttributeValues can only be specified when using expressions: {} null"
    given = {"ExpressionAttributeValues": {}}
    assert message(mixing.check, given, ("FilterExpression",)) == text.format("FilterExpression is")
    assert message(mixing.check, given, ("FilterExpression", "KeyConditionExpression")) == text.format(
        "FilterExpression and KeyConditionExpression are"
    )


def test_parameters_that_go_together() -> None:
    for given in (
        {"UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": V}},
        {"Expected": {"a": {}, "b": {}}, "ConditionalOperator": "OR", "AttributeUpdates": {}},
        {"ProjectionExpression": "#a", "ExpressionAttributeNames": {"#a": "a"}},
        {},
    ):
        mixing.check(given)
