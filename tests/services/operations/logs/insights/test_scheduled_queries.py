"""Queries that run by a schedule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulo.services.operations.logs.insights import queries
from tests.conftest import Account
from tests.services.operations.logs.conftest import GROUP, refused
from tests.services.operations.logs.insights.test_queries import Insights, Now, put

pytest.importorskip("duckdb")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "logs.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def insights(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> Insights:
    return Insights(cloud, logs, now_ms())


def make_role(cloud: Account, name: str, *actions: str) -> str:
    iam = cloud.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    return arn


def create(logs: Any, role: str, **more: Any) -> str:
    request = {
        "name": "errors",
        "queryLanguage": "CWLI",
        "queryString": "filter level = 'ERROR' | fields level, code",
        "logGroupIdentifiers": [GROUP],
        "scheduleExpression": "cron(0/5 * * * ? *)",
        "startTimeOffset": 7200,
        "executionRoleArn": role,
        **more,
    }
    arn: str = logs.create_scheduled_query(**request)["scheduledQueryArn"]
    return arn


def past_a_run(cloud: Account) -> None:
    """A minute and a half past the next time of the schedule: a test does not take the minutes until the one after."""
    cloud.advance(300 - cloud.running.clock.now() % 300 + 90)
    cloud.settle()


def test_it_runs_by_its_schedule_and_delivers(insights: Insights, logs: Any, cloud: Account) -> None:
    role = make_role(cloud, "runner", "logs:StartQuery")
    writer = make_role(cloud, "writer", "s3:PutObject", "logs:CreateLookupTable", "logs:UpdateLookupTable")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=f"results-{cloud.account}")
    uri = f"s3://results-{cloud.account}/daily"
    put(logs, insights.now, [json.dumps({"level": "ERROR", "code": 5}), json.dumps({"level": "INFO"})])
    past_a_run(cloud)
    arn = create(
        logs,
        role,
        destinationConfiguration={
            "s3Configuration": {"destinationIdentifier": uri, "roleArn": writer},
            "lookupTableConfiguration": {"tableName": "errors", "roleArn": writer},
        },
    )
    past_a_run(cloud)
    history = logs.get_scheduled_query_history(identifier="errors", startTime=0, endTime=1 << 40)
    [run] = history["triggerHistory"]
    assert run["executionStatus"] == "Complete"
    done = {each["destinationType"]: each for each in run["destinations"]}
    assert {each["status"] for each in done.values()} == {"COMPLETE"}
    key = done["S3"]["processedIdentifier"].removeprefix(f"s3://results-{cloud.account}/")
    body = s3.get_object(Bucket=f"results-{cloud.account}", Key=key)["Body"].read()
    assert json.loads(body) == [{"level": "ERROR", "code": "5"}]
    table = logs.get_lookup_table(lookupTableArn=done["LOOKUP_TABLE"]["processedIdentifier"])
    assert table["tableBody"] == "level,code\nERROR,5\n"
    found = logs.get_scheduled_query(identifier=arn)
    assert found["lastExecutionStatus"] == "Complete"
    assert found["lastTriggeredTime"] % 300_000 == 0
    queries = logs.describe_queries(logGroupName=GROUP)["queries"]
    assert run["queryId"] in {query["queryId"] for query in queries}


def test_a_role_without_permission(insights: Insights, logs: Any, cloud: Account) -> None:
    past_a_run(cloud)
    create(logs, make_role(cloud, "weak", "sqs:SendMessage"))
    past_a_run(cloud)
    history = logs.get_scheduled_query_history(identifier="errors", startTime=0, endTime=1 << 40)
    [run] = history["triggerHistory"]
    assert run["executionStatus"] == "Failed"
    assert "not authorized to perform: logs:StartQuery" in run["errorMessage"]


def test_runs_count_among_the_queries_at_a_time(
    insights: Insights, logs: Any, cloud: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    past_a_run(cloud)
    create(logs, make_role(cloud, "runner", "logs:StartQuery"))
    monkeypatch.setattr(queries, "CONCURRENT_MOST", 0)
    past_a_run(cloud)
    [run] = logs.get_scheduled_query_history(identifier="errors", startTime=0, endTime=1 << 40)["triggerHistory"]
    assert (run["executionStatus"], "concurrent queries" in run["errorMessage"]) == ("Failed", True)
    with refused("LimitExceededException"):
        insights.start("limit 1")


def test_it_is_changed_listed_and_deleted(insights: Insights, logs: Any, cloud: Account) -> None:
    role = make_role(cloud, "runner", "logs:StartQuery")
    arn = create(logs, role, tags={"team": "shop"}, state="DISABLED", timezone="Europe/Berlin")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "shop"}
    with refused("ConflictException"):
        create(logs, role)
    cloud.advance(700)
    cloud.settle()
    assert "lastTriggeredTime" not in logs.get_scheduled_query(identifier="errors")
    [listed] = logs.list_scheduled_queries(state="DISABLED")["scheduledQueries"]
    assert (listed["name"], listed["timezone"]) == ("errors", "Europe/Berlin")
    assert logs.list_scheduled_queries(state="ENABLED")["scheduledQueries"] == []
    changed = logs.update_scheduled_query(
        identifier="errors",
        queryLanguage="CWLI",
        queryString="limit 1",
        scheduleExpression="cron(0 9 * * ? *)",
        executionRoleArn=role,
        logGroupIdentifiers=[GROUP],
    )
    assert (changed["state"], changed["queryString"]) == ("ENABLED", "limit 1")
    logs.delete_scheduled_query(identifier=arn)
    with refused("ResourceNotFoundException"):
        logs.get_scheduled_query(identifier="errors")


UPDATED = (
    "queryLanguage",
    "queryString",
    "logGroupIdentifiers",
    "scheduleExpression",
    "startTimeOffset",
    "executionRoleArn",
)


def test_what_is_wrong_with_a_schedule(insights: Insights, logs: Any, cloud: Account) -> None:
    role = make_role(cloud, "runner", "logs:StartQuery")
    for expression in ("rate(5 minutes)", "cron(0 0 * * * *)", "cron(61 * * * ? *)", "0 0 * * ? *"):
        with refused("ValidationException"):
            create(logs, role, scheduleExpression=expression)
    with refused("ValidationException"):
        create(logs, role, timezone="Mars/Olympus")
    for offsets in ({"startTimeOffset": -1}, {"endTimeOffset": -60}, {"startTimeOffset": 60, "endTimeOffset": 60}):
        with refused("ValidationException"):
            create(logs, role, **offsets)
    with refused("NotImplemented"):
        create(logs, role, queryLanguage="PPL")


def test_a_schedule_that_begins_after_all_years(insights: Insights, logs: Any, cloud: Account) -> None:
    role = make_role(cloud, "runner", "logs:StartQuery")
    arn = create(logs, role, scheduleStartTime=1 << 62, startTimeOffset=1 << 62)
    cloud.advance(3600)
    when = {"startTime": 0, "endTime": 1 << 40}
    assert logs.get_scheduled_query_history(identifier=arn, **when)["triggerHistory"] == []
    assert logs.get_scheduled_query_history(identifier=arn, startTime=0, endTime=1 << 62)["triggerHistory"] == []
    update = {name: value for name, value in logs.get_scheduled_query(identifier=arn).items() if name in UPDATED}
    past_a_run(cloud)
    logs.update_scheduled_query(identifier=arn, **update)
    past_a_run(cloud)
    [run] = logs.get_scheduled_query_history(identifier=arn, **when)["triggerHistory"]
    assert "errorMessage" not in run
