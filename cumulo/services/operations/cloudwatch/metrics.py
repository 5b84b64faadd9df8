"""Metrics: what they are called, which there are, and ListMetrics."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.cloudwatch.errors import INVALID_VALUE, OTHER_PARAMETERS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import cloudwatch as t

PAGE = 500
LISTED_S = 14 * 86_400  # "ListMetrics doesn't return information about metrics if those metrics haven't reported data
ACTIVE_S = 3 * 3600  # in the past two weeks"; RecentlyActive asks for three hours (API reference, ListMetrics)
FRESH_S = 300  # how far `last_put_at` may be behind; AWS's may be 50 minutes behind

Dimensions = list[tuple[str, str]]


class Metric(Record):
    """A metric that data was put for. Times are cloud time in seconds."""

    namespace: str
    name: str
    id: bytes
    dimensions: Dimensions
    last_put_at: float


METRICS = Table(Metric, name="cloudwatch.metrics", key=("namespace", "name", "id"), scope=REGION)


def dimensions_of(given: Iterable[Any]) -> Dimensions:
    """Dimensions in the request's order."""
    return [(dimension["Name"], dimension["Value"]) for dimension in given]


def id_of(namespace: str, name: str, dimensions: Dimensions) -> bytes:
    """What the metric's points are kept under. The order of dimensions is no part of a metric's name."""
    texts = [namespace, name, *(text for pair in sorted(dimensions) for text in pair)]
    return hashlib.blake2b("\x00".join(texts).encode(), digest_size=16).digest()


def described(metric: Metric) -> t.Metric:
    """A metric as answers show it."""
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
    }


def matching(ctx: Context, namespace: str | None, name: str | None, since: float) -> Iterable[Metric]:
    """Metrics of this namespace and name (None: any) that had data since then, in the order of their keys."""
    prefix = () if namespace is None else (namespace,) if name is None else (namespace, name)
    after: tuple[str | bytes, ...] | None = None
    while True:
        found = METRICS.range(ctx, *prefix, after=after, limit=PAGE)
        for metric in found:
            if metric.last_put_at >= since and (name is None or metric.name == name):
                yield metric
        if len(found) < PAGE:
            return
        after = (found[-1].namespace, found[-1].name, found[-1].id)


@operation(unsupported=("IncludeLinkedAccounts", "OwningAccount"))
def list_metrics(ctx: Context, request: t.ListMetricsInput) -> t.ListMetricsOutput:
    """Metrics that had data in the last two weeks, 500 a page."""
    namespace, name = request.get("Namespace"), request.get("MetricName")
    filters = [(wanted["Name"], wanted.get("Value")) for wanted in request.get("Dimensions") or ()]
    recent = request.get("RecentlyActive") is not None
    print_ = hashlib.blake2b(repr((namespace, name, filters, recent)).encode(), digest_size=8).hexdigest()
    after = _after(ctx, request.get("NextToken"), print_)
    metrics: list[Metric] = []
    token = None
    for metric in matching(ctx, namespace, name, ctx.now() - (ACTIVE_S if recent else LISTED_S)):
        key = (metric.namespace, metric.name, metric.id.hex())
        if after is not None and key <= after:
            continue
        if not _has(metric, filters):
            continue
        if len(metrics) == PAGE:
            last = metrics[-1]
            token = paging.encode(ctx, (print_, last.namespace, last.name, last.id.hex()))
            break
        metrics.append(metric)
    answer: t.ListMetricsOutput = {"Metrics": [described(metric) for metric in metrics]}
    if token:
        answer["NextToken"] = token
    return answer


def _after(ctx: Context, token: str | None, print_: str) -> tuple[str | int, ...] | None:
    """The last metric of the page before. A token holds for the parameters that it was given for (seen from AWS)."""
    if token is None:
        return None
    decoded = paging.decode(ctx, token, INVALID_VALUE(value=token, name="NextToken"))
    if len(decoded) != 4 or decoded[0] != print_:
        raise INVALID_VALUE(OTHER_PARAMETERS)
    return decoded[1:]


def _has(metric: Metric, filters: list[tuple[str, str | None]]) -> bool:
    """Whether the metric has all these dimensions; one without a value asks for the name alone."""
    own = dict(metric.dimensions)
    return all(name in own and (value is None or own[name] == value) for name, value in filters)
