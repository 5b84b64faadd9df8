"""Messages that were received too often."""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import arn, attributes, bodies, counts, receive, redrive
from tests.services.messaging.sqs.test_sending import string


@pytest.fixture(params=["standard", "fifo"])
def pair(request: pytest.FixtureRequest, sqs: Any) -> tuple[str, str, dict[str, str]]:
    """A queue, its dead-letter queue (after two receives), and what a message to them needs."""
    suffix, given, options = "", {}, {}
    if request.param == "fifo":
        suffix, given = ".fifo", {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        options = {"MessageGroupId": "g"}
    dead = sqs.create_queue(QueueName=f"dead{suffix}", Attributes=given)["QueueUrl"]
    source = sqs.create_queue(QueueName=f"source{suffix}", Attributes=given | redrive(arn(sqs, dead), 2))["QueueUrl"]
    return source, dead, options


def test_a_message_moves_when_it_would_be_received_once_too_often(
    cloud: Account, sqs: Any, pair: tuple[str, str, dict[str, str]]
) -> None:
    source, dead, options = pair
    sent = sqs.send_message(
        QueueUrl=source, MessageBody="bad", MessageAttributes={"MyAttribute": string("foobar")}, **options
    )
    first = {}
    for _ in range(2):
        [first] = receive(sqs, source, VisibilityTimeout=1)
        assert "DeadLetterQueueSourceArn" not in first["Attributes"]
        cloud.advance(2)
    assert counts(sqs, source) == (1, 0, 0)
    assert counts(sqs, dead) == (0, 0, 0)
    assert receive(sqs, source) == []
    assert counts(sqs, source) == (0, 0, 0)
    assert counts(sqs, dead) == (1, 0, 0)
    [message] = receive(sqs, dead, MessageAttributeNames=["All"])
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == "bad"
    assert message["MD5OfMessageAttributes"] == "adb59cd4678ea5a855436b949cd07ab6"
    found = message["Attributes"]
    assert found["DeadLetterQueueSourceArn"] == arn(sqs, source)
    assert found["ApproximateReceiveCount"] == "3"
    kept = "ApproximateFirstReceiveTimestamp"
    assert found[kept] <= first["Attributes"][kept]
    if options:
        assert found["MessageGroupId"] == "g"
        assert found["SentTimestamp"] > first["Attributes"]["SentTimestamp"]
    else:
        assert found["SentTimestamp"] == first["Attributes"]["SentTimestamp"]
    cloud.advance(31)
    assert bodies(receive(sqs, dead)) == ["bad"]  # it has no redrive policy of its own


def test_good_messages_come_while_bad_ones_go(cloud: Account, sqs: Any, pair: tuple[str, str, dict[str, str]]) -> None:
    source, dead, options = pair
    for number in range(15):
        sqs.send_message(QueueUrl=source, MessageBody=f"bad {number}", **options)
    for _ in range(2):
        got = []
        while True:
            batch = receive(sqs, source, VisibilityTimeout=60)
            if not batch:
                break
            got += batch
            if options:
                break
        cloud.advance(61)
    sqs.send_message(QueueUrl=source, MessageBody="good", **options)
    found = bodies(receive(sqs, source))
    assert "good" in found
    assert counts(sqs, dead)[0] == (10 if options else 15)


def test_a_large_message_moves_whole(cloud: Account, sqs: Any, pair: tuple[str, str, dict[str, str]]) -> None:
    source, dead, options = pair
    body = "x" * 100_000
    sqs.send_message(QueueUrl=source, MessageBody=body, **options)
    for _ in range(3):
        receive(sqs, source, VisibilityTimeout=0)
    assert bodies(receive(sqs, dead)) == [body]


def test_without_its_dead_letter_queue_a_message_stays(
    cloud: Account, sqs: Any, pair: tuple[str, str, dict[str, str]]
) -> None:
    source, dead, options = pair
    sqs.send_message(QueueUrl=source, MessageBody="bad", **options)
    sqs.delete_queue(QueueUrl=dead)
    for _ in range(5):
        assert bodies(receive(sqs, source, VisibilityTimeout=0)) == ["bad"]
    assert "RedrivePolicy" in attributes(sqs, source)


def test_a_chain_of_dead_letter_queues(cloud: Account, sqs: Any, queue: str) -> None:
    last = sqs.create_queue(QueueName="last")["QueueUrl"]
    middle = sqs.create_queue(QueueName="middle", Attributes=redrive(arn(sqs, last), 2))["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=redrive(arn(sqs, middle), 1))
    sqs.send_message(QueueUrl=queue, MessageBody="bad")
    assert len(receive(sqs, queue, VisibilityTimeout=0)) == 1
    assert receive(sqs, queue) == []
    for _ in range(2):  # its receives count anew in each queue
        assert len(receive(sqs, middle, VisibilityTimeout=0)) == 1
    assert receive(sqs, middle) == []
    [message] = receive(sqs, last)
    assert message["Attributes"]["ApproximateReceiveCount"] == "4"
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == arn(sqs, middle)
