"""Resource policies of secrets: put, got, validated, deleted and listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.secretsmanager import policy_checks, replication
from cumulo.services.identity.secretsmanager.errors import (
    INVALID_NEXT_TOKEN,
    INVALID_PARAMETER,
    NOT_FOUND,
    PUBLIC_POLICY,
)
from cumulo.services.identity.secretsmanager.secret_records import authorize, find, named

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import secretsmanager as t

DEFAULT_POLICY = "default"


def _check_name(request: Any) -> None:
    """Only the default policy can be changed. Source: API Reference, PutResourcePolicy, PolicyName."""
    if request.get("PolicyName", DEFAULT_POLICY) != DEFAULT_POLICY:
        raise INVALID_PARAMETER("You can modify only the default policy.")


@operation
def put_resource_policy(ctx: Context, request: t.PutResourcePolicyRequest) -> t.PutResourcePolicyResponse:
    given = {"secretsmanager:BlockPublicPolicy": request.get("BlockPublicPolicy")}
    secret = find(ctx, request["SecretId"], context=given, primary=True, account_replicas=True)
    _check_name(request)
    document = policy_checks.check(request["ResourcePolicy"])
    if request.get("BlockPublicPolicy") and policy_checks.public(document):
        raise PUBLIC_POLICY()
    secret.policy = request["ResourcePolicy"]
    replication.keep(ctx, secret)
    answer: t.PutResourcePolicyResponse = _answer(named(secret), request)
    return answer


def _answer(answer: Any, request: Any) -> Any:
    if "PolicyName" in request:
        answer["PolicyName"] = request["PolicyName"]
    return answer


@operation
def get_resource_policy(ctx: Context, request: t.GetResourcePolicyRequest) -> t.GetResourcePolicyResponse:
    secret = find(ctx, request["SecretId"])
    if request.get("PolicyName", DEFAULT_POLICY) != DEFAULT_POLICY:
        raise NOT_FOUND("Secrets Manager can't find the specified resource policy.")
    answer: t.GetResourcePolicyResponse = _answer(named(secret), request)
    if secret.policy:
        answer["ResourcePolicy"] = secret.policy
    return answer


@operation
def delete_resource_policy(ctx: Context, request: t.DeleteResourcePolicyRequest) -> t.DeleteResourcePolicyResponse:
    secret = find(ctx, request["SecretId"], primary=True, account_replicas=True)
    _check_name(request)
    secret.policy = ""
    replication.keep(ctx, secret)
    answer: t.DeleteResourcePolicyResponse = _answer(named(secret), request)
    return answer


@operation
def list_resource_policies(ctx: Context, request: t.ListResourcePoliciesRequest) -> t.ListResourcePoliciesResponse:
    secret = find(ctx, request["SecretId"])
    if "NextToken" in request:
        raise INVALID_NEXT_TOKEN()  # there is one policy at most, so no page has a next one
    limit = request.get("MaxResults", 100)
    found: list[t.ResourcePolicySummary] = [{"PolicyName": DEFAULT_POLICY}] if secret.policy else []
    return {"ResourcePolicies": found[:limit]}


@operation
def validate_resource_policy(
    ctx: Context, request: t.ValidateResourcePolicyRequest
) -> t.ValidateResourcePolicyResponse:
    if "SecretId" in request:
        secret = find(ctx, request["SecretId"])
        authorize(ctx, secret, action="secretsmanager:PutResourcePolicy")
    elif not ctx.trusted(ctx.account):
        ctx.authorize("*")
        ctx.authorize("*", action="secretsmanager:PutResourcePolicy")
    document = policy_checks.check(request["ResourcePolicy"])
    errors: Any = []
    for statement in policy_checks.public(document):
        which = f"The statement {statement.sid}" if statement.sid else "A statement"
        message = f"{which} of the resource policy grants broad access to the secret."
        errors.append({"CheckName": "PUBLIC_POLICY_CHECK", "ErrorMessage": message})
    if policy_checks.locked_out(document):
        message = "The resource policy would lock out the caller: nobody could change it again."
        errors.append({"CheckName": "LOCKOUT_CHECK", "ErrorMessage": message})
    return {"PolicyValidationPassed": not errors, "ValidationErrors": errors}
