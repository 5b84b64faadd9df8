"""Messages of a queue as functions see them. Pure; the form was observed in AWS's events."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec

MOST_BYTES = 6_291_456 - 64  # of the records of one event: the limit of a synchronous call's payload


class Polled(msgspec.Struct):
    """A message that was received, its record, and how that is written into an event."""

    id: str
    handle: str
    record: dict[str, Any]
    encoded: bytes
    trace_header: str = ""


def polled(message: dict[str, Any], arn: str, region: str) -> Polled:
    """A message as ReceiveMessage answers it."""
    attributes = message.get("Attributes", {})
    record: dict[str, Any] = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": attributes,
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfMessageAttributes": message.get("MD5OfMessageAttributes"),
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
        "awsRegion": region,
    }
    encoded = msgspec.json.encode(record)
    return Polled(message["MessageId"], message["ReceiptHandle"], record, encoded, attributes.get("AWSTraceHeader", ""))


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if "StringValue" in value:
        shown["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        binary = value["BinaryValue"]
        shown["binaryValue"] = b64encode(binary).decode() if isinstance(binary, bytes) else binary
    return {**shown, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def event(encoded: list[bytes]) -> bytes:
    """The event of these records."""
    return b'{"Records":[' + b",".join(encoded) + b"]}"


def parts(messages: list[Polled], most_bytes: int = MOST_BYTES) -> list[list[Polled]]:
    """Messages in as few events as their size allows, in their order."""
    found: list[list[Polled]] = []
    size = 0
    for message in messages:
        size += len(message.encoded) + 1
        if not found or size > most_bytes:
            found.append([])
            size = len(message.encoded) + 1
        found[-1].append(message)
    return found
