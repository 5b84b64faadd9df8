"""The AWS Encryption SDK for Python works with our keys as with AWS's."""

from typing import Any

import aws_encryption_sdk
import pytest
from aws_encryption_sdk.exceptions import DecryptKeyError, MasterKeyProviderError
from aws_encryption_sdk.identifiers import CommitmentPolicy
from aws_encryption_sdk.key_providers.kms import KMSMasterKey, KMSMasterKeyConfig

from tests.services.identity.kms.conftest import new_key

PLAINTEXT = b"a long text " * 10_000


def master_key(kms: Any, key: str) -> Any:
    return KMSMasterKey(config=KMSMasterKeyConfig(key_id=key, client=kms))


def test_round_trips(kms: Any) -> None:
    policy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    client = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=policy)
    key = new_key(kms)
    sealed, header = client.encrypt(
        source=PLAINTEXT, key_provider=master_key(kms, key), encryption_context={"tenant": "acme"}
    )
    assert header.encryption_context["tenant"] == "acme" and PLAINTEXT[:12] not in sealed
    kms.rotate_key_on_demand(KeyId=key)
    opened, header = client.decrypt(source=sealed, key_provider=master_key(kms, key))
    assert opened == PLAINTEXT and header.encryption_context["tenant"] == "acme"
    with pytest.raises((DecryptKeyError, MasterKeyProviderError)):
        client.decrypt(source=sealed, key_provider=master_key(kms, new_key(kms)))
    kms.disable_key(KeyId=key)
    with pytest.raises(DecryptKeyError):
        client.decrypt(source=sealed, key_provider=master_key(kms, key))
