"""Where managed policies are used: one record a use, found by policy; users, groups and roles know their own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from cumulo.core.table import ACCOUNT, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

ATTACHED: Final = "PermissionsPolicy"
BOUNDARY: Final = "PermissionsBoundary"


class PolicyUse(Record):
    """A managed policy attached to an entity, or bounding it (`usage`, in the words of ListPolicies); `kind` is user,
    group or role, `entity` its key."""

    policy: str
    usage: str
    kind: str
    entity: str


POLICY_USES = Table(PolicyUse, name="iam.policy_uses", key=("policy", "usage", "kind", "entity"), scope=ACCOUNT)


def add(ctx: Context, policy: str, usage: str, entity: Any) -> None:
    """The entity uses the policy with this ARN."""
    POLICY_USES.put(ctx, PolicyUse(policy, usage, entity.kind, entity.key))


def remove(ctx: Context, policy: str, usage: str, entity: Any) -> None:
    """The entity uses it no more."""
    POLICY_USES.delete(ctx, PolicyUse(policy, usage, entity.kind, entity.key))


def rename(ctx: Context, entity: Any, old: str, new: str) -> None:
    """An entity has another key from now on."""
    uses = [(arn, ATTACHED) for arn in entity.attached]
    if getattr(entity, "boundary", ""):
        uses.append((entity.boundary, BOUNDARY))
    for policy, usage in uses:
        POLICY_USES.delete(ctx, PolicyUse(policy, usage, entity.kind, old))
        POLICY_USES.put(ctx, PolicyUse(policy, usage, entity.kind, new))


def of_policy(ctx: Context, policy: str) -> list[PolicyUse]:
    """All uses of a policy in this account."""
    return POLICY_USES.range(ctx, policy)


def counts(ctx: Context) -> Counter[tuple[str, str]]:
    """How often each (policy, usage) is used in this account."""
    return Counter((use.policy, use.usage) for use in POLICY_USES.range(ctx))
