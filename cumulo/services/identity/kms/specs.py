"""Key specs: what each kind of key is for, with which algorithms, and how long its material is.

Source: AWS KMS Developer Guide, "Key spec reference", and the answers of DescribeKey for the order of algorithms.
"""

from __future__ import annotations

from typing import NamedTuple

ENCRYPT_DECRYPT = "ENCRYPT_DECRYPT"
SIGN_VERIFY = "SIGN_VERIFY"
GENERATE_VERIFY_MAC = "GENERATE_VERIFY_MAC"
KEY_AGREEMENT = "KEY_AGREEMENT"
ENCAPSULATE_DECAPSULATE = "ENCAPSULATE_DECAPSULATE"
SYMMETRIC = "SYMMETRIC_DEFAULT"

# The member of KeyMetadata that lists the algorithms of a usage.
ALGORITHM_MEMBERS = {
    ENCRYPT_DECRYPT: "EncryptionAlgorithms",
    SIGN_VERIFY: "SigningAlgorithms",
    GENERATE_VERIFY_MAC: "MacAlgorithms",
    KEY_AGREEMENT: "KeyAgreementAlgorithms",
    ENCAPSULATE_DECAPSULATE: "EncapsulationAlgorithms",
}


class Spec(NamedTuple):
    """A key spec. `family` says how the material is made, `size` its bits or its variant."""

    name: str
    family: str
    size: int
    usages: dict[str, tuple[str, ...]]


_RSA = {
    ENCRYPT_DECRYPT: ("RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"),
    SIGN_VERIFY: (
        "RSASSA_PKCS1_V1_5_SHA_256",
        "RSASSA_PKCS1_V1_5_SHA_384",
        "RSASSA_PKCS1_V1_5_SHA_512",
        "RSASSA_PSS_SHA_256",
        "RSASSA_PSS_SHA_384",
        "RSASSA_PSS_SHA_512",
    ),
}


def _ecc(size: int) -> dict[str, tuple[str, ...]]:
    return {SIGN_VERIFY: (f"ECDSA_SHA_{size}",), KEY_AGREEMENT: ("ECDH",)}


SPECS = {
    spec.name: spec
    for spec in (
        Spec(SYMMETRIC, "aes", 256, {ENCRYPT_DECRYPT: (SYMMETRIC,)}),
        *(Spec(f"RSA_{bits}", "rsa", bits, _RSA) for bits in (2048, 3072, 4096)),
        Spec("ECC_NIST_P256", "ecc", 256, _ecc(256)),
        Spec("ECC_NIST_P384", "ecc", 384, _ecc(384)),
        Spec("ECC_NIST_P521", "ecc", 521, _ecc(512)),
        Spec("ECC_SECG_P256K1", "ecc", 0, {SIGN_VERIFY: ("ECDSA_SHA_256",)}),
        Spec("ECC_NIST_EDWARDS25519", "ed25519", 255, {SIGN_VERIFY: ("ED25519_SHA_512", "ED25519_PH_SHA_512")}),
        *(Spec(f"HMAC_{n}", "hmac", n, {GENERATE_VERIFY_MAC: (f"HMAC_SHA_{n}",)}) for n in (224, 256, 384, 512)),
        *(Spec(f"ML_DSA_{n}", "ml-dsa", n, {SIGN_VERIFY: ("ML_DSA_SHAKE_256",)}) for n in (44, 65, 87)),
        *(Spec(f"ML_KEM_{n}", "ml-kem", n, {ENCAPSULATE_DECAPSULATE: ("ML_KEM",)}) for n in (768, 1024)),
    )
}
# No library of ours has them: ML-KEM-512 is left out by `cryptography`, SM2 is for the regions in China.
REFUSED = ("SM2", "ML_KEM_512")
SECRET_FAMILIES = ("aes", "hmac")  # material is plain bytes, without a public half
