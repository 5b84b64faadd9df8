"""Account policies: what holds for many groups."""

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.operations.logs.conftest import received, refused
from tests.services.operations.logs.test_data_protection import policy

Now = Callable[[], int]
PROTECTION, SUBSCRIPTION, TRANSFORMER = "DATA_PROTECTION_POLICY", "SUBSCRIPTION_FILTER_POLICY", "TRANSFORMER_POLICY"


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
    for kind in ("FIELD_INDEX_POLICY", "METRIC_EXTRACTION_POLICY", "RETENTION_POLICY"):
        with refused("NotImplemented"):
            logs.put_account_policy(policyName="a", policyType=kind, policyDocument="{}")
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
    ):
        with refused("InvalidParameterException"):
            logs.put_account_policy(**{"policyName": "a", "policyType": kind, "policyDocument": document, **more})
