"""How far a shard is done, where several of its batches are under way at once. Pure."""

from __future__ import annotations

from collections import deque


class ShardProgress:
    """The changes that were read and are not done: all before the first of these is done."""

    __slots__ = ("_done", "_waiting", "after")

    def __init__(self, after: str = "") -> None:
        self.after = after  # the last sequence number before which nothing is left
        self._waiting: deque[tuple[int, str]] = deque()
        self._done: set[int] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    def read(self, order: int, number: str) -> None:
        """A change was read, after all that were read before."""
        self._waiting.append((order, number))

    def done(self, orders: list[int]) -> bool:
        """These changes are done; whether `after` moved."""
        self._done.update(orders)
        moved = False
        while self._waiting and self._waiting[0][0] in self._done:
            order, self.after = self._waiting.popleft()
            self._done.discard(order)
            moved = True
        return moved
