"""Message move tasks."""

import base64
import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import arn, bodies, counts, receive, redrive, refused

pytestmark = pytest.mark.usefixtures("still")


@pytest.fixture
def dead(sqs: Any, queue: str) -> str:
    """The dead-letter queue of `queue`, after one receive."""
    url = str(sqs.create_queue(QueueName="dead")["QueueUrl"])
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=redrive(arn(sqs, url)))
    return url


def fail(sqs: Any, url: str, count: int) -> None:
    """Let messages go to the dead-letter queue."""
    for number in range(count):
        sqs.send_message(QueueUrl=url, MessageBody=f"message {number}")
    while receive(sqs, url, VisibilityTimeout=0):
        pass


def listed(sqs: Any, url: str, **options: Any) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = sqs.list_message_move_tasks(SourceArn=arn(sqs, url), **options).get("Results", [])
    return results


def test_back_to_where_they_came_from(cloud: Account, sqs: Any, queue: str, dead: str) -> None:
    fail(sqs, queue, 3)
    [before] = [message for message in receive(sqs, dead, VisibilityTimeout=0) if message["Body"] == "message 0"]
    assert sqs.start_message_move_task(SourceArn=arn(sqs, dead))["TaskHandle"]
    cloud.settle()
    [task] = listed(sqs, dead)
    assert task.pop("StartedTimestamp") > 1_700_000_000_000
    assert task == {
        "ApproximateNumberOfMessagesMoved": 3,
        "ApproximateNumberOfMessagesToMove": 3,
        "SourceArn": arn(sqs, dead),
        "Status": "COMPLETED",
    }
    assert counts(sqs, dead) == (0, 0, 0)
    messages = receive(sqs, queue)
    assert bodies(messages) == ["message 0", "message 1", "message 2"]
    after = messages[0]
    assert after["MessageId"] != before["MessageId"]
    assert after["Attributes"]["ApproximateReceiveCount"] == "1"
    assert "DeadLetterQueueSourceArn" not in after["Attributes"]


def test_to_another_queue(cloud: Account, sqs: Any, queue: str, dead: str) -> None:
    other = sqs.create_queue(QueueName="other")["QueueUrl"]
    fail(sqs, queue, 2)
    sqs.start_message_move_task(SourceArn=arn(sqs, dead), DestinationArn=arn(sqs, other))
    cloud.settle()
    [task] = listed(sqs, dead)
    assert task["DestinationArn"] == arn(sqs, other)
    assert task["ApproximateNumberOfMessagesMoved"] == 2
    assert counts(sqs, other) == (2, 0, 0)


def test_many_messages_in_chunks(cloud: Account, sqs: Any, queue: str, dead: str) -> None:
    fail(sqs, queue, 250)
    sqs.start_message_move_task(SourceArn=arn(sqs, dead))
    cloud.settle()
    [task] = listed(sqs, dead)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 250)
    assert counts(sqs, queue) == (250, 0, 0)


def test_a_rate(cloud: Account, sqs: Any, queue: str, dead: str) -> None:
    fail(sqs, queue, 5)
    handle = sqs.start_message_move_task(SourceArn=arn(sqs, dead), MaxNumberOfMessagesPerSecond=2)["TaskHandle"]
    cloud.settle()
    [task] = listed(sqs, dead)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("RUNNING", 2)
    assert task["TaskHandle"] == handle
    assert task["MaxNumberOfMessagesPerSecond"] == 2
    cloud.advance(1.01)
    assert listed(sqs, dead)[0]["ApproximateNumberOfMessagesMoved"] == 4
    cloud.advance(1.01)
    [task] = listed(sqs, dead)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 5)
    assert "TaskHandle" not in task


def test_cancelling(cloud: Account, sqs: Any, queue: str, dead: str) -> None:
    fail(sqs, queue, 5)
    handle = sqs.start_message_move_task(SourceArn=arn(sqs, dead), MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    cloud.settle()
    assert sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"] == 1
    assert listed(sqs, dead)[0]["Status"] == "CANCELLING"
    with refused("AWS.SimpleQueueService.UnsupportedOperation"):
        sqs.cancel_message_move_task(TaskHandle=handle)
    cloud.advance(1.01)
    [task] = listed(sqs, dead)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("CANCELLED", 1)
    assert counts(sqs, dead)[0] == 4


def test_handles_of_no_task(cloud: Account, sqs: Any, dead: str) -> None:
    handle = base64.b64encode(json.dumps({"taskId": "x", "sourceArn": arn(sqs, dead)}).encode()).decode()
    with refused("ResourceNotFoundException", "Task does not exist.", 404):
        sqs.cancel_message_move_task(TaskHandle=handle)
    with refused("InvalidParameterValue"):
        sqs.cancel_message_move_task(TaskHandle="nonsense")


def test_one_task_at_a_time(cloud: Account, sqs: Any, queue: str, dead: str) -> None:
    fail(sqs, queue, 3)
    source = arn(sqs, dead)
    sqs.start_message_move_task(SourceArn=source, MaxNumberOfMessagesPerSecond=1)
    text = "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
    with refused("InvalidParameterValue", text):
        sqs.start_message_move_task(SourceArn=source)
    cloud.advance(1.01)
    cloud.advance(1.01)
    cloud.advance(1.01)
    assert listed(sqs, dead)[0]["Status"] == "COMPLETED"
    sqs.start_message_move_task(SourceArn=source)
    cloud.settle()
    assert len(listed(sqs, dead, MaxResults=10)) == 2
    assert len(listed(sqs, dead)) == 1
    for bad in (0, 11):
        with refused("InvalidParameterValue"):
            listed(sqs, dead, MaxResults=bad)


def test_what_is_refused(cloud: Account, sqs: Any, queue: str, dead: str, fifo: str) -> None:
    missing = f"arn:aws:sqs:us-east-1:{cloud.account}:nothing"
    text = "The resource that you specified for the {} parameter doesn't exist."
    with refused("ResourceNotFoundException", text.format("SourceArn"), 404):
        sqs.start_message_move_task(SourceArn=missing)
    with refused("ResourceNotFoundException", text.format("SourceArn"), 404):
        sqs.list_message_move_tasks(SourceArn=missing)
    with refused("ResourceNotFoundException", text.format("DestinationArn"), 404):
        sqs.start_message_move_task(SourceArn=arn(sqs, dead), DestinationArn=missing)
    with refused("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."):
        sqs.start_message_move_task(SourceArn=arn(sqs, queue))
    with refused("InvalidParameterValue"):
        sqs.start_message_move_task(SourceArn="nonsense")
    with refused("InvalidParameterValue"):
        sqs.start_message_move_task(SourceArn=arn(sqs, dead), DestinationArn=arn(sqs, fifo))
    with refused("InvalidParameterValue"):
        sqs.start_message_move_task(SourceArn=arn(sqs, dead), DestinationArn=arn(sqs, dead))
    for bad in (0, 501):
        with refused("InvalidParameterValue"):
            sqs.start_message_move_task(SourceArn=arn(sqs, dead), MaxNumberOfMessagesPerSecond=bad)


def test_the_destination_is_deleted_while_the_task_runs(cloud: Account, sqs: Any, queue: str, dead: str) -> None:
    other = sqs.create_queue(QueueName="other")["QueueUrl"]
    fail(sqs, queue, 5)
    sqs.start_message_move_task(
        SourceArn=arn(sqs, dead), DestinationArn=arn(sqs, other), MaxNumberOfMessagesPerSecond=1
    )
    cloud.settle()
    sqs.delete_queue(QueueUrl=other)
    cloud.advance(1.01)
    [task] = listed(sqs, dead)
    assert task["Status"] == "FAILED"
    assert task["FailureReason"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert task["ApproximateNumberOfMessagesMoved"] == 1
    assert counts(sqs, dead) == (4, 0, 0)


def test_messages_that_came_from_nowhere(cloud: Account, sqs: Any, queue: str, dead: str) -> None:
    sqs.send_message(QueueUrl=dead, MessageBody="sent here")
    sqs.start_message_move_task(SourceArn=arn(sqs, dead))
    cloud.settle()
    [task] = listed(sqs, dead)
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert counts(sqs, dead) == (1, 0, 0)


def test_fifo_queues(cloud: Account, sqs: Any, fifo: str) -> None:
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    dead = sqs.create_queue(QueueName="dead.fifo", Attributes=attributes)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes=redrive(arn(sqs, dead)))
    for number in range(12):
        sqs.send_message(QueueUrl=fifo, MessageBody=str(number), MessageGroupId=str(number % 2))
    while receive(sqs, fifo, VisibilityTimeout=0):
        pass
    assert counts(sqs, dead) == (12, 0, 0)
    sqs.start_message_move_task(SourceArn=arn(sqs, dead))
    cloud.settle()
    assert listed(sqs, dead)[0]["Status"] == "COMPLETED"
    found = receive(sqs, fifo)
    for group in "01":
        mine = [int(m["Body"]) for m in found if m["Attributes"]["MessageGroupId"] == group]
        assert mine == sorted(mine)
    assert counts(sqs, dead) == (0, 0, 0)
