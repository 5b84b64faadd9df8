"""The queries of one GetMetricData: checked together, each worked out once, whoever asks for it first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.services.operations.cloudwatch import metrics_insights, points, searches, statistics
from cumulo.services.operations.cloudwatch.distributions import Distribution
from cumulo.services.operations.cloudwatch.errors import BOTH, NEITHER, VALIDATION_ERROR
from cumulo.services.operations.cloudwatch.metric_math import grammar
from cumulo.services.operations.cloudwatch.metric_math.values import (
    ExpressionError,
    Node,
    Series,
    UnsupportedFunction,
    Value,
)
from cumulo.services.operations.cloudwatch.metrics import LISTED_S, Dimensions, dimensions_of, id_of, matching
from cumulo.services.operations.cloudwatch.rule_reports import METRICS, Report
from cumulo.services.operations.cloudwatch.time_ranges import end_of, is_period, start_of

if TYPE_CHECKING:
    from cumulo.core.context import Context

MAXIMUM_QUERIES = 500
MAXIMUM_FOUND = 500
DEFAULT_PERIOD_S = 300
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")

Query = dict[str, Any]


def check(queries: list[Query]) -> None:
    """Refuse queries with a fault, a line each; the texts were seen from AWS."""
    lines: list[str] = []
    if len(queries) > MAXIMUM_QUERIES:
        lines.append(f"The collection MetricDataQueries must not have a size greater than {MAXIMUM_QUERIES}.")
    for number, query in enumerate(queries, 1):
        _check(query, f"MetricDataQueries.member.{number}", lines)
    if len({query["Id"] for query in queries}) < len(queries):
        lines.append("The values for parameter id in MetricDataQueries are not unique.")
    if sum(metrics_insights.is_query(query.get("Expression") or "") for query in queries) > 1:
        lines.append("The parameter MetricDataQueries must not have more than one Metrics Insights query.")
    if lines:
        raise VALIDATION_ERROR("".join(f"{line}\n" for line in lines[:10]))


def _check(query: Query, path: str, lines: list[str]) -> None:
    name, stat = query["Id"], query.get("MetricStat")
    if not _ID.fullmatch(name):
        lines.append(f"The value {name} for parameter {path}.Id is not matching the expected pattern ^{_ID.pattern}$.")
    if stat is None and query.get("Expression") is None:
        lines.append(NEITHER.format(one=f"{path}.MetricStat", other=f"{path}.Expression"))
    if stat is not None and query.get("Expression") is not None:
        lines.append(BOTH.format(one=f"{path}.MetricStat", other=f"{path}.Expression"))
    for period, place in ((query.get("Period"), path), ((stat or {}).get("Period"), f"{path}.MetricStat")):
        if period is not None and not is_period(period):
            lines.append(f"The value {period} for parameter {place}.Period is invalid.")
    if stat is None:
        return
    if statistics.find(stat["Stat"]) is None:
        lines.append(f"The value {stat['Stat']} for parameter {path}.MetricStat.Stat is not a valid statistic.")
    for member in ("Namespace", "MetricName"):
        if not stat["Metric"].get(member):
            lines.append(f"The parameter {path}.MetricStat.Metric.{member} is required.")


class ReportMissing(Exception):
    """A report that an expression needs and that has to be waited for: the rule, from when to when, and the period."""

    def __init__(self, rule: str, start: int, end: int, period: int) -> None:
        super().__init__(rule)
        self.rule = rule
        self.start = start
        self.end = end
        self.period = period

    @property
    def key(self) -> tuple[str, int, int, int]:
        """What the report is kept by."""
        return self.rule, self.start, self.end, self.period


Reports = dict[tuple[str, int, int, int], Report]


class Evaluation:
    """One request: its queries by Id and what they gave so far. The scope of every expression in it."""

    def __init__(self, ctx: Context, queries: list[Query], start: float, end: float, reports: Reports) -> None:
        self._ctx = ctx
        self.reports = reports
        self._queries = {query["Id"]: query for query in queries}
        self._values: dict[str, Value] = {}
        self._nodes: dict[str, Node] = {}
        self._open: list[str] = []
        self._start, self._end = start, end
        self.units: dict[str, list[str]] = {}  # of metrics that have data in several units, by Id

    @property
    def period(self) -> int:
        """That of the expression being worked out: its own, else the longest of the request's metrics."""
        own = self._queries[self._open[-1]].get("Period") if self._open else None
        if own:
            return int(own)
        stats = [query["MetricStat"]["Period"] for query in self._queries.values() if query.get("MetricStat")]
        return max(stats, default=DEFAULT_PERIOD_S)

    @property
    def start(self) -> int:
        """The start of the request, rounded as the period asks."""
        return start_of(self._start, self.period, self._ctx.now())

    @property
    def end(self) -> int:
        """The end of the request, or the present if that is earlier: nothing is known of what comes."""
        return min(end_of(self._end), int(self._ctx.now()) + 1)

    def parse(self) -> None:
        """Read all expressions, before any is worked out."""
        for name, query in self._queries.items():
            text = query.get("Expression")
            if text is None or metrics_insights.is_query(text):
                continue
            try:
                self._nodes[name], named = grammar.parse(text)
            except UnsupportedFunction as unsupported:
                what = f"{unsupported} in MetricDataQueries.Expression"
                raise not_implemented("cloudwatch", "GetMetricData", what) from None
            except ExpressionError as error:
                raise wrong(name, error) from None
            for other in sorted(named - self._queries.keys()):
                raise wrong(name, f"there is no query with the Id {other}")

    def variable(self, name: str) -> Value:
        """What the query with this Id gives."""
        if name not in self._values:
            if name in self._open:
                raise ExpressionError(f"{name} depends on itself")
            self._open.append(name)
            self._values[name] = self._evaluated(name, self._queries[name])
            self._open.pop()
        return self._values[name]

    def _evaluated(self, name: str, query: Query) -> Value:
        if query.get("MetricStat") is not None:
            return self._metric(name, query["MetricStat"])
        if name in self._nodes:
            return self._nodes[name](self)
        return self._insights(query["Expression"])

    def metrics(self, part: str) -> list[Series]:
        """The metrics of the request whose Id holds the text."""
        found = []
        for name, query in self._queries.items():
            if query.get("MetricStat") is not None and part in name:
                value = self.variable(name)
                assert isinstance(value, Series)
                found.append(value)
        return found

    def _metric(self, name: str, stat: dict[str, Any]) -> Series:
        metric = stat["Metric"]
        dimensions = dimensions_of(metric.get("Dimensions") or ())
        read, units = self._read(
            metric["Namespace"], metric["MetricName"], dimensions, stat["Stat"], stat["Period"], stat.get("Unit")
        )
        if len(units) > 1:
            self.units[name] = units
        return read

    def _read(
        self, namespace: str, name: str, dimensions: Dimensions, stat: str, period: int, unit: str | None
    ) -> tuple[Series, list[str]]:
        """The series of a metric, and the units that its data has. Without a unit asked for, the first one counts."""
        ctx = self._ctx
        start = start_of(self._start, period, ctx.now())
        found = points.read(ctx, id_of(namespace, name, dimensions), start, end_of(self._end), period, unit)
        units = sorted(found)
        compute = statistics.find(stat)
        if compute is None:
            raise ExpressionError(f"{stat} is no statistic")
        computed = [(at, compute(values)) for at, values in (found[units[0]] if units else {}).items()]
        properties = {
            "AccountId": ctx.account,
            "MetricName": name,
            "Namespace": namespace,
            "Period": str(period),
            "Region": ctx.region,
            "Stat": stat,
            **{f"Dim.{key}": value for key, value in dimensions},
        }
        known = {at: value for at, value in computed if value is not None}
        return Series(known, period, name, is_metric=True, properties=properties), units

    def search(self, text: str, statistic: str, period: int) -> list[Series]:
        """The metrics that a search finds among those with data in the last two weeks."""
        search = searches.parse(text)
        found = []
        if not is_period(period):
            raise ExpressionError(f"{period} is no period")
        for metric in matching(self._ctx, search.namespace, None, self._ctx.now() - LISTED_S):
            if search.matches(metric.namespace, metric.name, metric.dimensions):
                found.append((metric.namespace, metric.name, metric.dimensions))
                if len(found) == MAXIMUM_FOUND:
                    break
        found.sort()
        names = searches.distinguishing(found)
        series = [self._read(*metric, statistic, period, None)[0] for metric in found]
        for one, name in zip(series, names, strict=True):
            one.name = name
        return series

    def _insights(self, text: str) -> Value:
        """The series of a Metrics Insights query: one, or an array where it groups."""
        query, ctx, period = metrics_insights.parse(text), self._ctx, self.period
        groups: dict[tuple[str, ...], dict[int, Distribution]] = {}
        for metric in matching(ctx, query.namespace, query.metric, ctx.now() - LISTED_S):
            own = dict(metric.dimensions)
            if not query.matches(own):
                continue
            into = groups.setdefault(query.group_of(own), {})
            for periods in points.read(ctx, metric.id, self.start, end_of(self._end), period).values():
                for at, values in periods.items():
                    if at in into:
                        into[at].merge(values)
                    else:
                        into[at] = values
        compute = metrics_insights.FUNCTIONS[query.function]
        series = [
            Series({at: compute(values) for at, values in groups[group].items()}, period, " ".join(group))
            for group in sorted(groups)
        ]
        if not query.group_by:
            return series[0] if series else Series({}, period)
        if query.order_by:
            order = metrics_insights.ORDERS[query.order_by]
            series = [one for one in series if one.points]
            series.sort(key=lambda one: order(one.values()), reverse=query.descending)
        return series[: query.limit]

    def rule_metric(self, rule: str, metric: str) -> Series:
        """A metric of a Contributor Insights rule. Raises ReportMissing where its report is not there yet."""
        if metric not in METRICS:
            raise ExpressionError(f"rules have no metric {metric}")
        key = rule, self.start, self.end, self.period
        report = self.reports.get(key)
        if report is None:
            raise ReportMissing(*key)
        return Series(dict(report.series(metric)), self.period, metric)


def wrong(name: str, error: object) -> Exception:
    """The refusal of an expression."""
    return VALIDATION_ERROR(f"Error in expression '{name}': {error}\n")
