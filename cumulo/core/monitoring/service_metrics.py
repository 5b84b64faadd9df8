"""The metrics that services publish of themselves: counted in memory, given to CloudWatch a minute later.

A service keeps a `Series` for each metric and adds values to it, which costs a fraction of a microsecond; nothing is
written while a call is answered. What was counted in the last minute is lost when the process is killed.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault

if TYPE_CHECKING:
    from cumulo.core.clock import Timer
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime

MINUTE_S = 60
VALUES = 150  # in one datum of PutMetricData
DATA = 500  # in one PutMetricData

_KEY = "service.metrics"


class Series:
    """The values of one metric since they were last given away."""

    __slots__ = ("_metrics", "dimensions", "name", "namespace", "owner", "unit", "values")

    def __init__(
        self, metrics: ServiceMetrics, owner: tuple[str, str], namespace: str, name: str, unit: str, dimensions: Any
    ) -> None:
        self._metrics = metrics
        self.owner = owner
        self.namespace = namespace
        self.name = name
        self.unit = unit
        self.dimensions = dimensions
        self.values: dict[float, float] = {}

    def add(self, value: float, count: float = 1.0) -> None:
        """Count a value, or several of the same."""
        values = self.values
        if not values:
            self._metrics.began(self)
        values[value] = values.get(value, 0.0) + count


class ServiceMetrics:
    """The series of this process that have values."""

    __slots__ = ("_fresh", "_minute", "_runtime", "_there", "_timer")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._fresh: list[Series] = []
        self._minute = 0
        self._timer: Timer | None = None
        self._there = "cloudwatch" in runtime.registry.names
        runtime.on_close.append(self.close)

    def series(
        self, account: str, region: str, namespace: str, name: str, unit: str, dimensions: dict[str, str]
    ) -> Series:
        """A series to add values to, for as long as somebody holds it."""
        pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        return Series(self, (account, region), namespace, name, unit, pairs)

    def began(self, series: Series) -> None:
        """Remember a series that gets its first value; from any thread."""
        if not self._fresh:
            self._minute = int(self._runtime.clock.now()) // MINUTE_S * MINUTE_S
            self._runtime.store.loop.call_soon_threadsafe(self._wait)
        self._fresh.append(series)

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self._runtime.clock.call_at(self._minute + MINUTE_S, self._end)

    def _end(self) -> None:
        self._timer = None
        self._runtime.spawn(self.give())

    async def give(self) -> None:
        """Give CloudWatch what was counted."""
        fresh, self._fresh = self._fresh, []
        minute = float(self._minute)
        requests: dict[tuple[tuple[str, str], str], list[dict[str, Any]]] = {}
        for series in fresh:
            values, series.values = series.values, {}
            requests.setdefault((series.owner, series.namespace), []).extend(_data(series, values, minute))
        if not self._there:
            return
        puts = [
            (owner, {"Namespace": namespace, "MetricData": data[at : at + DATA]})
            for (owner, namespace), data in requests.items()
            for at in range(0, len(data), DATA)
        ]
        if puts:
            ctx = self._runtime.internal_context("cloudwatch", "give", "", "")
            await ctx.transact(partial(self._put, puts=puts))

    def _put(self, ctx: Context, puts: list[tuple[tuple[str, str], dict[str, Any]]]) -> None:
        for (account, region), request in puts:
            try:
                ctx.call("cloudwatch", "PutMetricData", request, internal=True, account=account, region=region)
            except Fault as fault:  # older than two weeks, after a jump of the cloud's time
                self._runtime.logger("cloudwatch").warning("a minute of %s is lost: %s", request["Namespace"], fault)

    async def close(self) -> None:
        """Give away the rest."""
        if self._timer is not None:
            self._timer.cancel()
        if self._fresh:
            await self.give()


def _data(series: Series, counted: dict[float, float], minute: float) -> list[dict[str, Any]]:
    values = list(counted)
    return [
        {
            "MetricName": series.name,
            "Dimensions": series.dimensions,
            "Timestamp": minute,
            "Unit": series.unit,
            "Values": values[at : at + VALUES],
            "Counts": [counted[value] for value in values[at : at + VALUES]],
        }
        for at in range(0, len(values), VALUES)
    ]


def of(runtime: Runtime) -> ServiceMetrics:
    """The metrics of this process."""
    found: ServiceMetrics | None = runtime.memory.get(_KEY)
    if found is None:
        found = runtime.memory[_KEY] = ServiceMetrics(runtime)
    return found
