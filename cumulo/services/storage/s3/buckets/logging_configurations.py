"""Where the access log of a bucket goes.

Sources: S3 User Guide, "Enabling Amazon S3 server access logging"; S3 API Reference, PutBucketLogging; the texts were
observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import BUCKET_OWNER_ENFORCED, BUCKETS
from cumulo.services.storage.s3.errors import (
    ACLS_NOT_SUPPORTED,
    CROSS_LOCATION_LOGGING,
    INVALID_LOGGING_TARGET,
    MALFORMED_XML,
)
from cumulo.services.storage.s3.rights import access, acls
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.stubs import s3 as t

KIND = "logging"


@operation
def put_bucket_logging(ctx: Context, request: t.PutBucketLoggingRequest) -> None:
    """Set where to, or with an empty status: log no more."""
    bucket = access.bucket_for(ctx, request)
    enabled: Mapping[str, Any] | None = request["BucketLoggingStatus"].get("LoggingEnabled")
    if enabled is None:
        configurations.remove(ctx, bucket, KIND)
        return
    _check_target(ctx, bucket, enabled)
    form = enabled.get("TargetObjectKeyFormat")
    if form is not None and len(form) != 1:
        raise MALFORMED_XML()
    configurations.put(ctx, bucket, KIND, dict(enabled))


def _check_target(ctx: Context, bucket: Bucket, enabled: Mapping[str, Any]) -> None:
    target = BUCKETS.peek(ctx, enabled["TargetBucket"])
    members = {"TargetBucket": enabled["TargetBucket"]}
    if target is None:
        raise INVALID_LOGGING_TARGET("The target bucket for logging does not exist", members=members)
    if target.account != bucket.account:
        raise INVALID_LOGGING_TARGET(
            "The owner for the bucket to be logged and the target bucket must be the same.", members=members
        )
    if target.region != bucket.region:
        places = {"TargetBucketLocation": target.region}
        if bucket.region != "us-east-1":
            places = {"SourceBucketLocation": bucket.region, **places}
        raise CROSS_LOCATION_LOGGING(members=places)
    grants = enabled.get("TargetGrants")
    if grants:
        if target.ownership == BUCKET_OWNER_ENFORCED:
            raise ACLS_NOT_SUPPORTED()
        acls.of_target_grants(grants)


@operation
def get_bucket_logging(ctx: Context, request: t.GetBucketLoggingRequest) -> t.GetBucketLoggingOutput:
    """Where to; nothing where nothing is logged."""
    bucket = access.bucket_for(ctx, request)
    found = configurations.find(ctx, bucket, KIND)
    return {"LoggingEnabled": found} if found is not None else {}  # type: ignore[typeddict-item]
