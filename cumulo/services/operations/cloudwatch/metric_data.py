"""PutMetricData: checked as a whole, then added to the rows of its periods."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.operations.cloudwatch import points
from cumulo.services.operations.cloudwatch.errors import (
    BOTH,
    INVALID_COMBINATION,
    INVALID_VALUE,
    MISSING_PARAMETER,
    NEITHER,
)
from cumulo.services.operations.cloudwatch.metrics import Metric, dimensions_of, id_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.cloudwatch.distributions import Distribution
    from cumulo.stubs import cloudwatch as t

MAXIMUM_METRICS = 1000
MAXIMUM_VALUES = 150
OLDEST_S = 14 * 86_400
NEWEST_S = 2 * 3600
_LARGEST = 2.0**360
_LINES = 10

Datum = dict[str, Any]


def _namespace(ctx: Context, request: Any) -> dict[str, str]:
    return {"cloudwatch:namespace": request.get("Namespace", "")}


@operation(unsupported=("EntityMetricData", "StrictEntityValidation"), conditions=_namespace)
def put_metric_data(ctx: Context, request: t.PutMetricDataInput) -> None:
    """Add values, or statistics of values, to metrics. Namespaces of AWS are for its services."""
    namespace = request["Namespace"]
    data: list[Any] = request.get("MetricData") or []
    if not data:
        raise MISSING_PARAMETER(name="MetricData")
    if len(data) > MAXIMUM_METRICS:
        raise INVALID_VALUE(f"The collection MetricData must not have a size greater than {MAXIMUM_METRICS}.")
    if namespace.startswith("AWS/") and not ctx.internal and ctx.principal.kind is not PrincipalKind.SERVICE:
        raise INVALID_VALUE(value="AWS/", name="Namespace")
    now = ctx.now()
    lines: list[str] = (
        [] if namespace.isascii() else ["The value for parameter Namespace contains non-ASCII characters."]
    )
    for number, datum in enumerate(data, 1):
        _check(datum, f"MetricData.member.{number}", now, lines)
    if lines:
        raise INVALID_VALUE("\n".join(lines[:_LINES]))
    for datum in data:
        _add(ctx, namespace, datum, now)


def _add(ctx: Context, namespace: str, datum: Datum, now: float) -> None:
    dimensions = dimensions_of(datum.get("Dimensions") or ())
    name = datum["MetricName"]
    metric = Metric(namespace, name, id_of(namespace, name, dimensions), dimensions, now)
    resolution = datum.get("StorageResolution") or 60
    unit = points.UNIT_CODES[datum.get("Unit") or "None"]
    key, point = points.open_point(ctx, metric, resolution, datum.get("Timestamp") or now, unit)
    _take(point.values, datum)
    points.keep(ctx, key, point)


def _take(into: Distribution, datum: Datum) -> None:
    if datum.get("Value") is not None:
        into.add(float(datum["Value"]), 1.0)
    values = datum.get("Values")
    if values:
        for value, count in zip(values, datum.get("Counts") or [1.0] * len(values), strict=True):
            into.add(float(value), float(count))
    given = datum.get("StatisticValues")
    if given:
        into.add_statistics(*(float(given[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum")))


def _check(datum: Datum, path: str, now: float, lines: list[str]) -> None:
    """What is wrong with a datum, a line each; the texts were seen from AWS."""
    _check_text(datum["MetricName"], f"{path}.MetricName", lines)
    seen: set[str] = set()
    for number, dimension in enumerate(datum.get("Dimensions") or (), 1):
        place = f"{path}.Dimensions.member.{number}"
        _check_text(dimension["Name"], f"{place}.Name", lines)
        _check_text(dimension["Value"], f"{place}.Value", lines)
        if dimension["Name"].startswith(":") or dimension["Name"] in seen:
            lines.append(f"The value {dimension['Name']} for parameter {place}.Name is invalid.")
        seen.add(dimension["Name"])
    _check_values(datum, path, lines)
    at = datum.get("Timestamp")
    if at is not None and at < now - OLDEST_S:
        lines.append(f"The parameter {path}.Timestamp must specify a time within the past two weeks.")
    elif at is not None and at > now + NEWEST_S:
        lines.append(f"The parameter {path}.Timestamp must specify a time no more than two hours in the future.")
    if datum.get("StorageResolution") not in (None, 1, 60):
        lines.append(f"The value {datum['StorageResolution']} for parameter {path}.StorageResolution is invalid.")


def _check_text(text: str, path: str, lines: list[str]) -> None:
    if not text.isascii():
        lines.append(f"The value for parameter {path} contains non-ASCII characters.")
    elif not text.strip() or not text.isprintable():
        lines.append(f"The value {text} for parameter {path} is invalid.")


def _check_values(datum: Datum, path: str, lines: list[str]) -> None:
    value, values, given = datum.get("Value"), datum.get("Values"), datum.get("StatisticValues")
    if value is None and not values and given is None:
        raise INVALID_COMBINATION(NEITHER.format(one=f"{path}.Value", other=f"{path}.StatisticValues"))
    for one, other in (("Value", "StatisticValues"), ("Value", "Values"), ("Values", "StatisticValues")):
        if datum.get(one) not in (None, []) and datum.get(other) not in (None, []):
            raise INVALID_COMBINATION(BOTH.format(one=f"{path}.{one}", other=f"{path}.{other}"))
    if value is not None:
        _check_number(value, f"{path}.Value", lines)
    if values:
        _check_counts(values, datum.get("Counts"), path, lines)
    if given is not None:
        for name in ("SampleCount", "Sum", "Minimum", "Maximum"):
            _check_number(given[name], f"{path}.StatisticValues.{name}", lines)
        if given["SampleCount"] <= 0:
            lines.append(
                f"The value {given['SampleCount']} for parameter {path}.StatisticValues.SampleCount is invalid."
            )
        if given["Minimum"] > given["Maximum"]:
            lines.append(f"The value {given['Minimum']} for parameter {path}.StatisticValues.Minimum is invalid.")


def _check_counts(values: list[float], counts: list[float] | None, path: str, lines: list[str]) -> None:
    if len(values) > MAXIMUM_VALUES:
        lines.append(f"The collection {path}.Values must not have a size greater than {MAXIMUM_VALUES}.")
    for number, value in enumerate(values, 1):
        _check_number(value, f"{path}.Values.member.{number}", lines)
    if counts is None:
        return
    if len(counts) != len(values):
        lines.append(f"The parameters {path}.Values and {path}.Counts must be of the same size.")
    for number, count in enumerate(counts, 1):
        if not (math.isfinite(count) and 0 < count <= _LARGEST):
            lines.append(f"The value {count} for parameter {path}.Counts.member.{number} is invalid.")


def _check_number(value: float, path: str, lines: list[str]) -> None:
    if not (math.isfinite(value) and abs(value) <= _LARGEST):
        lines.append(f"The value {value} for parameter {path} is invalid.")
