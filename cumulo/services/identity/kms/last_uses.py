"""When a key was last used, and for what: GetKeyLastUsage tells it.

Written down behind the answers: uses are noted in memory and kept once a minute, so that encrypting costs no write to
the disk. A crash forgets the last minute's uses; AWS, too, tells of them only after a while.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import reconciler
from cumulo.core.table import REGION, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.kms.keys import Key


class LastUse(Record):
    """The last use of a key; `used_at` is cloud time in seconds."""

    key_id: str
    operation: str
    used_at: float
    request_id: str


LAST_USES = Table(LastUse, name="kms.last_uses", key="key_id", scope=REGION)


def _noted(ctx: Context) -> dict[tuple[str, str, str], LastUse]:
    """What this node noted and has not kept yet, by account, region and key id."""
    found: dict[tuple[str, str, str], LastUse] = ctx.runtime.memory.setdefault("kms.last_uses", {})
    return found


def note(ctx: Context, key: Key) -> None:
    """Remember that the key was used by this call, if the call succeeds."""
    use = LastUse(key.key_id, ctx.operation, ctx.now(), ctx.request_id)
    noted = _noted(ctx)
    place = (key.account, key.region, key.key_id)
    ctx.txn.on_commit(lambda: noted.__setitem__(place, use))


def of(ctx: Context, key: Key) -> LastUse | None:
    """The last use of a key that this node knows of."""
    use = _noted(ctx).get((key.account, key.region, key.key_id))
    return use or LAST_USES.peek(ctx, key.key_id, account=key.account, region=key.region)


@reconciler(every_s=60)
async def keep_last_uses(ctx: Context) -> None:
    """Keep the uses that were noted on this node."""
    noted = _noted(ctx)
    if not noted:
        return
    taken = dict(noted)

    def keep(ctx: Context) -> None:
        for (account, region, _), use in taken.items():
            known = LAST_USES.peek(ctx, use.key_id, account=account, region=region)
            if known is None or known.used_at < use.used_at:
                LAST_USES.put(ctx, use, account=account, region=region)

    await ctx.transact(keep)
    for place, use in taken.items():
        if noted.get(place) is use:
            del noted[place]
