"""Web identity tokens: signed statements to others about who the caller is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.errors import Error
from cumulo.core.operation import operation

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t

FEDERATION_DISABLED = Error(
    "OutboundWebIdentityFederationDisabledException",
    "Outbound web identity federation is not enabled for this account.",
)


@operation
def get_web_identity_token(ctx: Context, request: t.GetWebIdentityTokenRequest) -> t.GetWebIdentityTokenResponse:
    """Refused until the account enables it: iam:EnableOutboundWebIdentityFederation, off in every new account."""
    raise FEDERATION_DISABLED()
