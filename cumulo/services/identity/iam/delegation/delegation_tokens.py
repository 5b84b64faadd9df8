"""What an approved delegation request gives its partner: an exchange token, and for that STS gives credentials.

Source: SendDelegationToken (API Reference); "Exchange Tokens" (IAM User Guide, "Building your integration"): the token
is for the requesting account alone, may be traded in many times, and all it gives ends when the access does.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING

from cumulo.core.callers.identities import TRADE_IN_TOKEN_INVALID, Delegation
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.services.identity.iam.delegation.delegation_records import (
    ACCEPTED,
    DELEGATION_REQUESTS,
    FINALIZED,
    check_state,
    enter,
    find,
    iso8601,
    tell,
)
from cumulo.services.identity.iam.permissions import DENIED

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

EXPIRED_TOKEN = Error("ExpiredTradeInTokenException", "The trade-in token has expired.")


@operation
def send_delegation_token(ctx: Context, request: t.SendDelegationTokenRequest) -> None:
    """Let the partner in: its access begins now, and the token for it goes to its topic."""
    found = find(ctx, request["DelegationRequestId"])
    check_state(ctx, found, ACCEPTED)
    if found.only_send_by_owner and found.owner != ctx.principal.arn:
        raise DENIED(f"Only the owner of delegation request {found.request_id} can send its token.")
    token = f"{found.request_id}.{ctx.random_bytes(32).hex()}"
    found.token_digest = sha256(token.encode()).digest()
    found.access_until = float(int(ctx.now()) + found.duration_s)
    enter(ctx, found, FINALIZED)
    tell(ctx, found, "ExchangeToken", ExchangeToken=token, ExpiresAt=iso8601(found.access_until))


def delegated_access(ctx: Context, token: str) -> Delegation:
    """What a token gives the account that asked for it. Raises ValidationError, ExpiredTradeInTokenException."""
    found = DELEGATION_REQUESTS.peek(ctx, token.partition(".")[0])
    if found is None or found.requestor != ctx.account or not found.token_digest:
        raise TRADE_IN_TOKEN_INVALID()
    if not compare_digest(sha256(token.encode()).digest(), found.token_digest):
        raise TRADE_IN_TOKEN_INVALID()
    if found.access_until <= ctx.now():
        raise EXPIRED_TOKEN()
    return Delegation(
        arn=found.approver_entity,
        user_id=found.approver_id,
        account=found.owner_account,
        policies=(found.policy,),
        expires_at=found.access_until,
    )
