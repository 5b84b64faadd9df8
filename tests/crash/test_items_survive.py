"""DynamoDB while its server is killed: transactions stay serial, and nothing that was acknowledged is lost."""

import random
import threading
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.crash.item_histories import anomalies
from tests.crash.item_load import DYING, Load
from tests.server_process import Server


def stays_serial(servers: list[Server], count: int, between_kills_s: tuple[float, float], seed: int) -> None:
    load = Load(servers, keys=6, workers=6, count=count, seed=seed)
    load.set_up()
    chance = random.Random(seed)
    kills = 0
    load.start()
    try:
        while load.running:
            load.stopping.wait(chance.uniform(*between_kills_s))  # real load in real time
            if load.running:
                dying = chance.choice(servers)
                dying.kill()
                dying.start()
                kills += 1
        load.finish(60)
    finally:
        load.stopping.set()
    operations = load.history.operations
    done = sum(each.outcome == "ok" for each in operations)
    print(f"{len(operations)} operations, {done} acknowledged, {kills} kills")
    assert done > count // 2
    assert kills
    found = anomalies(operations)
    assert not found, "\n".join(found[:5])


def test_transactions_stay_serial(server: Server) -> None:
    stays_serial([server], 1_800, (0.7, 1.5), 1)


@pytest.mark.postgres
def test_transactions_of_two_nodes_stay_serial(nodes: list[Server]) -> None:
    stays_serial(nodes, 1_800, (0.7, 1.5), 2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 15))
def test_transactions_stay_serial_for_long(server: Server, seed: int) -> None:
    stays_serial([server], 30_000, (0.5, 4.0), seed)


@pytest.mark.soak
@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(20, 23))
def test_transactions_of_two_nodes_stay_serial_for_long(nodes: list[Server], seed: int) -> None:
    stays_serial(nodes, 30_000, (1.0, 5.0), seed)


def batches_survive(server: Server, count: int, between_kills_s: tuple[float, float]) -> None:
    """Put `count` items through BatchWriteItem while the server dies; every batch is repeated until it is answered."""
    client = server.client("dynamodb")
    client.create_table(
        TableName="many",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "group", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "groups",
                "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    client.get_waiter("table_exists").wait(TableName="many", WaiterConfig={"Delay": 1})
    batches = [range(begin, begin + 25) for begin in range(0, count, 25)]
    acknowledged: set[str] = set()
    failures: list[BaseException] = []
    stopping = threading.Event()

    def write(share: list[range]) -> None:
        try:
            mine = server.client("dynamodb")
            for batch in share:
                if write_batch(mine, batch, stopping):
                    acknowledged.update(str(number) for number in batch)
        except BaseException as failure:
            failures.append(failure)

    writers = [threading.Thread(target=write, args=(batches[number::4],), daemon=True) for number in range(4)]
    for writer in writers:
        writer.start()
    chance = random.Random(count)
    kills = 0
    while any(writer.is_alive() for writer in writers):
        stopping.wait(chance.uniform(*between_kills_s))
        if any(writer.is_alive() for writer in writers) or not kills:
            server.kill()
            server.start()
            kills += 1
    assert not failures
    assert len(acknowledged) == count
    found = everything(client)
    assert acknowledged == found
    assert everything(client, IndexName="groups") == found
    described = client.describe_table(TableName="many")["Table"]
    assert described["ItemCount"] == described["GlobalSecondaryIndexes"][0]["ItemCount"] == count


def write_batch(client: Any, batch: range, stopping: threading.Event) -> bool:
    items = [{"id": {"S": str(number)}, "group": {"S": str(number % 50)}, "data": {"S": "x" * 100}} for number in batch]
    request: Any = {"many": [{"PutRequest": {"Item": item}} for item in items]}
    while request and not stopping.is_set():
        try:
            request = client.batch_write_item(RequestItems=request)["UnprocessedItems"]
        except BotoCoreError:
            stopping.wait(0.02)
        except ClientError as refusal:
            assert refusal.response["Error"]["Code"] in DYING, refusal
    return not request


def everything(client: Any, **request: Any) -> set[str]:
    pages = client.get_paginator("scan").paginate(TableName="many", **request)
    names = [item["id"]["S"] for page in pages for item in page["Items"]]
    assert len(set(names)) == len(names)
    return set(names)


def test_batches_survive(server: Server) -> None:
    batches_survive(server, 5_000, (0.4, 0.8))


@pytest.mark.soak
def test_one_hundred_thousand_items_survive(server: Server) -> None:
    batches_survive(server, 100_000, (2.0, 5.0))
