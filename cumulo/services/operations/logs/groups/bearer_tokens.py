"""Whether the HTTP endpoints take bearer tokens for a group; signed requests they always take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.operations.logs.groups import groups

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t


@operation
def put_bearer_token_authentication(ctx: Context, request: t.PutBearerTokenAuthenticationRequest) -> None:
    """Take bearer tokens for a group, or no longer."""
    group = groups.find_any(ctx, request["logGroupIdentifier"])
    group.bearer_tokens = request["bearerTokenAuthenticationEnabled"]
    groups.keep(ctx, group)
