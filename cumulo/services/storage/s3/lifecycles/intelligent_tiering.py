"""Intelligent tiering configurations: after how many days without access objects get into the archive tiers.

Source: S3 User Guide, "Managing S3 Intelligent-Tiering": Archive Access from 90, Deep Archive Access from 180 days on,
both 730 at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.storage.s3.buckets import configuration_lists
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, MALFORMED_XML
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

KIND = "intelligent-tiering"
_SHORTEST = {"ARCHIVE_ACCESS": 90, "DEEP_ARCHIVE_ACCESS": 180}
LONGEST = 730


@operation
def put_bucket_intelligent_tiering_configuration(
    ctx: Context, request: t.PutBucketIntelligentTieringConfigurationRequest
) -> None:
    """Keep a configuration, in place of the one of the same id."""
    bucket = access.bucket_for(ctx, request)
    given = request["IntelligentTieringConfiguration"]
    configuration_lists.check_filter(given.get("Filter"))
    tiers = [tiering["AccessTier"] for tiering in given["Tierings"]]
    if not tiers or len(set(tiers)) != len(tiers):
        raise MALFORMED_XML()
    for tiering in given["Tierings"]:
        if not _SHORTEST[tiering["AccessTier"]] <= tiering["Days"] <= LONGEST:
            raise INVALID_ARGUMENT(
                "The number of days for the access tier is not valid",
                members={"ArgumentName": "Days", "ArgumentValue": str(tiering["Days"])},
            )
    configuration_lists.put(ctx, bucket, KIND, request, given)


@operation
def get_bucket_intelligent_tiering_configuration(
    ctx: Context, request: t.GetBucketIntelligentTieringConfigurationRequest
) -> t.GetBucketIntelligentTieringConfigurationOutput:
    """The configuration of an id."""
    return {"IntelligentTieringConfiguration": configuration_lists.get(ctx, request, KIND)}  # type: ignore[typeddict-item]


@operation
def delete_bucket_intelligent_tiering_configuration(
    ctx: Context, request: t.DeleteBucketIntelligentTieringConfigurationRequest
) -> None:
    """Drop the configuration of an id."""
    configuration_lists.delete(ctx, request, KIND)


@operation
def list_bucket_intelligent_tiering_configurations(
    ctx: Context, request: t.ListBucketIntelligentTieringConfigurationsRequest
) -> t.ListBucketIntelligentTieringConfigurationsOutput:
    """A page of the configurations, by id."""
    return configuration_lists.page(ctx, request, KIND, "IntelligentTieringConfigurationList")  # type: ignore[return-value]
