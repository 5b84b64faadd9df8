"""Encrypt, Decrypt, ReEncrypt."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.conftest import Account
from tests.services.identity.kms.conftest import new_key, refused

CONTEXT = {"tenant": "acme", "purpose": "test"}
INCORRECT = "The key ID in the request does not identify a CMK that can perform this operation."


def test_what_is_encrypted_is_decrypted(kms: Any, key: str) -> None:
    sealed = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)
    sealed.pop("ResponseMetadata")
    blob = sealed.pop("CiphertextBlob")
    assert sealed == {"KeyId": key, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    assert b"secret" not in blob
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext=dict(reversed(CONTEXT.items())))
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", key)
    assert opened["KeyMaterialId"] == kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)["CiphertextBlob"] != blob


@pytest.mark.parametrize("context", [{}, {"tenant": "acme"}, {**CONTEXT, "more": "1"}, {"Tenant": "acme"}])
def test_another_context_opens_nothing(kms: Any, key: str, context: dict[str, str]) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    with refused("InvalidCiphertextException", ""):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)


def test_changed_and_foreign_blobs(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x" * 20)["CiphertextBlob"]
    for changed in (b"foreign", b"\x01\x02\x02\x00x" + blob, blob[:-1], blob[:-1] + bytes([blob[-1] ^ 1]), blob + b"x"):
        with refused("InvalidCiphertextException", ""):
            kms.decrypt(CiphertextBlob=changed)


def test_the_named_key_must_be_the_one(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, KeyId=key.rpartition("/")[2])["Plaintext"] == b"x"
    for other in (new_key(kms), new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")):
        with refused("IncorrectKeyException", INCORRECT):
            kms.decrypt(CiphertextBlob=blob, KeyId=other)
        with refused("IncorrectKeyException", INCORRECT):
            kms.re_encrypt(CiphertextBlob=blob, SourceKeyId=other, DestinationKeyId=key)


def test_sizes(kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x" * 4096)["CiphertextBlob"]
    assert len(blob) <= 6144
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x" * 4096
    with refused(
        "ValidationException",
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096",
    ):
        kms.encrypt(KeyId=key, Plaintext=b"x" * 4097)


def test_usages(kms: Any) -> None:
    signing = new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    with refused("InvalidKeyUsageException", f"{signing} key usage is SIGN_VERIFY which is not valid for Encrypt."):
        kms.encrypt(KeyId=signing, Plaintext=b"x")
    with refused(
        "InvalidKeyUsageException", "Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT."
    ):
        kms.encrypt(KeyId=new_key(kms), Plaintext=b"x", EncryptionAlgorithm="RSAES_OAEP_SHA_1")


@pytest.mark.parametrize(("algorithm", "digest", "room"), [
    ("RSAES_OAEP_SHA_1", hashes.SHA1(), 214), ("RSAES_OAEP_SHA_256", hashes.SHA256(), 190),
])  # fmt: skip
def test_rsa_with_the_public_key_outside(kms: Any, algorithm: str, digest: Any, room: int) -> None:
    key = new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT")
    public: Any = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    blob = public.encrypt(b"from outside", padding.OAEP(padding.MGF1(digest), digest, None))
    opened = kms.decrypt(KeyId=key, CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
    assert opened["Plaintext"] == b"from outside" and "KeyMaterialId" not in opened
    blob = kms.encrypt(KeyId=key, Plaintext=b"x" * room, EncryptionAlgorithm=algorithm)["CiphertextBlob"]
    assert len(blob) == 256
    assert kms.decrypt(KeyId=key, CiphertextBlob=blob, EncryptionAlgorithm=algorithm)["Plaintext"] == b"x" * room
    text = f"Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {room} bytes."
    with refused("ValidationException", text):
        kms.encrypt(KeyId=key, Plaintext=b"x" * (room + 1), EncryptionAlgorithm=algorithm)
    with refused("InvalidCiphertextException"):
        kms.decrypt(KeyId=key, CiphertextBlob=bytes(256), EncryptionAlgorithm=algorithm)
    with refused("ValidationException"):
        kms.decrypt(CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
    with refused("ValidationException"):
        kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionAlgorithm=algorithm, EncryptionContext=CONTEXT)


def test_re_encryption(kms: Any, key: str) -> None:
    other = new_key(kms)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext={"a": "1"},
        DestinationKeyId=other,
        DestinationEncryptionContext={"b": "2"},
    )
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key, other)
    assert moved["SourceKeyMaterialId"] != moved["DestinationKeyMaterialId"]
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"x", other)
    rsa = new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT")
    moved = kms.re_encrypt(
        CiphertextBlob=moved["CiphertextBlob"],
        SourceEncryptionContext={"b": "2"},
        DestinationKeyId=rsa,
        DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )
    assert moved["DestinationEncryptionAlgorithm"] == "RSAES_OAEP_SHA_256" and "DestinationKeyMaterialId" not in moved
    back = kms.re_encrypt(
        CiphertextBlob=moved["CiphertextBlob"],
        SourceKeyId=rsa,
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256",
        DestinationKeyId=key,
    )
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"x"


def test_dry_runs(kms: Any, key: str) -> None:
    text = "The request would have succeeded, but the DryRun option is set."
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with refused("DryRunOperationException", text):
        kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True)
    with refused("DryRunOperationException", text):
        kms.decrypt(CiphertextBlob=blob, DryRun=True)
    with refused("InvalidCiphertextException"):
        kms.decrypt(CiphertextBlob=blob[:-1], DryRun=True)
    with refused("DryRunOperationException", text):
        kms.decrypt(KeyId=key, DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"])
    with refused("DryRunOperationException", text):
        kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key, DryRun=True)
    kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        kms.encrypt(KeyId=key, Plaintext=b"x", DryRun=True)


def test_a_ciphertext_stays_in_its_region(cloud: Account, kms: Any, key: str) -> None:
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    with refused(
        "AccessDeniedException",
        f"User: arn:aws:iam::{cloud.account}:root is not authorized to perform: kms:Decrypt on the resource "
        "associated with this ciphertext because the resource does not exist in this Region, no resource-based "
        "policies allow access, or a resource-based policy explicitly denies access",
    ):
        cloud.client("kms", region="eu-west-1").decrypt(CiphertextBlob=blob)


def test_without_a_ciphertext(kms: Any) -> None:
    with refused(
        "ValidationException",
        "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: "
        "Member must not be null",
    ):
        kms.decrypt()
    with refused("NotImplemented"):
        kms.decrypt(CiphertextBlob=b"x", Recipient={"AttestationDocument": b"x"})
