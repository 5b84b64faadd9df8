"""Sign, Verify, GetPublicKey: signatures of both sides are checked by the other."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from cumulo.services.identity.kms import ed25519ph
from tests.services.identity.kms.conftest import new_key, refused

MESSAGE = b"a message to be signed"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CASES = [
    *(("RSA_2048", f"RSASSA_{kind}_SHA_{size}") for kind in ("PSS", "PKCS1_V1_5") for size in HASHES),
    ("RSA_3072", "RSASSA_PSS_SHA_384"),
    ("RSA_4096", "RSASSA_PKCS1_V1_5_SHA_512"),
    ("ECC_NIST_P256", "ECDSA_SHA_256"),
    ("ECC_NIST_P384", "ECDSA_SHA_384"),
    ("ECC_NIST_P521", "ECDSA_SHA_512"),
    ("ECC_SECG_P256K1", "ECDSA_SHA_256"),
]


def arguments(algorithm: str) -> list[Any]:
    digest = HASHES[algorithm[-3:]]
    if algorithm.startswith("ECDSA"):
        return [ec.ECDSA(digest)]
    if "PSS" in algorithm:
        return [padding.PSS(padding.MGF1(digest), digest.digest_size), digest]
    return [padding.PKCS1v15(), digest]


@pytest.mark.parametrize(("spec", "algorithm"), CASES)
def test_signatures_verify_inside_and_outside(kms: Any, spec: str, algorithm: str) -> None:
    key = new_key(kms, spec, "SIGN_VERIFY")
    answer = kms.get_public_key(KeyId=key)
    assert answer["KeySpec"] == answer["CustomerMasterKeySpec"] == spec and algorithm in answer["SigningAlgorithms"]
    public: Any = load_der_public_key(answer["PublicKey"])
    digest = hashlib.new("sha" + algorithm[-3:], MESSAGE).digest()
    for form, message in (("RAW", MESSAGE), ("DIGEST", digest)):
        request = {"KeyId": key, "Message": message, "MessageType": form, "SigningAlgorithm": algorithm}
        signed = kms.sign(**request)
        assert (signed["KeyId"], signed["SigningAlgorithm"]) == (key, algorithm)
        public.verify(signed["Signature"], MESSAGE, *arguments(algorithm))
        verified = kms.verify(**request, Signature=signed["Signature"])
        assert verified["SignatureValid"] is True and verified["KeyId"] == key
        with refused("KMSInvalidSignatureException", ""):
            kms.verify(**{**request, "Message": message[::-1]}, Signature=signed["Signature"])
        with refused("KMSInvalidSignatureException", ""):
            kms.verify(**request, Signature=b"bad signature")
    with refused("ValidationException", f"Digest is invalid length for algorithm {algorithm}."):
        kms.sign(KeyId=key, Message=b"short", MessageType="DIGEST", SigningAlgorithm=algorithm)


def test_ed25519(kms: Any) -> None:
    key = new_key(kms, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    public: Any = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    signature = kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm="ED25519_SHA_512")["Signature"]
    public.verify(signature, MESSAGE)
    assert kms.verify(KeyId=key, Message=MESSAGE, Signature=signature, SigningAlgorithm="ED25519_SHA_512")
    digest = hashlib.sha512(MESSAGE).digest()
    request = {"KeyId": key, "Message": digest, "MessageType": "DIGEST", "SigningAlgorithm": "ED25519_PH_SHA_512"}
    signature = kms.sign(**request)["Signature"]
    assert kms.verify(**request, Signature=signature)["SignatureValid"]
    with refused("KMSInvalidSignatureException"):
        kms.verify(**request, Signature=bytes([signature[0] ^ 1]) + signature[1:])
    for form, algorithm in (("DIGEST", "ED25519_SHA_512"), ("RAW", "ED25519_PH_SHA_512")):
        with refused("ValidationException"):
            kms.sign(KeyId=key, Message=digest, MessageType=form, SigningAlgorithm=algorithm)


def test_ed25519ph_as_the_rfc_has_it() -> None:
    """RFC 8032, 7.3: the vector of Ed25519ph."""
    seed = bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
    public = bytes.fromhex("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf")
    signature = bytes.fromhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    )
    digest = hashlib.sha512(b"abc").digest()
    assert ed25519ph.sign(seed, digest) == signature
    assert ed25519ph.verify(public, signature, digest)
    assert not ed25519ph.verify(public, signature, hashlib.sha512(b"abd").digest())
    assert not ed25519ph.verify(public, b"\xff" * 64, digest)
    assert not ed25519ph.verify(b"\xff" * 32, signature, digest)


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_ml_dsa(kms: Any, spec: str) -> None:
    key = new_key(kms, spec, "SIGN_VERIFY")
    public: Any = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    signature = kms.sign(KeyId=key, Message=MESSAGE, SigningAlgorithm="ML_DSA_SHAKE_256")["Signature"]
    public.verify(signature, MESSAGE)
    mu = bytes(range(64))
    request = {"KeyId": key, "Message": mu, "MessageType": "EXTERNAL_MU", "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    signature = kms.sign(**request)["Signature"]
    public.verify_mu(signature, mu)
    assert kms.verify(**request, Signature=signature)["SignatureValid"]
    with refused("KMSInvalidSignatureException"):
        kms.verify(**request, Signature=b"x" * len(signature))
    with refused("ValidationException", "Digest is invalid length for algorithm ML_DSA_SHAKE_256."):
        kms.sign(**{**request, "Message": b"short"})


def test_what_is_refused(kms: Any, key: str) -> None:
    ecc = new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    with refused("InvalidKeyUsageException", "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256."):
        kms.sign(KeyId=ecc, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_384")
    mac = new_key(kms, "HMAC_256", "GENERATE_VERIFY_MAC")
    with refused("InvalidKeyUsageException", f"{mac} key usage is GENERATE_VERIFY_MAC which is not valid for Sign."):
        kms.sign(KeyId=mac, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
    with refused("InvalidKeyUsageException", f"{key} key usage is ENCRYPT_DECRYPT which is not valid for Verify."):
        kms.verify(KeyId=key, Message=MESSAGE, Signature=b"x", SigningAlgorithm="ECDSA_SHA_256")
    with refused("UnsupportedOperationException"):
        kms.get_public_key(KeyId=key)
    with refused("DryRunOperationException"):
        kms.sign(KeyId=ecc, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256", DryRun=True)
    kms.disable_key(KeyId=ecc)
    with refused("DisabledException"):
        kms.sign(KeyId=ecc, Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
