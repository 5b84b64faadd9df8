"""What is kept of the values of a period: their number, sum and extremes, and how they are distributed.

Up to 400 different values are kept as they are, so percentiles are exact. More are gathered in bins whose width grows
with the value: at first a bin's middle is within 0.5 % of its values, and each time that 400 bins do not suffice
two neighbours become one, which doubles that (0.5 % hold for values within a factor of 50 of each other, 1 % within
2,500, 2 % within six millions). Merging distributions loses no more than that.

Source of the method: Epicoco et al., "UDDSketch: Accurate Tracking of Quantiles in Data Streams", 2020.
"""

from __future__ import annotations

import math

from cumulo.core.table import Record

MAXIMUM_BINS = 400
_RATIO = math.log(1.01)


class Distribution(Record):
    """Values of one period. `opaque` counts those of statistic sets, of which only the sum and extremes are known."""

    count: float
    total: float
    low: float
    high: float
    opaque: float = 0.0
    grain: int = 0  # 0: `bins` are the values; n: bins of ratio 1.01 ** 2 ** (n - 1)
    bins: dict[float, float] = {}  # the middle of a bin, and how many values are in it

    def add(self, value: float, count: float) -> None:
        """Take in a value that occurred so often."""
        self.count += count
        self.total += value * count
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        bins = self.bins
        place = _middle(value, self.grain) if self.grain else value
        bins[place] = bins.get(place, 0.0) + count
        if len(bins) > MAXIMUM_BINS:
            self._coarsen(self.grain + 1)

    def add_statistics(self, count: float, total: float, low: float, high: float) -> None:
        """Take in a statistic set. One whose values must all be the same says how they are distributed."""
        if low == high and total == low * count:
            self.add(low, count)
            return
        self.count += count
        self.total += total
        self.low = min(self.low, low)
        self.high = max(self.high, high)
        self.opaque += count

    def merge(self, other: Distribution) -> None:
        """Take in all of another one."""
        self.count += other.count
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.opaque += other.opaque
        if other.grain > self.grain:
            self._coarsen(other.grain)
        bins, grain = self.bins, self.grain
        for value, count in other.bins.items():
            place = _middle(value, grain) if grain else value
            bins[place] = bins.get(place, 0.0) + count
        if len(bins) > MAXIMUM_BINS:
            self._coarsen(self.grain + 1)

    def _coarsen(self, grain: int) -> None:
        """Gather the values in wider bins, as wide as it takes."""
        while True:
            bins: dict[float, float] = {}
            for value, count in self.bins.items():
                place = _middle(value, grain)
                bins[place] = bins.get(place, 0.0) + count
            self.grain, self.bins = grain, bins
            if len(bins) <= MAXIMUM_BINS:
                return
            grain += 1

    def ordered(self) -> list[tuple[float, float]] | None:
        """The values and how often they occurred, the least first; None where that is not known."""
        if self.opaque or self.count <= 0:
            return None
        low, high = self.low, self.high
        return [(min(max(value, low), high), count) for value, count in sorted(self.bins.items())]


def empty() -> Distribution:
    """Of no values."""
    return Distribution(0.0, 0.0, math.inf, -math.inf, bins={})


def _middle(value: float, grain: int) -> float:
    """What stands for a value among those of its bin. Middles of narrower bins stay within their wider bin."""
    size = abs(value)
    if size == 0.0:
        return 0.0
    width = _RATIO * (1 << (grain - 1))
    place = math.ceil(math.log(size) / width - 1e-9)
    upper = math.exp(place * width)
    return math.copysign(2.0 * upper / (math.exp(width) + 1.0), value)
