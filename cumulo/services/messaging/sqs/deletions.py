"""DeleteMessage and DeleteMessageBatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.messaging.sqs import batches, queue_metrics, receipt_handles, shelves
from cumulo.services.messaging.sqs.messages import SECOND_US
from cumulo.services.messaging.sqs.queues import Queue, find

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t


@operation
def delete_message(ctx: Context, request: t.DeleteMessageRequest) -> None:
    """Delete a message that was received; deleting it again is no error."""
    queue = find(ctx, request["QueueUrl"])
    _delete(ctx, queue, request["ReceiptHandle"])
    if queue.fifo:
        ctx.signal(queue.signal)  # the next message of its group may be visible now


@operation
def delete_message_batch(ctx: Context, request: t.DeleteMessageBatchRequest) -> t.DeleteMessageBatchResult:
    """Delete up to ten messages; each succeeds or fails for itself."""
    queue = find(ctx, request["QueueUrl"])
    batches.check(request["Entries"], "DeleteMessageBatchRequestEntry")
    answer: t.DeleteMessageBatchResult = batches.each(
        request["Entries"], lambda entry: _delete(ctx, queue, entry["ReceiptHandle"])
    )
    if queue.fifo:
        ctx.signal(queue.signal)
    return answer


def _delete(ctx: Context, queue: Queue, text: str) -> dict[str, Any]:
    handle = receipt_handles.read(text, queue.id)
    shelves.of(queue).delete(ctx, queue, handle, text, int(ctx.now() * SECOND_US))
    queue_metrics.deleted(ctx, queue)
    return {}
