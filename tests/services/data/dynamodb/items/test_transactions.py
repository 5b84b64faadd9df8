"""TransactWriteItems and TransactGetItems."""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import make, refused

pytestmark = pytest.mark.usefixtures("still")

CANCELED = "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]"


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}}


def put(name: str, table: str = "things", **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": key(name), **more}}


def stored(client: Any, table: str = "things") -> list[str]:
    return sorted(item["pk"]["S"] for item in client.scan(TableName=table)["Items"])


def test_all_of_it_or_nothing(cloud: Account) -> None:
    client = make(cloud)
    make(cloud, "others")
    client.put_item(TableName="things", Item={**key("old"), "n": {"N": "1"}})
    client.put_item(TableName="things", Item=key("doomed"))
    client.put_item(TableName="others", Item=key("witness"))
    steps = [
        put("new"),
        {
            "Update": {
                "TableName": "things",
                "Key": key("old"),
                "UpdateExpression": "ADD n :one",
                "ConditionExpression": "n < :max",
                "ExpressionAttributeValues": {":one": {"N": "1"}, ":max": {"N": "2"}},
            }
        },
        {"Delete": {"TableName": "things", "Key": key("doomed")}},
        {
            "ConditionCheck": {
                "TableName": "others",
                "Key": key("witness"),
                "ConditionExpression": "attribute_exists(pk)",
            }
        },
    ]
    assert "ConsumedCapacity" not in client.transact_write_items(TransactItems=steps)
    assert stored(client) == ["new", "old"]
    error = refused(
        client.transact_write_items,
        "TransactionCanceledException",
        CANCELED.format("None, ConditionalCheckFailed, None, None"),
        TransactItems=[put("newer"), *steps[1:]],
    )
    none = {"Code": "None"}
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert error["CancellationReasons"] == [none, failed, none, none]
    assert stored(client) == ["new", "old"]
    steps[1]["Update"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    error = refused(client.transact_write_items, "TransactionCanceledException", TransactItems=steps[:2])
    assert error["CancellationReasons"][1] == {**failed, "Item": {**key("old"), "n": {"N": "2"}}}


def test_reads_are_of_one_time(cloud: Account) -> None:
    client = make(cloud)
    client.put_item(TableName="things", Item={**key("a"), "v": {"S": "1"}, "data": {"S": "x" * 5000}})
    answer = client.transact_get_items(
        TransactItems=[
            {"Get": {"TableName": "things", "Key": key("a"), "ProjectionExpression": "v"}},
            {"Get": {"TableName": "things", "Key": key("absent")}},
        ],
        ReturnConsumedCapacity="INDEXES",
    )
    assert answer["Responses"] == [{"Item": {"v": {"S": "1"}}}, {}]
    units = {"CapacityUnits": 6.0, "ReadCapacityUnits": 6.0}
    assert answer["ConsumedCapacity"] == [{"TableName": "things", **units, "Table": units}]


def test_a_transaction_writes_twice(cloud: Account) -> None:
    client = make(cloud)
    answer = client.transact_write_items(
        TransactItems=[put("a"), {"Put": {"TableName": "things", "Item": {**key("b"), "data": {"S": "x" * 2000}}}}],
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["ConsumedCapacity"] == [
        {"TableName": "things", "CapacityUnits": 6.0, "WriteCapacityUnits": 6.0},
    ]


def test_a_token_stands_for_one_transaction_for_ten_minutes(cloud: Account) -> None:
    client = make(cloud)
    request: dict[str, Any] = {
        "TransactItems": [
            {
                "Update": {
                    "TableName": "things",
                    "Key": key("a"),
                    "UpdateExpression": "ADD n :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            }
        ],
        "ClientRequestToken": "token",
        "ReturnConsumedCapacity": "TOTAL",
    }

    def count() -> str:
        return str(client.get_item(TableName="things", Key=key("a"))["Item"]["n"]["N"])

    first = client.transact_write_items(**request)
    assert first["ConsumedCapacity"] == [{"TableName": "things", "CapacityUnits": 2.0, "WriteCapacityUnits": 2.0}]
    cloud.advance(590)
    again = client.transact_write_items(**request)
    assert again["ConsumedCapacity"] == [{"TableName": "things", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]
    assert count() == "1"
    refused(
        client.transact_write_items,
        "IdempotentParameterMismatchException",
        TransactItems=[put("other")],
        ClientRequestToken="token",
    )
    cloud.advance(20)
    client.transact_write_items(**request)
    assert count() == "2"
    cloud.advance(3600)  # what is forgotten is swept
    cloud.settle()
    client.transact_write_items(**request)
    assert count() == "3"


def test_a_canceled_transaction_leaves_its_token_free(cloud: Account) -> None:
    client = make(cloud)
    request: dict[str, Any] = {
        "TransactItems": [put("a", ConditionExpression="attribute_not_exists(pk)")],
        "ClientRequestToken": "token",
    }
    client.put_item(TableName="things", Item=key("a"))
    refused(client.transact_write_items, "TransactionCanceledException", **request)
    client.delete_item(TableName="things", Key=key("a"))
    client.transact_write_items(**request)
    assert stored(client) == ["a"]


def test_one_item_once(cloud: Account) -> None:
    client = make(cloud)
    text = "Transaction request cannot include multiple operations on one item"
    refused(client.transact_write_items, "ValidationException", text, TransactItems=[put("a"), put("a")])
    get = {"Get": {"TableName": "things", "Key": key("a")}}
    refused(client.transact_get_items, "ValidationException", text, TransactItems=[get, get])
    refused(
        client.transact_write_items,
        "ValidationException",
        "TransactItems can only contain one of Check, Put, Update or Delete",
        TransactItems=[{**put("a"), "Delete": {"TableName": "things", "Key": key("b")}}],
    )


def test_reads_have_4_megabytes_together(cloud: Account) -> None:
    client = make(cloud)
    keys = [{"pk": {"S": str(number)}} for number in range(11)]
    for key in keys:
        client.put_item(TableName="things", Item={**key, "data": {"S": "x" * 390_000}})
    gets = [{"Get": {"TableName": "things", "Key": key}} for key in keys]
    assert len(client.transact_get_items(TransactItems=gets[:10])["Responses"]) == 10
    text = "The aggregate size of the items in the transaction cannot exceed 4 MB"
    refused(client.transact_get_items, "ValidationException", text, TransactItems=gets)


def test_limits_of_transactions(cloud: Account) -> None:
    client = make(cloud)
    client.transact_write_items(TransactItems=[put(f"n{number}") for number in range(100)])
    assert len(stored(client)) == 100
    error = refused(
        client.transact_write_items, "ValidationException", TransactItems=[put(f"n{number}") for number in range(101)]
    )
    assert error["Error"]["Message"].endswith("Member must have length less than or equal to 100")
    large = [
        {"Put": {"TableName": "things", "Item": {**key(f"n{number}"), "data": {"S": "x" * 400_000}}}}
        for number in range(11)
    ]
    refused(client.transact_write_items, "ValidationException", TransactItems=large)
    client.transact_write_items(TransactItems=large[:10])


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (
            {"Put": {"TableName": "things", "Item": {"pk": {"N": "5"}}}},
            "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
        ),
        (
            {"Delete": {"TableName": "things", "Key": {"pk": {"N": "5"}}}},
            "The provided key element does not match the schema",
        ),
        (
            {
                "Update": {
                    "TableName": "things",
                    "Key": key("text"),
                    "UpdateExpression": "SET v = v + :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            },
            "An operand in the update expression has an incorrect data type",
        ),
        (
            {
                "Update": {
                    "TableName": "things",
                    # The key makes it too big: what an update itself writes is charged before there is a transaction.
                    "Key": key("a" * 40),
                    "UpdateExpression": "SET v = :v",
                    "ExpressionAttributeValues": {":v": {"S": "x" * 409_570}},
                }
            },
            "Item size to update has exceeded the maximum allowed size",
        ),
    ],
)
def test_what_shows_only_inside_cancels(cloud: Account, step: dict[str, Any], reason: str) -> None:
    client = make(cloud)
    client.put_item(TableName="things", Item={**key("text"), "v": {"S": "text"}})
    error = refused(
        client.transact_write_items,
        "TransactionCanceledException",
        CANCELED.format("None, ValidationError"),
        TransactItems=[put("fresh"), step],
    )
    assert error["CancellationReasons"] == [{"Code": "None"}, {"Code": "ValidationError", "Message": reason}]
    assert stored(client) == ["text"]


def test_what_the_request_itself_says_is_refused_before(cloud: Account) -> None:
    client = make(cloud)
    refused(
        client.transact_write_items,
        "ValidationException",
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
        "string value. Key: pk",
        TransactItems=[put("")],
    )
    absent = put("a", "absent")
    refused(
        client.transact_write_items,
        "ResourceNotFoundException",
        "Requested resource not found",
        TransactItems=[absent],
    )
    refused(
        client.transact_write_items,
        "ValidationException",
        'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("',
        TransactItems=[absent, put("b", ConditionExpression="attribute_not_exists(")],
    )
    refused(
        client.transact_get_items,
        "TransactionCanceledException",
        CANCELED.format("ValidationError"),
        TransactItems=[{"Get": {"TableName": "things", "Key": {}}}],
    )
