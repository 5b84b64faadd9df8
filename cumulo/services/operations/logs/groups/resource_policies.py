"""Resource policies: which services of AWS may write to the log groups of an account and region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.core.policy.documents import Kind, parse
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import (
    INVALID_PARAMETER,
    LIMIT_EXCEEDED,
    OPERATION_ABORTED,
    POLICY_NOT_FOUND,
)
from cumulo.services.operations.logs.groups import groups
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t

MOST = 10  # of an account and region, without a resource
ACCOUNT_BYTES = 5120
_ACCOUNT, _RESOURCE = "ACCOUNT", "RESOURCE"


class ResourcePolicy(Record):
    """A policy of the account (`resource` is ""), or of one log group."""

    resource: str
    name: str
    document: str
    updated_ms: int
    revision: str = ""


POLICIES = Table(ResourcePolicy, name="logs.resource_policies", key=("resource", "name"), scope=REGION)


@operation
def put_resource_policy(ctx: Context, request: t.PutResourcePolicyRequest) -> t.PutResourcePolicyResponse:
    """Set a policy of the account, or of a log group."""
    name, document, arn = request.get("policyName"), request.get("policyDocument"), request.get("resourceArn")
    if document is None:
        raise INVALID_PARAMETER(
            "1 validation error detected: Value null at 'policyDocument' failed to satisfy "
            "constraint: Member must not be null"
        )
    if arn is None:
        if not name:
            raise INVALID_PARAMETER(
                "1 validation error detected: Value null at 'policyName' failed to satisfy "
                "constraint: Member must not be null"
            )
        if len(document) > ACCOUNT_BYTES:
            raise INVALID_PARAMETER(
                f"Policy document length breaking Cloudwatch Logs Constraints, either < 1 or > {ACCOUNT_BYTES}"
            )
    else:
        arn = groups.find_any(ctx, arn).arn
    _check(document)
    resource = arn or ""
    there = POLICIES.range(ctx, resource)
    found = there[0] if arn is not None and there else POLICIES.peek(ctx, resource, name or "")
    if found is None and len(there) >= MOST:
        raise LIMIT_EXCEEDED()
    revision = ""
    if arn is not None:
        _check_revision(found, request.get("expectedRevisionId"))
        revision = ctx.uuid()
        if found is not None:
            POLICIES.delete(ctx, found)
    policy = ResourcePolicy(resource, name or "", document, int(ctx.now() * 1000), revision)
    POLICIES.put(ctx, policy)
    answer: t.PutResourcePolicyResponse = {"resourcePolicy": _described(policy)}
    if revision:
        answer["revisionId"] = revision
    return answer


@operation
def delete_resource_policy(ctx: Context, request: t.DeleteResourcePolicyRequest) -> None:
    """Remove a policy."""
    name, arn = request.get("policyName"), request.get("resourceArn")
    if arn is not None:
        arn = groups.find_any(ctx, arn).arn
        there = POLICIES.range(ctx, arn)
        found = there[0] if there else None
        _check_revision(found, request.get("expectedRevisionId"))
    else:
        found = POLICIES.peek(ctx, "", name or "")
    if found is None:
        raise POLICY_NOT_FOUND(name=name or arn or "")
    POLICIES.delete(ctx, found)


@operation
def describe_resource_policies(
    ctx: Context, request: t.DescribeResourcePoliciesRequest
) -> t.DescribeResourcePoliciesResponse:
    """The policies of the account, or of its log groups."""
    scope, arn = request.get("policyScope") or _ACCOUNT, request.get("resourceArn")

    def fetch(after: tuple[Any, ...] | None, limit: int) -> list[ResourcePolicy]:
        if arn is not None or scope == _ACCOUNT:
            return POLICIES.range(ctx, arn.removesuffix(":*") if arn else "", after=after, limit=limit)
        return POLICIES.range(ctx, start=("a",), after=after, limit=limit)  # past "", which is the account

    found, more = pages.page(ctx, request, fetch, lambda policy: (policy.resource, policy.name))
    return {"resourcePolicies": [_described(each) for each in found], **more}


def _described(policy: ResourcePolicy) -> t.ResourcePolicy:
    answer: t.ResourcePolicy = {
        "policyName": policy.name,
        "policyDocument": policy.document,
        "lastUpdatedTime": policy.updated_ms,
        "policyScope": _RESOURCE if policy.resource else _ACCOUNT,
    }
    if policy.resource:
        answer["resourceArn"] = policy.resource
        answer["revisionId"] = policy.revision
    return answer


def _check(document: str) -> None:
    """Refuse what is no policy. AWS takes any text for a resource (it was seen to take "log_arn")."""
    try:
        policy = msgspec.json.decode(document)
        for statement in _listed(policy["Statement"]):
            if statement["Effect"] not in ("Allow", "Deny") or not statement.get("Principal"):
                raise INVALID_PARAMETER("Policy document is malformed.")
            parse(msgspec.json.encode({**policy, "Statement": {**statement, "Resource": "*"}}).decode(), Kind.RESOURCE)
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError, AttributeError):
        raise INVALID_PARAMETER("Policy document is malformed.") from None
    except Fault as fault:
        raise INVALID_PARAMETER(fault.message) from None


def _listed(statements: Any) -> list[Any]:
    return statements if isinstance(statements, list) else [statements]


def _check_revision(found: ResourcePolicy | None, expected: str | None) -> None:
    if found is not None and found.revision != expected:
        raise OPERATION_ABORTED("The expected revision ID does not match the revision ID of the policy.")
