"""Lifecycle rules at work, as the days of the cloud go by."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.stored_objects import fill

DAY_S = 86_400


def configure(s3: Any, bucket: str, *rules: dict[str, Any], **options: Any) -> None:
    given = [{"ID": f"r{number}", "Status": "Enabled", "Filter": {}, **rule} for number, rule in enumerate(rules)]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": given}, **options)


def keys(s3: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def days_pass(cloud: Account, days: int, done: Callable[[], bool] = lambda: True) -> None:
    """So many days pass, and what is due on the last of them is done."""
    cloud.advance(days * DAY_S)
    for _ in range(200):
        cloud.settle()
        if done():
            return
        time.sleep(0.01)
    raise AssertionError("the day's run did not do it")


def class_of(s3: Any, bucket: str, key: str = "k", **options: str) -> str:
    found: str = s3.head_object(Bucket=bucket, Key=key, **options).get("StorageClass", "STANDARD")
    return found


def test_objects_expire(cloud: Account, s3: Any, bucket: str) -> None:
    configure(s3, bucket, {"Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}})
    for key in ("logs/a", "other"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    days_pass(cloud, 2)
    assert keys(s3, bucket) == ["logs/a", "other"]
    days_pass(cloud, 2, lambda: keys(s3, bucket) == ["other"])
    assert "Versions" not in s3.list_object_versions(Bucket=bucket, Prefix="logs/")


def test_the_header_says_when(cloud: Account, s3: Any, bucket: str) -> None:
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    configure(s3, bucket, {"Expiration": {"Days": 7}}, {"Filter": {"Prefix": "k"}, "Expiration": {"Days": 1}})
    now = datetime.fromtimestamp(cloud.running.clock.now(), UTC)
    until = (now + timedelta(days=2)).strftime("%a, %d %b %Y 00:00:00 GMT")
    expected = f'expiry-date="{until}", rule-id="r1"'
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"x")["Expiration"] == expected
    assert s3.head_object(Bucket=bucket, Key="k")["Expiration"] == expected
    assert s3.copy_object(Bucket=bucket, Key="k2", CopySource=f"{bucket}/k")["Expiration"] == expected
    answer = s3.get_object(Bucket=bucket, Key="k")
    assert (answer["Body"].read(), answer["Expiration"]) == (b"x", expected)
    assert 'rule-id="r0"' in s3.put_object(Bucket=bucket, Key="other", Body=b"x")["Expiration"]


def test_a_version_expires_behind_a_marker(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    configure(
        s3,
        bucket,
        {"Expiration": {"Days": 1}, "NoncurrentVersionExpiration": {"NoncurrentDays": 2}},
        {"Expiration": {"ExpiredObjectDeleteMarker": True}},
    )
    days_pass(cloud, 2, lambda: keys(s3, bucket) == [])
    answer = s3.list_object_versions(Bucket=bucket)
    assert [each["VersionId"] for each in answer["Versions"]] == [version]
    assert answer["DeleteMarkers"][0]["IsLatest"] is True
    days_pass(cloud, 4, lambda: "Versions" not in s3.list_object_versions(Bucket=bucket))
    days_pass(cloud, 1, lambda: "DeleteMarkers" not in s3.list_object_versions(Bucket=bucket))


def test_newer_versions_are_kept(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    ids = [s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"] for _ in range(5)][::-1]
    ending = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}
    configure(s3, bucket, {"NoncurrentVersionExpiration": ending})

    def left() -> list[str]:
        return [each["VersionId"] for each in s3.list_object_versions(Bucket=bucket)["Versions"]]

    days_pass(cloud, 3, lambda: left() == ids[:3])


def test_locked_versions_stay(cloud: Account, s3: Any, bucket: str) -> None:
    name = f"{bucket}-locks"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    held = s3.put_object(Bucket=name, Key="k", Body=b"x", ObjectLockLegalHoldStatus="ON")["VersionId"]
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    configure(s3, name, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}})

    def left() -> list[str]:
        return [each["VersionId"] for each in s3.list_object_versions(Bucket=name)["Versions"]]

    days_pass(cloud, 3, lambda: len(left()) == 2)
    assert left()[1] == held


def test_transitions(cloud: Account, s3: Any, bucket: str) -> None:
    large = bytes(128 * 1024)
    transitions = [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 60, "StorageClass": "GLACIER"}]
    configure(s3, bucket, {"Transitions": transitions})
    s3.put_object(Bucket=bucket, Key="k", Body=large)
    s3.put_object(Bucket=bucket, Key="small", Body=b"x")
    days_pass(cloud, 31, lambda: class_of(s3, bucket) == "STANDARD_IA")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == large
    days_pass(cloud, 31, lambda: class_of(s3, bucket) == "GLACIER")
    with refused("InvalidObjectState", status=403, StorageClass="GLACIER"):
        s3.get_object(Bucket=bucket, Key="k")
    assert class_of(s3, bucket, "small") == "STANDARD"


def test_transitions_of_noncurrent_versions(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket=bucket, Key="k", Body=bytes(128 * 1024))["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=bytes(128 * 1024))
    moving = [{"NoncurrentDays": 1, "StorageClass": "GLACIER_IR"}]
    configure(s3, bucket, {"NoncurrentVersionTransitions": moving})
    days_pass(cloud, 2, lambda: class_of(s3, bucket, VersionId=old) == "GLACIER_IR")
    assert class_of(s3, bucket) == "STANDARD"


def test_uploads_are_aborted(cloud: Account, s3: Any, bucket: str) -> None:
    configure(s3, bucket, {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}})
    created = s3.create_multipart_upload(Bucket=bucket, Key="k")
    assert created["AbortRuleId"] == "r0"
    assert created["AbortDate"].hour == 0
    assert "AbortDate" in s3.list_parts(Bucket=bucket, Key="k", UploadId=created["UploadId"])
    days_pass(cloud, 2, lambda: "Uploads" not in s3.list_multipart_uploads(Bucket=bucket))


def test_a_run_goes_over_all_of_a_bucket(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, [f"k{number:04}" for number in range(1500)])  # put in 2023
    fill(cloud, bucket, ["z"], tags={"keep": "1"})
    configure(
        s3,
        bucket,
        {"Filter": {"Prefix": "k"}, "Expiration": {"Days": 1}},
        {"Filter": {"Tag": {"Key": "keep", "Value": "0"}}, "Expiration": {"Days": 1}},
    )
    days_pass(cloud, 1, lambda: keys(s3, bucket) == ["z"])


def test_intelligent_tiering(cloud: Account, s3: Any, bucket: str) -> None:
    tierings = [{"Days": 90, "AccessTier": "ARCHIVE_ACCESS"}, {"Days": 180, "AccessTier": "DEEP_ARCHIVE_ACCESS"}]
    s3.put_bucket_intelligent_tiering_configuration(
        Bucket=bucket,
        Id="all",
        IntelligentTieringConfiguration={"Id": "all", "Status": "Enabled", "Tierings": tierings},
    )
    s3.put_object(Bucket=bucket, Key="k", Body=bytes(128 * 1024), StorageClass="INTELLIGENT_TIERING")
    s3.put_object(Bucket=bucket, Key="read", Body=bytes(128 * 1024), StorageClass="INTELLIGENT_TIERING")

    def tier(key: str = "k") -> str:
        found: str = s3.head_object(Bucket=bucket, Key=key).get("ArchiveStatus", "")
        return found

    days_pass(cloud, 60)
    assert len(s3.get_object(Bucket=bucket, Key="read")["Body"].read()) == 128 * 1024
    days_pass(cloud, 31, lambda: tier() == "ARCHIVE_ACCESS")
    assert tier("read") == ""
    with refused("InvalidObjectState", status=403, StorageClass="INTELLIGENT_TIERING", AccessTier="ARCHIVE_ACCESS"):
        s3.get_object(Bucket=bucket, Key="k")
    days_pass(cloud, 90, lambda: tier() == "DEEP_ARCHIVE_ACCESS")
    with refused("MalformedXML"):
        s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": 1})
    s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"GlacierJobParameters": {"Tier": "Standard"}})
    assert s3.head_object(Bucket=bucket, Key="k")["Restore"] == 'ongoing-request="true"'
    days_pass(cloud, 1, lambda: tier() == "")
    assert len(s3.get_object(Bucket=bucket, Key="k")["Body"].read()) == 128 * 1024
