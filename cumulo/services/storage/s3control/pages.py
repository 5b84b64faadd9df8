"""Listings page by page: how much is asked for, and where to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.core import paging
from cumulo.services.storage.s3control.errors import INVALID_ARGUMENT, INVALID_NEXT_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cumulo.core.context import Context
    from cumulo.core.table import Key

MOST_LISTED = 1000

R = TypeVar("R")


def begin(ctx: Context, request: Mapping[str, Any]) -> Key | None:
    """The key behind which a request goes on, None at the beginning. Raises InvalidNextToken."""
    token = request.get("NextToken")
    return paging.decode(ctx, token, INVALID_NEXT_TOKEN()) if token is not None else None


def limit_of(request: Mapping[str, Any]) -> int:
    """How many entries a request wants at most. Raises InvalidArgument."""
    limit: int = request.get("MaxResults", MOST_LISTED)
    if not 0 <= limit <= MOST_LISTED:
        raise INVALID_ARGUMENT("Invalid maxResults", members={"ArgumentName": "maxResults"})
    return limit


def answer(
    ctx: Context, member: str, found: list[R], limit: int, show: Callable[[R], dict[str, Any]], key: Callable[[R], str]
) -> dict[str, Any]:
    """A page of what was found, with a token where there is more than `limit`; a page of none has no token."""
    page: dict[str, Any] = {member: [show(each) for each in found[:limit]]}
    if len(found) > limit > 0:
        page["NextToken"] = paging.encode(ctx, (key(found[limit - 1]),))
    return page
