"""Conflicts of transactions: who meets others at the same items, again and again, is told so as by AWS.

On SQLite calls run one after the other, and nobody meets anybody. On PostgreSQL they run side by side: of two that
touch the same item one comes to nothing and runs again. From the fourth attempt on, each finding that others have
changed its items since the attempt before,

- TransactWriteItems, TransactGetItems and ExecuteTransaction are canceled, with TransactionConflict for these items;
- PutItem, UpdateItem, DeleteItem and ExecuteStatement get a TransactionConflictException if it was a transaction that
  changed the item; beside other single writes they go on: those never conflict in DynamoDB.

An idempotency token whose first call still runs on this node gets a TransactionInProgressException.
Source: DynamoDB Developer Guide, "Amazon DynamoDB Transactions: How it works", conflict handling and idempotency.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.errors import TRANSACTION_CONFLICT, TRANSACTION_IN_PROGRESS
from cumulo.services.data.dynamodb.stored.stored_items import is_of_transaction

if TYPE_CHECKING:
    from types import TracebackType

    from cumulo.core.context import Context

ATTEMPTS = 4
CODE = "TransactionConflict"
RUNNING_S = 60.0  # no call takes longer: then its end was not heard of

_MOST = 1000
_MEMORY = "dynamodb.transactions"

Token = tuple[str, str, str]


def met(ctx: Context, found: list[bytes | None]) -> list[int]:
    """Which of the items that this attempt found others have changed since the last; none before the fourth.

    Call it with the items in the same order at each attempt, only where `ctx.tries > 1`.
    """
    return changed(follow(ctx, found), found)


def follow(ctx: Context, found: list[bytes | None]) -> list[bytes | None]:
    """What the attempt before found; the next will be told of `found`, also of what is added to it from now on.

    Nothing before the fourth attempt.
    """
    before: list[bytes | None] | None = ctx.carried
    ctx.carried = found
    return before if before is not None and ctx.tries >= ATTEMPTS else []


def changed(before: list[bytes | None], found: list[bytes | None]) -> list[int]:
    """The places of the items that are not as they were; the attempt before may not have come to all of them."""
    return [place for place, (was, now) in enumerate(zip(before, found, strict=False)) if was != now]


def reason() -> dict[str, Any]:
    """The cancellation reason of an item that others are at."""
    return {"Code": CODE, "Message": TRANSACTION_CONFLICT.text}


def check_write(ctx: Context, found: bytes | None) -> None:
    """Refuse a single write that transactions keep from its item. Call it only where `ctx.tries > 1`."""
    if met(ctx, [found]) and found is not None and is_of_transaction(found):
        raise TRANSACTION_CONFLICT()


class Running:
    """`with Running(ctx, token):` what is done with this token; refused while another call does it on this node."""

    def __init__(self, ctx: Context, token: str) -> None:
        self._ctx = ctx
        self._key: Token = ctx.account, ctx.region, token
        self._running: dict[Token, tuple[str, float]] = ctx.runtime.memory.setdefault(_MEMORY, {})

    def __enter__(self) -> None:
        ctx, key, running = self._ctx, self._key, self._running
        now = ctx.now()
        if len(running) > _MOST:  # of calls whose end was not heard of
            for old in [key for key, (_, at) in running.copy().items() if at + RUNNING_S < now]:
                running.pop(old, None)
        caller, since = running.setdefault(key, (ctx.request_id, now))
        if caller != ctx.request_id and since <= now < since + RUNNING_S:
            raise TRANSACTION_IN_PROGRESS()
        running[key] = ctx.request_id, now
        ctx.txn.on_commit(partial(self._end, ctx.request_id))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:  # else it ends with the commit
            self._end(self._ctx.request_id)

    def _end(self, caller: str) -> None:
        if self._running.get(self._key, ("", 0.0))[0] == caller:
            self._running.pop(self._key, None)
