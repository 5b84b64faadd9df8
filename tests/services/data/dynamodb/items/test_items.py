"""PutItem, GetItem, UpdateItem and DeleteItem."""

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make, refused

ITEM = {
    "pk": {"S": "user#1"},
    "n": {"N": "42"},
    "b": {"B": b"\x00\xff"},
    "bs": {"BS": [b"a", b"b"]},
    "ns": {"NS": ["1", "2.5"]},
    "ss": {"SS": ["a", "b"]},
    "l": {"L": [{"S": "x"}, {"B": b"deep"}, {"M": {}}]},
    "m": {"M": {"deep": {"BOOL": True}, "null": {"NULL": True}, "B": {"B": b"q"}}},
    "quoted": {"S": '{"B":"not binary"}'},
}


def test_an_item_comes_back_as_it_was_put(cloud: Account) -> None:
    client = make(cloud)
    assert "Item" not in client.get_item(TableName="things", Key={"pk": {"S": "user#1"}})
    client.put_item(TableName="things", Item=ITEM)
    answer = client.get_item(TableName="things", Key={"pk": {"S": "user#1"}}, ConsistentRead=True)
    got = answer["Item"]
    assert {**got, "ns": {"NS": sorted(got["ns"]["NS"])}} == ITEM
    assert "ConsumedCapacity" not in answer
    client.delete_item(TableName="things", Key={"pk": {"S": "user#1"}})
    assert "Item" not in client.get_item(TableName="things", Key={"pk": {"S": "user#1"}})


def test_a_put_replaces_the_whole_item(cloud: Account) -> None:
    client = make(cloud)
    client.put_item(TableName="things", Item=ITEM)
    old = client.put_item(TableName="things", Item={"pk": {"S": "user#1"}}, ReturnValues="ALL_OLD")
    assert old["Attributes"]["n"] == {"N": "42"}
    assert old["Attributes"]["bs"] == {"BS": [b"a", b"b"]}
    assert client.get_item(TableName="things", Key={"pk": {"S": "user#1"}})["Item"] == {"pk": {"S": "user#1"}}
    fresh = client.put_item(TableName="things", Item={"pk": {"S": "new"}}, ReturnValues="ALL_OLD")
    assert "Attributes" not in fresh


def test_a_projection_answers_parts(cloud: Account) -> None:
    client = make(cloud)
    client.put_item(TableName="things", Item=ITEM)
    answer = client.get_item(
        TableName="things",
        Key={"pk": {"S": "user#1"}},
        ProjectionExpression="#l[1], m.deep",
        ExpressionAttributeNames={"#l": "l"},
    )
    assert answer["Item"] == {"l": {"L": [{"B": b"deep"}]}, "m": {"M": {"deep": {"BOOL": True}}}}
    answer = client.get_item(TableName="things", Key={"pk": {"S": "user#1"}}, AttributesToGet=["n", "absent"])
    assert answer["Item"] == {"n": {"N": "42"}}


def test_conditions_hold_or_the_write_is_refused(cloud: Account) -> None:
    client = make(cloud)
    key = {"pk": {"S": "user#1"}}
    client.put_item(TableName="things", Item=ITEM, ConditionExpression="attribute_not_exists(pk)")
    failed = "The conditional request failed"
    error = refused(
        client.put_item,
        "ConditionalCheckFailedException",
        failed,
        TableName="things",
        Item=key,
        ConditionExpression="attribute_not_exists(pk)",
    )
    assert "Item" not in error
    error = refused(
        client.delete_item,
        "ConditionalCheckFailedException",
        failed,
        TableName="things",
        Key=key,
        ConditionExpression="n > :n",
        ExpressionAttributeValues={":n": {"N": "100"}},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert error["Item"]["n"] == {"N": "42"}
    assert "message" not in error  # it is "Message" that comes with an item
    error = refused(
        client.update_item,
        "ConditionalCheckFailedException",
        failed,
        TableName="things",
        Key={"pk": {"S": "absent"}},
        UpdateExpression="SET n = :n",
        ConditionExpression="attribute_exists(pk)",
        ExpressionAttributeValues={":n": {"N": "100"}},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert "Item" not in error
    assert "Item" not in client.get_item(TableName="things", Key={"pk": {"S": "absent"}})


@pytest.mark.parametrize(
    ("wanted", "answered"),
    [
        ("NONE", None),
        ("ALL_OLD", {"pk": {"S": "a"}, "n": {"N": "1"}, "kept": {"S": "k"}, "gone": {"S": "g"}}),
        ("UPDATED_OLD", {"n": {"N": "1"}, "gone": {"S": "g"}}),
        ("ALL_NEW", {"pk": {"S": "a"}, "n": {"N": "3"}, "kept": {"S": "k"}, "fresh": {"S": "f"}}),
        ("UPDATED_NEW", {"n": {"N": "3"}, "fresh": {"S": "f"}}),
    ],
)
def test_an_update_answers_what_is_asked_for(cloud: Account, wanted: str, answered: dict[str, object] | None) -> None:
    client = make(cloud)
    item = {"pk": {"S": "a"}, "n": {"N": "1"}, "kept": {"S": "k"}, "gone": {"S": "g"}}
    client.put_item(TableName="things", Item=item)
    answer = client.update_item(
        TableName="things",
        Key={"pk": {"S": "a"}},
        UpdateExpression="SET n = n + :two, fresh = :f REMOVE gone",
        ExpressionAttributeValues={":two": {"N": "2"}, ":f": {"S": "f"}},
        ReturnValues=wanted,
    )
    assert answer.get("Attributes") == answered


def test_an_update_of_no_item_makes_one(cloud: Account) -> None:
    client = make(cloud, range="sk")
    key = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    request = {"UpdateExpression": "ADD hits :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    answer = client.update_item(TableName="things", Key=key, ReturnValues="ALL_OLD", **request)
    assert "Attributes" not in answer
    assert client.update_item(TableName="things", Key=key, ReturnValues="UPDATED_NEW", **request)["Attributes"] == {
        "hits": {"N": "2"}
    }
    client.update_item(TableName="things", Key={"pk": {"S": "bare"}, "sk": {"S": "1"}})
    assert client.scan(TableName="things")["Count"] == 2


def test_legacy_parameters_do_the_same(cloud: Account) -> None:
    client = make(cloud)
    key = {"pk": {"S": "a"}}
    client.put_item(TableName="things", Item={**key, "n": {"N": "1"}}, Expected={"pk": {"Exists": False}})
    refused(
        client.put_item,
        "ConditionalCheckFailedException",
        TableName="things",
        Item=key,
        Expected={"n": {"ComparisonOperator": "GT", "AttributeValueList": [{"N": "5"}]}},
    )
    answer = client.update_item(
        TableName="things",
        Key=key,
        AttributeUpdates={"n": {"Action": "ADD", "Value": {"N": "4"}}, "s": {"Value": {"S": "x"}}},
        ReturnValues="ALL_NEW",
    )
    assert answer["Attributes"] == {**key, "n": {"N": "5"}, "s": {"S": "x"}}


KEY_MISMATCH = "The provided key element does not match the schema"
INVALID = "One or more parameter values were invalid: "
NOT_VALID = "One or more parameter values are not valid. "


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"sk": {"S": "1"}}, f"{INVALID}Missing the key pk in the item"),
        ({"pk": {"S": "1"}}, f"{INVALID}Missing the key sk in the item"),
        ({"pk": {"N": "1"}, "sk": {"S": "1"}}, f"{INVALID}Type mismatch for key pk expected: S actual: N"),
        ({"pk": {"S": "1"}, "sk": {"L": []}}, f"{INVALID}Type mismatch for key sk expected: S actual: L"),
        (
            {"pk": {"S": ""}, "sk": {"S": "1"}},
            f"{NOT_VALID}The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
        ),
        (
            {"pk": {"S": "p" * 2049}, "sk": {"S": "1"}},
            f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
        (
            {"pk": {"S": "p"}, "sk": {"S": "s" * 1025}},
            f"{INVALID}Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
        ),
    ],
)
def test_items_without_a_proper_key_are_refused(cloud: Account, item: dict[str, object], message: str) -> None:
    client = make(cloud, range="sk")
    refused(client.put_item, "ValidationException", message, TableName="things", Item=item)


def test_an_empty_binary_key_is_refused(cloud: Account) -> None:
    client = make(cloud, types={"pk": "B"})
    message = f"{NOT_VALID}The AttributeValue for a key attribute cannot contain an empty binary value. Key: pk"
    refused(client.put_item, "ValidationException", message, TableName="things", Item={"pk": {"B": b""}})
    refused(client.get_item, "ValidationException", message, TableName="things", Key={"pk": {"B": b""}})


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"pk": {"S": "1"}},
        {"pk": {"S": "1"}, "other": {"S": "1"}},
        {"pk": {"N": "1"}, "sk": {"S": "1"}},
        {"pk": {"S": "1"}, "sk": {"S": "1"}, "more": {"S": "1"}},
    ],
)
def test_keys_that_are_not_the_tables_are_refused(cloud: Account, key: dict[str, object]) -> None:
    client = make(cloud, range="sk")
    for call in (client.get_item, client.delete_item, client.update_item):
        refused(call, "ValidationException", KEY_MISMATCH, TableName="things", Key=key)


def test_key_attributes_are_not_updated(cloud: Account) -> None:
    client = make(cloud, range="sk")
    for name in ("pk", "sk"):
        refused(
            client.update_item,
            "ValidationException",
            f"{INVALID}Cannot update attribute {name}. This attribute is part of the key",
            TableName="things",
            Key={"pk": {"S": "1"}, "sk": {"S": "1"}},
            UpdateExpression=f"SET {name} = :v",
            ExpressionAttributeValues={":v": {"S": "x"}},
        )


def test_keys_of_indexes_are_checked(cloud: Account) -> None:
    client = make(cloud, types={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g")])
    put, update = client.put_item, client.update_item
    refused(
        put,
        "ValidationException",
        f"{INVALID}Type mismatch for Index Key g Expected: S Actual: N IndexName: by_g",
        TableName="things",
        Item={"pk": {"S": "a"}, "g": {"N": "1"}},
    )
    empty = "The AttributeValue for a key attribute cannot contain an empty string value."
    refused(
        put,
        "ValidationException",
        f"{NOT_VALID}A value specified for a secondary index key is not supported. {empty} "
        "IndexName: by_g, IndexKey: g",
        TableName="things",
        Item={"pk": {"S": "a"}, "g": {"S": ""}},
    )
    attempted = "The update expression attempted to update the secondary index key to "
    for value, text in (({"N": "1"}, "unsupported type"), ({"S": ""}, f"a value that is not supported. {empty}")):
        refused(
            update,
            "ValidationException",
            attempted + text,
            TableName="things",
            Key={"pk": {"S": "a"}},
            UpdateExpression="SET g = :g",
            ExpressionAttributeValues={":g": value},
        )


def test_an_item_has_400_kb_at_most(cloud: Account) -> None:
    client = make(cloud)
    room = 400 * 1024 - len("pk") - len("a") - len("data")
    item = {"pk": {"S": "a"}, "data": {"S": "x" * room}}
    client.put_item(TableName="things", Item=item)
    item["data"] = {"S": "x" * (room + 1)}
    text = "Item size has exceeded the maximum allowed size"
    refused(client.put_item, "ValidationException", text, TableName="things", Item=item)
    refused(
        client.update_item,
        "ValidationException",
        "Item size to update has exceeded the maximum allowed size",
        TableName="things",
        Key={"pk": {"S": "a"}},
        UpdateExpression="SET more = :v",
        ExpressionAttributeValues={":v": {"S": "x"}},
    )


def test_return_values_of_puts_and_deletes(cloud: Account) -> None:
    client = make(cloud)
    text = "1 validation error detected: ReturnValues can only be ALL_OLD or NONE"
    item = {"pk": {"S": "a"}}
    for wanted in ("ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        refused(client.put_item, "ValidationException", text, TableName="things", Item=item, ReturnValues=wanted)
        refused(client.delete_item, "ValidationException", text, TableName="things", Key=item, ReturnValues=wanted)


def test_no_table_no_item(cloud: Account) -> None:
    client = cloud.client("dynamodb")
    for call, request in (
        (client.get_item, {"Key": {"pk": {"S": "a"}}}),
        (client.put_item, {"Item": {"pk": {"S": "a"}}}),
        (client.delete_item, {"Key": {"pk": {"S": "a"}}}),
        (client.update_item, {"Key": {"pk": {"S": "a"}}}),
        (client.scan, {}),
    ):
        refused(call, "ResourceNotFoundException", "Requested resource not found", TableName="absent", **request)


def test_a_table_is_named_by_its_arn_too(cloud: Account) -> None:
    client = make(cloud)
    arn = client.describe_table(TableName="things")["Table"]["TableArn"]
    client.put_item(TableName=arn, Item={"pk": {"S": "a"}})
    answer = client.get_item(TableName=arn, Key={"pk": {"S": "a"}}, ReturnConsumedCapacity="TOTAL")
    assert answer["Item"] == {"pk": {"S": "a"}}
    assert answer["ConsumedCapacity"] == {"TableName": arn, "CapacityUnits": 0.5}


def test_numbers_are_kept_as_aws_answers_them(cloud: Account) -> None:
    client = make(cloud, types={"pk": "N"})
    client.put_item(TableName="things", Item={"pk": {"N": "1.0"}, "v": {"N": "0010.500"}})
    answer = client.get_item(TableName="things", Key={"pk": {"N": "01e0"}})
    assert answer["Item"] == {"pk": {"N": "1"}, "v": {"N": "10.5"}}


@pytest.mark.parametrize(
    ("request_", "constraint"),
    [
        (
            {"ReturnValues": "INVALID"},
            "Failed to satisfy constraint: Member must satisfy enum value set: "
            "[ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]",
        ),
        (
            {"ReturnConsumedCapacity": "BOGUS"},
            "Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: "
            "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]",
        ),
        (
            {"ReturnItemCollectionMetrics": "BOGUS"},
            "Value 'BOGUS' at 'returnItemCollectionMetrics' failed to satisfy constraint: "
            "Member must satisfy enum value set: [SIZE, NONE]",
        ),
        ({"Key": None}, "Value null at 'key' failed to satisfy constraint: Member must not be null"),
        ({"TableName": None}, "Value null at 'tableName' failed to satisfy constraint: Member must not be null"),
    ],
)
def test_members_are_checked_before_the_table(cloud: Account, request_: dict[str, object], constraint: str) -> None:
    """Observed in AWS's answers: constraints of members come first, each in these words."""
    request = {"TableName": "absent", "Key": {"pk": {"S": "a"}}, **request_}
    request = {name: value for name, value in request.items() if value is not None}
    message = f"1 validation error detected: {constraint}"
    refused(cloud.client("dynamodb").update_item, "ValidationException", message, **request)


@pytest.mark.parametrize(
    ("name", "constraint"),
    [
        ("bad table!@#", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        ("a" * 256, "Member must have length less than or equal to 255"),
        ("ab", "Member must have length greater than or equal to 3"),
    ],
)
def test_names_that_no_table_has(cloud: Account, name: str, constraint: str) -> None:
    refused(
        cloud.client("dynamodb").get_item,
        "ValidationException",
        f"1 validation error detected: Value '{name}' at 'tableName' failed to satisfy constraint: {constraint}",
        TableName=name,
        Key={"pk": {"S": "a"}},
    )
