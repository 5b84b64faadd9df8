"""Subscribe, Unsubscribe, listing, and the attributes of subscriptions."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account


def shown(sns: Any, arn: str) -> dict[str, str]:
    found: dict[str, str] = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    return found


@pytest.fixture
def queue_arn(cloud: Account) -> str:
    return f"arn:aws:sqs:us-east-1:{cloud.account}:orders"


@pytest.fixture
def subscription(sns: Any, topic: str, queue_arn: str) -> str:
    arn: str = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)["SubscriptionArn"]
    return arn


def test_a_queue_of_the_account_needs_no_confirmation(
    cloud: Account, sns: Any, topic: str, queue_arn: str, subscription: str
) -> None:
    assert shown(sns, subscription) == {
        "ConfirmationWasAuthenticated": "true",
        "Endpoint": queue_arn,
        "Owner": cloud.account,
        "PendingConfirmation": "false",
        "Protocol": "sqs",
        "RawMessageDelivery": "false",
        "SubscriptionArn": subscription,
        "SubscriptionPrincipal": f"arn:aws:iam::{cloud.account}:root",
        "TopicArn": topic,
    }
    entry = {
        "SubscriptionArn": subscription,
        "Owner": cloud.account,
        "Protocol": "sqs",
        "Endpoint": queue_arn,
        "TopicArn": topic,
    }
    assert sns.list_subscriptions()["Subscriptions"] == [entry]
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == [entry]
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "1"


def test_subscribing_again_is_the_same_subscription(
    sns: Any, refused: Callable[..., Any], topic: str, queue_arn: str
) -> None:
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue_arn}
    first = sns.subscribe(**given, Attributes={"RawMessageDelivery": "true"})["SubscriptionArn"]
    for attributes in ({"RawMessageDelivery": "true"}, {}, None):
        again = {**given, "Attributes": attributes} if attributes is not None else given
        assert sns.subscribe(**again)["SubscriptionArn"] == first
    error = refused(sns.subscribe, **given, Attributes={"RawMessageDelivery": "false"})
    assert (
        error.message == "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"
    )


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("", "Invalid parameter: SubscriptionArn Reason: no value for required parameter"),
        ("x", "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"),
        (
            "arn:aws:sns:us-east-1:1",
            "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 5",
        ),
        ("arn:aws:sns:us-east-1:123456789012:topic", "Invalid parameter: SubscriptionId"),
    ],
)
def test_unsubscribing_what_is_no_subscription(sns: Any, refused: Callable[..., Any], arn: str, message: str) -> None:
    assert refused(sns.unsubscribe, SubscriptionArn=arn).message == message


def test_unsubscribing_twice_is_fine(sns: Any, refused: Callable[..., Any], topic: str, subscription: str) -> None:
    sns.unsubscribe(SubscriptionArn=subscription)
    sns.unsubscribe(SubscriptionArn=subscription)
    error = refused(sns.get_subscription_attributes, SubscriptionArn=subscription)
    assert (error.code, error.status, error.message) == ("NotFound", 404, "Subscription does not exist")
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsDeleted"] == "1"


def test_a_stranger_sees_and_changes_nothing(cloud: Account, refused: Callable[..., Any], subscription: str) -> None:
    stranger = cloud.another().client("sns")
    assert refused(stranger.get_subscription_attributes, SubscriptionArn=subscription).code == "AuthorizationError"
    assert refused(stranger.unsubscribe, SubscriptionArn=subscription).code == "AuthorizationError"


def test_subscriptions_outlive_their_topic_for_a_minute(
    cloud: Account, sns: Any, refused: Callable[..., Any], topic: str, subscription: str
) -> None:
    sns.delete_topic(TopicArn=topic)
    assert shown(sns, subscription)["TopicArn"] == topic
    sns.create_topic(Name="searches")
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    cloud.advance(61)
    assert refused(sns.get_subscription_attributes, SubscriptionArn=subscription).code == "NotFound"
    assert sns.list_subscriptions()["Subscriptions"] == []


@pytest.mark.parametrize(
    ("protocol", "endpoint", "message"),
    [
        ("pigeon", "x", "Invalid parameter: Does not support this protocol string: pigeon"),
        ("sqs", "orders", "Invalid parameter: SQS endpoint ARN"),
        ("email", "nobody", "Invalid parameter: Email address"),
        ("http", "https://a.example", "Invalid parameter: Endpoint must match the specified protocol"),
        ("sms", "+15--551234567", "Invalid SMS endpoint: +15--551234567"),
        ("sms", "NAA+15551234567", "Invalid SMS endpoint: NAA+15551234567"),
        ("sms", "+15551234567.", "Invalid SMS endpoint: +15551234567."),
        ("sms", "/+15551234567", "Invalid SMS endpoint: /+15551234567"),
        (
            "sqs",
            "arn:aws:sqs:us-east-1:123456789012:q.fifo",
            "Invalid parameter: Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard "
            "SNS topics",
        ),
    ],
)
def test_wrong_endpoints_are_refused(
    sns: Any, refused: Callable[..., Any], topic: str, protocol: str, endpoint: str, message: str
) -> None:
    error = refused(sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    assert (error.code, error.message) == ("InvalidParameter", message)


def test_fifo_topics_take_queues_only(sns: Any, refused: Callable[..., Any], fifo_topic: str) -> None:
    error = refused(sns.subscribe, TopicArn=fifo_topic, Protocol="sms", Endpoint="+15551234567")
    assert error.message == "Invalid parameter: Invalid protocol type: sms"


def test_streams_are_refused_by_name(cloud: Account, sns: Any, refused: Callable[..., Any], topic: str) -> None:
    arn = f"arn:aws:firehose:us-east-1:{cloud.account}:deliverystream/d"
    error = refused(sns.subscribe, TopicArn=topic, Protocol="firehose", Endpoint=arn)
    assert error.code == "NotImplemented"
    assert "firehose" in error.message


def test_wrong_topics_are_refused(cloud: Account, sns: Any, refused: Callable[..., Any], queue_arn: str) -> None:
    for arn, message in (
        ("x", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"),
        (f"arn:aws:sns:us-east-1:{cloud.account}:none", "Topic does not exist"),
    ):
        assert refused(sns.subscribe, TopicArn=arn, Protocol="sqs", Endpoint=queue_arn).message == message


SOURCE = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: 2]"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FakeAttribute", "x", "AttributeName"),
        ("RawMessageDelivery", "test-ValUe", "RawMessageDelivery: Invalid value [test-ValUe]. Must be true or false."),
        ("RawMessageDelivery", "", "RawMessageDelivery: Invalid value []. Must be true or false."),
        (
            "FilterPolicy",
            "{invalid}",
            "FilterPolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to "
            "start field name" + SOURCE,
        ),
        (
            "RedrivePolicy",
            "{invalid}",
            "RedrivePolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to "
            "start field name" + SOURCE,
        ),
        ("RedrivePolicy", '{"deadLetterTargetArn": "fake"}', "RedrivePolicy: deadLetterTargetArn is an invalid arn"),
        (
            "FilterPolicyScope",
            "RandomValue",
            "FilterPolicyScope: Invalid value [RandomValue]. Please use either MessageBody or MessageAttributes",
        ),
    ],
)
def test_wrong_attributes_are_refused(
    sns: Any, refused: Callable[..., Any], subscription: str, name: str, value: str, message: str
) -> None:
    error = refused(
        sns.set_subscription_attributes, SubscriptionArn=subscription, AttributeName=name, AttributeValue=value
    )
    assert error.message == "Invalid parameter: " + message


def test_while_subscribing_the_text_says_attributes(
    sns: Any, refused: Callable[..., Any], topic: str, queue_arn: str
) -> None:
    given = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue_arn}
    error = refused(sns.subscribe, **given, Attributes={"FilterPolicy": "invalid"})
    assert error.message.startswith(
        "Invalid parameter: Attributes Reason: FilterPolicy: failed to parse JSON. Unrecognized token 'invalid'"
    )


def test_the_scope_is_shown_with_a_policy(sns: Any, subscription: str) -> None:
    def set_to(name: str, value: str) -> dict[str, str]:
        sns.set_subscription_attributes(SubscriptionArn=subscription, AttributeName=name, AttributeValue=value)
        return shown(sns, subscription)

    assert "FilterPolicyScope" not in set_to("FilterPolicyScope", "MessageBody")
    found = set_to("FilterPolicy", '{"attr": ["match-this"]}')
    assert found["FilterPolicyScope"] == "MessageBody"
    assert json.loads(found["FilterPolicy"]) == {"attr": ["match-this"]}
    assert "FilterPolicy" not in set_to("FilterPolicy", "{}")


def test_a_fifo_subscription_wants_a_fifo_dead_letter_queue(
    cloud: Account, sns: Any, refused: Callable[..., Any], fifo_topic: str, queue_arn: str
) -> None:
    arn = sns.subscribe(TopicArn=fifo_topic, Protocol="sqs", Endpoint=queue_arn + ".fifo")["SubscriptionArn"]
    error = refused(
        sns.set_subscription_attributes,
        SubscriptionArn=arn,
        AttributeName="RedrivePolicy",
        AttributeValue=json.dumps({"deadLetterTargetArn": queue_arn}),
    )
    assert error.message == (
        "Invalid parameter: RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."
    )


def test_subscriptions_are_listed_by_the_hundred(cloud: Account, sns: Any, topic: str) -> None:
    for number in range(101):
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{cloud.account}:q{number}")
    for page in (sns.list_subscriptions, lambda **more: sns.list_subscriptions_by_topic(TopicArn=topic, **more)):
        first = page()
        assert len(first["Subscriptions"]) == 100
        assert len(page(NextToken=first["NextToken"])["Subscriptions"]) == 1
