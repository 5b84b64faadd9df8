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


def test_groups_are_chosen(cloud: Account, logs: Any) -> None:
    logs.create_log_group(logGroupName="/aws/lambda/a", tags={"team": "shop", "env": "prod"})
    logs.create_log_group(logGroupName="/aws/lambda/b", logGroupClass="INFREQUENT_ACCESS", tags={"team": "shop"})
    logs.create_log_group(logGroupName="discovery.x", logGroupClass="DELIVERY")
    assert names(logs.describe_log_groups(logGroupClass="INFREQUENT_ACCESS")) == ["/aws/lambda/b"]
    assert names(logs.describe_log_groups(logGroupClass="ESSENTIALS")) == ["/aws/lambda/b"]
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:discovery.x"
    assert names(logs.describe_log_groups(logGroupIdentifiers=[arn, "/aws/lambda/a"])) == [
        "/aws/lambda/a",
        "discovery.x",
    ]
    assert logs.describe_log_groups(logGroupNamePrefix="discovery")["logGroups"][0]["retentionInDays"] == 1
    [found] = logs.list_log_groups(logGroupClass="DELIVERY")["logGroups"]
    assert found == {"logGroupName": "discovery.x", "logGroupArn": arn, "logGroupClass": "DELIVERY"}
    assert names(logs.list_log_groups(logGroupNamePattern="^/aws/lambda|discovery.x")) == names(
        logs.describe_log_groups()
    )
    assert names(logs.list_log_groups(logGroupNamePattern="^lambda")) == []
    assert names(logs.list_log_groups(logGroupTags=[{"key": "team", "values": ["shop"]}, {"key": "env"}])) == [
        "/aws/lambda/a"
    ]
    page = logs.list_log_groups(limit=2)
    assert names(logs.list_log_groups(nextToken=page["nextToken"])) == ["discovery.x"]
    for request in ({"logGroupIdentifiers": ["a"], "logGroupNamePrefix": "b"}, {"nextToken": "x"}):
        with refused("InvalidParameterException"):
            logs.describe_log_groups(**request)
    with refused("ResourceNotFoundException"):
        logs.describe_log_groups(logGroupIdentifiers=["nothing"])


def test_protected_groups_stay(logs: Any, stream: dict[str, str]) -> None:
    group = stream["logGroupName"]
    logs.put_log_group_deletion_protection(logGroupIdentifier=group, deletionProtectionEnabled=True)
    assert logs.describe_log_groups()["logGroups"][0]["deletionProtectionEnabled"] is True
    with refused("ValidationException"):
        logs.delete_log_group(logGroupName=group)
    with refused("ValidationException"):
        logs.delete_log_stream(**stream)
    logs.put_log_group_deletion_protection(logGroupIdentifier=group, deletionProtectionEnabled=False)
    logs.delete_log_stream(**stream)
    logs.delete_log_group(logGroupName=group)
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        logs.delete_log_group(logGroupName=group)
    logs.create_log_group(logGroupName=group, deletionProtectionEnabled=True)
    with refused("ValidationException"):
        logs.delete_log_group(logGroupName=group)


def test_retention(logs: Any, stream: dict[str, str]) -> None:
    group = stream["logGroupName"]
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    assert logs.describe_log_groups()["logGroups"][0]["retentionInDays"] == 7
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]
    with refused("InvalidParameterException"):
        logs.put_retention_policy(logGroupName=group, retentionInDays=2)
    logs.create_log_group(logGroupName="fast", logGroupClass="DELIVERY")
    with refused("InvalidParameterException"):
        logs.put_retention_policy(logGroupName="fast", retentionInDays=7)


def test_streams_by_their_last_events(cloud: Account, logs: Any, stream: dict[str, str]) -> None:
    group = stream["logGroupName"]
    now = int(cloud.running.clock.now() * 1000)
    for offset, name in ((5, "b"), (9, "a"), (7, "c")):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
        event = {"timestamp": now - 1000 * offset, "message": "x"}
        logs.put_log_events(logGroupName=group, logStreamName=name, logEvents=[event])
    first = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True, limit=2)
    second = logs.describe_log_streams(
        logGroupName=group, orderBy="LastEventTime", descending=True, nextToken=first["nextToken"]
    )
    found = [each["logStreamName"] for page in (first, second) for each in page["logStreams"]]
    assert found == ["one", "b", "c", "a"]
    by_name = logs.describe_log_streams(logGroupName=group, descending=True, limit=3)
    assert [each["logStreamName"] for each in by_name["logStreams"]] == ["one", "c", "b"]
    with refused("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."):
        logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="a")


def source(name: str, kind: str) -> dict[str, str]:
    return {"cw:datasource:name": name, "cw:datasource:type": kind}


def test_groups_by_data_sources(logs: Any) -> None:
    for group, tags in (
        ("/a/one", source("shop", "orders")),
        ("/a/two", source("shop", "orders")),
        ("/b/one", source("shop", "mails")),
        ("/b/two", source("amazon_vpc", "flow")),  # AWS's names are not for others
        ("/b/three", {"cw:datasource:name": "shop"}),
    ):
        logs.create_log_group(logGroupName=group, tags=tags)

    def named(*filters: dict[str, str]) -> list[str]:
        return [each["logGroupName"] for each in logs.list_log_groups(dataSources=list(filters))["logGroups"]]

    assert named({"name": "shop"}) == ["/a/one", "/a/two", "/b/one"]
    assert named({"name": "shop", "type": "mails"}, {"name": "other"}) == ["/b/one"]
    assert named({"name": "amazon_vpc"}) == []

    def summaries(**more: Any) -> list[tuple[Any, ...]]:
        found = logs.list_aggregate_log_group_summaries(groupBy="DATA_SOURCE_NAME_AND_TYPE", **more)
        return [
            (*[each["value"] for each in summary["groupingIdentifiers"]], summary["logGroupCount"])
            for summary in found["aggregateLogGroupSummaries"]
        ]

    assert summaries() == [("shop", "mails", 1), ("shop", "orders", 2)]
    assert summaries(logGroupNamePattern="^/a/one") == [("shop", "orders", 1)]
    assert summaries(dataSources=[{"name": "shop", "type": "mails"}]) == [("shop", "mails", 1)]
    first = logs.list_aggregate_log_group_summaries(groupBy="DATA_SOURCE_NAME_AND_TYPE", limit=1)
    assert summaries(limit=1, nextToken=first["nextToken"]) == [("shop", "orders", 2)]
    with refused("NotImplemented"):
        logs.list_aggregate_log_group_summaries(groupBy="DATA_SOURCE_NAME_TYPE_AND_FORMAT")


def test_groups_by_tags_like(logs: Any) -> None:
    logs.create_log_group(logGroupName="/prod", tags={"stage": "Production"})
    logs.create_log_group(logGroupName="/test", tags={"stage": "test"})

    def named(*values: str) -> list[str]:
        found = logs.list_log_groups(logGroupTags=[{"key": "stage", "values": list(values)}])["logGroups"]
        return [each["logGroupName"] for each in found]

    assert named("prod*") == ["/prod"]
    assert named("Prod") == []
    assert named("!test") == ["/prod"]
    assert named("test", "Production") == ["/prod", "/test"]
