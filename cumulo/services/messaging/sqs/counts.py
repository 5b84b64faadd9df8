"""The approximate numbers of messages that a queue reports; here they are exact.

They are the lengths of key ranges (messages.py), so no sender or receiver has to keep a counter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.messaging.sqs import fifo, shelves, standard
from cumulo.services.messaging.sqs.messages import DELAYED, MESSAGE, SECOND_US, VISIBLE

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sqs.queues import Queue

_SEEN = 200


class Counts(NamedTuple):
    """In the order of attributes.COUNTS."""

    visible: int
    in_flight: int
    delayed: int


def of(ctx: Context, queue: Queue) -> Counts:
    """The numbers of a queue now.

    Messages past the retention period are not counted, when they are among the first _SEEN that are visible;
    others until they are dropped, within a minute.
    """
    txn, place = ctx.txn, queue.place
    now_us = int(ctx.now() * SECOND_US)
    shelves.of(queue).drop_expired(ctx, queue, now_us, b"", _SEEN)
    after = (now_us + 1).to_bytes(8, "big")
    delayed = txn.count(place + DELAYED + after, place + DELAYED + b"\xff")
    if queue.fifo:
        in_flight = fifo.in_flight(txn, place, now_us)
        total = txn.count(place + MESSAGE, place + MESSAGE + b"\xff")
        return Counts(total - in_flight - delayed, in_flight, delayed)
    # What became visible before this was sent before it.
    oldest = max(now_us - queue.retention_s * SECOND_US, 0).to_bytes(8, "big")
    visible = txn.count(place + VISIBLE + oldest, place + VISIBLE + after)
    return Counts(visible, standard.in_flight(txn, place, now_us), delayed)
