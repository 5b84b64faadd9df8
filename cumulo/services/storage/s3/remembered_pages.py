"""Pages of listings that were answered, kept until something in their bucket changes: pollers ask for the same again.

Only what was durable when it was read is kept, and only where no other node writes (`Transaction.settled`), so a
remembered page is what a fresh one would be. Every change of CURRENT comes through `changed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cumulo.core.context import Context

MOST_PAGES = 64  # of some 300 KB at most each; then all are forgotten
_PLACE = "s3.remembered_pages"

Key = tuple[Any, ...]


def find(ctx: Context, bucket: str, key: Key) -> dict[str, Any] | None:
    """The answer to the same question, None when it is not known."""
    pages: dict[str, dict[Key, dict[str, Any]]] | None = ctx.runtime.memory.get(_PLACE)
    if pages is None or bucket not in pages:
        return None
    return pages[bucket].get(key)


def keep(ctx: Context, bucket: str, key: Key, answer: dict[str, Any]) -> None:
    """Remember an answer, of which nobody changes anything from now on."""
    if not ctx.txn.settled:
        return
    pages: dict[str, dict[Key, dict[str, Any]]] = ctx.runtime.memory.setdefault(_PLACE, {})
    if sum(map(len, pages.values())) >= MOST_PAGES:
        pages.clear()
    pages.setdefault(bucket, {})[key] = answer


def changed(ctx: Context, bucket: str) -> None:
    """Something that listings of the bucket show is about to change."""
    pages = ctx.runtime.memory.get(_PLACE)
    if pages:
        pages.pop(bucket, None)
