"""The functions, by their names, with how many arguments they take.

Where AWS's guide is silent: the standard deviation is that of the whole population; MIN, MAX and STDDEV of an array
look at the series that have a value at a time; FILL, TIME_SERIES and the functions of time cover every period from
the start of the request to its end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from statistics import pstdev

from cumulo.services.operations.cloudwatch.metric_math.values import (
    ExpressionError,
    Points,
    Scope,
    Series,
    Text,
    Value,
    Word,
    array,
    each,
    grid,
    number,
)

Function = Callable[[Scope, list[Value]], Value]

# Functions of CloudWatch's that need what is not here: trained models, quotas, data sources beyond CloudWatch.
UNSUPPORTED = frozenset(("ANOMALY_DETECTION_BAND", "SERVICE_QUOTA", "DB_PERF_INSIGHTS", "LAMBDA"))


def _reduced(name: str, whole: Callable[[list[float]], float], across: Callable[[list[float], int], float]) -> Function:
    """A function that makes one number of a series, and one series of an array."""

    def reduce(scope: Scope, arguments: list[Value]) -> Value:
        value = arguments[0]
        if isinstance(value, Series):
            return float(whole(value.values())) if value.points else 0.0
        members = array(value, name)
        times = set().union(*(series.points.keys() for series in members))
        points = {
            at: float(across([series.points[at] for series in members if at in series.points], len(members)))
            for at in times
        }
        period = max((series.period for series in members), default=scope.period)
        return Series(points, period, name)

    return reduce


def _mapped(name: str, compute: Callable[[float], float]) -> Function:
    def change(series: Series) -> Points:
        points: Points = {}
        for at, value in series.points.items():
            try:
                points[at] = float(compute(value))
            except ValueError:  # the logarithm of what has none
                continue
        return points

    return lambda scope, arguments: each(arguments[0], change, name)


def _stepped(name: str, compute: Callable[[int, float, int, float], float]) -> Function:
    """A function of each value and the one before: time, value, time before, value before."""

    def change(series: Series) -> Points:
        times = sorted(series.points)
        return {at: compute(at, series.points[at], before, series.points[before]) for before, at in pairwise(times)}

    return lambda scope, arguments: each(arguments[0], change, name)


def _running_sum(series: Series) -> Points:
    total, points = 0.0, {}
    for at in sorted(series.points):
        total += series.points[at]
        points[at] = total
    return points


def _of_time(name: str, compute: Callable[[datetime], float]) -> Function:
    def function(scope: Scope, arguments: list[Value]) -> Value:
        series = arguments[0]
        if not isinstance(series, Series):
            raise ExpressionError(f"{name} takes a time series")
        times = grid(scope, series.period)
        return series.with_points({at: compute(datetime.fromtimestamp(at, UTC)) for at in times})

    return function


def _fill(scope: Scope, arguments: list[Value]) -> Value:
    filler = arguments[1]

    def change(series: Series) -> Points:
        times = list(grid(scope, series.period))
        known = sorted(series.points)
        points = dict(series.points)
        for at in times:
            if at in points:
                continue
            value = _filled(series, known, at, filler)
            if value is not None:
                points[at] = value
        return points

    return each(arguments[0], change, "FILL")


def _filled(series: Series, known: list[int], at: int, filler: Value) -> float | None:
    if isinstance(filler, float):
        return filler
    if isinstance(filler, Series):
        return filler.points.get(at)
    before = [time for time in known if time < at]
    if filler == "REPEAT":
        return series.points[before[-1]] if before else None
    if filler != "LINEAR" or not isinstance(filler, Word):
        raise ExpressionError("FILL takes a number, a time series, REPEAT or LINEAR")
    after = [time for time in known if time > at]
    if not before or not after:
        return None
    first, last = before[-1], after[0]
    share = (at - first) / (last - first)
    return series.points[first] + share * (series.points[last] - series.points[first])


def _sort(scope: Scope, arguments: list[Value]) -> Value:
    members, by, order = array(arguments[0], "SORT"), arguments[1], arguments[2]
    if by not in ("AVG", "MIN", "MAX", "SUM") or order not in ("ASC", "DESC"):
        raise ExpressionError("SORT takes AVG, MIN, MAX or SUM, and ASC or DESC")
    reduce = FUNCTIONS[str(by)][0]
    ordered = sorted(members, key=lambda series: number(reduce(scope, [series]), "SORT"), reverse=order == "DESC")
    return ordered[: int(number(arguments[3], "SORT"))] if len(arguments) > 3 else ordered


def _slice(scope: Scope, arguments: list[Value]) -> Value:
    members = array(arguments[0], "SLICE")
    start = int(number(arguments[1], "SLICE"))
    end = int(number(arguments[2], "SLICE")) if len(arguments) > 2 else len(members)
    return members[start:end]


def _one(place: int) -> Function:
    def function(scope: Scope, arguments: list[Value]) -> Value:
        members = array(arguments[0], "FIRST" if place == 0 else "LAST")
        if not members:
            return Series({}, scope.period)
        return members[place]

    return function


def _metrics(scope: Scope, arguments: list[Value]) -> Value:
    if arguments and not isinstance(arguments[0], Text):
        raise ExpressionError("METRICS takes a text")
    return scope.metrics(str(arguments[0]) if arguments else "")


def _period(scope: Scope, arguments: list[Value]) -> Value:
    series = arguments[0]
    if not isinstance(series, Series) or not series.is_metric:
        raise ExpressionError("PERIOD takes a metric")
    return float(series.period)


def _time_series(scope: Scope, arguments: list[Value]) -> Value:
    value = number(arguments[0], "TIME_SERIES")
    return Series(dict.fromkeys(grid(scope, scope.period), value), scope.period)


def _search(scope: Scope, arguments: list[Value]) -> Value:
    text, statistic = arguments[0], arguments[1]
    if not isinstance(text, Text) or not isinstance(statistic, Text):
        raise ExpressionError("SEARCH takes a search and a statistic, both quoted")
    period = int(number(arguments[2], "SEARCH")) if len(arguments) > 2 else scope.period
    return scope.search(str(text), str(statistic), period)


def _rule_metric(scope: Scope, arguments: list[Value]) -> Value:
    rule, metric = arguments
    if not isinstance(rule, Text) or not isinstance(metric, Text):
        raise ExpressionError("INSIGHT_RULE_METRIC takes the name of a rule and of a metric, both quoted")
    return scope.rule_metric(str(rule), str(metric))


FUNCTIONS: dict[str, tuple[Function, int, int]] = {
    "SUM": (_reduced("SUM", math.fsum, lambda values, members: math.fsum(values)), 1, 1),
    "AVG": (
        _reduced(
            "AVG", lambda values: math.fsum(values) / len(values), lambda values, members: math.fsum(values) / members
        ),
        1,
        1,
    ),
    "MIN": (_reduced("MIN", min, lambda values, members: min(values)), 1, 1),
    "MAX": (_reduced("MAX", max, lambda values, members: max(values)), 1, 1),
    "STDDEV": (_reduced("STDDEV", pstdev, lambda values, members: pstdev(values)), 1, 1),
    "DATAPOINT_COUNT": (_reduced("DATAPOINT_COUNT", len, lambda values, members: len(values)), 1, 1),
    "METRIC_COUNT": (lambda scope, arguments: float(len(array(arguments[0], "METRIC_COUNT"))), 1, 1),
    "METRICS": (_metrics, 0, 1),
    "ABS": (_mapped("ABS", abs), 1, 1),
    "CEIL": (_mapped("CEIL", math.ceil), 1, 1),
    "FLOOR": (_mapped("FLOOR", math.floor), 1, 1),
    "LOG": (_mapped("LOG", math.log), 1, 1),
    "LOG10": (_mapped("LOG10", math.log10), 1, 1),
    "DIFF": (_stepped("DIFF", lambda at, value, before, previous: value - previous), 1, 1),
    "DIFF_TIME": (_stepped("DIFF_TIME", lambda at, value, before, previous: float(at - before)), 1, 1),
    "RATE": (_stepped("RATE", lambda at, value, before, previous: (value - previous) / (at - before)), 1, 1),
    "RUNNING_SUM": (lambda scope, arguments: each(arguments[0], _running_sum, "RUNNING_SUM"), 1, 1),
    "FILL": (_fill, 2, 2),
    "FIRST": (_one(0), 1, 1),
    "LAST": (_one(-1), 1, 1),
    "SORT": (_sort, 3, 4),
    "SLICE": (_slice, 2, 3),
    "REMOVE_EMPTY": (lambda scope, arguments: [s for s in array(arguments[0], "REMOVE_EMPTY") if s.points], 1, 1),
    "PERIOD": (_period, 1, 1),
    "TIME_SERIES": (_time_series, 1, 1),
    "MINUTE": (_of_time("MINUTE", lambda time: float(time.minute)), 1, 1),
    "HOUR": (_of_time("HOUR", lambda time: float(time.hour)), 1, 1),
    "DAY": (_of_time("DAY", lambda time: float(time.isoweekday())), 1, 1),
    "DATE": (_of_time("DATE", lambda time: float(time.day)), 1, 1),
    "MONTH": (_of_time("MONTH", lambda time: float(time.month)), 1, 1),
    "YEAR": (_of_time("YEAR", lambda time: float(time.year)), 1, 1),
    "EPOCH": (_of_time("EPOCH", lambda time: time.timestamp()), 1, 1),
    "SEARCH": (_search, 2, 3),
    "INSIGHT_RULE_METRIC": (_rule_metric, 2, 2),
}
