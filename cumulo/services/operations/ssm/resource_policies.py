"""Resource policies of parameters: how they are shared with other accounts.

Sources: Systems Manager User Guide, "Working with shared parameters in Parameter Store"; API Reference,
PutResourcePolicy.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault, not_implemented
from cumulo.core.operation import operation
from cumulo.core.policy.documents import Kind, parse
from cumulo.services.operations.ssm.errors import (
    INVALID_NEXT_TOKEN,
    POLICY_CONFLICT,
    POLICY_INVALID,
    POLICY_LIMIT,
    POLICY_MALFORMED,
    POLICY_NOT_FOUND,
    RESOURCE_NOT_FOUND,
)
from cumulo.services.operations.ssm.parameter_records import ADVANCED, DEFAULT_KEY, SECURE, find, put, share

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.ssm.parameter_records import Parameter
    from cumulo.stubs import ssm as t

LIMIT_B = 1024
FOR_DOCUMENTS_ALONE = ("DeletionMode",)  # ignored for parameters. Source: API Reference, DeleteResourcePolicy
_ACCOUNT = re.compile(r"(\d{12})|arn:[^:]+:(?:iam|sts)::(\d{12}):.+")


def _parameter(ctx: Context, request: Any, operation: str) -> Parameter:
    arn = request["ResourceArn"]
    if ":parameter/" not in arn:
        raise not_implemented("ssm", operation, "ResourceArn of anything but a parameter")
    return find(ctx, arn, RESOURCE_NOT_FOUND)


def accounts_of(text: str) -> list[str]:
    """The accounts that a policy allows something."""
    found: dict[str, None] = {}
    for statement in parse(text, Kind.RESOURCE).statements:
        if statement.effect != "Allow" or statement.principal is None or statement.principal.negated:
            continue
        for kind, value in statement.principal.members:
            account = _ACCOUNT.fullmatch(value) if kind == "AWS" else None
            if account is not None:
                found[account[1] or account[2]] = None
    return list(found)


@operation
def put_resource_policy(ctx: Context, request: t.PutResourcePolicyRequest) -> t.PutResourcePolicyResponse:
    parameter = _parameter(ctx, request, "PutResourcePolicy")
    text = request["Policy"]
    if len(text.encode()) > LIMIT_B:
        members: dict[str, Any] = {"Limit": LIMIT_B, "LimitType": "Policy size in bytes"}
        raise POLICY_LIMIT(f"A policy can't be greater than {LIMIT_B} bytes in size.", members=members)
    if parameter.latest.tier != ADVANCED:
        raise POLICY_INVALID("To share a parameter, it must be in the advanced parameter tier.")
    if parameter.latest.type == SECURE and parameter.latest.key_id == DEFAULT_KEY:
        raise POLICY_INVALID("To share a SecureString parameter, it must be encrypted with a customer managed key.")
    try:
        parse(text, Kind.RESOURCE)
        msgspec.json.decode(text)
    except (Fault, msgspec.DecodeError) as error:
        raise POLICY_MALFORMED(str(getattr(error, "message", error))) from None
    if "PolicyId" in request or parameter.resource_policy:
        _check_hash(parameter, request)
    share(ctx, parameter, accounts_of(text))
    parameter.resource_policy = text
    parameter.resource_policy_id = parameter.resource_policy_id or ctx.uuid()
    parameter.resource_policy_hash = hashlib.sha256(text.encode()).hexdigest()
    put(ctx, parameter)
    return {"PolicyId": parameter.resource_policy_id, "PolicyHash": parameter.resource_policy_hash}


def _check_hash(parameter: Parameter, request: Any) -> None:
    """Whoever changes a policy must know the one that is there."""
    if not parameter.resource_policy or request.get("PolicyId") != parameter.resource_policy_id:
        if "PolicyId" not in request:
            raise POLICY_LIMIT("Only one policy can be attached to a parameter.", members={"Limit": 1})
        raise POLICY_NOT_FOUND()
    if request.get("PolicyHash") != parameter.resource_policy_hash:
        raise POLICY_CONFLICT()


@operation
def get_resource_policies(ctx: Context, request: t.GetResourcePoliciesRequest) -> t.GetResourcePoliciesResponse:
    parameter = _parameter(ctx, request, "GetResourcePolicies")
    if "NextToken" in request:
        raise INVALID_NEXT_TOKEN()  # there is one policy at most, so no page has a next one
    policies: list[t.GetResourcePoliciesResponseEntry] = []
    if parameter.resource_policy:
        policies.append(
            {
                "PolicyId": parameter.resource_policy_id,
                "PolicyHash": parameter.resource_policy_hash,
                "Policy": parameter.resource_policy,
            }
        )
    return {"Policies": policies[: request.get("MaxResults", 50)]}


@operation
def delete_resource_policy(ctx: Context, request: t.DeleteResourcePolicyRequest) -> None:
    parameter = _parameter(ctx, request, "DeleteResourcePolicy")
    _check_hash(parameter, request)
    share(ctx, parameter, [])
    parameter.resource_policy, parameter.resource_policy_id, parameter.resource_policy_hash = "", "", ""
    put(ctx, parameter)
