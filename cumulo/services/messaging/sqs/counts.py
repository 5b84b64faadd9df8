"""The approximate numbers of messages that a queue reports; here they are exact.

They are the lengths of key ranges (messages.py), so no sender or receiver has to keep a counter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.messaging.sqs import fifo
from cumulo.services.messaging.sqs.in_flight import length
from cumulo.services.messaging.sqs.messages import DELAYED, IN_FLIGHT, MESSAGE, RECEIVED, SECOND_US, WAITING

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sqs.queues import Queue

_GROUPS = 1000


class Counts(NamedTuple):
    """In the order of attributes.COUNTS."""

    visible: int
    in_flight: int
    delayed: int


def of(ctx: Context, queue: Queue) -> Counts:
    """The numbers of a queue now. Messages past the retention period are not counted."""
    txn, place = ctx.txn, queue.place
    now_us = int(ctx.now() * SECOND_US)
    after = (now_us + 1).to_bytes(8, "big")
    if queue.fifo:
        fifo.drop_expired(ctx, queue, now_us, b"", _GROUPS)
        in_flight = length(txn, place + IN_FLIGHT + after, place + IN_FLIGHT + b"\xff")
        delayed = length(txn, place + DELAYED + after, place + DELAYED + b"\xff")
        total = length(txn, place + MESSAGE, place + MESSAGE + b"\xff")
        return Counts(total - in_flight - delayed, in_flight, delayed)
    # Whatever became visible before this was sent before it, and is expired though nobody dropped it yet.
    oldest = (max(now_us - queue.retention_s * SECOND_US, 0) + 1).to_bytes(8, "big")
    visible = sum(length(txn, place + kind + oldest, place + kind + after) for kind in (WAITING, RECEIVED))
    in_flight = length(txn, place + RECEIVED + after, place + RECEIVED + b"\xff")
    return Counts(visible, in_flight, length(txn, place + WAITING + after, place + WAITING + b"\xff"))
