"""Account policies: what holds for many log groups of an account.

Data protection, a subscription filter, transformers, field indexes and retention. Metric extraction policies are
refused by name: what their documents look like is not documented. Source: API reference, PutAccountPolicy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault, not_implemented
from cumulo.core.operation import operation
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import (
    INVALID_PARAMETER,
    LIMIT_EXCEEDED,
    RESOURCE_NOT_FOUND,
)
from cumulo.services.operations.logs.events import filtering
from cumulo.services.operations.logs.filters import subscription_filters
from cumulo.services.operations.logs.filters.subscription_filters import SubscriptionFilter
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.insights import index_policies
from cumulo.services.operations.logs.patterns import criteria
from cumulo.services.operations.logs.patterns.scanning import PatternError
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.stored import account_records, retention, segments
from cumulo.services.operations.logs.stored.account_records import (
    ACCOUNT_POLICIES,
    DELAY_MS,
    FIELD_INDEX,
    NAME,
    NEVER,
    PREFIX,
    PROTECTION,
    RETENTION,
    SOURCE_NAME,
    SOURCE_TYPE,
    SUBSCRIPTION,
    TRANSFORMER,
    AccountPolicy,
)
from cumulo.services.operations.logs.transformation import transformers

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t

# The other permission that each kind asks for, by the verb of the operation.
_ACTIONS = {
    PROTECTION: "DataProtectionPolicy",
    SUBSCRIPTION: "SubscriptionFilter",
    TRANSFORMER: "Transformer",
    FIELD_INDEX: "IndexPolicy",
    RETENTION: "RetentionPolicy",
}
_MOST = {PROTECTION: 1, SUBSCRIPTION: 1, TRANSFORMER: 20, FIELD_INDEX: 20, RETENTION: 20}
_PAGE = 50
_CRITERIA_BYTES = 25 * 1024
# "Account-level retention policies require a minimum retention period of 30 days."
_RETAINED_DAYS = (NEVER, *[days for days in retention.DAYS if days >= 30 and days != 3653])
_MODES = ("NEW_ONLY", "RETROACTIVE")
_IMPACTS = 20


def subscriptions(ctx: Context, group: Group) -> list[SubscriptionFilter]:
    """The account's subscription filter, as one of the group; not where the subscriber itself writes its log."""
    found = []
    for policy in account_records.of_group(ctx, SUBSCRIPTION, group):
        options = msgspec.json.decode(policy.document)
        arn: str = options["DestinationArn"]
        function = arn.split(":function:", 1)[1].partition(":")[0]
        if group.name != f"/aws/lambda/{function}":
            pattern = options.get("FilterPattern") or ""
            distribution = options.get("Distribution") or subscription_filters.BY_STREAM
            found.append(SubscriptionFilter(b"", policy.name, pattern, arn, distribution, policy.updated_ms))
    return found


def transformer(ctx: Context, group: Group) -> list[Any] | None:
    """The configuration of the account's transformer for a group that has none of its own."""
    found = account_records.of_group(ctx, TRANSFORMER, group)
    return msgspec.json.decode(found[0].document) if found else None


@operation
def put_account_policy(ctx: Context, request: t.PutAccountPolicyRequest) -> t.PutAccountPolicyResponse:
    """Set an account policy, or say what a retention policy would do."""
    kind, name, document = request["policyType"], request["policyName"], request["policyDocument"]
    _refuse_unknown(ctx, kind)
    ctx.authorize("*", action=f"logs:Put{_ACTIONS[kind]}")
    dry = _is_dry(request, kind)
    if request.get("scope", "ALL") != "ALL" or name.startswith("aws/"):
        raise INVALID_PARAMETER("The scope of an account policy is ALL, and its name does not start with aws/.")
    now_ms = int(ctx.now() * 1000)
    there = ACCOUNT_POLICIES.peek(ctx, kind, name)
    created_ms = there.created_ms if there is not None else now_ms
    policy = AccountPolicy(kind, name, document, request.get("selectionCriteria") or "", created_ms, now_ms)
    if kind == RETENTION and there is not None:
        policy.before = there.document if there.updated_ms + DELAY_MS <= now_ms else there.before
    _check_criteria(policy)
    _check(ctx, policy)
    others = [each for each in ACCOUNT_POLICIES.range(ctx, kind) if each.name != name]
    _check_beside(policy, others)
    if dry:
        return {"dryRunResult": _impact(ctx, policy, [*others, policy])}
    account_records.put(ctx, policy)
    if kind == PROTECTION:
        data_protection.put(ctx, data_protection.account_key(ctx.account, ctx.region), document)
    return {"accountPolicy": _described(ctx, policy)}


def _is_dry(request: Any, kind: str) -> bool:
    if request.get("dryRun") and kind != RETENTION:
        raise INVALID_PARAMETER(f"dryRun is only valid for the policyType {RETENTION}.")
    return bool(request.get("dryRun"))


def _check_beside(policy: AccountPolicy, others: Sequence[AccountPolicy]) -> None:
    """How many policies of a kind there may be, and that they do not overlap."""
    kind = policy.kind
    of_sources = account_records.prefix_of(policy) is None if kind == FIELD_INDEX else False
    if kind == FIELD_INDEX:  # so many by prefixes, and so many by data sources
        others = [each for each in others if (account_records.prefix_of(each) is None) is of_sources]
    if len(others) >= _MOST[kind]:
        raise LIMIT_EXCEEDED()
    if kind not in (TRANSFORMER, FIELD_INDEX):
        return
    if of_sources:
        chosen = set(criteria.comparisons(criteria.read(policy.criteria)))
        if any(chosen == set(criteria.comparisons(criteria.read(each.criteria))) for each in others):
            raise INVALID_PARAMETER("Two field index policies of an account cannot have the same data source and type.")
        return
    prefix = account_records.prefix_of(policy) or ""
    for each in others:
        other = account_records.prefix_of(each) or ""
        if other.startswith(prefix) or prefix.startswith(other):
            word = "transformer" if kind == TRANSFORMER else "field index"
            raise INVALID_PARAMETER(
                f"Two {word} policies of an account cannot have overlapping log group name prefixes."
            )


def _check_criteria(policy: AccountPolicy) -> None:
    """Refuse criteria that policies of a kind do not have."""
    if not policy.criteria:
        return
    if len(policy.criteria.encode()) > _CRITERIA_BYTES:
        raise INVALID_PARAMETER("The selectionCriteria must not be longer than 25 KB.")
    try:
        read = criteria.read(policy.criteria)
    except PatternError:
        raise _invalid_criteria(policy) from None
    found = list(criteria.comparisons(read))
    fields = [each.field for each in found]
    if policy.kind == SUBSCRIPTION:
        is_valid = fields == [NAME] and found[0].negated and found[0].listed
    elif fields == [PREFIX]:
        is_valid = policy.kind in (TRANSFORMER, FIELD_INDEX, RETENTION)
        is_valid = is_valid and not found[0].negated and len(found[0].values) == 1
    else:
        is_valid = policy.kind == FIELD_INDEX and sorted(fields) == [SOURCE_NAME, SOURCE_TYPE]
        is_valid = is_valid and isinstance(read, criteria.Several) and read.every
        is_valid = is_valid and not any(each.negated or each.listed for each in found)
    if not is_valid:
        raise _invalid_criteria(policy)


def _invalid_criteria(policy: AccountPolicy) -> Fault:
    return INVALID_PARAMETER(f"The selectionCriteria is not valid for policies of the type {policy.kind}.")


def _check(ctx: Context, policy: AccountPolicy) -> None:
    if policy.kind == PROTECTION:
        data_protection.check(ctx, policy.document)
        return
    if policy.kind == FIELD_INDEX:
        index_policies.read(policy.document)
        return
    try:
        options: Any = msgspec.json.decode(policy.document)
    except (msgspec.DecodeError, RecursionError):
        raise INVALID_PARAMETER("The policy document is not valid JSON.") from None
    if policy.kind == TRANSFORMER:
        if not isinstance(options, list) or not all(isinstance(each, dict) for each in options):
            raise INVALID_PARAMETER("A transformer policy is an array of processors.")
        transformers.checked(ctx, options)
        return
    if policy.kind == RETENTION:
        _check_retention(options)
        return
    if not isinstance(options, dict) or not isinstance(options.get("DestinationArn"), str):
        raise INVALID_PARAMETER("A subscription filter policy needs a DestinationArn.")
    filtering.read_pattern(options.get("FilterPattern") or "", "subscription filter")
    subscription_filters.check_destination(ctx, None, options["DestinationArn"], options.get("RoleArn"))


def _check_retention(options: Any) -> None:
    if not isinstance(options, dict) or set(options) != {"retentionInDays", "enforcementMode"}:
        raise INVALID_PARAMETER("A retention policy must have retentionInDays and enforcementMode, and nothing else.")
    if options["retentionInDays"] not in _RETAINED_DAYS:
        raise INVALID_PARAMETER(f"retentionInDays must be one of {', '.join(map(str, _RETAINED_DAYS))}.")
    if options["enforcementMode"] not in _MODES:
        raise INVALID_PARAMETER(f"enforcementMode must be one of {', '.join(_MODES)}.")


def _impact(ctx: Context, policy: AccountPolicy, after: Sequence[AccountPolicy]) -> t.DryRunResult:
    """What it would change for the groups of a policy if these were in effect."""
    now_ms = int(ctx.now() * 1000)
    before = ACCOUNT_POLICIES.range(ctx, RETENTION)
    counts = {"increased": 0, "decreased": 0, "unchanged": 0}
    impacts: list[tuple[int, Any]] = []
    for group in groups.GROUPS.range(ctx):
        if not account_records.is_for(policy, group):
            continue
        current = account_records.retained_by(before, group, now_ms).days
        proposed = account_records.retained_by(after, group, now_ms + DELAY_MS).days
        longer = (proposed or 1 << 30) - (current or 1 << 30)
        counts["increased" if longer > 0 else "decreased" if longer < 0 else "unchanged"] += 1
        size = segments.shelf_of(ctx, group.id).size
        impact = {
            "logGroupName": group.name,
            "currentRetention": str(current or NEVER),
            "proposedRetention": str(proposed or NEVER),
            "storedBytes": size,
        }
        impacts.append((size, impact))
    impacts.sort(key=lambda entry: (-entry[0], entry[1]["logGroupName"]))
    return {
        "totalMatchedLogGroups": sum(counts.values()),
        "increasedRetentionLogGroupCount": counts["increased"],
        "decreasedRetentionLogGroupCount": counts["decreased"],
        "unchangedRetentionLogGroupCount": counts["unchanged"],
        "failedAnalysisCount": 0,
        "topLogGroupsImpacted": [impact for _, impact in impacts[:_IMPACTS]],
    }


def _refuse_unknown(ctx: Context, kind: str) -> None:
    if kind not in _ACTIONS:
        raise not_implemented("logs", ctx.operation, f"the policyType {kind}")


@operation
def delete_account_policy(ctx: Context, request: t.DeleteAccountPolicyRequest) -> t.DeleteAccountPolicyResponse:
    """Remove an account policy, or say what the removal of a retention policy would do."""
    kind, name = request["policyType"], request["policyName"]
    _refuse_unknown(ctx, kind)
    ctx.authorize("*", action=f"logs:Delete{_ACTIONS[kind]}")
    dry = _is_dry(request, kind)
    found = ACCOUNT_POLICIES.peek(ctx, kind, name)
    if found is None:
        raise RESOURCE_NOT_FOUND("The specified account policy does not exist.")
    if dry:
        others = [each for each in ACCOUNT_POLICIES.range(ctx, kind) if each.name != name]
        return {"dryRunResult": _impact(ctx, found, others)}
    account_records.delete(ctx, found)
    if kind == PROTECTION:
        data_protection.put(ctx, data_protection.account_key(ctx.account, ctx.region), None)
    return {}


@operation(unsupported=("accountIdentifiers",))
def describe_account_policies(
    ctx: Context, request: t.DescribeAccountPoliciesRequest
) -> t.DescribeAccountPoliciesResponse:
    """The account policies of a kind."""
    kind, name = request["policyType"], request.get("policyName")
    chosen = [each for each in ACCOUNT_POLICIES.range(ctx, kind) if name is None or each.name == name]
    found, more = pages.of_list(ctx, request, chosen, lambda policy: (policy.kind, policy.name))
    return {"accountPolicies": [_described(ctx, each) for each in found], **more}


def _described(ctx: Context, policy: AccountPolicy) -> t.AccountPolicy:
    answer: t.AccountPolicy = {
        "policyName": policy.name,
        "policyDocument": policy.document,
        "lastUpdatedTime": policy.updated_ms,
        "policyType": policy.kind,
        "scope": "ALL",
        "accountId": ctx.account,
    }
    if policy.criteria:
        answer["selectionCriteria"] = policy.criteria
    return answer
