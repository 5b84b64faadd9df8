"""Root sessions: privileged tasks in member accounts of an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.identity.sts.sessions import ACCESS_DENIED, caller_key

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t


@operation
def assume_root(ctx: Context, request: t.AssumeRootRequest) -> t.AssumeRootResponse:
    """Denied, as AWS denies it to every account that is not the management account of an organization.

    Only that account, or its delegated administrator for IAM, may take root sessions, and only after it has switched
    them on. Source: "Centrally manage root access for member accounts" (IAM User Guide).
    """
    caller_key(ctx)
    account = request["TargetPrincipal"]
    arn = account if account.startswith("arn:") else f"arn:{ctx.partition}:iam::{account}:root"
    ctx.authorize(arn, context={"sts:TaskPolicyArn": request["TaskPolicyArn"].get("arn", "")})
    raise ACCESS_DENIED(f"User: {ctx.principal.arn} is not authorized to perform: sts:AssumeRoot on resource: {arn}")
