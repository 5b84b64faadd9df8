"""ChangeMessageVisibility and ChangeMessageVisibilityBatch."""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import bodies, counts, receive, refused

pytestmark = pytest.mark.usefixtures("still")

NOT_AVAILABLE = (
    "Value {} for parameter ReceiptHandle is invalid. "
    "Reason: Message does not exist or is not available for visibility timeout change."
)


@pytest.fixture(params=["standard", "fifo"])
def held(request: pytest.FixtureRequest, sqs: Any) -> tuple[str, str]:
    """A queue with one message in flight, and the message's handle."""
    if request.param == "fifo":
        attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
        url = sqs.create_queue(QueueName="q.fifo", Attributes=attributes)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="one", MessageGroupId="g")
    else:
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="one")
    [message] = receive(sqs, url)
    return url, message["ReceiptHandle"]


def change(sqs: Any, held: tuple[str, str], timeout_s: int) -> None:
    sqs.change_message_visibility(QueueUrl=held[0], ReceiptHandle=held[1], VisibilityTimeout=timeout_s)


def test_longer(cloud: Account, sqs: Any, held: tuple[str, str]) -> None:
    cloud.advance(20)
    change(sqs, held, 30)
    cloud.advance(29)
    assert receive(sqs, held[0]) == []
    assert counts(sqs, held[0]) == (0, 1, 0)
    cloud.advance(2)
    assert counts(sqs, held[0]) == (1, 0, 0)
    assert bodies(receive(sqs, held[0])) == ["one"]


def test_given_back(sqs: Any, held: tuple[str, str]) -> None:
    change(sqs, held, 0)
    assert counts(sqs, held[0]) == (1, 0, 0)
    [message] = receive(sqs, held[0])
    assert message["Attributes"]["ApproximateReceiveCount"] == "2"


def test_only_what_is_in_flight(cloud: Account, sqs: Any, held: tuple[str, str]) -> None:
    change(sqs, held, 0)
    with refused("InvalidParameterValue", NOT_AVAILABLE.format(held[1])):
        change(sqs, held, 10)
    assert counts(sqs, held[0]) == (1, 0, 0)


def test_not_what_is_deleted(sqs: Any, held: tuple[str, str]) -> None:
    sqs.delete_message(QueueUrl=held[0], ReceiptHandle=held[1])
    with refused("InvalidParameterValue", NOT_AVAILABLE.format(held[1])):
        change(sqs, held, 10)


def test_not_what_is_purged(sqs: Any, held: tuple[str, str]) -> None:
    sqs.purge_queue(QueueUrl=held[0])
    with refused("InvalidParameterValue", NOT_AVAILABLE.format(held[1])):
        change(sqs, held, 10)


def test_at_most_twelve_hours(cloud: Account, sqs: Any, held: tuple[str, str]) -> None:
    for bad in (-1, 43_201):
        text = (
            f"Value {bad} for parameter VisibilityTimeout is invalid. "
            "Reason: VisibilityTimeout must be an integer between 0 and 43200."
        )
        with refused("InvalidParameterValue", text):
            change(sqs, held, bad)
    cloud.advance(10)
    text = (
        "Value 43200 for parameter VisibilityTimeout is invalid. "
        "Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
    )
    with refused("InvalidParameterValue", text):
        change(sqs, held, 43_200)
    change(sqs, held, 43_180)
    cloud.advance(43_175)
    assert counts(sqs, held[0]) == (0, 1, 0)


def test_handles(sqs: Any, held: tuple[str, str]) -> None:
    with refused("ReceiptHandleIsInvalid", 'The input receipt handle "x" is not a valid receipt handle.', 404):
        change(sqs, (held[0], "x"), 10)
    with refused("MissingParameter", "The request must contain the parameter VisibilityTimeout."):
        sqs.change_message_visibility(QueueUrl=held[0], ReceiptHandle=held[1])


def test_an_older_handle_of_a_standard_queue_still_works(cloud: Account, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    [first] = receive(sqs, queue, VisibilityTimeout=1)
    cloud.advance(2)
    receive(sqs, queue, VisibilityTimeout=1)
    change(sqs, (queue, first["ReceiptHandle"]), 100)
    cloud.advance(50)
    assert receive(sqs, queue) == []


def test_an_older_handle_of_a_fifo_queue_does_not(cloud: Account, sqs: Any, fifo: str) -> None:
    sqs.send_message(QueueUrl=fifo, MessageBody="one", MessageGroupId="g")
    [first] = receive(sqs, fifo, VisibilityTimeout=1)
    cloud.advance(2)
    receive(sqs, fifo)
    with refused("InvalidParameterValue", NOT_AVAILABLE.format(first["ReceiptHandle"])):
        change(sqs, (fifo, first["ReceiptHandle"]), 100)


def test_a_batch(cloud: Account, sqs: Any, queue: str) -> None:
    for text in ("a", "b", "c"):
        sqs.send_message(QueueUrl=queue, MessageBody=text)
    first, second, _ = receive(sqs, queue)
    answer = sqs.change_message_visibility_batch(
        QueueUrl=queue,
        Entries=[
            {"Id": "1", "ReceiptHandle": first["ReceiptHandle"], "VisibilityTimeout": 0},
            {"Id": "2", "ReceiptHandle": "x", "VisibilityTimeout": 0},
            {"Id": "3", "ReceiptHandle": second["ReceiptHandle"], "VisibilityTimeout": 100_000},
            {"Id": "4", "ReceiptHandle": second["ReceiptHandle"], "VisibilityTimeout": 60},
        ],
    )
    assert [one["Id"] for one in answer["Successful"]] == ["1", "4"]
    failed = [(one["Id"], one["Code"]) for one in answer["Failed"]]
    assert failed == [("2", "ReceiptHandleIsInvalid"), ("3", "InvalidParameterValue")]
    assert bodies(receive(sqs, queue)) == ["a"]
    cloud.advance(40)
    assert sorted(bodies(receive(sqs, queue))) == ["a", "c"]


def test_too_large_a_batch(sqs: Any, queue: str) -> None:
    entries = [{"Id": str(number), "ReceiptHandle": "x", "VisibilityTimeout": 1} for number in range(20)]
    text = "Maximum number of entries per request are 10. You have sent 20."
    with refused("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", text):
        sqs.change_message_visibility_batch(QueueUrl=queue, Entries=entries)
    with refused(
        "AWS.SimpleQueueService.EmptyBatchRequest",
        "There should be at least one ChangeMessageVisibilityBatchRequestEntry in the request.",
    ):
        sqs.change_message_visibility_batch(QueueUrl=queue, Entries=[])
