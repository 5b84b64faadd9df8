"""Queues with KmsMasterKeyId: sealed at rest under the key, whose policy and state decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cumulo.services.messaging.sqs.messages import CODEC, Message
from tests.conftest import Account, RunningCloud
from tests.services.messaging.sqs.conftest import arn, bodies, receive, redrive, refused

SECRET = "a secret nobody may find at rest"
ATTRIBUTES = {"note": {"DataType": "String", "StringValue": f"{SECRET} either"}}
BOTH = {"GenerateDataKey", "Decrypt"}


def make_key(cloud: Account, *statements: dict[str, Any]) -> str:
    """A key of the account's, with more statements in its policy."""
    return str(cloud.client("kms").create_key(Policy=policy(cloud, *statements))["KeyMetadata"]["Arn"])


def policy(cloud: Account, *statements: dict[str, Any]) -> str:
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [own, *statements]})


def deny(action: str) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": f"kms:{action}", "Resource": "*"}


def make_queue(sqs: Any, key: str, name: str = "sealed", **attributes: str) -> str:
    return str(sqs.create_queue(QueueName=name, Attributes={"KmsMasterKeyId": key, **attributes})["QueueUrl"])


def kms_calls(cloud: Account) -> list[str]:
    """What KMS was asked for by SQS in this account, in order."""
    journal = cloud.running.cloud.runtime.journal
    return [
        call.operation
        for call in list(journal._calls)
        if call.service == "kms" and call.account == cloud.account and call.operation in BOTH
    ]


def at_rest(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("size", [1, 100])
def test_a_message_is_sealed_at_rest_and_opened_after_a_restart(
    start_cloud: Callable[..., RunningCloud], tmp_path: Path, size: int
) -> None:
    running = start_cloud(tmp_path)
    sqs = Account(running, "123456789012").client("sqs")
    key = make_key(Account(running, "123456789012"))
    url = make_queue(sqs, key)
    fifo = make_queue(sqs, key, "sealed.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    plain = sqs.create_queue(QueueName="plain")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=SECRET * size, MessageAttributes=ATTRIBUTES)
    sqs.send_message(QueueUrl=fifo, MessageBody=SECRET * size, MessageGroupId="g", MessageAttributes=ATTRIBUTES)
    sqs.send_message(QueueUrl=plain, MessageBody="found at rest")
    running.stop()
    assert b"found at rest" in at_rest(tmp_path)
    assert SECRET.encode() not in at_rest(tmp_path)

    running = start_cloud(tmp_path)
    sqs = Account(running, "123456789012").client("sqs")
    for before in (url, fifo):
        path = running.url + before[before.index("/123456789012/") :]
        options = {"ReceiveRequestAttemptId": "once"} if before is fifo else {}
        (message,) = receive(sqs, path, MessageAttributeNames=["All"], **options)
        assert message["Body"] == SECRET * size
        assert message["MessageAttributes"] == ATTRIBUTES
        if options:
            assert bodies(receive(sqs, path, **options)) == bodies(receive(sqs, path, **options)) == [SECRET * size]
    running.stop()
    assert SECRET.encode() not in at_rest(tmp_path)


def test_a_message_of_a_queue_without_a_key_is_as_it_was() -> None:
    assert CODEC.decode(b"\x01" + CODEC.encode(Message("id", "body", "md5", 1, "me"))[1:]).body == "body"


def test_the_key_policy_decides_for_sender_and_receiver(cloud: Account, sqs: Any) -> None:
    kms, key = cloud.client("kms"), make_key(cloud)
    url = make_queue(sqs, key, KmsDataKeyReusePeriodSeconds="60")
    sqs.send_message(QueueUrl=url, MessageBody="one")
    kms.put_key_policy(KeyId=key, Policy=policy(cloud, deny("Decrypt")))
    with refused("KMS.AccessDeniedException"):
        receive(sqs, url)
    cloud.advance(61)
    with refused("KMS.AccessDeniedException"):  # a sender verifies its data key
        sqs.send_message(QueueUrl=url, MessageBody="two")
    kms.put_key_policy(KeyId=key, Policy=policy(cloud, deny("GenerateDataKey")))
    assert bodies(receive(sqs, url)) == ["one"]  # nothing was taken by who could not read it
    with refused("KMS.AccessDeniedException"):
        sqs.send_message(QueueUrl=url, MessageBody="two")
    with refused("KMS.AccessDeniedException"):  # the whole batch
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "two"}])


def test_aws_words(cloud: Account, sqs: Any) -> None:
    key = make_key(cloud, deny("GenerateDataKey"))
    url = make_queue(sqs, key)
    with pytest.raises(Exception) as caught:
        sqs.send_message(QueueUrl=url, MessageBody="one")
    error = caught.value.response["Error"]  # type: ignore[attr-defined]
    text, _, rest = error["Message"].partition(
        " (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; "
    )
    assert text == (
        f"User: arn:aws:iam::{cloud.account}:root is not authorized to perform: kms:GenerateDataKey on resource: {key} "
        "with an explicit deny in a resource-based policy"
    )
    assert rest.startswith("Request ID: ") and rest.endswith("; Proxy: null)")


def test_a_data_key_is_used_again_for_the_period(cloud: Account, sqs: Any) -> None:
    url = make_queue(sqs, make_key(cloud), KmsDataKeyReusePeriodSeconds="100")
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody="one")
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "two"} for n in range(5)])
    assert kms_calls(cloud) == ["GenerateDataKey", "Decrypt"]
    assert len(receive(sqs, url)) == 8
    assert kms_calls(cloud)[2:] == ["Decrypt"]
    cloud.advance(101)
    sqs.send_message(QueueUrl=url, MessageBody="three")
    assert kms_calls(cloud)[3:] == ["GenerateDataKey", "Decrypt"]


def test_states_of_the_key(cloud: Account, sqs: Any) -> None:
    kms, key = cloud.client("kms"), make_key(cloud)
    url = make_queue(sqs, key, KmsDataKeyReusePeriodSeconds="60")
    sqs.send_message(QueueUrl=url, MessageBody="one")
    kms.disable_key(KeyId=key)
    sqs.send_message(QueueUrl=url, MessageBody="two")  # within the reuse period KMS is not asked
    cloud.advance(61)
    with refused("KMS.DisabledException"):
        sqs.send_message(QueueUrl=url, MessageBody="three")
    with refused("KMS.DisabledException"):
        receive(sqs, url)
    kms.enable_key(KeyId=key)
    assert bodies(receive(sqs, url)) == ["one", "two"]
    kms.schedule_key_deletion(KeyId=key)
    cloud.advance(61)
    with refused("KMS.InvalidStateException"):
        sqs.send_message(QueueUrl=url, MessageBody="three")
    for missing in ("alias/none", "00000000-0000-4000-8000-000000000000"):
        with refused("KMS.NotFoundException"):
            sqs.send_message(QueueUrl=make_queue(sqs, missing, missing[-4:]), MessageBody="three")
    signing = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    with refused("KMS.InvalidKeyUsageException"):
        sqs.send_message(QueueUrl=make_queue(sqs, signing, "signing"), MessageBody="three")


def test_the_aws_managed_key(cloud: Account, sqs: Any) -> None:
    url = make_queue(sqs, "alias/aws/sqs")
    sqs.send_message(QueueUrl=url, MessageBody="one")
    assert bodies(receive(sqs, url)) == ["one"]
    # It lets in only who is of the account: a queue policy is not enough for others.
    other = cloud.another()
    share(sqs, url, other)
    with refused("KMS.AccessDeniedException"):
        other.client("sqs").send_message(QueueUrl=url, MessageBody="two")


def share(sqs: Any, url: str, other: Account) -> None:
    sqs.add_permission(
        QueueUrl=url, Label="share", AWSAccountIds=[other.account], Actions=["SendMessage", "ReceiveMessage"]
    )


def test_a_queue_of_another_account_needs_its_key_too(cloud: Account, sqs: Any) -> None:
    other = cloud.another()
    kms, key = cloud.client("kms"), make_key(cloud)
    kms.create_alias(AliasName="alias/queues", TargetKeyId=key)
    url = make_queue(sqs, "alias/queues")  # an alias of the queue's account, whoever calls
    share(sqs, url, other)
    theirs = other.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="one")
    with refused("KMS.AccessDeniedException"):
        theirs.send_message(QueueUrl=url, MessageBody="two")
    with refused("KMS.AccessDeniedException"):  # what the owner's calls got from KMS is the owner's
        receive(theirs, url)
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:EncryptionContext:aws:sqs:arn": arn(sqs, url)}},
    }
    kms.put_key_policy(KeyId=key, Policy=policy(cloud, allow))
    theirs.send_message(QueueUrl=url, MessageBody="two")
    assert sorted(bodies(receive(theirs, url))) == ["one", "two"]


def test_sns_needs_the_key_as_a_service(cloud: Account, sqs: Any) -> None:
    sns, kms, key = cloud.client("sns"), cloud.client("kms"), make_key(cloud)
    url, dead = make_queue(sqs, key), sqs.create_queue(QueueName="dead")["QueueUrl"]
    topic = sns.create_topic(Name="news")["TopicArn"]
    let = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Resource": "*"}
    for queue in (url, dead):
        document = {"Version": "2012-10-17", "Statement": [{**let, "Action": "sqs:SendMessage"}]}
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(document)})
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=arn(sqs, url),
        Attributes={
            "RawMessageDelivery": "true",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn(sqs, dead)}),
        },
    )
    sns.publish(TopicArn=topic, Message="one")
    cloud.settle()
    assert (bodies(receive(sqs, url)), bodies(receive(sqs, dead))) == ([], ["one"])
    condition = {"ArnEquals": {"aws:SourceArn": topic}}
    allow = {**let, "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Condition": condition}
    kms.put_key_policy(KeyId=key, Policy=policy(cloud, allow))
    sns.publish(TopicArn=topic, Message="two")
    cloud.settle()
    assert bodies(receive(sqs, url)) == ["two"]
    # The AWS managed key never lets a service in.
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    sns.publish(TopicArn=topic, Message="three")
    cloud.settle()
    assert bodies(receive(sqs, dead)) == ["three"]


@pytest.mark.parametrize("size", [1, 3000])
@pytest.mark.parametrize("suffix", ["", ".fifo"])
def test_dead_letters_stay_as_they_were_sent(cloud: Account, sqs: Any, suffix: str, size: int) -> None:
    fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true"} if suffix else {}
    group = {"MessageGroupId": "g"} if suffix else {}
    dead = sqs.create_queue(QueueName=f"dead{suffix}", Attributes=fifo)["QueueUrl"]
    source = make_queue(sqs, make_key(cloud), f"source{suffix}", **fifo, **redrive(arn(sqs, dead)))
    sqs.send_message(QueueUrl=source, MessageBody="x" * size, MessageAttributes=ATTRIBUTES, **group)
    assert len(receive(sqs, source, VisibilityTimeout=0)) == 1
    assert receive(sqs, source) == []
    (message,) = receive(sqs, dead, VisibilityTimeout=0, MessageAttributeNames=["All"])
    assert (message["Body"], message["MessageAttributes"]) == ("x" * size, ATTRIBUTES)
    sqs.start_message_move_task(SourceArn=arn(sqs, dead))
    cloud.settle()
    (message,) = receive(sqs, source, VisibilityTimeout=0, MessageAttributeNames=["All"])
    assert (message["Body"], message["MessageAttributes"]) == ("x" * size, ATTRIBUTES)


def test_a_message_stays_as_it_was_when_its_queue_changes(cloud: Account, sqs: Any) -> None:
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="plain")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": make_key(cloud)})
    sqs.send_message(QueueUrl=url, MessageBody="sealed")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": ""})
    sqs.send_message(QueueUrl=url, MessageBody="plain again")
    assert bodies(receive(sqs, url)) == ["plain", "sealed", "plain again"]


def test_a_denied_long_poll_takes_nothing(cloud: Account, sqs: Any) -> None:
    other = cloud.another()
    url = make_queue(sqs, make_key(cloud))
    share(sqs, url, other)
    sqs.send_message(QueueUrl=url, MessageBody="one")
    with refused("KMS.AccessDeniedException"):
        receive(other.client("sqs"), url, WaitTimeSeconds=1)
    (message,) = receive(sqs, url)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_nothing_is_asked_of_kms_without_a_key(cloud: Account, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    assert bodies(receive(sqs, queue)) == ["one"]
    assert kms_calls(cloud) == []


def dead_letter(cloud: Account, sqs: Any, key: str, target_key: str, name: str = "") -> tuple[str, str, str]:
    """A dead-letter queue with one sealed message, the queue it comes from, and another queue under another key."""
    dead = make_queue(sqs, key, f"dead{name}")
    queue = make_queue(sqs, key, f"orders{name}", **redrive(arn(sqs, dead)))
    target = make_queue(sqs, target_key, f"target{name}")
    sqs.send_message(QueueUrl=queue, MessageBody=SECRET, MessageAttributes=ATTRIBUTES)
    while receive(sqs, queue, VisibilityTimeout=0):
        pass
    return dead, queue, target


def finished(cloud: Account, sqs: Any, dead: str) -> tuple[str, str]:
    """How the last move task ended."""
    cloud.settle()
    (last,) = sqs.list_message_move_tasks(SourceArn=arn(sqs, dead))["Results"]
    return last["Status"], last.get("FailureReason", "")


def test_a_move_task_seals_for_the_destination(cloud: Account, sqs: Any) -> None:
    kms, key, other_key = cloud.client("kms"), make_key(cloud), make_key(cloud)
    dead, _, target = dead_letter(cloud, sqs, key, other_key)
    sqs.start_message_move_task(SourceArn=arn(sqs, dead), DestinationArn=arn(sqs, target))
    assert finished(cloud, sqs, dead) == ("COMPLETED", "")
    kms.disable_key(KeyId=key)  # no more needed
    cloud.advance(301)
    (message,) = receive(sqs, target, MessageAttributeNames=["All"])
    assert (message["Body"], message["MessageAttributes"]) == (SECRET, ATTRIBUTES)
    kms.disable_key(KeyId=other_key)
    cloud.advance(301)
    with refused("KMS.DisabledException"):
        receive(sqs, target)


@pytest.mark.parametrize("action", ["Decrypt", "GenerateDataKey"])
def test_who_starts_a_move_task_needs_both_keys(cloud: Account, sqs: Any, action: str) -> None:
    kms, key, other_key = cloud.client("kms"), make_key(cloud), make_key(cloud)
    dead, _, target = dead_letter(cloud, sqs, key, other_key)
    cloud.advance(301)  # what was remembered of the keys is over
    denied = key if action == "Decrypt" else other_key
    kms.put_key_policy(KeyId=denied, Policy=policy(cloud, deny(action)))
    sqs.start_message_move_task(SourceArn=arn(sqs, dead), DestinationArn=arn(sqs, target))
    assert finished(cloud, sqs, dead) == ("FAILED", "KMS.AccessDeniedException")
    kms.put_key_policy(KeyId=denied, Policy=policy(cloud))
    assert bodies(receive(sqs, dead)) == [SECRET]


def test_a_move_task_ends_with_a_key_that_is_disabled_meanwhile(cloud: Account, sqs: Any) -> None:
    kms, key = cloud.client("kms"), make_key(cloud)
    dead, queue, _ = dead_letter(cloud, sqs, key, key)
    sqs.send_message(QueueUrl=queue, MessageBody="another")
    while receive(sqs, queue, VisibilityTimeout=0):
        pass
    sqs.start_message_move_task(SourceArn=arn(sqs, dead), MaxNumberOfMessagesPerSecond=1)
    cloud.settle()
    kms.disable_key(KeyId=key)
    cloud.advance(301)
    assert finished(cloud, sqs, dead) == ("FAILED", "KMS.DisabledException")
    kms.enable_key(KeyId=key)
    assert bodies(receive(sqs, dead)) == ["another"]
