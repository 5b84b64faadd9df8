"""The limit on messages in flight, kept without a counter that every receiver would have to write.

Source: Amazon SQS Developer Guide, "Amazon SQS message quotas": approximately 120,000 for a queue. A standard
queue then answers OverLimit, a FIFO queue gives out nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 120_000
_QUEUES = 4096


class InFlight:
    """This process's upper bounds; each is counted anew when it comes near the limit.

    What is given out here is added, what is deleted here taken off; time only makes messages visible again,
    so the bound is never too low for what this process did. Other nodes' deliveries show at the next count.
    """

    __slots__ = ("_bounds",)

    def __init__(self) -> None:
        self._bounds: dict[bytes, int] = {}

    def room(self, place: bytes, wanted: int, measure: Callable[[], int]) -> int:
        """How many of `wanted` messages of the queue at `place` may be given out; `measure` counts those in flight."""
        bound = self._bounds.get(place)
        if bound is None or bound + wanted > LIMIT:
            if len(self._bounds) >= _QUEUES:
                self._bounds.clear()
            bound = self._bounds[place] = measure()
        return min(wanted, LIMIT - bound)

    def add(self, place: bytes, count: int) -> None:
        """Note that so many more (or fewer) are in flight."""
        if count and place in self._bounds:
            self._bounds[place] = max(0, self._bounds[place] + count)


IN_FLIGHT = InFlight()
