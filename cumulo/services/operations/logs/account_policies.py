"""Account policies: data protection, a subscription filter and transformers for many log groups of an account.

Field index, metric extraction and retention policies are refused by name. Source: API reference, PutAccountPolicy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import paging
from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import data_protection, filtering, subscription_filters, transformers
from cumulo.services.operations.logs.errors import (
    INVALID_PARAMETER,
    INVALID_TOKEN,
    LIMIT_EXCEEDED,
    RESOURCE_NOT_FOUND,
)
from cumulo.services.operations.logs.subscription_filters import SubscriptionFilter

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups import Group
    from cumulo.stubs import logs as t

PROTECTION, SUBSCRIPTION = "DATA_PROTECTION_POLICY", "SUBSCRIPTION_FILTER_POLICY"
TRANSFORMER = "TRANSFORMER_POLICY"
# The other permission that each kind asks for, by the verb of the operation.
_ACTIONS = {PROTECTION: "DataProtectionPolicy", SUBSCRIPTION: "SubscriptionFilter", TRANSFORMER: "Transformer"}
_MOST = {PROTECTION: 1, SUBSCRIPTION: 1, TRANSFORMER: 20}
_PAGE = 50
_CRITERIA_BYTES = 25 * 1024
_NOT_IN = re.compile(r"\s*LogGroupName\s+NOT\s+IN\s*(\[.*\])\s*", re.DOTALL)
_PREFIX = re.compile(r'\s*LogGroupNamePrefix\s*(?:=|IN)\s*\[?\s*"([^"]*)"\s*\]?\s*')


class AccountPolicy(Record):
    """An account policy. `excluded` are names of groups it is not for; names that it is for begin with `prefix`."""

    kind: str
    name: str
    document: str
    criteria: str
    updated_ms: int
    excluded: list[str] = []
    prefix: str = ""


ACCOUNT_POLICIES = Table(AccountPolicy, name="logs.account_policies", key=("kind", "name"), scope=REGION)


def _of(ctx: Context, kind: str, group: Group) -> list[AccountPolicy]:
    return [
        policy
        for policy in ACCOUNT_POLICIES.range(ctx, kind, account=group.account, region=group.region)
        if group.name not in policy.excluded and group.name.startswith(policy.prefix)
    ]


def subscriptions(ctx: Context, group: Group) -> list[SubscriptionFilter]:
    """The account's subscription filter, as one of the group; not where the subscriber itself writes its log."""
    found = []
    for policy in _of(ctx, SUBSCRIPTION, group):
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
    found = _of(ctx, TRANSFORMER, group)
    return msgspec.json.decode(found[0].document) if found else None


@operation(unsupported=("dryRun",))
def put_account_policy(ctx: Context, request: t.PutAccountPolicyRequest) -> t.PutAccountPolicyResponse:
    """Set an account policy."""
    kind, name, document = request["policyType"], request["policyName"], request["policyDocument"]
    _refuse_unknown(ctx, kind)
    ctx.authorize("*", action=f"logs:Put{_ACTIONS[kind]}")
    criteria = request.get("selectionCriteria") or ""
    policy = AccountPolicy(kind, name, document, criteria, int(ctx.now() * 1000))
    if request.get("scope", "ALL") != "ALL" or name.startswith("aws/"):
        raise INVALID_PARAMETER("The scope of an account policy is ALL, and its name does not start with aws/.")
    _select(policy)
    _check(ctx, policy)
    others = [each for each in ACCOUNT_POLICIES.range(ctx, kind) if each.name != name]
    if len(others) >= _MOST[kind]:
        raise LIMIT_EXCEEDED()
    if kind == TRANSFORMER and any(
        each.prefix.startswith(policy.prefix) or policy.prefix.startswith(each.prefix) for each in others
    ):
        raise INVALID_PARAMETER(
            "Two transformer policies of an account cannot have overlapping log group name prefixes."
        )
    ACCOUNT_POLICIES.put(ctx, policy)
    if kind == PROTECTION:
        data_protection.put(ctx, data_protection.account_key(ctx.account, ctx.region), document)
    return {"accountPolicy": _described(ctx, policy)}


def _select(policy: AccountPolicy) -> None:
    """Read which groups the policy is for."""
    if not policy.criteria:
        return
    if len(policy.criteria.encode()) > _CRITERIA_BYTES:
        raise INVALID_PARAMETER("The selectionCriteria must not be longer than 25 KB.")
    if policy.kind == SUBSCRIPTION:
        found = _NOT_IN.fullmatch(policy.criteria)
        if found is not None:
            try:
                policy.excluded = msgspec.json.decode(found[1], type=list[str])
                return
            except msgspec.DecodeError:
                pass
    elif policy.kind == TRANSFORMER:
        found = _PREFIX.fullmatch(policy.criteria)
        if found is not None:
            policy.prefix = found[1]
            return
    raise INVALID_PARAMETER(f"The selectionCriteria is not valid for policies of the type {policy.kind}.")


def _check(ctx: Context, policy: AccountPolicy) -> None:
    if policy.kind == PROTECTION:
        data_protection.checked(ctx, policy.document)
        return
    try:
        options: Any = msgspec.json.decode(policy.document)
    except msgspec.DecodeError:
        raise INVALID_PARAMETER("The policy document is not valid JSON.") from None
    if policy.kind == TRANSFORMER:
        if not isinstance(options, list) or not all(isinstance(each, dict) for each in options):
            raise INVALID_PARAMETER("A transformer policy is an array of processors.")
        transformers.checked(ctx, options)
        return
    if not isinstance(options, dict) or not isinstance(options.get("DestinationArn"), str):
        raise INVALID_PARAMETER("A subscription filter policy needs a DestinationArn.")
    filtering.read_pattern(options.get("FilterPattern") or "", "subscription filter")
    subscription_filters.check_destination(ctx, None, options["DestinationArn"], options.get("RoleArn"))


def _refuse_unknown(ctx: Context, kind: str) -> None:
    if kind not in _ACTIONS:
        raise not_implemented("logs", ctx.operation, f"the policyType {kind}")


@operation(unsupported=("dryRun",))
def delete_account_policy(ctx: Context, request: t.DeleteAccountPolicyRequest) -> None:
    """Remove an account policy."""
    kind, name = request["policyType"], request["policyName"]
    _refuse_unknown(ctx, kind)
    ctx.authorize("*", action=f"logs:Delete{_ACTIONS[kind]}")
    found = ACCOUNT_POLICIES.peek(ctx, kind, name)
    if found is None:
        raise RESOURCE_NOT_FOUND("The specified account policy does not exist.")
    ACCOUNT_POLICIES.delete(ctx, found)
    if kind == PROTECTION:
        data_protection.put(ctx, data_protection.account_key(ctx.account, ctx.region), None)


@operation(unsupported=("accountIdentifiers",))
def describe_account_policies(
    ctx: Context, request: t.DescribeAccountPoliciesRequest
) -> t.DescribeAccountPoliciesResponse:
    """The account policies of a kind."""
    kind, name = request["policyType"], request.get("policyName")
    found, token = paging.page(
        lambda after, limit: ACCOUNT_POLICIES.range(ctx, kind, after=after, limit=limit),
        lambda policy: (policy.kind, policy.name),
        token=request.get("nextToken"),
        limit=_PAGE,
        error=INVALID_TOKEN(),
    )
    chosen = [each for each in found if name is None or each.name == name]
    answer: t.DescribeAccountPoliciesResponse = {"accountPolicies": [_described(ctx, each) for each in chosen]}
    if token:
        answer["nextToken"] = token
    return answer


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
