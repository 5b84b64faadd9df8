"""What goes by itself: messages past the retention period, and what deleted and purged queues leave behind."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import reconciler, task
from cumulo.core.table import GLOBAL, Space
from cumulo.services.messaging.sqs import deduplication, shelves
from cumulo.services.messaging.sqs.messages import SECOND_US
from cumulo.services.messaging.sqs.queues import QUEUES, Queue

if TYPE_CHECKING:
    from cumulo.core.context import Context

_SWEPT = 500
_ALL_QUEUES = Space(QUEUES.name, scope=GLOBAL)  # the same keys, whatever account and region they name next
_EXPIRED = 200
_QUEUES = 100


@task
def sweep(ctx: Context, payload: dict[str, Any]) -> None:
    """Drop what lies under a prefix of keys that nothing refers to, some at a time."""
    prefix: bytes = payload["prefix"]
    found = ctx.txn.range(prefix, prefix + b"\xff", limit=_SWEPT)
    for key, _ in found:
        ctx.txn.delete(key)
    if len(found) == _SWEPT:
        ctx.later(sweep, payload)


@reconciler(every_s=60)
async def expire_messages(ctx: Context) -> None:
    """Drop messages past their queue's retention period and deduplication ids past theirs.

    Receivers pass over them anyway; this frees the place of those that nobody asks for.
    """
    after: bytes | None = b""
    while after is not None:
        queues, after = await ctx.transact(partial(_some_queues, after=after))
        for queue in queues:
            while queue.fifo and await ctx.transact(partial(deduplication.forget, queue=queue)):
                pass
            place: bytes | None = b""
            while place is not None:
                place = await ctx.transact(partial(_expire, queue=queue, after=place))
                await asyncio.sleep(0)  # a transaction that wrote nothing does not wait: let others have a turn


def _some_queues(ctx: Context, after: bytes) -> tuple[list[Queue], bytes | None]:
    """Queues of all accounts and regions, and the key to go on after."""
    everywhere = _ALL_QUEUES.prefix("", "")
    found = ctx.txn.range(max(after, everywhere), everywhere + b"\xff", limit=_QUEUES)
    queues = [QUEUES.codec.decode(value) for _, value in found]
    return queues, found[-1][0] + b"\x00" if len(found) == _QUEUES else None


def _expire(ctx: Context, queue: Queue, after: bytes) -> bytes | None:
    now_us = int(ctx.now() * SECOND_US)
    return shelves.of(queue).drop_expired(ctx, queue, now_us, after, _EXPIRED)
