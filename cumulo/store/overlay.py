"""Writes that lie over what is stored: batches on their way to the disk, and the merge of layers in a range."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from typing import Any

Writes = dict[bytes, bytes | None]  # None: deleted
Cover = tuple[Writes, list[bytes]]  # a layer, and those of its keys, sorted, that lie in the range asked for
Done = Callable[[Any, BaseException | None], None]

_FEW = 16  # below this many new keys, inserting them one by one is cheaper than sorting


class Batch:
    """The writes of transactions that become durable together, and who waits for that."""

    __slots__ = ("_fresh", "_keys", "callbacks", "signals", "size", "waiters", "writes")

    def __init__(self) -> None:
        self.writes: Writes = {}
        self.waiters: list[tuple[Done, Any, BaseException | None]] = []
        self.callbacks: list[Callable[[], None]] = []
        self.signals: dict[bytes, None] = {}
        self.size = 0  # bytes of keys and values, repeated writes of a key counted each time
        self._keys: list[bytes] = []  # sorted; a key written twice may stand there twice
        self._fresh: list[bytes] = []

    def add(self, writes: Writes) -> None:
        """Lay a transaction's writes over those that are here."""
        size = 0
        for key, value in writes.items():
            size += len(key) if value is None else len(key) + len(value)
        self.writes.update(writes)
        self._fresh += writes
        self.size += size

    def between(self, begin: bytes, end: bytes) -> list[bytes]:
        """The keys written, begin <= key < end, in order."""
        keys, fresh = self._keys, self._fresh
        if fresh:
            if len(fresh) < _FEW:
                for key in fresh:
                    insort(keys, key)
            else:
                keys += fresh
                keys.sort()
            fresh.clear()
        return keys[bisect_left(keys, begin) : bisect_left(keys, end)]


def keys_between(writes: Writes, begin: bytes, end: bytes) -> list[bytes]:
    """The keys of a transaction's own writes in the range, in order."""
    return sorted([key for key in writes if begin <= key < end])


def merge(
    rows: Iterable[tuple[bytes, bytes]], covers: list[Cover], limit: int | None, reverse: bool
) -> list[tuple[bytes, bytes]]:
    """The range as it is seen through the layers.

    `rows` are those stored, in the order asked for, and without a limit; no more of them are drawn than
    needed. `covers` lie over them, the topmost first.
    """
    seen: Writes
    last: bytes | None = None
    if limit is None:
        seen = dict(rows)
    else:
        seen = {}
        layers = [writes for writes, _ in covers]
        for key, value in rows:
            for writes in layers:
                if key in writes:
                    break
            else:
                seen[key] = value
                if len(seen) >= limit:  # nothing beyond this key can be among the first `limit`
                    last = key
                    break
    for writes, keys in reversed(covers):
        if last is not None:
            keys = keys[bisect_left(keys, last) :] if reverse else keys[: bisect_right(keys, last)]
        for key in keys:
            seen[key] = writes[key]
    live = [(key, value) for key, value in seen.items() if value is not None]
    live.sort(reverse=reverse)
    if limit is not None:
        del live[limit:]
    return live


def added(covers: list[Cover], stored: Callable[[bytes], bool]) -> int:
    """How many more keys a range has through the layers than are `stored`; less than 0 where they delete."""
    seen: Writes = {}
    for writes, keys in reversed(covers):
        for key in keys:
            seen[key] = writes[key]
    return sum((value is not None) - stored(key) for key, value in seen.items())
