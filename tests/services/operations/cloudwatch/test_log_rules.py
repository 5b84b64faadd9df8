"""Contributor Insights rules over log groups: what the events of Logs contribute."""

import json
from typing import Any

from tests.conftest import Account
from tests.services.operations.cloudwatch.test_rule_definitions import definition


def write(logs: Any, group: str, now_ms: int, *messages: Any) -> None:
    try:
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="one")
    except logs.exceptions.ResourceAlreadyExistsException:
        pass
    events = [
        {"timestamp": now_ms, "message": message if isinstance(message, str) else json.dumps(message)}
        for message in messages
    ]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)


def contributors(client: Any, rule: str, now: int) -> dict[tuple[str, ...], float]:
    report = client.get_insight_rule_report(RuleName=rule, StartTime=now - 600, EndTime=now + 600, Period=60)
    return {tuple(one["Keys"]): one["ApproximateAggregateValue"] for one in report["Contributors"]}


def put(client: Any, name: str, document: dict[str, Any]) -> None:
    client.put_insight_rule(RuleName=name, RuleDefinition=json.dumps(document))


def test_json_events_count_while_the_rule_is_enabled(cloud: Account, cloudwatch: Any, now: int) -> None:
    logs = cloud.client("logs")
    clock = cloud.running.clock
    write(logs, "api", int(clock.now() * 1000), {"ip": "before"})
    cloud.advance(2)
    put(cloudwatch, "ips", definition(LogGroupNames=["api*", "none"]))
    bytes_rule = definition(LogGroupNames=["api"], ValueOf="$.bytes", Filters=[{"Match": "$.method", "In": ["PUT"]}])
    put(cloudwatch, "bytes", bytes_rule)
    at = int(clock.now() * 1000)
    write(
        logs,
        "api",
        at,
        {"ip": "a", "bytes": 10, "method": "PUT"},
        {"ip": "a", "bytes": 5, "method": "PUT"},
        {"ip": "b", "bytes": 7, "method": "GET"},
        "no json",
    )
    write(logs, "api-2", at, {"ip": "b"}, {"ip": "c"})
    write(logs, "other", at, {"ip": "d"})
    assert contributors(cloudwatch, "ips", now) == {("a",): 2.0, ("b",): 2.0, ("c",): 1.0}
    assert contributors(cloudwatch, "bytes", now) == {("a",): 15.0}
    cloud.advance(2)
    cloudwatch.disable_insight_rules(RuleNames=["ips"])
    write(logs, "api", int(clock.now() * 1000), {"ip": "late"})
    assert ("late",) not in contributors(cloudwatch, "ips", now)
    report = cloudwatch.get_insight_rule_report(
        RuleName="ips",
        StartTime=now - 600,
        EndTime=now + 600,
        Period=300,
        Metrics=["SampleCount", "UniqueContributors"],
    )
    assert (report["KeyLabels"], report["AggregationStatistic"]) == (["$.ip"], "SampleCount")
    assert (report["AggregateValue"], report["ApproximateUniqueCount"]) == (5.0, 3)
    assert sum(point["SampleCount"] for point in report["MetricDatapoints"]) == 5.0


def test_clf_events(cloud: Account, cloudwatch: Any, now: int) -> None:
    logs = cloud.client("logs")
    document = definition(
        "CLF",
        keys=["IpAddress"],
        LogGroupNames=["access"],
        Fields={"1": "IpAddress", "6": "StatusCode"},
        Filters=[{"Match": "StatusCode", "EqualTo": 200}],
    )
    put(cloudwatch, "callers", document)
    line = '{} - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" {} 2326'
    at = int(cloud.running.clock.now() * 1000)
    write(logs, "access", at, line.format("10.0.0.1", 200), line.format("10.0.0.2", 404), line.format("10.0.0.1", 200))
    assert contributors(cloudwatch, "callers", now) == {("10.0.0.1",): 2.0}


def test_a_rule_without_log_groups_tells_of_nothing(cloudwatch: Any, now: int) -> None:
    put(cloudwatch, "rule", definition(LogGroupNames=["nowhere", "no-*"]))
    assert contributors(cloudwatch, "rule", now) == {}
