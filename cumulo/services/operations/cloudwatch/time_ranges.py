"""From when to when statistics are asked for, as CloudWatch takes it."""

from __future__ import annotations

import math

from cumulo.services.operations.cloudwatch.points import DAY_S

PERIODS_BELOW_A_MINUTE = (1, 5, 10, 20, 30)


def start_of(start: float, period: int, now: float) -> int:
    """The start, rounded down as its age and the period say. Source: API Reference, GetMetricStatistics."""
    age = now - start
    if period in PERIODS_BELOW_A_MINUTE:
        return int(start // period) * period
    step = 60 if age < 15 * DAY_S else 300 if age < 63 * DAY_S else 3600
    return int(start // step) * step


def end_of(end: float) -> int:
    """The end, which is not included, in whole seconds."""
    return math.ceil(end)


def is_period(period: int) -> bool:
    """Whether statistics come in periods of so many seconds."""
    return period in PERIODS_BELOW_A_MINUTE or (period > 0 and period % 60 == 0)
