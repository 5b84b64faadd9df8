"""Storage class analysis exported: every midnight, what lies in a bucket by storage class and age, as CSV.

What is retrieved is not measured yet: the columns of retrievals, and what AWS recommends from them, stay empty.
Source: Amazon S3 User Guide, "Amazon S3 analytics – Storage Class Analysis", "What is exported".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.buckets import configuration_lists
from cumulo.services.storage.s3.reports import inventory_reports
from cumulo.services.storage.s3.stored import configurations
from cumulo.services.storage.s3.stored.object_versions import CURRENT

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

KIND = "analytics"
DAY_S = 86_400
PAGE = 1000
MB = 1_000_000
COLUMNS = (
    "Date", "ConfigId", "Filter", "StorageClass", "ObjectAge", "ObjectCount", "DataUploaded_MB", "Storage_MB",
    "DataRetrieved_MB", "GetRequestCount", "CumulativeAccessRatio", "ObjectAgeForSIATransition",
    "RecommendedObjectAgeForSIATransition",
)  # fmt: skip
AGES = (0, 15, 30, 45, 60, 75, 90, 120, 150, 180, 365, 730)


class Group:
    """What lies in one class at one age: objects, bytes, and bytes that came in the last day."""

    __slots__ = ("count", "fresh", "size")

    def __init__(self) -> None:
        self.count = 0
        self.size = 0
        self.fresh = 0


def schedule(ctx: Context, bucket: Bucket, id: str) -> None:
    """Export at the next midnight."""
    ctx.later(export, {"bucket": bucket.name, "id": id}, at=inventory_reports.next_report(ctx.now(), "Daily"))


@task
async def export(ctx: Context, payload: dict[str, Any]) -> None:
    """Write one export, and plan the next."""
    found = await ctx.transact(lambda ctx: _found(ctx, payload))
    if found is None:
        return
    bucket, document = found
    data_export = document["StorageClassAnalysis"].get("DataExport")
    if data_export is not None:
        destination = data_export["Destination"]["S3BucketDestination"]
        prefix = f"{destination['Prefix'].rstrip('/')}/" if destination.get("Prefix") else ""
        request = {
            "Bucket": configuration_lists.bucket_name(destination["Bucket"]),
            "Key": f"{prefix}{bucket.name}/{document['Id']}.csv",
            "Body": table(document, ctx.now(), await _groups(ctx, bucket, document)),
        }
        clients = ctx.as_service("s3", source_arn=bucket.arn, account=bucket.account, region=bucket.region)
        try:
            await clients.s3.put_object(request)
        except Fault as fault:
            ctx.logger.warning("the analysis %s of %s was not written: %s", document["Id"], bucket.name, fault)
    await ctx.transact(lambda ctx: schedule(ctx, bucket, document["Id"]))


def _found(ctx: Context, payload: dict[str, Any]) -> tuple[Bucket, dict[str, Any]] | None:
    bucket = BUCKETS.peek(ctx, payload["bucket"])
    document = configurations.find(ctx, bucket, KIND, payload["id"]) if bucket is not None else None
    return None if bucket is None or document is None else (bucket, document)


async def _groups(ctx: Context, bucket: Bucket, document: dict[str, Any]) -> dict[tuple[str, str], Group]:
    groups: dict[tuple[str, str], Group] = {}
    after: Any = None
    while True:
        page = await ctx.transact(
            lambda ctx, after=after: CURRENT.range(ctx, bucket.name, after=after, limit=PAGE)  # type: ignore[misc]
        )
        if not page:
            return groups
        after = CURRENT.key_of(page[-1])
        for version in page:
            if wanted(document.get("Filter"), version):
                days = int((ctx.now() - version.modified_at) // DAY_S)
                for label in (age(days), "ALL"):
                    group = groups.setdefault((version.storage_class, label), Group())
                    group.count += 1
                    group.size += version.size
                    group.fresh += version.size if days < 1 else 0


def wanted(given: Mapping[str, Any] | None, version: ObjectVersion) -> bool:
    """Whether a configuration's filter means this object."""
    found = given or {}
    both = found.get("And") or {}
    tags = [found["Tag"]] if "Tag" in found else list(both.get("Tags") or ())
    prefix = found.get("Prefix") or both.get("Prefix") or ""
    return version.key.startswith(prefix) and all(version.tags.get(tag["Key"]) == tag["Value"] for tag in tags)


def age(days: int) -> str:
    """The group of an age in days: 000-014, …, 730+."""
    at = max(place for place, least in enumerate(AGES) if days >= least)
    return f"{AGES[at]:03}-{AGES[at + 1] - 1:03}" if at + 1 < len(AGES) else f"{AGES[at]}+"


def table(document: dict[str, Any], now: float, groups: dict[tuple[str, str], Group]) -> bytes:
    """The CSV of an export."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    day = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d")
    named = document["Id"] if document.get("Filter") else "EntireBucket"
    for (storage_class, label), group in sorted(groups.items()):
        sizes = [f"{size / MB:.4f}" for size in (group.fresh, group.size)]
        writer.writerow([day, document["Id"], named, storage_class, label, group.count, *sizes, "", "", "", "", ""])
    return text.getvalue().encode()
