"""Filter policies at work: what reaches a queue and what does not."""

import json
from collections.abc import Callable
from typing import Any


def test_attributes_decide_by_default(sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    orders = queue()
    policy = json.dumps({"attr1": [{"numeric": [">", 0, "<=", 100]}]})
    arn = sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=orders.arn,
        Attributes={"FilterPolicy": policy, "RawMessageDelivery": "true"},
    )["SubscriptionArn"]
    found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert (found["FilterPolicy"], found["FilterPolicyScope"]) == (policy, "MessageAttributes")
    for value in ("99.12", "101"):
        attributes = {"attr1": {"DataType": "Number", "StringValue": value}}
        sns.publish(TopicArn=topic, Message=value, MessageAttributes=attributes)
    sns.publish(TopicArn=topic, Message="none")
    assert orders.bodies() == ["99.12"]
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="{}")
    sns.publish(TopicArn=topic, Message="none")
    assert orders.bodies() == ["none"]


def test_the_body_decides_when_asked(sns: Any, topic: str, queue: Callable[..., Any]) -> None:
    queues = [queue("one"), queue("two")]
    for number, each in enumerate(queues, 1):
        policy = json.dumps({"headers": {"route-to": [f"queue{number}"]}})
        attributes = {"FilterPolicy": policy, "FilterPolicyScope": "MessageBody", "RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=each.arn, Attributes=attributes)
    both = json.dumps({"headers": {"route-to": ["queue1", "queue2"]}})
    first = json.dumps({"headers": {"route-to": ["queue1"]}})
    for message in (both, first, "no json"):
        sns.publish(TopicArn=topic, Message=message)
    assert sorted(queues[0].bodies()) == sorted([both, first])
    assert queues[1].bodies() == [both]
