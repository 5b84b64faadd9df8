"""Pages of KMS's lists: Limit and Marker in, NextMarker and Truncated out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.core import paging
from cumulo.services.identity.kms.errors import INVALID_MARKER, VALIDATION

if TYPE_CHECKING:
    from cumulo.core.context import Context

T = TypeVar("T")
Place = tuple[str | int, ...]


def page(
    ctx: Context,
    request: Mapping[str, Any],
    fetch: Callable[[Place | None, int], list[T]],
    place: Callable[[T], Place],
    *,
    default: int,
    most: int = 1000,
) -> tuple[list[T], dict[str, Any]]:
    """One page of `fetch(after, limit)`, and the members that say whether there are more."""
    limit = request.get("Limit") or default
    if limit > most:
        text = "Value '{limit}' at 'limit' failed to satisfy constraint: Member must have value less than or equal to"
        raise VALIDATION(f"1 validation error detected: {text.format(limit=limit)} {most}")
    items, token = paging.page(ctx, fetch, place, token=request.get("Marker"), limit=limit, error=INVALID_MARKER())
    return items, {"Truncated": True, "NextMarker": token} if token else {"Truncated": False}


def page_of(
    ctx: Context, request: Mapping[str, Any], items: list[T], *, default: int, most: int = 1000
) -> tuple[list[T], dict[str, Any]]:
    """One page of a short list that is all there; the marker is a place in it."""
    numbered = list(enumerate(items))

    def fetch(after: Place | None, limit: int) -> list[tuple[int, T]]:
        start = int(after[0]) + 1 if after else 0
        return numbered[start : start + limit]

    found, more = page(ctx, request, fetch, lambda item: (item[0],), default=default, most=most)
    return [item for _, item in found], more
