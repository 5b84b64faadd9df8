"""Where a queue's messages are: `standard` or `fifo`, which can do the same things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cumulo.services.messaging.sqs import fifo, standard

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sqs.messages import Message
    from cumulo.services.messaging.sqs.queues import Queue
    from cumulo.services.messaging.sqs.receipt_handles import ReceiptHandle
    from cumulo.services.messaging.sqs.standard import Delivery
    from cumulo.store.transaction import Transaction


class Shelf(Protocol):
    """What `standard` and `fifo` both do."""

    def put(self, ctx: Context, queue: Queue, message: Message, now_us: int, delay_us: int, /) -> bytes:
        """Add a message; its serial."""

    def take(self, ctx: Context, queue: Queue, limit: int, visibility_us: int, now_us: int, /) -> list[Delivery]:
        """Give messages out."""

    def delete(self, ctx: Context, queue: Queue, handle: ReceiptHandle, text: str, now_us: int, /) -> None:
        """Delete a message that was given out."""

    def hidden(self, ctx: Context, queue: Queue, handle: ReceiptHandle, now_us: int, /) -> Message | None:
        """The message of a handle when it is in flight."""

    def hide(self, ctx: Context, queue: Queue, handle: ReceiptHandle, visible_us: int, /) -> None:
        """Change when a message in flight becomes visible."""

    def next_visible_us(self, txn: Transaction, queue: Queue, now_us: int, /) -> int | None:
        """When something hidden becomes visible next."""

    def drop_expired(self, ctx: Context, queue: Queue, now_us: int, after: bytes, limit: int, /) -> bytes | None:
        """Drop some messages past the retention period; where to go on, None at the end."""


def of(queue: Queue) -> Shelf:
    """The shelf of a queue."""
    return fifo if queue.fifo else standard
