"""The archive of FIFO topics and replays from it."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from tests.conftest import Account


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def publish(sns: Any, topic: str, *texts: str) -> None:
    for text in texts:
        sns.publish(
            TopicArn=topic, Message=text, MessageGroupId="g", MessageDeduplicationId=sha256(text.encode()).hexdigest()
        )


@pytest.fixture
def archived(cloud: Account, sns: Any, fifo_topic: str) -> str:
    sns.set_topic_attributes(
        TopicArn=fifo_topic, AttributeName="ArchivePolicy", AttributeValue='{"MessageRetentionPeriod":"30"}'
    )
    return fifo_topic


def now(cloud: Account) -> float:
    return cloud.running.clock.now()


def subscribe(sns: Any, topic: str, queue: Any, start: float, end: float | None = None, **more: str) -> str:
    policy = {"PointType": "Timestamp", "StartingPoint": iso(start)}
    if end is not None:
        policy["EndingPoint"] = iso(end)
    attributes = {"ReplayPolicy": json.dumps(policy), "RawMessageDelivery": "true", **more}
    arn: str = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)[
        "SubscriptionArn"
    ]
    return arn


def test_the_archive_says_where_it_begins(cloud: Account, sns: Any, archived: str) -> None:
    found = sns.get_topic_attributes(TopicArn=archived)["Attributes"]
    assert json.loads(found["ArchivePolicy"]) == {"MessageRetentionPeriod": "30"}
    begins = datetime.fromisoformat(found["BeginningArchiveTime"]).timestamp()
    assert abs(begins - now(cloud)) < 60
    sns.set_topic_attributes(TopicArn=archived, AttributeName="ArchivePolicy", AttributeValue="{}")
    assert "BeginningArchiveTime" not in sns.get_topic_attributes(TopicArn=archived)["Attributes"]


def test_a_new_subscription_is_sent_what_was_archived_and_then_what_is_new(
    cloud: Account, sns: Any, archived: str, queue: Callable[..., Any]
) -> None:
    start = now(cloud)
    texts = [str(number) for number in range(120)]
    publish(sns, archived, *texts)
    orders = queue("orders.fifo")
    arn = subscribe(sns, archived, orders, start)
    assert orders.bodies() == texts
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["ReplayStatus"] == "Completed"
    publish(sns, archived, "new")
    assert orders.bodies() == ["new"]


def test_a_replay_may_have_an_end_and_a_filter(
    cloud: Account, sns: Any, archived: str, queue: Callable[..., Any]
) -> None:
    start = now(cloud)
    publish(sns, archived, '{"n": 1}', '{"n": 2}')
    cloud.advance(10)
    end = now(cloud)
    cloud.advance(10)
    publish(sns, archived, '{"n": 1, "late": true}')
    orders = queue("orders.fifo")
    filtering = {"FilterPolicy": '{"n": [1]}', "FilterPolicyScope": "MessageBody"}
    subscribe(sns, archived, orders, start, end, **filtering)
    assert orders.bodies() == ['{"n": 1}']
    publish(sns, archived, '{"n": 1, "new": true}')
    assert orders.bodies() == []


def test_replayed_messages_say_so_and_keep_their_ids(
    cloud: Account, sns: Any, archived: str, queue: Callable[..., Any]
) -> None:
    start = now(cloud)
    answer = sns.publish(TopicArn=archived, Message="m", MessageGroupId="g", MessageDeduplicationId="d")
    orders = queue("orders.fifo")
    subscribe(sns, archived, orders, start, RawMessageDelivery="false")
    body = json.loads(orders.bodies()[0])
    assert (body["MessageId"], body["SequenceNumber"]) == (answer["MessageId"], answer["SequenceNumber"])
    assert body["Replayed"] == "true"


def test_a_replay_needs_an_archive_and_a_start(
    sns: Any, refused: Callable[..., Any], fifo_topic: str, archived: str, queue: Callable[..., Any]
) -> None:
    orders = queue("orders.fifo")
    given = {"TopicArn": archived, "Protocol": "sqs", "Endpoint": orders.arn}
    for policy in ("{", '{"PointType": "Timestamp"}', '{"PointType": "Word", "StartingPoint": "x"}'):
        error = refused(sns.subscribe, **given, Attributes={"ReplayPolicy": policy})
        assert error.message.startswith("Invalid parameter: Attributes Reason: ReplayPolicy: ")
    plain = sns.create_topic(Name="plain.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    policy = json.dumps({"PointType": "Timestamp", "StartingPoint": iso(time.time())})
    error = refused(sns.subscribe, **{**given, "TopicArn": plain}, Attributes={"ReplayPolicy": policy})
    assert error.code == "InvalidParameter"


def test_a_replay_into_the_future_takes_what_comes_until_its_end(
    cloud: Account, sns: Any, archived: str, queue: Callable[..., Any]
) -> None:
    start = now(cloud)
    orders = queue("orders.fifo")
    arn = subscribe(sns, archived, orders, start, start + 100)
    publish(sns, archived, "during")
    assert orders.bodies() == ["during"]
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["ReplayStatus"] == "In progress"
    cloud.advance(101)
    publish(sns, archived, "after")
    assert orders.bodies() == []
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["ReplayStatus"] == "Completed"
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="ReplayPolicy", AttributeValue="{}")
    publish(sns, archived, "again")
    assert orders.bodies() == ["again"]
