"""SendMessage and SendMessageBatch."""

import hashlib
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import bodies, counts, receive, refused

pytestmark = pytest.mark.usefixtures("still")

INVALID_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
    "#xE000 to #xFFFD | #x10000 to #x10FFFF"
)
NOT_FOR_THIS_TYPE = (
    "Value {} for parameter {} is invalid. Reason: The request include parameter that is not valid for this queue type."
)


def string(value: str, kind: str = "String") -> dict[str, str]:
    return {"DataType": kind, "StringValue": value}


def test_the_answer(sqs: Any, queue: str) -> None:
    answer = sqs.send_message(QueueUrl=queue, MessageBody="hello")
    assert answer["MD5OfMessageBody"] == hashlib.md5(b"hello").hexdigest()
    assert len(answer["MessageId"]) == 36
    assert set(answer) == {"MD5OfMessageBody", "MessageId", "ResponseMetadata"}
    [message] = receive(sqs, queue, MessageSystemAttributeNames=[])
    assert message["MessageId"] == answer["MessageId"]
    assert message["MD5OfBody"] == answer["MD5OfMessageBody"]
    assert set(message) == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}


def test_an_empty_body(sqs: Any, queue: str) -> None:
    text = "The request must contain the parameter MessageBody."
    with refused("MissingParameter", text):
        sqs.send_message(QueueUrl=queue, MessageBody="")
    with refused("MissingParameter", text):
        sqs.send_message(QueueUrl=queue)


def test_any_text_that_xml_can_hold(sqs: Any, queue: str) -> None:
    texts = ["\t\n\r ~", "ä\u20ac\ud7ff\ue000\ufffd", "\U00010000\U0010ffff\U0001f600", "<a>&amp;</a>", "{}"]
    for text in texts:
        sqs.send_message(QueueUrl=queue, MessageBody=text)
    assert bodies(receive(sqs, queue)) == texts


@pytest.mark.parametrize("text", ["\x00", "a\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_characters_that_xml_cannot_hold(sqs: Any, queue: str, text: str) -> None:
    with refused("InvalidMessageContents", INVALID_CHARACTERS):
        sqs.send_message(QueueUrl=queue, MessageBody=text)
    with refused("InvalidMessageContents", INVALID_CHARACTERS):
        sqs.send_message(QueueUrl=queue, MessageBody="a", MessageAttributes={"a": string(text)})


def test_the_size_of_a_message(sqs: Any, queue: str) -> None:
    text = "One or more parameters are invalid. Reason: Message must be shorter than {} bytes."
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1_048_576)
    with refused("InvalidParameterValue", text.format(1_048_576)):
        sqs.send_message(QueueUrl=queue, MessageBody="x" * 1_048_577)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"MaximumMessageSize": "1024"})
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1024)
    with refused("InvalidParameterValue", text.format(1024)):
        sqs.send_message(QueueUrl=queue, MessageBody="ä" * 513)
    # Names, types and values of attributes count: 3 + 6 + 15 of 1024 bytes.
    with refused("InvalidParameterValue", text.format(1024)):
        sqs.send_message(QueueUrl=queue, MessageBody="x" * 1001, MessageAttributes={"abc": string("v" * 15)})
    sqs.send_message(QueueUrl=queue, MessageBody="x" * 1000, MessageAttributes={"abc": string("v" * 15)})


def test_large_bodies_come_back_whole(sqs: Any, queue: str, fifo: str) -> None:
    body = "".join(chr(65 + number % 26) for number in range(300_000))
    for url, options in ((queue, {}), (fifo, {"MessageGroupId": "g"})):
        sqs.send_message(QueueUrl=url, MessageBody=body, **options)
        [first] = receive(sqs, url, VisibilityTimeout=0)
        [second] = receive(sqs, url)
        assert first["Body"] == second["Body"] == body
        sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
        assert counts(sqs, url) == (0, 0, 0)


def test_delays(cloud: Account, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=900)
    assert receive(sqs, queue) == []
    assert counts(sqs, queue) == (0, 0, 1)
    cloud.advance(899)
    assert receive(sqs, queue) == []
    cloud.advance(2)
    assert bodies(receive(sqs, queue)) == ["later"]
    for delay in (-1, 901):
        text = f"Value {delay} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        with refused("InvalidParameterValue", text):
            sqs.send_message(QueueUrl=queue, MessageBody="x", DelaySeconds=delay)


def test_the_delay_of_a_queue(cloud: Account, sqs: Any) -> None:
    url = sqs.create_queue(QueueName="slow", Attributes={"DelaySeconds": "5"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="slow")
    sqs.send_message(QueueUrl=url, MessageBody="fast", DelaySeconds=0)
    assert bodies(receive(sqs, url)) == ["fast"]
    cloud.advance(6)
    assert bodies(receive(sqs, url)) == ["slow"]


def test_attributes(sqs: Any, queue: str) -> None:
    given = {
        "General": string("Kenobi"),
        "Count": string("-1.5e3", "Number"),
        "Custom": string("7", "Number.int"),
        "Blob.x-y_z": {"DataType": "Binary.png", "BinaryValue": b"\x00\xff"},
    }
    answer = sqs.send_message(QueueUrl=queue, MessageBody="msg", MessageAttributes=given)
    [message] = receive(sqs, queue, MessageAttributeNames=["All"])
    assert message["MessageAttributes"] == given
    assert message["MD5OfMessageAttributes"] == answer["MD5OfMessageAttributes"]


def test_the_digest_of_attributes(sqs: Any, queue: str) -> None:
    # Figures that AWS answered.
    known = {
        "4c360f3fdafd970e05fae2f149d997f5": {
            "Help.Me": string("Me"),
            "Hello": string("There"),
            "General": string("Kenobi"),
        },
        "8cbe4db156db8a94db8b801b7addb984": {
            "attr1": {
                "DataType": "Binary",
                "BinaryValue": b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01",
            }
        },
    }
    for digest, given in known.items():
        answer = sqs.send_message(QueueUrl=queue, MessageBody="test", MessageAttributes=given)
        assert answer["MD5OfMessageAttributes"] == digest


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("a" * 257, string("x"), "Message (user) attribute names must be shorter than 256 Bytes"),
        (
            "AWS.x",
            string("x"),
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. "
            "These strings are reserved for internal use.",
        ),
        ("amazon.x", string("x"), None),
        (".a", string("x"), None),
        ("a.", string("x"), None),
        ("a..b", string("x"), None),
        ("a b", string("x"), None),
        ("", string("x"), "The request must contain non-empty message (user) attribute names."),
        ("a", string("", "String"), "Message (user) attribute 'a' must contain a non-empty value of type 'String'."),
        ("a", {"DataType": "Number"}, "Message (user) attribute 'a' must contain a non-empty value of type 'Number'."),
        ("a", {"DataType": "Binary", "BinaryValue": b""}, None),
        ("a", {"DataType": "Binary", "StringValue": "x"}, None),
        ("a", string("x", ""), "The message attribute 'a' must contain non-empty message attribute type."),
        (
            "a",
            string("x", "string"),
            "The type of message (user) attribute 'a' is invalid. You must use only the following supported "
            "type prefixes: Binary, Number, String.",
        ),
        ("a", string("x", "Stringy"), None),
        ("a", string("x", "String." + "x" * 250), None),
        ("a", string("x", "Number"), "Can't cast the value of message (user) attribute 'a' to a number."),
        ("a", string("1e999999999", "Number"), None),
        ("a", string("1" * 39, "Number"), None),
    ],
)
def test_attributes_that_are_refused(sqs: Any, queue: str, name: str, value: Any, text: str | None) -> None:
    with refused("InvalidParameterValue", text):
        sqs.send_message(QueueUrl=queue, MessageBody="msg", MessageAttributes={name: value})
    assert counts(sqs, queue) == (0, 0, 0)


def test_at_most_ten_attributes(sqs: Any, queue: str) -> None:
    ten = {f"n{number}": string("x") for number in range(10)}
    sqs.send_message(QueueUrl=queue, MessageBody="msg", MessageAttributes=ten)
    text = "Number of message attributes [11] exceeds the allowed maximum [10]."
    with refused("InvalidParameterValue", text):
        sqs.send_message(QueueUrl=queue, MessageBody="msg", MessageAttributes=ten | {"one": string("x")})


def test_list_values_are_not_supported(sqs: Any, queue: str) -> None:
    with refused("AWS.SimpleQueueService.UnsupportedOperation"):
        given = {"a": {"DataType": "String", "StringListValues": ["x"]}}
        sqs.send_message(QueueUrl=queue, MessageBody="msg", MessageAttributes=given)


def test_the_trace_header(sqs: Any, queue: str) -> None:
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    answer = sqs.send_message(
        QueueUrl=queue, MessageBody="msg", MessageSystemAttributes={"AWSTraceHeader": string(trace)}
    )
    assert "MD5OfMessageSystemAttributes" in answer
    [message] = receive(sqs, queue, MessageSystemAttributeNames=["AWSTraceHeader"])
    assert message["Attributes"] == {"AWSTraceHeader": trace}


def test_the_trace_header_of_the_request(sqs: Any, queue: str) -> None:
    trace = "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1"
    sqs.meta.events.register_first(
        "before-sign.sqs.SendMessage", lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", trace)
    )
    sqs.send_message(QueueUrl=queue, MessageBody="msg")
    [message] = receive(sqs, queue, MessageSystemAttributeNames=["AWSTraceHeader", "SentTimestamp"])
    assert message["Attributes"]["AWSTraceHeader"] == trace
    assert set(message["Attributes"]) == {"AWSTraceHeader", "SentTimestamp"}


def test_other_system_attributes_are_refused(sqs: Any, queue: str) -> None:
    with refused("InvalidParameterValue"):
        sqs.send_message(QueueUrl=queue, MessageBody="m", MessageSystemAttributes={"Nonsense": string("x")})
    with refused("InvalidParameterValue"):
        given = {"AWSTraceHeader": string("1", "Number")}
        sqs.send_message(QueueUrl=queue, MessageBody="m", MessageSystemAttributes=given)


def test_groups_in_standard_queues_are_for_fair_queues(sqs: Any, queue: str) -> None:
    answer = sqs.send_message(QueueUrl=queue, MessageBody="message", MessageGroupId="test")
    assert "SequenceNumber" not in answer
    [message] = receive(sqs, queue)
    assert message["Attributes"]["MessageGroupId"] == "test"
    assert "MessageDeduplicationId" not in message["Attributes"]


@pytest.mark.parametrize("group", ["", "group 123", "a" * 129, "ä"])
def test_groups_that_are_refused(sqs: Any, queue: str, fifo: str, group: str) -> None:
    text = (
        f"Value {group} for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "
        "alphanumeric and punctuation characters. 1 to 128 in length."
    )
    for url in (queue, fifo):
        with refused("InvalidParameterValue", text):
            sqs.send_message(QueueUrl=url, MessageBody="message", MessageGroupId=group)


def test_a_deduplication_id_is_for_fifo_queues(sqs: Any, queue: str) -> None:
    with refused("InvalidParameterValue", NOT_FOR_THIS_TYPE.format("x", "MessageDeduplicationId")):
        sqs.send_message(QueueUrl=queue, MessageBody="message", MessageDeduplicationId="x")


def entries(*texts: str) -> list[dict[str, Any]]:
    return [{"Id": str(number), "MessageBody": text} for number, text in enumerate(texts)]


def test_a_batch(sqs: Any, queue: str) -> None:
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=entries("a", "b", "c"))
    assert [one["Id"] for one in answer["Successful"]] == ["0", "1", "2"]
    assert not answer.get("Failed")
    assert bodies(receive(sqs, queue)) == ["a", "b", "c"]


def test_entries_fail_for_themselves(sqs: Any, queue: str) -> None:
    batch = entries("a", "b", "\x00", "d")
    batch[1]["DelaySeconds"] = 1800
    batch[3]["MessageAttributes"] = {"x": string("x", "Nonsense")}
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=batch)
    assert [one["Id"] for one in answer["Successful"]] == ["0"]
    assert [(one["Id"], one["SenderFault"], one["Code"]) for one in answer["Failed"]] == [
        ("1", True, "InvalidParameterValue"),
        ("2", True, "InvalidMessageContents"),
        ("3", True, "InvalidParameterValue"),
    ]
    text = "Value 1800 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
    assert answer["Failed"][0]["Message"] == text
    assert bodies(receive(sqs, queue)) == ["a"]


def test_batches_that_are_refused(sqs: Any, queue: str) -> None:
    def send(batch: list[dict[str, Any]]) -> None:
        sqs.send_message_batch(QueueUrl=queue, Entries=batch)

    with refused(
        "AWS.SimpleQueueService.EmptyBatchRequest",
        "There should be at least one SendMessageBatchRequestEntry in the request.",
    ):
        send([])
    with refused(
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 20.",
    ):
        send(entries(*"abcdefghijklmnopqrst"))
    with refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Id one repeated."):
        send([{"Id": "one", "MessageBody": "a"}, {"Id": "one", "MessageBody": "b"}])
    for bad in ("", "a b", "invalid:id", "x" * 81):
        with refused(
            "AWS.SimpleQueueService.InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        ):
            send([{"Id": bad, "MessageBody": "a"}])
    with refused(
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
    ):
        send(entries("x" * 1_048_570, "y" * 7))
    with refused("MissingParameter"):
        send([{"Id": "one", "MessageBody": ""}])
    assert counts(sqs, queue) == (0, 0, 0)


def test_batches_of_fifo_queues(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    batch = [entry | {"MessageGroupId": "g"} for entry in entries("a", "b")]
    batch[0]["MessageDeduplicationId"] = "1"
    text = (
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    )
    with refused("InvalidParameterValue", text):
        sqs.send_message_batch(QueueUrl=url, Entries=batch)
    batch[1]["MessageDeduplicationId"] = "2"
    answer = sqs.send_message_batch(QueueUrl=url, Entries=batch)
    numbers = [one["SequenceNumber"] for one in answer["Successful"]]
    assert numbers == sorted(numbers)
    assert bodies(receive(sqs, url)) == ["a", "b"]
    batch[0]["DelaySeconds"] = 1
    [failed] = sqs.send_message_batch(QueueUrl=url, Entries=batch)["Failed"]
    assert failed["Message"] == NOT_FOR_THIS_TYPE.format(1, "DelaySeconds")
    del batch[1]["MessageGroupId"]
    with refused("MissingParameter", "The request must contain the parameter MessageGroupId."):
        sqs.send_message_batch(QueueUrl=url, Entries=batch)
