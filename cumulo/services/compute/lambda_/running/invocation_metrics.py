"""Lambda's own metrics: gathered in memory, given to CloudWatch each minute of cloud time, in the way of no answer.

A crash loses the figures of the last minute. Source: Lambda Developer Guide, "Types of metrics for Lambda functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.core.errors import Fault

if TYPE_CHECKING:
    from cumulo.core.clock import Timer
    from cumulo.core.runtime import Runtime
    from cumulo.services.compute.lambda_.stored.qualifiers import Target

NAMESPACE = "AWS/Lambda"
MINUTE_S = 60
VALUES = 150  # in one datum
DATA = 500  # in one call
_KEY = "lambda.figures"

MILLISECONDS = frozenset(("Duration", "AsyncEventAge", "UrlRequestLatency"))
# An account's concurrency is no sum of its functions' figures; URLs are counted for each function alone.
ONLY_OF_FUNCTIONS = frozenset(
    ("ConcurrentExecutions", "UrlRequestCount", "Url4xxCount", "Url5xxCount", "UrlRequestLatency")
)


class Source(NamedTuple):
    """What figures are of: without a name, of the account.

    `resource` is what was invoked, "greeter:live"; `executed` the version behind an alias.
    """

    account: str
    region: str
    name: str
    resource: str
    executed: str = ""

    def dimensions(self) -> list[list[dict[str, str]]]:
        """Every set of dimensions under which the figures are kept."""
        if not self.name:
            return [[]]
        function = {"Name": "FunctionName", "Value": self.name}
        resource = {"Name": "Resource", "Value": self.resource}
        found = [[], [function], [function, resource]]
        if self.executed:
            found.append([{"Name": "ExecutedVersion", "Value": self.executed}, function, resource])
        return found


def source_of(target: Target) -> Source:
    """What an invocation counts for."""
    function = target.function
    resource = target.arn.split(":", 6)[6]
    executed = target.version.version if target.alias is not None else ""
    return Source(function.account, function.region, function.name, resource, executed)


def of(runtime: Runtime) -> Figures:
    """The figures of this process."""
    found: Figures | None = runtime.memory.get(_KEY)
    if found is None:
        found = runtime.memory[_KEY] = Figures(runtime)
    return found


class Figures:
    """What has happened since the minute began."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._values: dict[Source, dict[str, dict[float, int]]] = {}
        self._minute = 0
        self._timer: Timer | None = None
        self._there = "cloudwatch" in runtime.registry.names
        runtime.on_close.append(self.close)

    def add(self, source: Source, metric: str, value: float = 1.0) -> None:
        """Count one value of a metric."""
        if not self._there:
            return
        if self._timer is None:
            self._begin()
        metrics = self._values.get(source)
        if metrics is None:
            metrics = self._values[source] = {}
        values = metrics.get(metric)
        if values is None:
            values = metrics[metric] = {}
        values[value] = values.get(value, 0) + 1

    def _begin(self) -> None:
        self._minute = int(self._runtime.clock.now()) // MINUTE_S * MINUTE_S
        self._timer = self._runtime.clock.call_at(self._minute + MINUTE_S, self._end)

    def _end(self) -> None:
        self._timer = None
        self._runtime.spawn(self.flush())

    def concurrency(self, source: Source, of_function: int, of_account: int, unreserved: int) -> None:
        """What runs on demand at this moment."""
        self.add(source, "ConcurrentExecutions", of_function)
        account = Source(source.account, source.region, "", "")
        self.add(account, "ConcurrentExecutions", of_account)
        self.add(account, "UnreservedConcurrentExecutions", unreserved)

    async def flush(self) -> None:
        """Give CloudWatch what there is."""
        values, self._values = self._values, {}
        minute = self._minute
        accounts: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for source, metrics in values.items():
            accounts.setdefault((source.account, source.region), []).extend(_data(source, metrics, minute))
        for (account, region), data in accounts.items():
            ctx = self._runtime.internal_context("lambda", "PutMetricData", account, region)
            for at in range(0, len(data), DATA):
                request = {"Namespace": NAMESPACE, "MetricData": data[at : at + DATA]}
                try:
                    await ctx.transact(
                        lambda ctx, request=request: ctx.call("cloudwatch", "PutMetricData", request, internal=True)  # type: ignore[misc]
                    )
                except Fault as fault:  # older than two weeks, after a jump of the cloud's time
                    self._runtime.logger("lambda").warning("the metrics of a minute are lost: %s", fault)

    async def close(self) -> None:
        """Give away the rest."""
        if self._timer is not None:
            self._timer.cancel()
        if self._values:
            await self.flush()


def _data(source: Source, metrics: dict[str, dict[float, int]], minute: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for metric, counts in metrics.items():
        values = list(counts)
        for dimensions in source.dimensions():
            if metric in ONLY_OF_FUNCTIONS and source.name and not dimensions:
                continue
            for at in range(0, len(values), VALUES):
                some = values[at : at + VALUES]
                found.append(
                    {
                        "MetricName": metric,
                        "Dimensions": dimensions,
                        "Timestamp": float(minute),
                        "Values": some,
                        "Counts": [float(counts[value]) for value in some],
                        "Unit": "Milliseconds" if metric in MILLISECONDS else "Count",
                    }
                )
    return found
