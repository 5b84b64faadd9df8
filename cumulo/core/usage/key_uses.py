"""When access keys and roles were last used, where and for what.

Each call is noted in memory, as the journal writes it down, and kept in the store once a minute and at the end: AWS's
own answers lag behind by minutes, too (IAM User Guide, "Getting access key last used information").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context


class KeyUse(Record):
    """The last use of a lasting access key (by id) or a role (by ARN), in cloud time seconds."""

    name: str
    used_at: float
    service: str
    region: str


KEY_USES = Table(KeyUse, name="credentials.key_uses", key="name", scope=GLOBAL)


class KeyUses:
    """The uses that this node saw since they were last kept."""

    __slots__ = ("fresh",)

    def __init__(self) -> None:
        self.fresh: dict[str, tuple[float, str, str]] = {}

    def note(self, ctx: Context, now: float) -> None:
        """A call was made; that of a local root key or of a service leaves no trace."""
        principal = ctx.principal
        if principal.kind is PrincipalKind.ROLE:
            self.fresh[principal.entity_arn] = (now, ctx.service, ctx.region)
        elif principal.access_key_id.startswith("AKIA"):
            self.fresh[principal.access_key_id] = (now, ctx.service, ctx.region)

    def save(self, ctx: Context) -> None:
        """Keep what was noted."""
        fresh = self.fresh
        for name, (used_at, service, region) in list(fresh.items()):
            kept = KEY_USES.peek(ctx, name)
            if kept is None or kept.used_at < used_at:
                KEY_USES.put(ctx, KeyUse(name, used_at, service, region))

        def forget() -> None:
            for name, use in saved.items():
                if fresh.get(name) == use:
                    del fresh[name]

        saved = dict(fresh)
        ctx.txn.on_commit(forget)


def last_use(ctx: Context, name: str) -> KeyUse | None:
    """The last use of an access key id or a role's ARN, None when there was none."""
    kept = KEY_USES.peek(ctx, name)
    fresh = ctx.runtime.journal.key_uses.fresh.get(name)
    if fresh is not None and (kept is None or fresh[0] > kept.used_at):
        return KeyUse(name, *fresh)
    return kept
