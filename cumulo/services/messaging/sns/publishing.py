"""Publish and PublishBatch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation, reconciler
from cumulo.core.table import GLOBAL, REGION, Space, prefix_range
from cumulo.services.messaging.sns import archive, messages, pushes, sealing, sms, topics
from cumulo.services.messaging.sns.errors import (
    BATCH_TOO_LONG,
    EMPTY_BATCH,
    ENTRY_ID_CHARACTER,
    ENTRY_ID_TOO_LONG,
    IDS_NOT_DISTINCT,
    INVALID_PARAMETER,
    TOO_MANY_ENTRIES,
)
from cumulo.services.messaging.sns.fan_out import fan_out
from cumulo.services.messaging.sns.topic_attributes import maximum_message_bytes

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.encryption import DataKey
    from cumulo.services.messaging.sns.messages import Message
    from cumulo.services.messaging.sns.topics import Topic

MAX_ENTRIES = 10
DEDUPLICATION_S = 300
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]+")
_MAX_ENTRY_ID = 80
_FIRST_SEQUENCE = 10_000_000_000_000_000_000  # twenty digits, as AWS counts; steps of a thousand

SEQUENCES = Space("sns.sequences", scope=REGION)  # (topic id) → the last number given
# (window, account, region, topic id, scope, deduplication id) → message id and sequence number
DEDUPLICATIONS = Space("sns.deduplications", scope=GLOBAL)


@operation
def publish(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Send a message to a topic, a phone number or a device."""
    arn = request.get("TopicArn")
    target = request.get("TargetArn")
    number = request.get("PhoneNumber")
    if sum(each is not None for each in (arn, target, number)) != 1:
        if arn is None and target is None and number is None:
            raise INVALID_PARAMETER(what="TopicArn or TargetArn Reason: no value for required parameter")
        raise INVALID_PARAMETER(what="Only one of TopicArn, TargetArn and PhoneNumber can be given")
    if number is not None:
        return sms.publish(ctx, request, number)
    if target is not None and ":endpoint/" in target:
        return pushes.publish(ctx, request, target)
    topic = topics.find(ctx, target, "TargetArn") if target is not None else topics.find(ctx, request["TopicArn"])
    message, size = messages.read(ctx, request, topic)
    if size > maximum_message_bytes(topic):
        raise INVALID_PARAMETER(what="Message too long")
    return _accept(ctx, topic, message, sealing.data_key(ctx, topic))


@operation
def publish_batch(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Send up to ten messages to a topic, in their order."""
    topic = topics.find(ctx, request["TopicArn"])
    entries: list[dict[str, Any]] = request["PublishBatchRequestEntries"]
    _check_ids(entries)
    read: list[tuple[str, Message]] = []
    failed: list[dict[str, Any]] = []
    total = 0
    for entry in entries:
        try:
            message, size = messages.read(ctx, entry, topic)
        except Fault as fault:
            if fault.code == "InvalidParameter":
                raise  # AWS refuses the batch for these, and reports the others one by one
            code = "InvalidParameterValue"
            failed.append({"Id": entry["Id"], "Code": code, "Message": fault.message, "SenderFault": True})
            continue
        read.append((entry["Id"], message))
        total += size
    if total > maximum_message_bytes(topic):
        raise BATCH_TOO_LONG()
    key = sealing.data_key(ctx, topic)  # refused by KMS, it is the whole batch
    accepted = [{"Id": entry_id, **_accept(ctx, topic, message, key)} for entry_id, message in read]
    return {"Successful": accepted, "Failed": failed}


def _check_ids(entries: list[dict[str, Any]]) -> None:
    """How many entries there are, then their ids, in AWS's order."""
    if not entries:
        raise EMPTY_BATCH()
    if len(entries) > MAX_ENTRIES:
        raise TOO_MANY_ENTRIES()
    if len({entry["Id"] for entry in entries}) != len(entries):
        raise IDS_NOT_DISTINCT()
    for entry in entries:
        if len(entry["Id"]) > _MAX_ENTRY_ID:
            raise ENTRY_ID_TOO_LONG(id=entry["Id"])
        if not _ENTRY_ID.fullmatch(entry["Id"]):
            raise ENTRY_ID_CHARACTER(id=entry["Id"])


def _accept(ctx: Context, topic: Topic, message: Message, key: DataKey | None) -> dict[str, Any]:
    """Number, archive and fan out a message; a duplicate gets the answer of the first and goes nowhere."""
    if not topic.fifo:
        fan_out(ctx, topic, message, message if key is None else sealing.sealed(ctx, message, key))
        return {"MessageId": message["id"]}
    answer = _duplicate(ctx, topic, message)
    if answer is not None:
        return answer
    message["sequence"] = _next_sequence(ctx, topic)
    answer = {"MessageId": message["id"], "SequenceNumber": message["sequence"]}
    remembered = f"{message['id']} {message['sequence']} {ctx.now()}"
    ctx.txn.put(_deduplication_key(ctx, topic, message, 0), remembered.encode())
    kept = message if key is None else sealing.sealed(ctx, message, key)
    if topic.archived_since:
        archive.keep(ctx, topic, kept)
    fan_out(ctx, topic, message, kept)
    return answer


def _next_sequence(ctx: Context, topic: Topic) -> str:
    key = SEQUENCES.key(ctx, topic.id, account=topic.account)
    last = ctx.txn.get(key)
    number = int(last) + 1000 if last is not None else _FIRST_SEQUENCE
    ctx.txn.put(key, b"%d" % number)
    return str(number)


def _deduplication_key(ctx: Context, topic: Topic, message: Message, windows_ago: int) -> bytes:
    window = int(ctx.now() // DEDUPLICATION_S) - windows_ago
    scope = message["group"] if topic.attributes.get("FifoThroughputScope") == "MessageGroup" else ""
    return DEDUPLICATIONS.key(ctx, window, topic.id, scope, message["deduplication"])


def _duplicate(ctx: Context, topic: Topic, message: Message) -> dict[str, Any] | None:
    """The answer that the same message got within the last five minutes."""
    for windows_ago in (0, 1):
        found = ctx.txn.get(_deduplication_key(ctx, topic, message, windows_ago))
        if found is not None:
            message_id, sequence, at = found.decode().split(" ")
            if ctx.now() - float(at) < DEDUPLICATION_S:
                return {"MessageId": message_id, "SequenceNumber": sequence}
    return None


@reconciler(every_s=DEDUPLICATION_S)
async def forget_deduplications(ctx: Context) -> None:
    """Drop deduplication ids whose interval is over, a thousand at a time."""

    def sweep(ctx: Context) -> int:
        begin, _ = prefix_range(DEDUPLICATIONS.key(ctx))
        end = DEDUPLICATIONS.key(ctx, int(ctx.now() // DEDUPLICATION_S) - 1)
        found = ctx.txn.range(begin, end, limit=1000)
        for key, _value in found:
            ctx.txn.delete(key)
        return len(found)

    while await ctx.transact(sweep) == 1000:
        pass
