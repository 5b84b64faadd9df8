"""Access logs as deliveries of CloudWatch Logs want them: every answer of a bucket becomes a record of a log group.

A record is kept on disk when its answer goes out, and delivered a minute later.
Source: Amazon S3 User Guide, "Log format in CloudWatch Logs".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.monitoring import vended_logs
from cumulo.core.monitoring.vended_logs import VendedDelivery, VendedRecord
from cumulo.core.operation import task
from cumulo.core.s3.buckets import BUCKETS, VENDED
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.storage.s3.monitoring import log_lines

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

KIND = VENDED
DELIVERY_S = 60.0  # AWS: within minutes
RECORDS_AT_ONCE = 5000


class WaitingRecord(Record):
    """A record that waits; `number` are nanoseconds of cloud time, unique in its bucket. `document` is msgpack."""

    bucket: str
    number: int
    document: bytes


RECORDS = Table(WaitingRecord, name="s3.vended_records", key=("bucket", "number"), scope=GLOBAL)


def listener(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> Callable[[Any], None]:
    """What writes down the answer to this request when it goes out."""

    def heard(sent: Any) -> None:
        document = msgspec.msgpack.encode(log_lines.record(ctx, bucket, request, sent))
        ctx.runtime.store.transact(lambda txn: _keep(ctx, txn, bucket, document), _kept)

    return heard


def _keep(ctx: Context, txn: Any, bucket: Bucket, document: bytes) -> None:
    own = ctx.runtime.internal_context("s3", "VendedLogs", bucket.account, bucket.region)
    own.enter(txn)
    last = RECORDS.range(own, bucket.name, reverse=True, limit=1)
    number = int(own.now() * 1e9)
    if last:
        number = max(number, last[0].number + 1)
    else:
        own.later(deliver_vended, {"bucket": bucket.name}, at=own.now() + DELIVERY_S, lane=f"s3.vended {bucket.name}")
    RECORDS.put(own, WaitingRecord(bucket.name, number, document))


def _kept(result: None, error: BaseException | None) -> None:
    """Logs are delivered with best effort: a full disk must not keep an answer back."""


@task
async def deliver_vended(ctx: Context, payload: dict[str, Any]) -> None:
    """Put the records of a bucket where its deliveries say."""
    name = payload["bucket"]
    bucket, deliveries, waiting = await ctx.transact(partial(_found, name=name))
    if bucket is not None:
        records = [VendedRecord(each.number // 1_000_000, msgspec.msgpack.decode(each.document)) for each in waiting]
        for delivery in deliveries:
            await vended_logs.deliver(
                ctx, delivery, f"S3_{name}", records, account=bucket.account, region=bucket.region
            )
    await ctx.transact(partial(_drop, name=name, waiting=waiting))


def _found(ctx: Context, name: str) -> tuple[Bucket | None, list[VendedDelivery], list[WaitingRecord]]:
    bucket = BUCKETS.peek(ctx, name)
    waiting = RECORDS.range(ctx, name, limit=RECORDS_AT_ONCE)
    if bucket is None:
        return None, [], waiting
    where = {"account": bucket.account, "region": bucket.region}
    return bucket, vended_logs.deliveries(ctx, bucket.arn, vended_logs.S3_ACCESS, **where), waiting


def _drop(ctx: Context, name: str, waiting: list[WaitingRecord]) -> None:
    for each in waiting:
        RECORDS.delete(ctx, each)
    if RECORDS.range(ctx, name, limit=1):
        ctx.later(deliver_vended, {"bucket": name}, at=ctx.now() + DELIVERY_S, lane=f"s3.vended {name}")
