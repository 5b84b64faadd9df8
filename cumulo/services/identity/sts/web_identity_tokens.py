"""Web identity tokens: signed statements to others about who the caller is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.identity.sts.session_tags import session_tags
from cumulo.services.identity.sts.sessions import VALIDATION_ERROR, caller_key

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t

ALGORITHMS = ("ES384", "RS256")
DEFAULT_TOKEN_S = 300


@operation
def get_web_identity_token(ctx: Context, request: t.GetWebIdentityTokenRequest) -> t.GetWebIdentityTokenResponse:
    """A JWT about the caller, signed by the account's issuer, which is off until IAM switches it on.

    Source: iam:EnableOutboundWebIdentityFederation; GetWebIdentityToken (STS API Reference).
    """
    caller_key(ctx)
    algorithm = request["SigningAlgorithm"]
    if algorithm not in ALGORITHMS:
        raise VALIDATION_ERROR(f"The signing algorithm must be one of {', '.join(ALGORITHMS)}")
    tags = session_tags(request.get("Tags", []), (), {})
    lasts_s = request.get("DurationSeconds", DEFAULT_TOKEN_S)
    token = ctx.runtime.identities.outbound_token(ctx, request["Audience"], algorithm, lasts_s, tags)
    return {"WebIdentityToken": token, "Expiration": int(ctx.now()) + lasts_s}
