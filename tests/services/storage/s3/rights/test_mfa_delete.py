"""MFA delete: real codes of a real device."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.iam.conftest import House
from tests.services.identity.iam.credentials.test_mfa_devices import Device
from tests.services.storage.s3.conftest import refused


@pytest.fixture
def device(cloud: Account) -> Device:
    """A device in use in the account."""
    house = House(cloud)
    house.user("alice")
    found = Device(house)
    found.enable(house.iam, "alice")
    cloud.advance(60)  # the codes that enabled it are used up
    return found


def test_mfa_delete_needs_a_code(cloud: Account, s3: Any, bucket: str, device: Device) -> None:
    both = {"Status": "Enabled", "MFADelete": "Enabled"}
    with refused("AccessDenied", "Mfa Authentication must be used for this request", 403):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=both)
    with refused("AccessDenied", "Access Denied", 403):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=both, MFA=f"{device.serial} 000000x")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=both, MFA=f"{device.serial} {device.code()}")
    answer = s3.get_bucket_versioning(Bucket=bucket)
    assert answer["Status"] == "Enabled" and answer["MFADelete"] == "Enabled"
    version = s3.put_object(Bucket=bucket, Key="k")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k")  # lays a delete marker, and needs none
    with refused("AccessDenied", status=403):
        s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    cloud.advance(30)
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version, MFA=f"{device.serial} {device.code()}")
    with refused("AccessDenied", "Mfa Authentication must be used for this request", 403):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    cloud.advance(30)
    off = {"Status": "Suspended", "MFADelete": "Disabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=off, MFA=f"{device.serial} {device.code()}")
    assert "MFADelete" not in s3.get_bucket_versioning(Bucket=bucket)


def test_what_is_off_is_turned_off_by_anyone(cloud: Account, s3: Any, bucket: str) -> None:
    both = {"Status": "Enabled", "MFADelete": "Disabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=both)
    answer = s3.get_bucket_versioning(Bucket=bucket)
    assert answer["Status"] == "Enabled" and "MFADelete" not in answer


def test_only_root_turns_it_on(cloud: Account, bucket: str, device: Device) -> None:
    house = House(cloud)
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
    key = house.user("bob", text)
    bob = cloud.client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    both = {"Status": "Enabled", "MFADelete": "Enabled"}
    with refused("AccessDenied", "Access Denied", 403):
        bob.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=both, MFA=f"{device.serial} {device.code()}")
    bob.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
