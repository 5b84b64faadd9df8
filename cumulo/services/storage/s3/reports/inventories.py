"""Inventory configurations: which objects are to be listed, how often, into which bucket.

Source: S3 User Guide, "Cataloging and analyzing your data with S3 Inventory".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.storage.s3.buckets import configuration_lists
from cumulo.services.storage.s3.errors import MALFORMED_XML
from cumulo.services.storage.s3.reports import inventory_columns, inventory_reports
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

KIND = "inventory"


@operation
def put_bucket_inventory_configuration(ctx: Context, request: t.PutBucketInventoryConfigurationRequest) -> None:
    """Keep a configuration, in place of the one of the same id."""
    bucket = access.bucket_for(ctx, request)
    given = request["InventoryConfiguration"]
    configuration_lists.bucket_name(given["Destination"]["S3BucketDestination"]["Bucket"])
    encryption = given["Destination"]["S3BucketDestination"].get("Encryption", {})
    if len(encryption) > 1:
        raise MALFORMED_XML()
    if bucket.zone and not inventory_columns.OF_DIRECTORY_BUCKETS.issuperset(given.get("OptionalFields") or ()):
        raise MALFORMED_XML()
    inventory_reports.check(given)
    before = configurations.find(ctx, bucket, KIND, request["Id"])
    configuration_lists.put(ctx, bucket, KIND, request, given)
    frequency = given["Schedule"]["Frequency"]
    if before is None or before["Schedule"]["Frequency"] != frequency:
        inventory_reports.schedule(ctx, bucket, given["Id"], frequency)


@operation
def get_bucket_inventory_configuration(
    ctx: Context, request: t.GetBucketInventoryConfigurationRequest
) -> t.GetBucketInventoryConfigurationOutput:
    """The configuration of an id."""
    return {"InventoryConfiguration": configuration_lists.get(ctx, request, KIND)}  # type: ignore[typeddict-item]


@operation
def delete_bucket_inventory_configuration(ctx: Context, request: t.DeleteBucketInventoryConfigurationRequest) -> None:
    """Drop the configuration of an id."""
    configuration_lists.delete(ctx, request, KIND)


@operation
def list_bucket_inventory_configurations(
    ctx: Context, request: t.ListBucketInventoryConfigurationsRequest
) -> t.ListBucketInventoryConfigurationsOutput:
    """A page of the configurations, by id."""
    return configuration_lists.page(ctx, request, KIND, "InventoryConfigurationList")  # type: ignore[return-value]
