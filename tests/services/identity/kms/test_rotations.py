"""Rotation by the calendar and on demand."""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.kms.conftest import DAY_S, new_key, refused


def current(kms: Any, key: str) -> str:
    return str(kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"])


@pytest.mark.parametrize("days", [90, 180])
def test_the_status(kms: Any, key: str, days: int) -> None:
    status = kms.get_key_rotation_status(KeyId=key)
    assert status["KeyRotationEnabled"] is False and "NextRotationDate" not in status
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=days)
    status = kms.get_key_rotation_status(KeyId=key)
    status.pop("ResponseMetadata")
    assert status.pop("NextRotationDate")
    assert status == {"KeyId": key, "KeyRotationEnabled": True, "RotationPeriodInDays": days}
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_a_key_rotates_by_itself_and_old_ciphertexts_open(cloud: Account, kms: Any, key: str) -> None:
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    blobs, seen = [], [current(kms, key)]
    for _ in range(3):
        blobs.append(kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"])
        cloud.advance(90 * DAY_S + 1)
        seen.append(current(kms, key))
    assert len(set(seen)) == 4
    assert [kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] for blob in blobs] == seen[:3]
    listed = kms.list_key_rotations(KeyId=key)["Rotations"]
    assert [each["RotationType"] for each in listed] == ["AUTOMATIC"] * 3
    assert [each["KeyMaterialState"] for each in listed] == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]
    between = listed[1]["RotationDate"] - listed[0]["RotationDate"]
    assert between.days == 90
    cloud.advance(2 * 90 * DAY_S)
    assert len(kms.list_key_rotations(KeyId=key)["Rotations"]) == 5
    kms.disable_key_rotation(KeyId=key)
    cloud.advance(1000 * DAY_S)
    assert len(kms.list_key_rotations(KeyId=key)["Rotations"]) == 5


def test_a_disabled_key_rotates_when_it_is_enabled_again(cloud: Account, kms: Any, key: str) -> None:
    kms.enable_key_rotation(KeyId=key)
    first = current(kms, key)
    kms.disable_key(KeyId=key)
    cloud.advance(366 * DAY_S)
    assert current(kms, key) == first
    kms.enable_key(KeyId=key)
    cloud.settle()
    assert current(kms, key) != first
    assert len(kms.list_key_rotations(KeyId=key)["Rotations"]) == 1


def test_on_demand(kms: Any, key: str) -> None:
    blob, first = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"], current(kms, key)
    assert kms.rotate_key_on_demand(KeyId=key)["KeyId"] == key
    assert current(kms, key) != first
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first
    for _ in range(24):
        kms.rotate_key_on_demand(KeyId=key)
    with refused(
        "LimitExceededException",
        "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be "
        f"performed for this key: {key}",
    ):
        kms.rotate_key_on_demand(KeyId=key)
    pages = list(kms.get_paginator("list_key_rotations").paginate(KeyId=key, PaginationConfig={"PageSize": 10}))
    assert [len(page["Rotations"]) for page in pages] == [10, 10, 5]
    everything = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert len(everything) == 26 and "RotationDate" not in everything[0]


def test_what_does_not_rotate(kms: Any, key: str) -> None:
    rsa = new_key(kms, "RSA_2048", "SIGN_VERIFY")
    for call in (
        kms.enable_key_rotation,
        kms.disable_key_rotation,
        kms.rotate_key_on_demand,
        kms.get_key_rotation_status,
        kms.list_key_rotations,
    ):
        with refused("UnsupportedOperationException"):
            call(KeyId=rsa)
    kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        kms.enable_key_rotation(KeyId=key)
    with refused("ValidationException"):
        kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=89)
