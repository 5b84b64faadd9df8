"""What CloudWatch hears of requests through an Object Lambda access point whose configuration asks for it.

Source: S3 User Guide, "Metrics and dimensions", "S3 Object Lambda request metrics in CloudWatch"; of the dimensions the
names are documented, and that DataSourceARN is the supporting access point's is our reading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.monitoring import service_metrics

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.object_lambda import ObjectLambdaAccessPoint

NAMESPACE = "AWS/S3ObjectLambda"
_LISTINGS = frozenset(("ListObjects", "ListObjectsV2"))


class Counting:
    """Counts a request when its answer goes out (`Context.on_answer`)."""

    __slots__ = ("_began_at", "_ctx", "_invoked", "_lens")

    def __init__(self, ctx: Context, lens: ObjectLambdaAccessPoint, *, invoked: bool) -> None:
        self._ctx = ctx
        self._lens = lens
        self._invoked = invoked
        self._began_at = ctx.runtime.clock.wall()

    def __call__(self, sent: Any) -> None:
        kind = "ListRequests" if self._ctx.operation in _LISTINGS else f"{sent.request.method.capitalize()}Requests"
        size = next((value for name, value in sent.headers if name.lower() == "content-length"), len(sent.body))
        self._add("AllRequests")
        self._add(kind)
        self._add("InvokedLambda" if self._invoked else "ProxiedRequests")
        self._add("4xxErrors", float(400 <= sent.status < 500))
        self._add("5xxErrors", float(sent.status >= 500))
        self._add("BytesDownloaded", float(size), "Bytes")
        self._add("TotalRequestLatency", (self._ctx.runtime.clock.wall() - self._began_at) * 1000, "Milliseconds")

    def _add(self, name: str, value: float = 1.0, unit: str = "Count") -> None:
        _count(self._ctx, self._lens, name, value, unit)


def _count(ctx: Context, lens: ObjectLambdaAccessPoint, name: str, value: float, unit: str = "Count") -> None:
    dimensions = {"AccessPointName": lens.name, "DataSourceARN": lens.supporting}
    place = ("s3.object_lambda_metrics", lens.arn, lens.supporting, name)
    known: dict[Any, Any] = ctx.runtime.memory.setdefault(place[0], {})
    series = known.get(place)
    if series is None:
        metrics = service_metrics.of(ctx.runtime)
        series = known[place] = metrics.series(lens.account, lens.region, NAMESPACE, name, unit, dimensions)
    series.add(value)


def watch(ctx: Context, lens: ObjectLambdaAccessPoint, *, invoked: bool) -> None:
    """Count this request when it is answered, by a function (`invoked`) or by the supporting access point."""
    if lens.metrics:
        ctx.on_answer = Counting(ctx, lens, invoked=invoked)


def watch_response(ctx: Context, lens: ObjectLambdaAccessPoint) -> None:
    """Count a WriteGetObjectResponse when it is answered."""

    def heard(sent: Any) -> None:
        _count(ctx, lens, "LambdaResponseRequests", 1.0)
        _count(ctx, lens, "LambdaResponse4xx", float(400 <= sent.status < 500))
        _count(ctx, lens, "LambdaResponse5xx", float(sent.status >= 500))

    if lens.metrics:
        ctx.on_answer = heard
