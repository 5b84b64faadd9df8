"""Opaque page tokens that carry the last key, so that inserts and deletes do not shift pages."""

import base64
from collections.abc import Callable
from typing import TypeVar

import msgspec

from cumulo.wire.faults import Fault

T = TypeVar("T")

INVALID_TOKEN = Fault("InvalidNextToken", "The pagination token is not valid.")


def encode(key: tuple[str | int, ...], of: str = "") -> str:
    """A token for the page that starts after this key. It is good for what it is `of` alone: an operation."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode((of, *key) if of else key)).decode()


def decode(token: str, error: Fault = INVALID_TOKEN, of: str = "") -> tuple[str | int, ...]:
    """The key in a token; raises `error` when the token is not one of ours, or not of this."""
    try:
        key = msgspec.msgpack.decode(base64.b64decode(token, altchars=b"-_", validate=True), type=tuple[str | int, ...])
    except (ValueError, msgspec.DecodeError):
        key = ()
    if not key or (of and key[0] != of):
        raise Fault(error.code, error.message, status=error.status, members=error.members)
    return key[1:] if of else key


def page(
    fetch: Callable[[tuple[str | int, ...] | None, int], list[T]],
    key: Callable[[T], tuple[str | int, ...]],
    *,
    token: str | None,
    limit: int,
    error: Fault = INVALID_TOKEN,
    of: str = "",
) -> tuple[list[T], str | None]:
    """One page of `fetch(after, limit)` and the token of the next, None on the last page."""
    items = fetch(decode(token, error, of) if token else None, limit + 1)
    if len(items) <= limit:
        return items, None
    return items[:limit], encode(key(items[limit - 1]), of)
