"""Which users and roles last asked what of which service: what IAM's access advisor tells.

Each call is noted in memory, as the journal writes it down, and kept in the store once a minute and at the end. Whether
it was allowed does not count: AWS's advisor shows attempts (IAM User Guide, "Refine permissions in AWS using last
accessed information").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import access
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context


class ServiceUse(Record):
    """The last time that a user or role (by ARN) performed an action: ("sqs", "SendMessage"), in cloud time seconds."""

    entity: str
    service: str
    action: str
    used_at: float
    region: str


SERVICE_USES = Table(ServiceUse, name="credentials.service_uses", key=("entity", "service", "action"), scope=GLOBAL)


class ServiceUses:
    """The uses that this node saw since they were last kept."""

    __slots__ = ("fresh",)

    def __init__(self) -> None:
        self.fresh: dict[tuple[str, str, str], tuple[float, str]] = {}

    def note(self, ctx: Context, now: float) -> None:
        """A call was made; that of root or of a service leaves no trace."""
        principal = ctx.principal
        if principal.kind is PrincipalKind.USER:
            self.fresh[principal.arn, ctx.service, ctx.operation] = (now, ctx.region)
        elif principal.kind is PrincipalKind.ROLE:
            self.fresh[principal.entity_arn, ctx.service, ctx.operation] = (now, ctx.region)

    def save(self, ctx: Context) -> None:
        """Keep what was noted."""
        saved = dict(self.fresh)
        for use in _named(saved):
            kept = SERVICE_USES.peek(ctx, use.entity, use.service, use.action)
            if kept is None or kept.used_at < use.used_at:
                SERVICE_USES.put(ctx, use)
        fresh = self.fresh

        def forget() -> None:
            for key, use in saved.items():
                if fresh.get(key) == use:
                    del fresh[key]

        ctx.txn.on_commit(forget)


def _named(uses: dict[tuple[str, str, str], tuple[float, str]]) -> list[ServiceUse]:
    """Uses with the names that policies give to services and actions."""
    found = []
    for (entity, service, operation), (used_at, region) in uses.items():
        rule = access.load(service).operation(operation)
        action = (rule.action or f"{access.prefix_of(service)}:{operation}").partition(":")[2]
        found.append(ServiceUse(entity, access.prefix_of(service), action, used_at, region))
    return found


def of_entity(ctx: Context, entity: str) -> list[ServiceUse]:
    """The last use of every action by a user or role, those of this node that are not kept yet among them."""
    found = {(use.service, use.action): use for use in SERVICE_USES.range(ctx, entity)}
    fresh = {key: use for key, use in ctx.runtime.journal.service_uses.fresh.items() if key[0] == entity}
    for use in _named(fresh):
        kept = found.get((use.service, use.action))
        if kept is None or kept.used_at < use.used_at:
            found[use.service, use.action] = use
    return list(found.values())
