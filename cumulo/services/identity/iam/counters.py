"""How many entities an account has, against its quotas; what GetAccountSummary tells.

Source: IAM User Guide, "IAM and AWS STS quotas", "IAM object quotas" (the defaults).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam.errors import LIMIT_EXCEEDED

if TYPE_CHECKING:
    from cumulo.core.context import Context

QUOTAS: Final = {
    "Users": 5000,
    "Groups": 300,
    "Roles": 1000,
    "Policies": 1500,
    "InstanceProfiles": 1000,
    "ServerCertificates": 20,
}


class Counter(Record):
    """How many there are of one kind."""

    kind: str
    count: int = 0


class AccountBirth(Record):
    """When the account was first seen by IAM, in cloud time seconds."""

    name: str
    at: float


COUNTERS = Table(Counter, name="iam.counters", key="kind", scope=ACCOUNT)
BIRTHS = Table(AccountBirth, name="iam.account_births", key="name", scope=ACCOUNT)


def add(ctx: Context, kind: str, change: int = 1) -> None:
    """Count one more (or less). Raises LimitExceeded when the quota is used up."""
    counter = COUNTERS.peek(ctx, kind) or Counter(kind)
    counter.count += change
    if change > 0 and counter.count > QUOTAS[kind]:
        raise LIMIT_EXCEEDED(quota=f"{kind}PerAccount", limit=QUOTAS[kind])
    COUNTERS.put(ctx, counter)


def count(ctx: Context, kind: str) -> int:
    """How many there are."""
    counter = COUNTERS.peek(ctx, kind)
    return counter.count if counter is not None else 0


def account_created_at(ctx: Context) -> float:
    """Since when the account is known: it begins when somebody first asks."""
    birth = BIRTHS.peek(ctx, "account")
    if birth is None:
        birth = AccountBirth("account", float(int(ctx.now())))
        BIRTHS.put(ctx, birth)
    return birth.at
