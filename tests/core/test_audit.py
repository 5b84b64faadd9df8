"""Audit mode: calls are decided and written down, and let through."""

from typing import Any

import boto3
import msgspec
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from cumulo.cli.why import explanation
from cumulo.core.usage.calls import Call
from tests.conftest import Account
from tests.services.identity.iam.conftest import House, document, refused, trust


@pytest.fixture(scope="module")
def audited_cloud(start_cloud: Any) -> Any:
    return start_cloud(iam="audit")


@pytest.fixture
def audited(audited_cloud: Any, cloud: Account) -> House:
    """A fresh account in a cloud that audits."""
    return House(Account(audited_cloud, cloud.account))


def newest(house: House, operation: str) -> Call:
    calls: list[Call] = house.cloud.running.cloud.runtime.journal.recent()
    return next(call for call in calls if call.operation == operation and call.account == house.account)


def test_what_no_policy_allows_goes_through_and_is_written_down(audited: House) -> None:
    sqs = audited.client("sqs", audited.user("alice"))
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    arn = f"arn:aws:sqs:us-east-1:{audited.account}:orders"
    call = newest(audited, "SendMessage")
    assert (call.error, call.denial) == ("", None)
    assert (call.actions, call.resources) == (["sqs:SendMessage"], [arn])
    (denial,) = call.audited
    assert denial["permission"] == {"action": "sqs:SendMessage", "resource": arn}
    shown = explanation(msgspec.to_builtins(call))
    assert "ended    answered" in shown
    assert f"would have been denied: sqs:SendMessage on {arn}" in shown
    assert f'{{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "{arn}"}}' in shown


def test_what_is_allowed_is_not_audited(audited: House) -> None:
    sqs = audited.client("sqs", audited.user("bob", document("sqs:ListQueues")))
    sqs.list_queues()
    assert newest(audited, "ListQueues").audited == []


def test_an_explicit_deny_is_audited_too(audited: House) -> None:
    sqs = audited.client("sqs", audited.user("eve", document("sqs:*", effect="Deny")))
    sqs.list_queues()
    (denial,) = newest(audited, "ListQueues").audited
    assert denial["kind"] == "explicitDeny"


def test_a_role_that_trusts_nobody_may_be_assumed(audited: House) -> None:
    role = audited.role("worker", trust({"Service": "ec2.amazonaws.com"}))
    sts = audited.client("sts", audited.user("carol"))
    sts.assume_role(RoleArn=role, RoleSessionName="one")
    (denial,) = newest(audited, "AssumeRole").audited
    assert denial["decided_by"] == "role trust policy"


def test_a_service_is_let_through(audited: House) -> None:
    cloud = audited.cloud
    sqs, sns = cloud.client("sqs"), cloud.client("sns")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    topic = sns.create_topic(Name="said")["TopicArn"]
    arn = f"arn:aws:sqs:us-east-1:{audited.account}:heard"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="hello")
    cloud.settle()
    assert sqs.receive_message(QueueUrl=url)["Messages"]
    calls = cloud.running.cloud.runtime.journal.recent()
    call = next(call for call in calls if call.principal == "sns.amazonaws.com" and arn in call.resources)
    (denial,) = call.audited
    assert denial["decided_by"] == "resource-based policy"


def test_roots_resources_are_written_down(audited: House) -> None:
    sqs = audited.cloud.client("sqs")
    url = sqs.create_queue(QueueName="mine")["QueueUrl"]
    sqs.purge_queue(QueueUrl=url)
    call = newest(audited, "PurgeQueue")
    assert (call.actions, call.audited) == (["sqs:PurgeQueue"], [])
    assert call.resources == [f"arn:aws:sqs:us-east-1:{audited.account}:mine"]


def test_keys_and_signatures_are_still_checked(audited: House) -> None:
    key = audited.user("dave")
    assert refused(audited.client("sqs", {**key, "SecretAccessKey": "wrong"}).list_queues)[0] == "SignatureDoesNotMatch"
    url = audited.cloud.client("sqs").create_queue(QueueName="private")["QueueUrl"]
    nobody = boto3.client(
        "sqs", endpoint_url=audited.cloud.url, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    assert refused(nobody.send_message, QueueUrl=url, MessageBody="x")[2] == 403


def test_enforcing_is_the_default(cloud: Account) -> None:
    house = House(cloud)
    assert cloud.running.settings.iam == "enforce"
    assert refused(house.client("sqs", house.user("alice")).list_queues)[0] == "AccessDenied"
    call = newest(house, "ListQueues")
    assert call.denial is not None
    assert call.audited == []
