"""Aliases, and the AWS managed keys that have them."""

from typing import Any

from tests.conftest import Account
from tests.services.identity.kms.conftest import new_key, refused, state


def names(kms: Any, **members: Any) -> list[str]:
    return [alias["AliasName"] for alias in kms.list_aliases(**members)["Aliases"]]


def test_aliases_name_keys(cloud: Account, kms: Any, key: str) -> None:
    kms.create_alias(AliasName="alias/one", TargetKeyId=key)
    kms.create_alias(AliasName="alias/two", TargetKeyId=key.rpartition("/")[2])
    other = new_key(kms)
    kms.create_alias(AliasName="alias/other", TargetKeyId=other)
    assert names(kms) == ["alias/one", "alias/other", "alias/two"]
    assert names(kms, KeyId=key) == ["alias/one", "alias/two"]
    entry = kms.list_aliases(KeyId=other)["Aliases"][0]
    assert entry["AliasArn"] == f"arn:aws:kms:us-east-1:{cloud.account}:alias/other"
    assert entry["TargetKeyId"] == other.rpartition("/")[2] and entry["CreationDate"] == entry["LastUpdatedDate"]
    kms.update_alias(AliasName="alias/one", TargetKeyId=other)
    assert kms.encrypt(KeyId="alias/one", Plaintext=b"x")["KeyId"] == other
    assert names(kms, KeyId=key) == ["alias/two"]
    kms.delete_alias(AliasName="alias/two")
    assert names(kms, KeyId=key) == [] and state(kms, key) == "Enabled"


def test_pages(kms: Any, key: str) -> None:
    for number in range(5):
        kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=key)
    for members in ({}, {"KeyId": key}):
        pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 2}, **members)
        found = [[alias["AliasName"] for alias in page["Aliases"]] for page in pages]
        assert found == [["alias/0", "alias/1"], ["alias/2", "alias/3"], ["alias/4"]]


def test_what_is_refused(cloud: Account, kms: Any, key: str) -> None:
    text = (
        'Alias must start with the prefix "alias/". Please see '
        "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
    )
    with refused("ValidationException", text):
        kms.create_alias(AliasName="fakealias", TargetKeyId=key)
    with refused("NotAuthorizedException"):
        kms.create_alias(AliasName="alias/aws/mine", TargetKeyId=key)
    kms.create_alias(AliasName="alias/taken", TargetKeyId=key)
    arn = f"arn:aws:kms:us-east-1:{cloud.account}:alias/taken"
    with refused("AlreadyExistsException", f"An alias with the name {arn} already exists"):
        kms.create_alias(AliasName="alias/taken", TargetKeyId=key)
    with refused("ValidationException", "Aliases must refer to keys. Not aliases"):
        kms.create_alias(AliasName="alias/second", TargetKeyId="alias/taken")
    for call in (kms.delete_alias, lambda AliasName: kms.update_alias(AliasName=AliasName, TargetKeyId=key)):
        with refused("NotFoundException", f"Alias {arn}2 is not found."):
            call(AliasName="alias/taken2")
    with refused("ValidationException"):
        kms.update_alias(AliasName="alias/taken", TargetKeyId=new_key(kms, "RSA_2048", "SIGN_VERIFY"))
    with refused("NotFoundException", "Invalid keyId alias/taken"):
        kms.disable_key(KeyId="alias/taken")  # takes ids and ARNs only


def test_a_key_has_at_most_fifty(kms: Any, key: str) -> None:
    for number in range(50):
        kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=key)
    with refused("LimitExceededException"):
        kms.create_alias(AliasName="alias/more", TargetKeyId=key)


def test_aws_managed_keys_are_made_when_asked_for(cloud: Account, kms: Any) -> None:
    assert names(kms) == []
    found = kms.describe_key(KeyId="alias/aws/sqs")["KeyMetadata"]
    assert (found["KeyManager"], found["KeyState"]) == ("AWS", "Enabled")
    assert kms.describe_key(KeyId="alias/aws/sqs")["KeyMetadata"] == found
    assert names(kms) == ["alias/aws/sqs"]
    status = kms.get_key_rotation_status(KeyId=found["KeyId"])
    assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 365
    with refused("NotFoundException"):
        kms.describe_key(KeyId="alias/aws/nonsense")
    for call in (kms.disable_key, kms.schedule_key_deletion, kms.enable_key_rotation):
        with refused("AccessDeniedException"):
            call(KeyId=found["KeyId"])
    with refused("AccessDeniedException"):  # only through the service itself
        kms.encrypt(KeyId="alias/aws/sqs", Plaintext=b"x")
    assert (
        cloud.client("kms", region="eu-west-1").describe_key(KeyId="alias/aws/sqs")["KeyMetadata"]["Arn"]
        != found["Arn"]
    )
