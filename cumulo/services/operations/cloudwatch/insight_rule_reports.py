"""GetInsightRuleReport: what a rule has seen, from the events of its log groups or as its service told it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.monitoring import insight_rules
from cumulo.core.operation import operation
from cumulo.services.operations.cloudwatch import rule_definitions
from cumulo.services.operations.cloudwatch.errors import INVALID_VALUE, TIMES_EQUAL, TIMES_REVERSED
from cumulo.services.operations.cloudwatch.insight_rules import find
from cumulo.services.operations.cloudwatch.rule_reports import METRICS, Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.context import Context
    from cumulo.core.monitoring.insight_rules import InsightRule
    from cumulo.services.operations.cloudwatch.rule_definitions import Definition
    from cumulo.stubs import cloudwatch as t

DAY_S = 86_400
MAXIMUM_CONTRIBUTORS = 100
_PAGE = 10_000
_NO_GROUP = "ResourceNotFoundException"  # Logs' word for a group that was deleted meanwhile


@operation
async def get_insight_rule_report(ctx: Context, request: t.GetInsightRuleReportInput) -> t.GetInsightRuleReportOutput:
    """The first contributors of up to a day, and a point for every period."""
    start, end, period_s = request["StartTime"], request["EndTime"], request["Period"]
    rule = await ctx.transact(lambda ctx: find(ctx, request["RuleName"]))
    metrics: Sequence[str] = request.get("Metrics") or []
    _check(request, metrics)
    definition = definition_of(rule)
    report = Report(start, end, period_s)
    await fill(ctx, rule, definition, report, start, end)
    order, limit = request.get("OrderBy") or "Sum", request.get("MaxContributorCount") or 10
    points: list[Any] = [{"Timestamp": float(at)} for at in report.periods] if metrics else []
    for metric in metrics:
        for point, (_, value) in zip(points, report.series(metric), strict=True):
            point[metric] = value
    return {
        "KeyLabels": key_labels(rule, definition),
        "AggregationStatistic": "SampleCount" if definition is not None and _counts(definition) else "Sum",
        "AggregateValue": report.total(),
        "ApproximateUniqueCount": report.unique(),
        "Contributors": [
            {
                "Keys": list(keys),
                "ApproximateAggregateValue": value,
                "Datapoints": [{"Timestamp": float(at), "ApproximateValue": given} for at, given in when],
            }
            for keys, value, when in report.ranked(order, limit)
        ],
        "MetricDatapoints": points,
    }


def _check(request: t.GetInsightRuleReportInput, metrics: Sequence[str]) -> None:
    if request["StartTime"] == request["EndTime"]:
        raise INVALID_VALUE(TIMES_EQUAL)
    if request["StartTime"] > request["EndTime"]:
        raise INVALID_VALUE(TIMES_REVERSED)
    if request["EndTime"] - request["StartTime"] > DAY_S:
        raise INVALID_VALUE("The time range must not be longer than 24 hours.")
    if request["Period"] % 60:
        raise INVALID_VALUE(value=request["Period"], name="Period")
    if not 1 <= request.get("MaxContributorCount", 10) <= MAXIMUM_CONTRIBUTORS:
        raise INVALID_VALUE(value=request["MaxContributorCount"], name="MaxContributorCount")
    if request.get("OrderBy", "Sum") not in ("Sum", "Maximum"):
        raise INVALID_VALUE(value=request["OrderBy"], name="OrderBy")
    for number, metric in enumerate(metrics, 1):
        if metric not in METRICS:
            raise INVALID_VALUE(value=metric, name=f"Metrics.member.{number}")


def definition_of(rule: InsightRule) -> Definition | None:
    """What a rule over log groups looks for; None for a service's rule."""
    return None if rule.service else rule_definitions.parse(rule.definition)


def key_labels(rule: InsightRule, definition: Definition | None) -> list[str]:
    """What the keys of contributors are called."""
    if definition is not None:
        return definition.key_labels
    return rule_definitions.service_key_labels(rule.definition)


def _counts(definition: Definition) -> bool:
    return bool(definition.aggregate_on == "Count")


async def fill(
    ctx: Context, rule: InsightRule, definition: Definition | None, report: Report, start: float, end: float
) -> None:
    """Put into the report what the rule has seen of that time."""
    if definition is None:
        first, last = min(report.periods), max(report.periods)

        def told(ctx: Context) -> list[insight_rules.ContributionMinute]:
            return insight_rules.contributed(ctx, rule.id, first, last + DAY_S)

        for minute in await ctx.transact(told):
            period = report.at(minute.start)
            if period is not None:
                period.add_minute(minute)
        return
    for group in await _groups(ctx, definition):
        await _read(ctx, rule, definition, report, group, (start, end))


async def _groups(ctx: Context, definition: Definition) -> list[str]:
    """The log groups that a rule is about, those that there are."""
    logs = ctx.as_service("contributorinsights", internal=True).logs
    found: dict[str, None] = {}
    for name in definition.log_groups:
        if not name.endswith("*"):
            found[name] = None
            continue
        token: dict[str, str] = {}
        while True:
            page = await logs.describe_log_groups({"logGroupNamePrefix": name[:-1], **token} if name != "*" else token)
            found.update((group["logGroupName"], None) for group in page["logGroups"])
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
    return list(found)


async def _read(
    ctx: Context,
    rule: InsightRule,
    definition: Definition,
    report: Report,
    group: str,
    times: tuple[float, float],
) -> None:
    """Count the events of a group that came in while the rule was enabled."""
    logs = ctx.as_service("contributorinsights", internal=True).logs
    first = min(report.periods)
    request = {"logGroupName": group, "startTime": first * 1000, "endTime": int(times[1] * 1000), "limit": _PAGE}
    while True:
        try:
            page = await logs.filter_log_events(request)
        except Fault as fault:
            if fault.code == _NO_GROUP:
                return
            raise
        events: list[Any] = page.get("events", [])
        await ctx.in_thread(partial(_count, rule, definition, report, events))
        if "nextToken" not in page:
            return
        request["nextToken"] = page["nextToken"]


def _count(rule: InsightRule, definition: Definition, report: Report, events: list[Any]) -> None:
    for event in events:
        came_s = event.get("ingestionTime", 0) / 1000
        if not any(begin <= came_s and (not end or came_s < end) for begin, end in rule.enabled):
            continue
        period = report.at(event["timestamp"] / 1000)
        found = definition.contribution(event["message"]) if period is not None else None
        if period is not None and found is not None:
            keys, value = found
            period.add(keys, value, 1.0, value, value)
