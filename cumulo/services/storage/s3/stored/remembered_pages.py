"""Pages of listings that were answered, kept for who asks the same again: pollers do, and those who write and look.

Only what was durable when it was read is kept, and only where no other node writes (`Transaction.settled`), so a
remembered page is what a fresh one would be. Every change of CURRENT comes through `changed`: a page whose bucket has
changed since tells which keys those were, and is mended by reading these alone (`object_listings`), or forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cumulo.core.context import Context

MOST_PAGES = 64  # of some 400 KB at most each; then all are forgotten
MOST_CHANGES = 64  # of a bucket's keys: then its pages are forgotten
_PLACE = "s3.remembered_pages"

Key = tuple[Any, ...]


class Remembered:
    """One page: its answer, and where it can be mended, the packed keys of its rows and where the text of each ends.

    `first` is the packed key that it begins with, `seen` counts the changes of its bucket that are in it.
    """

    __slots__ = ("answer", "ends", "first", "keys", "seen")

    def __init__(self, answer: dict[str, Any], seen: int, first: bytes, keys: list[bytes], ends: list[int]) -> None:
        self.answer = answer
        self.seen = seen
        self.first = first
        self.keys = keys
        self.ends = ends


class BucketPages:
    """The pages of one bucket, and its keys that have changed since the first of them, in that order."""

    __slots__ = ("changes", "pages")

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.pages: dict[Key, Remembered] = {}


def of(ctx: Context, bucket: str) -> BucketPages | None:
    """The pages of a bucket, None when there are none."""
    memory: dict[str, BucketPages] | None = ctx.runtime.memory.get(_PLACE)
    return None if memory is None else memory.get(bucket)


def keep(
    ctx: Context, bucket: str, key: Key, answer: dict[str, Any], first: bytes, keys: list[bytes], ends: list[int]
) -> None:
    """Remember an answer, of which nobody changes anything from now on; without `ends` it cannot be mended."""
    if not ctx.txn.settled:
        return
    memory: dict[str, BucketPages] = ctx.runtime.memory.setdefault(_PLACE, {})
    there = memory.get(bucket)
    if there is None or key not in there.pages:
        if sum([len(each.pages) for each in memory.values()]) >= MOST_PAGES:
            memory.clear()
            there = None
        if there is None:
            there = memory[bucket] = BucketPages()
    there.pages[key] = Remembered(answer, len(there.changes), first, keys, ends)


def changed(ctx: Context, bucket: str, key: str) -> None:
    """Something that listings of the bucket show of this key is about to change."""
    memory: dict[str, BucketPages] | None = ctx.runtime.memory.get(_PLACE)
    if not memory:
        return
    there = memory.get(bucket)
    if there is not None:
        there.changes.append(key)
        if len(there.changes) > MOST_CHANGES:
            del memory[bucket]


def forget(ctx: Context, bucket: str) -> None:
    """Forget the pages of a bucket."""
    memory: dict[str, BucketPages] = ctx.runtime.memory.get(_PLACE) or {}
    memory.pop(bucket, None)
