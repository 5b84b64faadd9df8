"""SQS's metrics of queues: what was sent, received and deleted. FIFO queues and standard ones have the same.

The approximate numbers of messages are attributes of the queue only: CloudWatch is not told of them.
Source: SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.monitoring import service_metrics

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.monitoring.service_metrics import Series
    from cumulo.services.messaging.sqs.queues import Queue

NAMESPACE = "AWS/SQS"
_KEY = "sqs.metrics"
_MOST = 10_000


class Meters:
    """The metrics of one queue."""

    __slots__ = ("deleted", "empty", "received", "sent", "sizes")

    def __init__(self, ctx: Context, queue: Queue) -> None:
        self.sent = self._series(ctx, queue, "NumberOfMessagesSent")
        self.sizes = self._series(ctx, queue, "SentMessageSize", "Bytes")
        self.received = self._series(ctx, queue, "NumberOfMessagesReceived")
        self.empty = self._series(ctx, queue, "NumberOfEmptyReceives")
        self.deleted = self._series(ctx, queue, "NumberOfMessagesDeleted")

    @staticmethod
    def _series(ctx: Context, queue: Queue, name: str, unit: str = "Count") -> Series:
        metrics = service_metrics.of(ctx.runtime)
        return metrics.series(queue.account, queue.region, NAMESPACE, name, unit, {"QueueName": queue.name})


def of(ctx: Context, queue: Queue) -> Meters:
    """The metrics of a queue."""
    queues: dict[bytes, Meters] | None = ctx.runtime.memory.get(_KEY)
    if queues is None:
        queues = ctx.runtime.memory[_KEY] = {}
    found = queues.get(queue.id)
    if found is None:
        if len(queues) >= _MOST:
            queues.clear()
        found = queues[queue.id] = Meters(ctx, queue)
    return found


def sent(ctx: Context, queue: Queue, size: int) -> None:
    """Count a message of so many bytes."""
    if ctx.tries <= 1:
        meters = of(ctx, queue)
        meters.sent.add(1.0)
        meters.sizes.add(float(size))


def received(ctx: Context, queue: Queue, count: int) -> None:
    """Count what a look at the queue gave."""
    if ctx.tries <= 1:
        meters = of(ctx, queue)
        if count:
            meters.received.add(1.0, float(count))
        else:
            meters.empty.add(1.0)


def deleted(ctx: Context, queue: Queue) -> None:
    """Count a message that was deleted."""
    if ctx.tries <= 1:
        of(ctx, queue).deleted.add(1.0)
