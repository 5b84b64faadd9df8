"""GetMetricData: metrics and what is computed from them, in pages."""

from __future__ import annotations

import hashlib
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.errors import not_implemented
from cumulo.core.operation import Wait, operation
from cumulo.services.operations.cloudwatch import data_queries, labels
from cumulo.services.operations.cloudwatch.data_queries import Evaluation, Query, ReportMissing, Reports, wrong
from cumulo.services.operations.cloudwatch.errors import (
    INVALID_NEXT_TOKEN,
    TIMES_EQUAL,
    TIMES_REVERSED,
    VALIDATION_ERROR,
)
from cumulo.services.operations.cloudwatch.insight_rule_reports import definition_of, fill
from cumulo.services.operations.cloudwatch.insight_rules import find
from cumulo.services.operations.cloudwatch.metric_math.values import ExpressionError, Series
from cumulo.services.operations.cloudwatch.rule_reports import Report

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import cloudwatch as t

MAXIMUM_POINTS = 100_800

Result = dict[str, Any]


@operation
def get_metric_data(ctx: Context, request: t.GetMetricDataInput) -> t.GetMetricDataOutput:
    """The data of up to 500 queries: metrics, metric math, searches and Metrics Insights."""
    try:
        return _answer(ctx, request, {})
    except ReportMissing:
        raise Wait(_with_reports) from None


async def _with_reports(ctx: Context) -> t.GetMetricDataOutput:
    """The answer where expressions need reports of Contributor Insights rules: each is waited for."""
    request: Any = ctx.request
    reports: Reports = {}
    while True:
        try:
            return await ctx.transact(lambda ctx: _answer(ctx, request, reports))
        except ReportMissing as missing:
            rule = await ctx.transact(partial(find, name=missing.rule, action="cloudwatch:GetInsightRuleReport"))
            report = Report(missing.start, missing.end - 1, missing.period)
            await fill(ctx, rule, definition_of(rule), report, missing.start, missing.end)
            reports[missing.key] = report


def _answer(ctx: Context, request: t.GetMetricDataInput, reports: Reports) -> t.GetMetricDataOutput:
    queries: list[Any] = request["MetricDataQueries"]
    data_queries.check(queries)
    if request["StartTime"] == request["EndTime"]:
        raise VALIDATION_ERROR(f"{TIMES_EQUAL}\n")
    if request["StartTime"] > request["EndTime"]:
        raise VALIDATION_ERROR(f"{TIMES_REVERSED}\n")
    for query in queries:
        if query.get("AccountId") not in (None, ctx.account):
            raise not_implemented("cloudwatch", "GetMetricData", "MetricDataQueries.AccountId of another account")
    evaluation = Evaluation(ctx, queries, request["StartTime"], request["EndTime"], reports)
    evaluation.parse()
    results: list[Result] = []
    for query in queries:
        if query.get("ReturnData") is not False:
            results += _results(ctx, request, queries, query, evaluation)
    descending = request.get("ScanBy") != "TimestampAscending"
    for result in results:
        times = sorted(result.pop("points").items(), reverse=descending)
        result["Timestamps"] = [float(at) for at, _ in times]
        result["Values"] = [value for _, value in times]
    return _page(ctx, request, results, descending)


def _results(
    ctx: Context, request: t.GetMetricDataInput, queries: list[Query], query: Query, evaluation: Evaluation
) -> list[Result]:
    name = query["Id"]
    try:
        value = evaluation.variable(name)
    except ExpressionError as error:
        raise wrong(name, error) from None
    if isinstance(value, Series):
        series, whole = [value], True
    elif isinstance(value, list):
        series, whole = value, False
    else:
        raise wrong(name, "the result is neither a time series nor an array of time series")
    zone = labels.zone_of((request.get("LabelOptions") or {}).get("Timezone") or "+0000") or UTC
    results = []
    for one in series:
        result = {
            "Id": name,
            "Label": _label(query, queries, one, whole, ctx.now(), zone),
            "StatusCode": "Complete",
            "points": one.points,
        }
        units = evaluation.units.get(name)
        if units:
            text = f"Multiple units returned: '[{', '.join(units)}]'"
            result["Messages"] = [{"Code": "MultipleUnits", "Value": text}]
        results.append(result)
    return results


def _label(query: Query, queries: list[Query], series: Series, whole: bool, now: float, zone: Any) -> str:
    given = query.get("Label")
    if query.get("MetricStat") is not None:
        default = _metric_label(query["MetricStat"], queries)
    else:
        default = query["Id"] if whole else series.name
    if not given:
        return default
    text = labels.filled(given, series, default, now, zone)
    return text if whole or "${" in given else f"{text} {series.name}"


def _metric_label(stat: dict[str, Any], queries: list[Query]) -> str:
    """The metric's name, with what tells it from others of that name in the request. Seen from AWS."""
    name = stat["Metric"]["MetricName"]
    stats = [query["MetricStat"] for query in queries if query.get("MetricStat") is not None]
    same = [other for other in stats if other["Metric"].get("MetricName") == name]
    parts = []
    dimensions = {pair["Name"]: pair["Value"] for pair in stat["Metric"].get("Dimensions") or ()}
    for key, value in dimensions.items():
        if any((key, value) not in _pairs(other) for other in same):
            parts.append(value)
    parts.append(name)
    if any(other["Stat"] != stat["Stat"] for other in same):
        parts.append(stat["Stat"])
    if any(other["Period"] != stat["Period"] for other in same):
        parts.append(str(stat["Period"]))
    return " ".join(parts)


def _pairs(stat: dict[str, Any]) -> set[tuple[str, str]]:
    return {(pair["Name"], pair["Value"]) for pair in stat["Metric"].get("Dimensions") or ()}


def _page(
    ctx: Context, request: t.GetMetricDataInput, results: list[Result], descending: bool
) -> t.GetMetricDataOutput:
    """As many data points as are asked for. A token names the result and the time up to which they were given."""
    room = request.get("MaxDatapoints") or MAXIMUM_POINTS
    if not 0 < room <= MAXIMUM_POINTS:
        raise VALIDATION_ERROR(f"The value {room} for parameter MaxDatapoints is invalid.\n")
    asked = {key: value for key, value in request.items() if key not in ("NextToken", "MaxDatapoints")}
    print_ = hashlib.blake2b(repr(sorted(asked.items())).encode(), digest_size=8).hexdigest()
    first, last_at = _position(ctx, request.get("NextToken"), print_)
    token = None
    page: list[Any] = []
    for number, result in enumerate(results):
        times, values = result["Timestamps"], result["Values"]
        if number < first:
            continue
        begin = 0
        if number == first and last_at is not None:
            begin = sum(1 for at in times if (at >= last_at if descending else at <= last_at))
        end = min(len(times), begin + room)
        room -= end - begin
        result["Timestamps"], result["Values"] = times[begin:end], values[begin:end]
        if end < len(times):
            result["StatusCode"] = "PartialData"
            if token is None:
                token = paging.encode(ctx, (print_, number, int(times[end - 1]) if end else -1))
        page.append(result)
    answer: t.GetMetricDataOutput = {"MetricDataResults": page, "Messages": []}
    if token:
        answer["NextToken"] = token
    return answer


def _position(ctx: Context, token: str | None, print_: str) -> tuple[int, int | None]:
    if token is None:
        return 0, None
    decoded = paging.decode(ctx, token, INVALID_NEXT_TOKEN())
    if len(decoded) != 3 or decoded[0] != print_:
        raise INVALID_NEXT_TOKEN()
    number, at = int(decoded[1]), int(decoded[2])
    return number, None if at < 0 else at
