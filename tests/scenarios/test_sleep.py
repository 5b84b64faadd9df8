"""A laptop that sleeps and whose clock is set back: the computer's clock jumps, and nobody tells the cloud.

Other tests move cloud time by `advance`, which tells every timer. Here only what the cloud reads as the computer's
clock moves, as it does where the event loop's own time stood still.
"""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Account, RunningCloud

HOUR_S = 3600.0
PATIENCE_S = 60  # for what comes within seconds; hours were to be waited for if it did not work


class Laptop:
    """A cloud on a computer whose clock the test moves."""

    def __init__(self, running: RunningCloud) -> None:
        self.cloud = Account(running, "123456789012")
        self.moved_s = 0.0
        running.clock._read = lambda: time.time() + self.moved_s

    def client(self, service: str) -> Any:
        return self.cloud.client(service)


@pytest.fixture
def laptop(start_cloud: Callable[..., RunningCloud]) -> Iterator[Laptop]:
    running = start_cloud()
    yield Laptop(running)
    running.stop()


def until(check: Callable[[], Any]) -> Any:
    """What `check` gives once that is something."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def bodies(sqs: Any, url: str, count: int) -> list[str]:
    """The bodies of so many messages, deleted as they come."""
    found: list[str] = []

    def more() -> bool:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", []):
            found.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(found) >= count

    until(more)
    return found


def stream_of(laptop: Laptop, table: str) -> list[tuple[str, int]]:
    """What a table's stream holds, from all of its shards: keys and sequence numbers."""
    arn = laptop.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    streams = laptop.client("dynamodbstreams")
    found = []
    for shard in streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**place)["ShardIterator"]
        for record in streams.get_records(ShardIterator=iterator)["Records"]:
            change = record["dynamodb"]
            found.append((change["Keys"]["id"]["S"], int(change["SequenceNumber"])))
    return found


def make_table(laptop: Laptop) -> Any:
    dynamodb = laptop.client("dynamodb")
    dynamodb.create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    )
    laptop.cloud.settle()
    return dynamodb


def test_what_fell_due_in_the_night_happens_in_the_morning(laptop: Laptop) -> None:
    sqs, kms = laptop.client("sqs"), laptop.client("kms")
    dynamodb = make_table(laptop)
    dynamodb.update_time_to_live(
        TableName="things", TimeToLiveSpecification={"Enabled": True, "AttributeName": "ends_at"}
    )
    ends_at = {"N": str(int(time.time() + HOUR_S))}
    dynamodb.put_item(TableName="things", Item={"id": {"S": "a"}, "ends_at": ends_at})
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    url = sqs.create_queue(QueueName="delayed")["QueueUrl"]
    other = sqs.create_queue(QueueName="other")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="soon", DelaySeconds=900)
    with ThreadPoolExecutor() as threads:
        poll = threads.submit(laptop.client("sqs").receive_message, QueueUrl=other, WaitTimeSeconds=20)
        listeners = laptop.cloud.running.cloud.runtime.signals.listeners
        until(lambda: any(b"other" in name for name in [*listeners]))
        laptop.moved_s = 8 * 86_400.0
        assert "Messages" not in poll.result(PATIENCE_S)
    until(lambda: dynamodb.scan(TableName="things")["Count"] == 0)
    until(lambda: key not in [each["KeyId"] for each in kms.list_keys()["Keys"]])
    assert laptop.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_nothing_waits_for_a_clock_that_was_set_back(laptop: Laptop) -> None:
    sqs = laptop.client("sqs")
    url = sqs.create_queue(QueueName="queue", Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="first")
    [_] = sqs.receive_message(QueueUrl=url)["Messages"]  # it becomes visible again in a second
    sqs.send_message(QueueUrl=url, MessageBody="second", DelaySeconds=1)
    laptop.moved_s = -HOUR_S
    assert sorted(bodies(sqs, url, 2)) == ["first", "second"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    topic = laptop.client("sns").create_topic(Name="topic")["TopicArn"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    laptop.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    laptop.client("sns").publish(TopicArn=topic, Message="third")
    assert json.loads(bodies(sqs, url, 1)[0])["Message"] == "third"


def test_order_holds_though_the_clock_is_set_back(laptop: Laptop) -> None:
    sqs, s3, logs = laptop.client("sqs"), laptop.client("s3"), laptop.client("logs")
    dynamodb = make_table(laptop)
    url = sqs.create_queue(
        QueueName="queue.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    )["QueueUrl"]
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    expected = [str(number) for number in range(6)]
    for number, moved_s in enumerate((0.0, -HOUR_S, -2 * HOUR_S, -0.5 * HOUR_S, -10 * HOUR_S, -0.1)):
        laptop.moved_s = moved_s
        text = str(number)
        sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId="a")
        dynamodb.put_item(TableName="things", Item={"id": {"S": text}})
        s3.put_object(Bucket="versions", Key="key", Body=text.encode())
        event = {"timestamp": int(time.time() * 1000), "message": text}
        logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=[event])
    assert bodies(sqs, url, 6) == expected
    changes = stream_of(laptop, "things")
    assert [key for key, _ in changes] == expected
    assert [number for _, number in changes] == sorted({number for _, number in changes})
    assert s3.get_object(Bucket="versions", Key="key")["Body"].read() == b"5"
    listed = s3.list_object_versions(Bucket="versions")["Versions"]
    versions = [
        s3.get_object(Bucket="versions", Key="key", VersionId=each["VersionId"])["Body"].read() for each in listed
    ]
    assert versions == [text.encode() for text in reversed(expected)]
    events = logs.get_log_events(logGroupName="group", logStreamName="stream", startFromHead=True)["events"]
    assert [event["message"] for event in events] == expected
