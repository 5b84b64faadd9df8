"""Sessions: temporary credentials, how long they last, and how they are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.callers import credentials
from cumulo.core.callers.credentials import AccessKey, Issued
from cumulo.core.errors import Error
from cumulo.core.operation import reconciler
from cumulo.core.policy.principals import PrincipalKind

if TYPE_CHECKING:
    from cumulo.core.context import Context

MISSING_TOKEN = Error("MissingAuthenticationToken", "Request is missing Authentication Token")
ACCESS_DENIED = Error("AccessDenied", status=403)
VALIDATION_ERROR = Error("ValidationError", status=400)
INVALID_PARAMETER = Error("InvalidParameterValue", status=400)

LARGEST_TOKEN_B = 4096
ROOT_SESSION_S = 3600
DEFAULT_SESSION_S = 43_200


def caller_key(ctx: Context) -> AccessKey | None:
    """The key that signed this call, None for a free local key. Raises MissingAuthenticationToken when unsigned."""
    if ctx.principal.kind is PrincipalKind.ANONYMOUS:
        raise MISSING_TOKEN()
    return credentials.find(ctx, ctx.principal.access_key_id)


def no_session(ctx: Context, operation: str) -> AccessKey | None:
    """The key that signed this call, which must be a lasting one of a user or of root."""
    key = caller_key(ctx)
    if key is not None and key.token_digest:
        raise ACCESS_DENIED(f"Cannot call {operation} with session credentials")
    return key


def lifetime_s(ctx: Context, wanted: int | None) -> int:
    """How long a session of this caller lasts: 12 hours unless it asks otherwise; root gets an hour at most.

    Source: GetSessionToken and GetFederationToken, DurationSeconds.
    """
    lasts_s = DEFAULT_SESSION_S if wanted is None else wanted
    return min(lasts_s, ROOT_SESSION_S) if ctx.principal.kind is PrincipalKind.ROOT else lasts_s


def check_mfa(ctx: Context, request: Any) -> int | None:
    """Check the MFA device named in the request, if any; the time of the check."""
    serial, code = request.get("SerialNumber"), request.get("TokenCode")
    if serial is None and code is None:
        return None
    if serial is None or code is None:
        message = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."
        raise ACCESS_DENIED(message)
    ctx.runtime.identities.check_mfa(ctx, serial, code)
    return int(ctx.now())


def answer(issued: Issued) -> Any:
    """The members of an answer that carry credentials: themselves, their size and how full the token is."""
    key = issued.key
    size = len(issued.session_token)
    return {
        "Credentials": {
            "AccessKeyId": key.access_key_id,
            "SecretAccessKey": issued.secret,
            "SessionToken": issued.session_token,
            "Expiration": float(key.expires_at),
        },
        "SessionTokenSize": size,
        "SessionTokenUtilization": min(100, -(-size * 100 // LARGEST_TOKEN_B)),
    }


@reconciler(every_s=3600)
async def forget_expired_sessions(ctx: Context) -> None:
    """Drop the records of sessions that have been over for long."""
    while await ctx.transact(credentials.forget_expired):
        pass
