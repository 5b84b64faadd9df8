"""FIFO queues: groups in order, deduplication, sequence numbers."""

import hashlib
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import attributes, bodies, counts, receive, refused
from tests.services.messaging.sqs.test_sending import NOT_FOR_THIS_TYPE

pytestmark = pytest.mark.usefixtures("still")


def send(sqs: Any, url: str, *texts: str, group: str = "g", **options: Any) -> list[dict[str, Any]]:
    return [sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId=group, **options) for text in texts]


def delete(sqs: Any, url: str, message: dict[str, Any]) -> None:
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@pytest.fixture
def explicit(sqs: Any) -> str:
    """A FIFO queue without content-based deduplication."""
    return str(sqs.create_queue(QueueName="explicit.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"])


def test_what_a_message_carries(sqs: Any, explicit: str) -> None:
    answer = sqs.send_message(
        QueueUrl=explicit, MessageBody="message-body-1", MessageGroupId="group-1", MessageDeduplicationId="dedup-1"
    )
    assert answer["MD5OfMessageBody"] == "19c9e282d65f9733bc6b35d50062c7ee"
    assert len(answer["SequenceNumber"]) == 20
    [message] = receive(sqs, explicit)
    found = message["Attributes"]
    assert found["MessageDeduplicationId"] == "dedup-1"
    assert found["MessageGroupId"] == "group-1"
    assert found["SequenceNumber"] == answer["SequenceNumber"]
    assert set(found) == {
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "MessageDeduplicationId",
        "MessageGroupId",
        "SenderId",
        "SentTimestamp",
        "SequenceNumber",
    }


def test_what_a_message_needs(sqs: Any, explicit: str) -> None:
    with refused("MissingParameter", "The request must contain the parameter MessageGroupId."):
        sqs.send_message(QueueUrl=explicit, MessageBody="x", MessageDeduplicationId="1")
    text = (
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    )
    with refused("InvalidParameterValue", text):
        sqs.send_message(QueueUrl=explicit, MessageBody="x", MessageGroupId="g")
    for bad in ("", "a b", "x" * 129):
        text = (
            f"Value {bad} for parameter MessageDeduplicationId is invalid. Reason: MessageDeduplicationId can only "
            "include alphanumeric and punctuation characters. 1 to 128 in length."
        )
        with refused("InvalidParameterValue", text):
            sqs.send_message(QueueUrl=explicit, MessageBody="x", MessageGroupId="g", MessageDeduplicationId=bad)


def test_a_group_is_blocked_while_its_first_message_is_in_flight(cloud: Account, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "a1", "a2", group="a")
    send(sqs, fifo, "b1", group="b")
    [first] = receive(sqs, fifo, 1)
    assert first["Body"] == "a1"
    assert bodies(receive(sqs, fifo)) == ["b1"]
    assert receive(sqs, fifo) == []
    assert counts(sqs, fifo) == (1, 2, 0)
    delete(sqs, fifo, first)
    assert bodies(receive(sqs, fifo)) == ["a2"]
    cloud.advance(31)
    assert sorted(bodies(receive(sqs, fifo))) == ["a2", "b1"]


def test_a_message_that_was_not_deleted_comes_again_before_the_next(cloud: Account, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "1", "2", "3")
    assert bodies(receive(sqs, fifo, 2)) == ["1", "2"]
    cloud.advance(31)
    assert bodies(receive(sqs, fifo)) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("extended", "expected"),
    [((), ["foo", "bar"]), ((0,), []), ((1,), ["foo"]), ((2,), ["foo", "bar"]), ((1, 2), ["foo"]), ((0, 1, 2), [])],
)
def test_visibility_of_some_messages_of_a_group(
    cloud: Account, sqs: Any, fifo: str, extended: tuple[int, ...], expected: list[str]
) -> None:
    send(sqs, fifo, "foo", "bar", "baz")
    messages = receive(sqs, fifo, VisibilityTimeout=10)
    for index in extended:
        handle = messages[index]["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=fifo, ReceiptHandle=handle, VisibilityTimeout=100)
    cloud.advance(11)
    assert bodies(receive(sqs, fifo, 2)) == expected


def test_an_emptied_group_is_used_again(sqs: Any, fifo: str) -> None:
    [one] = send(sqs, fifo, "Message 1")
    [message] = receive(sqs, fifo)
    delete(sqs, fifo, message)
    assert receive(sqs, fifo) == []
    [two] = send(sqs, fifo, "Message 2")
    assert bodies(receive(sqs, fifo)) == ["Message 2"]
    assert two["SequenceNumber"] > one["SequenceNumber"]


def test_ten_messages_of_many_groups(sqs: Any, fifo: str) -> None:
    for number in range(4):
        for group in "abc":
            send(sqs, fifo, f"{group}{number}", group=group)
    first, second = bodies(receive(sqs, fifo)), bodies(receive(sqs, fifo))
    assert len(first) == 10
    assert second == []  # what is left is of groups that are blocked
    for group in "abc":
        mine = [body for body in first if body[0] == group]
        assert mine == [f"{group}{number}" for number in range(len(mine))]


def test_groups_whose_names_begin_alike(sqs: Any, fifo: str) -> None:
    for group in ("a", "a!", "aa", "b"):
        send(sqs, fifo, f"{group} 1", f"{group} 2", group=group)
    found = receive(sqs, fifo)
    assert len(found) == 8
    for message in found:
        delete(sqs, fifo, message)
    assert counts(sqs, fifo) == (0, 0, 0)


def test_the_delay_of_a_fifo_queue(cloud: Account, sqs: Any, fifo: str) -> None:
    sqs.set_queue_attributes(QueueUrl=fifo, Attributes={"DelaySeconds": "2"})
    [answer] = send(sqs, fifo, "message-1", DelaySeconds=0)
    assert "SequenceNumber" in answer
    assert receive(sqs, fifo) == []
    assert counts(sqs, fifo) == (0, 0, 1)
    cloud.advance(3)
    assert counts(sqs, fifo) == (1, 0, 0)
    assert bodies(receive(sqs, fifo)) == ["message-1"]
    assert counts(sqs, fifo) == (0, 1, 0)
    with refused("InvalidParameterValue", NOT_FOR_THIS_TYPE.format(3, "DelaySeconds")):
        send(sqs, fifo, "message-2", DelaySeconds=3)


# --- deduplication ------------------------------------------------------------------------------


def test_the_same_content_within_five_minutes(cloud: Account, sqs: Any, fifo: str) -> None:
    [first] = send(sqs, fifo, "same")
    [second] = send(sqs, fifo, "same", group="another")
    assert second["MessageId"] == first["MessageId"]
    assert second["SequenceNumber"] == first["SequenceNumber"]
    [message] = receive(sqs, fifo)
    assert message["Attributes"]["MessageDeduplicationId"] == hashlib.sha256(b"same").hexdigest()
    delete(sqs, fifo, message)
    cloud.advance(299)
    send(sqs, fifo, "same")
    assert receive(sqs, fifo) == []
    cloud.advance(2)
    [third] = send(sqs, fifo, "same")
    assert third["MessageId"] != first["MessageId"]
    assert bodies(receive(sqs, fifo)) == ["same"]


def test_an_id_counts_before_the_content(sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "same", MessageDeduplicationId="1")
    send(sqs, fifo, "same", MessageDeduplicationId="2")
    send(sqs, fifo, "other", MessageDeduplicationId="1")
    assert bodies(receive(sqs, fifo)) == ["same", "same"]


def test_attributes_are_not_content(sqs: Any, fifo: str) -> None:
    for value in ("1", "2"):
        send(sqs, fifo, "same", MessageAttributes={"a": {"DataType": "String", "StringValue": value}})
    assert len(receive(sqs, fifo)) == 1


@pytest.mark.parametrize("scope", ["queue", "messageGroup"])
def test_the_scope_of_deduplication(sqs: Any, explicit: str, scope: str) -> None:
    sqs.set_queue_attributes(QueueUrl=explicit, Attributes={"DeduplicationScope": scope})
    for group in ("1", "2"):
        send(sqs, explicit, f"Test{group}", group=group, MessageDeduplicationId="d")
    expected = ["Test1"] if scope == "queue" else ["Test1", "Test2"]
    assert bodies(receive(sqs, explicit)) == expected


HIGH = {"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
REGULAR = {"DeduplicationScope": "queue", "FifoThroughputLimit": "perQueue"}


def test_ids_of_the_queue_still_count_when_the_scope_becomes_the_group(cloud: Account, sqs: Any, explicit: str) -> None:
    send(sqs, explicit, "Test1", group="1", MessageDeduplicationId="d1")
    send(sqs, explicit, "Test2", group="2", MessageDeduplicationId="d1")
    assert bodies(receive(sqs, explicit)) == ["Test1"]
    sqs.set_queue_attributes(QueueUrl=explicit, Attributes=HIGH)
    assert attributes(sqs, explicit, *HIGH) == HIGH
    send(sqs, explicit, "Test3", group="3", MessageDeduplicationId="d1")
    assert receive(sqs, explicit) == []
    send(sqs, explicit, "Test4", group="3", MessageDeduplicationId="d2")
    assert bodies(receive(sqs, explicit)) == ["Test4"]
    send(sqs, explicit, "Test5", group="3", MessageDeduplicationId="d2")
    send(sqs, explicit, "Test6", group="4", MessageDeduplicationId="d2")
    assert bodies(receive(sqs, explicit)) == ["Test6"]


def test_ids_of_groups_do_not_count_when_the_scope_becomes_the_queue(sqs: Any, explicit: str) -> None:
    sqs.set_queue_attributes(QueueUrl=explicit, Attributes=HIGH)
    for group in ("1", "2"):
        send(sqs, explicit, f"Test{group}", group=group, MessageDeduplicationId="d")
    assert bodies(receive(sqs, explicit)) == ["Test1", "Test2"]
    sqs.set_queue_attributes(QueueUrl=explicit, Attributes=REGULAR)
    send(sqs, explicit, "Test3", group="3", MessageDeduplicationId="d")
    assert bodies(receive(sqs, explicit)) == ["Test3"]


def test_deduplication_outlives_a_purge(sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "same")
    sqs.purge_queue(QueueUrl=fifo)
    send(sqs, fifo, "same")
    assert receive(sqs, fifo) == []


# --- attempts of ReceiveMessage -----------------------------------------------------------------


def test_a_repeated_attempt_gets_the_same_messages_and_handles(cloud: Account, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "1", "2", "x" * 5000)
    first = receive(sqs, fifo, ReceiveRequestAttemptId="try")
    cloud.advance(20)
    second = receive(sqs, fifo, ReceiveRequestAttemptId="try")
    assert second == first
    cloud.advance(20)  # the repetition hid them anew
    assert receive(sqs, fifo) == []
    assert counts(sqs, fifo) == (0, 3, 0)
    for message in second:
        delete(sqs, fifo, message)
    assert counts(sqs, fifo) == (0, 0, 0)


def test_an_attempt_whose_messages_have_changed_starts_anew(cloud: Account, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "1", "2")
    first, second = receive(sqs, fifo, ReceiveRequestAttemptId="try")
    delete(sqs, fifo, first)
    assert receive(sqs, fifo, ReceiveRequestAttemptId="try") == []
    cloud.advance(31)
    [again] = receive(sqs, fifo, ReceiveRequestAttemptId="try")
    assert again["MessageId"] == second["MessageId"]
    assert again["ReceiptHandle"] != second["ReceiptHandle"]


def test_an_attempt_is_forgotten_after_five_minutes(cloud: Account, sqs: Any, fifo: str) -> None:
    send(sqs, fifo, "1")
    receive(sqs, fifo, ReceiveRequestAttemptId="try", VisibilityTimeout=1000)
    cloud.advance(301)
    assert receive(sqs, fifo, ReceiveRequestAttemptId="try") == []
    with refused("InvalidParameterValue"):
        receive(sqs, fifo, ReceiveRequestAttemptId="a b")
