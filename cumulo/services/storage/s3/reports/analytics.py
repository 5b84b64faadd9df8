"""Analytics configurations: of which objects the access is to be watched, and where to it is written.

Source: S3 User Guide, "Amazon S3 analytics - Storage Class Analysis".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.storage.s3.buckets import configuration_lists
from cumulo.services.storage.s3.reports import analytics_exports
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

KIND = "analytics"


@operation
def put_bucket_analytics_configuration(ctx: Context, request: t.PutBucketAnalyticsConfigurationRequest) -> None:
    """Keep a configuration, in place of the one of the same id."""
    bucket = access.bucket_for(ctx, request)
    given = request["AnalyticsConfiguration"]
    configuration_lists.check_filter(given.get("Filter"))
    export = given["StorageClassAnalysis"].get("DataExport")
    if export is not None:
        configuration_lists.bucket_name(export["Destination"]["S3BucketDestination"]["Bucket"])
    before = configurations.find(ctx, bucket, KIND, request["Id"])
    configuration_lists.put(ctx, bucket, KIND, request, given)
    if before is None:
        analytics_exports.schedule(ctx, bucket, given["Id"])


@operation
def get_bucket_analytics_configuration(
    ctx: Context, request: t.GetBucketAnalyticsConfigurationRequest
) -> t.GetBucketAnalyticsConfigurationOutput:
    """The configuration of an id."""
    return {"AnalyticsConfiguration": configuration_lists.get(ctx, request, KIND)}  # type: ignore[typeddict-item]


@operation
def delete_bucket_analytics_configuration(ctx: Context, request: t.DeleteBucketAnalyticsConfigurationRequest) -> None:
    """Drop the configuration of an id."""
    configuration_lists.delete(ctx, request, KIND)


@operation
def list_bucket_analytics_configurations(
    ctx: Context, request: t.ListBucketAnalyticsConfigurationsRequest
) -> t.ListBucketAnalyticsConfigurationsOutput:
    """A page of the configurations, by id."""
    return configuration_lists.page(ctx, request, KIND, "AnalyticsConfigurationList")  # type: ignore[return-value]
