"""The small settings of a bucket: who pays for requests, acceleration, attribute-based access control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import keep
from cumulo.services.storage.s3.errors import INVALID_REQUEST, MALFORMED_XML
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t


@operation
def put_bucket_request_payment(ctx: Context, request: t.PutBucketRequestPaymentRequest) -> None:
    """Who pays: the owner, or whoever asks."""
    bucket = access.bucket_for(ctx, request)
    bucket.requester_pays = request["RequestPaymentConfiguration"]["Payer"] == "Requester"
    keep(ctx, bucket)


@operation
def get_bucket_request_payment(
    ctx: Context, request: t.GetBucketRequestPaymentRequest
) -> t.GetBucketRequestPaymentOutput:
    """Who pays."""
    bucket = access.bucket_for(ctx, request)
    return {"Payer": "Requester" if bucket.requester_pays else "BucketOwner"}


@operation
def put_bucket_accelerate_configuration(ctx: Context, request: t.PutBucketAccelerateConfigurationRequest) -> None:
    """Whether the bucket answers under its accelerated host name. The text was observed in AWS's answers."""
    bucket = access.bucket_for(ctx, request)
    if "." in bucket.name:
        raise INVALID_REQUEST("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
    status = request["AccelerateConfiguration"].get("Status")
    if status is None:
        raise MALFORMED_XML()
    bucket.acceleration = status
    keep(ctx, bucket)


@operation
def get_bucket_accelerate_configuration(
    ctx: Context, request: t.GetBucketAccelerateConfigurationRequest
) -> t.GetBucketAccelerateConfigurationOutput:
    """The state; nothing where it was never set."""
    bucket = access.bucket_for(ctx, request)
    found: t.GetBucketAccelerateConfigurationOutput = {}
    if bucket.acceleration:
        found["Status"] = bucket.acceleration
    if access.charged(ctx, bucket, request):
        found["RequestCharged"] = "requester"
    return found


@operation
def put_bucket_abac(ctx: Context, request: t.PutBucketAbacRequest) -> None:
    """Whether the bucket's tags take part in decisions (aws:ResourceTag, s3:BucketTag)."""
    bucket = access.bucket_for(ctx, request)
    status = request["AbacStatus"].get("Status")
    if status is None:
        raise MALFORMED_XML()
    bucket.abac = status == "Enabled"
    keep(ctx, bucket)


@operation
def get_bucket_abac(ctx: Context, request: t.GetBucketAbacRequest) -> t.GetBucketAbacOutput:
    """Whether tags take part in decisions."""
    bucket = access.bucket_for(ctx, request)
    return {"AbacStatus": {"Status": "Enabled" if bucket.abac else "Disabled"}}
