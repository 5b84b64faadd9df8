"""Multi-Region keys and their replicas."""

from typing import Any

from tests.conftest import Account
from tests.services.identity.kms.conftest import DAY_S, refused, state
from tests.services.identity.kms.test_imports import give


def primary(kms: Any, **members: Any) -> str:
    return str(kms.create_key(MultiRegion=True, **members)["KeyMetadata"]["Arn"])


def test_a_primary_key(kms: Any) -> None:
    found = kms.create_key(MultiRegion=True)["KeyMetadata"]
    assert found["KeyId"].startswith("mrk-") and len(found["KeyId"]) == 36 and found["MultiRegion"]
    assert found["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY",
        "PrimaryKey": {"Arn": found["Arn"], "Region": "us-east-1"},
        "ReplicaKeys": [],
    }
    assert "MultiRegionConfiguration" not in kms.create_key()["KeyMetadata"]


def test_replicas_open_what_the_primary_sealed(cloud: Account, kms: Any) -> None:
    key = primary(kms)
    answer = kms.replicate_key(
        KeyId=key, ReplicaRegion="eu-west-1", Description="copy", Tags=[{"TagKey": "a", "TagValue": "b"}]
    )
    replica = answer["ReplicaKeyMetadata"]
    assert replica["Arn"] == key.replace("us-east-1", "eu-west-1") and replica["Description"] == "copy"
    assert answer["ReplicaTags"] == [{"TagKey": "a", "TagValue": "b"}] and "kms:*" in answer["ReplicaPolicy"]
    assert replica["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": {"Arn": key, "Region": "us-east-1"},
        "ReplicaKeys": [{"Arn": replica["Arn"], "Region": "eu-west-1"}],
    }
    europe = cloud.client("kms", region="eu-west-1")
    there = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert europe.decrypt(CiphertextBlob=there)["KeyId"] == replica["Arn"]
    assert europe.decrypt(CiphertextBlob=there, KeyId=replica["Arn"])["Plaintext"] == b"x"
    back = europe.encrypt(KeyId=replica["KeyId"], Plaintext=b"y")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=back)["Plaintext"] == b"y"
    kms.rotate_key_on_demand(KeyId=key)
    later = kms.encrypt(KeyId=key, Plaintext=b"z")["CiphertextBlob"]
    assert europe.decrypt(CiphertextBlob=later)["Plaintext"] == b"z"
    with refused("UnsupportedOperationException", f"{replica['Arn']} is not a multi-region primary key."):
        europe.replicate_key(KeyId=replica["Arn"], ReplicaRegion="ap-south-1")
    with refused("AlreadyExistsException"):
        kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    with refused("ValidationException"):
        kms.replicate_key(KeyId=key, ReplicaRegion="cn-north-1")
    with refused("UnsupportedOperationException"):
        kms.replicate_key(KeyId=kms.create_key()["KeyMetadata"]["KeyId"], ReplicaRegion="eu-west-1")


def test_another_primary(cloud: Account, kms: Any) -> None:
    key = primary(kms)
    for region in ("eu-west-1", "ap-south-1"):
        kms.replicate_key(KeyId=key, ReplicaRegion=region)
    with refused("NotFoundException"):
        kms.update_primary_region(KeyId=key, PrimaryRegion="eu-west-3")
    kms.update_primary_region(KeyId=key, PrimaryRegion="eu-west-1")
    for region in ("us-east-1", "eu-west-1", "ap-south-1"):
        client = cloud.client("kms", region=region)
        found = client.describe_key(KeyId=key.rpartition("/")[2])["KeyMetadata"]["MultiRegionConfiguration"]
        assert found["PrimaryKey"]["Region"] == "eu-west-1"
        assert {each["Region"] for each in found["ReplicaKeys"]} == {"us-east-1", "ap-south-1"}
        assert found["MultiRegionKeyType"] == ("PRIMARY" if region == "eu-west-1" else "REPLICA")


def test_a_primary_waits_for_its_replicas(cloud: Account, kms: Any) -> None:
    key = primary(kms)
    kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    answer = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert answer["KeyState"] == "PendingReplicaDeletion" and "DeletionDate" not in answer
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["PendingDeletionWindowInDays"] == 7
    cloud.advance(100 * DAY_S)
    assert state(kms, key) == "PendingReplicaDeletion"
    europe = cloud.client("kms", region="eu-west-1")
    europe.schedule_key_deletion(KeyId=key.rpartition("/")[2], PendingWindowInDays=7)
    cloud.advance(7 * DAY_S + 1)
    assert state(kms, key) == "PendingDeletion"
    cloud.advance(7 * DAY_S + 1)
    with refused("NotFoundException"):
        kms.describe_key(KeyId=key)


def test_imported_material_in_every_region(cloud: Account, kms: Any) -> None:
    key = primary(kms, Origin="EXTERNAL")
    europe, key_id = cloud.client("kms", region="eu-west-1"), key.rpartition("/")[2]
    first = give(kms, key, b"1" * 32)["KeyMaterialId"]
    kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    assert state(europe, key_id) == "PendingImport"
    with refused("UnsupportedOperationException"):
        give(europe, key_id, b"2" * 32, ImportType="NEW_KEY_MATERIAL")
    assert give(europe, key_id, b"1" * 32, ImportType="EXISTING_KEY_MATERIAL")["KeyMaterialId"] == first
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert europe.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    give(kms, key, b"2" * 32, ImportType="NEW_KEY_MATERIAL")
    listed = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert listed[1]["KeyMaterialState"] == "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    with refused("KMSInvalidStateException"):
        kms.rotate_key_on_demand(KeyId=key)
    give(europe, key_id, b"2" * 32)
    kms.rotate_key_on_demand(KeyId=key)
    blob = kms.encrypt(KeyId=key, Plaintext=b"y")["CiphertextBlob"]
    assert europe.decrypt(CiphertextBlob=blob)["Plaintext"] == b"y"
