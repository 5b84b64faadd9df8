# ruff: noqa: E501 - one message a line
"""Several things wrong at once: which of them is told, and in which of AWS's two ways.

All observed in AWS's answers (dynamodb-conformance: captures of 2026-10-07 and 08, tests of 2026-10-09 against at least
two regions; where regions differ, most of them or eu-west-2).
"""

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import make, refused

ONE = "1 validation error detected: "
INVALID = "One or more parameter values were invalid: "
NEST = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
NOT_NUMERIC = "The parameter cannot be converted to a numeric value"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
ONE_OF = "Value '{}' at '{}' failed to satisfy constraint: Member must satisfy enum value set: [{}]"
CAPACITY = ONE_OF.format("X", "returnConsumedCapacity", "INDEXES, TOTAL, NONE")
METRICS = ONE_OF.format("X", "returnItemCollectionMetrics", "SIZE, NONE")
OLD_RETURN_VALUES = ONE_OF.format("X", "returnValues", "ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW")
RETURN_VALUES = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]"
OPERATORS = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"
EMPTY = "Value at '{}' failed to satisfy constraint: Member must have length greater than or equal to 1"
OLD_EMPTY = "Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1"
NO_KEY = "Value null at 'key' failed to satisfy constraint: Member must not be null"
NAMES = "Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]"
REQUESTS = "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
SYNTAX = 'Invalid ConditionExpression: Syntax error; token: "=", near: "= = b"'
A = {"S": "a"}
KEY = {"TableName": "absent", "Key": {"pk": A}}
ITEM = {"TableName": "absent", "Item": {"pk": A}}
BAD = {"ReturnConsumedCapacity": "X", "ReturnValues": "X", "ReturnItemCollectionMetrics": "X"}
NO_ATTRIBUTES = {"Expected": {"a": {"Exists": False}, "b": {"Exists": False}}, "ConditionalOperator": "XOR"}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(levels):
        value = {"M": {"n": value}}
    return value


def put(**item: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "absent", "Item": {"pk": A, **item}}}


def index(name: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }


TABLE = {
    "TableName": "absent",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
SHORT = "Value '{}' at '{}.1.member.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3"
REQUESTED = {"absent": [{"PutRequest": {"Item": {"pk": A}}}]}

MEMBERS: list[tuple[str, dict[str, Any], str]] = [
    ("put_item", {**ITEM, **BAD}, f"3 validation errors detected: {CAPACITY}; {RETURN_VALUES}; {METRICS}"),
    ("put_item", {**ITEM, "TableName": "", **BAD}, ONE + EMPTY.format("TableName")),
    ("delete_item", {**KEY, "ReturnConsumedCapacity": "X", "ReturnValues": "X"}, f"2 validation errors detected: {CAPACITY}; {RETURN_VALUES}"),
    ("delete_item", {**KEY, "TableName": "", **BAD}, ONE + EMPTY.format("TableName")),
    ("update_item", {**KEY, **BAD}, ONE + RETURN_VALUES),
    ("update_item", {**KEY, "TableName": "", **BAD}, ONE + EMPTY.format("TableName")),
    ("update_item", {**KEY, **NO_ATTRIBUTES}, ONE + OPERATORS),
    ("update_item", {"TableName": ""}, f"2 validation errors detected: {OLD_EMPTY}; {NO_KEY}"),
    ("update_item", {"TableName": "", "ReturnConsumedCapacity": "X", "ReturnValues": "X"}, f"4 validation errors detected: {CAPACITY}; {OLD_EMPTY}; {OLD_RETURN_VALUES}; {NO_KEY}"),
    ("update_item", {"TableName": "absent", **NO_ATTRIBUTES}, "2 validation errors detected: " + ONE_OF.format("XOR", "conditionalOperator", "OR, AND") + "; " + NO_KEY),
    ("query", {"TableName": "absent", "ConditionalOperator": "XOR", "Select": "X", "QueryFilter": {"b": {"ComparisonOperator": "NULL"}, "c": {"ComparisonOperator": "NULL"}}}, OPERATORS),
    ("batch_get_item", {"RequestItems": {}}, ONE + EMPTY.format("RequestItems")),
    ("batch_write_item", {"RequestItems": {}}, ONE + EMPTY.format("RequestItems")),
    ("batch_write_item", {"RequestItems": {"absent": []}}, f"{ONE}Value '{{absent=[]}}' at 'requestItems' failed to satisfy constraint: {REQUESTS}"),
    ("batch_write_item", {"RequestItems": REQUESTED, "ReturnConsumedCapacity": "X", "ReturnItemCollectionMetrics": "X"}, f"2 validation errors detected: {CAPACITY}; {METRICS}"),
    ("batch_write_item", {"RequestItems": {"bad!name": REQUESTED["absent"]}, "ReturnConsumedCapacity": "X"}, ONE + CAPACITY),
    ("batch_get_item", {"RequestItems": {"bad!name": {"Keys": [{"pk": A}]}}, "ReturnConsumedCapacity": "X"}, f"2 validation errors detected: Value '{{\"bad!name\":{{\"Keys\":[{{\"pk\":{{\"S\":\"a\"}}}}]}}}}' at 'requestItems' failed to satisfy constraint: {NAMES}; {CAPACITY}"),
    ("transact_get_items", {"TransactItems": []}, ONE + "Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"),
    ("transact_write_items", {"TransactItems": [put()] * 101}, ONE + "Value at 'TransactItems' failed to satisfy constraint: Member must have length less than or equal to 100"),
    ("transact_write_items", {"TransactItems": [put()], "ClientRequestToken": "x" * 37, "ReturnConsumedCapacity": "X"}, ONE + "Value at 'ClientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36"),
    ("create_table", {**TABLE, "LocalSecondaryIndexes": [index("l1")], "GlobalSecondaryIndexes": [index("g1")]}, "2 validation errors detected: " + SHORT.format("g1", "globalSecondaryIndexes") + "; " + SHORT.format("l1", "localSecondaryIndexes")),
]  # fmt: skip
TRANSACTIONS: list[tuple[list[dict[str, Any]], str]] = [
    ([put(d=deep(40)), put(**{"": A})], NEST),
    ([put(**{"": A}), put(d=deep(100))], "Empty attribute name"),
    ([put(d=deep(100), **{"": A})], "Empty attribute name"),
    ([put(m={"M": {"": A}}, d=deep(40))], NEST),
    ([{"Delete": {**KEY, "Key": {"pk": deep(40)}}}, put(**{"": A})], NEST),
    ([{"Delete": {**KEY, "Key": {"pk": deep(100)}, "ConditionExpression": "a = = b"}}], SYNTAX),
    ([{"ConditionCheck": {**KEY, "Key": {"pk": deep(100)}, "ConditionExpression": "a = = b"}}], SYNTAX),
]


@pytest.fixture
def client(cloud: Account) -> Any:
    return cloud.client("dynamodb", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))


def test_members_in_aws_order(client: Any) -> None:
    wrong = []
    for operation, request, text in MEMBERS:
        with pytest.raises(ClientError) as caught:
            getattr(client, operation)(**request)
        if caught.value.response["Error"] != {"Code": "ValidationException", "Message": text}:
            wrong.append((operation, text, caught.value.response["Error"]))
    assert not wrong


def test_what_is_no_name_of_a_table_is_told_with_the_whole_batch(client: Any) -> None:
    error = refused(
        client.batch_write_item,
        "ValidationException",
        RequestItems={"bad!name": [{"DeleteRequest": {"Key": {"pk": A}}}]},
    )["Error"]["Message"]
    assert error.startswith(
        f"{ONE}Value '{{bad!name=[WriteRequest(putRequest=null, deleteRequest=DeleteRequest(key={{pk="
    )
    assert error.endswith(f"' at 'requestItems' failed to satisfy constraint: {NAMES}")


def test_actions_of_a_transaction_are_read_one_after_the_other(client: Any) -> None:
    for actions, text in TRANSACTIONS:
        refused(client.transact_write_items, "ValidationException", text, TransactItems=actions)


NUMBERS = [("abc", f"{NOT_NUMERIC}: abc", f"{NOT_NUMERIC}: abc"), ("", f"{NOT_NUMERIC}: ", NOT_NUMERIC),
           ("1e126", OVERFLOW, OVERFLOW), ("1e2147483647", OVERFLOW, UNDERFLOW),
           ("1e2147483648", OVERFLOW, f"{NOT_NUMERIC}: 1e2147483648")]  # fmt: skip
SETS = [
    ({"SS": ["b", "a", "b"]}, INVALID + 'Input collection ["a", "b", "b"] contains duplicates.', INVALID + "Input collection [b, a, b] contains duplicates."),
    ({"BS": [b"\xff", b"\0", b"\0"]}, INVALID + 'Input collection ["AA==","/w==","AA=="]of type BS contains duplicates.', INVALID + "Input collection [/w==, AA==, AA==]of type BS contains duplicates."),
    ({"NS": ["2", "1", "2"]}, INVALID + "Input collection contains duplicates.", "Input collection contains duplicates"),
]  # fmt: skip
VALUES: list[tuple[dict[str, Any], str, str]] = [({"N": text}, new, old) for text, new, old in NUMBERS] + SETS


@pytest.mark.parametrize(("value", "new", "old"), VALUES, ids=str)
def test_values_are_refused_in_two_ways(client: Any, value: dict[str, Any], new: str, old: str) -> None:
    def told(call: Any, text: str, **request: Any) -> None:
        refused(call, "ValidationException", text, **request)

    condition = {"ConditionExpression": "n = :v", "ExpressionAttributeValues": {":v": value}}
    told(client.put_item, ONE + new, TableName="absent", Item={"pk": A, "n": value})
    told(client.put_item, ONE + new, **ITEM, **condition)
    told(client.update_item, ONE + new, **KEY, AttributeUpdates={"n": {"Value": value}})
    told(client.delete_item, ONE + new, **KEY, **condition)
    told(client.delete_item, ONE + new, TableName="absent", Key={"pk": value})
    told(client.get_item, new, TableName="absent", Key={"pk": value})
    told(client.batch_get_item, new, RequestItems={"absent": {"Keys": [{"pk": value}]}})
    told(
        client.query, new, TableName="absent", KeyConditionExpression="pk = :v", ExpressionAttributeValues={":v": value}
    )
    told(client.transact_write_items, new, TransactItems=[put(n=value)])
    told(client.batch_write_item, old, RequestItems={"absent": [{"PutRequest": {"Item": {"pk": A, "n": value}}}]})
    told(client.batch_write_item, old, RequestItems={"absent": [{"DeleteRequest": {"Key": {"pk": value}}}]})
    nested = {"L": [A, {"M": {"n": value}}]}
    told(client.batch_write_item, old, RequestItems={"absent": [{"PutRequest": {"Item": {"pk": A, "n": nested}}}]})
    wrapped = f"ExpressionAttributeValues contains invalid value: {old} for key :v"
    told(client.scan, wrapped, TableName="absent", FilterExpression="n = :v", ExpressionAttributeValues={":v": value})
    told(client.scan, old, TableName="absent", ExclusiveStartKey={"pk": value})
    told(
        client.scan,
        old,
        TableName="absent",
        ScanFilter={"n": {"ComparisonOperator": "EQ", "AttributeValueList": [value]}},
    )
    told(client.execute_statement, old, Statement="SELECT * FROM absent WHERE n = ?", Parameters=[value])


def test_what_is_no_matter_of_values_keeps_its_words(client: Any) -> None:
    told = client.batch_write_item
    deep_item = {"": A, "d": deep(40)}
    for item, text in (({"d": deep(40), "n": {"N": "x"}}, NEST), (deep_item, "Empty attribute name")):
        refused(told, "ValidationException", text, RequestItems={"absent": [{"PutRequest": {"Item": item}}]})
    refused(client.scan, "ValidationException", 'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"',
            TableName="absent", FilterExpression="a = :v", ExpressionAttributeValues={"v": {"N": "x"}})  # fmt: skip


def test_items_are_as_deep_as_requests_may_be(cloud: Account) -> None:
    """A request of a hundred levels is read, and its depth told in the service's own words."""
    client = make(cloud)
    client.put_item(TableName="things", Item={"pk": A, "d": deep(31)})
    refused(client.put_item, "ValidationException", ONE + NEST, TableName="things", Item={"pk": A, "d": deep(100)})
