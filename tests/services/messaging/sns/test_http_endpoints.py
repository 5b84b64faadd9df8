"""Deliveries over HTTP: headers, content types, retries, throttling, dead letters, passwords."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.services.messaging.sns import http_endpoints
from tests.conftest import Account
from tests.services.messaging.sns.conftest import Receiver

pytestmark = pytest.mark.usefixtures("still")


def subscribe(cloud: Account, topic: str, receiver: Receiver, **attributes: str) -> str:
    """A confirmed subscription, with what was received meanwhile forgotten."""
    sns = cloud.client("sns")
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url, Attributes=attributes)
    cloud.settle()
    token = receiver.bodies("SubscriptionConfirmation")[0]["Token"]
    arn: str = sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"]
    receiver.requests.clear()
    return arn


def publish(cloud: Account, topic: str, message: str = "m", **more: Any) -> str:
    message_id: str = cloud.client("sns").publish(TopicArn=topic, Message=message, **more)["MessageId"]
    cloud.settle()
    return message_id


def retries(**policy: Any) -> str:
    whole = {"minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, **policy}
    return json.dumps({"healthyRetryPolicy": whole})


def test_a_notification_has_aws_headers(cloud: Account, topic: str, receiver: Receiver) -> None:
    arn = subscribe(cloud, topic, receiver)
    message_id = publish(cloud, topic, "ö", Subject="s")
    [(headers, body)] = receiver.requests
    assert list(headers)[:7] == [
        "x-amz-sns-message-type",
        "x-amz-sns-message-id",
        "x-amz-sns-topic-arn",
        "x-amz-sns-subscription-arn",
        "Content-Type",
        "User-Agent",
        "Accept-Encoding",
    ]
    assert headers["x-amz-sns-message-type"] == "Notification"
    assert headers["x-amz-sns-message-id"] == message_id
    assert headers["x-amz-sns-topic-arn"] == topic
    assert headers["x-amz-sns-subscription-arn"] == arn
    assert headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert headers["Host"] == receiver.url.split("/")[2]
    assert json.loads(body)["Message"] == "ö"


def test_raw_messages_say_so_and_carry_no_attributes(cloud: Account, topic: str, receiver: Receiver) -> None:
    policy = json.dumps({"requestPolicy": {"headerContentType": "text/csv"}})
    subscribe(cloud, topic, receiver, RawMessageDelivery="true", DeliveryPolicy=policy)
    publish(cloud, topic, "a,b", MessageAttributes={"x": {"DataType": "String", "StringValue": "y"}})
    [(headers, body)] = receiver.requests
    assert headers["x-amz-sns-rawdelivery"] == "true"
    assert headers["Content-Type"] == "text/csv"
    assert body == "a,b"


def test_the_topics_content_type_is_taken_over(cloud: Account, sns: Any, topic: str, receiver: Receiver) -> None:
    policy = {"http": {"defaultRequestPolicy": {"headerContentType": "application/json"}}}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DeliveryPolicy", AttributeValue=json.dumps(policy))
    subscribe(cloud, topic, receiver)
    publish(cloud, topic)
    assert receiver.requests[0][0]["Content-Type"] == "application/json"


def test_policies_are_shown_completed(cloud: Account, sns: Any, topic: str, receiver: Receiver) -> None:
    zero = {"minDelayTarget": 1, "maxDelayTarget": 1, "numRetries": 0}
    policy = json.dumps({"healthyRetryPolicy": zero, "throttlePolicy": {"maxReceivesPerSecond": 1000}})
    found = sns.get_subscription_attributes(SubscriptionArn=subscribe(cloud, topic, receiver, DeliveryPolicy=policy))
    complete = {
        **zero,
        "numMaxDelayRetries": 0,
        "numNoDelayRetries": 0,
        "numMinDelayRetries": 0,
        "backoffFunction": "linear",
    }
    assert json.loads(found["Attributes"]["DeliveryPolicy"]) == {
        "healthyRetryPolicy": complete,
        "sicklyRetryPolicy": None,
        "throttlePolicy": {"maxReceivesPerSecond": 1000},
        "requestPolicy": None,
        "guaranteed": False,
    }
    assert json.loads(found["Attributes"]["EffectiveDeliveryPolicy"]) == {
        "healthyRetryPolicy": complete,
        "sicklyRetryPolicy": None,
        "throttlePolicy": {"maxReceivesPerSecond": 1000},
        "requestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
        "guaranteed": False,
    }


def test_failures_are_retried_when_the_policy_says(cloud: Account, topic: str, receiver: Receiver) -> None:
    subscribe(cloud, topic, receiver)
    receiver.statuses = [500, 429, 503, 200]
    publish(cloud, topic)
    for count in (1, 2, 3, 4):
        assert len(receiver.requests) == count
        cloud.advance(19)
        assert len(receiver.requests) == count
        cloud.advance(1.1)
    assert len(receiver.requests) == 4
    assert len({json.loads(body)["MessageId"] for _, body in receiver.requests}) == 1


def test_the_phases_of_a_policy(cloud: Account, topic: str, receiver: Receiver) -> None:
    policy = retries(
        numRetries=5,
        numNoDelayRetries=1,
        numMinDelayRetries=1,
        numMaxDelayRetries=1,
        minDelayTarget=10,
        maxDelayTarget=40,
    )
    subscribe(cloud, topic, receiver, DeliveryPolicy=policy)
    receiver.statuses = [500] * 10
    publish(cloud, topic)
    assert len(receiver.requests) == 2  # the first and one at once
    for seconds, count in ((10, 3), (10, 4), (40, 5), (40, 6), (4000, 6)):
        cloud.advance(seconds + 0.1)
        assert len(receiver.requests) == count


def test_a_client_error_is_final(cloud: Account, topic: str, receiver: Receiver, queue: Callable[..., Any]) -> None:
    letters = queue("letters")
    subscribe(cloud, topic, receiver, RedrivePolicy=json.dumps({"deadLetterTargetArn": letters.arn}))
    receiver.statuses = [404]
    publish(cloud, topic, "lost")
    assert [json.loads(body)["Message"] for body in letters.bodies()] == ["lost"]
    cloud.advance(3600)
    assert len(receiver.requests) == 1


def test_what_is_never_taken_goes_to_the_dead_letter_queue(
    cloud: Account, topic: str, receiver: Receiver, queue: Callable[..., Any]
) -> None:
    letters = queue("letters")
    subscribe(cloud, topic, receiver, RedrivePolicy=json.dumps({"deadLetterTargetArn": letters.arn}))
    receiver.statuses = [500] * 10
    publish(cloud, topic, "lost")
    for _ in range(2):
        cloud.advance(20.1)
        assert letters.bodies() == []
    cloud.advance(20.1)
    assert [json.loads(body)["Message"] for body in letters.bodies()] == ["lost"]
    assert len(receiver.requests) == 4


def test_a_throttled_endpoint_gets_its_messages_spread_out(cloud: Account, topic: str, receiver: Receiver) -> None:
    policy = json.dumps({"throttlePolicy": {"maxReceivesPerSecond": 1}})
    subscribe(cloud, topic, receiver, DeliveryPolicy=policy)
    for number in range(30):
        publish(cloud, topic, str(number))
    early = len(receiver.requests)
    assert early < 30
    cloud.advance(60)
    assert len(receiver.requests) == 30


def test_a_password_is_given_when_asked_for_and_never_shown(
    cloud: Account, sns: Any, topic: str, receiver: Receiver
) -> None:
    receiver.challenge = 'Basic realm="hook"'
    shown_url = receiver.url.replace("http://", "http://user:****@")
    receiver.url = receiver.url.replace("http://", "http://user:secret@")
    arn = subscribe(cloud, topic, receiver)
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["Endpoint"] == shown_url
    publish(cloud, topic)
    assert [headers.get("Authorization") for headers, _ in receiver.requests] == [None, "Basic dXNlcjpzZWNyZXQ="]


def test_nobody_there() -> None:
    with pytest.raises(http_endpoints.Unreachable):
        asyncio.run(http_endpoints.post("http://127.0.0.1:1/", {}, b""))
