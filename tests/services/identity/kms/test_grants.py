"""Grants: given, used, constrained, retired, revoked, listed."""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.kms.conftest import add_statement, new_key, refused


def grant(kms: Any, key: str, grantee: str, *operations: str, **members: Any) -> Any:
    return kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=list(operations), **members)


def test_a_grant_lets_a_role_in_at_once(role: Any, kms: Any, key: str) -> None:
    arn, theirs = role("worker")
    with refused("AccessDeniedException"):
        theirs.encrypt(KeyId=key, Plaintext=b"x")
    given = grant(kms, key, arn, "Encrypt", "Decrypt")
    assert len(given["GrantId"]) == 64
    blob = theirs.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=[given["GrantToken"]])["CiphertextBlob"]
    assert theirs.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    with refused("AccessDeniedException"):
        theirs.describe_key(KeyId=key)
    with refused("InvalidGrantTokenException"):
        theirs.encrypt(KeyId=key, Plaintext=b"x", GrantTokens=["nonsense"])
    kms.revoke_grant(KeyId=key, GrantId=given["GrantId"])
    with refused("AccessDeniedException"):
        theirs.decrypt(CiphertextBlob=blob)
    with refused("NotFoundException"):
        kms.revoke_grant(KeyId=key, GrantId=given["GrantId"])


@pytest.mark.parametrize(("constraints", "good", "bad"), [
    ({"EncryptionContextEquals": {"a": "1"}}, {"a": "1"}, {"a": "1", "b": "2"}),
    ({"EncryptionContextSubset": {"a": "1"}}, {"a": "1", "b": "2"}, {"b": "2"}),
])  # fmt: skip
def test_constraints(role: Any, kms: Any, key: str, constraints: Any, good: Any, bad: Any) -> None:
    arn, theirs = role("worker")
    grant(kms, key, arn, "Encrypt", "DescribeKey", Constraints=constraints)
    theirs.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=good)
    for context in (bad, {}):
        with refused("AccessDeniedException"):
            theirs.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)
    theirs.describe_key(KeyId=key)
    assert kms.list_grants(KeyId=key)["Grants"][0]["Constraints"] == constraints


def test_grants_are_listed(cloud: Account, role: Any, kms: Any, key: str) -> None:
    one, _ = role("one")
    two, _ = role("two")
    made = [
        grant(kms, key, one, "Encrypt", Name="first", RetiringPrincipal=two)["GrantId"],
        grant(kms, key, two, "Decrypt")["GrantId"],
        grant(kms, key, one, "Decrypt")["GrantId"],
    ]
    found = kms.list_grants(KeyId=key)["Grants"]
    assert {each["GrantId"] for each in found} == set(made)
    first = next(each for each in found if each["GrantId"] == made[0])
    first.pop("CreationDate")
    assert first == {
        "KeyId": key,
        "GrantId": made[0],
        "Name": "first",
        "GranteePrincipal": one,
        "RetiringPrincipal": two,
        "IssuingAccount": f"arn:aws:iam::{cloud.account}:root",
        "Operations": ["Encrypt"],
    }
    assert {each["GrantId"] for each in kms.list_grants(KeyId=key, GranteePrincipal=one)["Grants"]} == {
        made[0],
        made[2],
    }
    assert [each["GrantId"] for each in kms.list_grants(KeyId=key, GrantId=made[1])["Grants"]] == [made[1]]
    pages = kms.get_paginator("list_grants").paginate(KeyId=key, PaginationConfig={"PageSize": 2})
    assert [len(page["Grants"]) for page in pages] == [2, 1]
    assert [each["GrantId"] for each in kms.list_retirable_grants(RetiringPrincipal=two)["Grants"]] == [made[0]]
    with refused("ValidationException"):
        kms.list_retirable_grants()


def test_the_same_name_gives_the_same_grant(role: Any, kms: Any, key: str) -> None:
    arn, _ = role("worker")
    first = grant(kms, key, arn, "Encrypt", Name="mine")
    again = grant(kms, key, arn, "Encrypt", Name="mine")
    assert first["GrantId"] == again["GrantId"] and first["GrantToken"] != again["GrantToken"]
    assert grant(kms, key, arn, "Decrypt", Name="mine")["GrantId"] != first["GrantId"]
    assert grant(kms, key, arn, "Encrypt")["GrantId"] != grant(kms, key, arn, "Encrypt")["GrantId"]


def test_who_may_retire(role: Any, kms: Any, key: str) -> None:
    one, first = role("one")
    two, second = role("two")
    by_retiring = grant(kms, key, one, "Encrypt", RetiringPrincipal=two)
    with refused("AccessDeniedException"):
        first.retire_grant(GrantToken=by_retiring["GrantToken"])
    second.retire_grant(GrantToken=by_retiring["GrantToken"])
    by_grantee = grant(kms, key, one, "Encrypt", "RetireGrant")
    with refused("AccessDeniedException"):
        second.retire_grant(KeyId=key, GrantId=by_grantee["GrantId"])
    first.retire_grant(KeyId=key, GrantId=by_grantee["GrantId"])
    by_account = grant(kms, key, one, "Encrypt")
    with refused("DryRunOperationException"):
        kms.retire_grant(KeyId=key, GrantId=by_account["GrantId"], DryRun=True)
    kms.retire_grant(KeyId=key, GrantId=by_account["GrantId"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
    with refused("ValidationException"):
        kms.retire_grant(KeyId=key)


def test_a_grant_by_a_grant_gives_no_more(role: Any, kms: Any, key: str) -> None:
    one, first = role("one")
    two, second = role("two")
    subset = {"EncryptionContextSubset": {"a": "1"}}
    grant(kms, key, one, "Encrypt", "CreateGrant", Constraints=subset)
    for operations, constraints in ((["Decrypt"], subset), (["Encrypt"], {})):
        with refused("AccessDeniedException"):
            grant(first, key, two, *operations, Constraints=constraints)
    grant(first, key, two, "Encrypt", Constraints=subset)
    second.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})


def test_what_is_refused(role: Any, kms: Any, key: str) -> None:
    arn, _ = role("worker")
    with refused("ValidationException"):
        grant(kms, key, arn, "Sign")
    with refused("ValidationException"):
        kms.create_grant(KeyId=key, Operations=["Encrypt"])
    with refused("InvalidArnException"):
        grant(kms, key, "nobody", "Encrypt")
    rsa = new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT")
    with refused("ValidationException"):
        grant(kms, rsa, arn, "Encrypt", Constraints={"EncryptionContextEquals": {"a": "1"}})
    grant(kms, rsa, arn, "Encrypt", "GetPublicKey")
    with refused("ValidationException"):
        kms.create_grant(KeyId=key, Operations=["Encrypt"], GranteeServicePrincipal="sqs.amazonaws.com")
    with refused("DryRunOperationException"):
        grant(kms, key, arn, "Encrypt", DryRun=True)
    kms.disable_key(KeyId=key)
    with refused("DisabledException"):
        grant(kms, key, arn, "Encrypt")


def test_the_account_that_made_a_grant_may_retire_it(cloud: Account, kms: Any, key: str) -> None:
    friend = cloud.another()
    principal = {"AWS": f"arn:aws:iam::{friend.account}:root"}
    add_statement(kms, key, Principal=principal, Action="kms:CreateGrant")
    theirs = friend.client("kms")
    given = grant(theirs, key, f"arn:aws:iam::{friend.account}:role/worker", "Encrypt")
    assert kms.list_grants(KeyId=key)["Grants"][0]["IssuingAccount"] == principal["AWS"]
    with refused("AccessDeniedException"):
        cloud.another().client("kms").retire_grant(GrantToken=given["GrantToken"])
    theirs.retire_grant(GrantToken=given["GrantToken"])
    assert kms.list_grants(KeyId=key)["Grants"] == []
