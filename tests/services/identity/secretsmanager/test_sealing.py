"""Secrets at rest: encrypted through KMS."""

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Account

Refused = Callable[..., Any]


def test_no_plaintext_reaches_the_disk(cloud: Account, client: Any) -> None:
    needle = f"needle-{cloud.account}-in-a-secret"
    client.create_secret(Name="s", SecretString=needle, AddReplicaRegions=[{"Region": "eu-west-1"}])
    client.put_secret_value(SecretId="s", SecretBinary=needle.encode() + b"!")
    for file in cloud.data_dir.rglob("*"):
        if file.is_file():
            assert needle.encode() not in file.read_bytes(), file


def test_a_key_of_ones_own(cloud: Account, client: Any, refused: Refused) -> None:
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    client.create_secret(Name="s", SecretString="v", KmsKeyId=key)
    assert client.describe_secret(SecretId="s")["KmsKeyId"] == key
    assert client.list_secret_version_ids(SecretId="s")["Versions"][0]["KmsKeyIds"] == [key]
    kms.disable_key(KeyId=key)
    assert refused(client.get_secret_value, SecretId="s").code == "DecryptionFailure"
    assert refused(client.put_secret_value, SecretId="s", SecretString="w").code == "EncryptionFailure"
    kms.enable_key(KeyId=key)
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v"


def test_another_key_takes_over_what_is_in_use(cloud: Account, client: Any, refused: Refused) -> None:
    kms = cloud.client("kms")
    first, second = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    client.create_secret(Name="s", SecretString="v", KmsKeyId=first)
    client.update_secret(SecretId="s", KmsKeyId=second)
    kms.disable_key(KeyId=first)
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v"


def test_another_account_needs_the_key_too(cloud: Account, client: Any, refused: Refused) -> None:
    other = cloud.another()
    kms = cloud.client("kms")
    made = kms.create_key()["KeyMetadata"]
    arn = client.create_secret(Name="s", SecretString="v", KmsKeyId=made["Arn"])["ARN"]
    allow = {"Effect": "Allow", "Principal": {"AWS": other.account}, "Resource": "*"}
    text = {"Version": "2012-10-17", "Statement": [{**allow, "Action": "secretsmanager:GetSecretValue"}]}
    client.put_resource_policy(SecretId=arn, ResourcePolicy=json.dumps(text))
    there = other.client("secretsmanager")
    error = refused(there.get_secret_value, SecretId=arn)
    assert (error.code, error.message) == ("AccessDeniedException", "Access to KMS is not allowed")
    policy = json.loads(kms.get_key_policy(KeyId=made["KeyId"], PolicyName="default")["Policy"])
    policy["Statement"].append({**allow, "Sid": "Shared", "Action": "kms:Decrypt"})
    kms.put_key_policy(KeyId=made["KeyId"], PolicyName="default", Policy=json.dumps(policy))
    assert there.get_secret_value(SecretId=arn)["SecretString"] == "v"
