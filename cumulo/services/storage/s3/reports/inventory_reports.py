"""Inventories at work: every day, or every Sunday, the lists that are configured are written.

A report is one or more files of CSV, ORC or Parquet, a manifest that names them with their MD5, the manifest's own
checksum, and Hive's list of the files; the destination's policy must let s3.amazonaws.com in.

Source: Amazon S3 User Guide, "Cataloging and analyzing your data with S3 Inventory", "Locating your inventory list".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import scratch
from cumulo.core.errors import Fault, not_implemented
from cumulo.core.operation import task
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.buckets import configuration_lists
from cumulo.services.storage.s3.errors import NO_INVENTORY_WRITER
from cumulo.services.storage.s3.lifecycles import lifecycle_configurations, lifecycle_rules
from cumulo.services.storage.s3.reports import inventory_columns, inventory_files
from cumulo.services.storage.s3.reports.inventory_columns import Rows
from cumulo.services.storage.s3.stored import configurations
from cumulo.services.storage.s3.stored.object_versions import CURRENT, NONCURRENT

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.reports.inventory_columns import Column
    from cumulo.services.storage.s3.reports.inventory_files import Row
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

KIND = "inventory"
DAY_S = 86_400
ROWS_A_FILE = 100_000
PAGE = 1000


def schedule(ctx: Context, bucket: Bucket, id: str, frequency: str) -> None:
    """Write the report of a configuration when it is due next: at midnight, weekly ones on Sunday's."""
    ctx.later(write, {"bucket": bucket.name, "id": id, "frequency": frequency}, at=next_report(ctx.now(), frequency))


def next_report(now: float, frequency: str) -> float:
    """The next midnight (of UTC), of a Sunday for Weekly, in seconds since 1970."""
    midnight = (int(now) // DAY_S + 1) * DAY_S
    if frequency == "Weekly":
        weekday = datetime.fromtimestamp(midnight, UTC).isoweekday() % 7
        midnight += (7 - weekday) % 7 * DAY_S
    return float(midnight)


@task
async def write(ctx: Context, payload: dict[str, Any]) -> None:
    """Write one report, and plan the next."""
    found = await ctx.transact(lambda ctx: _found(ctx, payload))
    if found is None:
        return
    bucket, document = found
    if document["IsEnabled"]:
        try:
            await _report(ctx, bucket, document)
        except Fault as fault:
            ctx.logger.warning("the inventory %s of %s was not written: %s", document["Id"], bucket.name, fault)
    await ctx.transact(lambda ctx: schedule(ctx, bucket, document["Id"], document["Schedule"]["Frequency"]))


def _found(ctx: Context, payload: dict[str, Any]) -> tuple[Bucket, dict[str, Any]] | None:
    bucket = BUCKETS.peek(ctx, payload["bucket"])
    document = configurations.find(ctx, bucket, KIND, payload["id"]) if bucket is not None else None
    if bucket is None or document is None or document["Schedule"]["Frequency"] != payload["frequency"]:
        return None  # it is gone, or planned anew since
    return bucket, document


async def _report(ctx: Context, bucket: Bucket, document: dict[str, Any]) -> None:
    destination = document["Destination"]["S3BucketDestination"]
    now, format = ctx.now(), destination["Format"]
    columns = inventory_columns.of(document)
    prefix = destination.get("Prefix", "")
    root = f"{prefix}/{bucket.name}/{document['Id']}" if prefix else f"{bucket.name}/{document['Id']}"
    request = {"Bucket": configuration_lists.bucket_name(destination["Bucket"]), **_encryption(destination)}
    if destination.get("AccountId"):
        request["ExpectedBucketOwner"] = destination["AccountId"]
    clients = ctx.as_service("s3", source_arn=bucket.arn, account=bucket.account, region=bucket.region)
    files = []
    async for data in _files(ctx, bucket, document, format, columns):
        key = f"{root}/data/{ctx.uuid()}.{inventory_files.ENDINGS[format]}"
        media_type = inventory_files.media_type(format)
        await clients.s3.put_object({**request, "Key": key, "Body": data, "ContentType": media_type})
        files.append({"key": key, "size": len(data), "MD5checksum": md5(data, usedforsecurity=False).hexdigest()})
    manifest = msgspec.json.encode(
        {
            "sourceBucket": bucket.name,
            "destinationBucket": destination["Bucket"],
            "version": "2016-11-30",
            "creationTimestamp": str(int(now * 1000)),
            "fileFormat": format,
            "fileSchema": inventory_columns.schema(columns, format),
            "files": files,
        }
    )
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H-%MZ")
    digest = md5(manifest, usedforsecurity=False).hexdigest().encode()
    await clients.s3.put_object({**request, "Key": f"{root}/{stamp}/manifest.json", "Body": manifest})
    await clients.s3.put_object({**request, "Key": f"{root}/{stamp}/manifest.checksum", "Body": digest})
    links = "".join([f"s3://{request['Bucket']}/{file['key']}\n" for file in files]).encode()
    day = datetime.fromtimestamp(now, UTC).strftime("dt=%Y-%m-%d-%H-%M")
    await clients.s3.put_object({**request, "Key": f"{root}/hive/{day}/symlink.txt", "Body": links})


def _encryption(destination: dict[str, Any]) -> dict[str, str]:
    wanted = destination.get("Encryption") or {}
    if "SSEKMS" in wanted:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": wanted["SSEKMS"]["KeyId"]}
    return {"ServerSideEncryption": "AES256"} if "SSES3" in wanted else {}


async def _files(ctx: Context, bucket: Bucket, document: dict[str, Any], format: str, columns: list[Column]) -> Any:
    """The files of a report."""
    rules = await ctx.transact(lambda ctx: configurations.find(ctx, bucket, lifecycle_configurations.KIND) or {})
    made = Rows(bucket, columns, lifecycle_rules.rules_of(rules), ctx.now())
    folder = scratch.new_folder(ctx)
    try:
        rows: list[Row] = []
        async for page in _pages(ctx, bucket, document):
            rows += [made.row(version, newest) for version, newest in page]
            if len(rows) >= ROWS_A_FILE:
                yield await ctx.in_thread(partial(inventory_files.packed, format, columns, rows, folder))
                rows = []
        yield await ctx.in_thread(partial(inventory_files.packed, format, columns, rows, folder))
    finally:
        await ctx.in_thread(partial(scratch.drop, folder))


async def _pages(ctx: Context, bucket: Bucket, document: dict[str, Any]) -> Any:
    """Pages of versions in key order, each with whether it is its key's newest."""
    prefix = (document.get("Filter") or {}).get("Prefix", "")
    everything = document["IncludedObjectVersions"] == "All"
    for table in (CURRENT, NONCURRENT) if everything else (CURRENT,):
        after: Any = None
        while True:
            place = after
            page = await ctx.transact(lambda ctx, t=table, p=place: _page(ctx, t, bucket, prefix, p))  # type: ignore[misc]
            if not page:
                break
            after = table.key_of(page[-1][0])
            yield [each for each in page if each[0].key.startswith(prefix)]
            if not page[-1][0].key.startswith(prefix) and page[-1][0].key > prefix:
                break


def _page(ctx: Context, table: Any, bucket: Bucket, prefix: str, after: Any) -> list[tuple[ObjectVersion, bool]]:
    start = (prefix,) if prefix and after is None else None
    found = table.range(ctx, bucket.name, after=after, start=start, limit=PAGE)
    newest: dict[str, bool] = {}
    pairs = []
    for version in found:
        if table is CURRENT:
            pairs.append((version, True))
            continue
        if version.key not in newest:
            first = NONCURRENT.range(ctx, bucket.name, version.key, limit=1)[0]
            there = CURRENT.peek(ctx, bucket.name, version.key) is not None
            newest[version.key] = not there and first.sequence == version.sequence
        pairs.append((version, newest[version.key]))
        newest[version.key] = False
    return pairs


def check(document: Mapping[str, Any]) -> None:
    """Refuse what cannot be written: a column that is not made, a format whose writer is not installed."""
    destination = document["Destination"]["S3BucketDestination"]
    for field in document.get("OptionalFields") or ():
        if field not in inventory_columns.FIELDS:
            raise not_implemented("s3", "PutBucketInventoryConfiguration", f"OptionalFields={field}")
    hint = inventory_files.missing(destination["Format"])
    if hint:
        raise NO_INVENTORY_WRITER(format=destination["Format"], hint=hint)
