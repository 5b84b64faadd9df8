"""Topics: creation, attributes, idempotency, listing, deletion."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account

RETRIES = {
    "minDelayTarget": 20,
    "maxDelayTarget": 20,
    "numRetries": 3,
    "numMaxDelayRetries": 0,
    "numNoDelayRetries": 0,
    "numMinDelayRetries": 0,
    "backoffFunction": "linear",
}


def attributes(sns: Any, arn: str) -> dict[str, str]:
    found: dict[str, str] = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    return found


def test_a_new_topic_has_the_attributes_that_aws_shows(cloud: Account, sns: Any, topic: str) -> None:
    found = attributes(sns, topic)
    policy = json.loads(found.pop("Policy"))
    effective = json.loads(found.pop("EffectiveDeliveryPolicy"))
    assert found == {
        "TopicArn": f"arn:aws:sns:us-east-1:{cloud.account}:searches",
        "Owner": cloud.account,
        "DisplayName": "",
        "SubscriptionsConfirmed": "0",
        "SubscriptionsPending": "0",
        "SubscriptionsDeleted": "0",
    }
    assert policy["Id"] == "__default_policy_ID"
    [statement] = policy["Statement"]
    assert statement["Sid"] == "__default_statement_ID"
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceOwner": cloud.account}}
    assert statement["Resource"] == topic
    assert effective == {
        "http": {
            "defaultHealthyRetryPolicy": RETRIES,
            "disableSubscriptionOverrides": False,
            "defaultRequestPolicy": {"headerContentType": "text/plain; charset=UTF-8"},
        }
    }


def test_a_fifo_topic_says_so(sns: Any, fifo_topic: str) -> None:
    found = attributes(sns, fifo_topic)
    assert found["FifoTopic"] == "true"
    assert found["ContentBasedDeduplication"] == "false"


@pytest.mark.parametrize(
    ("name", "fifo"),
    [("", "false"), ("a" * 257, "false"), ("a.fifo", "false"), ("a", "true"), ("a:b", "false"), ("a b", "false")],
)
def test_a_wrong_name_is_refused(sns: Any, refused: Callable[..., Any], name: str, fifo: str) -> None:
    error = refused(sns.create_topic, Name=name, Attributes={"FifoTopic": fifo})
    assert (error.code, error.message) == ("InvalidParameter", "Invalid parameter: Topic Name")
    assert error.status == 400


def test_creating_again_is_idempotent_for_what_is_the_same(sns: Any, refused: Callable[..., Any]) -> None:
    first = sns.create_topic(Name="a", Attributes={"DisplayName": "Value1"})["TopicArn"]
    assert sns.create_topic(Name="a")["TopicArn"] == first
    assert sns.create_topic(Name="a", Attributes={"DisplayName": "Value1"})["TopicArn"] == first
    for given in ({"DisplayName": "Other"}, {"KmsMasterKeyId": "k"}, {"DisplayName": "Value1", "KmsMasterKeyId": "k"}):
        error = refused(sns.create_topic, Name="a", Attributes=given)
        assert error.message == "Invalid parameter: Attributes Reason: Topic already exists with different attributes"


def test_creating_again_with_other_tags_is_refused(sns: Any, refused: Callable[..., Any]) -> None:
    tags = [{"Key": "k", "Value": "v"}]
    first = sns.create_topic(Name="a", Tags=tags)["TopicArn"]
    assert sns.create_topic(Name="a", Tags=tags)["TopicArn"] == first
    error = refused(sns.create_topic, Name="a", Tags=[*tags, {"Key": "k2", "Value": "v"}])
    assert error.message == "Invalid parameter: Tags Reason: Topic already exists with different tags"


def test_fifo_is_decided_at_creation(sns: Any, refused: Callable[..., Any]) -> None:
    arn = sns.create_topic(Name="a", Attributes={"FifoTopic": "false"})["TopicArn"]
    assert "FifoTopic" not in attributes(sns, arn)
    error = refused(sns.set_topic_attributes, TopicArn=arn, AttributeName="FifoTopic", AttributeValue="false")
    assert error.message == "Invalid parameter: AttributeName"


def test_attributes_are_set_shown_and_taken_back(sns: Any, topic: str) -> None:
    for name, value in (("DisplayName", "Searches"), ("TracingConfig", "Active"), ("SignatureVersion", "2")):
        sns.set_topic_attributes(TopicArn=topic, AttributeName=name, AttributeValue=value)
        assert attributes(sns, topic)[name] == value
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName")
    assert attributes(sns, topic)["DisplayName"] == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SignatureVersion", "3"),
        ("TracingConfig", "Loud"),
        ("DeliveryPolicy", "{"),
        ("MaximumMessageSize", "12"),
        ("SQSSuccessFeedbackSampleRate", "101"),
        ("HTTPFailureFeedbackRoleArn", "nobody"),
        ("ContentBasedDeduplication", "true"),
    ],
)
def test_wrong_values_are_refused(sns: Any, refused: Callable[..., Any], topic: str, name: str, value: str) -> None:
    error = refused(sns.set_topic_attributes, TopicArn=topic, AttributeName=name, AttributeValue=value)
    assert error.code == "InvalidParameter"
    assert name in error.message


def test_a_delivery_policy_is_completed_and_takes_effect(sns: Any, topic: str) -> None:
    policy = {"http": {"defaultRequestPolicy": {"headerContentType": "application/json"}}}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DeliveryPolicy", AttributeValue=json.dumps(policy))
    found = attributes(sns, topic)
    policy["http"]["disableSubscriptionOverrides"] = False  # type: ignore[assignment]
    assert json.loads(found["DeliveryPolicy"]) == policy
    effective = json.loads(found["EffectiveDeliveryPolicy"])["http"]
    assert effective["defaultRequestPolicy"] == {"headerContentType": "application/json"}
    assert effective["defaultHealthyRetryPolicy"] == RETRIES


def test_topics_are_listed_by_the_hundred_and_by_region(cloud: Account, sns: Any) -> None:
    for number in range(101):
        sns.create_topic(Name=f"t{number:03d}")
    west = cloud.client("sns", region="us-west-2")
    west.create_topic(Name="far")
    first = sns.list_topics()
    assert len(first["Topics"]) == 100
    second = sns.list_topics(NextToken=first["NextToken"])
    assert [each["TopicArn"].rpartition(":")[2] for each in second["Topics"]] == ["t100"]
    assert "NextToken" not in second
    assert [each["TopicArn"] for each in west.list_topics()["Topics"]] == [f"arn:aws:sns:us-west-2:{cloud.account}:far"]


def test_a_deleted_topic_is_gone_and_deleting_it_again_is_fine(
    sns: Any, refused: Callable[..., Any], topic: str
) -> None:
    sns.delete_topic(TopicArn=topic)
    sns.delete_topic(TopicArn=topic)
    error = refused(sns.get_topic_attributes, TopicArn=topic)
    assert (error.code, error.status, error.message) == ("NotFound", 404, "Topic does not exist")


@pytest.mark.parametrize(("arn", "count"), [("", 1), ("nothing", 1), ("arn:nothing", 2)])
def test_what_is_no_arn_is_refused(sns: Any, refused: Callable[..., Any], arn: str, count: int) -> None:
    error = refused(sns.publish, TopicArn=arn, Message="m")
    reason = f"An ARN must have at least 6 elements, not {count}"
    assert error.message == f"Invalid parameter: TopicArn Reason: {reason}"


def test_an_arn_of_another_region_is_refused(cloud: Account, refused: Callable[..., Any], topic: str) -> None:
    error = refused(cloud.client("sns", region="us-west-2").publish, TopicArn=topic, Message="m")
    assert error.message == "Invalid parameter: TopicArn"


def test_the_topic_policy_decides_who_publishes_from_elsewhere(
    cloud: Account, sns: Any, refused: Callable[..., Any], topic: str
) -> None:
    other = cloud.another()
    stranger = other.client("sns")
    error = refused(stranger.publish, TopicArn=topic, Message="m")
    assert (error.code, error.status) == ("AuthorizationError", 403)
    sns.add_permission(TopicArn=topic, Label="them", AWSAccountId=[other.account], ActionName=["Publish"])
    assert stranger.publish(TopicArn=topic, Message="m")["MessageId"]
    sns.remove_permission(TopicArn=topic, Label="them")
    assert refused(stranger.publish, TopicArn=topic, Message="m").code == "AuthorizationError"
