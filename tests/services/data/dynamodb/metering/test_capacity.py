"""What calls consume, as DynamoDB counts it. Source: Developer Guide, capacity considerations of tables and indexes."""

from typing import Any

import pytest

from cumulo.services.data.dynamodb.metering.capacity import read_units, write_units
from cumulo.services.data.dynamodb.stored import item_collections
from cumulo.services.data.dynamodb.tables.layouts import hash_of
from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make, refused


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (409_600, 400)])
def test_write_units(size: int, units: int) -> None:
    assert write_units(size) == units


@pytest.mark.parametrize(
    ("size", "consistent", "units"),
    [(0, True, 1), (0, False, 0.5), (4096, False, 0.5), (4097, True, 2), (8193, False, 1.5)],
)
def test_read_units(size: int, consistent: bool, units: float) -> None:
    assert read_units(size, consistent) == units


def test_single_writes_and_reads(cloud: Account) -> None:
    client = make(cloud)
    item: dict[str, Any] = {"pk": {"S": "a"}, "data": {"S": "x" * 3000}}
    request = {"TableName": "things", "ReturnConsumedCapacity": "TOTAL"}

    def units(answer: dict[str, Any]) -> float:
        assert answer["ConsumedCapacity"].keys() == {"TableName", "CapacityUnits"}
        return float(answer["ConsumedCapacity"]["CapacityUnits"])

    assert units(client.put_item(Item=item, **request)) == 3
    assert units(client.put_item(Item={"pk": {"S": "a"}}, **request)) == 3  # the larger of before and after
    assert units(client.put_item(Item={"pk": {"S": "a"}}, **request)) == 1
    client.put_item(Item={"pk": {"S": "a"}, "data": {"S": "x" * 9000}}, TableName="things")
    assert units(client.get_item(Key={"pk": {"S": "a"}}, **request)) == 1.5
    assert units(client.get_item(Key={"pk": {"S": "a"}}, ConsistentRead=True, **request)) == 3
    # A projection answers less and reads as much.
    assert units(client.get_item(Key={"pk": {"S": "a"}}, ProjectionExpression="pk", **request)) == 1.5
    assert units(client.get_item(Key={"pk": {"S": "absent"}}, **request)) == 0.5
    assert units(client.delete_item(Key={"pk": {"S": "a"}}, **request)) == 9
    assert units(client.delete_item(Key={"pk": {"S": "a"}}, **request)) == 1
    answer = client.update_item(TableName="things", Key={"pk": {"S": "a"}}, ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == {
        "TableName": "things",
        "CapacityUnits": 1.0,
        "Table": {"CapacityUnits": 1.0},
    }
    assert "ConsumedCapacity" not in client.put_item(TableName="things", Item=item, ReturnConsumedCapacity="NONE")


def test_what_indexes_add_to_a_write(cloud: Account) -> None:
    client = make(
        cloud,
        types={"g": "S"},
        GlobalSecondaryIndexes=[index("all", "g"), index("keys", "g", projection="KEYS_ONLY")],
    )

    def put(**item: Any) -> dict[str, float]:
        answer = client.put_item(TableName="things", Item={"pk": {"S": "a"}, **item}, ReturnConsumedCapacity="INDEXES")[
            "ConsumedCapacity"
        ]
        found = {name: each["CapacityUnits"] for name, each in answer.get("GlobalSecondaryIndexes", {}).items()}
        table = answer["Table"]["CapacityUnits"]
        assert answer["CapacityUnits"] == table + sum(found.values())
        return {"table": table, **found}

    data = {"S": "x" * 1500}
    assert put(data=data) == {"table": 2}  # no key of an index, no entry
    assert put(data=data, g={"S": "1"}) == {"table": 2, "all": 2, "keys": 1}
    assert put(data=data, g={"S": "1"}) == {"table": 2}  # nothing changes in them
    assert put(data={"S": "y" * 1500}, g={"S": "1"}) == {"table": 2, "all": 2}
    assert put(data=data, g={"S": "2"}) == {"table": 2, "all": 4, "keys": 2}  # one entry goes, another comes
    assert put(data=data) == {"table": 2, "all": 2, "keys": 1}


def test_item_collection_metrics_are_of_tables_with_local_indexes(cloud: Account) -> None:
    client = make(cloud, range="sk", types={"l": "S"}, LocalSecondaryIndexes=[index("local", "pk", "l", "KEYS_ONLY")])
    key = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    request = {"TableName": "things", "ReturnItemCollectionMetrics": "SIZE"}
    metrics = {"ItemCollectionKey": {"pk": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]}
    assert client.put_item(Item=key, **request)["ItemCollectionMetrics"] == metrics
    assert client.update_item(Key=key, **request)["ItemCollectionMetrics"] == metrics
    assert client.delete_item(Key=key, **request)["ItemCollectionMetrics"] == metrics
    make(cloud, "plain")
    answer = client.put_item(TableName="plain", Item={"pk": {"S": "a"}}, ReturnItemCollectionMetrics="SIZE")
    assert "ItemCollectionMetrics" not in answer


def test_an_item_collection_has_10_gigabytes(cloud: Account) -> None:
    client = make(cloud, range="sk", types={"l": "S"}, LocalSecondaryIndexes=[index("local", "pk", "l")])
    key = {"pk": {"S": "a"}, "sk": {"S": "1"}}
    client.put_item(TableName="things", Item=key)
    table = client.describe_table(TableName="things")["Table"]["TableId"]
    runtime = cloud.running.cloud.runtime

    def swell(txn: Any) -> None:
        ctx = runtime.internal_context("dynamodb", "Swell", "", "")
        ctx.enter(txn)
        label = hash_of(b"a").hex()
        item_collections.SIZES.add(ctx, table, label, count=0, size=item_collections.LIMIT_BYTES - 100)

    cloud.running.run(runtime.store.run(swell))
    large = {**key, "sk": {"S": "2"}, "data": {"S": "x" * 200}}
    refused(client.put_item, "ItemCollectionSizeLimitExceededException", TableName="things", Item=large)
    error = refused(
        client.transact_write_items,
        "TransactionCanceledException",
        TransactItems=[{"Put": {"TableName": "things", "Item": large}}],
    )
    assert error["CancellationReasons"][0]["Code"] == "ItemCollectionSizeLimitExceeded"
    client.put_item(TableName="things", Item={**large, "pk": {"S": "b"}})
    answer = client.delete_item(TableName="things", Key=key, ReturnItemCollectionMetrics="SIZE")
    assert answer["ItemCollectionMetrics"]["SizeEstimateRangeGB"] == [9.0, 10.0]
