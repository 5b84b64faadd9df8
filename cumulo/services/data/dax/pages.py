"""Pages of DAX's lists. Source: DAX API Reference, MaxResults: 20 to 100, 100 unless said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.core import paging
from cumulo.services.data.dax.errors import INVALID_VALUE

if TYPE_CHECKING:
    from cumulo.core.context import Context

T = TypeVar("T")

LEAST, MOST = 20, 100


def page_size(request: Mapping[str, Any]) -> int:
    """How many the request wants at once."""
    size = request.get("MaxResults", MOST)
    if not LEAST <= size <= MOST:
        raise INVALID_VALUE(f"MaxResults must be between {LEAST} and {MOST}.")
    return int(size)


def key_of(ctx: Context, token: str) -> tuple[Any, ...]:
    """The key in a token of this list."""
    return paging.decode(ctx, token, INVALID_VALUE("NextToken is not valid."))


def of_names(
    ctx: Context, request: Mapping[str, Any], found: Sequence[T], name: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """A page of what is sorted by name, and the token of the next."""
    size = page_size(request)
    token = request.get("NextToken")
    if token:
        (after,) = key_of(ctx, token)
        found = [each for each in found if name(each) > after]
    if len(found) <= size:
        return list(found), None
    return list(found[:size]), paging.encode(ctx, (name(found[size - 1]),))
