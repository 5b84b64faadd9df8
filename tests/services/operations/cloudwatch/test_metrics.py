"""ListMetrics."""

import json
from typing import Any

from tests.conftest import Account
from tests.services.operations.cloudwatch.conftest import refused

DAY = 86_400


def names(client: Any, **wanted: Any) -> list[str]:
    return [metric["MetricName"] for metric in client.list_metrics(**wanted)["Metrics"]]


def put(client: Any, namespace: str, *metrics: str, **dimensions: str) -> None:
    pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    data = [{"MetricName": name, "Value": 1, "Dimensions": pairs} for name in metrics]
    client.put_metric_data(Namespace=namespace, MetricData=data)


def test_metrics_are_found_by_what_they_are_called(cloudwatch: Any) -> None:
    put(cloudwatch, "One", "a", "b")
    put(cloudwatch, "Two", "a", queue="x", stage="test")
    assert names(cloudwatch) == ["a", "b", "a"]
    assert names(cloudwatch, Namespace="One") == ["a", "b"]
    assert names(cloudwatch, MetricName="b") == ["b"]
    assert names(cloudwatch, Namespace="Two", MetricName="b") == []
    assert names(cloudwatch, Dimensions=[{"Name": "queue"}]) == ["a"]
    assert names(cloudwatch, Dimensions=[{"Name": "queue", "Value": "y"}]) == []
    [metric] = cloudwatch.list_metrics(Dimensions=[{"Name": "stage", "Value": "test"}])["Metrics"]
    assert metric == {
        "Namespace": "Two",
        "MetricName": "a",
        "Dimensions": [{"Name": "queue", "Value": "x"}, {"Name": "stage", "Value": "test"}],
    }


def test_pages(cloudwatch: Any) -> None:
    put(cloudwatch, "App", *(f"m{number:04}" for number in range(700)))
    first = cloudwatch.list_metrics(Namespace="App")
    rest = cloudwatch.list_metrics(Namespace="App", NextToken=first["NextToken"])
    assert len(first["Metrics"]) == 500
    assert "NextToken" not in rest
    found = [metric["MetricName"] for metric in first["Metrics"] + rest["Metrics"]]
    assert found == [f"m{number:04}" for number in range(700)]
    with refused("InvalidParameterValue", "Parameters do not match original request parameters"):
        cloudwatch.list_metrics(Namespace="Other", NextToken=first["NextToken"])
    with refused("InvalidParameterValue"):
        cloudwatch.list_metrics(NextToken="no token")


def test_metrics_that_fell_silent_are_not_listed(cloud: Account, cloudwatch: Any) -> None:
    put(cloudwatch, "App", "old", "busy")
    cloud.advance(4 * 3600)
    put(cloudwatch, "App", "busy")
    assert names(cloudwatch, RecentlyActive="PT3H") == ["busy"]
    assert names(cloudwatch) == ["busy", "old"]
    cloud.advance(14 * DAY - 3600)
    assert names(cloudwatch) == ["busy"]


def test_reading_and_writing_need_permission(cloud: Account, cloudwatch: Any) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="writer")
    key = iam.create_access_key(UserName="writer")["AccessKey"]
    statement = {
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": "App"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="writer", PolicyName="write", PolicyDocument=document)
    writer = cloud.client(
        "cloudwatch", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    put(writer, "App", "a")
    with refused("AccessDenied"):
        put(writer, "Other", "a")
    with refused("AccessDenied"):
        writer.list_metrics()
