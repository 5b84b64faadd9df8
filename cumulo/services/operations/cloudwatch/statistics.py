"""Statistics by their names: "Average", "p99.9", "TM(2%:98%)", "PR(:300)", "IQM" …

Boundaries in percent cut off that share of the values; those in values leave what is above the lower one, up to the
upper one. A percentile is the least value that so many percent of the values do not exceed. What is computed from the
distribution is not there for periods whose distribution is unknown (statistic sets) or that hold negative values.
Sources: CloudWatch User Guide, "CloudWatch statistics definitions"; API Reference, GetMetricStatistics.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from cumulo.services.operations.cloudwatch.distributions import Distribution

Statistic = Callable[[Distribution], float | None]
Values = list[tuple[float, float]]  # and how often they occurred

SIMPLE: dict[str, Statistic] = {
    "SampleCount": lambda values: values.count,
    "Sum": lambda values: values.total,
    "Average": lambda values: values.total / values.count,
    "Minimum": lambda values: values.low,
    "Maximum": lambda values: values.high,
}

_NUMBER = r"\d+(?:\.\d{1,10})?"
_SHORT = re.compile(rf"(p|tm|wm|tc|ts)({_NUMBER})", re.IGNORECASE)
_RANGE = re.compile(rf"(TM|WM|TC|TS|PR)\((?:({_NUMBER})(%)?)?:(?:({_NUMBER})(%)?)?\)", re.IGNORECASE)


def find(name: str) -> Statistic | None:
    """The statistic of this name, None where there is none."""
    return SIMPLE.get(name) or extended(name)


def extended(name: str) -> Statistic | None:
    """The statistic of this name among those that need to know how the values are distributed."""
    if name.upper() == "IQM":
        return _of_values(lambda values: _mean(_between(values, 25.0, 75.0)))
    short = _SHORT.fullmatch(name)
    if short:
        percent = float(short[2])
        if percent > 100:
            return None
        if short[1].lower() == "p":
            return _of_values(lambda values: _percentile(values, percent))
        return _of_values(_trimmed(short[1].lower(), 0.0, percent, in_percent=True))
    bounds = _RANGE.fullmatch(name)
    return _ranged(bounds) if bounds else None


def _ranged(bounds: re.Match[str]) -> Statistic | None:
    kind, low, low_percent, high, high_percent = bounds.groups()
    if low is None and high is None:
        return None
    in_percent = bool(low_percent or high_percent)
    if (low is not None and bool(low_percent) != in_percent) or (high is not None and bool(high_percent) != in_percent):
        return None
    if in_percent and kind.lower() == "pr":
        return None
    least = float(low) if low is not None else 0.0 if in_percent else -math.inf
    most = float(high) if high is not None else 100.0 if in_percent else math.inf
    if least >= most or (in_percent and most > 100):
        return None
    return _of_values(_trimmed(kind.lower(), least, most, in_percent))


def _of_values(compute: Callable[[Values], float | None]) -> Statistic:
    def statistic(distribution: Distribution) -> float | None:
        values = distribution.ordered()
        return None if values is None or distribution.low < 0 else compute(values)

    return statistic


def _trimmed(kind: str, low: float, high: float, in_percent: bool) -> Callable[[Values], float | None]:
    def kept(values: Values) -> Values:
        if in_percent:
            return _between(values, low, high)
        return [(value, count) for value, count in values if low < value <= high]

    def winsorized(values: Values) -> float | None:
        if in_percent:
            least, most = _percentile(values, low), _percentile(values, high)
        else:
            least, most = low, high
        return _mean([(min(max(value, least), most), count) for value, count in values])

    if kind == "wm":
        return winsorized
    if kind == "tm":
        return lambda values: _mean(kept(values))
    if kind == "tc":
        return lambda values: sum(count for _, count in kept(values))
    if kind == "ts":
        return lambda values: math.fsum(value * count for value, count in kept(values))
    return lambda values: 100.0 * sum(count for _, count in kept(values)) / sum(count for _, count in values)


def _percentile(values: Values, percent: float) -> float:
    """The least value that `percent` of all do not exceed."""
    wanted = sum(count for _, count in values) * percent / 100.0
    seen = 0.0
    for value, count in values:
        seen += count
        if seen >= wanted - 1e-9 * max(1.0, wanted):
            return value
    return values[-1][0]


def _between(values: Values, low: float, high: float) -> Values:
    """The values without those below `low` percent of all and those above `high` percent."""
    total = sum(count for _, count in values)
    begin, end = total * low / 100.0, total * high / 100.0
    kept: Values = []
    seen = 0.0
    for value, count in values:
        share = min(seen + count, end) - max(seen, begin)
        seen += count
        if share > 1e-9 * total:
            kept.append((value, share))
    return kept


def _mean(values: Values) -> float | None:
    total = sum(count for _, count in values)
    return math.fsum(value * count for value, count in values) / total if total else None
