"""Topics with KmsMasterKeyId: bodies sealed at rest under the key, whose policy and state decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Account, RunningCloud
from tests.refusals import Refusal
from tests.services.messaging.sns.conftest import Queue, Receiver

SECRET = "a secret nobody may find at rest"
BOTH = {"GenerateDataKey", "Decrypt"}


def policy(account: str, *statements: dict[str, Any]) -> str:
    own = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [own, *statements]})


def deny(action: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": f"kms:{action}", "Resource": "*"}


def make_key(cloud: Account, *statements: dict[str, Any]) -> str:
    return str(cloud.client("kms").create_key(Policy=policy(cloud.account, *statements))["KeyMetadata"]["Arn"])


def make_topic(sns: Any, key: str, name: str = "sealed", **attributes: str) -> str:
    if name.endswith(".fifo"):
        attributes |= {"FifoTopic": "true", "ContentBasedDeduplication": "true"}
    return str(sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": key, **attributes})["TopicArn"])


def subscribe(sns: Any, topic: str, endpoint: str, protocol: str = "sqs", **attributes: str) -> None:
    attributes.setdefault("RawMessageDelivery", "true")
    sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)


def kms_calls(cloud: Account) -> list[str]:
    """What KMS was asked for in this account, in order."""
    journal = cloud.running.cloud.runtime.journal
    return [
        call.operation
        for call in list(journal._calls)
        if call.service == "kms" and call.account == cloud.account and call.operation in BOTH
    ]


def at_rest(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_body_is_sealed_at_rest_and_delivered_after_a_restart(
    start_cloud: Callable[..., RunningCloud], tmp_path: Path
) -> None:
    running = start_cloud(tmp_path)
    cloud = Account(running, "123456789012")
    sns, kms, key = cloud.client("sns"), cloud.client("kms"), make_key(cloud)
    topic = make_topic(sns, key)
    archive = json.dumps({"MessageRetentionPeriod": "3"})
    fifo = make_topic(sns, key, "sealed.fifo", ArchivePolicy=archive)
    queue, ordered = Queue(cloud, "orders"), Queue(cloud, "orders.fifo")
    sns.publish(TopicArn=topic, Message="before there is a subscription")
    sns.publish(TopicArn=fifo, Message=SECRET, MessageGroupId="g")  # to the archive alone
    subscribe(sns, topic, queue.arn)
    kms.disable_key(KeyId=key)
    texts = json.dumps({"default": "another", "sqs": SECRET})
    sns.publish(TopicArn=topic, Message=texts, MessageStructure="json", Subject="not sealed")  # with the data key known
    cloud.settle()
    running.stop()
    assert SECRET.encode() not in at_rest(tmp_path)
    assert b"not sealed" in at_rest(tmp_path)

    running = start_cloud(tmp_path)
    cloud = Account(running, "123456789012")
    cloud.client("kms").enable_key(KeyId=key)
    cloud.advance(30)
    queue.sqs, queue.cloud = cloud.client("sqs"), cloud
    assert queue.bodies() == [SECRET]
    replay = json.dumps({"PointType": "Timestamp", "StartingPoint": "2020-01-01T00:00:00.000Z"})
    ordered.sqs, ordered.cloud = cloud.client("sqs"), cloud
    bodies = json.dumps({"FilterPolicyScope": "MessageBody"})
    assert bodies
    subscribe(cloud.client("sns"), fifo, ordered.arn, ReplayPolicy=replay)
    assert ordered.bodies() == [SECRET]
    running.stop()


def test_the_key_policy_decides(cloud: Account, sns: Any, queue: Callable[..., Queue], refused: Any) -> None:
    kms, key = cloud.client("kms"), make_key(cloud, deny("GenerateDataKey"))
    topic, orders = make_topic(sns, key), queue()
    subscribe(sns, topic, orders.arn)
    failure: Refusal = refused(sns.publish, TopicArn=topic, Message="one")
    assert (failure.code, failure.status) == ("KMSAccessDenied", 400)
    text, _, rest = failure.message.partition(
        " (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; "
    )
    assert text == (
        f"User: arn:aws:iam::{cloud.account}:root is not authorized to perform: kms:GenerateDataKey on resource: {key} "
        "with an explicit deny in a resource-based policy"
    )
    assert rest.startswith("Request ID: ") and rest.endswith("; Proxy: null)")
    entries = [{"Id": "a", "Message": "two"}]
    assert refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries).code == "KMSAccessDenied"
    kms.put_key_policy(KeyId=key, Policy=policy(cloud.account, deny("Decrypt")))  # with which SNS verifies a data key
    assert refused(sns.publish, TopicArn=topic, Message="one").code == "KMSAccessDenied"
    kms.put_key_policy(KeyId=key, Policy=policy(cloud.account))
    sns.publish(TopicArn=topic, Message="three")
    assert orders.bodies() == ["three"]


def test_a_publisher_of_another_account_needs_the_key_for_this_topic(
    cloud: Account, sns: Any, queue: Callable[..., Queue], refused: Any
) -> None:
    other = cloud.another()
    kms, key = cloud.client("kms"), make_key(cloud)
    kms.create_alias(AliasName="alias/topics", TargetKeyId=key)
    topic, orders = make_topic(sns, "alias/topics"), queue()  # an alias of the topic's account, whoever calls
    subscribe(sns, topic, orders.arn)
    sns.add_permission(TopicArn=topic, Label="share", AWSAccountId=[other.account], ActionName=["Publish"])
    theirs = other.client("sns")
    assert refused(theirs.publish, TopicArn=topic, Message="one").code == "KMSAccessDenied"
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:aws:sns:topicArn": topic}},
    }
    kms.put_key_policy(KeyId=key, Policy=policy(cloud.account, allow))
    theirs.publish(TopicArn=topic, Message="two")
    assert orders.bodies() == ["two"]


def test_states_of_the_key(cloud: Account, sns: Any, refused: Any) -> None:
    kms, key = cloud.client("kms"), make_key(cloud)
    topic = make_topic(sns, key)
    sns.publish(TopicArn=topic, Message="one")
    kms.disable_key(KeyId=key)
    sns.publish(TopicArn=topic, Message="two")  # a data key serves for five minutes
    cloud.advance(301)
    assert refused(sns.publish, TopicArn=topic, Message="three").code == "KMSDisabled"
    kms.schedule_key_deletion(KeyId=key)
    assert refused(sns.publish, TopicArn=topic, Message="three").code == "KMSInvalidState"
    for missing in ("alias/none", "00000000-0000-4000-8000-000000000000"):
        failure = refused(sns.publish, TopicArn=make_topic(sns, missing, missing[-4:]), Message="three")
        assert failure.code == "KMSNotFound"
    signing = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    assert refused(sns.publish, TopicArn=make_topic(sns, signing, "s"), Message="three").code == "KMSInvalidState"


def test_a_data_key_is_used_again(cloud: Account, sns: Any, queue: Callable[..., Queue]) -> None:
    topic, orders = make_topic(sns, make_key(cloud)), queue()
    subscribe(sns, topic, orders.arn)
    entries = [{"Id": str(number), "Message": "one"} for number in range(5)]
    sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    for _ in range(3):
        sns.publish(TopicArn=topic, Message="two")
    assert len(orders.bodies()) == 8
    assert kms_calls(cloud)[:2] == ["GenerateDataKey", "Decrypt"]
    assert "GenerateDataKey" not in kms_calls(cloud)[2:]
    cloud.advance(301)
    before = len(kms_calls(cloud))
    sns.publish(TopicArn=topic, Message="three")
    assert kms_calls(cloud)[before : before + 2] == ["GenerateDataKey", "Decrypt"]


def test_the_aws_managed_key(cloud: Account, sns: Any, queue: Callable[..., Queue], refused: Any) -> None:
    topic, orders = make_topic(sns, "alias/aws/sns"), queue()
    subscribe(sns, topic, orders.arn)
    sns.publish(TopicArn=topic, Message="one")
    assert orders.bodies() == ["one"]
    other = cloud.another()  # it lets in only who is of the account
    sns.add_permission(TopicArn=topic, Label="share", AWSAccountId=[other.account], ActionName=["Publish"])
    assert refused(other.client("sns").publish, TopicArn=topic, Message="two").code == "KMSAccessDenied"


def test_a_delivery_waits_for_the_key(cloud: Account, sns: Any, receiver: Receiver) -> None:
    kms, key = cloud.client("kms"), make_key(cloud)
    topic = make_topic(sns, key)
    sns.publish(TopicArn=topic, Message="nobody hears it")
    subscribe(sns, topic, receiver.url, "http")
    cloud.settle()
    token = receiver.bodies("SubscriptionConfirmation")[0]["Token"]
    sns.confirm_subscription(TopicArn=topic, Token=token)
    kms.disable_key(KeyId=key)
    sns.publish(TopicArn=topic, Message="heard later")
    cloud.settle()
    assert len(receiver.requests) == 1
    kms.enable_key(KeyId=key)
    cloud.advance(20)
    assert [body for _, body in receiver.requests[1:]] == ["heard later"]


@pytest.mark.parametrize(
    ("protocol", "endpoint", "folder"), [("sms", "+15550100", "sms"), ("email", "a@b.example", "mail")]
)
def test_other_endpoints_get_the_body(cloud: Account, sns: Any, protocol: str, endpoint: str, folder: str) -> None:
    topic = make_topic(sns, make_key(cloud), f"sealed-{protocol}")
    name = sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, ReturnSubscriptionArn=True)
    cloud.settle()
    if protocol == "email":
        (mail,) = [path for path in (cloud.data_dir / "mail").glob("*.eml") if topic in path.read_text()]
        token = mail.read_text().replace("=\n", "").partition("Token=")[2].split()[0]
        sns.confirm_subscription(TopicArn=topic, Token=token.removeprefix("3D"))
    sns.publish(TopicArn=topic, Message=f"{SECRET} {cloud.account}")
    cloud.settle()
    assert name
    written = at_rest(cloud.data_dir / folder).decode()
    assert f"{SECRET} {cloud.account}" in written


def test_filters_on_the_body_see_it(cloud: Account, sns: Any, queue: Callable[..., Queue]) -> None:
    topic = make_topic(sns, make_key(cloud), "s.fifo", ArchivePolicy=json.dumps({"MessageRetentionPeriod": "3"}))
    wanted = {"FilterPolicyScope": "MessageBody", "FilterPolicy": json.dumps({"kind": ["a"]})}
    now, later = queue("now.fifo"), queue("later.fifo")
    subscribe(sns, topic, now.arn, **wanted)
    for kind in "ab":
        sns.publish(TopicArn=topic, Message=json.dumps({"kind": kind}), MessageGroupId="g")
    assert now.bodies() == ['{"kind": "a"}']
    replay = json.dumps({"PointType": "Timestamp", "StartingPoint": "2020-01-01T00:00:00.000Z"})
    subscribe(sns, topic, later.arn, ReplayPolicy=replay, **wanted)
    assert later.bodies() == ['{"kind": "a"}']
