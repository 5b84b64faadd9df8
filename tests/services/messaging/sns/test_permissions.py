"""AddPermission and RemovePermission; tags; data protection policies."""

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Account


def test_a_statement_is_added_to_the_default_policy(cloud: Account, sns: Any, topic: str) -> None:
    sns.add_permission(TopicArn=topic, Label="test", AWSAccountId=[cloud.account], ActionName=["Publish"])
    policy = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert [statement["Sid"] for statement in policy["Statement"]] == ["__default_statement_ID", "test"]
    assert policy["Statement"][1] == {
        "Sid": "test",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"},
        "Action": "SNS:Publish",
        "Resource": topic,
    }


def test_wrong_permissions_are_refused(cloud: Account, sns: Any, refused: Callable[..., Any], topic: str) -> None:
    given = {"TopicArn": topic, "Label": "test", "AWSAccountId": [cloud.account], "ActionName": ["Publish"]}
    sns.add_permission(**given)
    assert refused(sns.add_permission, **given).message == "Invalid parameter: Statement already exists"
    error = refused(sns.add_permission, **{**given, "Label": "b", "ActionName": ["Fly"]})
    assert error.message == "Invalid parameter: Policy statement action out of service scope!"
    missing = topic + "-missing"
    assert refused(sns.add_permission, **{**given, "TopicArn": missing}).message == "Topic does not exist"
    assert refused(sns.remove_permission, TopicArn=missing, Label="test").code == "NotFound"


def test_a_policy_is_checked_when_it_is_set(sns: Any, refused: Callable[..., Any], topic: str) -> None:
    for document, message in (
        ("{", "Invalid parameter: Policy Error: null"),
        ('{"Statement": []}', "Invalid parameter: Policy Error: null"),
        (
            '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:Send", "Resource": "*"}]}',
            "Invalid parameter: Policy statement action out of service scope!",
        ),
    ):
        error = refused(sns.set_topic_attributes, TopicArn=topic, AttributeName="Policy", AttributeValue=document)
        assert error.message == message


def test_tags_are_added_changed_and_removed(sns: Any, refused: Callable[..., Any]) -> None:
    tags = [{"Key": "k1", "Value": "v1"}, {"Key": "k2", "Value": "v2"}]
    arn = sns.create_topic(Name="tagged", Tags=tags)["TopicArn"]
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == tags
    sns.untag_resource(ResourceArn=arn, TagKeys=["k1", "unknown"])
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "k2", "Value": "v2b"}])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "k2", "Value": "v2b"}]
    twice = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
    error = refused(sns.tag_resource, ResourceArn=arn, Tags=twice)
    assert error.message == "Invalid parameter: Duplicated keys are not allowed."
    sns.delete_topic(TopicArn=arn)
    error = refused(sns.list_tags_for_resource, ResourceArn=arn)
    assert (error.code, error.status, error.message) == ("ResourceNotFound", 404, "Resource does not exist")
    sns.create_topic(Name="tagged")
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == []


def test_a_data_protection_policy_is_checked_and_kept(sns: Any, refused: Callable[..., Any], topic: str) -> None:
    policy = {
        "Name": "p",
        "Version": "2021-06-01",
        "Statement": [
            {
                "DataDirection": "Inbound",
                "Principal": ["*"],
                "DataIdentifier": ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"],
                "Operation": {"Deny": {}},
            }
        ],
    }
    document = json.dumps(policy)
    sns.put_data_protection_policy(ResourceArn=topic, DataProtectionPolicy=document)
    assert sns.get_data_protection_policy(ResourceArn=topic)["DataProtectionPolicy"] == document
    for wrong in ("{", "{}", '{"Name": "p", "Version": "2021-06-01", "Statement": [{}]}'):
        error = refused(sns.put_data_protection_policy, ResourceArn=topic, DataProtectionPolicy=wrong)
        assert error.code == "InvalidParameter"
