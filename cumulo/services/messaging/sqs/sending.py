"""SendMessage and SendMessageBatch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.messaging.sqs import (
    batches,
    deduplication,
    digests,
    fifo,
    message_attributes,
    queue_metrics,
    sealing,
    standard,
)
from cumulo.services.messaging.sqs.errors import (
    BATCH_REQUEST_TOO_LONG,
    INVALID_PARAMETER,
    MISSING_PARAMETER,
    NOT_FOR_THIS_QUEUE_TYPE,
)
from cumulo.services.messaging.sqs.messages import SECOND_US, Message, sequence_number
from cumulo.services.messaging.sqs.queues import Queue, find

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.encryption import DataKey
    from cumulo.stubs import sqs as t

MAXIMUM_BATCH_BYTES = 1_048_576
MAXIMUM_DELAY_S = 900
TRACE_FIELD = "x-amzn-trace-id"


@operation
def send_message(ctx: Context, request: t.SendMessageRequest) -> t.SendMessageResult:
    """Put a message in a queue."""
    queue = find(ctx, request["QueueUrl"])
    answer: t.SendMessageResult = _send(ctx, queue, request)
    ctx.signal(queue.signal)
    return answer


@operation
def send_message_batch(ctx: Context, request: t.SendMessageBatchRequest) -> t.SendMessageBatchResult:
    """Put up to ten messages in a queue, in their order; each succeeds or fails for itself."""
    queue = find(ctx, request["QueueUrl"])
    entries = request["Entries"]
    batches.check(entries, "SendMessageBatchRequestEntry")
    total = 0
    for number, entry in enumerate(entries, 1):
        if not entry["MessageBody"]:
            raise MISSING_PARAMETER(name=f"SendMessageBatchRequestEntry.{number}.MessageBody")
        if queue.fifo:  # AWS refuses the whole batch for these two
            _check_fifo(queue, entry)
        total += _size(entry)
    if total > MAXIMUM_BATCH_BYTES:
        raise BATCH_REQUEST_TOO_LONG(limit=MAXIMUM_BATCH_BYTES, count=total)
    key = sealing.data_key(ctx, queue) if queue.kms_key else None  # refused by KMS, it is the whole batch
    answer: t.SendMessageBatchResult = batches.each(entries, lambda entry: _send(ctx, queue, entry, key))
    if answer["Successful"]:
        ctx.signal(queue.signal)
    return answer


def _size(entry: Mapping[str, Any]) -> int:
    size = len(entry["MessageBody"].encode(errors="replace"))
    for name, value in (entry.get("MessageAttributes") or {}).items():
        size += len(name.encode()) + len(value.get("DataType", "").encode())
        size += len(value.get("BinaryValue") or (value.get("StringValue") or "").encode(errors="replace"))
    return size


def _send(ctx: Context, queue: Queue, entry: Mapping[str, Any], key: DataKey | None = None) -> Any:
    """Check a message, then keep it. Nothing is written before everything is checked."""
    body: str = entry["MessageBody"]
    if not body:
        raise MISSING_PARAMETER(name="MessageBody")
    message_attributes.check_characters(body)
    data = body.encode()
    size = len(data)
    given = entry.get("MessageAttributes")
    attributes = message_attributes.read(given) if given else None
    if attributes:
        size += message_attributes.size_of(attributes)
    if size > queue.maximum_message_bytes:
        raise INVALID_PARAMETER(
            "One or more parameters are invalid. "
            f"Reason: Message must be shorter than {queue.maximum_message_bytes} bytes."
        )
    now = ctx.now()
    now_us = int(now * SECOND_US)
    message = Message(ctx.uuid(), body, digests.of_body(data), now_us // 1000, ctx.principal.user_id, attributes)
    answer = {"MD5OfMessageBody": message.md5, "MessageId": message.id}
    if attributes:
        answer["MD5OfMessageAttributes"] = digests.of_attributes(attributes)
    system = entry.get("MessageSystemAttributes")
    if system:
        system_attributes = message_attributes.read_system(system)
        message.trace_header = str(system_attributes[message_attributes.TRACE_HEADER][1])
        answer["MD5OfMessageSystemAttributes"] = digests.of_attributes(system_attributes)
    elif ctx.headers is not None and TRACE_FIELD in ctx.headers:
        message.trace_header = ctx.headers.get(TRACE_FIELD)
    group = entry.get("MessageGroupId")
    if group is not None:
        message_attributes.check_identifier("MessageGroupId", group)
        message.group = group
    if queue.fifo:
        answer = _send_fifo(ctx, queue, entry, message, data, now_us, answer, key)
        queue_metrics.sent(ctx, queue, size)
        return answer
    delay_s = _standard_delay_s(queue, entry)
    if queue.kms_key:
        sealing.seal_message(ctx, queue, message, key)
    standard.put(ctx, queue, message, now_us, delay_s * SECOND_US)
    queue_metrics.sent(ctx, queue, size)
    return answer


def _standard_delay_s(queue: Queue, entry: Mapping[str, Any]) -> int:
    if entry.get("MessageDeduplicationId") is not None:
        raise INVALID_PARAMETER(
            value=entry["MessageDeduplicationId"], name="MessageDeduplicationId", reason=NOT_FOR_THIS_QUEUE_TYPE
        )
    delay_s: int | None = entry.get("DelaySeconds")
    if delay_s is None:
        return queue.delay_s
    if not 0 <= delay_s <= MAXIMUM_DELAY_S:
        reason = f"DelaySeconds must be >= 0 and <= {MAXIMUM_DELAY_S}."
        raise INVALID_PARAMETER(value=delay_s, name="DelaySeconds", reason=reason)
    return delay_s


def _check_fifo(queue: Queue, entry: Mapping[str, Any]) -> None:
    """What a message needs in a FIFO queue."""
    if entry.get("MessageGroupId") is None:
        raise MISSING_PARAMETER(name="MessageGroupId")
    if entry.get("MessageDeduplicationId") is None and not queue.content_deduplication:
        raise INVALID_PARAMETER(
            "The queue should either have ContentBasedDeduplication enabled "
            "or MessageDeduplicationId provided explicitly"
        )


def _send_fifo(
    ctx: Context,
    queue: Queue,
    entry: Mapping[str, Any],
    message: Message,
    data: bytes,
    now_us: int,
    answer: dict[str, str],
    key: DataKey | None,
) -> dict[str, str]:
    """Keep a message unless its deduplication id was seen: then the first one's answer is given again."""
    _check_fifo(queue, entry)
    delay_s = entry.get("DelaySeconds")
    if delay_s:  # 0 is taken for "none", and the queue's delay holds; AWS was seen to do so
        raise INVALID_PARAMETER(value=delay_s, name="DelaySeconds", reason=NOT_FOR_THIS_QUEUE_TYPE)
    deduplication_id = entry.get("MessageDeduplicationId")
    if deduplication_id is None:
        deduplication_id = deduplication.id_of_content(data)
    else:
        message_attributes.check_identifier("MessageDeduplicationId", deduplication_id)
    first = deduplication.seen(ctx, queue, message.group, deduplication_id, now_us)
    if first is not None:
        return {**answer, "MessageId": first.message_id, "SequenceNumber": first.sequence_number}
    message.deduplication_id = deduplication_id
    if queue.kms_key:
        sealing.seal_message(ctx, queue, message, key)
    serial = fifo.put(ctx, queue, message, now_us, queue.delay_s * SECOND_US)
    answer["SequenceNumber"] = sequence_number(serial)
    done = (message.id, answer["SequenceNumber"])
    deduplication.remember(ctx, queue, message.group, deduplication_id, now_us, done)
    return answer
