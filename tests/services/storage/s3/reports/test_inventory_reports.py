"""Inventories: when they are written, and what is in them."""

import base64
import csv
import gzip
import io
import json
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

import pyarrow.orc
import pyarrow.parquet
import pytest

from cumulo.core.s3.buckets import Bucket
from cumulo.engines import orc
from cumulo.services.storage.s3.reports import inventory_columns, inventory_reports
from cumulo.services.storage.s3.stored.object_versions import ObjectVersion
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
        "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded, EncryptionStatus"
    )
    etag = "5d41402abc4b2a76b9719d911017c592"
    assert [[*row[:3], *row[4:]] for row in rows] == [
        [bucket, key, "5", etag, "STANDARD", "false", "SSE-S3"] for key in ("in/a%20b", "in/%C3%A9")
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


EVERYTHING = (
    "ObjectOwner", "Size", "LastModifiedDate", "ETag", "StorageClass", "IsMultipartUploaded", "ReplicationStatus",
    "EncryptionStatus", "ObjectLockRetainUntilDate", "ObjectLockMode", "ObjectLockLegalHoldStatus", "BucketKeyStatus",
    "ChecksumAlgorithm", "IntelligentTieringAccessTier", "ObjectAccessControlList", "LifecycleExpirationDate",
    "IntelligentTieringReferenceDate",
)  # fmt: skip
TYPES = {"size": "bigint", "is_latest": "boolean", "is_delete_marker": "boolean", "is_multipart_uploaded": "boolean"}
# As "Locating your inventory list" shows them, but for the last two.
NAMES = [
    "bucket", "key", "version_id", "is_latest", "is_delete_marker", "size", "last_modified_date", "e_tag",
    "storage_class", "is_multipart_uploaded", "replication_status", "encryption_status",
    "object_lock_retain_until_date", "object_lock_mode", "object_lock_legal_hold_status",
    "intelligent_tiering_access_tier", "bucket_key_status", "checksum_algorithm", "object_access_control_list",
    "object_owner", "lifecycle_expiration_date", "intelligent_tiering_reference_date",
]  # fmt: skip


@pytest.mark.parametrize(("format", "read"), [("ORC", pyarrow.orc.read_table), ("Parquet", pyarrow.parquet.read_table)])
def test_columnar_reports(cloud: Account, s3: Any, target: str, new_bucket: Any, format: str, read: Any) -> None:
    bucket = new_bucket(ObjectLockEnabledForBucket=True)
    rule = {"Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 10}, "ID": "r"}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    until = datetime(2100, 1, 1, 12, 30, tzinfo=UTC)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    s3.put_object(Bucket=bucket, Key="a b", Body=b"hello", StorageClass="INTELLIGENT_TIERING", **lock)
    s3.put_object(Bucket=bucket, Key="gone")
    s3.delete_object(Bucket=bucket, Key="gone")
    document = configuration(target, Format=format, IncludedObjectVersions="All", OptionalFields=list(EVERYTHING))
    put(s3, bucket, document)
    cloud.advance(86_400)
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=target)["Contents"]]
    manifest = json.loads(s3.get_object(Bucket=target, Key=max(k for k in keys if k.endswith(".json")))["Body"].read())
    assert manifest["fileFormat"] == format
    kind = {"ORC": "orc", "Parquet": "parquet"}[format]
    (file,) = manifest["files"]
    assert file["key"].endswith(f".{kind}")
    link = s3.get_object(Bucket=target, Key=max(k for k in keys if k.endswith("/symlink.txt")))["Body"].read().decode()
    assert link == f"s3://{target}/{file['key']}\n"
    kinds = [TYPES.get(name, "timestamp" if name.endswith("date") else "string") for name in NAMES]
    if format == "ORC":
        struct = ",".join(f"{name}:{kind}" for name, kind in zip(NAMES, kinds, strict=True))
        assert manifest["fileSchema"] == f"struct<{struct}>"
    else:
        assert manifest["fileSchema"].startswith(
            "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); optional binary "
            "version_id (UTF8); optional boolean is_latest; optional boolean is_delete_marker; optional int64 size; "
            "optional int64 last_modified_date (TIMESTAMP_MILLIS); optional binary e_tag (UTF8);"
        )
    table = read(io.BytesIO(s3.get_object(Bucket=target, Key=file["key"])["Body"].read()))
    assert table.column_names == NAMES
    shown = {
        "string": "string", "boolean": "bool", "bigint": "int64",
        "timestamp": "timestamp[ns]" if format == "ORC" else "timestamp[ms]",
    }  # fmt: skip
    assert [str(field.type) for field in table.schema] == [shown[kind] for kind in kinds]
    rows = {(row["key"], row["is_delete_marker"]): row for row in table.to_pylist()}
    assert len(rows) == 3
    row = rows["a b", False]
    head = s3.head_object(Bucket=bucket, Key="a b")
    owner = s3.list_buckets()["Owner"]["ID"]
    assert row["last_modified_date"].replace(microsecond=0, tzinfo=UTC) == head["LastModified"]
    assert row["object_lock_retain_until_date"].replace(tzinfo=UTC) == until
    acl = {
        "version": "2022-11-10", "status": "AVAILABLE",
        "grants": [{"canonicalId": owner, "permission": "FULL_CONTROL", "type": "CanonicalUser"}],
    }  # fmt: skip
    assert json.loads(base64.b64decode(row["object_access_control_list"])) == acl
    assert row["lifecycle_expiration_date"].hour == 0
    assert 10 <= (row["lifecycle_expiration_date"] - row["last_modified_date"]).total_seconds() / 86_400 <= 11
    assert row["intelligent_tiering_reference_date"] == row["last_modified_date"]
    dated = {name: value for name, value in row.items() if not name.endswith("_date")}
    del dated["object_access_control_list"]
    assert dated == {
        "bucket": bucket, "key": "a b", "version_id": head["VersionId"], "is_latest": True, "is_delete_marker": False,
        "size": 5, "e_tag": head["ETag"].strip('"'), "storage_class": "INTELLIGENT_TIERING",
        "is_multipart_uploaded": False, "replication_status": None, "encryption_status": "SSE-S3",
        "object_lock_mode": "GOVERNANCE", "object_lock_legal_hold_status": "OFF",
        "intelligent_tiering_access_tier": "FREQUENT", "bucket_key_status": None, "checksum_algorithm": "CRC32",
        "object_owner": owner,
    }  # fmt: skip
    marker = rows["gone", True]
    assert (marker["is_latest"], marker["size"], marker["storage_class"]) == (True, None, None)
    assert rows["gone", False]["is_latest"] is False


def test_encrypted_reports(cloud: Account, s3: Any, bucket: str, target: str) -> None:
    allow = {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:GenerateDataKey",
        "Resource": "*",
    }  # fmt: skip
    root = {"Effect": "Allow", "Principal": {"AWS": cloud.account}, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow, root]})
    key = cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    for encryption, shown in (({"SSEKMS": {"KeyId": key}}, ("aws:kms", key)), ({"SSES3": {}}, ("AES256", None))):
        document = configuration(target)
        document["Destination"]["S3BucketDestination"]["Encryption"] = encryption
        put(s3, bucket, document)
        cloud.advance(86_400)
        for entry in s3.list_objects_v2(Bucket=target)["Contents"]:
            head = s3.head_object(Bucket=target, Key=entry["Key"])
            assert (head["ServerSideEncryption"], head.get("SSEKMSKeyId")) == shown
            s3.delete_object(Bucket=target, Key=entry["Key"])


def test_a_destination_of_another_owner(cloud: Account, s3: Any, bucket: str, target: str) -> None:
    document = configuration(target)
    document["Destination"]["S3BucketDestination"]["AccountId"] = "999999999999"
    put(s3, bucket, document)
    cloud.advance(86_400)
    assert "Contents" not in s3.list_objects_v2(Bucket=target)


def test_access_tiers() -> None:
    day = 86_400
    version = ObjectVersion("b", "k", 1, "null", 1.0, size=200_000, storage_class="INTELLIGENT_TIERING")
    columns = [column for column in inventory_columns.OPTIONAL if column.field == "IntelligentTieringAccessTier"]
    for days, tier in ((29, "FREQUENT"), (30, "INFREQUENT"), (89, "INFREQUENT"), (90, "ARCHIVE_INSTANT_ACCESS")):
        rows = inventory_columns.Rows(Bucket("b", "1", "r", 0), columns, [], 1.0 + days * day)
        assert rows.row(version, True) == (tier,)
    version.archive_tier = "DEEP_ARCHIVE_ACCESS"
    assert rows.row(version, True) == ("DEEP_ARCHIVE",)


def test_what_is_not_written_is_refused(s3: Any, bucket: str, target: str) -> None:
    with refused("NotImplemented", status=501):
        put(s3, bucket, configuration(target, OptionalFields=["ObjectLockEventHoldDuration"]))


def test_a_writer_that_is_not_here(s3: Any, bucket: str, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cumulo.engines.orc.find_spec", lambda name: None)
    monkeypatch.setattr("cumulo.engines.duckdb.find_spec", lambda name: None)
    for format in ("ORC", "Parquet"):
        said = f"Inventories in {format} cannot be written here: pip install 'cumulo[analytics]'"
        with refused("NotImplemented", said, status=501):
            put(s3, bucket, configuration(target, Format=format))
    put(s3, bucket, configuration(target))


def test_time_zones_that_are_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cumulo.engines.orc.write", _no_zones)
    assert orc.missing() == orc.ZONES


def _no_zones(schema: str, rows: Any) -> bytes:
    raise RuntimeError("Time zone file /nowhere/UTC does not exist.")
