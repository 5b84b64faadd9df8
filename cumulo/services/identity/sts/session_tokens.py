"""Session tokens: temporary credentials for oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers import credentials
from cumulo.core.operation import operation
from cumulo.services.identity.sts import sessions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t


@operation
def get_session_token(ctx: Context, request: t.GetSessionTokenRequest) -> t.GetSessionTokenResponse:
    """Credentials of the caller itself, for 12 hours unless told otherwise, one hour at most for root."""
    key = sessions.no_session(ctx, "GetSessionToken")
    mfa_at = sessions.check_mfa(ctx, request)
    principal = ctx.principal
    issued = credentials.issue(
        ctx,
        account=principal.account,
        kind=principal.kind,
        arn=principal.arn,
        user_id=principal.user_id,
        lasts_s=sessions.lifetime_s(ctx, request.get("DurationSeconds")),
        token_size=request.get("MinimumSessionTokenSize", 0),
        name=principal.name,
        entity_arn=principal.entity_arn,
        tags=principal.tags,
        mfa_at=mfa_at,
        issuer_keys=[key.access_key_id] if key is not None else [],
    )
    answer: t.GetSessionTokenResponse = sessions.answer(issued)
    return answer
