"""What storage costs reaches the meter: byte hours by class, and what goes too soon."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Account

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
