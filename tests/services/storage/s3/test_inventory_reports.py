"""Inventories: when they are written, and what is in them."""

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import pytest

from cumulo.services.storage.s3 import inventory_reports
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused


@pytest.mark.parametrize(
    ("now", "frequency", "due"),
    [
        ("2026-11-22T17:30", "Daily", "2026-11-23T00:00"),
        ("2026-11-23T00:00", "Daily", "2026-11-24T00:00"),
        ("2026-11-20T01:00", "Weekly", "2026-11-22T00:00"),  # the 22nd is a Sunday
        ("2026-11-22T01:00", "Weekly", "2026-11-29T00:00"),
    ],
)
def test_when_reports_are_due(now: str, frequency: str, due: str) -> None:
    seconds = [datetime.fromisoformat(f"{text}+00:00").timestamp() for text in (now, due)]
    assert inventory_reports.next_report(seconds[0], frequency) == seconds[1]


def configuration(target: str, **more: Any) -> dict[str, Any]:
    destination = {"Bucket": f"arn:aws:s3:::{target}", "Format": more.pop("Format", "CSV"), "Prefix": "reports"}
    return {
        "Id": "i", "IsEnabled": True, "IncludedObjectVersions": "Current", "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": destination}, **more,
    }  # fmt: skip


def put(s3: Any, bucket: str, document: dict[str, Any]) -> None:
    s3.put_bucket_inventory_configuration(Bucket=bucket, Id=document["Id"], InventoryConfiguration=document)


@pytest.fixture
def target(s3: Any, new_bucket: Any) -> str:
    name: str = new_bucket()
    allow = {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/*",
    }  # fmt: skip
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    return name


def report(s3: Any, target: str) -> tuple[dict[str, Any], list[list[str]]]:
    """The manifest and the rows of the newest report."""
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=target)["Contents"]]
    found = max(key for key in keys if key.endswith("/manifest.json"))
    text = s3.get_object(Bucket=target, Key=found)["Body"].read()
    checksum = s3.get_object(Bucket=target, Key=found.replace(".json", ".checksum"))["Body"].read().decode()
    assert checksum == md5(text).hexdigest()
    manifest = json.loads(text)
    rows: list[list[str]] = []
    for file in manifest["files"]:
        data = s3.get_object(Bucket=target, Key=file["key"])["Body"].read()
        assert (len(data), md5(data).hexdigest()) == (file["size"], file["MD5checksum"])
        rows += list(csv.reader(io.StringIO(gzip.decompress(data).decode())))
    return manifest, rows


def test_a_daily_report(cloud: Account, s3: Any, bucket: str, target: str) -> None:
    for key in ("in/a b", "in/é", "out"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"hello")
    fields = ["Size", "ETag", "StorageClass", "LastModifiedDate", "EncryptionStatus", "IsMultipartUploaded"]
    put(s3, bucket, configuration(target, Filter={"Prefix": "in/"}, OptionalFields=fields))
    cloud.advance(86_400)
    manifest, rows = report(s3, target)
    assert {name: manifest[name] for name in ("sourceBucket", "destinationBucket", "version", "fileFormat")} == {
        "sourceBucket": bucket, "destinationBucket": f"arn:aws:s3:::{target}", "version": "2016-11-30",
        "fileFormat": "CSV",
    }  # fmt: skip
    assert manifest["fileSchema"] == (
        "Bucket, Key, Size, LastModifiedDate, StorageClass, ETag, IsMultipartUploaded, EncryptionStatus"
    )
    etag = "5d41402abc4b2a76b9719d911017c592"
    assert [[*row[:3], *row[4:]] for row in rows] == [
        [bucket, key, "5", "STANDARD", etag, "false", "SSE-S3"] for key in ("in/a%20b", "in/%C3%A9")
    ]
    assert datetime.fromisoformat(rows[0][3]).tzinfo == UTC
    assert manifest["files"][0]["key"].startswith(f"reports/{bucket}/i/data/")
    s3.put_object(Bucket=bucket, Key="in/c")
    cloud.advance(86_400)
    assert len(report(s3, target)[1]) == 3
    s3.delete_bucket_inventory_configuration(Bucket=bucket, Id="i")
    before = s3.list_objects_v2(Bucket=target)["KeyCount"]
    cloud.advance(2 * 86_400)
    assert s3.list_objects_v2(Bucket=target)["KeyCount"] == before


def test_all_versions(cloud: Account, s3: Any, bucket: str, target: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"] for _ in range(2)]
    gone = s3.put_object(Bucket=bucket, Key="gone")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="gone")["VersionId"]
    put(s3, bucket, configuration(target, IncludedObjectVersions="All"))
    cloud.advance(86_400)
    manifest, rows = report(s3, target)
    assert manifest["fileSchema"] == "Bucket, Key, VersionId, IsLatest, IsDeleteMarker"
    assert sorted(row[1:] for row in rows) == sorted([
        ["k", versions[1], "true", "false"], ["k", versions[0], "false", "false"],
        ["gone", marker, "true", "true"], ["gone", gone, "false", "false"],
    ])  # fmt: skip


def test_a_destination_must_let_reports_in(cloud: Account, s3: Any, bucket: str, target: str) -> None:
    s3.delete_bucket_policy(Bucket=target)
    put(s3, bucket, configuration(target))
    cloud.advance(86_400)
    assert "Contents" not in s3.list_objects_v2(Bucket=target)


def test_what_is_not_written_is_refused(s3: Any, bucket: str, target: str) -> None:
    for more in ({"Format": "ORC"}, {"Format": "Parquet"}, {"OptionalFields": ["ObjectAccessControlList"]}):
        with refused("NotImplemented", status=501):
            put(s3, bucket, configuration(target, **more))
