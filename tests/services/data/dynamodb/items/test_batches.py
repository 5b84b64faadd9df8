"""BatchGetItem and BatchWriteItem."""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make, refused


def test_batches_write_and_read_several_tables(cloud: Account) -> None:
    client = make(cloud)
    make(cloud, "others", range="sk", types={"sk": "N"})
    answer = client.batch_write_item(
        RequestItems={
            "things": [{"PutRequest": {"Item": {"pk": {"S": "a"}, "v": {"B": b"\x00"}}}}],
            "others": [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"N": str(n)}}}} for n in range(3)],
        }
    )
    assert answer["UnprocessedItems"] == {}
    client.batch_write_item(
        RequestItems={
            "others": [
                {"DeleteRequest": {"Key": {"pk": {"S": "a"}, "sk": {"N": "0"}}}},
                {"DeleteRequest": {"Key": {"pk": {"S": "absent"}, "sk": {"N": "0"}}}},
            ]
        }
    )
    answer = client.batch_get_item(
        RequestItems={
            "things": {"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "absent"}}]},
            "others": {
                "Keys": [{"pk": {"S": "a"}, "sk": {"N": str(n)}} for n in range(3)],
                "ProjectionExpression": "sk",
                "ConsistentRead": True,
            },
        },
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Responses"] == {
        "things": [{"pk": {"S": "a"}, "v": {"B": b"\x00"}}],
        "others": [{"sk": {"N": "1"}}, {"sk": {"N": "2"}}],
    }
    assert answer["UnprocessedKeys"] == {}
    assert answer["ConsumedCapacity"] == [
        {"TableName": "things", "CapacityUnits": 1.0},
        {"TableName": "others", "CapacityUnits": 3.0},
    ]
    nothing = client.batch_get_item(RequestItems={"things": {"Keys": [{"pk": {"S": "absent"}}]}})
    assert nothing["Responses"] == {"things": []}


def test_an_answer_has_16_megabytes(cloud: Account) -> None:
    client = make(cloud)
    names = [f"n{number:02}" for number in range(50)]
    for name in names:
        client.put_item(TableName="things", Item={"pk": {"S": name}, "data": {"S": "x" * 400_000}})
    request: dict[str, Any] = {"things": {"Keys": [{"pk": {"S": name}} for name in names], "ConsistentRead": True}}
    first = client.batch_get_item(RequestItems=request)
    assert len(first["Responses"]["things"]) == 41
    left = first["UnprocessedKeys"]
    assert left == {"things": {"Keys": [{"pk": {"S": name}} for name in names[41:]], "ConsistentRead": True}}
    second = client.batch_get_item(RequestItems=left)
    assert len(second["Responses"]["things"]) == 9 and second["UnprocessedKeys"] == {}


DUPLICATES = "Provided list of item keys contains duplicates"
MISMATCH = "The provided key element does not match the schema"


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([{"PutRequest": {"Item": {"pk": {"S": "a"}}}}, {"DeleteRequest": {"Key": {"pk": {"S": "a"}}}}], DUPLICATES),
        ([{"PutRequest": {"Item": {"pk": {"N": "5"}}}}], MISMATCH),
        ([{"PutRequest": {"Item": {"other": {"S": "x"}}}}], MISMATCH),
        ([{"DeleteRequest": {"Key": {"other": {"S": "x"}}}}], MISMATCH),
        ([{}], "Supplied WriteRequest is empty, must contain exactly one of PutRequest or DeleteRequest"),
        (
            [{"PutRequest": {"Item": {"pk": {"S": "a"}}}, "DeleteRequest": {"Key": {"pk": {"S": "b"}}}}],
            "Supplied WriteRequest has both PutRequest and DeleteRequest, must contain exactly one of them",
        ),
        (
            [{"PutRequest": {"Item": {"pk": {"S": ""}}}}],
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: pk",
        ),
        (
            [{"PutRequest": {"Item": {"pk": {"S": "a"}, "data": {"S": "x" * 409_600}}}}],
            "Item size has exceeded the maximum allowed size",
        ),
    ],
)
def test_batches_that_are_refused_write_nothing(cloud: Account, requests: list[Any], message: str) -> None:
    client = make(cloud)
    good = {"PutRequest": {"Item": {"pk": {"S": "good"}}}}
    refused(client.batch_write_item, "ValidationException", message, RequestItems={"things": [good, *requests]})
    assert client.scan(TableName="things")["Count"] == 0


def test_limits_of_batches(cloud: Account) -> None:
    client = make(cloud)
    make(cloud, "others")
    puts = [{"PutRequest": {"Item": {"pk": {"S": str(number)}}}} for number in range(13)]
    refused(
        client.batch_write_item,
        "ValidationException",
        "Too many items requested for the BatchWriteItem call",
        RequestItems={"things": puts, "others": puts},
    )
    error = refused(client.batch_write_item, "ValidationException", RequestItems={"things": puts + puts})
    assert "Member must have length less than or equal to 25" in error["Error"]["Message"]
    keys = [{"pk": {"S": str(number)}} for number in range(51)]
    refused(
        client.batch_get_item,
        "ValidationException",
        "Too many items requested for the BatchGetItem call",
        RequestItems={"things": {"Keys": keys}, "others": {"Keys": keys}},
    )
    refused(
        client.batch_get_item,
        "ValidationException",
        DUPLICATES,
        RequestItems={"things": {"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "a"}}]}},
    )
    for call, part in ((client.batch_get_item, {"Keys": keys[:1]}), (client.batch_write_item, puts[:1])):
        refused(call, "ResourceNotFoundException", "Requested resource not found", RequestItems={"absent": part})


def test_what_a_batch_consumes(cloud: Account) -> None:
    client = make(
        cloud,
        range="sk",
        types={"g": "S", "l": "S"},
        GlobalSecondaryIndexes=[index("global", "g", projection="KEYS_ONLY")],
        LocalSecondaryIndexes=[index("local", "pk", "l", "KEYS_ONLY")],
    )
    item = {"pk": {"S": "a"}, "sk": {"S": "1"}, "g": {"S": "g"}, "l": {"S": "l"}, "data": {"S": "x" * 3000}}
    answer = client.batch_write_item(
        RequestItems={"things": [{"PutRequest": {"Item": item}}, {"PutRequest": {"Item": {**item, "sk": {"S": "2"}}}}]},
        ReturnConsumedCapacity="INDEXES",
        ReturnItemCollectionMetrics="SIZE",
    )
    assert answer["ConsumedCapacity"] == [
        {
            "TableName": "things",
            "CapacityUnits": 10.0,
            "Table": {"CapacityUnits": 6.0},
            "LocalSecondaryIndexes": {"local": {"CapacityUnits": 2.0}},
            "GlobalSecondaryIndexes": {"global": {"CapacityUnits": 2.0}},
        }
    ]
    metric = {"ItemCollectionKey": {"pk": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]}
    assert answer["ItemCollectionMetrics"] == {"things": [metric, metric]}
