"""ReceiveMessage: short and long polls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import Wait, operation
from cumulo.services.messaging.sqs import (
    deduplication,
    digests,
    fifo,
    message_attributes,
    queue_metrics,
    queue_urls,
    sealing,
    shelves,
    standard,
)
from cumulo.services.messaging.sqs.attributes import READABLE
from cumulo.services.messaging.sqs.errors import INVALID_ATTRIBUTE_NAME, INVALID_PARAMETER, NOT_FOR_THIS_QUEUE_TYPE
from cumulo.services.messaging.sqs.messages import SECOND_US, Message, sequence_number
from cumulo.services.messaging.sqs.queues import Queue, find, signal_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t

MAXIMUM_MESSAGES = 10
MAXIMUM_WAIT_S = 20
MAXIMUM_VISIBILITY_S = 43_200
SYSTEM_ATTRIBUTES = frozenset(
    (
        "All",
        "AWSTraceHeader",
        "ApproximateFirstReceiveTimestamp",
        "ApproximateReceiveCount",
        "DeadLetterQueueSourceArn",
        "MessageDeduplicationId",
        "MessageGroupId",
        "SenderId",
        "SentTimestamp",
        "SequenceNumber",
    )
)


@operation
def receive_message(ctx: Context, request: t.ReceiveMessageRequest) -> t.ReceiveMessageResult:
    """Take messages from a queue, waiting for one when the request or the queue says so."""
    attempt = _attempt(ctx, request)
    if attempt.messages:
        return {"Messages": attempt.messages}
    if attempt.wait_s:
        raise Wait(_poll)
    queue_metrics.received(ctx, attempt.queue, 0)
    return {}


async def _poll(ctx: Context) -> t.ReceiveMessageResult:
    """Look again whenever something may have become visible, until the time is over."""
    account, name = queue_urls.read(ctx.request["QueueUrl"])
    until: float | None = None
    with ctx.listen(signal_of(account, ctx.region, name)) as heard:
        while True:
            attempt = await ctx.transact(lambda ctx: _attempt(ctx, ctx.request))
            now = ctx.now()
            if until is None:
                until = now + attempt.wait_s
            if attempt.messages:
                return {"Messages": attempt.messages}
            if now >= until:
                queue_metrics.received(ctx, attempt.queue, 0)
                return {}
            wake_at = until if attempt.next_visible is None else min(until, attempt.next_visible)
            await heard.wait(wake_at)
            if ctx.gone:  # nobody would see a message: it stays visible for others
                return {}


class Attempt:
    """What one look at a queue gave."""

    __slots__ = ("messages", "next_visible", "queue", "wait_s")

    def __init__(self, queue: Queue, messages: list[Any], wait_s: int, next_visible: float | None) -> None:
        self.queue = queue
        self.messages = messages
        self.wait_s = wait_s
        self.next_visible = next_visible


def _attempt(ctx: Context, request: Mapping[str, Any]) -> Attempt:
    """Take what is visible now."""
    queue = find(ctx, request["QueueUrl"])
    limit = request.get("MaxNumberOfMessages")
    if limit is None:
        limit = 1
    elif not 1 <= limit <= MAXIMUM_MESSAGES:
        reason = f"Must be between 1 and {MAXIMUM_MESSAGES}, if provided."
        raise INVALID_PARAMETER(value=limit, name="MaxNumberOfMessages", reason=reason)
    wait_s = _given_s(request, "WaitTimeSeconds", MAXIMUM_WAIT_S, queue.wait_time_s)
    visibility_s = _given_s(request, "VisibilityTimeout", MAXIMUM_VISIBILITY_S, queue.visibility_timeout_s)
    system = _system_names(ctx, request)
    now_us = int(ctx.now() * SECOND_US)
    if queue.fifo:
        taken = _take_fifo(ctx, queue, request, limit, visibility_s * SECOND_US, now_us)
    else:
        if request.get("ReceiveRequestAttemptId") is not None:
            value = request["ReceiveRequestAttemptId"]
            raise INVALID_PARAMETER(value=value, name="ReceiveRequestAttemptId", reason=NOT_FOR_THIS_QUEUE_TYPE)
        taken = standard.take(ctx, queue, limit, visibility_s * SECOND_US, now_us)
    if not taken:
        next_us = shelves.of(queue).next_visible_us(ctx.txn, queue, now_us) if wait_s else None
        return Attempt(queue, [], wait_s, None if next_us is None else next_us / SECOND_US)
    queue_metrics.received(ctx, queue, len(taken))
    names = request.get("MessageAttributeNames")
    sealed = [message for message, _, _ in taken if message.sealed_for]
    if sealed:
        sealing.open_messages(ctx, queue, sealed)
    return Attempt(queue, [_answer(queue, delivery, system, names) for delivery in taken], wait_s, None)


def _given_s(request: Mapping[str, Any], name: str, most: int, default: int) -> int:
    value: int | None = request.get(name)
    if value is None:
        return default
    if not 0 <= value <= most:
        raise INVALID_PARAMETER(value=value, name=name, reason=f"Must be >= 0 and <= {most}, if provided.")
    return value


def _system_names(ctx: Context, request: Mapping[str, Any]) -> set[str] | None:
    """The system attributes asked for, None for none."""
    older, newer = request.get("AttributeNames"), request.get("MessageSystemAttributeNames")
    if not older and not newer:
        return None
    # The json wire takes both together, the query wire the older alone when it is there; AWS was seen to do so.
    wanted = set(older or ()) if older and ctx.protocol == "query" else {*(older or ()), *(newer or ())}
    for name in wanted:
        if name not in SYSTEM_ATTRIBUTES and name not in READABLE:
            raise INVALID_ATTRIBUTE_NAME(name=name)
    return wanted


def _take_fifo(
    ctx: Context, queue: Queue, request: Mapping[str, Any], limit: int, visibility_us: int, now_us: int
) -> list[standard.Delivery]:
    attempt_id = request.get("ReceiveRequestAttemptId")
    if attempt_id is None:
        return fifo.take(ctx, queue, limit, visibility_us, now_us)
    message_attributes.check_identifier("ReceiveRequestAttemptId", attempt_id)
    taken = deduplication.repeat_attempt(ctx, queue, attempt_id, visibility_us, now_us)
    if taken is None:
        taken = fifo.take(ctx, queue, limit, visibility_us, now_us)
        if taken:
            deduplication.remember_attempt(ctx, queue, attempt_id, taken, now_us)
    return taken


def _answer(
    queue: Queue, delivery: standard.Delivery, system: set[str] | None, names: list[str] | None
) -> dict[str, Any]:
    """A message as ReceiveMessage answers it."""
    message, serial, handle = delivery
    answer: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": handle,
        "MD5OfBody": message.md5,
        "Body": message.body,
    }
    if system:
        values = _system_values(queue, message, serial)
        if "All" not in system:
            values = {name: value for name, value in values.items() if name in system}
        if values:
            answer["Attributes"] = values
    if names and message.attributes:
        chosen = message_attributes.select(message.attributes, names)
        if chosen:
            answer["MD5OfMessageAttributes"] = digests.of_attributes(chosen)
            answer["MessageAttributes"] = message_attributes.wire_form(chosen)
    return answer


def _system_values(queue: Queue, message: Message, serial: bytes) -> dict[str, str]:
    values = {
        "SenderId": message.sender,
        "SentTimestamp": str(message.sent_ms),
        "ApproximateReceiveCount": str(message.receive_count),
        "ApproximateFirstReceiveTimestamp": str(message.first_received_ms),
    }
    if queue.fifo:
        values["SequenceNumber"] = sequence_number(serial)
        values["MessageDeduplicationId"] = message.deduplication_id
    if message.group:
        values["MessageGroupId"] = message.group
    if message.trace_header:
        values["AWSTraceHeader"] = message.trace_header
    if message.dead_letter_source:
        values["DeadLetterQueueSourceArn"] = message.dead_letter_source
    return values
