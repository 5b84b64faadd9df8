"""Lambda's own metrics."""

import datetime
from typing import Any

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_events import send
from tests.services.compute.lambda_.test_fleet import invoke, until
from tests.services.compute.lambda_.test_invocations import Create, error_of

FAILS_SOMETIMES = "def handler(event, context):\n    return 1 // event\n"


def statistics(cloud: Account, metric: str, statistic: str = "Sum", **dimensions: str) -> list[Any]:
    """The values of a metric in the last hours."""
    now = datetime.datetime.fromtimestamp(cloud.running.clock.now(), datetime.UTC)
    answer = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - datetime.timedelta(hours=2),
        EndTime=now + datetime.timedelta(hours=1),
        Period=86_400,
        Statistics=[statistic],
    )
    return [point[statistic] for point in answer["Datapoints"]]


def test_invocations_are_counted(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": FAILS_SOMETIMES})})
    for payload in (b"1", b"1", b"0"):
        invoke(cloud, payload)
    cloud.advance(61)
    until(lambda: bool(statistics(cloud, "Invocations", FunctionName="greeter")))
    assert statistics(cloud, "Invocations", FunctionName="greeter") == [3]
    assert statistics(cloud, "Errors", FunctionName="greeter", Resource="greeter") == [1]
    assert statistics(cloud, "Errors", "SampleCount", FunctionName="greeter") == [3]
    assert statistics(cloud, "Duration", "Average", FunctionName="greeter") == [1]
    assert statistics(cloud, "ConcurrentExecutions", "Maximum") == [1]


def test_throttles_and_events_are_counted(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    send(cloud, {"n": 1})
    lambda_ = cloud.client("lambda")
    lambda_.put_function_concurrency(FunctionName="greeter", ReservedConcurrentExecutions=0)
    error_of(lambda_.invoke, FunctionName="greeter")
    send(cloud, {"n": 1})
    cloud.advance(61)
    until(lambda: bool(statistics(cloud, "Throttles", FunctionName="greeter")))
    assert statistics(cloud, "Throttles", FunctionName="greeter") == [2]
    assert statistics(cloud, "AsyncEventsReceived", FunctionName="greeter") == [2]
    assert statistics(cloud, "AsyncEventsDropped", FunctionName="greeter") == [1]
