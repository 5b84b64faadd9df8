"""Pages of Lambda's lists: `Marker` in, `NextMarker` out; each carries the key of the last item."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.core import paging
from cumulo.services.compute.lambda_.errors import INVALID_MARKER

if TYPE_CHECKING:
    from cumulo.core.context import Context

T = TypeVar("T")
K = TypeVar("K", str, int)


def read(ctx: Context, request: dict[str, Any], kind: type[K]) -> K | None:
    """The key that the page before ended with, None for the first page; InvalidParameterValueException."""
    marker = request.get("Marker")
    if not marker:
        return None
    key = paging.decode(ctx, marker, INVALID_MARKER())
    if len(key) != 1 or not isinstance(key[0], kind):
        raise INVALID_MARKER()
    return key[0]


def cut(ctx: Context, items: list[T], limit: int, key: Callable[[T], str | int]) -> tuple[list[T], str]:
    """The first items of a list, and the marker of the others; "" when these are all."""
    if len(items) <= limit:
        return items, ""
    return items[:limit], paging.encode(ctx, (key(items[limit - 1]),))


def answer(member: str, items: list[Any], marker: str) -> dict[str, Any]:
    """A page as it is answered."""
    return {member: items, "NextMarker": marker} if marker else {member: items}
