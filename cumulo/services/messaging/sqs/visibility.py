"""ChangeMessageVisibility and ChangeMessageVisibilityBatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.messaging.sqs import batches, receipt_handles, shelves
from cumulo.services.messaging.sqs.errors import INVALID_PARAMETER, MISSING_PARAMETER
from cumulo.services.messaging.sqs.messages import SECOND_US
from cumulo.services.messaging.sqs.queues import Queue, find

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t

MAXIMUM_S = 43_200  # also in total, from the delivery on


@operation
def change_message_visibility(ctx: Context, request: t.ChangeMessageVisibilityRequest) -> None:
    """Hide a message in flight for so many seconds from now on; 0 gives it back."""
    queue = find(ctx, request["QueueUrl"])
    _change(ctx, queue, request["ReceiptHandle"], request["VisibilityTimeout"])
    ctx.signal(queue.signal)  # those who wait learn when it is visible now


@operation
def change_message_visibility_batch(
    ctx: Context, request: t.ChangeMessageVisibilityBatchRequest
) -> t.ChangeMessageVisibilityBatchResult:
    """Hide up to ten messages; each succeeds or fails for itself."""
    queue = find(ctx, request["QueueUrl"])
    batches.check(request["Entries"], "ChangeMessageVisibilityBatchRequestEntry")
    answer: t.ChangeMessageVisibilityBatchResult = batches.each(
        request["Entries"],
        lambda entry: _change(ctx, queue, entry["ReceiptHandle"], entry.get("VisibilityTimeout")),
    )
    ctx.signal(queue.signal)
    return answer


def _change(ctx: Context, queue: Queue, text: str, timeout_s: int | None) -> dict[str, Any]:
    if timeout_s is None:
        raise MISSING_PARAMETER(name="VisibilityTimeout")
    if not 0 <= timeout_s <= MAXIMUM_S:
        reason = f"VisibilityTimeout must be an integer between 0 and {MAXIMUM_S}."
        raise INVALID_PARAMETER(value=timeout_s, name="VisibilityTimeout", reason=reason)
    handle = receipt_handles.read(text, queue.id)
    shelf = shelves.of(queue)
    now_us = int(ctx.now() * SECOND_US)
    message = shelf.hidden(ctx, queue, handle, now_us)
    if message is None:
        reason = "Message does not exist or is not available for visibility timeout change."
        raise INVALID_PARAMETER(value=text, name="ReceiptHandle", reason=reason)
    visible_us = now_us + timeout_s * SECOND_US
    if visible_us > message.received_us + MAXIMUM_S * SECOND_US:
        reason = f"Total VisibilityTimeout for the message is beyond the limit [{MAXIMUM_S} seconds]"
        raise INVALID_PARAMETER(value=timeout_s, name="VisibilityTimeout", reason=reason)
    shelf.hide(ctx, queue, handle, visible_us)
    return {}
