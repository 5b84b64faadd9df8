"""Manifests that a job makes itself: of the objects of a bucket that its filter lets through.

They are kept in pieces until the job is over, and written into a bucket where that is wanted, as an inventory has it.
Source: S3 User Guide, "Specifying a manifest", "Create a Batch Replication job"; S3 API Reference,
S3JobManifestGenerator.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.s3 import jobs as s3_jobs
from cumulo.core.table import REGION, Record, Table
from cumulo.services.storage.s3control.job_manifests import Target

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3control.jobs import Job

PIECE = 100  # objects of one record, and done together
SCHEMA = "Bucket, Key, VersionId"


class Piece(Record):
    """Some of a generated manifest's objects, from `position` on: (key, version id or "")."""

    job: str
    position: int
    found: list[tuple[str, str]]


PIECES = Table(Piece, name="s3control.job_objects", key=("job", "position"), scope=REGION)


def _generator(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = job.said["ManifestGenerator"]["S3JobManifestGenerator"]
    return found


def _bucket(arn: str) -> str:
    return arn.rpartition(":::")[2]


async def make(ctx: Context, acting: Context, job: Job) -> tuple[int, tuple[str, str] | None]:
    """Find the objects: how many there are, and ARN and ETag of the manifest that was written. Raises S3's faults."""
    generator = _generator(job)
    found = await s3_jobs.hand(ctx.runtime).find(acting, generator)
    for position in range(0, len(found), PIECE):
        piece = Piece(job.id, position, found[position : position + PIECE])
        await ctx.transact(lambda ctx, piece=piece: PIECES.put(ctx, piece))  # type: ignore[misc]
    written = None
    if generator["EnableManifestOutput"]:
        written = await _write(ctx, acting, job, generator, found)
    return len(found), written


def piece(ctx: Context, job: Job) -> list[Target]:
    """The objects that come next."""
    found = PIECES.peek(ctx, job.id, job.position)
    bucket = _bucket(_generator(job)["SourceBucket"])
    return [Target(bucket, key, version) for key, version in found.found] if found is not None else []


def forget(ctx: Context, id: str) -> None:
    """The job is over."""
    for each in PIECES.range(ctx, id):
        PIECES.delete(ctx, each)


async def _write(
    ctx: Context, acting: Context, job: Job, generator: dict[str, Any], found: list[tuple[str, str]]
) -> tuple[str, str]:
    location = generator["ManifestOutputLocation"]
    bucket, source = _bucket(location["Bucket"]), _bucket(generator["SourceBucket"])
    prefix = f"{location['ManifestPrefix']}/" if location.get("ManifestPrefix") else ""
    root = f"{prefix}job-{job.id}"
    request: dict[str, Any] = {"Bucket": bucket, **_encryption(location.get("ManifestEncryption") or {})}
    if "ExpectedManifestBucketOwner" in location:
        request["ExpectedBucketOwner"] = location["ExpectedManifestBucketOwner"]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
        [(source, quote_plus(key, safe="/"), version) for key, version in found]
    )
    data = gzip.compress(text.getvalue().encode(), mtime=0)
    key = f"{root}/data/{ctx.uuid()}.csv.gz"
    await acting.aws.s3.put_object({**request, "Key": key, "Body": data})
    manifest = {
        "sourceBucket": source,
        "destinationBucket": location["Bucket"],
        "version": "2021-11-30",
        "creationTimestamp": str(int(ctx.now() * 1000)),
        "fileFormat": "CSV",
        "fileSchema": SCHEMA,
        "files": [{"key": key, "size": len(data), "MD5checksum": hashlib.md5(data, usedforsecurity=False).hexdigest()}],
    }
    body = msgspec.json.encode(manifest)
    answer = await acting.aws.s3.put_object({**request, "Key": f"{root}/manifest.json", "Body": body})
    return f"{location['Bucket']}/{root}/manifest.json", answer["ETag"].strip('"')


def _encryption(wanted: dict[str, Any]) -> dict[str, str]:
    if "SSEKMS" in wanted:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": wanted["SSEKMS"]["KeyId"]}
    if len(wanted) > 1:
        raise Fault("InvalidRequest", "Only one encryption of the manifest can be specified.")
    return {"ServerSideEncryption": "AES256"} if "SSES3" in wanted else {}
