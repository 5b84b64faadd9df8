"""UpdateFunctionCode and UpdateFunctionConfiguration."""

import base64
import hashlib
from typing import Any

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, make_role, refused, zip_of

STALE = (
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the "
    "latest Revision Id",
)
OTHER = {"index.py": "other = 1"}


def test_settings_change_and_the_others_stay(cloud: Account, create: Create) -> None:
    create(MemorySize=256, Description="before", Environment={"Variables": {"ENV_A": "a"}})
    client = cloud.client("lambda")
    changed = client.update_function_configuration(
        FunctionName="greeter",
        Timeout=10,
        Description="after",
        Runtime="provided.al2023",
        Handler="index.other",
        EphemeralStorage={"Size": 1024},
    )
    assert (changed["LastUpdateStatus"], changed["State"]) == ("InProgress", "Active")
    assert changed["LastUpdateStatusReason"] == "The function is being created."
    assert changed["LastUpdateStatusReasonCode"] == "Creating"
    cloud.settle()
    shown = client.get_function_configuration(FunctionName="greeter")
    assert shown["LastUpdateStatus"] == "Successful"
    assert "LastUpdateStatusReason" not in shown
    assert (shown["MemorySize"], shown["Timeout"], shown["Description"]) == (256, 10, "after")
    assert (shown["Runtime"], shown["Handler"]) == ("provided.al2023", "index.other")
    assert shown["Environment"] == {"Variables": {"ENV_A": "a"}}
    assert shown["EphemeralStorage"] == {"Size": 1024}
    assert len({shown["RevisionId"], changed["RevisionId"]}) == 2


def test_code_changes(cloud: Account, create: Create) -> None:
    before = create()
    client = cloud.client("lambda")
    code = zip_of(OTHER)
    changed = client.update_function_code(FunctionName="greeter", ZipFile=code)
    assert changed["CodeSha256"] == base64.b64encode(hashlib.sha256(code).digest()).decode()
    assert changed["CodeSha256"] != before["CodeSha256"]
    assert changed["LastUpdateStatus"] == "InProgress"
    cloud.settle()
    assert client.get_function_configuration(FunctionName="greeter")["CodeSize"] == len(code)


def test_a_dry_run_changes_nothing(cloud: Account, create: Create) -> None:
    before = create()
    client = cloud.client("lambda")
    tried = client.update_function_code(FunctionName="greeter", ZipFile=zip_of(OTHER), DryRun=True)
    assert tried["CodeSha256"] != before["CodeSha256"]
    assert client.get_function_configuration(FunctionName="greeter")["CodeSha256"] == before["CodeSha256"]
    error = refused(lambda: client.update_function_code(FunctionName="greeter", ZipFile=b"no zip", DryRun=True))
    assert error["Error"]["Code"] == "InvalidParameterValueException"


def test_code_is_published_at_once(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    made = client.update_function_code(FunctionName="greeter", ZipFile=zip_of(OTHER), Publish=True)
    assert (made["Version"], made["FunctionArn"], made["State"]) == ("1", f"{arn}:1", "Pending")
    assert "LastUpdateStatus" not in made
    client.get_waiter("published_version_active").wait(FunctionName="greeter", Qualifier="1", WaiterConfig={"Delay": 0})
    cloud.settle()
    assert client.get_function_configuration(FunctionName="greeter")["LastUpdateStatus"] == "Successful"


def test_a_change_needs_the_newest_revision(cloud: Account, create: Create) -> None:
    first = create()["RevisionId"]
    client = cloud.client("lambda")
    stale: dict[str, Any] = {"FunctionName": "greeter", "RevisionId": first}
    refused(lambda: client.update_function_configuration(Timeout=9, **stale), *STALE)
    refused(lambda: client.update_function_code(ZipFile=zip_of(OTHER), **stale), *STALE)
    stale["RevisionId"] = client.get_function_configuration(FunctionName="greeter")["RevisionId"]
    assert client.update_function_configuration(Timeout=9, **stale)["Timeout"] == 9


def test_one_change_at_a_time(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")

    async def while_tasks_wait() -> None:
        cloud.running.cloud.runtime.tasks._open = False

    async def tasks_go_on() -> None:
        cloud.running.cloud.runtime.tasks._open = True
        cloud.running.cloud.runtime.tasks._wake()

    cloud.running.run(while_tasks_wait())
    try:
        client.update_function_configuration(FunctionName="greeter", Timeout=9)
        busy = (
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress for resource: " + arn,
        )
        refused(lambda: client.update_function_configuration(FunctionName="greeter", Timeout=8), *busy)
        refused(lambda: client.update_function_code(FunctionName="greeter", ZipFile=zip_of(OTHER)), *busy)
        refused(lambda: client.publish_version(FunctionName="greeter"), *busy)
    finally:
        cloud.running.run(tasks_go_on())
    cloud.settle()
    assert client.get_function_configuration(FunctionName="greeter")["LastUpdateStatus"] == "Successful"


def test_only_latest_can_be_changed(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    text = (
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN."
    )
    refused(
        lambda: client.update_function_configuration(FunctionName=f"{arn}:1", Timeout=9),
        "InvalidParameterValueException",
        text,
    )


def test_a_role_must_be_one_that_lambda_may_assume(cloud: Account, create: Create) -> None:
    create()
    client = cloud.client("lambda")
    refused(
        lambda: client.update_function_configuration(
            FunctionName="greeter", Role=f"arn:aws:iam::{cloud.account}:role/nobody"
        ),
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    )
    other = make_role(cloud, "other")
    assert client.update_function_configuration(FunctionName="greeter", Role=other)["Role"] == other


def test_log_settings(cloud: Account, create: Create) -> None:
    create()
    client = cloud.client("lambda")

    def changed(**logging: str) -> dict[str, str]:
        answer = client.update_function_configuration(FunctionName="greeter", LoggingConfig=logging)
        cloud.settle()
        found: dict[str, str] = answer["LoggingConfig"]
        return found

    group = {"LogGroup": "/aws/lambda/greeter"}
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    assert changed(LogFormat="JSON") == {"LogFormat": "JSON", **levels, **group}
    assert changed(ApplicationLogLevel="DEBUG") == {"LogFormat": "JSON", **levels, **group} | {
        "ApplicationLogLevel": "DEBUG"
    }
    assert changed(LogFormat="Text") == {"LogFormat": "Text", **group}
    assert changed(LogGroup="elsewhere") == {"LogFormat": "Text", "LogGroup": "elsewhere"}
    error = refused(lambda: changed(ApplicationLogLevel="DEBUG"))
    assert error["Error"]["Code"] == "InvalidParameterValueException"
