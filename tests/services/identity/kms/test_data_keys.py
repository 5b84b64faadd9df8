"""Data keys and data key pairs."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from tests.services.identity.kms.conftest import new_key, refused


@pytest.mark.parametrize(("members", "size"), [
    ({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1024}, 1024),
])  # fmt: skip
def test_data_keys(kms: Any, key: str, members: dict[str, Any], size: int) -> None:
    made = kms.generate_data_key(KeyId=key, EncryptionContext={"a": "b"}, **members)
    assert len(made["Plaintext"]) == size and made["KeyId"] == key and made["KeyMaterialId"]
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})
    assert opened["Plaintext"] == made["Plaintext"]
    sealed = kms.generate_data_key_without_plaintext(KeyId=key, **members)
    assert set(sealed) == {"CiphertextBlob", "KeyId", "KeyMaterialId", "ResponseMetadata"}
    assert len(kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"]) == size


def test_what_is_refused(kms: Any, key: str) -> None:
    text = "Please specify either number of bytes or key spec."
    for members in ({}, {"KeySpec": "AES_256", "NumberOfBytes": 32}):
        with refused("ValidationException", text):
            kms.generate_data_key(KeyId=key, **members)
    rsa = new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT")
    with refused("InvalidKeyUsageException"):
        kms.generate_data_key(KeyId=rsa, KeySpec="AES_256")
    with refused("NotImplemented"):
        kms.generate_data_key_pair(KeyId=key, KeyPairSpec="SM2")


@pytest.mark.parametrize(
    "spec", ["RSA_2048", "ECC_NIST_P384", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "ML_KEM_768"]
)
def test_pairs(kms: Any, key: str, spec: str) -> None:
    made = kms.generate_data_key_pair(KeyId=key, KeyPairSpec=spec, EncryptionContext={"a": "b"})
    private = load_der_private_key(made["PrivateKeyPlaintext"], None)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public == made["PublicKey"]
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext={"a": "b"})
    assert opened["Plaintext"] == made["PrivateKeyPlaintext"]
    sealed = kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec=spec)
    assert "PrivateKeyPlaintext" not in sealed and sealed["KeyPairSpec"] == spec and sealed["KeyId"] == key
    assert load_der_public_key(sealed["PublicKey"])


def test_pairs_dry(kms: Any, key: str) -> None:
    text = "The request would have succeeded, but the DryRun option is set."
    with refused("DryRunOperationException", text):
        kms.generate_data_key_pair_without_plaintext(KeyId=key, KeyPairSpec="RSA_4096", DryRun=True)


def test_random(kms: Any) -> None:
    one, two = (kms.generate_random(NumberOfBytes=64)["Plaintext"] for _ in range(2))
    assert len(one) == 64 and one != two
    with refused("ValidationException"):
        kms.generate_random()
    with refused("ValidationException"):
        kms.generate_random(NumberOfBytes=1025)
    with refused("NotImplemented"):
        kms.generate_random(NumberOfBytes=1, CustomKeyStoreId="cks-1")
