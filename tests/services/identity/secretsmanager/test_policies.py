"""Resource policies: kept, checked, and decided by."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.services.identity.secretsmanager import policy_checks
from tests.conftest import Account
from tests.services.identity.secretsmanager.conftest import members

Refused = Callable[..., Any]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


OPEN = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}


@pytest.fixture(autouse=True)
def _secret(client: Any) -> None:
    client.create_secret(Name="s", SecretString="v")


def test_a_policy_is_kept_as_it_was_written(client: Any) -> None:
    assert set(members(client.get_resource_policy(SecretId="s"))) == {"ARN", "Name"}
    assert set(members(client.put_resource_policy(SecretId="s", ResourcePolicy=policy(OPEN)))) == {"ARN", "Name"}
    assert client.get_resource_policy(SecretId="s")["ResourcePolicy"] == policy(OPEN)
    assert client.list_resource_policies(SecretId="s")["ResourcePolicies"] == [{"PolicyName": "default"}]
    client.delete_resource_policy(SecretId="s")
    assert "ResourcePolicy" not in client.get_resource_policy(SecretId="s")
    assert client.list_resource_policies(SecretId="s")["ResourcePolicies"] == []


def test_only_the_default_policy_can_be_changed(client: Any, refused: Refused) -> None:
    request = {"SecretId": "s", "ResourcePolicy": policy(OPEN), "PolicyName": "mine"}
    assert refused(client.put_resource_policy, **request).code == "InvalidParameterException"
    error = refused(client.delete_resource_policy, SecretId="s", PolicyName="mine")
    assert error.code == "InvalidParameterException"
    assert refused(client.get_resource_policy, SecretId="s", PolicyName="mine").code == "ResourceNotFoundException"
    assert client.get_resource_policy(SecretId="s", PolicyName="default")["PolicyName"] == "default"


def test_public_policies_can_be_blocked(cloud: Account, client: Any, refused: Refused) -> None:
    request = {"SecretId": "s", "ResourcePolicy": policy(OPEN), "BlockPublicPolicy": True}
    assert refused(client.put_resource_policy, **request).code == "PublicPolicyException"
    tied = {**OPEN, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}
    client.put_resource_policy(**{**request, "ResourcePolicy": policy(tied)})


def test_broken_policies_are_refused(client: Any, refused: Refused) -> None:
    for text in ("{", "{}", policy({**OPEN, "Effect": "Perhaps"}), policy({**OPEN, "Principal": {"AWS": "me"}})):
        error = refused(client.put_resource_policy, SecretId="s", ResourcePolicy=text)
        assert error.code == "MalformedPolicyDocumentException", text
    assert error.message == "This resource policy contains an unsupported principal."


def test_policies_are_validated(cloud: Account, client: Any) -> None:
    safe = policy({**OPEN, "Principal": {"AWS": cloud.account}})
    answer = client.validate_resource_policy(SecretId="s", ResourcePolicy=safe)
    assert (answer["PolicyValidationPassed"], answer["ValidationErrors"]) == (True, [])
    answer = client.validate_resource_policy(ResourcePolicy=policy(OPEN))
    assert not answer["PolicyValidationPassed"] and len(answer["ValidationErrors"]) == 1
    lockout = policy({"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:*", "Resource": "*"})
    answer = client.validate_resource_policy(SecretId="s", ResourcePolicy=lockout)
    assert [each["CheckName"] for each in answer["ValidationErrors"]] == ["LOCKOUT_CHECK"]


@pytest.mark.parametrize(
    ("condition", "public"),
    [
        ({}, True),
        ({"StringEquals": {"aws:SourceAccount": "111122223333"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "111122223333"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "*"}}, True),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ],
)
def test_which_conditions_make_a_statement_less_than_public(condition: dict[str, Any], public: bool) -> None:
    document = policy_checks.check(policy({**OPEN, "Condition": condition}))
    assert bool(policy_checks.public(document)) is public


def test_other_accounts_need_both_sides(cloud: Account, client: Any, refused: Refused) -> None:
    other = cloud.another()
    there = other.client("secretsmanager")
    arn = client.describe_secret(SecretId="s")["ARN"]
    error = refused(there.describe_secret, SecretId=arn)
    assert error.code == "AccessDeniedException"
    assert f"is not authorized to perform: secretsmanager:DescribeSecret on resource: {arn}" in error.message
    allowed = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "Resource": "*",
    }
    client.put_resource_policy(SecretId="s", ResourcePolicy=policy(allowed))
    assert there.describe_secret(SecretId=arn)["Name"] == "s"
    # The AWS managed key is its own account's alone.
    error = refused(there.get_secret_value, SecretId=arn)
    assert (error.code, error.message) == (
        "InvalidRequestException",
        "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS "
        "service key.",
    )
    assert refused(there.put_secret_value, SecretId=arn, SecretString="x").code == "AccessDeniedException"


def test_a_policy_denies_by_staging_label(client: Any, refused: Refused) -> None:
    denied = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}},
    }
    client.put_secret_value(SecretId="s", SecretString="w")
    client.put_resource_policy(SecretId="s", ResourcePolicy=policy(denied))
    assert client.get_secret_value(SecretId="s")["SecretString"] == "w"
    error = refused(client.get_secret_value, SecretId="s", VersionStage="AWSPREVIOUS")
    assert error.code == "AccessDeniedException" and "explicit deny in a resource-based policy" in error.message
    batch = client.batch_get_secret_value(SecretIdList=["s"])
    assert [each["SecretString"] for each in batch["SecretValues"]] == ["w"]
