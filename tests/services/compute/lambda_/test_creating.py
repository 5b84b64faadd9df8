"""CreateFunction: what is made of a request, what is refused, and how a function comes into service."""

import base64
import hashlib
import json

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import RUNTIME, TRUST, Create, make_role, refused, zip_of


def test_whoever_asks_at_once_waits_a_moment_for_it(cloud: Account, role: str) -> None:
    """Else a client's waiter, which has seen Pending, sleeps for one second or for five."""
    client = cloud.client("lambda")
    made = client.create_function(
        FunctionName="greeter", Runtime=RUNTIME, Role=role, Handler="index.handler", Code={"ZipFile": zip_of()}
    )
    assert made["State"] == "Pending"
    assert client.get_function_configuration(FunctionName="greeter")["State"] == "Active"
    changed = client.update_function_configuration(FunctionName="greeter", Timeout=5)
    assert changed["LastUpdateStatus"] == "InProgress"
    assert client.get_function(FunctionName="greeter")["Configuration"]["LastUpdateStatus"] == "Successful"


def test_a_function_is_pending_and_then_active(cloud: Account, role: str) -> None:
    client = cloud.client("lambda")
    code = zip_of()
    made = client.create_function(
        FunctionName="greeter", Runtime=RUNTIME, Role=role, Handler="index.handler", Code={"ZipFile": code}
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["State"] == "Pending"
    assert (made["StateReason"], made["StateReasonCode"]) == ("The function is being created.", "Creating")
    assert "LastUpdateStatus" not in made
    assert "Environment" not in made
    assert made["FunctionArn"] == f"arn:aws:lambda:us-east-1:{cloud.account}:function:greeter"
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert made["CodeSize"] == len(code)
    assert (made["Timeout"], made["MemorySize"], made["Version"]) == (3, 128, "$LATEST")
    assert made["SnapStart"] == {"ApplyOn": "None", "OptimizationStatus": "Off"}
    assert made["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/greeter"}
    assert made["EphemeralStorage"] == {"Size": 512}
    assert made["Architectures"] == ["x86_64"]
    assert made["TracingConfig"] == {"Mode": "PassThrough"}
    assert made["RuntimeVersionConfig"]["RuntimeVersionArn"].startswith("arn:aws:lambda:us-east-1::runtime:")

    client.get_waiter("function_active_v2").wait(FunctionName="greeter", WaiterConfig={"Delay": 0.05})
    client.get_waiter("function_updated_v2").wait(FunctionName="greeter", WaiterConfig={"Delay": 0.05})
    client.get_waiter("function_exists").wait(FunctionName="greeter", WaiterConfig={"Delay": 0.05})
    shown = client.get_function(FunctionName="greeter")
    assert shown["Configuration"]["State"] == "Active"
    assert shown["Configuration"]["LastUpdateStatus"] == "Successful"
    assert "StateReason" not in shown["Configuration"]
    assert shown["Configuration"]["RevisionId"] != made["RevisionId"]


def test_every_form_of_the_name_leads_to_the_function(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    for name in ("greeter", f"{cloud.account}:function:greeter", arn, f"{cloud.account}:greeter", "function:greeter"):
        assert client.get_function_configuration(FunctionName=name)["FunctionArn"] == arn
    for name in ("greeter:$LATEST", f"{arn}:$LATEST"):
        assert client.get_function_configuration(FunctionName=name)["FunctionArn"] == f"{arn}:$LATEST"
    error = refused(lambda: client.get_function(FunctionName=f"{arn}:$LATEST", Qualifier="1"))
    assert error["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "The derived qualifier from the function name does not match the specified qualifier.",
    }
    assert error["Type"] == "User"


def test_what_is_not_there_is_not_found(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    missing = arn.replace("greeter", "nobody")
    for name, qualifier, shown in (
        ("nobody", {}, missing),
        (missing, {}, missing),
        ("nobody", {"Qualifier": "7"}, f"{missing}:7"),
        ("greeter", {"Qualifier": "7"}, f"{arn}:7"),
        ("greeter:prod", {}, f"{arn}:prod"),
    ):
        error = refused(lambda name=name, qualifier=qualifier: client.get_function(FunctionName=name, **qualifier))
        assert error["Error"] == {"Code": "ResourceNotFoundException", "Message": f"Function not found: {shown}"}
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 404
    other = arn.replace("us-east-1", "eu-west-1")
    assert refused(lambda: client.get_function(FunctionName=other))["Error"] == {
        "Code": "ResourceNotFoundException",
        "Message": "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    }


def test_bytes_that_are_no_archive_are_refused(create: Create) -> None:
    for data in (b"no zip", zip_of({"../outside.py": ""})):
        error = refused(lambda data=data: create(Code={"ZipFile": data}))
        assert error["Error"] == {
            "Code": "InvalidParameterValueException",
            "Message": "Could not unzip uploaded file. Please check your file, then try to upload again.",
        }


def test_the_role_must_trust_lambda(cloud: Account, create: Create) -> None:
    text = "The role defined for the function cannot be assumed by Lambda."
    stranger = make_role(cloud, "stranger", json.loads(json.dumps(TRUST).replace("lambda.", "ec2.")))
    for arn in (stranger, f"arn:aws:iam::{cloud.account}:role/nobody"):
        error = refused(lambda arn=arn: create(Role=arn))["Error"]
        assert error == {"Code": "InvalidParameterValueException", "Message": text}


def test_a_second_function_of_a_name_is_refused(create: Create) -> None:
    create()
    assert refused(create)["Error"] == {
        "Code": "ResourceConflictException",
        "Message": "Function already exist: greeter",
    }


def test_an_archive_of_nothing(cloud: Account, create: Create) -> None:
    empty = b"PK\x05\x06" + bytes(18)  # the end of a directory without entries
    text = "Uploaded file must be a non-empty zip"
    refused(lambda: create(Code={"ZipFile": empty}), "InvalidParameterValueException", text)
    client = cloud.client("lambda")
    request = {"LayerName": "nothing", "Content": {"ZipFile": empty}}
    refused(lambda: client.publish_layer_version(**request), "InvalidParameterValueException", text)
    assert client.list_functions()["Functions"] == client.list_layers()["Layers"] == []


@pytest.mark.parametrize("name", ["greeter:1", "greeter:prod", "greeter:$LATEST"])
def test_no_version_is_made_by_its_name(create: Create, name: str) -> None:
    refused(
        lambda: create(name),
        "InvalidParameterValueException",
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN.",
    )
