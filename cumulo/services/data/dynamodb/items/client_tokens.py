"""Client request tokens of transactions: within ten minutes a repeated call does nothing again.

Source: DynamoDB Developer Guide, "Amazon DynamoDB Transactions: How it works", Idempotency.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import reconciler
from cumulo.core.table import GLOBAL, Codec, Record, Space
from cumulo.services.data.dynamodb.errors import IDEMPOTENT_PARAMETER_MISMATCH

if TYPE_CHECKING:
    from cumulo.core.context import Context

WINDOW_S = 600
_SWEPT_AT_ONCE = 500

# (a time in tens of minutes, account, region, token); a token is looked for in this span and the one before.
TOKENS = Space("dynamodb.tokens", scope=GLOBAL)


class Remembered(Record):
    """A transaction that was carried out: what it was, and what repeating it costs to read, by table."""

    digest: bytes
    at: float
    usage: dict[str, float]


_CODEC = Codec(Remembered)


def digest_of(request: Any) -> bytes:
    """What stands for the request's parameters."""
    return blake2b(msgspec.json.encode(request, order="deterministic"), digest_size=16).digest()


def seen(ctx: Context, token: str, digest: bytes) -> Remembered | None:
    """The transaction that this token stands for. Raises IdempotentParameterMismatchException when it was another."""
    now = ctx.now()
    span = int(now) // WINDOW_S
    for place in (span, span - 1):
        data = ctx.txn.get(TOKENS.key(ctx, place, ctx.account, ctx.region, token))
        if data is None:
            continue
        found = _CODEC.decode(data)
        if found.at + WINDOW_S <= now:
            continue
        if found.digest != digest:
            raise IDEMPOTENT_PARAMETER_MISMATCH()
        return found
    return None


def remember(ctx: Context, token: str, digest: bytes, usage: dict[str, float]) -> None:
    """Keep the token with the transaction that it stands for."""
    now = ctx.now()
    key = TOKENS.key(ctx, int(now) // WINDOW_S, ctx.account, ctx.region, token)
    ctx.txn.put(key, _CODEC.encode(Remembered(digest, now, usage)))


@reconciler(every_s=WINDOW_S)
async def forget_tokens(ctx: Context) -> None:
    """Drop tokens whose time is over."""

    def sweep(ctx: Context) -> bool:
        end = TOKENS.key(ctx, int(ctx.now()) // WINDOW_S - 1)
        found = ctx.txn.range(TOKENS.prefix("", ""), end, limit=_SWEPT_AT_ONCE)
        for key, _ in found:
            ctx.txn.delete(key)
        return len(found) == _SWEPT_AT_ONCE

    while await ctx.transact(sweep):
        pass
