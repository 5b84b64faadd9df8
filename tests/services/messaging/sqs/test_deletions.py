"""DeleteMessage and DeleteMessageBatch; receipt handles."""

import base64
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import bodies, counts, receive, refused


def send(sqs: Any, url: str, *texts: str, **options: Any) -> None:
    for text in texts:
        sqs.send_message(QueueUrl=url, MessageBody=text, **options)


def test_a_deleted_message_is_gone(cloud: Account, sqs: Any, queue: str) -> None:
    send(sqs, queue, "one")
    [message] = receive(sqs, queue)
    for _ in range(2):  # the second time is no error
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert counts(sqs, queue) == (0, 0, 0)
    cloud.advance(31)
    assert receive(sqs, queue) == []


def test_handles_of_a_standard_queue_outlive_the_visibility_timeout(cloud: Account, sqs: Any, queue: str) -> None:
    send(sqs, queue, "one")
    [message] = receive(sqs, queue)
    cloud.advance(31)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert receive(sqs, queue) == []


@pytest.mark.parametrize("which", [0, 1, 2])
def test_any_handle_of_a_standard_queue_deletes(cloud: Account, sqs: Any, queue: str, which: int) -> None:
    send(sqs, queue, "one")
    handles = []
    for _ in range(3):
        [message] = receive(sqs, queue)
        handles.append(message["ReceiptHandle"])
        cloud.advance(31)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=handles[which])
    assert receive(sqs, queue) == []
    assert counts(sqs, queue) == (0, 0, 0)


def test_a_handle_survives_changes_of_visibility(sqs: Any, queue: str) -> None:
    send(sqs, queue, "one")
    [message] = receive(sqs, queue)
    for timeout_s in (100, 5, 50):
        handle = message["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handle, VisibilityTimeout=timeout_s)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert counts(sqs, queue) == (0, 0, 0)


def test_what_is_no_handle(sqs: Any, queue: str, fifo: str) -> None:
    send(sqs, queue, "one")
    [message] = receive(sqs, queue)
    good = message["ReceiptHandle"]
    short = base64.b64encode(base64.b64decode(good)[:20]).decode()
    for url in (queue, fifo):
        for bad in ("fake", "AQEB", "%", "ä", short, base64.b64encode(b"x" * 50).decode()):
            text = f'The input receipt handle "{bad}" is not a valid receipt handle.'
            with refused("ReceiptHandleIsInvalid", text, 404):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=bad)
    with refused("MissingParameter", "The request must contain the parameter ReceiptHandle."):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle="")
    with refused("ReceiptHandleIsInvalid", f'The receipt handle "{good}" is not valid for this queue.', 404):
        sqs.delete_message(QueueUrl=fifo, ReceiptHandle=good)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=good)


def test_a_batch(sqs: Any, queue: str) -> None:
    send(sqs, queue, "a", "b", "c")
    first, second, third = receive(sqs, queue)
    answer = sqs.delete_message_batch(
        QueueUrl=queue,
        Entries=[
            {"Id": "1", "ReceiptHandle": first["ReceiptHandle"]},
            {"Id": "2", "ReceiptHandle": "fake"},
            {"Id": "3", "ReceiptHandle": third["ReceiptHandle"]},
            {"Id": "4", "ReceiptHandle": third["ReceiptHandle"]},
        ],
    )
    assert [one["Id"] for one in answer["Successful"]] == ["1", "3", "4"]
    assert answer["Failed"] == [
        {
            "Id": "2",
            "SenderFault": True,
            "Code": "ReceiptHandleIsInvalid",
            "Message": 'The input receipt handle "fake" is not a valid receipt handle.',
        }
    ]
    assert counts(sqs, queue) == (0, 1, 0)
    assert second["Body"] == "b"


def test_batches_that_are_refused(sqs: Any, queue: str) -> None:
    with refused(
        "AWS.SimpleQueueService.EmptyBatchRequest",
        "There should be at least one DeleteMessageBatchRequestEntry in the request.",
    ):
        sqs.delete_message_batch(QueueUrl=queue, Entries=[])
    for bad in ("", "invalid:id", "testLongId" * 10):
        with refused("AWS.SimpleQueueService.InvalidBatchEntryId"):
            sqs.delete_message_batch(QueueUrl=queue, Entries=[{"Id": bad, "ReceiptHandle": "x"}])
    entries = [{"Id": str(number), "ReceiptHandle": "x"} for number in range(11)]
    with refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest"):
        sqs.delete_message_batch(QueueUrl=queue, Entries=entries)


def test_fifo_handles_end_with_the_visibility_timeout(cloud: Account, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "foobar", MessageGroupId="g")
    [message] = receive(sqs, fifo, VisibilityTimeout=2)
    cloud.advance(3)
    handle = message["ReceiptHandle"]
    text = f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
    with refused("InvalidParameterValue", text):
        sqs.delete_message(QueueUrl=fifo, ReceiptHandle=handle)
    [again] = receive(sqs, fifo)
    with refused("InvalidParameterValue", text):
        sqs.delete_message(QueueUrl=fifo, ReceiptHandle=handle)
    [failed] = sqs.delete_message_batch(QueueUrl=fifo, Entries=[{"Id": "1", "ReceiptHandle": handle}])["Failed"]
    assert (failed["Code"], failed["Message"]) == ("InvalidParameterValue", text)
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=again["ReceiptHandle"])
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=again["ReceiptHandle"])
    cloud.advance(31)
    assert bodies(receive(sqs, fifo)) == []
