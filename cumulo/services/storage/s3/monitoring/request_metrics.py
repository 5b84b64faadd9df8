"""Request metrics: what a bucket's metrics configurations want to be counted, given to CloudWatch every minute.

What S3 Select scans and returns is not counted. The time that a large body takes on its way is not ours to tell: then
there is no FirstByteLatency (of uploads) or no TotalRequestLatency (of downloads).
Source: S3 User Guide, "Metrics and dimensions", "CloudWatch metrics configurations".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.monitoring import service_metrics
from cumulo.services.storage.s3.conditions import requested_tags
from cumulo.services.storage.s3.stored import configurations, versions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.monitoring.service_metrics import Series
    from cumulo.core.s3.buckets import Bucket

KIND = "metrics"
NAMESPACE = "AWS/S3"
_PLACE = "s3.request_metrics"
_MOST = 10_000
_UNITS = {
    "AllRequests": "Count", "GetRequests": "Count", "PutRequests": "Count", "DeleteRequests": "Count",
    "HeadRequests": "Count", "PostRequests": "Count", "SelectRequests": "Count", "ListRequests": "Count",
    "BytesDownloaded": "Bytes", "BytesUploaded": "Bytes", "4xxErrors": "Count", "5xxErrors": "Count",
    "FirstByteLatency": "Milliseconds", "TotalRequestLatency": "Milliseconds",
}  # fmt: skip
_KINDS = {
    "SelectObjectContent": "SelectRequests", "DeleteObjects": "DeleteRequests", "ListObjects": "ListRequests",
    "ListObjectsV2": "ListRequests", "ListObjectVersions": "ListRequests",
}  # fmt: skip
_METHODS = {"GET": "GetRequests", "PUT": "PutRequests", "DELETE": "DeleteRequests", "POST": "PostRequests"}

Meters = dict[str, "Series"]


def listener(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> Callable[[Any, float], None] | None:
    """What counts the answer to this request, by every configuration that it falls under; None where none is."""
    found = configurations.all_of(ctx, bucket, KIND)
    ids = [id for id, document in found if _falls_under(ctx, bucket, request, document.get("Filter") or {})]
    return partial(_count, ctx, bucket, ids, request) if ids else None


def _falls_under(ctx: Context, bucket: Bucket, request: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Whether the request is about what a filter wants: an object, or a listing, below its prefix; tags; a point."""
    both = given.get("And") or {}
    point = given.get("AccessPointArn") or both.get("AccessPointArn")
    if point and request["Bucket"] != point:
        return False
    prefix = given.get("Prefix") or both.get("Prefix") or ""
    if prefix and not _key(request).startswith(prefix):
        return False
    tags = [given["Tag"]] if "Tag" in given else both.get("Tags") or ()
    if not tags:
        return True
    there = _tags(ctx, bucket, request)
    return all(there.get(tag["Key"]) == tag["Value"] for tag in tags)


def _key(request: Mapping[str, Any]) -> str:
    return request.get("Key") or request.get("Prefix") or ""


def _tags(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> dict[str, str]:
    """The tags that an object comes with, or has already."""
    if "Key" not in request:
        return {}
    if ctx.operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        return requested_tags(request)
    version = versions.find(ctx, bucket.name, request["Key"], request.get("VersionId"))
    return version.tags if version is not None else {}


def _count(ctx: Context, bucket: Bucket, ids: list[str], request: Mapping[str, Any], sent: Any, began: float) -> None:
    took_ms = max(0.0, (ctx.runtime.clock.wall() - began) * 1000)
    values = dict(_values(ctx.operation, request, sent, took_ms))
    for id in ids:
        meters = _meters(ctx, bucket, id)
        for name, value in values.items():
            series = meters.get(name)
            if series is None:
                series = meters[name] = _series(ctx, bucket, id, name)
            series.add(value)


def _values(operation: str, request: Mapping[str, Any], sent: Any, took_ms: float) -> list[tuple[str, float]]:
    http, status = sent.request, sent.status
    found = [
        ("AllRequests", 1.0),
        ("4xxErrors", float(400 <= status < 500)),
        ("5xxErrors", float(status >= 500)),
    ]
    kind = _KINDS.get(operation) or ("HeadRequests" if http.method == "HEAD" else "")
    if not kind and "Key" in request:
        kind = _METHODS.get(http.method, "")
    if kind:
        found.append((kind, 1.0))
    down = 0 if http.method == "HEAD" or status in (204, 304) else _length(dict(sent.headers)) or len(sent.body)
    up = _number(http.headers.get("x-amz-decoded-content-length") or http.headers.get("content-length"))
    if down:
        found.append(("BytesDownloaded", float(down)))
    if up:
        found.append(("BytesUploaded", float(up)))
    if isinstance(request.get("Body", b""), bytes):
        found.append(("FirstByteLatency", took_ms))
    if sent.body or not down:
        found.append(("TotalRequestLatency", took_ms))
    return found


def _length(headers: Mapping[str, str]) -> int:
    return next((_number(value) for name, value in headers.items() if name.lower() == "content-length"), 0)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def _meters(ctx: Context, bucket: Bucket, id: str) -> Meters:
    memory: dict[tuple[str, str], Meters] = ctx.runtime.memory.setdefault(_PLACE, {})
    found = memory.get((bucket.name, id))
    if found is None:
        if len(memory) >= _MOST:
            memory.clear()
        found = memory[bucket.name, id] = {}
    return found


def _series(ctx: Context, bucket: Bucket, id: str, name: str) -> Series:
    dimensions = {"BucketName": bucket.name, "FilterId": id}
    metrics = service_metrics.of(ctx.runtime)
    return metrics.series(bucket.account, bucket.region, NAMESPACE, name, _UNITS[name], dimensions)
