"""Key policies, and the condition keys that they may ask for."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cumulo.core.policy.authorization import NOTHING, Attached, compiled
from cumulo.core.policy.principals import Principal, PrincipalKind
from tests.conftest import Account
from tests.services.identity.kms.conftest import add_statement, new_key, refused

LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Resource": "*", **each} for each in statements]})


def test_the_default_policy_lets_the_account_in(cloud: Account, kms: Any, key: str) -> None:
    answer = kms.get_key_policy(KeyId=key)
    assert answer["PolicyName"] == "default"
    assert json.loads(answer["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    listed = kms.list_key_policies(KeyId=key)
    assert (listed["PolicyNames"], listed["Truncated"]) == (["default"], False)
    with refused("NotFoundException", "No such policy exists"):
        kms.get_key_policy(KeyId=key, PolicyName="other")


def test_nobody_is_locked_out_by_mistake(cloud: Account, kms: Any, key: str) -> None:
    root = {"AWS": f"arn:aws:iam::{cloud.account}:root"}
    role = {"AWS": f"arn:aws:iam::{cloud.account}:role/admin"}
    for statement in (
        {"Effect": "Allow", "Principal": role, "Action": "kms:*"},
        {"Effect": "Allow", "Principal": root, "Action": "kms:Encrypt"},
    ):
        with refused("MalformedPolicyDocumentException", LOCKED_OUT):
            kms.put_key_policy(KeyId=key, Policy=document(statement))
        with refused("MalformedPolicyDocumentException", LOCKED_OUT):
            kms.create_key(Policy=document(statement))
    policy = document({"Effect": "Allow", "Principal": role, "Action": "kms:*"})
    kms.put_key_policy(KeyId=key, Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    with refused(
        "AccessDeniedException",
        f"User: arn:aws:iam::{cloud.account}:root is not authorized to perform: kms:GetKeyPolicy on resource: {key} "
        "because no resource-based policy allows the kms:GetKeyPolicy action",
    ):
        kms.get_key_policy(KeyId=key)


@pytest.mark.parametrize("policy", [
    "no json", "{}", json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "kms:*",
    "Resource": "*"}]}), document({"Effect": "Perhaps", "Principal": "*", "Action": "kms:*"}),
])  # fmt: skip
def test_malformed_policies(kms: Any, policy: str) -> None:
    with refused("MalformedPolicyDocumentException"):
        kms.create_key(Policy=policy)


def test_the_policy_alone_may_let_a_role_in(role: Any, kms: Any, key: str) -> None:
    arn, theirs = role("worker")
    with refused("AccessDeniedException"):
        theirs.encrypt(KeyId=key, Plaintext=b"x")
    add_statement(kms, key, Principal={"AWS": arn}, Action=["kms:Encrypt", "kms:Decrypt"])
    blob = theirs.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert theirs.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    with refused("AccessDeniedException"):
        theirs.generate_data_key(KeyId=key, KeySpec="AES_256")
    add_statement(kms, key, Effect="Deny", Principal={"AWS": arn}, Action="kms:Decrypt")
    session = f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/worker/me"
    with refused(
        "AccessDeniedException",
        f"User: {session} is not authorized to perform: kms:Decrypt on resource: {key} "
        "with an explicit deny in a resource-based policy",
    ):
        theirs.decrypt(CiphertextBlob=blob)


@pytest.mark.parametrize(("condition", "good", "bad"), [
    ({"StringEquals": {"kms:EncryptionContext:tenant": "acme"}},
     {"EncryptionContext": {"tenant": "acme"}}, {"EncryptionContext": {"tenant": "other"}}),
    ({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant"]}},
     {"EncryptionContext": {"tenant": "acme"}}, {"EncryptionContext": {"tenant": "a", "more": "b"}}),
    ({"Null": {"kms:EncryptionContext:tenant": "false"}}, {"EncryptionContext": {"tenant": "x"}}, {}),
    ({"StringEquals": {"kms:RequestAlias": "alias/good"}}, {"KeyId": "alias/good"}, {}),
])  # fmt: skip
def test_conditions_on_the_request(
    role: Any, kms: Any, key: str, condition: dict[str, Any], good: dict[str, Any], bad: dict[str, Any]
) -> None:
    arn, theirs = role("worker")
    kms.create_alias(AliasName="alias/good", TargetKeyId=key)
    add_statement(kms, key, Principal={"AWS": arn}, Action="kms:Encrypt", Condition=condition)
    theirs.encrypt(**{"KeyId": key, "Plaintext": b"x", **good})
    with refused("AccessDeniedException"):
        theirs.encrypt(**{"KeyId": key, "Plaintext": b"x", **bad})


@pytest.mark.parametrize(("condition", "allowed"), [
    ({"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT"}}, True),
    ({"StringEquals": {"kms:KeyOrigin": "EXTERNAL"}}, False),
    ({"Bool": {"kms:MultiRegion": "true"}}, False),
    ({"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/go*"}}, True),
    ({"StringEquals": {"aws:ResourceTag/team": "red"}}, True),
    ({"StringEquals": {"aws:ResourceTag/team": "blue"}}, False),
    ({"Null": {"kms:ViaService": "true"}}, True),
    ({"StringLike": {"kms:ViaService": "*"}}, False),
    ({"StringNotEquals": {"kms:CallerAccount": "999999999999"}}, True),
])  # fmt: skip
def test_conditions_on_the_key_and_the_caller(role: Any, kms: Any, condition: dict[str, Any], allowed: bool) -> None:
    key = new_key(kms, Tags=[{"TagKey": "team", "TagValue": "red"}])
    kms.create_alias(AliasName="alias/good", TargetKeyId=key)
    arn, theirs = role("worker")
    add_statement(kms, key, Principal={"AWS": arn}, Action="kms:Encrypt", Condition=condition)
    if allowed:
        theirs.encrypt(KeyId=key, Plaintext=b"x")
    else:
        with refused("AccessDeniedException"):
            theirs.encrypt(KeyId=key, Plaintext=b"x")


def test_conditions_on_signing_and_lifecycle(role: Any, kms: Any) -> None:
    key = new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    arn, theirs = role("signer")
    sign = {"KeyId": key, "Message": bytes(32), "SigningAlgorithm": "ECDSA_SHA_256"}
    condition = {"StringEquals": {"kms:MessageType": "DIGEST", "kms:SigningAlgorithm": "ECDSA_SHA_256"}}
    add_statement(kms, key, Principal={"AWS": arn}, Action="kms:Sign", Condition=condition)
    theirs.sign(**sign, MessageType="DIGEST")
    with refused("AccessDeniedException"):
        theirs.sign(**sign)
    window = {"NumericGreaterThanEquals": {"kms:ScheduleKeyDeletionPendingWindowInDays": "20"}}
    add_statement(kms, key, Principal={"AWS": arn}, Action="kms:ScheduleKeyDeletion", Condition=window)
    with refused("AccessDeniedException"):
        theirs.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    theirs.schedule_key_deletion(KeyId=key)


def test_re_encryption_needs_both_sides(role: Any, kms: Any, key: str) -> None:
    other = new_key(kms)
    arn, theirs = role("mover")
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    add_statement(kms, key, Principal={"AWS": arn}, Action="kms:ReEncryptFrom")
    with refused("AccessDeniedException"):
        theirs.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)
    add_statement(
        kms, other, Principal={"AWS": arn}, Action="kms:ReEncryptTo",
        Condition={"Bool": {"kms:ReEncryptOnSameKey": "false"}},
    )  # fmt: skip
    assert theirs.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other)["KeyId"] == other


class Everyone(type(NOTHING)):  # type: ignore[misc]
    """A policy source that attaches one policy to every role."""

    def __init__(self, *statements: dict[str, Any]) -> None:
        written = json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
        )
        self.given = Attached(identity=(compiled(written, "inline"),))

    def attached(self, principal: Principal) -> Attached:
        return self.given if principal.kind is PrincipalKind.ROLE else Attached()


@pytest.fixture
def attach(cloud: Account) -> Iterator[Callable[..., None]]:
    """Give all roles a policy with these statements."""
    runtime = cloud.running.cloud.runtime
    cloud.client("iam").list_users()  # loads IAM, which would else take this place in the middle of a test
    before = runtime.policy_source

    def give(*statements: dict[str, Any]) -> None:
        runtime.policy_source = Everyone(*statements)

    yield give
    runtime.policy_source = before


def test_the_account_gives_what_its_keys_policy_lets_it(
    cloud: Account, role: Any, attach: Any, kms: Any, key: str
) -> None:
    arn, theirs = role("worker")
    attach({"Action": ["kms:Encrypt", "kms:DescribeKey"], "Resource": "*"})
    theirs.encrypt(KeyId=key, Plaintext=b"x")
    missing = key[:-36] + "00000000-1111-2222-3333-444444444444"
    with refused("NotFoundException"):
        theirs.encrypt(KeyId=missing, Plaintext=b"x")
    with refused("AccessDeniedException"):
        theirs.get_public_key(KeyId=missing)
    closed = document({"Effect": "Allow", "Principal": {"AWS": f"{arn[:-6]}other"}, "Action": "kms:*"})
    kms.put_key_policy(KeyId=key, Policy=closed, BypassPolicyLockoutSafetyCheck=True)
    with refused("AccessDeniedException"):
        theirs.encrypt(KeyId=key, Plaintext=b"x")


def test_conditions_on_new_keys(role: Any, attach: Any) -> None:
    _, theirs = role("maker")
    attach(
        {
            "Action": "kms:CreateKey",
            "Resource": "*",
            "Condition": {
                "StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT", "aws:RequestTag/team": "red"},
                "Bool": {"kms:MultiRegion": "false"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
            },
        }
    )
    red = [{"TagKey": "team", "TagValue": "red"}]
    theirs.create_key(Tags=red)
    for members in (
        {},
        {"Tags": red, "MultiRegion": True},
        {"Tags": [*red, {"TagKey": "more", "TagValue": ""}]},
        {"Tags": red, "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    ):
        with refused("AccessDeniedException"):
            theirs.create_key(**members)


def test_conditions_on_grants(role: Any, kms: Any, key: str) -> None:
    arn, theirs = role("giver")
    other, _ = role("other")
    request = {"KeyId": key, "GranteePrincipal": other, "Operations": ["Encrypt", "Decrypt"]}
    add_statement(
        kms, key, Principal={"AWS": arn}, Action="kms:CreateGrant",
        Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
    )  # fmt: skip
    with refused("AccessDeniedException"):
        theirs.create_grant(**request)
    add_statement(
        kms, key, Principal={"AWS": arn}, Action="kms:CreateGrant",
        Condition={
            "ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]},
            "StringEquals": {"kms:GranteePrincipal": other, "kms:GrantConstraintType": "EncryptionContextSubset"},
        },
    )  # fmt: skip
    with refused("AccessDeniedException"):
        theirs.create_grant(**request)
    constraints = {"EncryptionContextSubset": {"a": "1"}}
    theirs.create_grant(**request, Constraints=constraints)
    with refused("AccessDeniedException"):
        theirs.create_grant(**{**request, "Operations": ["DescribeKey"]}, Constraints=constraints)
