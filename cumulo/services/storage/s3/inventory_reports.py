"""Inventories at work: every day, or every Sunday, the lists that are configured are written.

A report is one or more gzipped CSV files, a manifest that names them with their MD5, and the manifest's own checksum;
the destination's policy must let s3.amazonaws.com in. Parquet and ORC are refused when they are configured.

Source: Amazon S3 User Guide, "Cataloging and analyzing your data with S3 Inventory", "Locating your inventory list".
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import md5
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.services.storage.s3 import configuration_lists, configurations
from cumulo.services.storage.s3.buckets import BUCKETS
from cumulo.services.storage.s3.object_versions import CURRENT, NONCURRENT

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.buckets import Bucket
    from cumulo.services.storage.s3.object_versions import ObjectVersion

KIND = "inventory"
DAY_S = 86_400
ROWS_A_FILE = 100_000
PAGE = 1000
# In the order of the columns. Source: "Amazon S3 Inventory list".
FIELDS = (
    "Size", "LastModifiedDate", "StorageClass", "ETag", "IsMultipartUploaded", "ReplicationStatus", "EncryptionStatus",
    "ObjectLockRetainUntilDate", "ObjectLockMode", "ObjectLockLegalHoldStatus", "IntelligentTieringAccessTier",
    "BucketKeyStatus", "ChecksumAlgorithm", "ObjectAccessControlList", "ObjectOwner",
)  # fmt: skip
REFUSED = frozenset(("ObjectAccessControlList", "LifecycleExpirationDate"))


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
    now = ctx.now()
    prefix = destination.get("Prefix", "")
    root = f"{prefix}/{bucket.name}/{document['Id']}" if prefix else f"{bucket.name}/{document['Id']}"
    request = {"Bucket": configuration_lists.bucket_name(destination["Bucket"]), **_encryption(destination)}
    clients = ctx.as_service("s3", source_arn=bucket.arn, account=bucket.account, region=bucket.region)
    files = []
    async for data in _files(ctx, bucket, document):
        key = f"{root}/data/{ctx.uuid()}.csv.gz"
        await clients.s3.put_object({**request, "Key": key, "Body": data, "ContentType": "application/gzip"})
        files.append({"key": key, "size": len(data), "MD5checksum": md5(data, usedforsecurity=False).hexdigest()})
    manifest = msgspec.json.encode(
        {
            "sourceBucket": bucket.name,
            "destinationBucket": destination["Bucket"],
            "version": "2016-11-30",
            "creationTimestamp": str(int(now * 1000)),
            "fileFormat": "CSV",
            "fileSchema": ", ".join(columns(document)),
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


async def _files(ctx: Context, bucket: Bucket, document: dict[str, Any]) -> Any:
    """The files of a report: gzipped CSV."""
    rows: list[list[str]] = []
    async for page in _pages(ctx, bucket, document):
        rows += [row(bucket, document, version, newest) for version, newest in page]
        if len(rows) >= ROWS_A_FILE:
            data, rows = rows, []
            yield await ctx.in_thread(lambda data=data: packed(data))  # type: ignore[misc]
    yield await ctx.in_thread(lambda: packed(rows))


def packed(rows: Iterable[list[str]]) -> bytes:
    """Rows as gzipped CSV, every value in quotes."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return gzip.compress(text.getvalue().encode("utf-8", "replace"), 6, mtime=0)


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


def columns(document: dict[str, Any]) -> list[str]:
    """The columns of a report."""
    wanted = document.get("OptionalFields") or ()
    versions = ["VersionId", "IsLatest", "IsDeleteMarker"] if document["IncludedObjectVersions"] == "All" else []
    return ["Bucket", "Key", *versions, *[field for field in FIELDS if field in wanted]]


def row(bucket: Bucket, document: dict[str, Any], version: ObjectVersion, newest: bool) -> list[str]:
    """The values of a version, as the columns have them."""
    values: dict[str, str] = {
        "Bucket": bucket.name,
        "Key": quote(version.key, safe="/"),
        "VersionId": "" if version.version_id == "null" else version.version_id,
        "IsLatest": _said(newest),
        "IsDeleteMarker": _said(version.delete_marker),
        "LastModifiedDate": _instant(version.modified_at),
    }
    if not version.delete_marker:
        values |= {
            "Size": str(version.size),
            "StorageClass": version.storage_class,
            "ETag": version.etag,
            "IsMultipartUploaded": _said(version.parts_count > 0),
            "ReplicationStatus": version.replication_status,
            "EncryptionStatus": {"AES256": "SSE-S3", "aws:kms": "SSE-KMS", "aws:kms:dsse": "DSSE-KMS"}.get(
                version.encryption, version.encryption
            ),
            "ObjectLockRetainUntilDate": _instant(version.retain_until) if version.retain_until else "",
            "ObjectLockMode": version.lock_mode,
            "ObjectLockLegalHoldStatus": "ON" if version.legal_hold else "OFF",
            "BucketKeyStatus": ("ENABLED" if version.bucket_key else "DISABLED") if version.sealed_key else "",
            "ChecksumAlgorithm": next(iter(version.checksums), ""),
            "ObjectOwner": version.owner,
        }
    return [values.get(column, "") for column in columns(document)]


def _said(value: bool) -> str:
    return "true" if value else "false"


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(seconds * 1000) % 1000:03d}Z"


def check(document: dict[str, Any]) -> Iterator[str]:
    """What of a configuration is not done, by name."""
    destination = document["Destination"]["S3BucketDestination"]
    if destination["Format"] != "CSV":
        yield f"Format={destination['Format']}"
    for field in document.get("OptionalFields") or ():
        if field not in FIELDS or field in REFUSED:
            yield f"OptionalFields={field}"
