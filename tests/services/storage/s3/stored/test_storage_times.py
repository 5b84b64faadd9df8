"""What storage costs reaches the meter: byte hours by class, and what goes too soon."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.lifecycles.test_lifecycle_runs import days_pass
from tests.services.storage.s3.test_directory_buckets import CONFIGURATION, client, new_name

DAY_S, DAY_H = 86_400, 24


def used(cloud: Account) -> dict[str, float]:
    found: dict[str, float] = cloud.running.cloud.runtime.journal.metering.amounts(cloud.account, "s3")
    return {kind: amount / DAY_H for kind, amount in found.items()}


@pytest.mark.parametrize(
    ("storage_class", "size", "expected"),
    [
        ("STANDARD", 1000, {"TimedStorage-STANDARD-ByteHrs": 10 * 1000}),
        (
            "STANDARD_IA",
            1000,
            {"TimedStorage-STANDARD_IA-ByteHrs": 10 * 131_072, "EarlyDelete-STANDARD_IA-ByteHrs": 20 * 131_072},
        ),
        (
            "GLACIER",
            200_000,
            {
                "TimedStorage-GLACIER-ByteHrs": 10 * 232_768,
                "TimedStorage-STANDARD-ByteHrs": 10 * 8192,
                "EarlyDelete-GLACIER-ByteHrs": 80 * 232_768,
            },
        ),
        (
            "DEEP_ARCHIVE",
            1000,
            {
                "TimedStorage-DEEP_ARCHIVE-ByteHrs": 10 * 33_768,
                "TimedStorage-STANDARD-ByteHrs": 10 * 8192,
                "EarlyDelete-DEEP_ARCHIVE-ByteHrs": 170 * 33_768,
            },
        ),
        (
            "GLACIER_IR",
            200_000,
            {"TimedStorage-GLACIER_IR-ByteHrs": 10 * 200_000, "EarlyDelete-GLACIER_IR-ByteHrs": 80 * 200_000},
        ),
        ("INTELLIGENT_TIERING", 1000, {"TimedStorage-INTELLIGENT_TIERING-ByteHrs": 10 * 1000}),
    ],
)
def test_what_is_deleted(
    cloud: Account, s3: Any, bucket: str, storage_class: str, size: int, expected: dict[str, float]
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=bytes(size), StorageClass=storage_class)
    cloud.advance(10 * DAY_S)
    assert used(cloud) == {}
    s3.delete_object(Bucket=bucket, Key="k")
    assert used(cloud) == pytest.approx(expected, rel=0.01)


def test_what_is_kept_long_enough_costs_no_more(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="ONEZONE_IA")
    cloud.advance(31 * DAY_S)
    s3.put_object(Bucket=bucket, Key="k", Body=b"y")
    assert used(cloud) == pytest.approx({"TimedStorage-ONEZONE_IA-ByteHrs": 31 * 131_072}, rel=0.01)


def test_what_lifecycle_rules_move_too_early(cloud: Account, s3: Any, bucket: str) -> None:
    rule = {
        "ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""},
        "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 40, "StorageClass": "GLACIER"}],
        "Expiration": {"Days": 60},
    }  # fmt: skip
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=bucket, Key="k", Body=bytes(200_000))
    days_pass(cloud, 31, lambda: "STANDARD_IA" in str(s3.list_objects_v2(Bucket=bucket)["Contents"]))
    first = used(cloud)
    assert 30 <= first["TimedStorage-STANDARD-ByteHrs"] / 200_000 <= 32
    days_pass(cloud, 10, lambda: "GLACIER" in str(s3.list_objects_v2(Bucket=bucket)["Contents"]))
    days = {kind: amount / 200_000 for kind, amount in used(cloud).items()}
    assert 9 <= days["TimedStorage-STANDARD_IA-ByteHrs"] <= 11
    assert days["TimedStorage-STANDARD_IA-ByteHrs"] + days["EarlyDelete-STANDARD_IA-ByteHrs"] == pytest.approx(30)
    days_pass(cloud, 20, lambda: "Contents" not in s3.list_objects_v2(Bucket=bucket))
    days = {kind: amount / 232_768 for kind, amount in used(cloud).items()}
    assert 19 <= days["TimedStorage-GLACIER-ByteHrs"] <= 21
    assert days["TimedStorage-GLACIER-ByteHrs"] + days["EarlyDelete-GLACIER-ByteHrs"] == pytest.approx(90)


def test_versions_that_are_deleted(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=bytes(200_000), StorageClass="STANDARD_IA")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k")
    cloud.advance(20 * DAY_S)
    assert used(cloud) == {}  # a delete marker ends nothing
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    assert used(cloud) == pytest.approx(
        {"TimedStorage-STANDARD_IA-ByteHrs": 20 * 200_000, "EarlyDelete-STANDARD_IA-ByteHrs": 10 * 200_000}, rel=0.01
    )


def test_an_hour_in_one_zone(cloud: Account) -> None:
    express = client(cloud)
    name = new_name(cloud)
    express.create_bucket(Bucket=name, CreateBucketConfiguration=CONFIGURATION)
    express.put_object(Bucket=name, Key="k", Body=bytes(1000))
    express.delete_object(Bucket=name, Key="k")
    hours = {kind: amount * DAY_H / 1000 for kind, amount in used(cloud).items()}
    assert sum(hours.values()) == pytest.approx(1, rel=0.01)
    assert hours["EarlyDelete-EXPRESS_ONEZONE-ByteHrs"] > 0.9
