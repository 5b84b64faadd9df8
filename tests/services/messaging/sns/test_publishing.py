"""Publish and PublishBatch: what is accepted and what is refused, in AWS's words."""

import json
from collections.abc import Callable
from typing import Any

import pytest


def test_a_message_gets_an_id(sns: Any, topic: str) -> None:
    assert len(sns.publish(TopicArn=topic, Message="m", Subject="s")["MessageId"]) == 36
    assert sns.publish(TargetArn=topic, Message="m")["MessageId"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Message": ""}, "Invalid parameter: Empty message"),
        ({"Message": "m" * 262145}, "Invalid parameter: Message too long"),
        ({"Message": "m", "Subject": ""}, "Invalid parameter: Subject"),
        ({"Message": "m", "Subject": "a\nb"}, "Invalid parameter: Subject"),
        ({"Message": "m", "Subject": "a" * 101}, "Invalid parameter: Subject"),
        (
            {"Message": "{}", "MessageStructure": "json"},
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        ),
        (
            {"Message": "{", "MessageStructure": "json"},
            "Invalid parameter: Message Structure - JSON message body failed to parse",
        ),
        (
            {"Message": "m", "MessageDeduplicationId": "d"},
            "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter "
            "that is not valid for this topic type",
        ),
    ],
)
def test_wrong_messages_are_refused(
    sns: Any, refused: Callable[..., Any], topic: str, given: dict[str, Any], message: str
) -> None:
    error = refused(sns.publish, TopicArn=topic, **given)
    assert (error.code, error.message) == ("InvalidParameter", message)


def test_attributes_count_towards_the_size(sns: Any, refused: Callable[..., Any], topic: str) -> None:
    attributes = {"name": {"DataType": "String", "StringValue": "value"}}
    size = 262144 - len("name") - len("String") - len("value")
    assert sns.publish(TopicArn=topic, Message="m" * size, MessageAttributes=attributes)
    error = refused(sns.publish, TopicArn=topic, Message="m" * (size + 1), MessageAttributes=attributes)
    assert error.message == "Invalid parameter: Message too long"


def test_a_topic_may_allow_longer_messages(sns: Any, refused: Callable[..., Any], topic: str) -> None:
    sns.set_topic_attributes(TopicArn=topic, AttributeName="MaximumMessageSize", AttributeValue="300000")
    assert sns.publish(TopicArn=topic, Message="m" * 300000)
    assert refused(sns.publish, TopicArn=topic, Message="m" * 300001).message == "Invalid parameter: Message too long"


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (
            {"DataType": "", "StringValue": "v"},
            "The message attribute 'a' must contain non-empty message attribute type.",
        ),
        (
            {"DataType": "Colour", "StringValue": "v"},
            "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is "
            "Binary, Number, and String.",
        ),
        (
            {"DataType": "String"},
            "The message attribute 'a' must contain non-empty message attribute value for message attribute type "
            "'String'.",
        ),
        ({"DataType": "Number", "StringValue": "x"}, "Could not cast message attribute 'a' value to number."),
    ],
)
def test_wrong_attributes_are_refused(
    sns: Any, refused: Callable[..., Any], topic: str, attribute: dict[str, str], message: str
) -> None:
    error = refused(sns.publish, TopicArn=topic, Message="m", MessageAttributes={"a": attribute})
    assert (error.code, error.message) == ("ParameterValueInvalid", message)


def test_a_message_needs_one_target(sns: Any, refused: Callable[..., Any], topic: str) -> None:
    assert refused(sns.publish, Message="m").code == "InvalidParameter"
    assert refused(sns.publish, TopicArn=topic, TargetArn=topic, Message="m").code == "InvalidParameter"
    assert refused(sns.publish, TopicArn=topic + "x", Message="m").message == "Topic does not exist"


def test_a_fifo_topic_wants_a_group_and_an_id(sns: Any, refused: Callable[..., Any], fifo_topic: str) -> None:
    error = refused(sns.publish, TopicArn=fifo_topic, Message="m")
    assert error.message == "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"
    error = refused(sns.publish, TopicArn=fifo_topic, Message="m", MessageGroupId="g")
    assert error.message == (
        "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
        "provided explicitly"
    )


def test_a_duplicate_gets_the_first_answer_for_five_minutes(cloud: Any, sns: Any, fifo_topic: str) -> None:
    given = {"TopicArn": fifo_topic, "Message": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    first = sns.publish(**given)
    assert len(first["SequenceNumber"]) == 20
    again = sns.publish(**{**given, "Message": "other", "MessageGroupId": "h"})
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    cloud.advance(301)
    later = sns.publish(**given)
    assert later["MessageId"] != first["MessageId"]
    assert int(later["SequenceNumber"]) > int(first["SequenceNumber"])


def test_groups_can_be_the_scope_of_deduplication(sns: Any, fifo_topic: str) -> None:
    sns.set_topic_attributes(TopicArn=fifo_topic, AttributeName="FifoThroughputScope", AttributeValue="MessageGroup")
    given = {"TopicArn": fifo_topic, "Message": "m", "MessageDeduplicationId": "d"}
    ids = {sns.publish(**given, MessageGroupId=group)["MessageId"] for group in ("g", "h", "g")}
    assert len(ids) == 2


def entries(*ids: str, **more: Any) -> list[dict[str, Any]]:
    return [{"Id": entry_id, "Message": "m", **more} for entry_id in ids]


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (entries("a", "a"), "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."),
        (
            entries(*[str(number) for number in range(11)]),
            "TooManyEntriesInBatchRequest",
            "The batch request contains more entries than permissible.",
        ),
        (
            entries("a" * 81),
            "InvalidBatchEntryId",
            "The Id of a batch entry in the batch request is too long: " + "a" * 81,
        ),
        (
            entries("message.id"),
            "InvalidBatchEntryId",
            "The Id of a batch entry in the batch request contains an impermissible character: message.id",
        ),
        (
            [{"Id": "a", "Message": "m" * 200000}, {"Id": "b", "Message": "m" * 200000}],
            "BatchRequestTooLong",
            "The length of all the messages put together is more than the limit.",
        ),
        (
            [{"Id": "a", "Message": "{}", "MessageStructure": "json"}],
            "InvalidParameter",
            "Invalid parameter: Message Structure - No default entry in JSON message body",
        ),
    ],
)
def test_a_wrong_batch_is_refused_whole(
    sns: Any, refused: Callable[..., Any], topic: str, given: list[dict[str, Any]], code: str, message: str
) -> None:
    error = refused(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=given)
    assert (error.code, error.message) == (code, message)


def test_a_batch_reports_each_message(sns: Any, topic: str) -> None:
    given = entries("a" * 80, "valid-message_123")
    given.append({"Id": "bad", "Message": "m", "MessageAttributes": {"a": {"DataType": "Colour", "StringValue": "v"}}})
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=given)
    assert [each["Id"] for each in answer["Successful"]] == ["a" * 80, "valid-message_123"]
    assert [(each["Id"], each["SenderFault"]) for each in answer["Failed"]] == [("bad", True)]
    good = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries("a"))
    assert good["Failed"] == []


def test_a_fifo_batch_is_numbered_in_order_and_repeats_its_answer(sns: Any, fifo_topic: str) -> None:
    given = [
        {"Id": str(number), "Message": json.dumps(number), "MessageGroupId": "g", "MessageDeduplicationId": str(number)}
        for number in range(3)
    ]
    first = sns.publish_batch(TopicArn=fifo_topic, PublishBatchRequestEntries=given)["Successful"]
    numbers = [int(each["SequenceNumber"]) for each in first]
    assert numbers == sorted(numbers)
    assert sns.publish_batch(TopicArn=fifo_topic, PublishBatchRequestEntries=given)["Successful"] == first
