"""Account policies as they are kept, and which groups they are for.

Source: API reference, PutAccountPolicy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs.groups import data_sources
from cumulo.services.operations.logs.groups.groups import DELIVERY
from cumulo.services.operations.logs.patterns import criteria

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group

PROTECTION, SUBSCRIPTION = "DATA_PROTECTION_POLICY", "SUBSCRIPTION_FILTER_POLICY"
TRANSFORMER, FIELD_INDEX, RETENTION = "TRANSFORMER_POLICY", "FIELD_INDEX_POLICY", "RETENTION_POLICY"
NAME, PREFIX = "LogGroupName", "LogGroupNamePrefix"
SOURCE_NAME, SOURCE_TYPE = "DataSourceName", "DataSourceType"
NEVER = "NEVER_EXPIRE"
DELAY_MS = 86_400_000  # "a retention policy takes effect 24 hours after you create it"


class AccountPolicyOne(Record):
    """Its first form."""

    kind: str
    name: str
    document: str
    criteria: str
    updated_ms: int
    excluded: list[str] = []
    prefix: str = ""


class AccountPolicy(Record):
    """An account policy. Times are milliseconds.

    `before` is the document that holds until the one here takes effect: of retention policies alone, a day later.
    """

    previous = AccountPolicyOne

    kind: str
    name: str
    document: str
    criteria: str
    created_ms: int
    updated_ms: int
    before: str = ""

    @classmethod
    def migrate(cls, old: Any) -> AccountPolicy:
        """What the first form derived from the criteria is read from them."""
        return cls(old.kind, old.name, old.document, old.criteria, old.updated_ms, old.updated_ms)


ACCOUNT_POLICIES = Table(AccountPolicy, name="logs.account_policies", key=("kind", "name"), scope=REGION)


class PolicyKinds(Record):
    """The kinds of policies that an account has: every batch of events asks for them, and mostly there are none."""

    id: str
    kinds: list[str]


POLICY_KINDS = Table(PolicyKinds, name="logs.account_policy_kinds", key="id", scope=REGION)


def put(ctx: Context, policy: AccountPolicy) -> None:
    """Keep a policy of the caller's account."""
    ACCOUNT_POLICIES.put(ctx, policy)
    _note_kinds(ctx, ctx.account, ctx.region)


def delete(ctx: Context, policy: AccountPolicy) -> None:
    """Drop a policy of the caller's account."""
    ACCOUNT_POLICIES.delete(ctx, policy)
    _note_kinds(ctx, ctx.account, ctx.region)


def _note_kinds(ctx: Context, account: str, region: str) -> PolicyKinds:
    found = ACCOUNT_POLICIES.range(ctx, account=account, region=region)
    kinds = PolicyKinds("", sorted({policy.kind for policy in found}))
    POLICY_KINDS.put(ctx, kinds, account=account, region=region)
    return kinds


def of_kind(ctx: Context, kind: str, account: str, region: str) -> list[AccountPolicy]:
    """The policies of a kind that an account has."""
    known = POLICY_KINDS.peek(ctx, "", account=account, region=region) or _note_kinds(ctx, account, region)
    return ACCOUNT_POLICIES.range(ctx, kind, account=account, region=region) if kind in known.kinds else []


def of_group(ctx: Context, kind: str, group: Group) -> list[AccountPolicy]:
    """The policies of a kind that are for a group."""
    return [policy for policy in of_kind(ctx, kind, group.account, group.region) if is_for(policy, group)]


def is_for(policy: AccountPolicy, group: Group) -> bool:
    """Whether a policy is for a group."""
    return not policy.criteria or all(
        _holds(each, group) for each in criteria.comparisons(criteria.read(policy.criteria))
    )


def _holds(comparison: criteria.Comparison, group: Group) -> bool:
    source = data_sources.of_group(group)
    if comparison.field == SOURCE_NAME:
        holds = source is not None and source.name in comparison.values
    elif comparison.field == SOURCE_TYPE:
        holds = source is not None and source.type in comparison.values
    elif comparison.field == PREFIX:
        holds = group.name.startswith(comparison.values)
    else:
        holds = group.name in comparison.values
    return holds is not comparison.negated


def prefix_of(policy: AccountPolicy) -> str | None:
    """The prefix that the groups of a policy begin with, "" for all; None where data sources choose them."""
    if not policy.criteria:
        return ""
    found = list(criteria.comparisons(criteria.read(policy.criteria)))
    return found[0].values[0] if found[0].field == PREFIX else None


# --- retention ----------------------------------------------------------------------------------


class Retained(msgspec.Struct):
    """How long a group's events are kept: days, 0 for ever; and the policy that says so, "" for the group itself."""

    days: int
    policy: str = ""


def retained(ctx: Context, group: Group) -> Retained:
    """How long a group's events are kept now: what the account says comes before what the group says."""
    policies = of_kind(ctx, RETENTION, group.account, group.region)
    return retained_by(policies, group, int(ctx.now() * 1000)) if policies else Retained(group.kept_days)


def retained_by(policies: Sequence[AccountPolicy], group: Group, at_ms: int) -> Retained:
    """The same with these policies and at another time; of several, the longest counts, and then the oldest."""
    best: Retained | None = None
    if group.log_class == DELIVERY:  # whose day nothing changes
        return Retained(group.kept_days)
    for policy in sorted(policies, key=lambda policy: policy.created_ms):
        document = policy.document if policy.updated_ms + DELAY_MS <= at_ms else policy.before
        if not document or not is_for(policy, group):
            continue
        options = msgspec.json.decode(document)
        if options["enforcementMode"] == "NEW_ONLY" and group.created_ms <= policy.created_ms:
            continue
        days = 0 if options["retentionInDays"] == NEVER else int(options["retentionInDays"])
        if best is None or _is_longer(days, best.days):
            best = Retained(days, policy.name)
    return best or Retained(group.kept_days)


def _is_longer(days: int, than: int) -> bool:
    return than != 0 and (days == 0 or days > than)
