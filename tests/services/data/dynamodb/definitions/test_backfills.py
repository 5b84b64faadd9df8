"""Indexes of tables that hold items already: filled by a task, while writes go on."""

from typing import Any

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make, refused


def create_index(client: Any, definition: dict[str, Any], **types: str) -> None:
    client.update_table(
        TableName="things",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],
        GlobalSecondaryIndexUpdates=[{"Create": definition}],
    )


def found(client: Any, name: str = "by_g") -> list[str]:
    answer = client.query(
        TableName="things",
        IndexName=name,
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": {"S": "x"}},
    )
    return sorted(item["pk"]["S"] for item in answer["Items"])


def test_a_new_index_is_filled(cloud: Account) -> None:
    client = make(cloud)
    for begin in range(0, 450, 25):
        puts = [
            {"PutRequest": {"Item": {"pk": {"S": f"{number:03}"}, "g": {"S": "x" if number % 3 else "y"}}}}
            for number in range(begin, begin + 25)
        ]
        client.batch_write_item(RequestItems={"things": puts})
    for pk, value in (("number", {"N": "1"}), ("empty", {"S": ""}), ("long", {"S": "x" * 2049})):
        client.put_item(TableName="things", Item={"pk": {"S": pk}, "g": value})  # no keys for the index
    client.put_item(TableName="things", Item={"pk": {"S": "none"}})
    create_index(client, index("by_g", "g", projection="KEYS_ONLY"), g="S")
    cloud.settle()
    described = client.describe_table(TableName="things")["Table"]["GlobalSecondaryIndexes"][0]
    assert described["IndexStatus"] == "ACTIVE" and not described.get("Backfilling")
    assert described["ItemCount"] == 450
    assert found(client) == [f"{number:03}" for number in range(450) if number % 3]


def test_writes_go_on_while_an_index_is_filled(cloud: Account) -> None:
    client = make(cloud)
    for number in range(6):
        client.put_item(TableName="things", Item={"pk": {"S": str(number)}, "g": {"S": "x"}})
    running = cloud.running
    tasks = running.cloud.runtime.tasks
    tasks._open = False  # the backfill waits
    try:
        create_index(client, index("by_g", "g"), g="S")
        refused(
            client.query,
            "ValidationException",
            "Cannot read from backfilling global secondary index: by_g",
            TableName="things",
            IndexName="by_g",
            KeyConditionExpression="g = :g",
            ExpressionAttributeValues={":g": {"S": "x"}},
        )
        client.delete_item(TableName="things", Key={"pk": {"S": "0"}})
        client.put_item(TableName="things", Item={"pk": {"S": "1"}, "g": {"S": "y"}})
        client.put_item(TableName="things", Item={"pk": {"S": "2"}, "g": {"S": "x"}, "more": {"S": "m"}})
        client.put_item(TableName="things", Item={"pk": {"S": "new"}, "g": {"S": "x"}})
        client.update_item(TableName="things", Key={"pk": {"S": "3"}}, UpdateExpression="REMOVE g")
    finally:
        tasks._open = True
        running.loop.call_soon_threadsafe(tasks._wake)
    cloud.settle()
    assert found(client) == ["2", "4", "5", "new"]
    described = client.describe_table(TableName="things")["Table"]
    assert (described["ItemCount"], described["GlobalSecondaryIndexes"][0]["ItemCount"]) == (6, 5)


def test_an_index_of_the_same_name_begins_empty(cloud: Account) -> None:
    client = make(cloud, types={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g")])
    for number in range(5):
        client.put_item(TableName="things", Item={"pk": {"S": str(number)}, "g": {"S": "x"}})
    client.update_table(TableName="things", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_g"}}])
    cloud.settle()
    client.delete_item(TableName="things", Key={"pk": {"S": "0"}})
    create_index(client, index("by_g", "g"), g="S")
    cloud.settle()
    assert found(client) == ["1", "2", "3", "4"]
