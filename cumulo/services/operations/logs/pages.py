"""Pages of what is listed: `limit` or `maxResults` and `nextToken` of a request, and the token of the next page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from cumulo.core import paging
from cumulo.services.operations.logs.errors import INVALID_TOKEN

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.wire.faults import Fault

T = TypeVar("T")
Key = tuple[str | int, ...]

PAGE = 50


class Next(TypedDict, total=False):
    """What an answer says of the next page: nothing, where there is none."""

    nextToken: str


def page(
    ctx: Context,
    request: Mapping[str, Any],
    fetch: Callable[[tuple[Any, ...] | None, int], Sequence[T]],
    key: Callable[[T], Key],
    *,
    most: int = PAGE,
    error: Fault | None = None,
    of: str = "",
) -> tuple[list[T], Next]:
    """The page of `fetch(after, limit)` that a request asks for, of `most` where it does not say.

    Tokens are good for the operation, or for what they are `of`; raises `error` for others.
    """
    found, token = paging.page(
        ctx,
        lambda after, limit: list(fetch(after, limit)),
        key,
        token=request.get("nextToken"),
        limit=request.get("limit") or request.get("maxResults") or most,
        error=error or INVALID_TOKEN(),
        of=of,
    )
    return found, {"nextToken": token} if token else {}


def of_list(
    ctx: Context,
    request: Mapping[str, Any],
    found: Sequence[T],
    key: Callable[[T], Key],
    *,
    descending: bool = False,
    error: Fault | None = None,
    of: str = "",
) -> tuple[list[T], Next]:
    """The page of a list, which is in the order of its keys."""

    def fetch(after: tuple[Any, ...] | None, limit: int) -> Sequence[T]:
        if after is None:
            return found[:limit]
        return [each for each in found if (key(each) < after if descending else key(each) > after)][:limit]

    return page(ctx, request, fetch, key, error=error, of=of)
