"""Subscription filters: what functions get."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.core.errors import Fault
from cumulo.services.operations.logs.filters import followers, subscription_filters
from tests.conftest import Account
from tests.services.operations.cloudwatch.test_service_metrics import Told
from tests.services.operations.logs.conftest import SEEN, received, refused

GROUP = "/shop/orders"
Now = Callable[[], int]
NOT_USABLE = (
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your "
    "function."
)


def allow(cloud: Account, principal: str = "logs.us-east-1.amazonaws.com") -> None:
    cloud.client("lambda").add_permission(
        FunctionName="subscriber",
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal=principal,
        SourceArn=f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}:*",
        SourceAccount=cloud.account,
    )


def subscribe(logs: Any, function: str, pattern: str = "", name: str = "test", **more: Any) -> None:
    logs.put_subscription_filter(
        logGroupName=GROUP, filterName=name, filterPattern=pattern, destinationArn=function, **more
    )


def put(logs: Any, now: int, *messages: str) -> None:
    events = [{"timestamp": now + index, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="one", logEvents=events)


@pytest.mark.parametrize("principal", ["logs.us-east-1.amazonaws.com", "logs.amazonaws.com"])
def test_a_function_gets_what_is_chosen(
    cloud: Account, logs: Any, stream: dict[str, str], subscriber: str, now_ms: Now, principal: str
) -> None:
    allow(cloud, principal)
    subscribe(logs, subscriber, "ERROR")
    now = now_ms()
    put(logs, now, "ERROR one", "two", "ERROR three")
    put(logs, now, "four")
    cloud.settle()
    [document] = received()
    found = logs.filter_log_events(logGroupName=GROUP, filterPattern="ERROR")["events"]
    assert document == {
        "messageType": "DATA_MESSAGE",
        "owner": cloud.account,
        "logGroup": GROUP,
        "logStream": "one",
        "subscriptionFilters": ["test"],
        "logEvents": [
            {"id": event["eventId"], "timestamp": event["timestamp"], "message": event["message"]} for event in found
        ],
    }
    logs.delete_subscription_filter(logGroupName=GROUP, filterName="test")
    put(logs, now, "ERROR five")
    cloud.settle()
    assert received() == []


def test_fields_are_extracted(cloud: Account, logs: Any, stream: dict[str, str], subscriber: str, now_ms: Now) -> None:
    allow(cloud)
    subscribe(logs, subscriber, "[level, size > 10, ...]")
    put(logs, now_ms(), "INFO 12 x y", "INFO 3 x")
    cloud.settle()
    [document] = received()
    [event] = document["logEvents"]
    assert event["extractedFields"] == {"level": "INFO", "size": "12", "3": "x", "4": "y"}


def test_much_comes_in_parts(
    cloud: Account,
    logs: Any,
    stream: dict[str, str],
    subscriber: str,
    now_ms: Now,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(followers, "DATA_BYTES", 600)
    allow(cloud)
    subscribe(logs, subscriber)
    messages = [f"{number} {number * 7919 % 1009}" for number in range(120)]
    put(logs, now_ms(), *messages)
    cloud.settle()
    assert len(SEEN) > 2
    assert all(len(event["awslogs"]["data"]) <= 600 for event in SEEN)
    assert [event["message"] for document in received() for event in document["logEvents"]] == messages


@pytest.mark.parametrize(
    ("code", "metric"), [("TooManyRequestsException", "DeliveryThrottling"), ("", "DeliveryErrors")]
)
def test_a_delivery_that_may_succeed_later_is_tried_again(
    cloud: Account,
    logs: Any,
    stream: dict[str, str],
    subscriber: str,
    now_ms: Now,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    metric: str,
) -> None:
    told = Told(cloud, "AWS/Logs")
    allow(cloud)
    subscribe(logs, subscriber)

    def fail(*args: Any) -> None:
        raise Fault(code or "ServiceException", sender=bool(code))

    with monkeypatch.context() as patch:
        patch.setattr(subscription_filters, "invoke", fail)
        put(logs, now_ms(), "one")
        put(logs, now_ms(), "two")
        cloud.settle()
    assert SEEN == []
    for _ in range(3):
        cloud.advance(600)
    assert [event["message"] for document in received() for event in document["logEvents"]] == ["one", "two"]
    told.wait()
    dimensions = {"LogGroupName": GROUP, "DestinationType": "Lambda", "FilterName": "test"}
    assert told.sums(metric, **dimensions)[0] >= 1
    assert told.sums("ForwardedLogEvents", **dimensions)[0] == 2
    assert told.sums("ForwardedBytes", **dimensions)[0] > 100


def test_a_delivery_that_is_refused_is_over(
    cloud: Account, logs: Any, stream: dict[str, str], subscriber: str, now_ms: Now
) -> None:
    told = Told(cloud, "AWS/Logs")
    allow(cloud)
    subscribe(logs, subscriber, name="Füllung")
    cloud.client("lambda").remove_permission(FunctionName="subscriber", StatementId="logs")
    put(logs, now_ms(), "one", "two")
    cloud.settle()
    allow(cloud)
    put(logs, now_ms(), "three")
    for _ in range(3):
        cloud.advance(600)
    assert [event["message"] for document in received() for event in document["logEvents"]] == ["three"]
    told.wait()
    dimensions = {"LogGroupName": GROUP, "DestinationType": "Lambda", "FilterName": "F?llung"}
    assert told.sums("DeliveryErrors", **dimensions) == (2.0, 1.0)
    assert told.sums("ForwardedLogEvents", **dimensions) == (1.0, 1.0)


def test_filters_are_described(cloud: Account, logs: Any, stream: dict[str, str], subscriber: str) -> None:
    assert logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"] == []
    allow(cloud)
    subscribe(logs, subscriber)
    subscribe(logs, subscriber, "[]")
    [found] = logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"]
    assert found.pop("creationTime") > 0
    assert found == {
        "applyOnTransformedLogs": False,
        "destinationArn": subscriber,
        "distribution": "ByLogStream",
        "filterName": "test",
        "filterPattern": "[]",
        "logGroupName": GROUP,
    }
    subscribe(logs, subscriber, name="second")
    first = logs.describe_subscription_filters(logGroupName=GROUP, limit=1)
    second = logs.describe_subscription_filters(logGroupName=GROUP, nextToken=first["nextToken"])
    names = [each["filterName"] for page in (first, second) for each in page["subscriptionFilters"]]
    assert names == ["second", "test"]
    with refused("LimitExceededException", "Resource limit exceeded."):
        subscribe(logs, subscriber, name="third")


def test_filters_that_are_refused(cloud: Account, logs: Any, stream: dict[str, str], subscriber: str) -> None:
    with refused("InvalidParameterException", NOT_USABLE):
        subscribe(logs, subscriber)
    allow(cloud)
    with refused("InvalidParameterException", NOT_USABLE):
        subscribe(logs, subscriber.replace("subscriber", "nobody"))
    with refused("InvalidParameterException", NOT_USABLE):
        subscribe(logs, subscriber.replace("us-east-1", "us-west-2"))
    with refused("InvalidParameterException", "destinationArn for vendor lambda cannot be used with roleArn"):
        subscribe(logs, subscriber, roleArn="arn:aws:iam::123456789012:role/any")
    with refused(
        "InvalidParameterException",
        "PutSubscriptionFilter operation cannot work with destinationArn for vendor sqs",
    ):
        subscribe(logs, f"arn:aws:sqs:us-east-1:{cloud.account}:queue")
    with refused("InvalidParameterException"):
        subscribe(logs, "nothing")
    with refused("InvalidParameterException", "Invalid subscription filter pattern"):
        subscribe(logs, subscriber, '?"open')
    for vendor in ("kinesis", "firehose", "logs"):
        with refused("NotImplemented"):
            subscribe(logs, f"arn:aws:{vendor}:us-east-1:{cloud.account}:stream/a")
    logs.create_log_group(logGroupName="/aws/lambda/subscriber")
    with refused(
        "InvalidParameterException",
        "The log group provided is reserved for the function log group of the destination function.",
    ):
        logs.put_subscription_filter(
            logGroupName="/aws/lambda/subscriber", filterName="a", filterPattern="", destinationArn=subscriber
        )
    with refused("ResourceNotFoundException"):
        logs.delete_subscription_filter(logGroupName=GROUP, filterName="nothing")
    logs.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    with refused("InvalidOperationException"):
        logs.put_subscription_filter(logGroupName="rare", filterName="a", filterPattern="", destinationArn=subscriber)


def test_patterns_with_regular_expressions_are_counted(cloud: Account, logs: Any, stream: dict[str, str]) -> None:
    transformation = {"metricName": "a", "metricNamespace": "b", "metricValue": "1"}
    for number in range(5):
        logs.put_metric_filter(
            logGroupName=GROUP,
            filterName=str(number),
            filterPattern=f"%a{number}%",
            metricTransformations=[transformation],
        )
    with refused("LimitExceededException"):
        logs.put_metric_filter(
            logGroupName=GROUP, filterName="5", filterPattern="%b%", metricTransformations=[transformation]
        )
    assert json.dumps(logs.describe_log_groups()["logGroups"][0]["metricFilterCount"]) == "5"


def test_system_fields_choose_and_go_with_events(
    cloud: Account, logs: Any, stream: dict[str, str], subscriber: str, now_ms: Now
) -> None:
    allow(cloud)
    emitted = ["@aws.account", "@aws.region", "@source.log"]
    subscribe(logs, subscriber, fieldSelectionCriteria='(@aws.region = "us-east-1")', emitSystemFields=emitted)
    subscribe(logs, subscriber, name="elsewhere", fieldSelectionCriteria='@aws.region = "eu-west-1"')
    put(logs, now_ms(), "one")
    cloud.settle()
    [document] = received()
    assert document["subscriptionFilters"] == ["test"]
    assert document["logEvents"][0]["extractedFields"] == {
        "@aws.account": cloud.account,
        "@aws.region": "us-east-1",
        "@source.log": GROUP,
    }
    found = {
        each["filterName"]: each
        for each in logs.describe_subscription_filters(logGroupName=GROUP)["subscriptionFilters"]
    }
    assert found["test"]["emitSystemFields"] == emitted
    assert found["elsewhere"]["fieldSelectionCriteria"] == '@aws.region = "eu-west-1"'
    with refused("InvalidParameterException"):
        subscribe(logs, subscriber, emitSystemFields=["@message"])
