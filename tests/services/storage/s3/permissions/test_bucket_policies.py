"""Bucket policies: what S3 refuses in one, and whether one is public."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulo.core.s3.access import account_of_canonical_user, canonical_user_id
from tests.conftest import Account
from tests.services.identity.iam.conftest import House
from tests.services.storage.s3.conftest import refused

HERE = "arn:aws:s3:::BUCKET"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


def statement(**changes: Any) -> dict[str, Any]:
    """A good statement, changed; None takes an element away."""
    good = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "s3:GetObject",
        "Resource": f"{HERE}/*",
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def put(s3: Any, bucket: str, *statements: dict[str, Any], **more: Any) -> None:
    document = {"Version": "2012-10-17", "Statement": list(statements), **more}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document).replace("BUCKET", bucket))


def test_a_policy_is_kept_as_it_was_put(s3: Any, bucket: str) -> None:
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement()]}).replace("BUCKET", bucket)
    answer = s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == text
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": False}
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy", status=404):
        s3.get_bucket_policy(Bucket=bucket)


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"Statement": ['])
def test_what_is_no_json(s3: Any, bucket: str, text: str) -> None:
    if not text:
        with refused("MissingRequestBodyError"):
            s3.put_bucket_policy(Bucket=bucket, Policy=text)
        return
    with refused("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'"):
        s3.put_bucket_policy(Bucket=bucket, Policy=text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Effect": None}, "Missing required field Effect"),
        ({"Effect": "allow"}, "Invalid effect: allow"),
        ({"Principal": None}, "Missing required field Principal"),
        ({"Action": None}, "Missing required field Action"),
        ({"Resource": None}, "Missing required field Resource"),
        ({"Principal": "nobody"}, "Invalid principal in policy"),
        ({"Principal": {"AWS": "nobody"}}, "Invalid principal in policy"),
        ({"Principal": {"CanonicalUser": "0" * 64}}, "Invalid principal in policy"),
        ({"Action": "sqs:SendMessage"}, "Policy has invalid action"),
        ({"Action": "s3:EatObject"}, "Policy has invalid action"),
        ({"Action": "GetObject"}, "Policy has invalid action"),
        ({"Resource": "*"}, "Policy has invalid resource"),
        ({"Resource": "arn:aws:s3:::another/*"}, "Policy has invalid resource"),
        ({"Resource": HERE}, "Action does not apply to any resource(s) in statement"),
        ({"Action": "s3:ListBucket"}, "Action does not apply to any resource(s) in statement"),
        (
            {"Condition": {"StringEquals": {"s3:prefix": "a"}}},
            "Conditions do not apply to combination of actions and resources in statement",
        ),
        ({"Condition": {"StringEquals": {"s3:colour": "a"}}}, "Policy has an invalid condition key"),
        ({"Condition": {"StringEquals": {"colour": "a"}}}, "Policy has an invalid condition key"),
    ],
)
def test_policies_that_cannot_be(s3: Any, bucket: str, changes: dict[str, Any], message: str) -> None:
    with refused("MalformedPolicy", message):
        put(s3, bucket, statement(**changes))


def test_documents_that_cannot_be(s3: Any, bucket: str) -> None:
    with refused("MalformedPolicy", "Could not parse the policy: Statement is empty!"):
        put(s3, bucket)
    with refused("MalformedPolicy", "The policy must contain a valid version string"):
        put(s3, bucket, statement(), Version="2020-01-01")
    with refused("MalformedPolicy", "Missing required field Statement"):
        s3.put_bucket_policy(Bucket=bucket, Policy='{"Version": "2012-10-17"}')
    with refused("MalformedPolicy"):
        put(s3, bucket, statement(Sid="x" * 21_000))


@pytest.mark.parametrize(
    "changes",
    [
        {"Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [HERE, f"{HERE}/*"]},
        {"Action": "s3:*", "Resource": f"{HERE}/*"},
        {"Action": "*", "Resource": HERE},
        {"Action": "s3:Get*", "Resource": f"{HERE}/a/*"},
        {"Action": "s3:ListBucket", "Resource": HERE, "Condition": {"StringLike": {"s3:prefix": "a*"}}},
        {"Condition": {"StringEquals": {"s3:ExistingObjectTag/stage": "live"}}},
        {"Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"},
        {"Effect": "Deny", "Principal": "*", "NotAction": "s3:GetObject", "Action": None},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ],
)
def test_policies_that_can_be(s3: Any, bucket: str, changes: dict[str, Any]) -> None:
    put(s3, bucket, statement(**changes))


def test_canonical_users_become_accounts(cloud: Account, s3: Any, bucket: str) -> None:
    id = canonical_user_id("111122223333")
    assert len(id) == 64 and account_of_canonical_user(id) == "111122223333"
    put(s3, bucket, statement(Principal={"CanonicalUser": id}))
    found = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert found["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}


def anyone(**condition: Any) -> dict[str, Any]:
    return statement(Principal="*", Condition=condition or None)


@pytest.mark.parametrize(
    ("given", "public"),
    [
        (anyone(), True),
        (statement(Principal={"AWS": "*"}), True),
        (statement(NotPrincipal={"AWS": "111122223333"}, Principal=None), True),
        (anyone(IpAddress={"aws:SourceIp": "203.0.113.0/24"}), False),
        (anyone(IpAddress={"aws:SourceIp": "0.0.0.0/0"}), True),
        (anyone(IpAddress={"aws:SourceIp": "10.0.0.0/7"}), True),
        (anyone(NotIpAddress={"aws:SourceIp": "203.0.113.0/24"}), True),
        (anyone(StringEquals={"aws:SourceVpce": "vpce-1a2b3c4d"}), False),
        (anyone(StringLike={"aws:SourceVpce": "vpce-*"}), True),
        (anyone(StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"}), False),
        (anyone(ArnLike={"aws:SourceArn": "arn:aws:sns:us-east-1:111122223333:*"}), False),
        (anyone(ArnLike={"aws:SourceArn": "arn:aws:sns:*:*:*"}), True),
        (anyone(StringLike={"aws:Referer": "https://example.com/*"}), True),
        (anyone(StringEquals={"aws:SourceAccount": "${aws:PrincipalAccount}"}), True),
        (statement(Effect="Deny", Principal="*"), False),
        (statement(), False),
    ],
)
def test_the_meaning_of_public(s3: Any, bucket: str, given: dict[str, Any], public: bool) -> None:
    if public:
        with refused("AccessDenied", status=403):
            put(s3, bucket, given)
        s3.delete_public_access_block(Bucket=bucket)
    put(s3, bucket, given)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is public


def test_a_public_policy_is_blocked_and_said_so(cloud: Account, s3: Any, bucket: str) -> None:
    with refused(
        "AccessDenied",
        f"User: arn:aws:iam::{cloud.account}:root is not authorized to perform: s3:PutBucketPolicy on resource: "
        f'"arn:aws:s3:::{bucket}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block '
        "Public Access",
        403,
    ):
        put(s3, bucket, anyone())


def test_root_can_mend_a_policy_that_denies_everybody(s3: Any, bucket: str) -> None:
    put(s3, bucket, statement(Effect="Deny", Principal="*", Action="s3:*", Resource=[HERE, f"{HERE}/*"]))
    with refused("AccessDenied", status=403):
        s3.get_bucket_versioning(Bucket=bucket)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    s3.get_bucket_versioning(Bucket=bucket)


@pytest.mark.parametrize("confirmed", [{}, {"ConfirmRemoveSelfBucketAccess": True}])
def test_who_locks_themselves_out_stays_out(cloud: Account, s3: Any, bucket: str, confirmed: dict[str, bool]) -> None:
    key = House(cloud).user("alice", json.dumps(EVERYTHING))
    alice = cloud.client("s3", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    deny = statement(Effect="Deny", Principal="*", Action="s3:*", Resource=f"arn:aws:s3:::{bucket}")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    alice.put_bucket_policy(Bucket=bucket, Policy=policy, **confirmed)
    with refused("AccessDenied", status=403):
        alice.delete_bucket_policy(Bucket=bucket)
    s3.delete_bucket_policy(Bucket=bucket)


def test_policies_are_the_owners_business(cloud: Account, s3: Any, bucket: str) -> None:
    other = cloud.another()
    actions = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"]
    put(s3, bucket, statement(Principal={"AWS": other.account}, Action=actions, Resource=HERE))
    theirs = other.client("s3")
    for call, more in (
        (theirs.get_bucket_policy, {}),
        (theirs.delete_bucket_policy, {}),
        (theirs.put_bucket_policy, {"Policy": "{}"}),
    ):
        with refused("MethodNotAllowed", "The specified method is not allowed against this resource.", 405):
            call(Bucket=bucket, **more)
