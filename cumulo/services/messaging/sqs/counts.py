"""The approximate numbers of messages that a queue reports; here they are exact.

They are the lengths of key ranges (messages.py), so no sender or receiver has to keep a counter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.messaging.sqs import fifo
from cumulo.services.messaging.sqs.in_flight import length
from cumulo.services.messaging.sqs.messages import (
    CODEC,
    DELAYED,
    IN_FLIGHT,
    MESSAGE,
    RECEIVED,
    SECOND_US,
    WAITING,
    expired,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sqs.queues import Queue
    from cumulo.store.transaction import Transaction

_GROUPS = 1000
_PAGE = 500


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
    # What became visible before this was sent before it, and is expired though nobody dropped it yet.
    oldest = (max(now_us - queue.retention_s * SECOND_US, 0) + 1).to_bytes(8, "big")
    visible = length(txn, place + WAITING + oldest, place + WAITING + after)
    visible += _visible_again(txn, queue, place + RECEIVED + oldest, place + RECEIVED + after, now_us // 1000)
    in_flight = length(txn, place + RECEIVED + after, place + RECEIVED + b"\xff")
    return Counts(visible, in_flight, length(txn, place + WAITING + after, place + WAITING + b"\xff"))


def _visible_again(txn: Transaction, queue: Queue, begin: bytes, end: bytes, now_ms: int) -> int:
    """Messages that came back: usually few, and their age does not show in their keys."""
    total = 0
    while True:
        found = txn.range(begin, end, limit=_PAGE)
        total += sum(not expired(CODEC.decode(value), queue.retention_s, now_ms) for _, value in found)
        if len(found) < _PAGE:
            return total
        begin = found[-1][0] + b"\x00"
