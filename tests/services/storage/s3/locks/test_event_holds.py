"""Event holds: retention whose end is known when the hold is released."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.locks.test_object_locks import LOCKED, locking, now, put

pytestmark = pytest.mark.usefixtures("still")

__all__ = ["locking"]

HOLD = {"ObjectLockMode": "COMPLIANCE", "ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 10}
LOOSE = {**HOLD, "ObjectLockMode": "GOVERNANCE"}


def retain(s3: Any, bucket: str, retention: dict[str, Any], **more: Any) -> None:
    s3.put_object_retention(Bucket=bucket, Key="k", Retention=retention, **more)


def retention(s3: Any, bucket: str) -> dict[str, Any]:
    return s3.get_object_retention(Bucket=bucket, Key="k")["Retention"]  # type: ignore[no-any-return]


def near(one: datetime, other: datetime) -> bool:
    return abs((one - other).total_seconds()) < 5


def test_a_hold_lasts_until_it_is_released(cloud: Account, s3: Any, locking: str) -> None:
    version = put(s3, locking, **HOLD)
    for _ in range(2):
        shown = retention(s3, locking)
        assert (shown["Mode"], shown["EventHold"], shown["EventHoldDuration"]) == ("COMPLIANCE", "ON", {"Days": 10})
        assert near(shown["RetainUntilDate"], now(cloud) + timedelta(days=10))
        head = s3.head_object(Bucket=locking, Key="k")
        assert (head["ObjectLockEventHold"], head["ObjectLockEventHoldDurationDays"]) == ("ON", 10)
        assert near(head["ObjectLockRetainUntilDate"], now(cloud) + timedelta(days=10))
        with refused("AccessDenied", LOCKED, 403):
            s3.delete_object(Bucket=locking, Key="k", VersionId=version)
        cloud.advance(40 * 86_400)
    retain(s3, locking, {"EventHold": "OFF"})
    until = now(cloud) + timedelta(days=10)
    cloud.advance(9 * 86_400)
    shown = retention(s3, locking)
    assert (shown["Mode"], shown["EventHold"]) == ("COMPLIANCE", "OFF")
    assert "EventHoldDuration" not in shown
    assert near(shown["RetainUntilDate"], until)
    assert s3.get_object(Bucket=locking, Key="k")["ObjectLockEventHold"] == "OFF"
    with refused("AccessDenied", LOCKED, 403):
        s3.delete_object(Bucket=locking, Key="k", VersionId=version)
    cloud.advance(86_400 + 10)
    s3.delete_object(Bucket=locking, Key="k", VersionId=version)


def test_a_date_is_the_earliest_end(cloud: Account, s3: Any, locking: str) -> None:
    until = (now(cloud) + timedelta(days=100)).replace(microsecond=0)
    put(s3, locking, **LOOSE, ObjectLockRetainUntilDate=until)
    assert retention(s3, locking)["RetainUntilDate"] == until
    cloud.advance(95 * 86_400)
    assert near(retention(s3, locking)["RetainUntilDate"], now(cloud) + timedelta(days=10))
    later = (now(cloud) + timedelta(days=50)).replace(microsecond=0)
    retain(s3, locking, {"Mode": "GOVERNANCE", "RetainUntilDate": later})
    shown = retention(s3, locking)
    assert (shown["RetainUntilDate"], shown["EventHold"]) == (later, "ON")


def test_governance_may_be_bypassed(cloud: Account, s3: Any, locking: str) -> None:
    version = put(s3, locking, **LOOSE)
    with refused("AccessDenied", LOCKED, 403):
        s3.delete_object(Bucket=locking, Key="k", VersionId=version)
    shorter = {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Days": 2}}
    with refused("AccessDenied", LOCKED, 403):
        retain(s3, locking, shorter)
    retain(s3, locking, shorter, BypassGovernanceRetention=True)
    longer = {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Years": 1}}
    retain(s3, locking, longer)
    assert retention(s3, locking)["EventHoldDuration"] == {"Years": 1}
    assert s3.head_object(Bucket=locking, Key="k")["ObjectLockEventHoldDurationYears"] == 1
    retain(s3, locking, {}, BypassGovernanceRetention=True)
    s3.delete_object(Bucket=locking, Key="k", VersionId=version)


def test_compliance_may_not(s3: Any, locking: str) -> None:
    put(s3, locking, **HOLD)
    shorter = {"Mode": "COMPLIANCE", "EventHold": "ON", "EventHoldDuration": {"Days": 2}}
    with refused("AccessDenied", LOCKED, 403):
        retain(s3, locking, shorter, BypassGovernanceRetention=True)
    with refused("AccessDenied", LOCKED, 403):
        retain(s3, locking, {**shorter, "Mode": "GOVERNANCE", "EventHoldDuration": {"Days": 20}})
    retain(s3, locking, {**shorter, "EventHoldDuration": {"Days": 20}})


def test_a_hold_on_a_version_that_is_there(cloud: Account, s3: Any, locking: str) -> None:
    put(s3, locking)
    retain(s3, locking, {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Days": 1}})
    cloud.advance(5 * 86_400)
    assert near(retention(s3, locking)["RetainUntilDate"], now(cloud) + timedelta(days=1))


def test_the_default_of_a_bucket(cloud: Account, s3: Any, locking: str) -> None:
    default = {"Mode": "GOVERNANCE", "DefaultEventHold": {"Years": 2}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}}
    s3.put_object_lock_configuration(Bucket=locking, ObjectLockConfiguration=configuration)
    assert s3.get_object_lock_configuration(Bucket=locking)["ObjectLockConfiguration"] == configuration
    put(s3, locking)
    assert retention(s3, locking)["EventHoldDuration"] == {"Years": 2}
    until = (now(cloud) + timedelta(days=3)).replace(microsecond=0)
    put(s3, locking, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
    assert retention(s3, locking) == {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    for wrong in ({**default, "Days": 1}, {"DefaultEventHold": {"Days": 1}}, {**default, "DefaultEventHold": {}}):
        with refused("MalformedXML"):
            configuration["Rule"] = {"DefaultRetention": wrong}
            s3.put_object_lock_configuration(Bucket=locking, ObjectLockConfiguration=configuration)
    with refused("InvalidArgument"):
        configuration["Rule"] = {"DefaultRetention": {**default, "DefaultEventHold": {"Years": 101}}}
        s3.put_object_lock_configuration(Bucket=locking, ObjectLockConfiguration=configuration)


def test_uploads_and_copies(s3: Any, locking: str, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=locking, Key="k", **HOLD)["UploadId"]
    place = {"Bucket": locking, "Key": "k", "UploadId": upload}
    part = s3.upload_part(**place, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert retention(s3, locking)["EventHold"] == "ON"
    s3.put_object(Bucket=bucket, Key="source", Body=b"x")
    s3.copy_object(Bucket=locking, Key="k", CopySource={"Bucket": bucket, "Key": "source"}, **LOOSE)
    assert (retention(s3, locking)["Mode"], retention(s3, locking)["EventHold"]) == ("GOVERNANCE", "ON")
    with refused("InvalidRequest"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", **HOLD)


WRONG_HEADERS = [
    {"ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationDays": 1},
    {"ObjectLockMode": "GOVERNANCE", "ObjectLockEventHold": "ON"},
    {**HOLD, "ObjectLockEventHoldDurationYears": 1},
    {**HOLD, "ObjectLockEventHold": "OFF"},
    {"ObjectLockMode": "GOVERNANCE", "ObjectLockEventHoldDurationDays": 1},
    {"ObjectLockMode": "GOVERNANCE", "ObjectLockEventHold": "OFF"},
    {**HOLD, "ObjectLockEventHoldDurationDays": 0},
    {**HOLD, "ObjectLockEventHoldDurationDays": 36_501},
    {"ObjectLockMode": "GOVERNANCE", "ObjectLockEventHold": "ON", "ObjectLockEventHoldDurationYears": 101},
    {**HOLD, "ObjectLockEventHold": "PERHAPS"},
    {**HOLD, "ObjectLockMode": "NONE"},
]


@pytest.mark.parametrize("headers", WRONG_HEADERS)
def test_what_no_object_can_come_with(s3: Any, locking: str, headers: dict[str, Any]) -> None:
    with refused("InvalidArgument"):
        put(s3, locking, **headers)


WRONG_RETENTIONS = [
    {"EventHold": "ON", "EventHoldDuration": {"Days": 1}},
    {"Mode": "GOVERNANCE", "EventHold": "ON"},
    {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Days": 1, "Years": 1}},
    {"EventHold": "OFF", "EventHoldDuration": {"Days": 1}},
    {"EventHold": "OFF"},
    {"EventHold": "OFF", "Mode": "GOVERNANCE"},
    {"EventHold": "OFF", "RetainUntilDate": datetime(2100, 1, 1, tzinfo=UTC)},
]


@pytest.mark.parametrize("wrong", WRONG_RETENTIONS)
def test_what_no_version_can_have(s3: Any, locking: str, wrong: dict[str, Any]) -> None:
    put(s3, locking)
    with refused("MalformedXML"):
        retain(s3, locking, wrong)


def test_durations_have_bounds(s3: Any, locking: str) -> None:
    put(s3, locking)
    for duration in ({"Days": 0}, {"Days": 36_501}, {"Years": 101}):
        with refused("InvalidArgument"):
            retain(s3, locking, {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": duration})


def test_policies_ask_for_holds(cloud: Account, s3: Any, locking: str) -> None:
    def deny(condition: dict[str, Any]) -> None:
        statement = {
            "Effect": "Deny", "Principal": "*", "Action": ["s3:PutObject", "s3:PutObjectRetention"],
            "Resource": f"arn:aws:s3:::{locking}/*", "Condition": condition,
        }  # fmt: skip
        s3.put_bucket_policy(Bucket=locking, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    deny({"StringEquals": {"s3:object-lock-event-hold": "ON"}})
    put(s3, locking)
    with refused("AccessDenied", status=403):
        put(s3, locking, **LOOSE)
    deny({"NumericLessThan": {"s3:object-lock-event-hold-duration-days": "365"}})
    with refused("AccessDenied", status=403):
        retain(s3, locking, {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Days": 364}})
    retain(s3, locking, {"Mode": "GOVERNANCE", "EventHold": "ON", "EventHoldDuration": {"Years": 1}})
