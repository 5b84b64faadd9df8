"""What rules say: contributors ranked, and a point for every period.

Periods lie on the clock, so a report begins with the period that its start falls into. Seen from AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cumulo.core.monitoring.insight_rules import ContributionMinute, Keys


class Period:
    """All that came in one period."""

    __slots__ = ("contributors", "count", "high", "low", "others", "total")

    def __init__(self) -> None:
        self.contributors: dict[Keys, list[float]] = {}  # their sums, and their largest values
        self.count = self.total = self.low = self.high = 0.0
        self.others = 0

    def add(self, keys: Keys, total: float, count: float, low: float, high: float) -> None:
        """Take in values of one contributor."""
        known = self.contributors.get(keys)
        if known is None:
            self.contributors[keys] = [total, high]
        else:
            known[0] += total
            known[1] = max(known[1], high)
        self.low = min(self.low, low) if self.count else low
        self.high = max(self.high, high) if self.count else high
        self.count += count
        self.total += total

    def add_minute(self, minute: ContributionMinute) -> None:
        """Take in what a service told of a minute."""
        for one in minute.contributors:
            known = self.contributors.setdefault(one.keys, [0.0, one.high])
            known[0] += one.total
            known[1] = max(known[1], one.high)
        if minute.samples:
            self.low = min(self.low, minute.low) if self.count else minute.low
            self.high = max(self.high, minute.high) if self.count else minute.high
        self.count += minute.samples
        self.total += minute.total
        self.others = max(self.others, minute.others)


METRICS: dict[str, Callable[[Period], float]] = {
    "UniqueContributors": lambda period: float(len(period.contributors) + period.others),
    "MaxContributorValue": lambda period: max((value for value, _ in period.contributors.values()), default=0.0),
    "SampleCount": lambda period: period.count,
    "Sum": lambda period: period.total,
    "Minimum": lambda period: period.low,
    "Maximum": lambda period: period.high,
    "Average": lambda period: period.total / period.count if period.count else 0.0,
}


class Report:
    """The periods of a report from `start` to `end`, both in seconds, the end included if it begins a period."""

    __slots__ = ("_period_s", "periods")

    def __init__(self, start: float, end: float, period_s: int) -> None:
        self._period_s = period_s
        first = int(start // period_s) * period_s
        self.periods: dict[int, Period] = {at: Period() for at in range(first, int(end) + 1, period_s)}

    def at(self, time: float) -> Period | None:
        """The period of a moment, None outside the report."""
        return self.periods.get(int(time // self._period_s) * self._period_s)

    def ranked(self, by: str, limit: int) -> list[tuple[Keys, float, list[tuple[int, float]]]]:
        """The first contributors by "Sum" or by "Maximum", with what each gave when."""
        place = 0 if by == "Sum" else 1
        given: dict[Keys, list[tuple[int, float]]] = {}
        for at, period in self.periods.items():
            for keys, values in period.contributors.items():
                given.setdefault(keys, []).append((at, values[place]))
        merge = sum if by == "Sum" else max
        ranked = [(keys, float(merge(value for _, value in points)), points) for keys, points in given.items()]
        ranked.sort(key=lambda one: (-one[1], one[0]))
        return ranked[:limit]

    def unique(self) -> int:
        """How many contributors there were."""
        keys = set().union(*(period.contributors for period in self.periods.values()))
        return len(keys) + max((period.others for period in self.periods.values()), default=0)

    def total(self) -> float:
        """The sum of all values."""
        return float(sum(period.total for period in self.periods.values()))

    def series(self, metric: str) -> Iterable[tuple[int, float]]:
        """A metric of every period."""
        compute = METRICS[metric]
        return ((at, compute(period)) for at, period in self.periods.items())
