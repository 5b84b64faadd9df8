"""GetMetricStatistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.operations.cloudwatch import points, statistics
from cumulo.services.operations.cloudwatch.errors import (
    BOTH,
    INVALID_COMBINATION,
    INVALID_VALUE,
    NEITHER,
    TIMES_EQUAL,
    TIMES_REVERSED,
    TOO_MANY_POINTS,
)
from cumulo.services.operations.cloudwatch.metrics import dimensions_of, id_of
from cumulo.services.operations.cloudwatch.time_ranges import end_of, is_period, start_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import cloudwatch as t

MAXIMUM_POINTS = 1440


@operation
def get_metric_statistics(ctx: Context, request: t.GetMetricStatisticsInput) -> t.GetMetricStatisticsOutput:
    """Statistics of one metric, of each unit that data was put with, by period from the start on."""
    _check(request)
    period = request["Period"]
    start, end = start_of(request["StartTime"], period, ctx.now()), end_of(request["EndTime"])
    count = -(-(end - start) // period)
    if count > MAXIMUM_POINTS:
        raise INVALID_COMBINATION(TOO_MANY_POINTS.format(count=count))
    name = request["MetricName"]
    metric_id = id_of(request["Namespace"], name, dimensions_of(request.get("Dimensions") or ()))
    simple, extended = request.get("Statistics") or [], request.get("ExtendedStatistics") or []
    datapoints: list[Any] = []
    for unit, periods in points.read(ctx, metric_id, start, end, period, request.get("Unit")).items():
        for at, values in sorted(periods.items()):
            found = {wanted: statistics.SIMPLE[wanted](values) for wanted in simple}
            computed = [(wanted, statistics.extended(wanted)) for wanted in extended]
            more = {wanted: compute(values) for wanted, compute in computed if compute is not None}
            known = {wanted: value for wanted, value in more.items() if value is not None}
            if found or known:
                point = {"Timestamp": float(at), **found, "Unit": unit}
                datapoints.append({**point, "ExtendedStatistics": known} if known else point)
    return {"Label": name, "Datapoints": datapoints}


def _check(request: t.GetMetricStatisticsInput) -> None:
    simple, extended = request.get("Statistics"), request.get("ExtendedStatistics")
    if not simple and not extended:
        raise INVALID_COMBINATION(NEITHER.format(one="Statistics", other="ExtendedStatistics"))
    if simple and extended:
        raise INVALID_COMBINATION(BOTH.format(one="Statistics", other="ExtendedStatistics"))
    for number, name in enumerate(extended or (), 1):
        if statistics.extended(name) is None:
            raise INVALID_VALUE(value=name, name=f"ExtendedStatistics.member.{number}")
    if request["StartTime"] == request["EndTime"]:
        raise INVALID_VALUE(TIMES_EQUAL)
    if request["StartTime"] > request["EndTime"]:
        raise INVALID_VALUE(TIMES_REVERSED)
    if not is_period(request["Period"]):
        raise INVALID_VALUE(value=request["Period"], name="Period")
