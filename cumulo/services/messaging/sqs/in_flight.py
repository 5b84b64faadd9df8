"""The limit on messages in flight, kept without a counter that every receiver would have to write.

Source: Amazon SQS Developer Guide, "Amazon SQS message quotas": approximately 120,000 for a queue. A standard
queue then answers OverLimit, a FIFO queue gives out nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.store.transaction import Transaction

LIMIT = 120_000
_QUEUES = 4096
_PAGE = 1000


def length(txn: Transaction, begin: bytes, end: bytes) -> int:
    """How many keys there are, begin <= key < end."""
    total = 0
    while True:
        found = txn.range(begin, end, limit=_PAGE)
        total += len(found)
        if len(found) < _PAGE:
            return total
        begin = found[-1][0] + b"\x00"


class InFlight:
    """This process's upper bounds; each is counted anew when it comes near the limit.

    What is given out here is added, what is deleted here taken off; time only makes messages visible again,
    so the bound is never too low for what this process did. Other nodes' deliveries show at the next count.
    """

    __slots__ = ("_bounds",)

    def __init__(self) -> None:
        self._bounds: dict[bytes, int] = {}

    def room(self, txn: Transaction, prefix: bytes, now_us: int, wanted: int) -> int:
        """How many of `wanted` messages may be given out; `prefix` begins the keys that end in a time and a serial."""
        bound = self._bounds.get(prefix)
        if bound is None or bound + wanted > LIMIT:
            if len(self._bounds) >= _QUEUES:
                self._bounds.clear()
            bound = length(txn, prefix + (now_us + 1).to_bytes(8, "big"), prefix + b"\xff")
            self._bounds[prefix] = bound
        return min(wanted, LIMIT - bound)

    def add(self, prefix: bytes, count: int) -> None:
        """Note that so many more (or fewer) are in flight."""
        if count and prefix in self._bounds:
            self._bounds[prefix] = max(0, self._bounds[prefix] + count)


IN_FLIGHT = InFlight()
