"""Who may do what with a secret: policies of the caller, and the condition keys of each operation."""

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.identity.test_sts import client_with

Refused = Callable[..., Any]


def visitor(cloud: Account, *statements: dict[str, Any], service: str = "secretsmanager") -> Any:
    """A client that may do what these statements say, in the account of the test."""
    text = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements]}
    token = cloud.client("sts").get_federation_token(Name="visitor", Policy=json.dumps(text))
    return client_with(cloud, token, service)


def test_the_right_to_the_secret_is_enough_with_the_managed_key(cloud: Account, client: Any, refused: Refused) -> None:
    client.create_secret(Name="prod/db", SecretString="v")
    arn = client.create_secret(Name="test/db", SecretString="w")["ARN"]
    only = f"arn:aws:secretsmanager:us-east-1:{cloud.account}:secret:prod/*"
    bob = visitor(cloud, {"Action": "secretsmanager:*", "Resource": only})
    assert bob.get_secret_value(SecretId="prod/db")["SecretString"] == "v"
    error = refused(bob.get_secret_value, SecretId="test/db")
    assert (error.code, error.status) == ("AccessDeniedException", 400)
    assert f"is not authorized to perform: secretsmanager:GetSecretValue on resource: {arn}" in error.message
    # What is not there is denied like what is, and only then missing.
    assert refused(bob.get_secret_value, SecretId="nobody").code == "AccessDeniedException"
    assert refused(bob.get_secret_value, SecretId="prod/nobody").code == "ResourceNotFoundException"


def test_a_key_of_ones_own_must_allow_too(cloud: Account, client: Any, refused: Refused) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    client.create_secret(Name="s", SecretString="v", KmsKeyId=key)
    bob = visitor(cloud, {"Action": "secretsmanager:*"})
    error = refused(bob.get_secret_value, SecretId="s")
    assert (error.code, error.message) == ("AccessDeniedException", "Access to KMS is not allowed")
    via = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    bob = visitor(cloud, {"Action": "secretsmanager:*"}, {"Action": "kms:Decrypt", "Resource": key, "Condition": via})
    assert bob.get_secret_value(SecretId="s")["SecretString"] == "v"


def test_a_batch_denies_one_secret_at_a_time(cloud: Account, client: Any, refused: Refused) -> None:
    client.create_secret(Name="a", SecretString="1", Tags=[{"Key": "team", "Value": "red"}])
    client.create_secret(Name="b", SecretString="2")
    red = {"StringEquals": {"secretsmanager:ResourceTag/team": "red"}}
    bob = visitor(
        cloud,
        {"Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets"]},
        {"Action": "secretsmanager:GetSecretValue", "Condition": red},
    )
    found = bob.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["a", "b"]}])
    assert [each["SecretString"] for each in found["SecretValues"]] == ["1"]
    assert [each["ErrorCode"] for each in found["Errors"]] == ["AccessDeniedException"]
    blind = visitor(cloud, {"Action": ["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"]})
    error = refused(blind.batch_get_secret_value, Filters=[{"Key": "name", "Values": ["a"]}])
    assert error.code == "AccessDeniedException" and "secretsmanager:ListSecrets" in error.message


def test_condition_keys(cloud: Account, client: Any, refused: Refused) -> None:
    bob = visitor(
        cloud,
        {
            "Action": ["secretsmanager:CreateSecret", "secretsmanager:ReplicateSecretToRegions"],
            "Condition": {
                "StringLike": {"secretsmanager:Name": "team/*"},
                "ForAllValues:StringEquals": {"secretsmanager:AddReplicaRegions": ["eu-west-1"]},
            },
        },
        {
            "Action": "secretsmanager:DeleteSecret",
            "Condition": {"Bool": {"secretsmanager:ForceDeleteWithoutRecovery": "false"}},
        },
    )
    bob.create_secret(Name="team/a", SecretString="v", AddReplicaRegions=[{"Region": "eu-west-1"}])
    assert refused(bob.create_secret, Name="mine", SecretString="v").code == "AccessDeniedException"
    error = refused(bob.create_secret, Name="team/b", AddReplicaRegions=[{"Region": "us-west-2"}])
    assert error.code == "AccessDeniedException"
    tagged = refused(bob.create_secret, Name="team/c", Tags=[{"Key": "a", "Value": "b"}])
    assert "secretsmanager:TagResource" in tagged.message
    client.create_secret(Name="d")
    error = refused(bob.delete_secret, SecretId="d", ForceDeleteWithoutRecovery=True)
    assert error.code == "AccessDeniedException"
    bob.delete_secret(SecretId="d", ForceDeleteWithoutRecovery=False)


def test_policies_are_listed_with_the_right_to_the_secret(cloud: Account, client: Any, refused: Refused) -> None:
    arn = client.create_secret(Name="a")["ARN"]
    client.create_secret(Name="b")
    bob = visitor(cloud, {"Action": "secretsmanager:ListResourcePolicies", "Resource": arn})
    assert bob.list_resource_policies(SecretId="a")["ResourcePolicies"] == []
    assert refused(bob.list_resource_policies, SecretId="b").code == "AccessDeniedException"
