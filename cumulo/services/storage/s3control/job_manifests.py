"""The objects of a job: a CSV file of its own, or an inventory.

Source: S3 User Guide, "Specifying a manifest" (keys are URL-encoded); "Locating your inventory list".
"""

from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

import msgspec

from cumulo.services.storage.s3control.errors import BAD_JOB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.context import Clients


class Target(NamedTuple):
    """One object of a job; `version_id` is "" for the current version."""

    bucket: str
    key: str
    version_id: str


async def read(clients: Clients, manifest: dict[str, Any]) -> list[Target]:
    """All objects of a manifest, read with the job's role. Raises S3's faults and BadRequestException."""
    location = manifest["Location"]
    data = await _object(clients, location["ObjectArn"], location["ETag"], location.get("ObjectVersionId"))
    spec = manifest["Spec"]
    if spec["Format"].startswith("S3BatchOperations"):
        return targets(data, spec["Fields"])
    try:
        found = msgspec.json.decode(data)
        fields = [field.strip() for field in found["fileSchema"].split(",")]
        files = [(found["destinationBucket"], file["key"]) for file in found["files"]]
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        raise BAD_JOB("The manifest is no manifest of an inventory.") from None
    rows: list[Target] = []
    for bucket, key in files:
        packed = await _object(clients, f"{bucket}/{key}")
        rows += targets(gzip.decompress(packed), fields)
    return rows


async def _object(clients: Clients, arn: str, etag: str = "", version_id: str | None = None) -> bytes:
    bucket, _, key = arn.rpartition(":::")[2].partition("/")
    request = {"Bucket": bucket, "Key": key}
    if version_id:
        request["VersionId"] = version_id
    answer = await clients.s3.get_object(request)
    if etag and answer["ETag"].strip('"') != etag.strip('"'):
        raise BAD_JOB("The manifest's ETag is not the one that was given.")
    body = answer["Body"]
    if isinstance(body, bytes):
        return body
    if hasattr(body, "files"):
        data = b"".join([_whole(file) for file in body.files])
        body.close()
        return data
    return b"".join([piece async for piece in body])


def _whole(file: Any) -> bytes:
    data = bytearray()
    while len(data) < file.count:
        data += file.read(file.offset + len(data), file.count - len(data))
    return bytes(data)


def targets(data: bytes, fields: Sequence[str]) -> list[Target]:
    """The objects of a CSV file with these columns. Raises BadRequestException."""
    found = []
    for row in csv.reader(io.StringIO(data.decode("utf-8", "replace"), newline="")):
        if not row:
            continue
        if len(row) < len(fields):
            raise BAD_JOB("A line of the manifest has fewer values than the specification has fields.")
        values = dict(zip(fields, row, strict=False))
        found.append(Target(values["Bucket"], unquote_plus(values["Key"]), values.get("VersionId", "")))
    return found
