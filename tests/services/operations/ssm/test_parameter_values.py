"""GetParameter, GetParameters, GetParametersByPath: selectors and hierarchies."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account

Call = Callable[..., Any]


def test_versions_and_labels_select(ssm: Any, put: Call, refused: Call) -> None:
    put("p", "one")
    put("p", "two", Overwrite=True)
    ssm.label_parameter_version(Name="p", ParameterVersion=1, Labels=["stable"])
    by_version = ssm.get_parameter(Name="p:1")["Parameter"]
    assert (by_version["Value"], by_version["Selector"], by_version["Name"]) == ("one", ":1", "p")
    by_label = ssm.get_parameter(Name="p:stable")["Parameter"]
    assert (by_label["Value"], by_label["Selector"]) == ("one", ":stable")
    error = refused(ssm.get_parameter, Name="p:7")
    assert (error.code, error.message) == (
        "ParameterVersionNotFound",
        "Systems Manager could not find version 7 of p. Verify the version and try again.",
    )
    assert refused(ssm.get_parameter, Name="p:new").message == (
        "Systems Manager could not find label new for parameter p. Verify the label and try again."
    )
    assert refused(ssm.get_parameter, Name="p:1:2").code == "ValidationException"


def test_many_at_once(ssm: Any, put: Call, refused: Call) -> None:
    put("b")
    put("/a/x")
    found = ssm.get_parameters(Names=["b", "/a/x", "nobody", "b:3"])
    assert [each["Name"] for each in found["Parameters"]] == ["/a/x", "b"]
    assert found["InvalidParameters"] == ["nobody", "b:3"]
    assert refused(ssm.get_parameters, Names=["b"] * 11).code == "ValidationException"


@pytest.fixture
def tree(put: Call) -> None:
    for name in ("/app/db/url", "/app/db/user", "/app/name", "/application", "root", "/app0"):
        put(name, name)


def names(answer: Any) -> list[str]:
    return [each["Name"] for each in answer["Parameters"]]


@pytest.mark.usefixtures("tree")
def test_paths(ssm: Any, refused: Call) -> None:
    assert names(ssm.get_parameters_by_path(Path="/app")) == ["/app/name"]
    assert names(ssm.get_parameters_by_path(Path="/app/")) == ["/app/name"]
    assert names(ssm.get_parameters_by_path(Path="/app", Recursive=True)) == [
        "/app/db/url",
        "/app/db/user",
        "/app/name",
    ]
    assert names(ssm.get_parameters_by_path(Path="/")) == ["/app0", "/application", "root"]
    assert len(names(ssm.get_parameters_by_path(Path="/", Recursive=True))) == 6
    assert names(ssm.get_parameters_by_path(Path="/nothing")) == []
    error = refused(ssm.get_parameters_by_path, Path="app")
    assert error.code == "ValidationException" and 'must begin with a forward slash "/"' in error.message


@pytest.mark.usefixtures("tree")
def test_pages_of_a_path(ssm: Any, refused: Call) -> None:
    paginator = ssm.get_paginator("get_parameters_by_path")
    pages = list(paginator.paginate(Path="/", Recursive=True, PaginationConfig={"PageSize": 4}))
    assert [len(page["Parameters"]) for page in pages] == [4, 2]
    assert refused(ssm.get_parameters_by_path, Path="/", MaxResults=11).code == "ValidationException"
    assert refused(ssm.get_parameters_by_path, Path="/", NextToken="?").code == "InvalidNextToken"


@pytest.mark.usefixtures("tree")
def test_filters_of_a_path(ssm: Any, put: Call, refused: Call) -> None:
    put("/app/list", "a,b", Type="StringList")
    wanted = [{"Key": "Type", "Values": ["StringList"]}]
    assert names(ssm.get_parameters_by_path(Path="/app", ParameterFilters=wanted)) == ["/app/list"]
    put("/app/name", "new", Overwrite=True)
    ssm.label_parameter_version(Name="/app/name", ParameterVersion=1, Labels=["old"])
    found = ssm.get_parameters_by_path(Path="/app", ParameterFilters=[{"Key": "Label", "Values": ["old"]}])
    assert [(each["Value"], each["Selector"]) for each in found["Parameters"]] == [("/app/name", ":old")]
    error = refused(ssm.get_parameters_by_path, Path="/app", ParameterFilters=[{"Key": "Tier", "Values": ["Standard"]}])
    assert error.code == "InvalidFilterKey"


def test_public_parameters(ssm: Any, refused: Call) -> None:
    base = "/aws/service/global-infrastructure"
    found = ssm.get_parameter(Name=f"{base}/regions/eu-west-1/longName")["Parameter"]
    assert found["Value"] == "Europe (Ireland)"
    assert found["ARN"] == f"arn:aws:ssm:us-east-1::parameter{base}/regions/eu-west-1/longName"
    regions = [
        each["Value"]
        for page in ssm.get_paginator("get_parameters_by_path").paginate(Path=f"{base}/regions")
        for each in page["Parameters"]
    ]
    assert len(regions) > 30 and {"us-east-1", "sa-east-1"} <= set(regions) and "cn-north-1" not in regions
    services = [
        each["Value"]
        for page in ssm.get_paginator("get_parameters_by_path").paginate(Path=f"{base}/services")
        for each in page["Parameters"]
    ]
    assert {"sqs", "ssm"} <= set(services)
    image = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    assert refused(ssm.get_parameter, Name=image).code == "ParameterNotFound"


def test_secrets_are_parameters_too(cloud: Account, ssm: Any, refused: Call) -> None:
    secrets = cloud.client("secretsmanager")
    made = secrets.create_secret(Name="db/password", SecretString="s1")
    secrets.put_secret_value(SecretId="db/password", SecretString="s2")
    name = "/aws/reference/secretsmanager/db/password"
    found = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert (found["Name"], found["Type"], found["Value"], found["Version"]) == (name, "SecureString", "s2", 0)
    assert '"VersionStages":["AWSCURRENT"]' in found["SourceResult"]
    old = ssm.get_parameter(Name=f"{name}:AWSPREVIOUS", WithDecryption=True)["Parameter"]
    assert (old["Value"], old["Selector"]) == ("s1", ":AWSPREVIOUS")
    by_id = ssm.get_parameter(Name=f"{name}:{made['VersionId']}", WithDecryption=True)["Parameter"]
    assert by_id["Value"] == "s1"
    assert refused(ssm.get_parameter, Name=name).message == (
        "WithDecryption flag must be True for retrieving a Secret Manager secret."
    )
    error = refused(ssm.get_parameter, Name="/aws/reference/secretsmanager/nobody", WithDecryption=True)
    assert error.code == "ParameterNotFound"
