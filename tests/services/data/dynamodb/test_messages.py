# ruff: noqa: E501 - one message a line
"""What DynamoDB says of wrong requests: at least one case for each message, through the API.

The language's own messages stand in `expressions/test_messages.py`, `legacy/test_legacy.py`, `partiql/test_parser.py` and
`test_attribute_values.py`; those of tables in `test_tables.py`. The letter after each is its source:

- A: answers seen from AWS in 2026, the same in at least two regions (where regions differ, that of eu-west-2)
- D: Developer Guide or API Reference
- I: answers of AWS quoted in issues of its clients, named there
- R: recorded from AWS in 2025
"""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make

ONE = "1 validation error detected: "
NEST = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
INVALID = "One or more parameter values were invalid: "
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
    "string value. Key: pk"
)
NO_SUCH_KEY = "The provided key element does not match the schema"
SYNTAX = 'Invalid {}: Syntax error; token: "{}", near: "{}"'
MIXED = (
    "Can not use both expression and non-expression parameters in the same request: "
    "Non-expression parameters: {{{}}} Expression parameters: {{{}}}"
)
UNUSED = "Value provided in {} unused in expressions: keys: {{{}}}"
NEEDS = "{} can only be specified when using expressions"
ENUM = ONE + "Value '{}' at '{}' failed to satisfy constraint: Member must satisfy enum value set: [{}]"
AT_LEAST = ONE + "Value '{}' at '{}' failed to satisfy constraint: Member must have {} greater than or equal to {}"
T: dict[str, Any] = {"TableName": "things"}
K = {**T, "Key": {"pk": {"S": "a"}, "sk": {"S": "b"}}}
C = {**T, "Key": {"pk": {"S": "a"}, "sk": {"S": "c"}}}
I = {**T, "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}  # noqa: E741
Q = {**T, "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}}
V = {"ExpressionAttributeValues": {":v": {"S": "x"}}}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(levels):
        value = {"M": {"n": value}}
    return value


def item(**more: Any) -> dict[str, Any]:
    return {**T, "Item": {**I["Item"], **more}}


def query(**more: Any) -> dict[str, Any]:
    return {**T, **more}


PUT = [
    ("put_item", {"Item": I["Item"]}, ONE + "Value null at 'tableName' failed to satisfy constraint: Member must not be null", ""),  # A
    ("put_item", item(n={"N": "abc"}), ONE + "The parameter cannot be converted to a numeric value: abc", ""),  # A
    ("put_item", item(n={"NULL": False}), ONE + INVALID + "Null attribute value types must have the value of true", ""),  # A
    ("put_item", item(n={"SS": []}), ONE + INVALID + "An string set  may not be empty", ""),  # A
    ("put_item", item(d=deep(32)), ONE + NEST, ""),  # A
    ("put_item", item(**{"": {"S": ""}}), ONE + "Empty attribute name", ""),  # A
    ("put_item", item(**{"n" * 65536: {"S": ""}}), ONE + "Attribute name is too large, must be less than 65536 bytes", ""),  # A
    ("put_item", item(d={"S": "x" * 409600}), "Item size has exceeded the maximum allowed size", ""),  # A
    ("put_item", {**T, "Item": {"pk": {"S": ""}, "sk": {"S": "b"}}}, EMPTY_KEY, ""),  # A
    ("put_item", {**T, "Item": {"pk": {"S": "a"}}}, INVALID + "Missing the key sk in the item", ""),  # I
    ("put_item", {**T, "Item": {"pk": {"N": "1"}, "sk": {"S": "b"}}}, INVALID + "Type mismatch for key pk expected: S actual: N", ""),  # I
    ("put_item", {**I, "Expected": {"a": {"Exists": False}}, "ConditionExpression": "a"}, ONE + MIXED.format("Expected", "ConditionExpression"), ""),  # A
    ("put_item", {**I, **V}, ONE + NEEDS.format("ExpressionAttributeValues"), ""),  # A
    ("put_item", {**I, "ExpressionAttributeNames": {"#a": "a"}}, ONE + NEEDS.format("ExpressionAttributeNames"), ""),  # A
    ("put_item", {**I, "ConditionExpression": ""}, ONE + "Invalid ConditionExpression: The expression can not be empty;", ""),  # A
    ("put_item", {**I, "ConditionExpression": "((attribute_not_exists(pk)))"}, ONE + "Invalid ConditionExpression: The expression has redundant parentheses;", ""),  # A
    ("put_item", {**I, "Expected": {"a": {"Exists": True}}}, ONE + INVALID + "Value must be provided when Exists is true for Attribute: a", ""),  # A
    ("put_item", {**I, "ReturnValues": "ALL_NEW"}, ONE + "ReturnValues can only be ALL_OLD or NONE", ""),  # A
    ("put_item", {**I, "ConditionExpression": "attribute_exists(pk)"}, "The conditional request failed", "ConditionalCheckFailedException"),  # R
    ("put_item", {**I, "TableName": "nothing"}, "Requested resource not found", "ResourceNotFoundException"),  # A
    ("put_item", item(g={"N": "1"}), INVALID + "Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g", ""),  # A
    ("put_item", {**T, "Item": {"pk": {"S": "a" * 2049}, "sk": {"S": "b"}}}, INVALID + "Size of hashkey has exceeded the maximum size limit of2048 bytes", ""),  # D
    ("put_item", {**T, "Item": {"pk": {"S": "a"}, "sk": {"S": "b" * 1025}}}, INVALID + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes", ""),  # I
]  # fmt: skip
UPDATE = [
    ("update_item", {**K, "UpdateExpression": "INVALID SYNTAX HERE"}, ONE + SYNTAX.format("UpdateExpression", "INVALID", "INVALID SYNTAX"), ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET a = :v", **V, "ExpressionAttributeNames": {"#u": "x"}}, ONE + UNUSED.format("ExpressionAttributeNames", "#u"), ""),  # A
    ("update_item", {**K, "UpdateExpression": "REMOVE a", **V}, ONE + UNUSED.format("ExpressionAttributeValues", ":v"), ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET a = :x", **V}, ONE + "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :x", ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET a = :v", "ConditionExpression": "b = :w", **V}, ONE + "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :w", ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET a = :v", **V, "AttributeUpdates": {"a": {"Value": {"S": ""}}}}, ONE + MIXED.format("AttributeUpdates", "UpdateExpression"), ""),  # A
    ("update_item", {**K, "UpdateExpression": ""}, ONE + "Invalid UpdateExpression: The expression can not be empty;", ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET pk = :v", **V}, INVALID + "Cannot update attribute pk. This attribute is part of the key", ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET sk = :v", **V}, INVALID + "Cannot update attribute sk. This attribute is part of the key", ""),  # A
    ("update_item", {**T, "Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET a = :v", **V}, NO_SUCH_KEY, ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET a = b"}, "The provided expression refers to an attribute that does not exist in the item", ""),  # I
    ("update_item", {**K, "UpdateExpression": "SET a.b = :v", **V}, "The document path provided in the update expression is invalid for update", ""),  # I
    ("update_item", {**C, "UpdateExpression": "ADD n :n", "ExpressionAttributeValues": {":n": {"SS": ["x"]}}}, "An operand in the update expression has an incorrect data type", ""),  # I
    ("update_item", {**K, "UpdateExpression": "SET g = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}}, "The update expression attempted to update the secondary index key to unsupported type", ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": deep(32)}}, ONE + NEST, ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET d = :d", "ExpressionAttributeValues": {":d": {"S": "x" * 409600}}}, "Item size to update has exceeded the maximum allowed size", ""),  # A
    ("update_item", {**K, "UpdateExpression": "SET a = :a + :b", "ExpressionAttributeValues": {":a": {"N": "9.9e125"}, ":b": {"N": "9.9e125"}}}, "Number overflow. Attempting to store a number with magnitude larger than supported range", ""),  # A
]  # fmt: skip
OTHERS = [
    ("get_item", {**K, "ProjectionExpression": "!!"}, SYNTAX.format("ProjectionExpression", "!", "!!"), ""),  # A
    ("get_item", {**T, "Key": {"pk": {"S": "a"}}}, NO_SUCH_KEY, ""),  # A
    ("get_item", {**T, "Key": {"pk": {"N": "1e126"}, "sk": {"S": "b"}}}, "Number overflow. Attempting to store a number with magnitude larger than supported range", ""),  # A
    ("get_item", {**K, "ExpressionAttributeNames": {"#a": "a"}}, NEEDS.format("ExpressionAttributeNames"), ""),  # A
    ("get_item", {**K, "ProjectionExpression": "a", "ExpressionAttributeNames": {"#a": "a"}}, UNUSED.format("ExpressionAttributeNames", "#a"), ""),  # A
    ("get_item", {**K, "TableName": "nothing"}, "Requested resource not found", "ResourceNotFoundException"),  # A
    ("query", query(KeyConditionExpression="sk = :v", **V), "Query condition missed key schema element: pk", ""),  # A
    ("query", query(KeyConditionExpression="", **V), "Invalid KeyConditionExpression: The expression can not be empty;", ""),  # A
    ("query", {**Q, "ExpressionAttributeNames": {"#u": "x"}}, UNUSED.format("ExpressionAttributeNames", "#u"), ""),  # A
    ("query", {**Q, "FilterExpression": "#gone = :p"}, "Invalid FilterExpression: An expression attribute name used in the document path is not defined; attribute name: #gone", ""),  # A
    ("query", {**Q, "IndexName": "by-g", "ConsistentRead": True, "KeyConditionExpression": "g = :p"}, "Consistent reads are not supported on global secondary indexes", ""),  # A
    ("query", query(KeyConditionExpression="pk = :v AND begins_with(sk, :n)", ExpressionAttributeValues={":v": {"S": ""}, ":n": {"N": "1"}}), "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N", ""),  # A
    ("query", query(TableName="nothing", KeyConditionExpression="pk = :gone"), "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :gone", ""),  # A
    ("query", {**Q, "TableName": "nothing"}, "Requested resource not found", "ResourceNotFoundException"),  # A
    ("query", query(KeyConditions={"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}}, ConditionalOperator="AND", QueryFilter={"a": {"ComparisonOperator": "NULL"}}), "ConditionalOperator can only be used when Filter or Expected has two or more elements", ""),  # A
    ("query", T, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.", ""),  # I
    ("query", {**Q, "FilterExpression": "pk = :p"}, "Filter Expression can only contain non-primary key attributes: Primary key attribute: pk", ""),  # I
    ("query", {**Q, "ExclusiveStartKey": {"pk": {"S": "a"}}}, "The provided starting key is invalid", ""),  # I
    ("scan", {**T, "FilterExpression": "((a = :v))", **V}, "Invalid FilterExpression: The expression has redundant parentheses;", ""),  # A
    ("scan", {**T, "IndexName": "by-g", "ConsistentRead": True}, "Consistent reads are not supported on global secondary indexes", ""),  # A
    ("scan", {**T, "Segment": 0}, "The TotalSegments parameter is required but was not present in the request when Segment parameter is present", ""),  # A
    ("scan", {**T, "TotalSegments": 2}, "The Segment parameter is required but was not present in the request when parameter TotalSegments is present", ""),  # A
    ("scan", {**T, "Segment": 2, "TotalSegments": 2}, "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2", ""),  # A
    ("delete_item", {**T, "Key": {"pk": {"S": "a"}}}, NO_SUCH_KEY, ""),  # A
    ("delete_item", {**K, "ReturnValues": "UPDATED_NEW"}, ONE + "ReturnValues can only be ALL_OLD or NONE", ""),  # A
    ("batch_get_item", {"RequestItems": {"things": {"Keys": [K["Key"], K["Key"]]}}}, "Provided list of item keys contains duplicates", ""),  # A
    ("batch_get_item", {"RequestItems": {"nothing": {"Keys": [K["Key"]]}}}, "Requested resource not found", "ResourceNotFoundException"),  # A
    ("batch_write_item", {"RequestItems": {"things": [{"PutRequest": {"Item": I["Item"]}}, {"DeleteRequest": {"Key": K["Key"]}}]}}, "Provided list of item keys contains duplicates", ""),  # A
    ("batch_write_item", {"RequestItems": {"things": [{"PutRequest": {"Item": {"pk": {"N": "5"}, "sk": {"S": "b"}}}}]}}, NO_SUCH_KEY, ""),  # A
    ("batch_write_item", {"RequestItems": {"things": [{"PutRequest": {"Item": {"pk": {"S": ""}, "sk": {"S": "b"}}}}]}}, EMPTY_KEY, ""),  # A
    ("transact_write_items", {"TransactItems": [{"Put": I}, {"Delete": K}]}, "Transaction request cannot include multiple operations on one item", ""),  # A
    ("transact_write_items", {"TransactItems": [{"Put": {**I, "TableName": "nothing"}}, {"ConditionCheck": {**K, "ConditionExpression": "attribute_not_exists("}}]}, SYNTAX.format("ConditionExpression", "<EOF>", "("), ""),  # A
    ("transact_write_items", {"TransactItems": [{"Put": {**I, "TableName": "nothing"}}, {"ConditionCheck": {**K, "ConditionExpression": "attribute_exists(pk)", **V}}]}, UNUSED.format("ExpressionAttributeValues", ":v"), ""),  # A
    ("transact_write_items", {"TransactItems": [{"Put": item(d=deep(40))}, {"Put": item(**{"": {"S": "x"}})}]}, NEST, ""),  # A
    ("transact_write_items", {"TransactItems": [{"Put": item(**{"": {"S": "x"}})}, {"Put": item(d=deep(40))}]}, "Empty attribute name", ""),  # A
    ("transact_write_items", {"TransactItems": [{"Put": {**I, "TableName": "nothing"}}]}, "Requested resource not found", "ResourceNotFoundException"),  # R
    ("transact_get_items", {"TransactItems": [{"Get": K}, {"Get": K}]}, "Transaction request cannot include multiple operations on one item", ""),  # A
    ("transact_get_items", {"TransactItems": [{"Get": K}], "ReturnConsumedCapacity": "BOGUS"}, ONE + "Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]", ""),  # A
    ("execute_statement", {"Statement": "SELECT * FROM things", "Parameters": []}, ONE + "Value '[]' at 'parameters' failed to satisfy constraint: Member must have length greater than or equal to 1", ""),  # R
    ("query", {**Q, "Select": "X"}, ENUM.format("X", "select", "SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES"), ""),  # A
    ("put_item", {**I, "ReturnValues": "X"}, ONE + "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]", ""),  # A
    ("update_item", {**K, "ConditionalOperator": "XOR", "Expected": {"a": {"Exists": False}, "b": {"Exists": False}}}, ONE + "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]", ""),  # A
    ("scan", {**T, "Limit": 0}, AT_LEAST.format("0", "limit", "value", 1), ""),  # A
    ("scan", {**T, "Segment": -1, "TotalSegments": 4}, AT_LEAST.format("-1", "segment", "value", 0), ""),  # A
    ("put_item", {**I, "TableName": ""}, ONE + "Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1", ""),  # A
    ("update_item", {"TableName": "", "UpdateExpression": "REMOVE a"}, "2 validation errors detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value null at 'key' failed to satisfy constraint: Member must not be null", ""),  # A
    ("transact_write_items", {"TransactItems": []}, ONE + "Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1", ""),  # A
    ("transact_write_items", {"TransactItems": [{"Put": I}], "ClientRequestToken": "x" * 37}, ONE + "Value at 'ClientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36", ""),  # A
    ("transact_write_items", {"TransactItems": [{"Put": I}], "ReturnConsumedCapacity": "A", "ReturnItemCollectionMetrics": "B"}, "2 validation errors detected: Value 'A' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; Value 'B' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]", ""),  # A
    ("batch_get_item", {"RequestItems": {"things": {"Keys": [K["Key"]], "AttributesToGet": ["pk"], "ProjectionExpression": "pk"}}}, MIXED.format("AttributesToGet", "ProjectionExpression"), ""),  # A
    ("batch_get_item", {"RequestItems": {"things": {"Keys": [K["Key"]], "ProjectionExpression": "#a, #b", "ExpressionAttributeNames": {"#a": "a", "#b": "a"}}}}, "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]", ""),  # A
    ("query", {**Q, "IndexName": "none-such"}, "The table does not have the specified index: none-such", ""),  # A
    ("transact_get_items", {"TransactItems": [{"Get": {**T, "Key": {"pk": {"S": ""}, "sk": {"S": "b"}}}}]}, EMPTY_KEY, ""),  # A
]  # fmt: skip


@pytest.mark.parametrize("part", range(3), ids=["put", "update", "others"])
def test_every_message(cloud: Account, part: int) -> None:
    client = make(cloud, range="sk", types={"g": "S"}, GlobalSecondaryIndexes=[index("by-g", "g")])
    client.put_item(**item(n={"N": "1"}, sk={"S": "c"}))
    wrong = []
    for operation, request, text, code in (PUT, UPDATE, OTHERS)[part]:
        try:
            getattr(client, operation)(**request)
            wrong.append((operation, text, "accepted"))
        except ClientError as error:
            found = error.response["Error"]
            if (found["Code"], found["Message"]) != (code or "ValidationException", text):
                wrong.append((operation, text, f"{found['Code']}: {found['Message'][:300]}"))
    assert not wrong


def test_what_is_wrong_with_the_tables_name_is_said_first(cloud: Account) -> None:
    client = cloud.client("dynamodb")
    text = "1 validation error detected: Value 'a' at 'tableName' failed to satisfy constraint: Member must have length"
    wrong: dict[str, Any] = {"pk": {"S": "x", "N": "1"}}
    calls = (
        (client.put_item, {"Item": wrong}),
        (client.get_item, {"Key": wrong}),
        (client.delete_item, {"Key": wrong}),
        (client.update_item, {"Key": wrong, "UpdateExpression": "SET"}),
        (client.query, {}),
        (client.scan, {"FilterExpression": "=", "ScanFilter": {}}),
    )
    for call, request in calls:
        with pytest.raises(ClientError) as caught:
            call(TableName="a", **request)
        assert caught.value.response["Error"]["Message"].startswith(text), call
