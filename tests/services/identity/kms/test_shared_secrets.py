"""DeriveSharedSecret, Encapsulate, Decapsulate."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tests.services.identity.kms.conftest import new_key, refused


def der(private: Any) -> bytes:
    return bytes(private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize(("spec", "curve"), [
    ("ECC_NIST_P256", ec.SECP256R1()), ("ECC_NIST_P384", ec.SECP384R1()), ("ECC_NIST_P521", ec.SECP521R1()),
])  # fmt: skip
def test_both_sides_derive_the_same(kms: Any, spec: str, curve: Any) -> None:
    key = new_key(kms, spec, "KEY_AGREEMENT")
    ours: Any = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    theirs = ec.generate_private_key(curve)
    found = kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=der(theirs))
    assert found["SharedSecret"] == theirs.exchange(ec.ECDH(), ours)
    assert (found["KeyId"], found["KeyOrigin"], found["KeyAgreementAlgorithm"]) == (key, "AWS_KMS", "ECDH")


def test_what_is_refused(kms: Any) -> None:
    key = new_key(kms, "ECC_NIST_P256", "KEY_AGREEMENT")
    for public in (b"nonsense", der(ec.generate_private_key(ec.SECP384R1()))):
        with refused("ValidationException"):
            kms.derive_shared_secret(KeyId=key, KeyAgreementAlgorithm="ECDH", PublicKey=public)
    signing = new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    with refused("InvalidKeyUsageException"):
        kms.derive_shared_secret(KeyId=signing, KeyAgreementAlgorithm="ECDH", PublicKey=b"x")


@pytest.mark.parametrize("spec", ["ML_KEM_768", "ML_KEM_1024"])
def test_encapsulation(kms: Any, spec: str) -> None:
    key = new_key(kms, spec, "ENCAPSULATE_DECAPSULATE")
    public: Any = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    secret, ciphertext = public.encapsulate()
    request = {"KeyId": key, "EncapsulationAlgorithm": "ML_KEM"}
    assert kms.decapsulate(SharedSecretCiphertextBlob=ciphertext, **request)["SharedSecret"] == secret
    made = kms.encapsulate(**request)
    opened = kms.decapsulate(SharedSecretCiphertextBlob=made["SharedSecretCiphertextBlob"], **request)
    assert opened["SharedSecret"] == made["SharedSecret"]
    changed = bytes(len(ciphertext))
    assert len(kms.decapsulate(SharedSecretCiphertextBlob=changed, **request)["SharedSecret"]) == 32
    with refused("InvalidCiphertextException"):
        kms.decapsulate(SharedSecretCiphertextBlob=ciphertext[:-1], **request)
    with refused("DryRunOperationException"):
        kms.encapsulate(**request, DryRun=True)
