"""Pages of DAX's lists. Source: DAX API Reference, MaxResults: 20 to 100, 100 unless said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from cumulo.core import paging
from cumulo.services.data.dax.errors import INVALID_VALUE

T = TypeVar("T")

LEAST, MOST = 20, 100


def page_size(request: Mapping[str, Any]) -> int:
    """How many the request wants at once."""
    size = request.get("MaxResults", MOST)
    if not LEAST <= size <= MOST:
        raise INVALID_VALUE(f"MaxResults must be between {LEAST} and {MOST}.")
    return int(size)


def key_of(token: str, *kinds: type) -> tuple[Any, ...]:
    """What a token tells, which must be of these types: one of another list is none of this."""
    key = paging.decode(token, INVALID_VALUE("NextToken is not valid."))
    if tuple(map(type, key)) != kinds:
        raise INVALID_VALUE("NextToken is not valid.")
    return key


def of_names(request: Mapping[str, Any], found: Sequence[T], name: Callable[[T], str]) -> tuple[list[T], str | None]:
    """A page of what is sorted by name, and the token of the next."""
    size = page_size(request)
    token = request.get("NextToken")
    if token:
        (after,) = key_of(token, str)
        found = [each for each in found if name(each) > after]
    if len(found) <= size:
        return list(found), None
    return list(found[:size]), paging.encode((name(found[size - 1]),))
