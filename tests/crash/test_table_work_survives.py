"""DynamoDB's longer work while its server is killed: backups, restores, replicas and indexes get finished."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.server_process import Server

WEST = "us-west-2"
ITEMS = 1_500
ROUNDS = 3


class Cloud:
    """A server with a table `orders`, whose power goes at random moments."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.chance = random.Random(5)
        self.connect()
        self.east.create_table(
            TableName="orders",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.await_status("orders")
        for first in range(0, ITEMS, 25):
            items = [{"id": {"S": str(number)}, "kind": {"S": "a"}} for number in range(first, first + 25)]
            puts = [{"PutRequest": {"Item": item}} for item in items]
            self.east.batch_write_item(RequestItems={"orders": puts})

    def connect(self) -> None:
        self.east = self.server.client("dynamodb")
        self.west = self.server.client("dynamodb", region_name=WEST)

    def power_goes(self, within_s: float = 0.12) -> None:
        time.sleep(self.chance.uniform(0, within_s))  # somewhere in the midst of the work
        self.server.kill()
        self.server.start()
        self.connect()

    def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def described(self, name: str = "orders") -> dict[str, Any]:
        return self.east.describe_table(TableName=name)["Table"]  # type: ignore[no-any-return]

    def await_status(self, name: str) -> None:
        self.until(lambda: self.described(name)["TableStatus"] == "ACTIVE")

    def update(self, **changes: Any) -> None:
        self.east.update_table(TableName="orders", **changes)


@pytest.fixture
def cloud(server: Server) -> Cloud:
    return Cloud(server)


def count(client: Any, name: str, **options: Any) -> int:
    pages = client.get_paginator("scan").paginate(TableName=name, Select="COUNT", **options)
    return sum(page["Count"] for page in pages)


def test_backups_and_restores(cloud: Cloud) -> None:
    for number in range(ROUNDS):
        made = cloud.east.create_backup(TableName="orders", BackupName="nightly")["BackupDetails"]["BackupArn"]
        cloud.power_goes()

        def ready(arn: str = made) -> bool:
            backup = cloud.east.describe_backup(BackupArn=arn)["BackupDescription"]["BackupDetails"]
            return bool(backup["BackupStatus"] == "AVAILABLE")

        cloud.until(ready)
        name = f"restored{number}"
        cloud.east.restore_table_from_backup(TargetTableName=name, BackupArn=made)
        cloud.power_goes()
        cloud.await_status(name)
        assert count(cloud.east, name) == cloud.described(name)["ItemCount"] == ITEMS


def test_replicas(cloud: Cloud) -> None:
    for number in range(ROUNDS):
        cloud.update(ReplicaUpdates=[{"Create": {"RegionName": WEST}}])
        cloud.power_goes()
        cloud.until(lambda: cloud.described()["Replicas"][0]["ReplicaStatus"] == "ACTIVE")
        for key in range(20):
            cloud.east.put_item(TableName="orders", Item={"id": {"S": str(key)}, "kind": {"S": f"b{number}"}})
        cloud.power_goes(0.01)

        def arrived(kind: str = f"b{number}") -> bool:
            item = cloud.west.get_item(TableName="orders", Key={"id": {"S": "19"}})["Item"]
            return bool(item["kind"]["S"] == kind)

        cloud.until(arrived)
        assert count(cloud.west, "orders") == ITEMS
        cloud.update(ReplicaUpdates=[{"Delete": {"RegionName": WEST}}])
        cloud.power_goes()
        cloud.until(lambda: cloud.west.list_tables()["TableNames"] == [])
        cloud.await_status("orders")


def test_indexes(cloud: Cloud) -> None:
    wanted = {
        "IndexName": "kinds",
        "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    definitions = [{"AttributeName": name, "AttributeType": "S"} for name in ("id", "kind")]
    for _ in range(ROUNDS):
        cloud.update(AttributeDefinitions=definitions, GlobalSecondaryIndexUpdates=[{"Create": wanted}])
        cloud.power_goes()
        cloud.until(lambda: cloud.described()["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE")
        assert count(cloud.east, "orders", IndexName="kinds") == ITEMS
        cloud.update(GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "kinds"}}])
        cloud.power_goes(0.01)
        cloud.until(lambda: "GlobalSecondaryIndexes" not in cloud.described())
