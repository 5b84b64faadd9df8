"""Account policies: what holds for many groups."""

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.operations.logs.conftest import received, refused
from tests.services.operations.logs.protection.test_data_protection import policy

Now = Callable[[], int]
PROTECTION, SUBSCRIPTION, TRANSFORMER = "DATA_PROTECTION_POLICY", "SUBSCRIPTION_FILTER_POLICY", "TRANSFORMER_POLICY"
INDEX, RETENTION = "FIELD_INDEX_POLICY", "RETENTION_POLICY"


def retention(days: int | str, mode: str = "RETROACTIVE") -> str:
    return json.dumps({"retentionInDays": days, "enforcementMode": mode})


def put_policy(logs: Any, name: str, document: str, criteria: str = "", **more: Any) -> Any:
    if criteria:
        more["selectionCriteria"] = criteria
    return logs.put_account_policy(policyName=name, policyType=RETENTION, policyDocument=document, **more)


def retained(logs: Any, group: str) -> tuple[int | None, str | None]:
    [found] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    return found.get("retentionInDays"), found.get("retentionPolicyName")


def allow(cloud: Account) -> None:
    cloud.client("lambda").add_permission(
        FunctionName="subscriber",
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.us-east-1.amazonaws.com",
        SourceArn=f"arn:aws:logs:us-east-1:{cloud.account}:*",
    )


def put(cloud: Account, logs: Any, group: str, *messages: str) -> None:
    now = int(cloud.running.clock.now() * 1000)
    events = [{"timestamp": now, "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName="one", logEvents=events)
    cloud.settle()


def make(logs: Any, *names: str) -> None:
    for name in names:
        logs.create_log_group(logGroupName=name)
        logs.create_log_stream(logGroupName=name, logStreamName="one")


def test_a_subscription_for_all_groups(cloud: Account, logs: Any, subscriber: str) -> None:
    make(logs, "/a", "/b", "/aws/lambda/subscriber")
    document = json.dumps({"DestinationArn": subscriber, "FilterPattern": "ERROR"})
    with refused("InvalidParameterException"):
        logs.put_account_policy(policyName="all", policyType=SUBSCRIPTION, policyDocument=document)
    allow(cloud)
    made = logs.put_account_policy(
        policyName="all",
        policyType=SUBSCRIPTION,
        policyDocument=document,
        selectionCriteria='LogGroupName NOT IN ["/b"]',
    )["accountPolicy"]
    assert made.pop("lastUpdatedTime") > 0
    assert made == {
        "policyName": "all",
        "policyType": SUBSCRIPTION,
        "policyDocument": document,
        "selectionCriteria": 'LogGroupName NOT IN ["/b"]',
        "scope": "ALL",
        "accountId": cloud.account,
    }
    for group in ("/a", "/b", "/aws/lambda/subscriber"):
        put(cloud, logs, group, "ERROR x", "fine")
    [document] = [each for each in received() if each["logEvents"][0]["message"] == "ERROR x"]
    assert document["policyLevel"] == "ACCOUNT_LEVEL_POLICY"
    assert (document["logGroup"], document["subscriptionFilters"]) == ("/a", ["all"])
    [found] = logs.describe_account_policies(policyType=SUBSCRIPTION)["accountPolicies"]
    assert found["policyName"] == "all"
    assert logs.describe_account_policies(policyType=SUBSCRIPTION, policyName="x")["accountPolicies"] == []
    with refused("LimitExceededException"):
        logs.put_account_policy(policyName="more", policyType=SUBSCRIPTION, policyDocument=made["policyDocument"])
    logs.delete_account_policy(policyName="all", policyType=SUBSCRIPTION)
    put(cloud, logs, "/a", "ERROR y")
    assert received() == []
    with refused("ResourceNotFoundException"):
        logs.delete_account_policy(policyName="all", policyType=SUBSCRIPTION)


def test_protection_for_all_groups(cloud: Account, logs: Any) -> None:
    make(logs, "/a")
    logs.put_account_policy(policyName="all", policyType=PROTECTION, policyDocument=policy("EmailAddress"))
    put(cloud, logs, "/a", "a@example.com 1.2.3.4")
    logs.put_data_protection_policy(logGroupIdentifier="/a", policyDocument=policy("IpAddress"))
    cloud.advance(1)
    put(cloud, logs, "/a", "a@example.com 1.2.3.4")
    events = logs.get_log_events(logGroupName="/a", logStreamName="one")["events"]
    assert [event["message"] for event in events] == ["************* 1.2.3.4", "************* *******"]
    assert logs.describe_log_groups()["logGroups"][0]["inheritedProperties"] == ["ACCOUNT_DATA_PROTECTION"]
    logs.delete_account_policy(policyName="all", policyType=PROTECTION)
    assert "inheritedProperties" not in logs.describe_log_groups()["logGroups"][0]


def test_transformers_for_many_groups(cloud: Account, logs: Any, subscriber: str) -> None:
    make(logs, "/a/one", "/b/one")
    allow(cloud)
    logs.put_account_policy(
        policyName="json",
        policyType=TRANSFORMER,
        policyDocument=json.dumps([{"parseKeyValue": {}}]),
        selectionCriteria='LogGroupNamePrefix = "/a/"',
    )
    for group in ("/a/one", "/b/one"):
        logs.put_subscription_filter(
            logGroupName=group,
            filterName="all",
            filterPattern="",
            destinationArn=subscriber,
            applyOnTransformedLogs=True,
        )
        put(cloud, logs, group, "k=v")
    assert [document["logEvents"][0]["message"] for document in received()] == ['{"k":"v"}', "k=v"]
    with refused("InvalidParameterException"):
        logs.put_account_policy(
            policyName="other",
            policyType=TRANSFORMER,
            policyDocument=json.dumps([{"parseJSON": {}}]),
            selectionCriteria='LogGroupNamePrefix = "/a/one"',
        )


def test_policies_that_are_refused(cloud: Account, logs: Any, subscriber: str) -> None:
    with refused("NotImplemented"):
        logs.put_account_policy(policyName="a", policyType="METRIC_EXTRACTION_POLICY", policyDocument="{}")
    for kind, document, more in (
        (PROTECTION, "{}", {}),
        (PROTECTION, policy("EmailAddress"), {"selectionCriteria": 'LogGroupNamePrefix = "a"'}),
        (TRANSFORMER, "{}", {}),
        (TRANSFORMER, "[{}]", {}),
        (TRANSFORMER, '[{"parseJSON": {}}]', {"selectionCriteria": "x"}),
        (SUBSCRIPTION, "{", {}),
        (SUBSCRIPTION, "{}", {}),
        (SUBSCRIPTION, json.dumps({"DestinationArn": subscriber}), {"selectionCriteria": "LogGroupName NOT IN [1]"}),
        (PROTECTION, policy("EmailAddress"), {"policyName": "aws/a"}),
        (PROTECTION, policy("EmailAddress"), {"dryRun": True}),
        (RETENTION, "{", {}),
        (RETENTION, "[]", {}),
        (RETENTION, json.dumps({"retentionInDays": 30}), {}),
        (RETENTION, json.dumps({"retentionInDays": 7, "enforcementMode": "NEW_ONLY"}), {}),
        (RETENTION, json.dumps({"retentionInDays": 30, "enforcementMode": "ALWAYS"}), {}),
        (RETENTION, retention(30), {"selectionCriteria": 'LogGroupName IN ["a"]'}),
        (INDEX, "{}", {}),
        (INDEX, '{"Fields": ["a"]}', {"selectionCriteria": 'LogGroupNamePrefix NOT IN ["a"]'}),
        (INDEX, '{"Fields": ["a"]}', {"selectionCriteria": 'DataSourceName = "a"'}),
        (INDEX, '{"Fields": ["a"]}', {"selectionCriteria": 'DataSourceName = "a" OR DataSourceType = "b"'}),
    ):
        with refused("InvalidParameterException"):
            logs.put_account_policy(**{"policyName": "a", "policyType": kind, "policyDocument": document, **more})


# --- retention ----------------------------------------------------------------------------------


def test_retention_takes_effect_a_day_later_and_the_longest_counts(cloud: Account, logs: Any) -> None:
    for name in ("/a/one", "/b/one"):
        logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=3653)
    cloud.advance(1)
    put_policy(logs, "all", retention(30))
    put_policy(logs, "more", retention(90), 'LogGroupNamePrefix = "/a/"')
    assert retained(logs, "/a/one") == (3653, None)
    cloud.advance(86_401)
    assert retained(logs, "/a/one") == (90, "more")
    assert retained(logs, "/b/one") == (30, "all")
    put_policy(logs, "more", retention("NEVER_EXPIRE"), 'LogGroupNamePrefix = "/a/"')
    assert retained(logs, "/a/one") == (90, "more")
    cloud.advance(86_401)
    assert retained(logs, "/a/one") == (None, "more")
    logs.delete_account_policy(policyName="all", policyType=RETENTION)
    assert retained(logs, "/b/one") == (3653, None)
    logs.delete_account_policy(policyName="more", policyType=RETENTION)


def test_retention_of_new_groups_alone(cloud: Account, logs: Any) -> None:
    logs.create_log_group(logGroupName="/old")
    cloud.advance(1)
    put_policy(logs, "new", retention(30, "NEW_ONLY"))
    cloud.advance(86_401)
    logs.create_log_group(logGroupName="/new")
    assert retained(logs, "/old") == (None, None)
    assert retained(logs, "/new") == (30, "new")


def test_what_retention_says_is_done(cloud: Account, logs: Any) -> None:
    logs.create_log_group(logGroupName="/a/one")
    logs.create_log_stream(logGroupName="/a/one", logStreamName="one")
    put(cloud, logs, "/a/one", "old")
    put_policy(logs, "all", retention(30))
    cloud.advance(31 * 86_400)
    cloud.settle()
    assert logs.filter_log_events(logGroupName="/a/one")["events"] == []


def test_a_dry_run_tells_what_would_change(cloud: Account, logs: Any) -> None:
    for name, days in (("/a/long", 365), ("/a/short", 7), ("/a/same", 90), ("/b/other", 1)):
        logs.create_log_group(logGroupName=name)
        logs.put_retention_policy(logGroupName=name, retentionInDays=days)
    criteria = 'LogGroupNamePrefix = "/a/"'
    result = put_policy(logs, "all", retention(90), criteria, dryRun=True)["dryRunResult"]
    assert result["totalMatchedLogGroups"] == 3
    assert (result["increasedRetentionLogGroupCount"], result["decreasedRetentionLogGroupCount"]) == (1, 1)
    assert (result["unchangedRetentionLogGroupCount"], result["failedAnalysisCount"]) == (1, 0)
    assert [each["logGroupName"] for each in result["topLogGroupsImpacted"]] == ["/a/long", "/a/same", "/a/short"]
    assert result["topLogGroupsImpacted"][0]["currentRetention"] == "365"
    assert result["topLogGroupsImpacted"][0]["proposedRetention"] == "90"
    assert logs.describe_account_policies(policyType=RETENTION)["accountPolicies"] == []
    put_policy(logs, "all", retention("NEVER_EXPIRE"), criteria)
    cloud.advance(86_401)
    result = logs.delete_account_policy(policyName="all", policyType=RETENTION, dryRun=True)["dryRunResult"]
    assert result["decreasedRetentionLogGroupCount"] == 3
    assert result["topLogGroupsImpacted"][0]["currentRetention"] == "NEVER_EXPIRE"
    assert len(logs.describe_account_policies(policyType=RETENTION)["accountPolicies"]) == 1


# --- field indexes ------------------------------------------------------------------------------


def test_field_indexes_of_an_account(cloud: Account, logs: Any) -> None:
    tags = {"cw:datasource:name": "shop", "cw:datasource:type": "orders"}
    logs.create_log_group(logGroupName="/a/one", tags=tags)
    logs.create_log_group(logGroupName="/b/one")
    for name, field, criteria in (
        ("prefix", "request", 'LogGroupNamePrefix IN ["/a/"]'),
        ("source", "order", 'DataSourceName = "shop" AND DataSourceType = "orders"'),
    ):
        logs.put_account_policy(
            policyName=name,
            policyType=INDEX,
            policyDocument=json.dumps({"Fields": [field]}),
            selectionCriteria=criteria,
        )
    found = logs.describe_index_policies(logGroupIdentifiers=["/a/one"])["indexPolicies"]
    assert {(each["source"], each["policyName"]) for each in found} == {("ACCOUNT", "prefix"), ("ACCOUNT", "source")}
    assert logs.describe_index_policies(logGroupIdentifiers=["/b/one"])["indexPolicies"] == []
    logs.put_index_policy(logGroupIdentifier="/a/one", policyDocument='{"Fields": ["own"]}')
    custom = logs.describe_field_indexes(logGroupIdentifiers=["/a/one"], indexCategories=["CUSTOM"])["fieldIndexes"]
    assert [each["fieldIndexName"] for each in custom] == ["own", "order"]
    listed = logs.list_log_groups(fieldIndexNames=["own", "order", "traceId"])["logGroups"]
    assert [each["logGroupName"] for each in listed] == ["/a/one"]
    assert logs.list_log_groups(fieldIndexNames=["request"])["logGroups"] == []
    for criteria in ('LogGroupNamePrefix = "/a/one"', 'DataSourceType = "orders" AND DataSourceName = "shop"'):
        with refused("InvalidParameterException"):
            logs.put_account_policy(
                policyName="other", policyType=INDEX, policyDocument='{"Fields": ["x"]}', selectionCriteria=criteria
            )
