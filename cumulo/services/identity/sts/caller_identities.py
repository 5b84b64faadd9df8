"""Caller identities: who am I?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.identity.sts.sessions import caller_key

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t


@operation
def get_caller_identity(ctx: Context, request: t.GetCallerIdentityRequest) -> t.GetCallerIdentityResponse:
    """Account, ARN and unique id of the caller; needs no permission, and nobody can be denied it."""
    caller_key(ctx)
    principal = ctx.principal
    return {"UserId": principal.user_id, "Account": principal.account, "Arn": principal.arn}
