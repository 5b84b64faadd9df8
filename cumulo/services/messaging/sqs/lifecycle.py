"""How queues come, go and are emptied."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sqs import attributes, queue_urls, tags
from cumulo.services.messaging.sqs.errors import (
    INVALID_PARAMETER,
    MISSING_PARAMETER,
    PURGE_QUEUE_IN_PROGRESS,
    QUEUE_DELETED_RECENTLY,
)
from cumulo.services.messaging.sqs.messages import queue_place
from cumulo.services.messaging.sqs.queues import QUEUES, Queue, check_owner, find, keep
from cumulo.services.messaging.sqs.retention import sweep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t

DELETED_WAIT_S = 60
PURGE_WAIT_S = 60
FIFO_SUFFIX = ".fifo"

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


class DeletedQueue(Record):
    """The name of a queue that was deleted, until it may be used again."""

    name: str
    deleted_at: float


DELETED_QUEUES = Table(DeletedQueue, name="sqs.deleted_queues", key="name", scope=REGION)


@operation
def create_queue(ctx: Context, request: t.CreateQueueRequest) -> t.CreateQueueResult:
    """Create a queue, or answer the URL of one that is just like it."""
    name = request["QueueName"]
    given: dict[str, str] = request.get("Attributes") or {}
    check_name(name, given)
    ctx.authorize(QUEUES.arn(ctx, name), tags=request.get("tags") or None)
    existing = QUEUES.peek(ctx, name)
    now = ctx.now()
    if existing is not None:
        attributes.check_same(ctx, existing, given)
        return {"QueueUrl": queue_urls.url_of(ctx.endpoint, ctx.account, name)}
    queue = Queue(ctx.account, ctx.region, name, ctx.random_bytes(8), now, now, fifo=name.endswith(FIFO_SUFFIX))
    attributes.apply(ctx, queue, given, creating=True)
    queue.tags = tags.checked(request.get("tags") or {})
    deleted = DELETED_QUEUES.peek(ctx, name)
    if deleted is not None and now < deleted.deleted_at + DELETED_WAIT_S:
        raise QUEUE_DELETED_RECENTLY()
    keep(ctx, queue)
    return {"QueueUrl": queue_urls.url_of(ctx.endpoint, ctx.account, name)}


def check_name(name: str, given: dict[str, str]) -> None:
    """The rules of CreateQueue for the name of a standard or a FIFO queue."""
    if not name:
        raise MISSING_PARAMETER(name="QueueName")
    if given.get("FifoQueue", "").lower() == "true":
        if len(name) > 80 or not name.endswith(FIFO_SUFFIX) or not _NAME.fullmatch(name[: -len(FIFO_SUFFIX)]):
            raise INVALID_PARAMETER(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
                "must end with .fifo suffix and be 1 to 80 in length."
            )
    elif not _NAME.fullmatch(name):
        raise INVALID_PARAMETER("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")


@operation
def delete_queue(ctx: Context, request: t.DeleteQueueRequest) -> None:
    """Delete a queue with all its messages; the bytes are swept by a task."""
    queue = find(ctx, request["QueueUrl"])
    check_owner(ctx, queue)
    QUEUES.delete(ctx, queue, account=queue.account, region=queue.region)
    DELETED_QUEUES.put(ctx, DeletedQueue(queue.name, ctx.now()), account=queue.account, region=queue.region)
    ctx.later(sweep, {"prefix": queue_place(queue.id)})
    ctx.signal(queue.signal)  # those who wait for its messages learn at once that it is gone


@operation
def purge_queue(ctx: Context, request: t.PurgeQueueRequest) -> None:
    """Forget all messages of a queue, at once; the bytes are swept by a task."""
    queue = find(ctx, request["QueueUrl"])
    now = ctx.now()
    if now < queue.purged_at + PURGE_WAIT_S:
        raise PURGE_QUEUE_IN_PROGRESS(name=queue.name)
    ctx.later(sweep, {"prefix": queue.place})
    queue.epoch += 1
    queue.purged_at = now
    keep(ctx, queue)
