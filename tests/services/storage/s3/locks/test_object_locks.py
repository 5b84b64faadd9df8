"""Object Lock: default retention, governance and compliance mode, legal holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

LOCKED = "Access Denied because object protected by object lock."
NO_LOCK = "Bucket is missing Object Lock Configuration"
NONE_SET = "The specified object does not have a ObjectLock configuration"
DAY_S = 86_400


@pytest.fixture
def locking(new_bucket: Callable[..., str]) -> str:
    """The name of a bucket with Object Lock."""
    return new_bucket(ObjectLockEnabledForBucket=True)


def now(cloud: Account) -> datetime:
    return datetime.fromtimestamp(int(cloud.running.clock.now()), UTC)


def put(s3: Any, bucket: str, **options: Any) -> str:
    version: str = s3.put_object(Bucket=bucket, Key="k", Body=b"x", **options)["VersionId"]
    return version


def retain(s3: Any, bucket: str, mode: str, until: datetime, **options: Any) -> None:
    s3.put_object_retention(Bucket=bucket, Key="k", Retention={"Mode": mode, "RetainUntilDate": until}, **options)


def test_a_legal_hold(s3: Any, locking: str) -> None:
    version = put(s3, locking)
    with refused("NoSuchObjectLockConfiguration", NONE_SET, 404):
        s3.get_object_legal_hold(Bucket=locking, Key="k")
    s3.put_object_legal_hold(Bucket=locking, Key="k", LegalHold={"Status": "ON"})
    assert s3.get_object_legal_hold(Bucket=locking, Key="k")["LegalHold"] == {"Status": "ON"}
    assert s3.head_object(Bucket=locking, Key="k")["ObjectLockLegalHoldStatus"] == "ON"
    for options in ({}, {"BypassGovernanceRetention": True}):
        with refused("AccessDenied", LOCKED, 403):
            s3.delete_object(Bucket=locking, Key="k", VersionId=version, **options)
    answer = s3.delete_objects(Bucket=locking, Delete={"Objects": [{"Key": "k", "VersionId": version}]})
    assert answer["Errors"] == [{"Key": "k", "VersionId": version, "Code": "AccessDenied", "Message": LOCKED}]
    s3.put_object_legal_hold(Bucket=locking, Key="k", LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(Bucket=locking, Key="k")["LegalHold"] == {"Status": "OFF"}
    s3.delete_object(Bucket=locking, Key="k", VersionId=version)


def test_a_hold_with_the_object(s3: Any, locking: str) -> None:
    version = put(s3, locking, ObjectLockLegalHoldStatus="ON")
    with refused("AccessDenied", LOCKED, 403):
        s3.delete_object(Bucket=locking, Key="k", VersionId=version)
    marker = s3.delete_object(Bucket=locking, Key="k")  # a delete marker may always be laid
    assert marker["DeleteMarker"] is True
    for call in (s3.get_object_legal_hold, s3.get_object_retention):
        with refused("MethodNotAllowed", status=405, Method="GET", ResourceType="DeleteMarker"):
            call(Bucket=locking, Key="k", VersionId=marker["VersionId"])


def test_governance_mode(cloud: Account, s3: Any, locking: str) -> None:
    until = now(cloud) + timedelta(days=2)
    version = put(s3, locking, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until)
    head = s3.head_object(Bucket=locking, Key="k")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", until)
    with refused("AccessDenied", LOCKED, 403):
        s3.delete_object(Bucket=locking, Key="k", VersionId=version)
    retain(s3, locking, "GOVERNANCE", until + timedelta(days=1))
    found = s3.get_object_retention(Bucket=locking, Key="k")["Retention"]
    assert found == {"Mode": "GOVERNANCE", "RetainUntilDate": until + timedelta(days=1)}
    with refused("AccessDenied", LOCKED, 403):
        retain(s3, locking, "GOVERNANCE", until)
    with refused("AccessDenied", LOCKED, 403):
        retain(s3, locking, "COMPLIANCE", until + timedelta(days=9))
    retain(s3, locking, "GOVERNANCE", until, BypassGovernanceRetention=True)
    with refused("AccessDenied", LOCKED, 403):
        s3.put_object_retention(Bucket=locking, Key="k", Retention={})
    s3.put_object_retention(Bucket=locking, Key="k", Retention={}, BypassGovernanceRetention=True)
    with refused("NoSuchObjectLockConfiguration", NONE_SET, 404):
        s3.get_object_retention(Bucket=locking, Key="k")
    retain(s3, locking, "GOVERNANCE", until)
    s3.delete_object(Bucket=locking, Key="k", VersionId=version, BypassGovernanceRetention=True)


def test_compliance_mode(cloud: Account, s3: Any, locking: str) -> None:
    version = put(s3, locking)
    until = now(cloud) + timedelta(days=1)
    retain(s3, locking, "COMPLIANCE", until)
    for options in ({}, {"BypassGovernanceRetention": True}):
        with refused("AccessDenied", LOCKED, 403):
            s3.delete_object(Bucket=locking, Key="k", VersionId=version, **options)
        with refused("AccessDenied", LOCKED, 403):
            retain(s3, locking, "COMPLIANCE", until - timedelta(hours=1), **options)
        with refused("AccessDenied", LOCKED, 403):
            retain(s3, locking, "GOVERNANCE", until + timedelta(days=1), **options)
    cloud.advance(DAY_S + 1)
    assert s3.delete_object(Bucket=locking, Key="k", VersionId=version)["VersionId"] == version


def test_bypassing_needs_a_right(cloud: Account, s3: Any, locking: str) -> None:
    other = cloud.another()
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": "s3:DeleteObjectVersion",
        "Resource": f"arn:aws:s3:::{locking}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=locking, Policy=json.dumps(policy))
    version = put(s3, locking, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=now(cloud) + timedelta(days=1))
    deleting = other.client("s3").delete_object
    with refused("AccessDenied", LOCKED, 403):
        deleting(Bucket=locking, Key="k", VersionId=version, BypassGovernanceRetention=True)
    statement["Action"] = ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]  # type: ignore[assignment]
    s3.put_bucket_policy(Bucket=locking, Policy=json.dumps(policy))
    deleting(Bucket=locking, Key="k", VersionId=version, BypassGovernanceRetention=True)


def test_default_retention(cloud: Account, s3: Any, locking: str) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=locking, ObjectLockConfiguration=configuration)
    put(s3, locking)
    head = s3.head_object(Bucket=locking, Key="k")
    assert head["ObjectLockMode"] == "GOVERNANCE"
    assert abs(head["ObjectLockRetainUntilDate"] - now(cloud) - timedelta(days=3)) < timedelta(minutes=1)
    until = now(cloud) + timedelta(days=30)
    put(s3, locking, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until)
    assert s3.head_object(Bucket=locking, Key="k")["ObjectLockRetainUntilDate"] == until
    rule["DefaultRetention"] = {"Mode": "GOVERNANCE", "Years": 1}
    s3.put_object_lock_configuration(Bucket=locking, ObjectLockConfiguration=configuration)
    put(s3, locking)
    found = s3.get_object_retention(Bucket=locking, Key="k")["Retention"]["RetainUntilDate"]
    assert timedelta(days=364) < found - now(cloud) < timedelta(days=367)


def test_headers_that_are_refused(cloud: Account, s3: Any, locking: str, bucket: str) -> None:
    until = now(cloud) + timedelta(days=1)
    both = "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
    with refused("InvalidArgument", both, ArgumentName="x-amz-object-lock-retain-until-date"):
        put(s3, locking, ObjectLockMode="GOVERNANCE")
    with refused("InvalidArgument", both, ArgumentName="x-amz-object-lock-mode"):
        put(s3, locking, ObjectLockRetainUntilDate=until)
    text = "Unknown wormMode directive."
    for call in (put, lambda s3, bucket, **options: s3.create_multipart_upload(Bucket=bucket, Key="k", **options)):
        with refused("InvalidArgument", text, ArgumentName="x-amz-object-lock-mode", ArgumentValue="BAD-VALUE"):
            call(s3, locking, ObjectLockMode="BAD-VALUE", ObjectLockRetainUntilDate=until)
    with refused("InvalidArgument", "The retain until date must be in the future!"):
        put(s3, locking, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=until - timedelta(days=2))
    with refused("InvalidArgument", "Legal Hold must be either of 'ON' or 'OFF'"):
        put(s3, locking, ObjectLockLegalHoldStatus="MAYBE")
    with refused("InvalidRequest", NO_LOCK):
        s3.put_object(Bucket=bucket, Key="k", ObjectLockLegalHoldStatus="ON")


def test_where_there_is_no_lock(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    with refused("InvalidRequest", NO_LOCK):
        s3.put_object_legal_hold(Bucket=bucket, Key="k", LegalHold={"Status": "ON"})
    with refused("InvalidRequest", NO_LOCK):
        s3.get_object_legal_hold(Bucket=bucket, Key="k")
    with refused("InvalidRequest", NO_LOCK):
        retain(s3, bucket, "GOVERNANCE", now(cloud) + timedelta(days=1))
    with refused("InvalidRequest", NO_LOCK):
        s3.get_object_retention(Bucket=bucket, Key="k")
    text = "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets."
    for value in (True, False):
        with refused("InvalidArgument", text, ArgumentName="x-amz-bypass-governance-retention"):
            s3.delete_object(Bucket=bucket, Key="k", BypassGovernanceRetention=value)
        with refused("InvalidArgument", text, ArgumentName="x-amz-bypass-governance-retention"):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]}, BypassGovernanceRetention=value)


def test_what_is_refused_of_retentions(cloud: Account, s3: Any, locking: str) -> None:
    until = now(cloud) + timedelta(days=1)
    with refused("NoSuchKey", status=404, Key="k"):
        retain(s3, locking, "GOVERNANCE", until)
    with refused("NoSuchKey", status=404, Key="k"):
        s3.put_object_legal_hold(Bucket=locking, Key="k", LegalHold={"Status": "ON"})
    put(s3, locking)
    with refused("NoSuchObjectLockConfiguration", NONE_SET, 404):
        s3.get_object_retention(Bucket=locking, Key="k")
    for retention in (
        {},
        {"Mode": "GOVERNANCE"},
        {"RetainUntilDate": until},
        {"Mode": "NONE", "RetainUntilDate": until},
    ):
        with refused("MalformedXML"):
            s3.put_object_retention(Bucket=locking, Key="k", Retention=retention)
    with refused("MalformedXML"):
        s3.put_object_legal_hold(Bucket=locking, Key="k", LegalHold={})
    shown = "Tue Dec 31 16:00:00 PST 2019"
    with refused(
        "InvalidArgument",
        "The retain until date must be in the future!",
        ArgumentName="RetainUntilDate",
        ArgumentValue=shown,
    ):
        retain(s3, locking, "GOVERNANCE", datetime(2020, 1, 1, tzinfo=UTC))
    with refused("NoSuchBucket", status=404):
        s3.get_object_retention(Bucket="no-such-bucket-to-lock", Key="k")
