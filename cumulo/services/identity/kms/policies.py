"""Key policies: every key has exactly one, named "default".

Sources: Developer Guide, "Key policies in AWS KMS", "Default key policy"; API reference, PutKeyPolicy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.callers.authorization import environment_of
from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.policy.authorization import authorize, compiled
from cumulo.core.policy.principals import Principal, root
from cumulo.services.identity.kms import pages, permissions
from cumulo.services.identity.kms.conditions import of_caller
from cumulo.services.identity.kms.errors import LIMIT_EXCEEDED, MALFORMED_POLICY, NO_SUCH_POLICY, POLICY_LOCKS_OUT
from cumulo.services.identity.kms.keys import arn_of, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

NAME = "default"
MAXIMUM_BYTES = 32_768
_DEFAULT = """{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:{partition}:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"""


def default(ctx: Context) -> str:
    """The policy of a key that is made without one: the account's policies decide."""
    return _DEFAULT.format(partition=ctx.partition, account=ctx.account)


def checked(ctx: Context, request: Mapping[str, Any], key_id: str, region: str = "") -> str:
    """The policy that a request brings, or the default one; MalformedPolicyDocumentException for what KMS refuses."""
    text = request.get("Policy")
    if text is None:
        return default(ctx)
    if len(text.encode()) > MAXIMUM_BYTES:
        raise LIMIT_EXCEEDED(f"The key policy is larger than {MAXIMUM_BYTES} bytes.")
    _check_form(text)
    if not request.get("BypassPolicyLockoutSafetyCheck") and not ctx.internal:
        arn = arn_of(ctx.account, region or ctx.region, key_id)
        if not any(_may_put(ctx, caller, text, arn) for caller in (ctx.principal, root(ctx.account, ctx.partition))):
            raise POLICY_LOCKS_OUT()
    return str(text)


def _check_form(text: str) -> None:
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        raise MALFORMED_POLICY("Policy contains invalid JSON") from None
    statements = document.get("Statement") if isinstance(document, dict) else None
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict) and not statement.get("Principal") and not statement.get("NotPrincipal"):
            raise MALFORMED_POLICY("Policy contains a statement with no principal.")
    try:
        compiled(text, "resource")
    except Fault as fault:
        raise MALFORMED_POLICY(fault.message) from None


def _may_put(ctx: Context, caller: Principal, policy: str, arn: str) -> bool:
    """Whether this policy alone would let the caller, or its account, change it again."""
    return authorize(
        caller,
        "kms:PutKeyPolicy",
        arn,
        environment=environment_of(ctx),
        resource_policy=policy,
        resource_policy_required=True,
        given=of_caller(ctx),
    ).allowed


def _check_name(request: Mapping[str, Any]) -> None:
    if request.get("PolicyName", NAME) != NAME:
        raise NO_SUCH_POLICY()


@operation
def get_key_policy(ctx: Context, request: t.GetKeyPolicyRequest) -> t.GetKeyPolicyResponse:
    """The key's policy, as it was put."""
    key = permissions.get(ctx, request["KeyId"])
    _check_name(request)
    return {"Policy": key.policy, "PolicyName": NAME}


@operation
def put_key_policy(ctx: Context, request: t.PutKeyPolicyRequest) -> None:
    """Another policy for the key, unless nobody could change that one any more."""
    key = permissions.get(ctx, request["KeyId"])
    _check_name(request)
    key.policy = checked(ctx, request, key.key_id)
    keep(ctx, key)


@operation
def list_key_policies(ctx: Context, request: t.ListKeyPoliciesRequest) -> t.ListKeyPoliciesResponse:
    """The one name there is."""
    permissions.get(ctx, request["KeyId"])
    names, more = pages.page_of(ctx, request, [NAME], default=100)
    return {"PolicyNames": names, **more}  # type: ignore[typeddict-item]
