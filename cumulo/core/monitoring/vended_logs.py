"""Vended logs: what a service writes about the use of a resource, delivered where CloudWatch Logs' deliveries say.

CloudWatch Logs keeps the deliveries; the service that vends looks here where its records go, and puts them there as
delivery.logs.amazonaws.com, whom the log group's resource policy must let in. What is refused is lost, as on AWS.
Source: CloudWatch Logs User Guide, "Enable logging from AWS services".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import Retry
from cumulo.core.table import REGION, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

SERVICE = "delivery.logs"
BATCH_EVENTS, BATCH_BYTES, OVERHEAD_BYTES, BATCH_MS = 10_000, 1_048_576, 26, 86_400_000  # of PutLogEvents
RETRY_S = 60.0

S3_ACCESS = "S3_SERVER_ACCESS_LOGS"
# What each type of log has in its records, in order. Source: Amazon S3 User Guide, "Log format in CloudWatch Logs";
# AWS CDK, CfnBucketS3ServerAccessLogsRecordFields.
FIELDS = {
    S3_ACCESS: (
        "schema_version_id", "bucket_arn", "bucket_name", "request_time", "bucket_owner_id", "remote_ip", "requester",
        "request_id", "operation", "key_name", "request_uri", "http_status", "error_code", "bytes_sent_size",
        "object_size", "total_duration", "turn_around_duration", "referer", "user_agent", "version_id", "host_id",
        "signature_version", "cipher_suite", "authentication_type", "host_header", "tls_version", "access_point_arn",
        "acl_required", "source_region",
    ),
}  # fmt: skip


class VendedDelivery(Record):
    """Where records of a resource go: a log group by its ARN, and the fields that are wanted, in order."""

    resource: str
    log_type: str
    id: str
    source_arn: str
    group_arn: str
    fields: list[str]


VENDED_DELIVERIES = Table(
    VendedDelivery, name="core.vended_deliveries", key=("resource", "log_type", "id"), scope=REGION
)


class VendedRecord(NamedTuple):
    """One record: when (in milliseconds), and its fields."""

    timestamp_ms: int
    fields: dict[str, Any]


def deliveries(ctx: Context, resource: str, log_type: str, *, account: str, region: str) -> list[VendedDelivery]:
    """Where records of this type about a resource go."""
    return VENDED_DELIVERIES.range(ctx, resource, log_type, account=account, region=region)


async def deliver(
    ctx: Context, delivery: VendedDelivery, stream: str, records: Sequence[VendedRecord], *, account: str, region: str
) -> None:
    """Put records, in the order of time, into a delivery's log group. Raises Retry when that may succeed later."""
    clients = ctx.as_service(SERVICE, source_arn=delivery.source_arn, account=account, region=region)
    where = {"logGroupName": delivery.group_arn.split(":", 6)[6], "logStreamName": stream}
    try:
        for events in _batches(delivery, records):
            try:
                await clients.logs.put_log_events({**where, "logEvents": events})
            except Fault as fault:
                if fault.code != "ResourceNotFoundException":
                    raise
                await clients.logs.create_log_stream(where)
                await clients.logs.put_log_events({**where, "logEvents": events})
    except Fault as fault:
        if not fault.sender:
            raise Retry(RETRY_S) from None
        ctx.logger.warning("the logs of %s are not taken by %s: %s", delivery.resource, delivery.group_arn, fault)


def _batches(delivery: VendedDelivery, records: Sequence[VendedRecord]) -> Iterator[list[dict[str, Any]]]:
    """Records as events, as many together as one PutLogEvents takes."""
    batch: list[dict[str, Any]] = []
    size = 0
    for record in records:
        message = msgspec.json.encode({name: record.fields.get(name) for name in delivery.fields})
        if batch and (
            len(batch) == BATCH_EVENTS
            or size + len(message) + OVERHEAD_BYTES > BATCH_BYTES
            or record.timestamp_ms - batch[0]["timestamp"] >= BATCH_MS
        ):
            yield batch
            batch, size = [], 0
        batch.append({"timestamp": record.timestamp_ms, "message": message.decode()})
        size += len(message) + OVERHEAD_BYTES
    if batch:
        yield batch
