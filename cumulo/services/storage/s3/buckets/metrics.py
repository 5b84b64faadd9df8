"""Metrics configurations: of which objects the requests are to be counted.

Source: S3 User Guide, "CloudWatch metrics configurations".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.storage.s3.buckets import configuration_lists
from cumulo.services.storage.s3.errors import INVALID_REQUEST
from cumulo.services.storage.s3.monitoring import request_metrics
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

KIND = request_metrics.KIND


@operation
def put_bucket_metrics_configuration(ctx: Context, request: t.PutBucketMetricsConfigurationRequest) -> None:
    """Keep a configuration, in place of the one of the same id."""
    bucket = access.bucket_for(ctx, request)
    given = request["MetricsConfiguration"]
    configuration_lists.check_filter(given.get("Filter"))
    if bucket.zone and _has_tags(given.get("Filter") or {}):
        raise INVALID_REQUEST("Metrics configurations for directory buckets do not support tag filters.")
    configuration_lists.put(ctx, bucket, KIND, request, given)


def _has_tags(given: Mapping[str, Any]) -> bool:
    return "Tag" in given or "Tags" in (given.get("And") or {})


@operation
def get_bucket_metrics_configuration(
    ctx: Context, request: t.GetBucketMetricsConfigurationRequest
) -> t.GetBucketMetricsConfigurationOutput:
    """The configuration of an id."""
    return {"MetricsConfiguration": configuration_lists.get(ctx, request, KIND)}  # type: ignore[typeddict-item]


@operation
def delete_bucket_metrics_configuration(ctx: Context, request: t.DeleteBucketMetricsConfigurationRequest) -> None:
    """Drop the configuration of an id."""
    configuration_lists.delete(ctx, request, KIND)


@operation
def list_bucket_metrics_configurations(
    ctx: Context, request: t.ListBucketMetricsConfigurationsRequest
) -> t.ListBucketMetricsConfigurationsOutput:
    """A page of the configurations, by id."""
    return configuration_lists.page(ctx, request, KIND, "MetricsConfigurationList")  # type: ignore[return-value]
