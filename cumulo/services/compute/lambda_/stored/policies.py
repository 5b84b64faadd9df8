"""Resource policies: one for the function itself, and one for each of its versions and aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_.errors import POLICY_TOO_LONG, REVISION_MISMATCH

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.function_names import FunctionName

INVOKE, INVOKE_URL = "lambda:InvokeFunction", "lambda:InvokeFunctionUrl"  # what policies allow callers to do
LIMIT_BYTES = 20_480  # Source: Lambda Developer Guide, "Lambda quotas", Function resource-based policy


class Policy(Record):
    """The policy of a function ("" as its qualifier) or of a version or alias of it, as the JSON that AWS shows."""

    name: str
    qualifier: str
    document: str
    revision_id: str


POLICIES = Table(Policy, name="lambda.policies", key=("name", "qualifier"), scope=REGION)


def of(ctx: Context, account: str, region: str, name: str, qualifier: str) -> Policy | None:
    """The policy of a function or of one of its qualifiers, None where there is none."""
    return POLICIES.peek(ctx, name, qualifier, account=account, region=region)


def set_document(ctx: Context, place: FunctionName, document: dict[str, Any] | str) -> Policy:
    """Put a policy in place of what was there."""
    text = document if isinstance(document, str) else msgspec.json.encode(document).decode()
    size = len(text.encode())
    if size > LIMIT_BYTES:
        raise POLICY_TOO_LONG(size=size, limit=LIMIT_BYTES)
    policy = Policy(place.name, place.qualifier, text, ctx.uuid())
    POLICIES.put(ctx, policy, account=place.account, region=place.region)
    return policy


def drop(ctx: Context, place: FunctionName, policy: Policy) -> None:
    """Take a policy away."""
    POLICIES.delete(ctx, policy, account=place.account, region=place.region)


def drop_all(ctx: Context, account: str, region: str, name: str, qualifier: str | None = None) -> None:
    """Take away the policies of a function and of all its qualifiers, or of one of them, with what they were for."""
    found = POLICIES.range(ctx, name, account=account, region=region)
    for policy in found:
        if qualifier is None or policy.qualifier == qualifier:
            POLICIES.delete(ctx, policy, account=account, region=region)


def check_revision(policy: Policy | None, wanted: str | None, call: str) -> None:
    """PreconditionFailedException unless the policy is the one that the caller has seen."""
    if wanted is not None and (policy is None or policy.revision_id != wanted):
        raise REVISION_MISMATCH(call=call)
