"""Who may do what with parameters: policies of the caller, and the condition keys of each operation."""

from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.identity.secretsmanager.test_permissions import visitor

Call = Callable[..., Any]


def test_a_path_is_authorized_as_a_whole(cloud: Account, put: Call, refused: Call) -> None:
    put("/app/db/url")
    put("/app/name")
    base = f"arn:aws:ssm:us-east-1:{cloud.account}:parameter"
    bob = visitor(
        cloud,
        {
            "Action": "ssm:GetParametersByPath",
            "Resource": f"{base}/app",
            "Condition": {"StringEquals": {"ssm:Recursive": "false"}},
        },
        {"Action": "ssm:GetParameter", "Resource": f"{base}/app/name"},
        service="ssm",
    )
    assert len(bob.get_parameters_by_path(Path="/app")["Parameters"]) == 1
    assert refused(bob.get_parameters_by_path, Path="/app", Recursive=True).code == "AccessDeniedException"
    assert refused(bob.get_parameters_by_path, Path="/app/db").code == "AccessDeniedException"
    assert bob.get_parameter(Name="/app/name")["Parameter"]["Value"] == "v"
    error = refused(bob.get_parameter, Name="/app/db/url")
    assert error.code == "AccessDeniedException"
    assert f"is not authorized to perform: ssm:GetParameter on resource: {base}/app/db/url" in error.message
    # What is not there is denied like what is.
    assert refused(bob.get_parameter, Name="/nothing").code == "AccessDeniedException"
    assert refused(bob.get_parameters, Names=["/app/name"]).code == "AccessDeniedException"


def test_overwriting_can_be_denied(cloud: Account, refused: Call) -> None:
    once = {"StringEquals": {"ssm:Overwrite": "false"}}
    bob = visitor(cloud, {"Action": "ssm:PutParameter", "Condition": once}, service="ssm")
    bob.put_parameter(Name="p", Value="1", Type="String")
    assert refused(bob.put_parameter, Name="p", Value="2", Overwrite=True).code == "AccessDeniedException"
    tagged = {"Name": "q", "Value": "1", "Type": "String", "Tags": [{"Key": "a", "Value": "b"}]}
    assert "ssm:AddTagsToResource" in refused(bob.put_parameter, **tagged).message


def test_secure_strings_ask_the_key(cloud: Account, put: Call, refused: Call) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    put("/managed", Type="SecureString")
    put("/own", Type="SecureString", KeyId=key)
    bob = visitor(cloud, {"Action": "ssm:*"}, service="ssm")
    assert bob.get_parameter(Name="/managed", WithDecryption=True)["Parameter"]["Value"] == "v"
    assert "Value" in bob.get_parameter(Name="/own")["Parameter"]
    error = refused(bob.get_parameter, Name="/own", WithDecryption=True)
    assert error.code == "AccessDeniedException" and "kms:Decrypt" in error.message


def test_a_secret_behind_a_parameter_needs_its_own_right(cloud: Account, refused: Call) -> None:
    cloud.client("secretsmanager").create_secret(Name="s", SecretString="v")
    request = {"Name": "/aws/reference/secretsmanager/s", "WithDecryption": True}
    bob = visitor(cloud, {"Action": "ssm:*"}, service="ssm")
    error = refused(bob.get_parameter, **request)
    assert error.code == "AccessDeniedException" and "secretsmanager:GetSecretValue" in error.message
    bob = visitor(cloud, {"Action": ["ssm:*", "secretsmanager:GetSecretValue"]}, service="ssm")
    assert bob.get_parameter(**request)["Parameter"]["Value"] == "v"


def test_tags_decide(cloud: Account, put: Call, refused: Call) -> None:
    put("a", Tags=[{"Key": "team", "Value": "red"}])
    put("b")
    red = {"StringEquals": {"aws:ResourceTag/team": "red"}}
    bob = visitor(cloud, {"Action": "ssm:*", "Condition": red}, service="ssm")
    assert bob.get_parameter(Name="a")["Parameter"]["Name"] == "a"
    assert refused(bob.get_parameter, Name="b").code == "AccessDeniedException"
