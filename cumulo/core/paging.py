"""Opaque page tokens that carry the last key, so that inserts and deletes do not shift pages.

A token is good for the operation that gave it: another one's keys are of other types.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.core.context import Context

T = TypeVar("T")

INVALID_TOKEN = Fault("InvalidNextToken", "The pagination token is not valid.")


def encode(ctx: Context, key: tuple[str | int, ...], of: str = "") -> str:
    """A token for the page that starts after this key. It is `of` the running operation if nothing else is said."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode((of or ctx.operation, *key))).decode()


def decode(ctx: Context, token: str, error: Fault = INVALID_TOKEN, of: str = "") -> tuple[str | int, ...]:
    """The key in a token; raises `error` when the token is not one of ours, or of something else."""
    try:
        found = msgspec.msgpack.decode(
            base64.b64decode(token, altchars=b"-_", validate=True), type=tuple[str | int, ...]
        )
    except (ValueError, msgspec.DecodeError):
        found = ()
    if len(found) < 2 or found[0] != (of or ctx.operation):
        raise Fault(error.code, error.message, status=error.status, members=error.members)
    return found[1:]


def page(
    ctx: Context,
    fetch: Callable[[tuple[str | int, ...] | None, int], list[T]],
    key: Callable[[T], tuple[str | int, ...]],
    *,
    token: str | None,
    limit: int,
    error: Fault = INVALID_TOKEN,
    of: str = "",
) -> tuple[list[T], str | None]:
    """One page of `fetch(after, limit)` and the token of the next, None on the last page."""
    items = fetch(decode(ctx, token, error, of) if token else None, limit + 1)
    if len(items) <= limit:
        return items, None
    return items[:limit], encode(ctx, key(items[limit - 1]), of)
