"""Metric filters: which events become points of a metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.operations.logs import pages, patterns
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, METRIC_FILTER_NOT_FOUND
from cumulo.services.operations.logs.events import filtering
from cumulo.services.operations.logs.filters import group_filters
from cumulo.services.operations.logs.filters.group_filters import ACCOUNT, REGION
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.groups.groups import STANDARD
from cumulo.services.operations.logs.patterns.json_conditions import read_selector
from cumulo.services.operations.logs.patterns.scanning import number_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.patterns import Pattern
    from cumulo.stubs import logs as t

MOST = 100
MOST_DIMENSIONS = 3


class MetricFilter(Record):
    """A metric filter of the group with this id; `transformation` is as AWS's members have it.

    `selection` are criteria on system fields, `system_fields` those that are dimensions.
    """

    group: bytes
    name: str
    group_name: str
    pattern: str
    transformation: dict[str, Any]
    created_ms: int
    on_transformed: bool = False
    selection: str = ""
    system_fields: list[str] = []


METRIC_FILTERS = Table(MetricFilter, name="logs.metric_filters", key=("group", "name"), scope=GLOBAL)


def of_group(ctx: Context, group: Group) -> list[MetricFilter]:
    """A group's metric filters, by name."""
    return METRIC_FILTERS.range(ctx, group.id)


@operation
def put_metric_filter(ctx: Context, request: t.PutMetricFilterRequest) -> None:
    """Set a metric filter of a group."""
    group = groups.find(ctx, request["logGroupName"])
    groups.refuse_class(group, "PutMetricFilter", STANDARD)
    pattern = filtering.read_pattern(request["filterPattern"], "metric filter")
    transformation = dict(request["metricTransformations"][0])
    system_fields = group_filters.check_fields(request.get("emitSystemFieldDimensions") or [], ACCOUNT, REGION)
    _check(transformation, pattern, system_fields)
    name = request["filterName"]
    if group_filters.check(pattern, name, of_group(ctx, group), MOST) is None:
        group.metric_filters += 1
        groups.keep(ctx, group)
    METRIC_FILTERS.put(
        ctx,
        MetricFilter(
            group.id,
            name,
            group.name,
            request["filterPattern"],
            transformation,
            int(ctx.now() * 1000),
            bool(request.get("applyOnTransformedLogs")),
            group_filters.read_selection(request.get("fieldSelectionCriteria")),
            system_fields,
        ),
    )


def _check(transformation: dict[str, Any], pattern: Pattern, system_fields: Sequence[str]) -> None:
    dimensions = transformation.get("dimensions") or {}
    if (dimensions or system_fields) and transformation.get("defaultValue") is not None:
        raise INVALID_PARAMETER(
            "Invalid metric transformation: dimensions and default value are mutually exclusive properties."
        )
    if len(dimensions) + len(system_fields) > MOST_DIMENSIONS:
        raise INVALID_PARAMETER(
            f"Invalid metric transformation: a metric filter can have at most {MOST_DIMENSIONS} dimensions."
        )
    if dimensions:
        if not pattern.structured:
            raise INVALID_PARAMETER("The specified filter pattern does not support dimensions")
        for source in dimensions.values():
            _check_source(source, pattern, "dimension value")
    value = transformation["metricValue"]
    if number_of(value) is None:
        _check_source(value, pattern, "metricValue")


def _check_source(source: str, pattern: Pattern, member: str) -> None:
    """A number's or dimension's source: "$.path" of JSON events, "$name" of space-delimited ones."""
    if pattern.names is not None:
        if source[:1] == "$" and (source[1:] in pattern.names or source[1:].isdigit()):
            return
    elif pattern.structured and read_selector(source) is not None:
        return
    raise INVALID_PARAMETER(f"Invalid metric transformation: {member} '{source}' is not a field of the filter pattern.")


@operation
def delete_metric_filter(ctx: Context, request: t.DeleteMetricFilterRequest) -> None:
    """Remove a metric filter."""
    group = groups.find(ctx, request["logGroupName"])
    if not group_filters.remove(ctx, METRIC_FILTERS, group, request["filterName"], "metric_filters"):
        raise METRIC_FILTER_NOT_FOUND()


@operation
def describe_metric_filters(ctx: Context, request: t.DescribeMetricFiltersRequest) -> t.DescribeMetricFiltersResponse:
    """The metric filters of a group, or those of all groups that make a metric, by name."""
    name, metric, namespace = request.get("logGroupName"), request.get("metricName"), request.get("metricNamespace")
    if (metric is None) != (namespace is None):
        raise INVALID_PARAMETER("metricName and metricNamespace must be specified together.")
    prefix = ""
    if name is not None:
        chosen = [groups.find(ctx, name)]
        prefix = request.get("filterNamePrefix") or ""
    else:
        ctx.authorize(f"arn:{ctx.partition}:logs:{ctx.region}:{ctx.account}:log-group::log-stream:")
        chosen = [group for group in groups.GROUPS.range(ctx) if group.metric_filters]
    found = [
        each
        for group in chosen
        for each in of_group(ctx, group)
        if each.name.startswith(prefix) and (metric is None or _names(each) == (namespace, metric))
    ]
    found.sort(key=_key)
    page, more = pages.of_list(ctx, request, found, _key)
    return {"metricFilters": [_described(each) for each in page], **more}


def _key(found: MetricFilter) -> tuple[str | int, ...]:
    return found.name, found.group_name


def _names(found: MetricFilter) -> tuple[str, str]:
    return found.transformation["metricNamespace"], found.transformation["metricName"]


def _described(found: MetricFilter) -> Any:
    answer: dict[str, Any] = {
        "filterName": found.name,
        "filterPattern": found.pattern,
        "metricTransformations": [found.transformation],
        "creationTime": found.created_ms,
        "logGroupName": found.group_name,
        "applyOnTransformedLogs": found.on_transformed,
    }
    if found.selection:
        answer["fieldSelectionCriteria"] = found.selection
    if found.system_fields:
        answer["emitSystemFieldDimensions"] = found.system_fields
    return answer


def pattern_of(found: MetricFilter) -> Pattern:
    """The pattern of a filter, which was read when it was set."""
    return patterns.read(found.pattern)
