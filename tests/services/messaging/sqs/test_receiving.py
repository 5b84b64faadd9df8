"""ReceiveMessage: what is given out, with what; polls that wait."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import bodies, counts, receive, refused
from tests.services.messaging.sqs.test_sending import NOT_FOR_THIS_TYPE, string

pytestmark = pytest.mark.usefixtures("still")


def test_messages_come_in_the_order_they_were_sent_when_nobody_disturbs(sqs: Any, queue: str) -> None:
    for number in range(25):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
    found = [body for _ in range(4) for body in bodies(receive(sqs, queue))]
    assert found == [str(number) for number in range(25)]


def test_one_message_unless_more_are_asked_for(sqs: Any, queue: str) -> None:
    for number in range(11):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
    assert len(sqs.receive_message(QueueUrl=queue)["Messages"]) == 1
    assert len(receive(sqs, queue, 10)) == 10
    for bad in (0, 11, -1):
        text = (
            f"Value {bad} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
        )
        with refused("InvalidParameterValue", text):
            sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=bad)


def test_nothing_there(sqs: Any, queue: str) -> None:
    assert set(sqs.receive_message(QueueUrl=queue)) == {"ResponseMetadata"}


@pytest.mark.parametrize(("name", "most"), [("WaitTimeSeconds", 20), ("VisibilityTimeout", 43_200)])
def test_ranges(sqs: Any, queue: str, name: str, most: int) -> None:
    for bad in (-1, most + 1):
        text = f"Value {bad} for parameter {name} is invalid. Reason: Must be >= 0 and <= {most}, if provided."
        with refused("InvalidParameterValue", text):
            sqs.receive_message(QueueUrl=queue, **{name: bad})


def test_a_received_message_is_hidden_for_the_visibility_timeout(cloud: Account, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    [first] = receive(sqs, queue)
    assert receive(sqs, queue) == []
    assert counts(sqs, queue) == (0, 1, 0)
    cloud.advance(31)
    assert counts(sqs, queue) == (1, 0, 0)
    [second] = receive(sqs, queue, VisibilityTimeout=5)
    assert second["MessageId"] == first["MessageId"]
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    cloud.advance(6)
    [third] = receive(sqs, queue, VisibilityTimeout=0)
    [fourth] = receive(sqs, queue, VisibilityTimeout=0)
    assert [m["Attributes"]["ApproximateReceiveCount"] for m in (first, second, third, fourth)] == ["1", "2", "3", "4"]


def test_system_attributes(cloud: Account, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="msg")
    [first] = receive(sqs, queue, VisibilityTimeout=0)
    names = {"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"}
    assert set(first["Attributes"]) == names
    assert first["Attributes"]["SenderId"] == cloud.account
    cloud.advance(5)
    [second] = receive(sqs, queue, VisibilityTimeout=0)
    for kept in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
        assert second["Attributes"][kept] == first["Attributes"][kept]
    [one] = receive(sqs, queue, VisibilityTimeout=0, MessageSystemAttributeNames=["SenderId", "SequenceNumber"])
    assert set(one["Attributes"]) == {"SenderId"}
    options = {"AttributeNames": ["SenderId"], "MessageSystemAttributeNames": ["All"], "VisibilityTimeout": 0}
    [both] = receive(sqs, queue, **options)
    assert set(both["Attributes"]) == names
    [older] = receive(sqs, queue, AttributeNames=["All"], MessageSystemAttributeNames=[], VisibilityTimeout=0)
    assert set(older["Attributes"]) == names
    with refused("InvalidAttributeName", "Unknown Attribute Nonsense."):
        sqs.receive_message(QueueUrl=queue, AttributeNames=["Nonsense"])


@pytest.mark.parametrize(
    ("names", "expected", "digest"),
    [
        ([], set(), None),
        (["All"], {"Hello", "General", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"),
        ([".*"], {"Hello", "General", "Help.Me"}, "4c360f3fdafd970e05fae2f149d997f5"),
        (["Foo"], set(), None),
        (["Hello", "General"], {"Hello", "General"}, "fca026605781cb4126a1e9044df24232"),
        (["Foo", "Hello"], {"Hello"}, "a311262e065454b75da111d535b8dacd"),
        (["Hel.*"], {"Hello", "Help.Me"}, "83fee93c1bcd8b9a5a923ffacdc636c7"),
        (["AWS."], set(), None),
        (["..foo"], set(), None),
    ],
)
def test_message_attributes_are_chosen_by_name(
    sqs: Any, queue: str, names: list[str], expected: set[str], digest: str | None
) -> None:
    given = {"Help.Me": string("Me"), "Hello": string("There"), "General": string("Kenobi")}
    sqs.send_message(QueueUrl=queue, MessageBody="msg", MessageAttributes=given)
    [message] = receive(sqs, queue, MessageAttributeNames=names)
    assert set(message.get("MessageAttributes", {})) == expected
    assert message.get("MD5OfMessageAttributes") == digest


def test_an_attempt_id_is_for_fifo_queues(sqs: Any, queue: str) -> None:
    with refused("InvalidParameterValue", NOT_FOR_THIS_TYPE.format("x", "ReceiveRequestAttemptId")):
        sqs.receive_message(QueueUrl=queue, ReceiveRequestAttemptId="x")


def test_messages_in_flight_are_limited(sqs: Any, queue: str, fifo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cumulo.services.messaging.sqs.in_flight.LIMIT", 3)
    for number in range(5):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
        sqs.send_message(QueueUrl=fifo, MessageBody=str(number), MessageGroupId=str(number))
    first = receive(sqs, queue)
    assert len(first) == 3
    with refused("OverLimit", status=403):
        receive(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first[0]["ReceiptHandle"])
    assert len(receive(sqs, queue)) == 1
    assert len(receive(sqs, fifo)) == 3
    assert receive(sqs, fifo) == []


def test_messages_go_after_the_retention_period(cloud: Account, sqs: Any, queue: str, fifo: str) -> None:
    for url, options in ((queue, {}), (fifo, {"MessageGroupId": "g"})):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
        sqs.send_message(QueueUrl=url, MessageBody="first", **options)
        receive(sqs, url, VisibilityTimeout=1)
    cloud.advance(30)
    for url, options in ((queue, {}), (fifo, {"MessageGroupId": "g"})):
        sqs.send_message(QueueUrl=url, MessageBody="second", **options)
        assert counts(sqs, url) == (2, 0, 0)
    cloud.advance(31)
    for url in (queue, fifo):
        assert bodies(receive(sqs, url, VisibilityTimeout=0)) == ["second"]
        assert counts(sqs, url) == (1, 0, 0)
    cloud.advance(31)
    for url in (queue, fifo):
        assert counts(sqs, url) == (0, 0, 0)
        assert receive(sqs, url) == []


def test_expired_messages_are_dropped_though_nobody_asks(cloud: Account, sqs: Any, queue: str, fifo: str) -> None:
    from cumulo.store.keys import pack

    store = cloud.running.cloud.runtime.store

    def kept() -> int:
        begin = pack("sqs.messages")
        pairs = cloud.running.run(store.run(lambda txn: txn.range(begin, begin + b"\xff")))
        return sum(b"expire-me" in value for _, value in pairs)

    for url, options in ((queue, {}), (fifo, {"MessageGroupId": "g"})):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
        for number in range(3):
            sqs.send_message(QueueUrl=url, MessageBody=f"expire-me {number}", **options)
        receive(sqs, url, 1, VisibilityTimeout=1)
    assert kept() == 6
    cloud.advance(1000)
    cloud.advance(100)
    deadline = time.monotonic() + 5
    while kept() and time.monotonic() < deadline:
        cloud.settle()
    assert kept() == 0


# --- long polls ---------------------------------------------------------------------------------


@pytest.fixture
def poll(cloud: Account) -> Any:
    """Starts a long poll in a thread and returns its future when the server is listening."""
    pool = ThreadPoolExecutor(8)

    def start(url: str, **options: Any) -> Future[list[dict[str, Any]]]:
        client = cloud.client("sqs")
        listeners = cloud.running.cloud.runtime.signals.listeners
        before = sum(map(len, listeners.values()))
        options.setdefault("WaitTimeSeconds", 20)
        future = pool.submit(receive, client, url, **options)
        deadline = time.monotonic() + 5
        while sum(map(len, listeners.values())) <= before and time.monotonic() < deadline and not future.done():
            time.sleep(0.002)
        time.sleep(0.05)  # from listening to waiting
        return future

    yield start
    pool.shutdown()


Poll = Callable[..., Future[list[dict[str, Any]]]]


def test_a_poll_that_waits_ends_with_the_first_message(sqs: Any, queue: str, poll: Poll) -> None:
    waiting = poll(queue)
    assert not waiting.done()
    began = time.monotonic()
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    assert bodies(waiting.result(5)) == ["one"]
    assert time.monotonic() - began < 1


def test_a_poll_ends_with_nothing_after_its_time(cloud: Account, sqs: Any, queue: str, poll: Poll) -> None:
    waiting = poll(queue, WaitTimeSeconds=20)
    cloud.advance(19)
    time.sleep(0.05)
    assert not waiting.done()
    cloud.advance(2)
    assert waiting.result(5) == []


def test_the_queue_may_say_how_long_to_wait(cloud: Account, sqs: Any, queue: str) -> None:
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"ReceiveMessageWaitTimeSeconds": "10"})
    assert receive(sqs, queue, WaitTimeSeconds=0) == []
    waiting = poll_default(cloud, queue)
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    assert bodies(waiting.result(5)) == ["one"]


def poll_default(cloud: Account, url: str) -> Future[list[dict[str, Any]]]:
    future: Future[list[dict[str, Any]]] = Future()
    client = cloud.client("sqs")
    threading.Thread(target=lambda: future.set_result(receive(client, url))).start()
    time.sleep(0.2)
    assert not future.done()
    return future


def test_a_poll_wakes_for_a_delayed_message(cloud: Account, sqs: Any, queue: str, poll: Poll) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=5)
    waiting = poll(queue)
    sqs.send_message(QueueUrl=queue, MessageBody="sooner", DelaySeconds=3)
    time.sleep(0.05)
    assert not waiting.done()
    cloud.advance(4)
    assert bodies(waiting.result(5)) == ["sooner"]


def test_a_poll_wakes_when_a_hidden_message_comes_back(cloud: Account, sqs: Any, queue: str, poll: Poll) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    [held] = receive(sqs, queue, VisibilityTimeout=10)
    waiting = poll(queue)
    cloud.advance(11)
    assert bodies(waiting.result(5)) == ["one"]
    [held] = waiting.result()
    waiting = poll(queue)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=0)
    assert bodies(waiting.result(5)) == ["one"]


def test_a_poll_of_a_fifo_queue_wakes_when_its_group_is_free(sqs: Any, fifo: str, poll: Poll) -> None:
    for body in ("one", "two"):
        sqs.send_message(QueueUrl=fifo, MessageBody=body, MessageGroupId="g")
    [held] = receive(sqs, fifo, 1)
    waiting = poll(fifo)
    assert not waiting.done()
    sqs.delete_message(QueueUrl=fifo, ReceiptHandle=held["ReceiptHandle"])
    assert bodies(waiting.result(5)) == ["two"]


def test_of_many_polls_one_gets_the_message(cloud: Account, sqs: Any, queue: str, poll: Poll) -> None:
    waiting = [poll(queue) for _ in range(5)]
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    time.sleep(0.2)
    done = [one for one in waiting if one.done()]
    assert [bodies(one.result()) for one in done] == [["one"]]
    cloud.advance(21)
    assert sorted(len(one.result(5)) for one in waiting) == [0, 0, 0, 0, 1]


def test_a_poll_of_a_queue_that_is_deleted_is_refused(sqs: Any, queue: str, poll: Poll) -> None:
    waiting = poll(queue)
    sqs.delete_queue(QueueUrl=queue)
    with refused("AWS.SimpleQueueService.NonExistentQueue"):
        waiting.result(5)


def test_a_client_that_hung_up_gets_no_message(cloud: Account, sqs: Any, queue: str) -> None:
    from botocore.config import Config
    from botocore.exceptions import ReadTimeoutError

    impatient = cloud.client("sqs", config=Config(read_timeout=0.3))
    with pytest.raises(ReadTimeoutError):
        impatient.receive_message(QueueUrl=queue, WaitTimeSeconds=20)
    impatient.close()
    time.sleep(0.2)
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    assert bodies(receive(sqs, queue)) == ["one"]
