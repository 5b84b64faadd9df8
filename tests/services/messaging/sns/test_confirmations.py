"""Confirmations: web endpoints, mailboxes and queues of others say yes; links end and restore subscriptions."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sns.conftest import Queue


def get(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        found: str = answer.read().decode()
    return found


@pytest.fixture
def asked(cloud: Account, sns: Any, topic: str, receiver: Any) -> dict[str, Any]:
    """What a fresh HTTP subscription's endpoint is asked."""
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=receiver.url)
    cloud.settle()
    [body] = receiver.bodies("SubscriptionConfirmation")
    found: dict[str, Any] = body
    return found


def test_an_endpoint_is_asked(cloud: Account, topic: str, receiver: Any, asked: dict[str, Any]) -> None:
    assert list(asked) == [
        "Type",
        "MessageId",
        "Token",
        "TopicArn",
        "Message",
        "SubscribeURL",
        "Timestamp",
        "SignatureVersion",
        "Signature",
        "SigningCertURL",
    ]
    assert asked["Message"] == (
        f"You have chosen to subscribe to the topic {topic}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    token = asked["Token"]
    assert asked["SubscribeURL"] == f"{cloud.url}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}"
    headers, _ = receiver.requests[0]
    assert headers["x-amz-sns-message-type"] == "SubscriptionConfirmation"
    assert headers["x-amz-sns-topic-arn"] == topic
    assert headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert headers["User-Agent"] == "Amazon Simple Notification Service Agent"
    assert "x-amz-sns-subscription-arn" not in headers


def test_a_pending_subscription_receives_nothing(
    cloud: Account, sns: Any, topic: str, receiver: Any, asked: dict[str, Any]
) -> None:
    [listed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "1"
    sns.publish(TopicArn=topic, Message="m")
    cloud.settle()
    assert receiver.bodies("Notification") == []


def test_the_answer_names_the_arn_only_when_asked_to(sns: Any, topic: str, receiver: Any) -> None:
    given = {"TopicArn": topic, "Protocol": "http", "Endpoint": receiver.url}
    assert sns.subscribe(**given)["SubscriptionArn"] == "pending confirmation"
    assert sns.subscribe(**given, ReturnSubscriptionArn=True)["SubscriptionArn"].startswith(topic + ":")


def test_the_link_confirms_without_a_signature(
    cloud: Account, sns: Any, topic: str, receiver: Any, asked: dict[str, Any]
) -> None:
    for _ in range(2):  # a link may be followed twice
        assert "<SubscriptionArn>" in get(asked["SubscribeURL"])
    [listed] = sns.list_subscriptions()["Subscriptions"]
    found = sns.get_subscription_attributes(SubscriptionArn=listed["SubscriptionArn"])["Attributes"]
    assert (found["PendingConfirmation"], found["ConfirmationWasAuthenticated"]) == ("false", "false")
    sns.publish(TopicArn=topic, Message="m")
    cloud.settle()
    assert [body["Message"] for body in receiver.bodies("Notification")] == ["m"]


def test_the_link_in_a_message_ends_the_subscription_and_it_can_be_restored(
    cloud: Account, sns: Any, topic: str, receiver: Any, asked: dict[str, Any]
) -> None:
    get(asked["SubscribeURL"])
    arn = sns.list_subscriptions()["Subscriptions"][0]["SubscriptionArn"]
    sns.publish(TopicArn=topic, Message="m")
    cloud.settle()
    get(receiver.bodies("Notification")[0]["UnsubscribeURL"])
    cloud.settle()
    assert sns.list_subscriptions()["Subscriptions"] == []
    [farewell] = receiver.bodies("UnsubscribeConfirmation")
    assert farewell["Message"].startswith(f"You have chosen to deactivate subscription {arn}.\nTo cancel this")
    get(farewell["SubscribeURL"])
    assert sns.list_subscriptions()["Subscriptions"][0]["SubscriptionArn"] == arn


def test_a_guarded_subscription_needs_a_signature_to_end(
    sns: Any, topic: str, asked: dict[str, Any], cloud: Account
) -> None:
    arn = sns.confirm_subscription(TopicArn=topic, Token=asked["Token"], AuthenticateOnUnsubscribe="true")[
        "SubscriptionArn"
    ]
    found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert found["ConfirmationWasAuthenticated"] == "true"
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{cloud.url}/?Action=Unsubscribe&SubscriptionArn={arn}")
    caught.value.close()
    assert caught.value.code == 403
    assert sns.list_subscriptions()["Subscriptions"]
    sns.unsubscribe(SubscriptionArn=arn)
    assert sns.list_subscriptions()["Subscriptions"] == []


def test_wrong_tokens(sns: Any, refused: Callable[..., Any], topic: str, asked: dict[str, Any]) -> None:
    error = refused(sns.confirm_subscription, TopicArn=topic, Token="randomtoken")
    assert (error.code, error.message) == ("InvalidParameter", "Invalid token")
    unknown = "ab" * 112
    assert refused(sns.confirm_subscription, TopicArn=topic, Token=unknown).message == "Invalid parameter: Token"
    error = refused(sns.confirm_subscription, TopicArn=topic + "x", Token=asked["Token"])
    assert error.message == "Invalid parameter: Token"


def test_a_token_lasts_two_days_and_the_subscription_with_it(
    cloud: Account, sns: Any, refused: Callable[..., Any], topic: str, asked: dict[str, Any]
) -> None:
    cloud.advance(2 * 86400 + 1)
    assert refused(sns.confirm_subscription, TopicArn=topic, Token=asked["Token"]).message == "Invalid parameter: Token"
    assert sns.list_subscriptions()["Subscriptions"] == []
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "0"


def test_a_queue_of_another_account_is_asked(cloud: Account, sns: Any, topic: str) -> None:
    other = cloud.another()
    theirs = Queue(other, "theirs")
    answer = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=theirs.arn)
    assert answer["SubscriptionArn"] == "pending confirmation"
    [body] = theirs.bodies()
    asked = json.loads(body)
    assert asked["Type"] == "SubscriptionConfirmation"
    other.client("sns").confirm_subscription(TopicArn=topic, Token=asked["Token"])
    sns.publish(TopicArn=topic, Message="m")
    assert json.loads(theirs.bodies()[0])["Message"] == "m"
