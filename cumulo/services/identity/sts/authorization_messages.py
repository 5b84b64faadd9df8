"""Authorization messages: why was I denied?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers import authorization_messages
from cumulo.core.errors import Error
from cumulo.core.operation import operation

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t

INVALID_MESSAGE = Error("InvalidAuthorizationMessageException", "Message is not valid")


@operation
def decode_authorization_message(
    ctx: Context, request: t.DecodeAuthorizationMessageRequest
) -> t.DecodeAuthorizationMessageResponse:
    """Open a message that a denial carried: the decision, its statements and the request's context, as JSON."""
    try:
        return {"DecodedMessage": authorization_messages.decode(ctx, request["EncodedMessage"])}
    except authorization_messages.Unreadable:
        raise INVALID_MESSAGE() from None
