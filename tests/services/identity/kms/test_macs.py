"""GenerateMac and VerifyMac."""

import hmac
from typing import Any

import pytest

from tests.services.identity.kms.conftest import new_key, refused


@pytest.mark.parametrize("size", [224, 256, 384, 512])
def test_macs(kms: Any, size: int) -> None:
    key = new_key(kms, f"HMAC_{size}", "GENERATE_VERIFY_MAC")
    algorithm = f"HMAC_SHA_{size}"
    made = kms.generate_mac(KeyId=key, Message=b"message", MacAlgorithm=algorithm)
    assert len(made["Mac"]) == size // 8 and made["KeyId"] == key and made["MacAlgorithm"] == algorithm
    request = {"KeyId": key, "MacAlgorithm": algorithm, "Mac": made["Mac"]}
    assert kms.verify_mac(Message=b"message", **request)["MacValid"] is True
    with refused("KMSInvalidMacException", ""):
        kms.verify_mac(Message=b"another", **request)
    with refused("DryRunOperationException"):
        kms.verify_mac(Message=b"another", **request, DryRun=True)


def test_what_is_refused(kms: Any, key: str) -> None:
    mac = new_key(kms, "HMAC_256", "GENERATE_VERIFY_MAC")
    with refused("InvalidKeyUsageException", "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256."):
        kms.verify_mac(KeyId=mac, Message=b"x", MacAlgorithm="HMAC_SHA_512", Mac=b"x")
    with refused(
        "ValidationException",
        "1 validation error detected: Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: Member must "
        "satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]",
    ):
        kms.verify_mac(KeyId=mac, Message=b"x", MacAlgorithm="INVALID", Mac=b"x")
    text = f"{key} key usage is ENCRYPT_DECRYPT which is not valid for GenerateMac."
    with refused("InvalidKeyUsageException", text):
        kms.generate_mac(KeyId=key, Message=b"x", MacAlgorithm="HMAC_SHA_256")


def test_an_imported_mac_key_is_computed_outside(kms: Any) -> None:
    from tests.services.identity.kms.test_imports import give

    key = new_key(kms, "HMAC_256", "GENERATE_VERIFY_MAC", Origin="EXTERNAL")
    secret = bytes(range(32))
    give(kms, key, secret)
    made = kms.generate_mac(KeyId=key, Message=b"message", MacAlgorithm="HMAC_SHA_256")["Mac"]
    assert made == hmac.digest(secret, b"message", "sha256")
