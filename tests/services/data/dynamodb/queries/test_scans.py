"""Scan: everything once, in segments, on indexes."""

from itertools import chain
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make, refused


@pytest.fixture
def filled(cloud: Account) -> Any:
    client = make(
        cloud, range="sk", types={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g", projection="KEYS_ONLY")]
    )
    for number in range(60):
        item: dict[str, Any] = {"pk": {"S": f"p{number % 20}"}, "sk": {"S": f"s{number}"}, "n": {"N": str(number)}}
        if number % 3 == 0:
            item["g"] = {"S": f"g{number % 2}"}
        client.put_item(TableName="things", Item=item)
    return client


def everything(client: Any, **request: Any) -> list[str]:
    found: list[str] = []
    start: dict[str, Any] = {}
    while True:
        answer = client.scan(TableName="things", **request, **start)
        found += [item["sk"]["S"] for item in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            return found
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def test_a_scan_sees_every_item_once(filled: Any) -> None:
    found = everything(filled, Limit=7)
    assert sorted(found) == sorted(f"s{number}" for number in range(60))
    assert found == everything(filled)


def test_items_of_a_partition_lie_together_in_order(filled: Any) -> None:
    items = filled.scan(TableName="things")["Items"]
    partitions = [item["pk"]["S"] for item in items]
    runs = [name for at, name in enumerate(partitions) if at == 0 or partitions[at - 1] != name]
    assert len(runs) == 20
    assert runs != sorted(runs)  # in the order of their hashes
    for name in runs:
        sort_keys = [item["sk"]["S"] for item in items if item["pk"]["S"] == name]
        assert sort_keys == sorted(sort_keys)


def test_segments_share_the_table(filled: Any) -> None:
    shares = [everything(filled, Segment=number, TotalSegments=4, Limit=3) for number in range(4)]
    assert sorted(chain.from_iterable(shares)) == sorted(f"s{number}" for number in range(60))
    assert sum(bool(share) for share in shares) > 1


def test_segments_are_checked(filled: Any) -> None:
    for request, text in (
        (
            {"Segment": 1},
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is "
            "present",
        ),
        (
            {"TotalSegments": 1},
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is "
            "present",
        ),
        (
            {"Segment": 2, "TotalSegments": 2},
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            "Segment: 2 is not less than TotalSegments: 2",
        ),
        (
            {"ExclusiveStartKey": {"pk": {"S": "p1"}}},
            "The provided starting key is invalid: The provided key element does not match the schema",
        ),
    ):
        refused(filled.scan, "ValidationException", text, TableName="things", **request)
    first = filled.scan(TableName="things", Limit=1)
    refused(
        filled.scan,
        "ValidationException",
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct "
        "Segment. TotalSegments: 4 Segment: 3",
        TableName="things",
        Segment=3,
        TotalSegments=4,
        ExclusiveStartKey=first["LastEvaluatedKey"],
    )


def test_a_scan_of_an_index(filled: Any) -> None:
    found = everything(filled, IndexName="by_g", Limit=7)
    assert sorted(found) == sorted(f"s{number}" for number in range(0, 60, 3))
    answer = filled.scan(TableName="things", IndexName="by_g", Limit=1)
    assert answer["Items"][0].keys() == answer["LastEvaluatedKey"].keys() == {"pk", "sk", "g"}
    shares = [everything(filled, IndexName="by_g", Segment=number, TotalSegments=3) for number in range(3)]
    assert sorted(chain.from_iterable(shares)) == sorted(found)
    refused(
        filled.scan,
        "ValidationException",
        "Consistent reads are not supported on global secondary indexes",
        TableName="things",
        IndexName="by_g",
        ConsistentRead=True,
    )


def test_a_scan_filters_and_counts(filled: Any) -> None:
    answer = filled.scan(
        TableName="things",
        FilterExpression="n < :ten",
        ExpressionAttributeValues={":ten": {"N": "10"}},
        Select="COUNT",
        ReturnConsumedCapacity="INDEXES",
    )
    assert (answer["Count"], answer["ScannedCount"]) == (10, 60)
    assert answer["ConsumedCapacity"] == {
        "TableName": "things",
        "CapacityUnits": 0.5,
        "Table": {"CapacityUnits": 0.5},
    }
    legacy = filled.scan(
        TableName="things",
        ScanFilter={"n": {"ComparisonOperator": "LT", "AttributeValueList": [{"N": "10"}]}},
        AttributesToGet=["n"],
    )
    assert sorted(int(item["n"]["N"]) for item in legacy["Items"]) == list(range(10))


def test_the_table_counts_its_items(filled: Any) -> None:
    table = filled.describe_table(TableName="things")["Table"]
    assert table["ItemCount"] == 60
    assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 20
    before = table["TableSizeBytes"]
    filled.delete_item(TableName="things", Key={"pk": {"S": "p0"}, "sk": {"S": "s0"}})
    table = filled.describe_table(TableName="things")["Table"]
    assert table["ItemCount"] == 59
    assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 19
    assert before - table["TableSizeBytes"] == len("pkp0" + "sks0" + "gg0" + "n") + 1  # the number 0 is one byte
