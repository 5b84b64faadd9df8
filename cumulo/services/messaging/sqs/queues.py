"""Queues: their record and table, and the operations on a queue as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.arns import partition_of
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sqs import queue_urls
from cumulo.services.messaging.sqs.errors import (
    ACCESS_DENIED,
    INVALID_PARAMETER,
    QUEUE_DOES_NOT_EXIST,
)
from cumulo.services.messaging.sqs.messages import place_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t

MAXIMUM_PAGE = 1000


class Queue(Record):
    """A queue. Periods are seconds, times cloud time in seconds since 1970."""

    account: str
    region: str
    name: str
    id: bytes  # of 8 random bytes: another queue of the same name later shares nothing with this one
    created_at: float
    modified_at: float
    fifo: bool = False
    epoch: int = 0  # rises with each purge
    purged_at: float = 0.0
    visibility_timeout_s: int = 30
    delay_s: int = 0
    wait_time_s: int = 0
    maximum_message_bytes: int = 1_048_576
    retention_s: int = 345_600
    dead_letter_queue: str = ""  # name; the account and region are the queue's own
    maximum_receives: int = 0
    redrive_allow_policy: str = ""
    policy: str = ""
    kms_key: str = ""
    kms_reuse_s: int = 300
    managed_sse: bool = True
    content_deduplication: bool = False
    group_deduplication: bool = False  # DeduplicationScope is messageGroup
    group_throughput: bool = False  # FifoThroughputLimit is perMessageGroupId
    scope_changed_at: float = 0.0
    tags: dict[str, str] = {}

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return f"arn:{partition_of(self.region)}:sqs:{self.region}:{self.account}:{self.name}"

    @property
    def place(self) -> bytes:
        """The start of the keys of its messages."""
        return place_of(self.id, self.epoch)

    @property
    def signal(self) -> str:
        """What is announced when a message may have become visible, or earlier visible than it was."""
        return signal_of(self.account, self.region, self.name)


QUEUES = Table(
    Queue,
    name="sqs.queues",
    key="name",
    scope=REGION,
    arn="arn:{partition}:sqs:{region}:{account}:{name}",
    missing=QUEUE_DOES_NOT_EXIST,
    policy=lambda queue: queue.policy or None,
    tags=lambda queue: queue.tags,
    indexes={"dead_letter_sources": ("dead_letter_queue",)},
)


def signal_of(account: str, region: str, name: str) -> str:
    """The signal of the queue with this name."""
    return f"sqs {account} {region} {name}"


def find(ctx: Context, url: str) -> Queue:
    """The queue of a URL, found and authorized, or AWS's error."""
    account, name = queue_urls.read(url)
    return QUEUES.get(ctx, name, account=account)


def keep(ctx: Context, queue: Queue) -> None:
    """Write a queue back to where it lives, whoever calls."""
    QUEUES.put(ctx, queue, account=queue.account, region=queue.region)


def check_owner(ctx: Context, queue: Queue) -> None:
    """Refuse callers of another account: "Cross-account permissions don't apply to this action" (API reference)."""
    if queue.account != ctx.account and not ctx.internal:
        raise ACCESS_DENIED(arn=queue.arn, principal=ctx.principal.arn, action=ctx.operation.lower())


@operation
def get_queue_url(ctx: Context, request: t.GetQueueUrlRequest) -> t.GetQueueUrlResult:
    """The URL of a queue, also of another account's."""
    account = request.get("QueueOwnerAWSAccountId") or ctx.account
    queue = QUEUES.get(ctx, request["QueueName"], account=account)
    return {"QueueUrl": queue_urls.url_of(ctx.endpoint, queue.account, queue.name)}


@operation
def list_queues(ctx: Context, request: t.ListQueuesRequest) -> t.ListQueuesResult:
    """The caller's queues in this region, by name."""
    prefix = request.get("QueueNamePrefix") or ""

    def fetch(after: tuple[Any, ...] | None, limit: int) -> list[Queue]:
        start, end = ((prefix,), (prefix + "\U0010ffff",)) if prefix else (None, None)
        return QUEUES.range(ctx, start=start, end=end, after=after, limit=limit)

    queues, token = _page(ctx, fetch, request.get("MaxResults"), request.get("NextToken"), lambda queue: (queue.name,))
    answer: t.ListQueuesResult = {}
    if queues:
        answer["QueueUrls"] = [queue_urls.url_of(ctx.endpoint, queue.account, queue.name) for queue in queues]
    if token:
        answer["NextToken"] = token
    return answer


def _page(ctx: Context, fetch: Any, limit: int | None, token: str | None, key: Any) -> tuple[list[Queue], str | None]:
    """A page of queues. Without MaxResults there is no token: the answer ends at 1,000 (API reference)."""
    if limit is not None and not 1 <= limit <= MAXIMUM_PAGE:
        raise INVALID_PARAMETER(
            value=limit, name="MaxResults", reason=f"Value must be an integer between 1 and {MAXIMUM_PAGE}."
        )
    invalid = INVALID_PARAMETER("Invalid or expired next token.")
    queues, following = paging.page(ctx, fetch, key, token=token, limit=limit or MAXIMUM_PAGE, error=invalid)
    return queues, following if limit is not None else None


@operation
def list_dead_letter_source_queues(
    ctx: Context, request: t.ListDeadLetterSourceQueuesRequest
) -> t.ListDeadLetterSourceQueuesResult:
    """The queues whose redrive policy names this one."""
    target = find(ctx, request["QueueUrl"])

    def fetch(after: tuple[Any, ...] | None, limit: int) -> list[Queue]:
        return QUEUES.range(
            ctx,
            target.name,
            index="dead_letter_sources",
            after=after,
            limit=limit,
            account=target.account,
            region=target.region,
        )

    limit, token = request.get("MaxResults"), request.get("NextToken")
    queues, following = _page(ctx, fetch, limit, token, lambda queue: (queue.dead_letter_queue, queue.name))
    answer: t.ListDeadLetterSourceQueuesResult = {
        "queueUrls": [queue_urls.url_of(ctx.endpoint, queue.account, queue.name) for queue in queues]
    }
    if following:
        answer["NextToken"] = following
    return answer
