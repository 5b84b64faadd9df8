"""Contributor Insights rules as their users see them."""

import json
from typing import Any

from cumulo.core.monitoring import insight_rules
from cumulo.core.monitoring.insight_rules import ContributionMinute, InsightRule
from tests.conftest import Account
from tests.services.operations.cloudwatch.conftest import refused
from tests.services.operations.cloudwatch.test_rule_definitions import definition

DAY = 86_400


def put(client: Any, name: str, **options: Any) -> None:
    client.put_insight_rule(RuleName=name, RuleDefinition=json.dumps(definition()), **options)


def states(client: Any) -> dict[str, str]:
    return {rule["Name"]: rule["State"] for rule in client.describe_insight_rules()["InsightRules"]}


def test_a_rule_comes_and_goes(cloudwatch: Any) -> None:
    put(cloudwatch, "one")
    [rule] = cloudwatch.describe_insight_rules()["InsightRules"]
    assert json.loads(rule.pop("Definition")) == definition()
    assert rule == {
        "Name": "one",
        "State": "ENABLED",
        "Schema": "CloudWatchLogRule/1",
        "ManagedRule": False,
        "ApplyOnTransformedLogs": False,
    }
    assert cloudwatch.disable_insight_rules(RuleNames=["one"])["Failures"] == []
    assert states(cloudwatch) == {"one": "DISABLED"}
    put(cloudwatch, "one", RuleState="ENABLED", ApplyOnTransformedLogs=False)
    assert states(cloudwatch) == {"one": "ENABLED"}
    [failure] = cloudwatch.enable_insight_rules(RuleNames=["one", "two"])["Failures"]
    assert (failure["FailureResource"], failure["ExceptionType"]) == ("two", "ResourceNotFoundException")
    assert cloudwatch.delete_insight_rules(RuleNames=["one"])["Failures"] == []
    assert states(cloudwatch) == {}


def test_pages(cloudwatch: Any) -> None:
    for number in range(5):
        put(cloudwatch, f"rule{number}", RuleState="DISABLED")
    first = cloudwatch.describe_insight_rules(MaxResults=3)
    rest = cloudwatch.describe_insight_rules(NextToken=first["NextToken"])
    names = [rule["Name"] for rule in first["InsightRules"] + rest["InsightRules"]]
    assert names == [f"rule{number}" for number in range(5)]
    with refused("InvalidNextToken"):
        cloudwatch.describe_insight_rules(NextToken="none")


def test_what_a_rule_must_be(cloudwatch: Any) -> None:
    with refused("InvalidParameterValue"):
        cloudwatch.put_insight_rule(RuleName="one", RuleDefinition="{}")
    with refused("InvalidParameterValue", "The value ON for parameter RuleState is invalid."):
        put(cloudwatch, "one", RuleState="ON")
    with refused("NotImplemented"):
        put(cloudwatch, "one", ApplyOnTransformedLogs=True)
    with refused("MissingParameter", "The parameter RuleDefinition is required."):
        cloudwatch.put_insight_rule(RuleName="one")


def test_requests_that_are_no_requests(cloudwatch: Any) -> None:
    for call in (cloudwatch.enable_insight_rules, cloudwatch.disable_insight_rules, cloudwatch.delete_insight_rules):
        with refused("MissingParameter", "The parameter RuleNames is required."):
            call(RuleNames=[])
    for text in ("[" * 5000, "null", "{"):
        with refused("InvalidParameterValue"):
            cloudwatch.put_insight_rule(RuleName="deep", RuleDefinition=text)
    assert states(cloudwatch) == {}


def test_tags(cloud: Account, cloudwatch: Any) -> None:
    put(cloudwatch, "one", Tags=[{"Key": "team", "Value": "shop"}])
    arn = f"arn:aws:cloudwatch:us-east-1:{cloud.account}:insight-rule/one"
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "stage", "Value": "test"}])
    tags = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    assert tags == [{"Key": "stage", "Value": "test"}, {"Key": "team", "Value": "shop"}]
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]
    with refused("ResourceNotFoundException"):
        cloudwatch.list_tags_for_resource(ResourceARN=f"{arn}-other")


def fed(cloud: Account, minutes: dict[int, dict[str, float]]) -> InsightRule:
    """A rule of a service that was told these sums by minute and key."""
    document = {"Contribution": {"Keys": ["PartitionKey"]}}
    rule = InsightRule("fed", json.dumps(document), "ENABLED", b"12345678", 0.0, [(0.0, 0.0)], service="dynamodb")
    runtime = cloud.running.cloud.runtime

    def work(ctx: Any) -> None:
        insight_rules.RULES.put(ctx, rule)
        for start, sums in minutes.items():
            for key, total in sums.items():
                minute = ContributionMinute(start, [])
                minute.add((key,), total, 2.0, 1.0, total - 1.0)
                insight_rules.contribute(ctx, rule.id, minute, account=cloud.account, region="us-east-1")

    cloud.running.run(runtime.internal_context("dynamodb", "Test", cloud.account, "us-east-1").transact(work))
    return rule


METRICS = ["UniqueContributors", "MaxContributorValue", "SampleCount", "Sum", "Minimum", "Maximum", "Average"]


def test_reports(cloud: Account, cloudwatch: Any, now: int) -> None:
    start = now // 300 * 300 - 600
    fed(cloud, {start: {"a": 5, "b": 7}, start + 60: {"a": 6}, start + 300: {"c": 9}})
    report = cloudwatch.get_insight_rule_report(
        RuleName="fed", StartTime=start, EndTime=start + 600, Period=300, MaxContributorCount=2, Metrics=METRICS
    )
    assert (report["KeyLabels"], report["AggregationStatistic"]) == (["PartitionKey"], "Sum")
    assert (report["AggregateValue"], report["ApproximateUniqueCount"]) == (27.0, 3)
    ranked = [(one["Keys"], one["ApproximateAggregateValue"]) for one in report["Contributors"]]
    assert ranked == [(["a"], 11.0), (["c"], 9.0)]
    [point] = report["Contributors"][0]["Datapoints"]
    assert (int(point["Timestamp"].timestamp()), point["ApproximateValue"]) == (start, 11.0)
    points = report["MetricDatapoints"]
    assert [int(point.pop("Timestamp").timestamp()) for point in points] == [start, start + 300, start + 600]
    assert points[0] == {
        "UniqueContributors": 2.0,
        "MaxContributorValue": 11.0,
        "SampleCount": 6.0,
        "Sum": 18.0,
        "Minimum": 1.0,
        "Maximum": 6.0,
        "Average": 3.0,
    }
    assert set(points[2].values()) == {0.0}
    largest = cloudwatch.get_insight_rule_report(
        RuleName="fed", StartTime=start, EndTime=start + 600, Period=300, OrderBy="Maximum"
    )
    assert [one["Keys"] for one in largest["Contributors"]] == [["c"], ["b"], ["a"]]
    assert largest["MetricDatapoints"] == []


def test_rules_in_metric_math(cloud: Account, cloudwatch: Any, now: int) -> None:
    fed(cloud, {now - 120: {"a": 5, "b": 7}, now - 60: {"a": 6}})
    queries = [
        {"Id": "e1", "Expression": "INSIGHT_RULE_METRIC('fed', 'Sum')", "Period": 60, "ReturnData": False},
        {"Id": "e2", "Expression": "e1 / 2 + INSIGHT_RULE_METRIC('fed', 'UniqueContributors')", "Period": 60},
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, StartTime=now - 180, EndTime=now, ScanBy="TimestampAscending"
    )
    assert [result["Values"] for result in answer["MetricDataResults"]] == [[0.0, 8.0, 4.0]]
    queries[0]["Expression"] = "INSIGHT_RULE_METRIC('none', 'Sum')"
    with refused("ResourceNotFoundException"):
        cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=now - 180, EndTime=now)


def test_rules_of_services_cannot_be_changed(cloud: Account, cloudwatch: Any) -> None:
    fed(cloud, {})
    for change in (cloudwatch.disable_insight_rules, cloudwatch.delete_insight_rules):
        [failure] = change(RuleNames=["fed"])["Failures"]
        assert failure["ExceptionType"] == "InvalidParameterValue"
    with refused("InvalidParameterValue"):
        put(cloudwatch, "fed")
    [rule] = cloudwatch.describe_insight_rules()["InsightRules"]
    assert (rule["ManagedRule"], rule["Schema"]) == (True, "ServiceLogRule/1")


def test_what_a_report_must_be_asked_for(cloud: Account, cloudwatch: Any, now: int) -> None:
    fed(cloud, {})

    def report(**changes: Any) -> None:
        request = {"RuleName": "fed", "StartTime": now - 600, "EndTime": now, "Period": 60, **changes}
        cloudwatch.get_insight_rule_report(**request)

    with refused("ResourceNotFoundException"):
        report(RuleName="none")
    for changes in (
        {"EndTime": now - 600},
        {"EndTime": now - 700},
        {"StartTime": now - 2 * DAY},
        {"Period": 90},
        {"MaxContributorCount": 101},
        {"OrderBy": "Average"},
        {"Metrics": ["Median"]},
    ):
        with refused("InvalidParameterValue"):
            report(**changes)
