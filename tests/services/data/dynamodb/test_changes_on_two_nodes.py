"""Two nodes over one PostgreSQL are one DynamoDB: streams, counts, backups and replicas hold while both write."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config

from tests.conftest import Account, RunningCloud
from tests.services.data.dynamodb.table_requests import attributes, definition, index

pytestmark = pytest.mark.postgres

ACCOUNT = "123456789012"
WRITERS, WRITES = 6, 20


@pytest.fixture(scope="module")
def nodes(two_nodes: list[RunningCloud]) -> list[Account]:
    """The account on each of two nodes of one cloud."""
    return [Account(node, ACCOUNT) for node in two_nodes]


def client(node: Account, service: str = "dynamodb", region: str = "us-east-1") -> Any:
    return node.client(service, region=region, config=Config(max_pool_connections=20))


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def active(dynamodb: Any, table: str) -> bool:
    found = dynamodb.describe_table(TableName=table)["Table"]
    indexes = found.get("GlobalSecondaryIndexes", [])
    return found["TableStatus"] == "ACTIVE" and all(each["IndexStatus"] == "ACTIVE" for each in indexes)


def write(nodes: list[Account], table: str, prefix: str = "") -> None:
    """Many writers on both nodes: items of their own, and one that all of them change."""
    clients = [client(node) for node in nodes]

    def work(writer: int) -> None:
        dynamodb = clients[writer % len(clients)]
        for number in range(WRITES):
            item = {"id": {"S": f"{prefix}{writer} {number}"}, "kind": {"S": str(number % 2)}}
            dynamodb.put_item(TableName=table, Item=item)
            dynamodb.update_item(
                TableName=table,
                Key={"id": {"S": "all"}},
                UpdateExpression="ADD n :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(work, range(WRITERS)))


def test_the_stream_has_every_change_once_in_order(nodes: list[Account]) -> None:
    dynamodb = client(nodes[0])
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    arn = dynamodb.create_table(**definition("streamed", StreamSpecification=stream))["TableDescription"]
    write(nodes, "streamed")
    streams = client(nodes[1], "dynamodbstreams")
    shard = streams.describe_stream(StreamArn=arn["LatestStreamArn"])["StreamDescription"]["Shards"][0]["ShardId"]
    place = streams.get_shard_iterator(
        StreamArn=arn["LatestStreamArn"], ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records: list[dict[str, Any]] = []
    while page := (answer := streams.get_records(ShardIterator=place))["Records"]:
        records += page
        place = answer["NextShardIterator"]
    assert len(records) == 2 * WRITERS * WRITES
    counted = [each["dynamodb"]["NewImage"]["n"]["N"] for each in records if "n" in each["dynamodb"]["NewImage"]]
    assert counted == [str(number + 1) for number in range(WRITERS * WRITES)]
    found = client(nodes[1]).describe_table(TableName="streamed")["Table"]
    assert found["ItemCount"] == WRITERS * WRITES + 1


def test_an_index_is_filled_while_both_write(nodes: list[Account]) -> None:
    dynamodb = client(nodes[0])
    dynamodb.create_table(**definition("indexed"))
    eventually(lambda: active(dynamodb, "indexed"))
    write(nodes, "indexed")
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write, nodes, "indexed", "more ")
        dynamodb.update_table(
            TableName="indexed",
            AttributeDefinitions=attributes("kind"),
            GlobalSecondaryIndexUpdates=[{"Create": index("by_kind", "kind")}],
        )
        writing.result(60)
    eventually(lambda: active(dynamodb, "indexed"))
    (made,) = dynamodb.describe_table(TableName="indexed")["Table"]["GlobalSecondaryIndexes"]
    assert made["ItemCount"] == 2 * WRITERS * WRITES


def test_a_backup_is_of_one_moment_while_both_write(nodes: list[Account]) -> None:
    """Every item's write is followed by one that counts it: a backup of one moment has at most one more per writer."""
    dynamodb = client(nodes[0])
    dynamodb.create_table(**definition("saved"))
    eventually(lambda: active(dynamodb, "saved"))
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write, nodes, "saved")
        time.sleep(0.2)
        arn = dynamodb.create_backup(TableName="saved", BackupName="meanwhile")["BackupDetails"]["BackupArn"]
        writing.result(60)

    def available() -> bool:
        found = dynamodb.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]
        return bool(found["BackupStatus"] == "AVAILABLE")

    eventually(available)
    client(nodes[1]).restore_table_from_backup(TargetTableName="restored", BackupArn=arn)
    eventually(lambda: active(dynamodb, "restored"))
    items = {item["id"]["S"]: item for item in dynamodb.scan(TableName="restored")["Items"]}
    counted = int(items.pop("all")["n"]["N"]) if "all" in items else 0
    assert counted <= len(items) <= counted + WRITERS


def test_replicas_agree_after_both_wrote(nodes: list[Account]) -> None:
    east, west = client(nodes[0]), client(nodes[1], region="us-west-2")
    east.create_table(**definition("global"))
    eventually(lambda: active(east, "global"))
    east.update_table(TableName="global", ReplicaUpdates=[{"Create": {"RegionName": "us-west-2"}}])

    def joined() -> bool:
        found = east.describe_table(TableName="global")["Table"].get("Replicas", [])
        return [each["ReplicaStatus"] for each in found] == ["ACTIVE"]

    eventually(joined)

    def work(writer: int) -> None:
        dynamodb = (east, west)[writer % 2]
        for number in range(WRITES):
            value = {"S": f"{writer} {number}"}
            dynamodb.put_item(TableName="global", Item={"id": {"S": str(number)}, "value": value})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    def contents(dynamodb: Any) -> dict[str, str]:
        return {item["id"]["S"]: item["value"]["S"] for item in dynamodb.scan(TableName="global")["Items"]}

    eventually(lambda: contents(east) == contents(west))
    assert len(contents(east)) == WRITES
