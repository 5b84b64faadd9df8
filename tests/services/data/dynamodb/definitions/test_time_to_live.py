"""Time to live: settings and their rules, and items that expire by themselves."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import attributes, definition, index, invalid, refused


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    client = cloud.client("dynamodb")
    client.create_table(
        **definition(
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            AttributeDefinitions=attributes("id", "kind"),
            GlobalSecondaryIndexes=[index("by_kind", "kind")],
        )
    )
    cloud.settle()
    return client


def now(cloud: Account) -> int:
    return int(cloud.running.clock.now())


def switch(dynamodb: Any, enabled: bool = True, name: str = "until") -> Any:
    wanted = {"Enabled": enabled, "AttributeName": name}
    return dynamodb.update_time_to_live(TableName="orders", TimeToLiveSpecification=wanted)["TimeToLiveSpecification"]


def put(dynamodb: Any, key: str, until: Any) -> None:
    dynamodb.put_item(TableName="orders", Item={"id": {"S": key}, "kind": {"S": "k"}, "until": until})


def names(dynamodb: Any) -> list[str]:
    return sorted(item["id"]["S"] for item in dynamodb.scan(TableName="orders")["Items"])


def test_settings(cloud: Account, dynamodb: Any) -> None:
    """Texts as AWS answers; a second change has to wait."""
    assert dynamodb.describe_time_to_live(TableName="orders")["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "DISABLED"
    }
    with invalid("TimeToLive is already disabled"):
        switch(dynamodb, False)
    assert switch(dynamodb) == {"Enabled": True, "AttributeName": "until"}
    assert dynamodb.describe_time_to_live(TableName="orders")["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "until",
    }
    with invalid("TimeToLive is already enabled"):
        switch(dynamodb)
    with invalid("TimeToLive is active on a different AttributeName: current AttributeName is until"):
        switch(dynamodb, name="other")
    with invalid("Time to live has been modified multiple times within a fixed interval"):
        switch(dynamodb, False)
    cloud.advance(1801)
    assert switch(dynamodb, False) == {"Enabled": False, "AttributeName": "until"}
    with refused("ResourceNotFoundException", "Requested resource not found: Table: others not found"):
        dynamodb.describe_time_to_live(TableName="others")


def test_items_expire_and_the_stream_says_who_did_it(cloud: Account, dynamodb: Any) -> None:
    switch(dynamodb)
    put(dynamodb, "soon", {"N": str(now(cloud) + 100)})
    put(dynamodb, "later", {"N": str(now(cloud) + 10_000)})
    put(dynamodb, "never", {"S": str(now(cloud) + 100)})
    put(dynamodb, "ancient", {"N": str(now(cloud) - 6 * 365 * 86_400)})
    put(dynamodb, "moved", {"N": str(now(cloud) + 100)})
    put(dynamodb, "moved", {"N": str(now(cloud) + 10_000)})
    cloud.advance(200)
    eventually(lambda: names(dynamodb) == ["ancient", "later", "moved", "never"])
    page = dynamodb.query(
        TableName="orders",
        IndexName="by_kind",
        KeyConditionExpression="kind = :k",
        ExpressionAttributeValues={":k": {"S": "k"}},
    )
    assert page["Count"] == 4
    streams = cloud.client("dynamodbstreams")
    arn = dynamodb.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    place = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    last = streams.get_records(ShardIterator=place["ShardIterator"])["Records"][-1]
    assert last["eventName"] == "REMOVE"
    assert last["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    assert last["dynamodb"]["OldImage"]["id"] == {"S": "soon"}
    cloud.advance(10_000)
    eventually(lambda: names(dynamodb) == ["ancient", "never"])


def test_what_was_there_before_expires_too(cloud: Account, dynamodb: Any) -> None:
    put(dynamodb, "old", {"N": str(now(cloud) - 10)})
    cloud.advance(200)
    assert names(dynamodb) == ["old"]
    switch(dynamodb)
    cloud.settle()
    cloud.advance(100)
    eventually(lambda: names(dynamodb) == [])


def test_nothing_expires_once_it_is_off(cloud: Account, dynamodb: Any) -> None:
    switch(dynamodb)
    put(dynamodb, "kept", {"N": str(now(cloud) + 3600)})
    cloud.advance(1801)
    switch(dynamodb, False)
    cloud.advance(7200)
    assert names(dynamodb) == ["kept"]


def eventually(holds: Any) -> None:
    """A reconciler runs beside the test; seconds at most."""
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)
