"""Which blobs the state names. A file without a row here is an orphan: of a crash, or of a deletion that did not end.

    stored = await writer.commit()                     # the bytes are on disk
    await ctx.transact(lambda ctx: keep(ctx, …) …)     # now they are somebody's

`keep` and `drop` are the one way into and out of this table, in the transaction that changes who names the blob.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from cumulo.core.table import GLOBAL, Space

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime

_AT_ONCE = 200
_EVERY_S = 86_400.0

KEPT = Space("core.blobs", scope=GLOBAL)


def keep(ctx: Context, blob: str, owner: str) -> None:
    """The state names this blob from now on; `owner` is the service, for whoever looks."""
    ctx.txn.put(KEPT.key(ctx, blob), owner.encode())
    ctx.txn.on_commit(partial(ctx.blobs.settled, blob))


def drop(ctx: Context, blobs: Iterable[str]) -> None:
    """Nothing names these blobs any more: their files go once that is durable."""
    gone = list(blobs)
    for blob in gone:
        ctx.txn.delete(KEPT.key(ctx, blob))
    ctx.txn.on_commit(partial(ctx.runtime.delete_blobs, gone))


def is_kept(ctx: Context, blob: str) -> bool:
    """Whether the state names this blob."""
    return ctx.txn.get(KEPT.key(ctx, blob)) is not None


async def sweep(ctx: Context) -> int:
    """Delete the files that nothing names; how many that were.

    A blob is young while its transaction is to come, so what is found here and has no row never gets one.
    """
    names = ctx.blobs.names()
    swept = 0
    while True:
        found: list[str] | None = await asyncio.to_thread(next, names, None)
        if found is None:
            return swept
        for at in range(0, len(found), _AT_ONCE):
            orphans = await ctx.transact(partial(_orphans, found=found[at : at + _AT_ONCE]))
            await asyncio.sleep(0)  # a transaction that wrote nothing does not wait: let others have a turn
            if orphans:
                await asyncio.to_thread(ctx.blobs.delete, orphans)
                swept += len(orphans)


async def keep_swept(runtime: Runtime) -> None:
    """Sweep when the cloud starts, for what a crash left, and every day, for what could not be deleted at once.

    Only where the store is this process's own: of another node's young blobs nothing is known here.
    """
    logger = runtime.logger("blobs")
    with runtime.signals.listen("sweep blobs") as heard:
        while True:
            try:
                swept = await sweep(runtime.internal_context("s3", "SweepBlobs", "", ""))
                if swept:
                    logger.info("%d files that nothing named are gone", swept)
            except Exception:
                logger.exception("files that nothing names could not be swept; tomorrow again")
            await heard.wait(runtime.clock.now() + _EVERY_S)


def _orphans(ctx: Context, found: list[str]) -> list[str]:
    return [blob for blob in found if not is_kept(ctx, blob)]
