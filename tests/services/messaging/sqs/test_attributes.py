"""Attributes of queues."""

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import arn, attributes, redrive, refused

DEFAULTS = {
    "ApproximateNumberOfMessages": "0",
    "ApproximateNumberOfMessagesDelayed": "0",
    "ApproximateNumberOfMessagesNotVisible": "0",
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
FIFO_DEFAULTS = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoQueue": "true",
    "FifoThroughputLimit": "perQueue",
}


def without_times(found: dict[str, str]) -> dict[str, str]:
    assert int(found["CreatedTimestamp"]) <= int(found["LastModifiedTimestamp"])
    return {name: value for name, value in found.items() if not name.endswith("Timestamp")}


def test_defaults_of_a_standard_queue(cloud: Account, sqs: Any, queue: str) -> None:
    found = without_times(attributes(sqs, queue))
    assert found == DEFAULTS | {"QueueArn": f"arn:aws:sqs:us-east-1:{cloud.account}:orders"}


def test_defaults_of_a_fifo_queue(cloud: Account, sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    found = without_times(attributes(sqs, url))
    assert found == DEFAULTS | FIFO_DEFAULTS | {"QueueArn": f"arn:aws:sqs:us-east-1:{cloud.account}:q.fifo"}


def test_only_what_is_asked_for(sqs: Any, queue: str) -> None:
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue)
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])
    assert attributes(sqs, queue, "DelaySeconds", "Policy") == {"DelaySeconds": "0"}
    with refused("InvalidAttributeName", "Unknown Attribute Nonsense."):
        sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Nonsense"])


def test_set_and_get(cloud: Account, sqs: Any, queue: str) -> None:
    wanted = {
        "DelaySeconds": "17",
        "MaximumMessageSize": "1234",
        "MessageRetentionPeriod": "13579",
        "ReceiveMessageWaitTimeSeconds": "18",
        "VisibilityTimeout": "45",
    }
    created = int(attributes(sqs, queue)["CreatedTimestamp"])
    cloud.advance(10)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=wanted)
    found = attributes(sqs, queue)
    assert {name: found[name] for name in wanted} == wanted
    assert int(found["LastModifiedTimestamp"]) >= created + 10
    assert int(found["CreatedTimestamp"]) == created


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("DelaySeconds", 0, 900),
        ("MaximumMessageSize", 1024, 1_048_576),
        ("MessageRetentionPeriod", 60, 1_209_600),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, 43_200),
        ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
    ],
)
def test_ranges(sqs: Any, queue: str, name: str, least: int, most: int) -> None:
    for value in (least, most):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: str(value)})
    for bad in (str(least - 1), str(most + 1), "", "x", "1.5", "9" * 30):
        with refused("InvalidAttributeValue", f"Invalid value for the parameter {name}."):
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={name: bad})
        with refused("InvalidAttributeValue", f"Invalid value for the parameter {name}."):
            sqs.create_queue(QueueName="other", Attributes={name: bad})


def test_names_that_cannot_be_set(sqs: Any, queue: str, fifo: str) -> None:
    for name in ("Nonsense", "All", "QueueArn", "CreatedTimestamp", "ApproximateNumberOfMessages"):
        for url in (queue, fifo):
            with refused("InvalidAttributeName", f"Unknown Attribute {name}."):
                sqs.set_queue_attributes(QueueUrl=url, Attributes={name: "1"})
    with refused("InvalidAttributeName", "Unknown Attribute FifoQueue."):
        sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"FifoQueue": "true"})
    with refused("MissingParameter", "The request must contain the parameter Attribute.Name."):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={})


def test_a_refused_change_changes_nothing(sqs: Any, queue: str) -> None:
    with refused("InvalidAttributeValue"):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "5", "VisibilityTimeout": "-1"})
    assert attributes(sqs, queue)["DelaySeconds"] == "0"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"FifoQueue": "false"}, "Unknown Attribute FifoQueue."),
        ({"ContentBasedDeduplication": "false"}, "Unknown Attribute ContentBasedDeduplication."),
        (
            {"DeduplicationScope": "queue"},
            "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        ),
        (
            {"FifoThroughputLimit": "perQueue"},
            "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
        ),
    ],
)
def test_attributes_of_fifo_queues_only(sqs: Any, given: dict[str, str], text: str) -> None:
    with refused("InvalidAttributeName", text):
        sqs.create_queue(QueueName="standard", Attributes=given)


def test_high_throughput_of_a_fifo_queue(sqs: Any, fifo: str) -> None:
    with refused("InvalidAttributeValue"):
        sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"FifoThroughputLimit": "perMessageGroupId"})
    both = {"FifoThroughputLimit": "perMessageGroupId", "DeduplicationScope": "messageGroup"}
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes=both)
    found = attributes(sqs, fifo)
    assert {name: found[name] for name in both} == both
    for name in both:
        with refused("InvalidAttributeValue", f"Invalid value for the parameter {name}."):
            sqs.set_queue_attributes(QueueUrl=fifo, Attributes={name: "all"})


def test_booleans(sqs: Any, fifo: str) -> None:
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"ContentBasedDeduplication": "false"})
    assert attributes(sqs, fifo)["ContentBasedDeduplication"] == "false"
    with refused("InvalidAttributeValue", "Invalid value for the parameter ContentBasedDeduplication."):
        sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"ContentBasedDeduplication": "yes"})


def test_one_kind_of_encryption_at_a_time(sqs: Any, queue: str) -> None:
    names = ("SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")
    key = {"KmsMasterKeyId": "testKeyId", "KmsDataKeyReusePeriodSeconds": "6000"}
    text = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE."
    with refused("InvalidAttributeName", text):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=key | {"SqsManagedSseEnabled": "true"})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=key)
    assert attributes(sqs, queue, *names) == key | {"SqsManagedSseEnabled": "false"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"SqsManagedSseEnabled": "true"})
    assert attributes(sqs, queue, *names) == {"SqsManagedSseEnabled": "true"}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"SqsManagedSseEnabled": "false"})
    assert attributes(sqs, queue, *names) == {"SqsManagedSseEnabled": "false"}


def test_a_redrive_policy_is_answered_compact_with_a_number(sqs: Any, queue: str) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    target = arn(sqs, dead)
    policy = json.dumps({"maxReceiveCount": "7", "deadLetterTargetArn": target}, indent=2)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": policy})
    kept = attributes(sqs, queue, "RedrivePolicy")["RedrivePolicy"]
    assert kept == f'{{"deadLetterTargetArn":"{target}","maxReceiveCount":7}}'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": ""})
    assert attributes(sqs, queue, "RedrivePolicy") == {}


def redrive_error(policy: str, reason: str, name: str = "RedrivePolicy") -> Any:
    return refused("InvalidParameterValue", f"Value {policy} for parameter {name} is invalid. Reason: {reason}")


def test_redrive_policies_that_are_refused(cloud: Account, sqs: Any, queue: str, fifo: str) -> None:
    sqs.create_queue(QueueName="dead")
    here = f"arn:aws:sqs:us-east-1:{cloud.account}"

    def policy(target: str, count: Any = 1) -> str:
        return json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": count})

    count_text = "Invalid value for maxReceiveCount: {}, valid values are from 1 to 1000 both inclusive."
    mandatory = "Redrive policy does not contain mandatory attribute: {}."
    cases = {
        "nonsense": "Redrive policy is not a valid JSON map.",
        "[]": "Redrive policy is not a valid JSON map.",
        "{}": mandatory.format("maxReceiveCount"),
        '{"maxReceiveCount": 1}': mandatory.format("deadLetterTargetArn"),
        policy("dummy"): "Invalid value for deadLetterTargetArn.",
        policy(f"{here}:dead", 0): count_text.format(0),
        policy(f"{here}:dead", 1001): count_text.format(1001),
        policy(f"{here}:dead", "x"): count_text.format("x"),
        policy(f"{here}:nothing"): "Dead letter target does not exist.",
        policy(f"{here}:orders.fifo"): "Dead letter queue must be same type of queue as the source.",
        policy("arn:aws:sqs:us-east-1:111111111111:dead"): "Dead letter target owner should be same as the source.",
        policy(f"arn:aws:sqs:eu-west-1:{cloud.account}:dead"): (
            "Dead letter target should be in same region as the source."
        ),
        json.dumps({"deadLetterTargetArn": f"{here}:dead", "maxReceiveCount": 1, "more": 1}): (
            "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]."
        ),
    }
    for text, reason in cases.items():
        with redrive_error(text, reason):
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": text})
    for url in (queue, fifo):
        assert attributes(sqs, url, "RedrivePolicy") == {}


def test_redrive_allow_policies(cloud: Account, sqs: Any, queue: str) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    target, source = arn(sqs, dead), arn(sqs, queue)

    def allow(**policy: Any) -> None:
        sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(policy)})

    allow(redrivePermission="denyAll")
    with refused("InvalidParameterValue"):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=redrive(target))
    allow(redrivePermission="byQueue", sourceQueueArns=[source + "x"])
    with refused("InvalidParameterValue"):
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=redrive(target))
    allow(redrivePermission="byQueue", sourceQueueArns=[source + "x", source])
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=redrive(target))
    allow(redrivePermission="allowAll")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=redrive(target, 3))
    kept = attributes(sqs, dead, "RedriveAllowPolicy")["RedriveAllowPolicy"]
    assert json.loads(kept) == {"redrivePermission": "allowAll"}
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": ""})
    assert attributes(sqs, dead, "RedriveAllowPolicy") == {}
    arns = [f"{source}{number}" for number in range(11)]
    for bad in (
        "x",
        "[]",
        "{}",
        '{"redrivePermission": "all"}',
        '{"redrivePermission": "byQueue"}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": [1]}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": ["x"]}',
        '{"redrivePermission": "allowAll", "more": 1}',
        '{"redrivePermission": "allowAll", "sourceQueueArns": ["arn:aws:sqs:us-east-1:111111111111:q"]}',
        json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": arns}),
    ):
        with refused("InvalidParameterValue"):
            sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": bad})


def test_dead_letter_source_queues(cloud: Account, sqs: Any) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == []
    urls = [
        sqs.create_queue(QueueName=f"s{number}", Attributes=redrive(arn(sqs, dead)))["QueueUrl"] for number in range(3)
    ]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == urls
    page = sqs.list_dead_letter_source_queues(QueueUrl=dead, MaxResults=2)
    assert page["queueUrls"] == urls[:2]
    last = sqs.list_dead_letter_source_queues(QueueUrl=dead, MaxResults=2, NextToken=page["NextToken"])
    assert last["queueUrls"] == urls[2:]
    assert "NextToken" not in last
    sqs.set_queue_attributes(QueueUrl=urls[0], Attributes={"RedrivePolicy": ""})
    sqs.delete_queue(QueueUrl=urls[1])
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == urls[2:]


def test_all_attributes_at_creation(cloud: Account, sqs: Any) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    given = {
        "DelaySeconds": "17",
        "KmsDataKeyReusePeriodSeconds": "297",
        "KmsMasterKeyId": "alias/aws/sqs",
        "MaximumMessageSize": "1234",
        "MessageRetentionPeriod": "13579",
        "ReceiveMessageWaitTimeSeconds": "18",
        "VisibilityTimeout": "45",
        "RedrivePolicy": json.dumps(
            {"deadLetterTargetArn": arn(sqs, dead), "maxReceiveCount": 7}, separators=(",", ":")
        ),
    }
    url = sqs.create_queue(QueueName="full", Attributes=given, tags={"Department": "Finance"})["QueueUrl"]
    found = attributes(sqs, url)
    assert {name: found[name] for name in given} == given
    assert found["SqsManagedSseEnabled"] == "false"
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"Department": "Finance"}
    assert sqs.create_queue(QueueName="full", Attributes=given)["QueueUrl"] == url


def test_policies_that_are_refused(sqs: Any, queue: str) -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    bad: list[Any] = [
        {"Version": "2012-10-17"},
        {"Version": "2012-10-17", "Statement": []},
        {"Version": "2020-01-01", "Statement": [statement]},
        {"Version": "2012-10-17", "Statement": [statement | {"Effect": "Maybe"}]},
        {"Version": "2012-10-17", "Statement": [statement | {"Action": "s3:GetObject"}]},
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]},
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Resource": "*"}]},
        [],
    ]
    for policy in ["x", "{", *map(json.dumps, bad)]:
        with refused("InvalidAttributeValue", "Invalid value for the parameter Policy."):
            sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    good = json.dumps({"Version": "2012-10-17", "Statement": statement}, indent=1)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": good})
    assert attributes(sqs, queue, "Policy")["Policy"] == good
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
    assert attributes(sqs, queue, "Policy") == {}
