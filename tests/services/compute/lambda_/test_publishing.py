"""PublishVersion, and versions that come with a new function."""

import pytest

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import RuntimeMissing
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused, zip_of


def test_a_version_is_what_latest_was(cloud: Account, create: Create) -> None:
    arn = create(Timeout=5, Description="latest")["FunctionArn"]
    client = cloud.client("lambda")
    made = client.publish_version(FunctionName="greeter", Description="first")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (made["Version"], made["FunctionArn"], made["Description"]) == ("1", f"{arn}:1", "first")
    assert (made["State"], made["LastUpdateStatus"]) == ("Active", "Successful")
    client.update_function_configuration(FunctionName="greeter", Timeout=9)
    cloud.settle()
    assert client.get_function_configuration(FunctionName="greeter", Qualifier="1")["Timeout"] == 5
    assert client.get_function_configuration(FunctionName="greeter:1")["RevisionId"] == made["RevisionId"]
    assert client.publish_version(FunctionName="greeter")["Version"] == "2"


def test_what_has_not_changed_is_not_published_again(cloud: Account, create: Create) -> None:
    create()
    client = cloud.client("lambda")
    first = client.publish_version(FunctionName="greeter", Description="first")
    again = client.publish_version(FunctionName="greeter", Description="second")
    assert (again["Version"], again["Description"]) == ("1", "first")
    assert again["RevisionId"] == first["RevisionId"]
    client.update_function_code(FunctionName="greeter", ZipFile=zip_of({"index.py": "changed = 1"}))
    cloud.settle()
    assert client.publish_version(FunctionName="greeter")["Version"] == "2"


def test_a_number_is_never_given_twice(cloud: Account, create: Create) -> None:
    create()
    client = cloud.client("lambda")
    client.publish_version(FunctionName="greeter")
    client.delete_function(FunctionName="greeter", Qualifier="1")
    assert client.publish_version(FunctionName="greeter")["Version"] == "2"


def test_a_function_may_come_with_its_first_version(cloud: Account, create: Create) -> None:
    made = create(Publish=True)
    assert (made["Version"], made["State"]) == ("1", "Pending")
    assert made["FunctionArn"].endswith(":greeter")
    client = cloud.client("lambda")
    version = client.get_function_configuration(FunctionName="greeter", Qualifier="1")
    assert (version["State"], version["LastUpdateStatus"]) == ("Active", "Successful")
    assert version["FunctionArn"] == f"{made['FunctionArn']}:1"
    assert client.publish_version(FunctionName="greeter")["RevisionId"] == version["RevisionId"]


def test_what_publish_version_refuses(cloud: Account, create: Create) -> None:
    made = create()
    client = cloud.client("lambda")
    refused(
        lambda: client.publish_version(FunctionName="greeter", CodeSha256="wrong"),
        "InvalidParameterValueException",
        f"CodeSHA256 (wrong) is different from current CodeSHA256 in $LATEST ({made['CodeSha256']}). Please try again "
        "with the CodeSHA256 in $LATEST.",
    )
    refused(
        lambda: client.publish_version(FunctionName="greeter", RevisionId="wrong"),
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
        "the latest Revision Id",
    )
    latest = client.get_function_configuration(FunctionName="greeter")["RevisionId"]
    published = client.publish_version(FunctionName="greeter", CodeSha256=made["CodeSha256"], RevisionId=latest)
    assert published["Version"] == "1"


@pytest.mark.parametrize("runtime", ["python3.12", "python3.13"])
def test_versions_of_a_snap_start_function_have_a_snapshot(cloud: Account, create: Create, runtime: str) -> None:
    try:
        runtimes.find(runtime)
    except RuntimeMissing as missing:
        pytest.skip(str(missing))
    made = create(Runtime=runtime, SnapStart={"ApplyOn": "PublishedVersions"})
    assert made["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    client = cloud.client("lambda")
    published = client.publish_version(FunctionName="greeter")
    assert (published["State"], published["SnapStart"]["OptimizationStatus"]) == ("Pending", "Off")
    cloud.settle()
    version = client.get_function_configuration(FunctionName="greeter", Qualifier="1")
    assert (version["State"], version["SnapStart"]["OptimizationStatus"]) == ("Active", "On")
    assert client.get_function_configuration(FunctionName="greeter")["SnapStart"]["OptimizationStatus"] == "Off"


def test_snap_start_is_not_for_every_runtime(create: Create) -> None:
    refused(
        lambda: create(Runtime="provided.al2023", SnapStart={"ApplyOn": "PublishedVersions"}),
        "InvalidParameterValueException",
        "provided.al2023 is not supported for SnapStart enabled functions.",
    )
    refused(
        lambda: create(SnapStart={"ApplyOn": "Sometimes"}),
        "ValidationException",
        "1 validation error detected: Value 'Sometimes' at 'snapStart.applyOn' failed to satisfy constraint: Member "
        "must satisfy enum value set: [PublishedVersions, None]",
    )
