"""Layers: versions, permissions, and what functions make of them."""

import io
import json
import zipfile

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused, zip_of
from tests.services.compute.lambda_.test_build import build_of

INVALID, NOT_FOUND = "InvalidParameterValueException", "ResourceNotFoundException"


def _publish(cloud: Account, name: str = "base", **options: object) -> str:
    content = {"ZipFile": zip_of({f"python/{name}.py": "x = 1"})}
    answer = cloud.client("lambda").publish_layer_version(LayerName=name, **{"Content": content, **options})
    arn: str = answer["LayerVersionArn"]
    return arn


def test_versions_of_a_layer(cloud: Account) -> None:
    client = cloud.client("lambda")
    options = {
        "Description": "ours",
        "LicenseInfo": "MIT",
        "CompatibleRuntimes": ["python3.12"],
        "CompatibleArchitectures": ["x86_64"],
    }
    made = client.publish_layer_version(LayerName="base", Content={"ZipFile": zip_of()}, **options)
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    layer = f"arn:aws:lambda:us-east-1:{cloud.account}:layer:base"
    assert (made["LayerArn"], made["LayerVersionArn"], made["Version"]) == (layer, f"{layer}:1", 1)
    assert {name: made[name] for name in options} == options
    assert made["Content"]["CodeSize"] == len(zip_of())
    shown = client.get_layer_version(LayerName="base", VersionNumber=1)
    by_arn = client.get_layer_version_by_arn(Arn=f"{layer}:1")
    for answer in (shown, by_arn):
        assert answer["Content"].pop("Location").startswith("http")
        assert {name: answer[name] for name in options} == options
    assert shown["Content"] == by_arn["Content"]
    second = client.publish_layer_version(LayerName=layer, Content={"ZipFile": zip_of()})
    assert second["Version"] == 2
    assert "CompatibleRuntimes" not in second
    assert second["Description"] == ""
    assert [each["Version"] for each in client.list_layer_versions(LayerName="base")["LayerVersions"]] == [2, 1]
    fits = client.list_layer_versions(LayerName="base", CompatibleRuntime="python3.12")["LayerVersions"]
    assert [each["Version"] for each in fits] == [1]
    client.delete_layer_version(LayerName="base", VersionNumber=2)
    client.delete_layer_version(LayerName="base", VersionNumber=2)
    refused(
        lambda: client.get_layer_version(LayerName="base", VersionNumber=2),
        NOT_FOUND,
        f"Layer version {layer}:2 does not exist.",
    )
    third = client.publish_layer_version(LayerName="base", Content={"ZipFile": zip_of()})
    assert third["Version"] == 3


def test_layers_are_listed_with_their_newest_version_that_fits(cloud: Account) -> None:
    client = cloud.client("lambda")
    _publish(cloud, "b", CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["arm64"])
    _publish(cloud, "b")
    _publish(cloud, "a")
    found = {each["LayerName"]: each["LatestMatchingVersion"]["Version"] for each in client.list_layers()["Layers"]}
    assert found == {"a": 1, "b": 2}
    for options in ({"CompatibleRuntime": "python3.12"}, {"CompatibleArchitecture": "arm64"}):
        (only,) = client.list_layers(**options)["Layers"]
        assert (only["LayerName"], only["LatestMatchingVersion"]["Version"]) == ("b", 1)
    pages = client.get_paginator("list_layers").paginate(PaginationConfig={"PageSize": 1})
    assert [[each["LayerName"] for each in page["Layers"]] for page in pages] == [["a"], ["b"]]
    pages = client.get_paginator("list_layer_versions").paginate(LayerName="b", PaginationConfig={"PageSize": 1})
    assert [each["Version"] for page in pages for each in page["LayerVersions"]] == [2, 1]


def test_a_function_keeps_a_layer_that_is_deleted(cloud: Account, create: Create) -> None:
    arn = _publish(cloud)
    made = create(Layers=[arn])
    assert [layer["Arn"] for layer in made["Layers"]] == [arn]
    assert made["Layers"][0]["CodeSize"] > 0
    client = cloud.client("lambda")
    client.delete_layer_version(LayerName="base", VersionNumber=1)
    assert client.get_function_configuration(FunctionName="greeter")["Layers"] == made["Layers"]
    (folder,) = build_of(cloud, "greeter").layers
    assert (folder / "python" / "base.py").read_text() == "x = 1"
    client.update_function_configuration(FunctionName="greeter", Timeout=9)
    cloud.settle()
    assert (build_of(cloud, "greeter").layers[0] / "python").is_dir()
    gone = client.update_function_configuration(FunctionName="greeter", Layers=[])
    assert "Layers" not in gone


def test_what_layers_of_a_function_are_refused(cloud: Account, create: Create) -> None:
    arns = [_publish(cloud, f"l{number}") for number in range(6)]
    refused(lambda: create(Layers=arns), INVALID, "Cannot reference more than 5 layers.")
    second = _publish(cloud, "l0")
    refused(
        lambda: create(Layers=[arns[0], second]),
        INVALID,
        "Two different versions of the same layer are not allowed to be referenced in the same function. "
        f"{arns[0]} and {second}",
    )
    missing = arns[0].replace("l0", "nothing")
    refused(lambda: create(Layers=[missing]), INVALID, f"Layer version {missing} does not exist.")
    elsewhere = arns[0].replace("us-east-1", "eu-west-1")
    refused(
        lambda: create(Layers=[elsewhere]),
        INVALID,
        "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.",
    )
    assert len(create(Layers=arns[:5])["Layers"]) == 5


def test_code_and_layers_have_a_limit_together(cloud: Account, create: Create) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("zeros.bin", "w") as sink,
    ):
        for _ in range(150):
            sink.write(bytes(1 << 20))
    large = buffer.getvalue()
    one, two = _publish(cloud, "one", Content={"ZipFile": large}), _publish(cloud, "two", Content={"ZipFile": large})
    size = 2 * 150 * (1 << 20) + len("def handler(event, context):\n    return event\n")
    text = (
        "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is "
        f"{size} bytes."
    )
    refused(lambda: create(Layers=[one, two]), INVALID, text)
    create(Layers=[one])
    client = cloud.client("lambda")
    refused(lambda: client.update_function_configuration(FunctionName="greeter", Layers=[one, two]), INVALID, text)


def test_a_layer_is_shared_by_its_policy(cloud: Account) -> None:
    arn = _publish(cloud)
    client, other = cloud.client("lambda"), cloud.another()
    stranger = other.client("lambda")
    assert refused(lambda: stranger.get_layer_version_by_arn(Arn=arn))["Error"]["Code"] == "AccessDeniedException"
    added = client.add_layer_version_permission(
        LayerName="base", VersionNumber=1, StatementId="s1", Action="lambda:GetLayerVersion", Principal=other.account
    )
    assert added["ResponseMetadata"]["HTTPStatusCode"] == 201
    statement = json.loads(added["Statement"])
    assert statement == {
        "Sid": "s1",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{other.account}:root"},
        "Action": "lambda:GetLayerVersion",
        "Resource": arn,
    }
    assert stranger.get_layer_version_by_arn(Arn=arn)["Version"] == 1
    assert refused(lambda: stranger.delete_layer_version(LayerName=arn.rpartition(":")[0], VersionNumber=1))["Error"][
        "Code"
    ] == ("AccessDeniedException")
    second = client.add_layer_version_permission(
        LayerName="base",
        VersionNumber=1,
        StatementId="s2",
        Action="lambda:GetLayerVersion",
        Principal="*",
        OrganizationId="o-1234567890",
        RevisionId=added["RevisionId"],
    )
    policy = client.get_layer_version_policy(LayerName="base", VersionNumber=1)
    assert policy["RevisionId"] == second["RevisionId"]
    document = json.loads(policy["Policy"])
    assert (document["Version"], document["Id"]) == ("2012-10-17", "default")
    assert document["Statement"][1]["Principal"] == "*"
    assert document["Statement"][1]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}
    client.remove_layer_version_permission(LayerName="base", VersionNumber=1, StatementId="s1")
    client.remove_layer_version_permission(LayerName="base", VersionNumber=1, StatementId="s2")
    refused(
        lambda: client.get_layer_version_policy(LayerName="base", VersionNumber=1),
        NOT_FOUND,
        "No policy is associated with the given resource.",
    )


@pytest.mark.parametrize("operation", ["add", "get", "remove"])
def test_permissions_of_what_is_not_there(cloud: Account, operation: str) -> None:
    arn = _publish(cloud)
    client = cloud.client("lambda")
    statement = {"StatementId": "s1", "Action": "lambda:GetLayerVersion", "Principal": "*"}

    def call(name: str, version: int) -> object:
        place = {"LayerName": name, "VersionNumber": version}
        if operation == "add":
            return client.add_layer_version_permission(**place, **statement)
        if operation == "get":
            return client.get_layer_version_policy(**place)
        return client.remove_layer_version_permission(**place, StatementId="s1")

    refused(lambda: call("nothing", 1), NOT_FOUND, f"Layer version {arn.replace('base', 'nothing')} does not exist.")
    refused(lambda: call("base", 2), NOT_FOUND, f"Layer version {arn[:-1]}2 does not exist.")


def test_what_layer_permissions_are_refused(cloud: Account) -> None:
    _publish(cloud)
    client = cloud.client("lambda")
    place = {"LayerName": "base", "VersionNumber": 1}
    given = {**place, "StatementId": "s1", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    refused(
        lambda: client.add_layer_version_permission(**{**given, "Action": "*"}),
        "ValidationException",
        "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: lambda:GetLayerVersion",
    )
    client.add_layer_version_permission(**given)
    refused(
        lambda: client.add_layer_version_permission(**given),
        "ResourceConflictException",
        "The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing "
        "statement.",
    )
    stale = (
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the "
        "latest Revision Id",
    )
    refused(lambda: client.add_layer_version_permission(**{**given, "StatementId": "s2"}, RevisionId="x"), *stale)
    refused(lambda: client.remove_layer_version_permission(**place, StatementId="s1", RevisionId="x"), *stale)
    refused(
        lambda: client.remove_layer_version_permission(**place, StatementId="other"),
        NOT_FOUND,
        "Statement other is not found in resource policy.",
    )
