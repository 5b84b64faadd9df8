"""Keys that wait for their end."""

from typing import Any

from tests.conftest import Account
from tests.services.identity.kms.conftest import DAY_S, refused, state


def test_a_key_waits_and_is_gone(cloud: Account, kms: Any, key: str) -> None:
    kms.create_alias(AliasName="alias/doomed", TargetKeyId=key)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    answer = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (answer["KeyId"], answer["KeyState"], answer["PendingWindowInDays"]) == (key, "PendingDeletion", 7)
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["KeyState"], found["Enabled"], found["DeletionDate"]) == (
        "PendingDeletion", False, answer["DeletionDate"],
    )  # fmt: skip
    text = f"{key} is pending deletion."
    for call, members in (
        (kms.encrypt, {"Plaintext": b"x"}),
        (kms.enable_key, {}),
        (kms.disable_key, {}),
        (kms.schedule_key_deletion, {}),
        (kms.tag_resource, {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        (kms.update_key_description, {"Description": "x"}),
        (kms.enable_key_rotation, {}),
    ):
        with refused("KMSInvalidStateException", text):
            call(KeyId=key, **members)
    with refused("KMSInvalidStateException", text):
        kms.create_alias(AliasName="alias/late", TargetKeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    cloud.advance(7 * DAY_S + 1)
    with refused("NotFoundException", f"Key '{key}' does not exist"):
        kms.describe_key(KeyId=key)
    with refused("AccessDeniedException"):
        kms.decrypt(CiphertextBlob=blob)
    assert kms.list_aliases()["Aliases"] == [] and kms.list_keys()["Keys"] == []


def test_a_deletion_is_cancelled(cloud: Account, kms: Any, key: str) -> None:
    with refused("KMSInvalidStateException", f"{key} is not pending deletion."):
        kms.cancel_key_deletion(KeyId=key)
    assert kms.schedule_key_deletion(KeyId=key)["PendingWindowInDays"] == 30
    assert kms.cancel_key_deletion(KeyId=key)["KeyId"] == key
    assert state(kms, key) == "Disabled"
    cloud.advance(31 * DAY_S)
    kms.enable_key(KeyId=key)
    assert state(kms, key) == "Enabled"


def test_windows(kms: Any, key: str) -> None:
    for days in (6, 31):
        with refused("ValidationException"):
            kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=days)
