"""SecureStrings: encrypted by KMS, for the caller."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account

Call = Callable[..., Any]


@pytest.mark.parametrize("tier", ["Standard", "Advanced"])
def test_a_secure_string_is_shown_encrypted_unless_decrypted(ssm: Any, put: Call, tier: str) -> None:
    put("/s", "hunter2", Type="SecureString", Tier=tier)
    sealed = ssm.get_parameter(Name="/s")["Parameter"]["Value"]
    assert "hunter2" not in sealed and b"hunter2" not in base64.b64decode(sealed)
    assert ssm.get_parameter(Name="/s", WithDecryption=True)["Parameter"]["Value"] == "hunter2"
    assert ssm.get_parameters(Names=["/s"], WithDecryption=True)["Parameters"][0]["Value"] == "hunter2"
    assert ssm.get_parameters_by_path(Path="/", WithDecryption=True)["Parameters"][0]["Value"] == "hunter2"
    assert ssm.get_parameter_history(Name="/s", WithDecryption=True)["Parameters"][0]["Value"] == "hunter2"


def test_the_ciphertext_is_kms_own(cloud: Account, ssm: Any, put: Call) -> None:
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    put("/s", "hunter2", Type="SecureString", KeyId=key)
    blob = base64.b64decode(ssm.get_parameter(Name="/s")["Parameter"]["Value"])
    arn = f"arn:aws:ssm:us-east-1:{cloud.account}:parameter/s"
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"PARAMETER_ARN": arn})["Plaintext"] == b"hunter2"
    assert ssm.describe_parameters()["Parameters"][0]["KeyId"] == key


def test_keys_that_are_missing_or_disabled(cloud: Account, ssm: Any, put: Call, refused: Call) -> None:
    request = {"name": "/s", "Type": "SecureString", "KeyId": "00000000-0000-4000-8000-000000000000"}
    assert refused(put, **request).code == "InvalidKeyId"
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    put("/s", Type="SecureString", KeyId=key)
    kms.disable_key(KeyId=key)
    assert refused(ssm.get_parameter, Name="/s", WithDecryption=True).code == "InvalidKeyId"
    assert ssm.get_parameter(Name="/s")["Parameter"]["Version"] == 1


def test_no_plaintext_reaches_the_disk(cloud: Account, ssm: Any, put: Call) -> None:
    needle = f"needle-{cloud.account}-in-a-parameter"
    put("/s", needle, Type="SecureString")
    put("/t", needle, Type="SecureString", Tier="Advanced")
    for file in cloud.data_dir.rglob("*"):
        if file.is_file():
            assert needle.encode() not in file.read_bytes(), file
