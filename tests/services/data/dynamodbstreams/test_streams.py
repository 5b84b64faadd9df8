"""Streams of tables: what is captured, how shards roll, where iterators begin, what is trimmed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import definition, refused

HOUR_S = 3600
Streamed = tuple[Any, Any, str]


@pytest.fixture
def streamed(cloud: Account) -> Streamed:
    """DynamoDB, its streams, and the ARN of a stream with both images."""
    dynamodb = cloud.client("dynamodb")
    return dynamodb, cloud.client("dynamodbstreams"), enabled(dynamodb)


def enabled(dynamodb: Any, view: str = "NEW_AND_OLD_IMAGES", name: str = "orders") -> str:
    made = dynamodb.create_table(
        **definition(name, StreamSpecification={"StreamEnabled": True, "StreamViewType": view})
    )["TableDescription"]
    return str(made["LatestStreamArn"])


def shards(streams: Any, arn: str, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = streams.describe_stream(StreamArn=arn, **options)["StreamDescription"]["Shards"]
    return found


def iterator(streams: Any, arn: str, kind: str = "TRIM_HORIZON", shard: int = -1, **options: Any) -> str:
    shard_id = shards(streams, arn)[shard]["ShardId"]
    return str(
        streams.get_shard_iterator(StreamArn=arn, ShardId=shard_id, ShardIteratorType=kind, **options)["ShardIterator"]
    )


def records(streams: Any, arn: str, kind: str = "TRIM_HORIZON", **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = streams.get_records(ShardIterator=iterator(streams, arn, kind, **options))["Records"]
    return found


def put(dynamodb: Any, key: str, /, **more: str) -> None:
    dynamodb.put_item(
        TableName="orders", Item={"id": {"S": key}} | {name: {"S": value} for name, value in more.items()}
    )


def test_changes_are_captured_as_aws_does(streamed: Streamed) -> None:
    """Sizes and members as in AWS's answers to the same calls."""
    dynamodb, streams, arn = streamed
    put(dynamodb, "Fred")
    put(dynamodb, "Fred", name="Fred")
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "Fred"}})
    first, second, third = records(streams, arn)
    assert set(first) == {"awsRegion", "dynamodb", "eventID", "eventName", "eventSource", "eventVersion"}
    assert (first["awsRegion"], first["eventSource"], first["eventVersion"]) == ("us-east-1", "aws:dynamodb", "1.1")
    assert [each["eventName"] for each in (first, second, third)] == ["INSERT", "MODIFY", "REMOVE"]
    assert [each["dynamodb"]["SizeBytes"] for each in (first, second, third)] == [12, 26, 20]
    assert first["dynamodb"]["NewImage"] == {"id": {"S": "Fred"}}
    assert "OldImage" not in first["dynamodb"]
    assert second["dynamodb"]["OldImage"] == {"id": {"S": "Fred"}}
    assert second["dynamodb"]["NewImage"] == {"id": {"S": "Fred"}, "name": {"S": "Fred"}}
    assert "NewImage" not in third["dynamodb"]
    assert all(each["dynamodb"]["Keys"] == {"id": {"S": "Fred"}} for each in (first, second, third))
    assert first["dynamodb"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in (first, second, third)]
    assert numbers == sorted(numbers)
    assert len({each["eventID"] for each in (first, second, third)}) == 3


def test_a_write_that_changes_nothing_is_no_change(streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    put(dynamodb, "a", name="b")
    put(dynamodb, "a", name="b")
    dynamodb.update_item(
        TableName="orders",
        Key={"id": {"S": "a"}},
        UpdateExpression="SET #n = :b",
        ExpressionAttributeNames={"#n": "name"},
        ExpressionAttributeValues={":b": {"S": "b"}},
    )
    dynamodb.delete_item(TableName="orders", Key={"id": {"S": "none"}})
    assert len(records(streams, arn)) == 1


def test_a_transaction_and_a_batch_are_captured_in_their_order(streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    put(dynamodb, "gone")
    dynamodb.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": "orders", "Item": {"id": {"S": "a"}}}},
            {"Delete": {"TableName": "orders", "Key": {"id": {"S": "gone"}}}},
        ]
    )
    dynamodb.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": {"id": {"S": "b"}}}}]})
    found = [(each["eventName"], each["dynamodb"]["Keys"]["id"]["S"]) for each in records(streams, arn)]
    assert found == [("INSERT", "gone"), ("INSERT", "a"), ("REMOVE", "gone"), ("INSERT", "b")]


@pytest.mark.parametrize(
    ("view", "images"),
    [("KEYS_ONLY", set()), ("NEW_IMAGE", {"NewImage"}), ("OLD_IMAGE", {"OldImage"})],
)
def test_views(cloud: Account, view: str, images: set[str]) -> None:
    dynamodb, streams = cloud.client("dynamodb"), cloud.client("dynamodbstreams")
    arn = enabled(dynamodb, view)
    put(dynamodb, "a")
    put(dynamodb, "a", name="b")
    changed = records(streams, arn)[1]["dynamodb"]
    assert set(changed) & {"NewImage", "OldImage"} == images
    assert changed["StreamViewType"] == view


def test_a_stream_is_described_and_listed(cloud: Account, streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    shown = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    label = arn.rpartition("/")[2]
    assert (shown["StreamStatus"], shown["StreamLabel"], shown["TableName"]) == ("ENABLED", label, "orders")
    assert shown["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    (shard,) = shown["Shards"]
    assert set(shard) == {"ShardId", "SequenceNumberRange"}
    assert set(shard["SequenceNumberRange"]) == {"StartingSequenceNumber"}
    table = dynamodb.describe_table(TableName="orders")["Table"]
    assert (table["LatestStreamArn"], table["LatestStreamLabel"]) == (arn, label)
    other = enabled(dynamodb, name="others")
    assert [each["StreamArn"] for each in streams.list_streams()["Streams"]] == [arn, other]
    assert [each["StreamArn"] for each in streams.list_streams(TableName="others")["Streams"]] == [other]
    page = streams.list_streams(Limit=1)
    assert (page["Streams"][0]["StreamArn"], page["LastEvaluatedStreamArn"]) == (arn, arn)
    page = streams.list_streams(Limit=1, ExclusiveStartStreamArn=arn)
    assert [each["StreamArn"] for each in page["Streams"]] == [other]
    assert "LastEvaluatedStreamArn" not in page


def test_shards_roll_every_four_hours(cloud: Account, streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    put(dynamodb, "early")
    before = iterator(streams, arn)
    cloud.advance(4 * HOUR_S)
    put(dynamodb, "late")
    first, second = shards(streams, arn)
    assert second["ParentShardId"] == first["ShardId"]
    end = int(first["SequenceNumberRange"]["EndingSequenceNumber"])
    assert end < int(second["SequenceNumberRange"]["StartingSequenceNumber"])
    expired = "The shard iterator has expired and can no longer be used to retrieve stream records."
    with refused("ExpiredIteratorException", expired):
        streams.get_records(ShardIterator=before)
    answer = streams.get_records(ShardIterator=iterator(streams, arn, shard=0))
    assert [each["dynamodb"]["Keys"]["id"]["S"] for each in answer["Records"]] == ["early"]
    assert "NextShardIterator" not in answer
    assert [each["dynamodb"]["Keys"]["id"]["S"] for each in records(streams, arn)] == ["late"]
    children = shards(streams, arn, ShardFilter={"Type": "CHILD_SHARDS", "ShardId": first["ShardId"]})
    assert [each["ShardId"] for each in children] == [second["ShardId"]]
    page = streams.describe_stream(StreamArn=arn, Limit=1)["StreamDescription"]
    assert page["LastEvaluatedShardId"] == first["ShardId"]
    assert [each["ShardId"] for each in shards(streams, arn, ExclusiveStartShardId=first["ShardId"])] == [
        second["ShardId"]
    ]


def test_iterators_of_every_kind(cloud: Account, streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    latest = iterator(streams, arn, "LATEST")
    for name in "abc":
        put(dynamodb, name)
        cloud.advance(2)
    found = records(streams, arn)
    middle = found[1]["dynamodb"]["SequenceNumber"]

    def names(found: list[dict[str, Any]]) -> str:
        return "".join(each["dynamodb"]["Keys"]["id"]["S"] for each in found)

    assert names(found) == "abc"
    assert names(records(streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=middle)) == "bc"
    assert names(records(streams, arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=middle)) == "c"
    assert names(records(streams, arn, "LATEST")) == ""
    assert names(streams.get_records(ShardIterator=latest)["Records"]) == "abc"
    created = found[2]["dynamodb"]["ApproximateCreationDateTime"]
    assert names(records(streams, arn, "AT_TIMESTAMP", Timestamp=created)) == "c"


def test_pages_go_on_where_they_ended(streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    for name in "abcde":
        put(dynamodb, name)
    place, seen = iterator(streams, arn), ""
    for _ in range(4):
        page = streams.get_records(ShardIterator=place, Limit=2)
        seen += "".join(each["dynamodb"]["Keys"]["id"]["S"] for each in page["Records"])
        place = page["NextShardIterator"]
    assert seen == "abcde"
    put(dynamodb, "f")
    assert len(streams.get_records(ShardIterator=place)["Records"]) == 1


def test_a_page_holds_a_megabyte(streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    for name in "abcd":
        put(dynamodb, name, text="x" * 380_000)
    page = streams.get_records(ShardIterator=iterator(streams, arn))
    assert len(page["Records"]) == 2
    assert len(streams.get_records(ShardIterator=page["NextShardIterator"])["Records"]) == 2


def test_changes_are_kept_for_a_day(cloud: Account, streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    put(dynamodb, "old")
    number = records(streams, arn)[0]["dynamodb"]["SequenceNumber"]
    old_shard = shards(streams, arn)[0]["ShardId"]
    cloud.advance(23 * HOUR_S)
    put(dynamodb, "new")
    assert len(records(streams, arn, shard=0)) == 1
    cloud.advance(HOUR_S - 300)
    begun = iterator(streams, arn, "AT_SEQUENCE_NUMBER", shard=0, SequenceNumber=number)
    cloud.advance(600)
    trimmed = "The operation attempted to read past the oldest stream record in a shard."
    with refused("TrimmedDataAccessException", trimmed):
        streams.get_records(ShardIterator=begun)
    cloud.advance(HOUR_S - 300)
    place = {"StreamArn": arn, "ShardId": old_shard, "ShardIteratorType": "AT_SEQUENCE_NUMBER"}
    with refused("TrimmedDataAccessException", trimmed):
        streams.get_shard_iterator(**place, SequenceNumber=number)
    assert records(streams, arn, shard=0) == []
    cloud.advance(4 * HOUR_S)
    with refused("ResourceNotFoundException", "Requested resource not found: Shard does not exist"):
        streams.get_shard_iterator(**place, SequenceNumber=number)


def test_a_disabled_stream_is_read_for_a_day_more(cloud: Account, streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    put(dynamodb, "a")
    cloud.settle()
    shown = dynamodb.update_table(TableName="orders", StreamSpecification={"StreamEnabled": False})["TableDescription"]
    assert "StreamSpecification" not in shown
    assert shown["LatestStreamArn"] == arn
    put(dynamodb, "unseen")
    answer = streams.get_records(ShardIterator=iterator(streams, arn))
    assert len(answer["Records"]) == 1
    assert "NextShardIterator" not in answer
    assert streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"
    cloud.settle()
    cloud.advance(1)
    dynamodb.update_table(
        TableName="orders", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    )
    assert len(streams.list_streams(TableName="orders")["Streams"]) == 2
    cloud.advance(25 * HOUR_S)
    assert len(streams.list_streams(TableName="orders")["Streams"]) == 1
    with refused("ResourceNotFoundException", f"Requested resource not found: Stream: {arn} not found"):
        streams.describe_stream(StreamArn=arn)


def test_a_deleted_table_leaves_its_stream(cloud: Account, streamed: Streamed) -> None:
    dynamodb, streams, arn = streamed
    put(dynamodb, "a")
    cloud.settle()
    dynamodb.delete_table(TableName="orders")
    cloud.settle()
    assert streams.describe_stream(StreamArn=arn)["StreamDescription"]["StreamStatus"] == "DISABLED"
    assert len(records(streams, arn)) == 1


def test_what_is_refused(cloud: Account, streamed: Streamed) -> None:
    _, streams, arn = streamed
    with refused("ValidationException", "Invalid StreamArn"):
        streams.describe_stream(StreamArn="arn:aws:dynamodb:us-east-1:000000000000:table/orders")
    missing = arn.replace("orders", "others")
    with refused("ResourceNotFoundException", f"Requested resource not found: Stream: {missing} not found"):
        streams.describe_stream(StreamArn=missing)
    with refused("ValidationException"):
        streams.describe_stream(StreamArn=arn, Limit=101)
    with refused("ValidationException"):
        streams.get_records(ShardIterator=iterator(streams, arn), Limit=1001)
    with refused("ValidationException", "Invalid ShardIterator"):
        streams.get_records(ShardIterator="none")
    with refused("ResourceNotFoundException", "Requested resource not found: Shard does not exist"):
        streams.get_shard_iterator(StreamArn=arn, ShardId="shardId-" + "0" * 29, ShardIteratorType="LATEST")
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        with refused("ValidationException", f"SequenceNumber must be specified when ShardIteratorType is {kind}"):
            iterator(streams, arn, kind)
    for wrong in ("1" * 21, "x" * 21, "1" * 19 + "00"):
        with refused("ValidationException", f"Invalid SequenceNumber: {wrong}"):
            iterator(streams, arn, "AT_SEQUENCE_NUMBER", SequenceNumber=wrong)
    with refused("ValidationException", "ShardId must be specified when ShardFilter Type is CHILD_SHARDS"):
        streams.describe_stream(StreamArn=arn, ShardFilter={"Type": "CHILD_SHARDS"})
    with refused("ValidationException", "Timestamp must be specified when ShardIteratorType is AT_TIMESTAMP"):
        iterator(streams, arn, "AT_TIMESTAMP")
    future = "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis."
    with refused("ValidationException", future):
        iterator(streams, arn, "AT_TIMESTAMP", Timestamp=4_000_000_000)
