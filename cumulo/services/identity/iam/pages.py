"""Pages of listings: MaxItems, Marker and IsTruncated, alike in all of IAM.

Source: IAM API Reference, ListUsers and its like: 100 items unless MaxItems says otherwise, at most 1,000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.core import paging
from cumulo.services.identity.iam.errors import BAD_MARKER
from cumulo.services.identity.iam.names import check_prefix

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.table import Table

T = TypeVar("T")

DEFAULT_PAGE = 100
_BATCH = 256


def of_list(
    ctx: Context, items: Iterable[T], request: Any, result: str, show: Callable[[T], Any], name: Callable[[T], str]
) -> Any:
    """The answer with one page of items that are all at hand; `name` orders them and tells them apart."""
    limit = request.get("MaxItems") or DEFAULT_PAGE
    after = _after(ctx, request)
    ordered = sorted(items, key=name)
    if after is not None:
        ordered = [item for item in ordered if name(item) > after[0]]
    return _answer(ctx, ordered, limit, result, show, lambda item: (name(item),))


def of_table(
    ctx: Context,
    table: Table[Any],
    request: Any,
    result: str,
    show: Callable[[Any], Any],
    *,
    keep: Callable[[Any], bool] | None = None,
) -> Any:
    """The answer with one page of a table's records, those that `keep` wants."""
    limit = request.get("MaxItems") or DEFAULT_PAGE
    after: Any = _after(ctx, request)
    found: list[Any] = []
    while len(found) <= limit:
        batch = table.range(ctx, after=after, limit=_BATCH if keep is not None else limit + 1 - len(found))
        if not batch:
            break
        after = table.key_of(batch[-1])
        found += batch if keep is None else [record for record in batch if keep(record)]
    return _answer(ctx, found, limit, result, show, table.key_of)


def below_path(ctx: Context, table: Table[Any], request: Any, result: str, show: Callable[[Any], Any]) -> Any:
    """The answer with one page of the table's records below the request's PathPrefix, by name."""
    prefix = check_prefix(request.get("PathPrefix"))
    keep = None if prefix == "/" else lambda record: record.path.startswith(prefix)
    return of_table(ctx, table, request, result, show, keep=keep)


def _after(ctx: Context, request: Any) -> tuple[Any, ...] | None:
    marker = request.get("Marker")
    return paging.decode(ctx, marker, BAD_MARKER()) if marker else None


def _answer(
    ctx: Context,
    items: Sequence[T],
    limit: int,
    result: str,
    show: Callable[[T], Any],
    key: Callable[[T], tuple[Any, ...]],
) -> Any:
    answer: dict[str, Any] = {result: [show(item) for item in items[:limit]], "IsTruncated": len(items) > limit}
    if len(items) > limit:
        answer["Marker"] = paging.encode(ctx, key(items[limit - 1]))
    return answer
