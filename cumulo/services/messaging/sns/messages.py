"""What is published: its parts checked, measured and brought into the form that deliveries carry."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.messaging.sns.envelopes import Attributes, iso8601
from cumulo.services.messaging.sns.errors import INVALID_PARAMETER, INVALID_VALUE

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sns.topics import Topic

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ID = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}")
_ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_TYPES = ("Binary", "Number", "String")
_decode = msgspec.json.Decoder().decode

Message = dict[str, Any]


def check_subject(subject: str) -> None:
    """Fewer than 100 characters, no line breaks or control characters (API reference, Publish)."""
    if not subject or len(subject) > 100 or _CONTROL.search(subject):
        raise INVALID_PARAMETER(what="Subject")


def attributes(given: dict[str, dict[str, Any]]) -> tuple[Attributes, int]:
    """(name → [type, value], size in bytes); a Binary value is kept in base64, as every envelope shows it."""
    out: Attributes = {}
    size = 0
    for name, attribute in given.items():
        if not _ATTRIBUTE_NAME.fullmatch(name):
            raise INVALID_VALUE(f"The message attribute '{name}' has an invalid message attribute name.")
        kind = attribute.get("DataType") or ""
        if not kind:
            raise INVALID_VALUE(f"The message attribute '{name}' must contain non-empty message attribute type.")
        logical = kind.partition(".")[0]
        if logical not in _TYPES:
            supported = "the set of supported type prefixes is Binary, Number, and String."
            raise INVALID_VALUE(f"The message attribute '{name}' has an invalid message attribute type, {supported}")
        value, length = _value(name, kind, logical, attribute)
        out[name] = [kind, value]
        size += len(name.encode()) + len(kind) + length
    return out, size


def _value(name: str, kind: str, logical: str, attribute: dict[str, Any]) -> tuple[str, int]:
    field, other = ("BinaryValue", "StringValue") if logical == "Binary" else ("StringValue", "BinaryValue")
    value = attribute.get(field)
    if not value:
        if attribute.get(other):
            raise INVALID_VALUE(f"The message attribute '{name}' with type '{kind}' must use field '{field[:6]}'.")
        what = f"must contain non-empty message attribute value for message attribute type '{kind}'."
        raise INVALID_VALUE(f"The message attribute '{name}' {what}")
    if logical == "Binary":
        return b64encode(value).decode(), len(value)
    if logical == "Number":
        try:
            float(value)
        except ValueError:
            raise INVALID_VALUE(f"Could not cast message attribute '{name}' value to number.") from None
    return value, len(value.encode())


def by_protocol(text: str) -> dict[str, str]:
    """The texts of a message with MessageStructure `json`; values that are no strings count as absent."""
    try:
        document = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise INVALID_PARAMETER(what="Message Structure - JSON message body failed to parse")
    found = {str(key): value for key, value in document.items() if isinstance(value, str)}
    if "default" not in found:
        raise INVALID_PARAMETER(what="Message Structure - No default entry in JSON message body")
    return found


def read(ctx: Context, request: dict[str, Any], topic: Topic | None) -> tuple[Message, int]:
    """The message of a Publish request or batch entry, with its size in bytes.

    In the order in which AWS checks: the text, its structure, the subject, the attributes, then what a FIFO topic
    wants. The size is for the caller to judge, since a batch adds up.
    """
    text: str = request["Message"]
    if not text:
        raise INVALID_PARAMETER(what="Empty message")
    message: Message = {"id": ctx.uuid(), "timestamp": iso8601(ctx.now()), "text": text, "endpoint": ctx.endpoint}
    structure = request.get("MessageStructure")
    if structure == "json":
        message["texts"] = by_protocol(text)
    elif structure is not None:
        raise INVALID_PARAMETER(what="MessageStructure")
    subject = request.get("Subject")
    if subject is not None:
        check_subject(subject)
        message["subject"] = subject
    size = len(text) if text.isascii() else len(text.encode())
    given = request.get("MessageAttributes")
    if given:
        message["attributes"], attributes_size = attributes(given)
        size += attributes_size
    if topic is not None:
        message["topic"] = topic.arn
        version = topic.attributes.get("SignatureVersion")
        if version:
            message["version"] = version
        _ordering(request, topic, message)
    if ctx.headers is not None and (trace := ctx.headers.get("x-amzn-trace-id")):
        message["trace"] = trace
    return message, size


def _ordering(request: dict[str, Any], topic: Topic, message: Message) -> None:
    """The ids of group and deduplication; a standard topic only passes a group on, to fair queues."""
    group, deduplication = request.get("MessageGroupId"), request.get("MessageDeduplicationId")
    if not topic.fifo:
        if deduplication is not None:
            reason = "The request includes MessageDeduplicationId parameter that is not valid for this topic type"
            raise INVALID_PARAMETER(what=f"MessageDeduplicationId Reason: {reason}")
        if group is not None:
            _check_id("MessageGroupId", group)
            message["group"] = group
        return
    if not group:
        raise INVALID_PARAMETER(what="The MessageGroupId parameter is required for FIFO topics")
    _check_id("MessageGroupId", group)
    if deduplication is None:
        if topic.attributes.get("ContentBasedDeduplication") != "true":
            needed = "ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
            raise INVALID_PARAMETER(what=f"The topic should either have {needed}")
        deduplication = sha256(message["text"].encode()).hexdigest()
    else:
        _check_id("MessageDeduplicationId", deduplication)
    message["group"], message["deduplication"] = group, deduplication


def _check_id(name: str, value: str) -> None:
    if not _ID.fullmatch(value):
        reason = "can only include alphanumeric and punctuation characters. 1 to 128 in length"
        raise INVALID_PARAMETER(what=f"{name} Reason: {name} {reason}")


def text_for(message: Message, *protocols: str) -> str:
    """The text for the first of these names that the message has one for, else its default text."""
    texts: dict[str, str] | None = message.get("texts")
    if texts is None:
        return str(message["text"])
    for protocol in protocols:
        if protocol in texts:
            return texts[protocol]
    return texts["default"]
