"""Messages that were received too often move to the dead-letter queue.

Source: Amazon SQS Developer Guide, "Using dead-letter queues in Amazon SQS": the move happens when the message
would be received once more; it keeps its id; in a standard queue its age still counts from when it was first sent,
in a FIFO queue from the move. "Encryption at rest": the move neither encrypts a message nor decrypts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.messaging.sqs.messages import Message, with_body
from cumulo.services.messaging.sqs.queues import QUEUES, Queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from cumulo.core.context import Context

    Put = Callable[[Context, Queue, Message, int, int], Any]


def is_dead(queue: Queue, message: Message) -> bool:
    """Whether the message has had all the deliveries that the queue's redrive policy grants."""
    most = queue.maximum_receives
    return most > 0 and message.receive_count - message.earlier_receives >= most


def move(ctx: Context, queue: Queue, serial: bytes, message: Message, now_us: int, put: Put) -> bool:
    """Put the message in the dead-letter queue; False when that queue is gone, and the message stays.

    `put` adds a message to a queue of this type: the two queues are always of one type.
    """
    target = QUEUES.peek(ctx, queue.dead_letter_queue, account=queue.account, region=queue.region)
    if target is None or target.fifo != queue.fifo:
        return False
    with_body(ctx.txn, queue.place, serial, message)
    dead = Message(
        message.id,
        message.body,
        message.md5,
        now_us // 1000 if queue.fifo else message.sent_ms,
        message.sender,
        message.attributes,
        receive_count=message.receive_count,
        earlier_receives=message.receive_count,
        first_received_ms=message.first_received_ms,
        group=message.group,
        deduplication_id=message.deduplication_id,
        trace_header=message.trace_header,
        dead_letter_source=queue.arn,
        sealed_for=message.sealed_for,
        sealed=message.sealed,
    )
    put(ctx, target, dead, now_us, 0)
    ctx.signal(target.signal)
    return True
