"""Storage metrics: how much lies in every bucket, counted once a day and given to CloudWatch as of that midnight (UTC).

One chain of tasks goes over all buckets, so many rows at a time, and keeps what it has counted in its payload. Source:
S3 User Guide, "Metrics and dimensions", "Amazon S3 daily storage metrics for buckets in CloudWatch" (versions, delete
markers and the parts of uploads count too; a bucket without anything has no metrics).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import reconciler, task
from cumulo.core.s3.buckets import BUCKETS, Bucket
from cumulo.core.table import GLOBAL, Space, pack, prefix_range
from cumulo.services.storage.s3.lifecycles import lifecycle_rules
from cumulo.services.storage.s3.lifecycles.lifecycle_rules import DAY_S
from cumulo.services.storage.s3.listings import listed_versions
from cumulo.services.storage.s3.monitoring.request_metrics import NAMESPACE
from cumulo.services.storage.s3.reports import inventory_columns
from cumulo.services.storage.s3.stored import archives, open_uploads
from cumulo.services.storage.s3.stored.object_versions import CURRENT, NONCURRENT, ObjectVersion
from cumulo.services.storage.s3.stored.open_uploads import UPLOADS

if TYPE_CHECKING:
    from cumulo.core.context import Context

LOOK_S = 600  # how long after midnight the counting may begin
ROWS = 2000  # counted by one task
DATA = 500  # of one PutMetricData
_DAY = "s3.storage_metrics_day"
_DAYS = Space("s3.storage_metrics", scope=GLOBAL)
_COUNT = "NumberOfObjects"
_TYPES = {
    "STANDARD": "StandardStorage", "REDUCED_REDUNDANCY": "ReducedRedundancyStorage",
    "STANDARD_IA": "StandardIAStorage", "ONEZONE_IA": "OneZoneIAStorage",
    "GLACIER_IR": "GlacierInstantRetrievalStorage", "GLACIER": "GlacierStorage",
    "DEEP_ARCHIVE": "DeepArchiveStorage", "EXPRESS_ONEZONE": "ExpressOneZoneStorage",
}  # fmt: skip
_SMALL = {
    "STANDARD_IA": "StandardIASizeOverhead", "ONEZONE_IA": "OneZoneIASizeOverhead",
    "GLACIER_IR": "GlacierIRSizeOverhead",
}  # fmt: skip
_ARCHIVED = {"GLACIER": "Glacier", "DEEP_ARCHIVE": "DeepArchive"}
_ARCHIVED_B, _INDEX_B = 32_768, 8192
_TIERS = {
    "FREQUENT": "IntelligentTieringFAStorage", "INFREQUENT": "IntelligentTieringIAStorage",
    "ARCHIVE_INSTANT_ACCESS": "IntelligentTieringAIAStorage", "ARCHIVE": "IntelligentTieringAAStorage",
    "DEEP_ARCHIVE": "IntelligentTieringDAAStorage",
}  # fmt: skip
_STAGING = {"GLACIER": "GlacierStagingStorage", "DEEP_ARCHIVE": "DeepArchiveStagingStorage"}

Sums = dict[str, int]


@reconciler(every_s=LOOK_S)
async def begin_counting(ctx: Context) -> None:
    """Begin the day's counting, once."""
    day = int(ctx.now() // DAY_S)
    if ctx.runtime.memory.get(_DAY) == day or "cloudwatch" not in ctx.runtime.registry.names:
        return

    def begin(ctx: Context) -> None:
        place = _DAYS.key(ctx, "day")
        if ctx.txn.get(place) != str(day).encode():
            ctx.txn.put(place, str(day).encode())
            ctx.later(count_storage, {"day": day, "bucket": "", "after": "", "sums": {}})

    await ctx.transact(begin)
    ctx.runtime.memory[_DAY] = day


@task
def count_storage(ctx: Context, payload: dict[str, Any]) -> None:
    """Count some rows, tell of the buckets that are done, and go on behind them."""
    at, left = float(payload["day"] * DAY_S), ROWS
    name, after, sums = payload["bucket"], payload["after"], dict(payload["sums"])
    data: dict[tuple[str, str], list[dict[str, Any]]] = {}
    while left > 0:
        bucket = BUCKETS.peek(ctx, name) if after else None
        if bucket is None:
            found = BUCKETS.range(ctx, after=(name,) if name else None, limit=1)
            if not found:
                _tell(ctx, data)
                return
            bucket, after, sums = found[0], "", {}
        name = bucket.name
        counted, after = _some(ctx, bucket, after, left, sums, at)
        left -= counted + 1
        if not after and sums:
            data.setdefault((bucket.account, bucket.region), []).extend(_data(bucket, sums, at))
    _tell(ctx, data)
    ctx.later(count_storage, {"day": payload["day"], "bucket": name, "after": after, "sums": sums if after else {}})


def _some(ctx: Context, bucket: Bucket, after: str, limit: int, sums: Sums, now: float) -> tuple[int, str]:
    """Count up to so many rows of a bucket, behind a place; how many, and where to go on ("" for nowhere)."""
    number, _, edge = after.partition(" ")
    tables = (CURRENT, NONCURRENT, UPLOADS)
    for at in range(int(number or 0), len(tables)):
        table = tables[at]
        begin, end = prefix_range(table.prefix("", "") + pack(bucket.name))
        if edge:
            begin = bytes.fromhex(edge) + b"\x00"
        rows = ctx.txn.range(begin, end, limit=limit)
        for _, data in rows:
            if table is UPLOADS:
                _add_upload(ctx, UPLOADS.codec.decode(data), sums)
            else:
                _add(_read(data), sums, now)
        if len(rows) == limit:
            return limit, f"{at} {rows[-1][0].hex()}"
        if rows:
            return len(rows), f"{at + 1} " if at + 1 < len(tables) else ""
        edge = ""
    return 0, ""


def _read(data: bytes) -> Any:
    """As little of a version as is needed: all of it only where its tier is asked for."""
    found = listed_versions.listed(data)
    return CURRENT.codec.decode(data) if found.storage_class == archives.TIERING else found


def _add(version: Any, sums: Sums, now: float) -> None:
    sums[_COUNT] = sums.get(_COUNT, 0) + 1
    if version.delete_marker:
        return
    name, size = version.storage_class, version.size
    if name == "STANDARD":  # as most are
        sums["StandardStorage"] = sums.get("StandardStorage", 0) + size
        return
    if isinstance(version, ObjectVersion) and name == archives.TIERING:
        kind = _TIERS[inventory_columns.tier(version, now)]
    else:
        kind = _TYPES.get(name, "StandardStorage")
    amounts = {kind: size}
    if name in _SMALL and size < lifecycle_rules.SMALL_BYTES:
        amounts[_SMALL[name]] = lifecycle_rules.SMALL_BYTES - size
    if name in _ARCHIVED:
        amounts[f"{_ARCHIVED[name]}ObjectOverhead"] = _ARCHIVED_B
        amounts[f"{_ARCHIVED[name]}S3ObjectOverhead"] = _INDEX_B
    for each, amount in amounts.items():
        sums[each] = sums.get(each, 0) + amount


def _add_upload(ctx: Context, upload: Any, sums: Sums) -> None:
    """The parts of an upload that goes on; those for an archive are staged in STANDARD."""
    name = upload.draft.storage_class
    kind = _STAGING.get(name) or _TYPES.get(name) or _TIERS["FREQUENT"]
    for part in open_uploads.parts_of(ctx, upload):
        sums[_COUNT] = sums.get(_COUNT, 0) + 1
        sums[kind] = sums.get(kind, 0) + part.size


def _data(bucket: Bucket, sums: Sums, at: float) -> list[dict[str, Any]]:
    found = []
    for kind, amount in sums.items():
        name, unit, storage = ("BucketSizeBytes", "Bytes", kind)
        if kind == _COUNT:
            name, unit, storage = _COUNT, "Count", "AllStorageTypes"
        dimensions = [{"Name": "BucketName", "Value": bucket.name}, {"Name": "StorageType", "Value": storage}]
        found.append(
            {"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Unit": unit, "Value": float(amount)}
        )
    return found


def _tell(ctx: Context, data: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    for (account, region), found in data.items():
        for at in range(0, len(found), DATA):
            request = {"Namespace": NAMESPACE, "MetricData": found[at : at + DATA]}
            try:
                ctx.call("cloudwatch", "PutMetricData", request, internal=True, account=account, region=region)
            except Fault as fault:  # older than two weeks, after a jump of the cloud's time
                ctx.logger.warning("the storage metrics of a day are lost: %s", fault)
