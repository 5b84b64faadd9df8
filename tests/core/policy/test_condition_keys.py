"""The request context. Pages: "AWS global condition context keys", "IAM policy elements: Variables and tags"."""

from typing import Any

import pytest

from cumulo.core.policy.authorization import NOTHING, account_of, authorize
from cumulo.core.policy.condition_keys import Environment, Organization, RequestContext, normal
from cumulo.core.policy.decision import DecisionKind, PolicyType
from cumulo.core.policy.principals import ANONYMOUS, Principal, PrincipalKind, root, service

HOME = "111122223333"
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
ROLE_ARN = f"arn:aws:iam::{HOME}:role/team/worker"
USER = Principal(
    PrincipalKind.USER,
    f"arn:aws:iam::{HOME}:user/bob",
    HOME,
    user_id="AIDABOB",
    name="bob",
    tags={"Team": "red"},
)
TEMPORARY_USER = Principal(
    PrincipalKind.USER, USER.arn, HOME, user_id="AIDABOB", name="bob", token_issued_at=NOW - 60, mfa_at=NOW - 90
)
SESSION = Principal(
    PrincipalKind.ROLE,
    f"arn:aws:sts::{HOME}:assumed-role/worker/s1",
    HOME,
    user_id="AROAWORKER:s1",
    name="s1",
    entity_arn=ROLE_ARN,
    token_issued_at=NOW - 60,
    source_identity="alice",
    external_provider="accounts.google.com",
)
VISITOR = Principal(
    PrincipalKind.FEDERATED,
    f"arn:aws:sts::{HOME}:federated-user/visitor",
    HOME,
    user_id=f"{HOME}:visitor",
    name="visitor",
    entity_arn=USER.arn,
    token_issued_at=NOW,
)
SNS = service("sns.amazonaws.com")


class Organizations:
    def organization(self, account: str) -> Organization | None:
        return Organization("o-a1b2c3d4e5", "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/") if account == HOME else None


def looked_up(principal: Principal, key: str, environment: dict[str, Any] | None = None, **more: Any) -> Any:
    context = RequestContext(principal, Environment(now=lambda: NOW, **(environment or {})), Organizations(), **more)
    return context.lookup(key.lower())


PRINCIPAL_VALUES = [
    # the table "Principal key values", row by row
    (root(HOME), "aws:username", None),
    (root(HOME), "aws:userid", HOME),
    (root(HOME), "aws:PrincipalType", "Account"),
    (root(HOME), "aws:PrincipalArn", f"arn:aws:iam::{HOME}:root"),
    (USER, "aws:username", "bob"),
    (USER, "aws:userid", "AIDABOB"),
    (USER, "aws:PrincipalType", "User"),
    (USER, "aws:PrincipalArn", f"arn:aws:iam::{HOME}:user/bob"),
    (VISITOR, "aws:username", None),
    (VISITOR, "aws:userid", f"{HOME}:visitor"),
    (VISITOR, "aws:PrincipalType", "FederatedUser"),
    (VISITOR, "aws:PrincipalArn", f"arn:aws:sts::{HOME}:federated-user/visitor"),
    (SESSION, "aws:username", None),
    (SESSION, "aws:userid", "AROAWORKER:s1"),
    (SESSION, "aws:PrincipalType", "AssumedRole"),
    (SESSION, "aws:PrincipalArn", ROLE_ARN),
    (ANONYMOUS, "aws:username", None),
    (ANONYMOUS, "aws:userid", "anonymous"),
    (ANONYMOUS, "aws:PrincipalType", "Anonymous"),
    (ANONYMOUS, "aws:PrincipalAccount", "anonymous"),
    (ANONYMOUS, "aws:PrincipalArn", None),
    # "AWS global condition context keys"
    (USER, "aws:PrincipalAccount", HOME),
    (SNS, "aws:PrincipalAccount", None),
    (SNS, "aws:PrincipalArn", None),
    (SNS, "aws:PrincipalIsAWSService", "true"),
    (USER, "aws:PrincipalIsAWSService", "false"),
    (SNS, "aws:PrincipalServiceName", "sns.amazonaws.com"),
    (USER, "aws:PrincipalServiceName", None),
    (SNS, "aws:PrincipalServiceNamesList", ["sns.amazonaws.com"]),
    (USER, "aws:PrincipalServiceNamesList", None),
    (USER, "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    (SNS, "aws:PrincipalOrgID", None),
    (USER, "aws:PrincipalOrgPaths", ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"]),
    (USER, "aws:PrincipalTag/Team", "red"),
    (USER, "aws:PrincipalTag/team", "red"),
    (USER, "aws:PrincipalTag/other", None),
    (USER, "aws:MultiFactorAuthPresent", None),
    (SESSION, "aws:MultiFactorAuthPresent", "false"),
    (TEMPORARY_USER, "aws:MultiFactorAuthPresent", "true"),
    (TEMPORARY_USER, "aws:MultiFactorAuthAge", "90"),
    (SESSION, "aws:MultiFactorAuthAge", None),
    (USER, "aws:TokenIssueTime", None),
    (SESSION, "aws:TokenIssueTime", "2027-01-15T07:59:00Z"),
    (SESSION, "aws:SourceIdentity", "alice"),
    (USER, "aws:SourceIdentity", None),
    (SESSION, "aws:FederatedProvider", "accounts.google.com"),
]


@pytest.mark.parametrize(("principal", "key", "value"), PRINCIPAL_VALUES)
def test_of_the_principal(principal: Principal, key: str, value: Any) -> None:
    assert looked_up(principal, key) == value


ENVIRONMENT_VALUES = [
    ("aws:CurrentTime", {}, "2027-01-15T08:00:00Z"),
    ("aws:EpochTime", {}, "1800000000"),
    ("aws:SecureTransport", {}, "false"),
    ("aws:SecureTransport", {"secure": True}, "true"),
    ("aws:SourceIp", {"source_ip": "10.0.0.1"}, "10.0.0.1"),
    ("aws:SourceIp", {}, None),
    ("aws:RequestedRegion", {"region": "eu-west-1"}, "eu-west-1"),
    ("aws:UserAgent", {"user_agent": "Boto3/1.44"}, "Boto3/1.44"),
    ("aws:Referer", {"referer": "http://example.com"}, "http://example.com"),
    ("aws:Referer", {}, None),
    ("aws:ViaAWSService", {}, "false"),
    ("aws:CalledVia", {}, None),
    ("aws:CalledViaFirst", {}, None),
    ("aws:CalledVia", {"called_via": ("cloudformation.amazonaws.com",)}, ["cloudformation.amazonaws.com"]),
    ("aws:ViaAWSService", {"called_via": ("a", "b")}, "true"),
    ("aws:CalledViaFirst", {"called_via": ("a", "b")}, "a"),
    ("aws:CalledViaLast", {"called_via": ("a", "b")}, "b"),
    ("aws:SourceArn", {"source_arn": "arn:aws:sns:us-east-1:1:t"}, "arn:aws:sns:us-east-1:1:t"),
    ("aws:SourceArn", {}, None),
    ("aws:SourceAccount", {"source_account": HOME}, HOME),
    ("aws:SourceOrgID", {"source_account": HOME}, "o-a1b2c3d4e5"),
    ("aws:SourceOrgID", {}, None),
    ("aws:SourceVpc", {"source_vpc": "vpc-1"}, "vpc-1"),
    ("aws:SourceVpce", {"source_vpc_endpoint": "vpce-1"}, "vpce-1"),
    ("aws:NoSuchKey", {}, None),
    ("aws:NoSuchTag/x", {}, None),
]


@pytest.mark.parametrize(("key", "environment", "value"), ENVIRONMENT_VALUES)
def test_of_the_environment(key: str, environment: dict[str, Any], value: Any) -> None:
    assert looked_up(USER, key, environment) == value


RESOURCE_VALUES = [
    ("aws:ResourceAccount", {"resource_account": HOME}, HOME),
    ("aws:ResourceOrgID", {"resource_account": HOME}, "o-a1b2c3d4e5"),
    ("aws:ResourceOrgID", {"resource_account": "999999999999"}, None),
    ("aws:ResourceTag/Env", {"resource_tags": {"Env": "prod"}}, "prod"),
    ("aws:ResourceTag/env", {"resource_tags": lambda: {"Env": "prod"}}, "prod"),
    ("ec2:ResourceTag/Env", {"resource_tags": {"Env": "prod"}}, "prod"),
    ("aws:ResourceTag/Env", {"resource_tags": lambda: None}, None),
    ("aws:RequestTag/Env", {"request_tags": {"Env": "test"}}, "test"),
    ("aws:TagKeys", {"request_tags": {"Env": "test", "Team": "red"}}, ["Env", "Team"]),
    ("aws:TagKeys", {"request_tags": {}}, None),
    ("sns:Protocol", {"given": {"sns:Protocol": "https"}}, "https"),
    ("s3:max-keys", {"given": {"s3:max-keys": 10}}, "10"),
    ("x:flag", {"given": {"x:flag": True}}, "true"),
    ("x:bytes", {"given": {"x:bytes": b"\x00"}}, "AA=="),
    ("x:list", {"given": {"x:list": [1, "a", False]}}, ["1", "a", "false"]),
    ("x:none", {"given": {"x:none": None}}, None),
    ("aws:username", {"given": {"aws:username": "simulated"}}, "simulated"),
]


@pytest.mark.parametrize(("key", "more", "value"), RESOURCE_VALUES)
def test_of_the_resource_and_request(key: str, more: dict[str, Any], value: Any) -> None:
    assert looked_up(USER, key, **more) == value


def test_normal_form() -> None:
    assert normal({"A:B": 1.5, "c:D": ("x", True)}) == {"a:b": "1.5", "c:d": ["x", "true"]}


def test_tags_are_read_only_when_a_condition_asks() -> None:
    def unread() -> dict[str, str]:
        raise AssertionError("nobody asked")

    decision = authorize(
        USER,
        "sqs:SendMessage",
        f"arn:aws:sqs:us-east-1:{HOME}:q",
        environment=Environment(now=lambda: NOW),
        resource_tags=unread,
        request_tags=unread,
        resource_policy='{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "sqs:*"}}',
    )
    assert decision.allowed


@pytest.mark.parametrize(
    ("arn", "account"),
    [
        (f"arn:aws:sqs:us-east-1:{HOME}:q", HOME),
        ("arn:aws:s3:::bucket", ""),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", ""),
        ("*", ""),
        ("", ""),
    ],
)
def test_account_of(arn: str, account: str) -> None:
    assert account_of(arn) == account


def test_root_goes_straight_through_in_its_own_account_only() -> None:
    environment = Environment(now=lambda: NOW)
    own = f"arn:aws:sqs:us-east-1:{HOME}:q"
    assert authorize(root(HOME), "sqs:SendMessage", own, environment=environment, source=NOTHING).allowed
    assert authorize(root(HOME), "s3:GetObject", "arn:aws:s3:::b/k", environment=environment).allowed
    away = authorize(root("444455556666"), "sqs:SendMessage", own, environment=environment)
    assert (away.kind, away.decided_by) == (DecisionKind.IMPLICIT_DENY, PolicyType.RESOURCE)
    bucket = authorize(
        root(HOME), "s3:GetObject", "arn:aws:s3:::b/k", environment=environment, resource_account="444455556666"
    )
    assert not bucket.allowed
    key = authorize(root(HOME), "kms:Decrypt", own, environment=environment, resource_policy_required=True)
    assert not key.allowed
