"""Delegated access tokens: a partner takes up the access that an account granted it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers import credentials
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.identity.sts import sessions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t


@operation
def get_delegated_access_token(
    ctx: Context, request: t.GetDelegatedAccessTokenRequest
) -> t.GetDelegatedAccessTokenResponse:
    """Credentials for a delegation request that its account approved.

    They end when the access does, however often the token is traded in. Requests and tokens are IAM's.
    """
    key = sessions.caller_key(ctx)
    granted = ctx.runtime.identities.delegated_access(ctx, request["TradeInToken"])
    issued = credentials.issue(
        ctx,
        account=granted.account,
        kind=PrincipalKind.FEDERATED,
        arn=granted.arn,
        user_id=granted.user_id,
        lasts_s=max(1, int(granted.expires_at - ctx.now())),
        entity_arn=granted.arn,
        session_policies=list(granted.policies),
        issuer_keys=[key.access_key_id] if key is not None else [],
    )
    return {"Credentials": sessions.answer(issued)["Credentials"], "AssumedPrincipal": granted.arn}
