"""PutParameter and DeleteParameter(s): names, types, tiers, versions."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account

Call = Callable[..., Any]


def test_a_parameter_is_got_by_name_and_arn(cloud: Account, ssm: Any, put: Call) -> None:
    answer = put("plain", "test")
    assert (answer["Version"], answer["Tier"]) == (1, "Standard")
    arn = f"arn:aws:ssm:us-east-1:{cloud.account}:parameter/plain"
    found = ssm.get_parameter(Name=arn)["Parameter"]
    assert found == {
        "ARN": arn,
        "DataType": "text",
        "LastModifiedDate": found["LastModifiedDate"],
        "Name": "plain",
        "Type": "String",
        "Value": "test",
        "Version": 1,
    }
    put("/app/db/url", "u")
    arn = f"arn:aws:ssm:us-east-1:{cloud.account}:parameter/app/db/url"
    assert ssm.get_parameter(Name=arn)["Parameter"]["Name"] == "/app/db/url"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("a/b", "ValidationException", "Parameter name must be a fully qualified name."),
        ("/a//b", "ValidationException", 'can\'t be prefixed with "ssm"'),
        ("a b", "ValidationException", "3 symbols .-_"),
        ("ssm-x", "ValidationException", 'can\'t be prefixed with "ssm"'),
        ("/aws/x", "AccessDeniedException", "No access to reserved parameter name: /aws/x."),
        ("/x" * 16, "HierarchyLevelLimitExceededException", "maximum of 15 levels"),
        ("x" * 1100, "ValidationException", "1011"),
    ],
)
def test_names_are_checked(put: Call, refused: Call, name: str, code: str, words: str) -> None:
    error = refused(put, name=name)
    assert error.code == code and words in error.message


def test_overwriting_makes_versions(ssm: Any, put: Call, refused: Call) -> None:
    put("p", "one", Description="first")
    error = refused(put, name="p", value="two")
    assert (error.code, error.message) == (
        "ParameterAlreadyExists",
        "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
    )
    assert ssm.put_parameter(Name="p", Value="two", Overwrite=True)["Version"] == 2
    found = ssm.get_parameter(Name="p")["Parameter"]
    assert (found["Value"], found["Version"], found["Type"]) == ("two", 2, "String")
    assert refused(ssm.put_parameter, Name="q", Value="v").message == (
        "A parameter type is required when you create a parameter."
    )
    error = refused(put, name="p", Overwrite=True, Tags=[{"Key": "a", "Value": "b"}])
    assert error.code == "ValidationException" and "tags and overwrite can't be used together" in error.message
    put("/h/p")
    assert refused(put, name="/h/p", Overwrite=True, Type="SecureString").code == "HierarchyTypeMismatchException"


def test_a_hundred_versions_are_kept(ssm: Any, put: Call, refused: Call) -> None:
    for number in range(100):
        put("p", str(number), Overwrite=True)
    ssm.label_parameter_version(Name="p", ParameterVersion=1, Labels=["first"])
    error = refused(put, name="p", Overwrite=True)
    assert error.code == "ParameterMaxVersionLimitExceeded" and "Version 1, the oldest version" in error.message
    ssm.label_parameter_version(Name="p", ParameterVersion=2, Labels=["first"])
    put("p", "last", Overwrite=True)
    assert refused(ssm.get_parameter, Name="p:1").code == "ParameterVersionNotFound"
    assert ssm.get_parameter(Name="p:2")["Parameter"]["Value"] == "1"


def test_values_are_checked(put: Call, refused: Call) -> None:
    assert refused(put, name="p", value="").code == "ValidationException"
    error = refused(put, name="p", value="a{{b}}")
    assert error.message == ("Parameter value 'a{{b}}' can't nest another parameter. Do not use \"{{}}\" in the value.")
    error = refused(put, name="p", value="abc", AllowedPattern=r"^\d+$")
    assert (error.code, error.message) == (
        "ParameterPatternMismatchException",
        r"Parameter value, cannot be validated against allowedPattern: ^\d+$",
    )
    assert refused(put, name="p", AllowedPattern="(").code == "InvalidAllowedPatternException"
    assert refused(put, name="p", AllowedPattern="(?=a)").code == "NotImplemented"
    put("p", "12", AllowedPattern=r"^\d+$")
    assert refused(put, name="q", KeyId="alias/aws/ssm").code == "ValidationException"


def test_tiers(ssm: Any, put: Call, refused: Call) -> None:
    error = refused(put, name="p", value="x" * 4097)
    assert error.code == "ValidationException"
    assert error.message.startswith("Standard tier parameters support a maximum parameter value of 4096 characters.")
    assert put("p", "x" * 4097, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    assert refused(put, name="q", value="x" * 8193, Tier="Advanced").code == "ValidationException"
    assert put("p", "small", Overwrite=True)["Tier"] == "Advanced"
    assert "can't downgrade" in refused(put, name="p", Overwrite=True, Tier="Standard").message
    assert put("s", Tier="Intelligent-Tiering")["Tier"] == "Standard"
    assert put("s", Tier="Advanced", Overwrite=True)["Tier"] == "Advanced"


@pytest.mark.parametrize(
    ("data_type", "right", "wrong"),
    [
        ("integer", "-12", "1.5"),
        ("float", "1.5e3", "x"),
        ("boolean", "true", "yes"),
        ("json", '{"a": 1}', "{a}"),
        ("jsonc", '{"a": "//", /* b */ "c": [1, ], } // d', "{a}"),
        ("ipv4-address", "10.0.0.1", "10.0.0"),
        ("ipv6-address", "::1", "10.0.0.1"),
        ("email", "a@example.com", "a@"),
        ("hostname", "db.example.com", "-db"),
        ("url", "https://example.com/a", "example"),
        ("binary", "aGk=", "?"),
        ("aws:region", "eu-west-1", "europe"),
        ("aws:account:id", "111122223333", "1"),
    ],
)
def test_data_types(ssm: Any, put: Call, refused: Call, data_type: str, right: str, wrong: str) -> None:
    put("p", right, DataType=data_type)
    assert ssm.get_parameter(Name="p")["Parameter"]["DataType"] == data_type
    assert refused(put, name="q", value=wrong, DataType=data_type).code == "ValidationException"


def test_data_types_that_cannot_be_checked_are_refused_by_name(put: Call, refused: Call) -> None:
    error = refused(put, name="p", value="ami-12345678", DataType="aws:ec2:image")
    assert error.code == "NotImplemented" and "DataType=aws:ec2:image" in error.message
    assert refused(put, name="p", DataType="Text").message == (
        "The following data type is not supported: Text (Data type names are all lowercase.)"
    )


def test_deletion(ssm: Any, put: Call, refused: Call) -> None:
    put("a")
    put("b")
    ssm.delete_parameter(Name="a")
    error = refused(ssm.delete_parameter, Name="a")
    assert (error.code, error.status) == ("ParameterNotFound", 400)
    answer = ssm.delete_parameters(Names=["a", "b"])
    assert (answer["DeletedParameters"], answer["InvalidParameters"]) == (["b"], ["a"])
    assert refused(ssm.get_parameter, Name="b").code == "ParameterNotFound"


def test_what_is_not_parameter_store_is_refused(ssm: Any, refused: Call) -> None:
    error = refused(ssm.list_documents)
    assert error.code == "NotImplemented" and "ssm:ListDocuments" in error.message
    error = refused(ssm.list_tags_for_resource, ResourceType="Document", ResourceId="d")
    assert error.code == "NotImplemented" and "ResourceType=Document" in error.message
