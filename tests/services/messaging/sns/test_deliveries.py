"""From a topic to SQS queues: envelopes, raw messages, order, dead letters."""

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Account


def subscribe(sns: Any, topic: str, queue: Any, **attributes: str) -> str:
    arn: str = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)[
        "SubscriptionArn"
    ]
    return arn


def test_a_notification_has_aws_members_in_aws_order(
    cloud: Account, sns: Any, topic: str, queue: Callable[..., Any]
) -> None:
    orders = queue()
    subscription = subscribe(sns, topic, orders)
    attributes = {
        "attr1": {"DataType": "Number", "StringValue": "99.12"},
        "attr2": {"DataType": "Binary", "BinaryValue": b"\x02\x03\x04"},
    }
    message_id = sns.publish(TopicArn=topic, Message='ö§a1"_!?', Subject="s", MessageAttributes=attributes)["MessageId"]
    [received] = orders.messages()
    assert "MessageAttributes" not in received
    assert received["Body"].startswith('{\n  "Type" : "Notification",\n  "MessageId" : "')
    body = json.loads(received["Body"])
    assert list(body) == [
        "Type",
        "MessageId",
        "TopicArn",
        "Subject",
        "Message",
        "Timestamp",
        "SignatureVersion",
        "Signature",
        "SigningCertURL",
        "UnsubscribeURL",
        "MessageAttributes",
    ]
    assert body["MessageId"] == message_id
    assert body["Message"] == 'ö§a1"_!?'
    assert body["SignatureVersion"] == "1"
    assert body["UnsubscribeURL"] == f"{cloud.url}/?Action=Unsubscribe&SubscriptionArn={subscription}"
    assert body["MessageAttributes"] == {
        "attr1": {"Type": "Number", "Value": "99.12"},
        "attr2": {"Type": "Binary", "Value": base64.b64encode(b"\x02\x03\x04").decode()},
    }


def test_raw_delivery_keeps_attributes_as_the_queues_own(sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    orders = queue()
    subscribe(sns, topic, orders, RawMessageDelivery="true")
    attributes = {
        "store": {"DataType": "Binary", "BinaryValue": b"\x02"},
        "n": {"DataType": "Number", "StringValue": "1"},
    }
    sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    [received] = orders.messages()
    assert received["Body"] == "m"
    assert received["MessageAttributes"]["store"] == {"DataType": "Binary", "BinaryValue": b"\x02"}
    assert received["MessageAttributes"]["n"] == {"DataType": "Number", "StringValue": "1"}


def test_each_protocol_may_have_its_text(sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    orders = queue()
    subscribe(sns, topic, orders, RawMessageDelivery="true")
    for texts in ({"default": "d", "sqs": "for queues"}, {"default": "d", "http": "h"}):
        sns.publish(TopicArn=topic, Message=json.dumps(texts), MessageStructure="json")
    assert sorted(orders.bodies()) == ["d", "for queues"]


def test_a_group_and_a_trace_reach_the_queue(sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    orders = queue()
    subscribe(sns, topic, orders)
    trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
    sns.meta.events.register(
        "before-call.sns.Publish", lambda params, **_: params["headers"].update({"X-Amzn-Trace-Id": trace})
    )
    sns.publish(TopicArn=topic, Message="m", MessageGroupId="my-group")
    [received] = orders.messages()
    assert received["Attributes"]["MessageGroupId"] == "my-group"
    assert received["Attributes"]["AWSTraceHeader"] == trace


def test_nothing_from_before_the_subscription_or_after_its_end(sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    orders = queue()
    sns.publish(TopicArn=topic, Message="before")
    subscription = subscribe(sns, topic, orders, RawMessageDelivery="true")
    sns.publish(TopicArn=topic, Message="during")
    assert orders.bodies() == ["during"]
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.publish(TopicArn=topic, Message="after")
    assert orders.bodies() == []


def test_the_queue_policy_decides(sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    closed, letters = queue("closed", allow=False), queue("letters")
    redrive = json.dumps({"deadLetterTargetArn": letters.arn})
    subscribe(sns, topic, closed, RawMessageDelivery="true", RedrivePolicy=redrive)
    sns.publish(TopicArn=topic, Message="m")
    assert closed.bodies() == []
    assert letters.bodies() == ["m"]


def test_what_cannot_be_delivered_goes_to_the_dead_letter_queue(
    sns: Any, sqs: Any, topic: str, queue: Callable[..., Any]
) -> None:
    orders, letters = queue(), queue("letters")
    redrive = json.dumps({"deadLetterTargetArn": letters.arn})
    subscription = subscribe(sns, topic, orders, RedrivePolicy=redrive)
    shown = sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"]
    assert shown["RedrivePolicy"] == redrive
    sqs.delete_queue(QueueUrl=orders.url)
    attributes = {"attr1": {"DataType": "Number", "StringValue": "111"}}
    sns.publish(TopicArn=topic, Message="lost", MessageAttributes=attributes)
    [letter] = letters.messages()
    assert "MessageAttributes" not in letter
    body = json.loads(letter["Body"])
    assert body["Message"] == "lost"
    assert body["MessageAttributes"] == {"attr1": {"Type": "Number", "Value": "111"}}


def test_more_than_ten_attributes_cannot_go_raw(sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    raw, wrapped = queue("raw"), queue("wrapped")
    subscribe(sns, topic, raw, RawMessageDelivery="true")
    subscribe(sns, topic, wrapped)
    attributes = {f"a{number}": {"DataType": "String", "StringValue": "v"} for number in range(11)}
    sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    assert raw.bodies() == []
    assert len(json.loads(wrapped.bodies()[0])["MessageAttributes"]) == 11


def test_fifo_order_ids_and_envelope(sns: Any, fifo_topic: str, queue: Callable[..., Any]) -> None:
    orders = queue("orders.fifo")
    subscribe(sns, fifo_topic, orders)
    for number in range(20):
        sns.publish(TopicArn=fifo_topic, Message=str(number), MessageGroupId="g", MessageDeduplicationId=f"id-{number}")
    received = orders.messages()
    bodies = [json.loads(message["Body"]) for message in received]
    assert [body["Message"] for body in bodies] == [str(number) for number in range(20)]
    assert received[3]["Attributes"]["MessageGroupId"] == "g"
    assert received[3]["Attributes"]["MessageDeduplicationId"] == "id-3"
    assert list(bodies[0]) == [
        "Type",
        "MessageId",
        "SequenceNumber",
        "TopicArn",
        "Message",
        "Timestamp",
        "UnsubscribeURL",
    ]


def test_content_makes_the_deduplication_id(sns: Any, queue: Callable[..., Any]) -> None:
    given = {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    topic = sns.create_topic(Name="content.fifo", Attributes=given)["TopicArn"]
    orders = queue("orders.fifo")
    subscribe(sns, topic, orders, RawMessageDelivery="true")
    for _ in range(2):
        sns.publish(TopicArn=topic, Message="Test", MessageGroupId="g")
    [received] = orders.messages()
    expected = "532eaabd9574880dbf76b9b8cc00832c20a6ec113d682299550d7a6e0f345e25"
    assert received["Attributes"]["MessageDeduplicationId"] == expected


def test_fifo_dead_letters_keep_group_and_id(sns: Any, sqs: Any, fifo_topic: str, queue: Callable[..., Any]) -> None:
    orders, letters = queue("orders.fifo"), queue("letters.fifo")
    redrive = json.dumps({"deadLetterTargetArn": letters.arn})
    subscribe(sns, fifo_topic, orders, RawMessageDelivery="true", RedrivePolicy=redrive)
    sqs.delete_queue(QueueUrl=orders.url)
    sns.publish(TopicArn=fifo_topic, Message="m", MessageGroupId="g", MessageDeduplicationId="d")
    [letter] = letters.messages()
    assert letter["Body"] == "m"
    assert letter["Attributes"]["MessageGroupId"] == "g"
    assert letter["Attributes"]["MessageDeduplicationId"] == "d"


def test_a_fifo_topic_may_feed_a_standard_queue(sns: Any, fifo_topic: str, queue: Callable[..., Any]) -> None:
    orders = queue()
    subscribe(sns, fifo_topic, orders, RawMessageDelivery="true")
    sns.publish(TopicArn=fifo_topic, Message="m", MessageGroupId="g", MessageDeduplicationId="d")
    assert orders.bodies() == ["m"]


def test_a_topic_of_another_account_delivers(cloud: Account, sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    other = cloud.another()
    sns.add_permission(TopicArn=topic, Label="them", AWSAccountId=[other.account], ActionName=["Subscribe", "Publish"])
    from tests.services.messaging.sns.conftest import Queue

    theirs = Queue(other, "theirs")
    client = other.client("sns")
    arn = client.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=theirs.arn)["SubscriptionArn"]
    assert arn.startswith(topic + ":")
    [listed] = client.list_subscriptions()["Subscriptions"]
    assert (listed["SubscriptionArn"], listed["Owner"]) == (arn, other.account)
    client.publish(TopicArn=topic, Message="m")
    assert json.loads(theirs.bodies()[0])["TopicArn"] == topic


def test_aws_source_arn_narrows_a_queue_policy(cloud: Account, sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    orders = queue()
    subscribe(sns, topic, orders, RawMessageDelivery="true")
    for source, count in ((topic, 1), (topic + "x", 0)):
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": orders.arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": source}, "StringEquals": {"aws:SourceAccount": cloud.account}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        orders.sqs.set_queue_attributes(QueueUrl=orders.url, Attributes={"Policy": policy})
        sns.publish(TopicArn=topic, Message="m")
        assert len(orders.bodies()) == count
