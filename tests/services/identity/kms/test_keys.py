"""Keys: created, described, listed, switched off and on."""

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.kms.conftest import new_key, refused, state


def test_a_key_is_described_as_it_was_created(cloud: Account, kms: Any) -> None:
    created = kms.create_key(Description="test")["KeyMetadata"]
    assert created == kms.describe_key(KeyId=created["KeyId"])["KeyMetadata"]
    created.pop("CreationDate")
    assert len(created.pop("CurrentKeyMaterialId")) == 64
    assert created == {
        "AWSAccountId": cloud.account,
        "Arn": f"arn:aws:kms:us-east-1:{cloud.account}:key/{created['KeyId']}",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "Description": "test",
        "Enabled": True,
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "KeyId": created["KeyId"],
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
        "Origin": "AWS_KMS",
    }


@pytest.mark.parametrize(
    ("spec", "usage", "member", "algorithms"),
    [
        ("RSA_2048", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]),
        ("ECC_NIST_P521", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_512"]),
        ("ECC_NIST_P256", "KEY_AGREEMENT", "KeyAgreementAlgorithms", ["ECDH"]),
        ("ECC_SECG_P256K1", "SIGN_VERIFY", "SigningAlgorithms", ["ECDSA_SHA_256"]),
        ("HMAC_384", "GENERATE_VERIFY_MAC", "MacAlgorithms", ["HMAC_SHA_384"]),
        ("ML_DSA_65", "SIGN_VERIFY", "SigningAlgorithms", ["ML_DSA_SHAKE_256"]),
        ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE", "EncapsulationAlgorithms", ["ML_KEM"]),
    ],
)
def test_specs_have_their_algorithms(kms: Any, spec: str, usage: str, member: str, algorithms: list[str]) -> None:
    found = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert found[member] == algorithms
    assert (found["KeySpec"], found["CustomerMasterKeySpec"], found["KeyUsage"]) == (spec, spec, usage)
    assert "CurrentKeyMaterialId" not in found


def test_what_cannot_be_created(kms: Any) -> None:
    text = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
    with refused("ValidationException", text):
        kms.create_key(KeySpec="RSA_2048")
    with refused("ValidationException", "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT"):
        kms.create_key(KeyUsage="SIGN_VERIFY")
    with refused("ValidationException"):
        kms.create_key(KeySpec="RSA_2048", CustomerMasterKeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    for members in (
        {"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"},
        {"KeySpec": "ML_KEM_512", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
        {"Origin": "AWS_CLOUDHSM"},
        {"CustomKeyStoreId": "cks-1"},
        {"XksKeyId": "key"},
    ):
        with refused("NotImplemented"):
            kms.create_key(**members)


def test_names_of_keys(cloud: Account, kms: Any, key: str) -> None:
    key_id = key.rpartition("/")[2]
    kms.create_alias(AliasName="alias/orders", TargetKeyId=key_id)
    alias_arn = f"arn:aws:kms:us-east-1:{cloud.account}:alias/orders"
    for name in (key, key_id, "alias/orders", alias_arn):
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"] == key
    for name in ("nonsense", "orders"):
        with refused("NotFoundException", f"Invalid keyId {name}"):
            kms.describe_key(KeyId=name)
    with refused("NotFoundException", f"Alias {alias_arn}2 is not found."):
        kms.describe_key(KeyId="alias/orders2")
    missing = "00000000-1111-2222-3333-444444444444"
    arn = f"arn:aws:kms:us-east-1:{cloud.account}:key/{missing}"
    for name in (missing, arn):
        with refused("NotFoundException", f"Key '{arn}' does not exist"):
            kms.describe_key(KeyId=name)
    replica = f"arn:aws:kms:us-east-1:{cloud.account}:key/mrk-{'0' * 32}"
    with refused("NotFoundException", f"Key '{replica}' does not exist"):
        kms.describe_key(KeyId=f"mrk-{'0' * 32}")
    with refused("InvalidArnException"):
        kms.describe_key(KeyId="arn:aws:sqs:us-east-1:111122223333:queue")


def test_a_key_lives_in_its_region(cloud: Account, key: str) -> None:
    elsewhere = cloud.client("kms", region="eu-west-1")
    with refused("NotFoundException", "Invalid arn us-east-1"):
        elsewhere.describe_key(KeyId=key)
    with refused("NotFoundException", f"Key '{key.replace('us-east-1', 'eu-west-1')}' does not exist"):
        elsewhere.describe_key(KeyId=key.rpartition("/")[2])


def test_keys_are_listed_in_pages(kms: Any) -> None:
    made = {new_key(kms) for _ in range(5)}
    found: list[Any] = []
    for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}):
        assert len(page["Keys"]) <= 2
        found += page["Keys"]
    assert {each["KeyArn"] for each in found} == made
    assert all(each["KeyArn"].endswith(each["KeyId"]) for each in found)
    with refused("InvalidMarkerException"):
        kms.list_keys(Marker="nonsense")
    assert kms.list_keys(ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"])["Keys"] == []


def test_a_disabled_key_does_nothing(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert state(kms, key) == "Disabled"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Enabled"] is False
    with refused("DisabledException", f"{key} is disabled."):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("DisabledException", f"{key} is disabled."):
        kms.decrypt(CiphertextBlob=blob)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_descriptions_change(kms: Any, key: str) -> None:
    kms.update_key_description(KeyId=key, Description="new")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Description"] == "new"


def test_last_use(cloud: Account, kms: Any, key: str) -> None:
    before = kms.get_key_last_usage(KeyId=key)
    assert before["KeyLastUsage"] == {} and before["TrackingStartDate"] == before["KeyCreationDate"]
    answer = kms.encrypt(KeyId=key, Plaintext=b"x")
    cloud.settle()
    usage = kms.get_key_last_usage(KeyId=key)["KeyLastUsage"]
    assert usage["Operation"] == "Encrypt"
    assert usage["KmsRequestId"] == answer["ResponseMetadata"]["RequestId"]
    with refused("DryRunOperationException"):
        kms.generate_data_key(KeyId=key, KeySpec="AES_256", DryRun=True)
    cloud.advance(61)
    assert kms.get_key_last_usage(KeyId=key)["KeyLastUsage"] == usage


def test_other_accounts_learn_nothing(cloud: Account, kms: Any, key: str) -> None:
    stranger = cloud.another()
    theirs = stranger.client("kms")
    who = f"User: arn:aws:iam::{stranger.account}:root is not authorized to perform: "
    with refused(
        "AccessDeniedException",
        f"{who}kms:Encrypt on resource: {key} because no resource-based policy allows the kms:Encrypt action",
    ):
        theirs.encrypt(KeyId=key, Plaintext=b"x")
    missing = key[:-36] + "00000000-1111-2222-3333-444444444444"
    with refused(
        "AccessDeniedException",
        f"{who}kms:Encrypt on this resource because the resource does not exist in this Region, no resource-based "
        "policies allow access, or a resource-based policy explicitly denies access",
    ):
        theirs.encrypt(KeyId=missing, Plaintext=b"x")
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with refused("AccessDeniedException"):
        theirs.decrypt(CiphertextBlob=blob)


def test_a_key_shared_with_another_account(cloud: Account, kms: Any, key: str) -> None:
    friend = cloud.another()
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    policy["Statement"].append(
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{friend.account}:root"},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:DisableKey"],
            "Resource": "*",
        }
    )
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    theirs = friend.client("kms")
    blob = theirs.encrypt(KeyId=key, Plaintext=b"shared")["CiphertextBlob"]
    assert (
        kms.decrypt(CiphertextBlob=blob)["Plaintext"] == theirs.decrypt(CiphertextBlob=blob)["Plaintext"] == b"shared"
    )
    assert theirs.describe_key(KeyId=key)["KeyMetadata"]["AWSAccountId"] == cloud.account
    with refused("AccessDeniedException"):
        theirs.disable_key(KeyId=key)  # "Cross-account use: No", whatever the policy says
