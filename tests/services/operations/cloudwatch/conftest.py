"""CloudWatch of a fresh account, in each protocol that clients speak."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests import refusals
from tests.conftest import Account

MINUTE = 60
Put = Callable[..., None]


@pytest.fixture
def cloudwatch(cloud: Account) -> Any:
    return cloud.client("cloudwatch")


@pytest.fixture
def now(cloud: Account) -> int:
    """The present minute of cloud time."""
    return int(cloud.running.clock.now()) // MINUTE * MINUTE


refused = partial(refusals.refused, status=None)


def statistics(client: Any, start: int, end: int, period: int = MINUTE, **options: Any) -> list[dict[str, Any]]:
    """All simple statistics of App/Latency in the order of time."""
    options.setdefault("Namespace", "App")
    options.setdefault("MetricName", "Latency")
    if "ExtendedStatistics" not in options:
        options.setdefault("Statistics", ["SampleCount", "Sum", "Average", "Minimum", "Maximum"])
    answer = client.get_metric_statistics(StartTime=start, EndTime=end, Period=period, **options)
    points = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    return [{**point, "Timestamp": int(point["Timestamp"].timestamp())} for point in points]
