"""Log groups and streams."""

from typing import Any

from tests.conftest import Account
from tests.services.operations.logs.conftest import refused


def names(answer: Any) -> list[str]:
    return [group["logGroupName"] for group in answer["logGroups"]]


def test_groups_come_by_name(cloud: Account, logs: Any) -> None:
    for name in ("b", "a", "c/d"):
        logs.create_log_group(logGroupName=name)
    assert names(logs.describe_log_groups()) == ["a", "b", "c/d"]
    first = logs.describe_log_groups(limit=2)
    assert names(first) == ["a", "b"]
    assert names(logs.describe_log_groups(limit=2, nextToken=first["nextToken"])) == ["c/d"]
    assert names(logs.describe_log_groups(logGroupNamePattern="/")) == ["c/d"]
    [group] = logs.describe_log_groups(logGroupNamePrefix="c")["logGroups"]
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:c/d"
    assert group.pop("creationTime") > 0
    assert group == {
        "arn": f"{arn}:*",
        "deletionProtectionEnabled": False,
        "logGroupArn": arn,
        "logGroupClass": "STANDARD",
        "logGroupName": "c/d",
        "metricFilterCount": 0,
        "storedBytes": 0,
    }


def test_groups_that_are_refused(logs: Any) -> None:
    with refused(
        "InvalidParameterException",
        "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
    ):
        logs.create_log_group(logGroupName="a" * 513)
    with refused("InvalidParameterException"):
        logs.create_log_group(logGroupName="a b")
    with refused("InvalidParameterException"):
        logs.create_log_group(logGroupName="aws/a")
    logs.create_log_group(logGroupName="a")
    with refused("ResourceAlreadyExistsException", "The specified log group already exists"):
        logs.create_log_group(logGroupName="a")
    with refused(
        "InvalidParameterException",
        "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    ):
        logs.describe_log_groups(logGroupNamePrefix="a", logGroupNamePattern="a")


def test_streams(cloud: Account, logs: Any, stream: dict[str, str]) -> None:
    group = stream["logGroupName"]
    with refused("ResourceAlreadyExistsException", "The specified log stream already exists"):
        logs.create_log_stream(**stream)
    logs.create_log_stream(logGroupName=group, logStreamName="another")
    [another, one] = logs.describe_log_streams(logGroupName=group)["logStreams"]
    assert another["logStreamName"] == "another"
    assert one["arn"] == f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{group}:log-stream:one"
    assert set(one) == {"arn", "creationTime", "logStreamName", "storedBytes"}
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{group}"
    for answer in (
        logs.describe_log_streams(logGroupIdentifier=arn, logStreamNamePrefix="o"),
        logs.describe_log_streams(logGroupIdentifier=group, logStreamNamePrefix="o"),
    ):
        assert [each["logStreamName"] for each in answer["logStreams"]] == ["one"]
    with refused("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters."):
        logs.describe_log_streams(logGroupName=group, logGroupIdentifier=arn)
    for bad in ("a:b", "a*"):
        with refused("InvalidParameterException"):
            logs.create_log_stream(logGroupName=group, logStreamName=bad)
