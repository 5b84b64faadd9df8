"""PutMetricData, and what GetMetricStatistics says of it."""

import math
from typing import Any

import botocore.session
import pytest

from tests.conftest import Account
from tests.services.operations.cloudwatch.conftest import refused, statistics

HOUR, DAY = 3600, 86_400


def put(client: Any, **datum: Any) -> None:
    client.put_metric_data(Namespace="App", MetricData=[{"MetricName": "Latency", **datum}])


def test_values_of_a_minute_are_added_up(cloudwatch: Any, now: int) -> None:
    for value in range(10):
        put(cloudwatch, Value=value, Timestamp=now - 50)
    put(cloudwatch, Value=7, Timestamp=now + 5)
    assert statistics(cloudwatch, now - 60, now) == [
        {
            "Timestamp": now - 60,
            "SampleCount": 10.0,
            "Sum": 45.0,
            "Average": 4.5,
            "Minimum": 0.0,
            "Maximum": 9.0,
            "Unit": "None",
        }
    ]
    assert [point["Sum"] for point in statistics(cloudwatch, now - 60, now + 60)] == [45.0, 7.0]
    assert [point["Sum"] for point in statistics(cloudwatch, now - 60, now + 60, 120)] == [52.0]


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_every_protocol(cloud: Account, now: int, protocol: str) -> None:
    session = botocore.session.get_session()
    loader = session.get_component("data_loader")
    model = loader.load_service_model("cloudwatch", "service-2")
    model["metadata"].update(protocol=protocol, protocols=[protocol])  # a loaded model is this session's own
    client = session.create_client(
        "cloudwatch", "us-east-1", endpoint_url=cloud.url, aws_access_key_id=cloud.account, aws_secret_access_key="x"
    )
    assert client.meta.service_model.resolved_protocol == protocol
    data = [{"MetricName": "Latency", "Values": [1.5, 2.5], "Counts": [1, 3], "Unit": "Seconds", "Timestamp": now}]
    client.put_metric_data(Namespace="App", MetricData=data)
    [point] = statistics(client, now, now + 60)
    assert (point["Sum"], point["Unit"], point["Timestamp"]) == (9.0, "Seconds", now)
    with refused("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid."):
        client.put_metric_data(Namespace="AWS/X", MetricData=data)


def test_values_and_counts(cloudwatch: Any, now: int) -> None:
    put(cloudwatch, Values=[5, 10], Counts=[2, 3], Unit="Count", Timestamp=now)
    put(cloudwatch, Values=[2], Unit="Count", Timestamp=now)
    [point] = statistics(cloudwatch, now, now + 60, Statistics=["SampleCount", "Sum", "Maximum"])
    assert point == {"Timestamp": now, "SampleCount": 6.0, "Sum": 42.0, "Maximum": 10.0, "Unit": "Count"}


def test_statistic_sets_have_no_percentiles(cloudwatch: Any, now: int) -> None:
    known = {"SampleCount": 4, "Sum": 12, "Minimum": 3, "Maximum": 3}
    put(cloudwatch, StatisticValues=known, Timestamp=now)
    put(cloudwatch, StatisticValues={"SampleCount": 3, "Sum": 12, "Minimum": 1, "Maximum": 9}, Timestamp=now + 60)
    points = statistics(cloudwatch, now, now + 120, ExtendedStatistics=["p50"])
    assert [(point["Timestamp"], point["ExtendedStatistics"]) for point in points] == [(now, {"p50": 3.0})]
    assert [point["Average"] for point in statistics(cloudwatch, now, now + 120)] == [3.0, 4.0]


def test_units_are_apart(cloudwatch: Any, now: int) -> None:
    put(cloudwatch, Value=1, Unit="Seconds", Timestamp=now)
    put(cloudwatch, Value=900, Unit="Milliseconds", Timestamp=now)
    assert {point["Unit"]: point["Sum"] for point in statistics(cloudwatch, now, now + 60)} == {
        "Seconds": 1.0,
        "Milliseconds": 900.0,
    }
    assert [point["Sum"] for point in statistics(cloudwatch, now, now + 60, Unit="Seconds")] == [1.0]
    assert statistics(cloudwatch, now, now + 60, Unit="Bytes") == []


def test_dimensions_make_another_metric_in_any_order(cloudwatch: Any, now: int) -> None:
    a, b = {"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}
    put(cloudwatch, Value=1, Dimensions=[a, b], Timestamp=now)
    put(cloudwatch, Value=2, Dimensions=[b, a], Timestamp=now)
    put(cloudwatch, Value=4, Dimensions=[a], Timestamp=now)
    assert statistics(cloudwatch, now, now + 60, Dimensions=[b, a])[0]["Sum"] == 3.0
    assert statistics(cloudwatch, now, now + 60, Dimensions=[a])[0]["Sum"] == 4.0
    assert statistics(cloudwatch, now, now + 60) == []


def test_periods_begin_at_the_start(cloudwatch: Any, now: int) -> None:
    for minute in range(6):
        put(cloudwatch, Value=1, Timestamp=now - 360 + 60 * minute)
    points = statistics(cloudwatch, now - 360 + 61, now, 120)
    assert [(point["Timestamp"], point["Sum"]) for point in points] == [
        (now - 300, 2.0),
        (now - 180, 2.0),
        (now - 60, 1.0),
    ]


def test_high_resolution_is_seen_for_three_hours(cloud: Account, cloudwatch: Any, now: int) -> None:
    for second in range(4):
        put(cloudwatch, Value=second, StorageResolution=1, Timestamp=now - 30 + second * 5)
    assert [point["Sum"] for point in statistics(cloudwatch, now - 30, now, 5)] == [0.0, 1.0, 2.0, 3.0]
    assert [point["Sum"] for point in statistics(cloudwatch, now - 30, now, 10)] == [1.0, 5.0]
    assert [point["Sum"] for point in statistics(cloudwatch, now - 60, now)] == [6.0]
    cloud.advance(3 * HOUR + 120)
    assert statistics(cloudwatch, now - 30, now, 5) == []
    assert [point["Sum"] for point in statistics(cloudwatch, now - 60, now)] == [6.0]


def test_data_is_rolled_up_as_it_ages(cloud: Account, cloudwatch: Any, now: int) -> None:
    start = (now - 4 * HOUR) // HOUR * HOUR
    values = [2.0, 3.0, 5.0, 7.0, 11.0, 13.0, 17.0, 19.0, 23.0, 29.0]
    for minute, value in enumerate(values):
        put(cloudwatch, Value=value, StorageResolution=1, Timestamp=start + 60 * minute)

    def sums(period: int) -> list[float]:
        return [point["Sum"] for point in statistics(cloudwatch, start, start + HOUR, period)]

    assert (sums(60), sums(300)) == (values, [28.0, 101.0])
    cloud.advance(16 * DAY)
    assert (sums(60), sums(300), sums(3600)) == ([], [28.0, 101.0], [129.0])
    cloud.advance(50 * DAY)
    assert (sums(300), sums(3600)) == ([], [129.0])
    [median] = statistics(cloudwatch, start, start + HOUR, HOUR, ExtendedStatistics=["p50"])
    assert median["ExtendedStatistics"] == {"p50": 11.0}
    cloud.advance(400 * DAY)
    assert sums(3600) == []


def test_what_a_datum_must_be(cloudwatch: Any, now: int) -> None:
    one = "MetricData.member.1"
    with refused("MissingParameter", "The parameter MetricData is required."):
        cloudwatch.put_metric_data(Namespace="App", MetricData=[])
    with refused("MissingParameter", f"The parameter {one}.MetricName is required."):
        cloudwatch.put_metric_data(Namespace="App", MetricData=[{"Value": 1}])
    with refused("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid."):
        cloudwatch.put_metric_data(Namespace="AWS/EC2", MetricData=[{"MetricName": "x", "Value": 1}])
    with refused("InvalidParameterValue", "The collection MetricData must not have a size greater than 1000."):
        cloudwatch.put_metric_data(Namespace="App", MetricData=[{"MetricName": "x", "Value": 1}] * 1001)
    neither = f"At least one of the parameters {one}.Value and {one}.StatisticValues must be specified."
    with refused("InvalidParameterCombination", neither):
        put(cloudwatch)
    both = f"The parameters {one}.Value and {one}.StatisticValues are mutually exclusive and you have specified both."
    with refused("InvalidParameterCombination", both):
        put(cloudwatch, Value=1, StatisticValues={"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1})
    with refused("InvalidParameterValue", f"The collection {one}.Values must not have a size greater than 150."):
        put(cloudwatch, Values=list(range(151)))
    with refused(
        "InvalidParameterValue", f"The parameter {one}.Timestamp must specify a time within the past two weeks."
    ):
        put(cloudwatch, Value=1, Timestamp=now - 15 * DAY)
    with refused("InvalidParameterValue"):
        put(cloudwatch, Value=1, Timestamp=now + 3 * HOUR)
    place = f"{one}.Dimensions.member.1.Value"
    long = f"The parameter {place} must be shorter than 1025 characters."
    with refused("InvalidParameterValue", long):
        put(cloudwatch, Value=1, Dimensions=[{"Name": "a", "Value": "x" * 1025}])
    with refused("InvalidParameterValue", f"The value for parameter {place} contains non-ASCII characters."):
        put(cloudwatch, Value=1, Dimensions=[{"Name": "a", "Value": "ü"}])
    with refused("InvalidParameterValue", f"The collection {one}.Dimensions must not have a size greater than 30."):
        put(cloudwatch, Value=1, Dimensions=[{"Name": f"d{n}", "Value": "x"} for n in range(31)])
    for bad in ({"Value": math.nan}, {"Value": math.inf}, {"Value": 2.0**361}, {"Values": [1], "Counts": [1, 2]}):
        with refused("InvalidParameterValue"):
            put(cloudwatch, **bad)
    with refused("InvalidParameterValue"):
        put(cloudwatch, Value=1, StorageResolution=30)
    with refused("InvalidParameterValue"):
        put(cloudwatch, Value=1, Unit="Parsecs")
    assert cloudwatch.list_metrics(Namespace="App")["Metrics"] == []


def test_nothing_is_kept_of_a_request_with_a_fault(cloudwatch: Any, now: int) -> None:
    with refused("InvalidParameterValue"):
        cloudwatch.put_metric_data(
            Namespace="App",
            MetricData=[{"MetricName": "Latency", "Value": 1}, {"MetricName": "Latency", "Value": math.nan}],
        )
    assert statistics(cloudwatch, now, now + 120) == []


def test_what_statistics_must_be_asked_for(cloudwatch: Any, now: int) -> None:
    neither = "At least one of the parameters Statistics and ExtendedStatistics must be specified."
    with refused("InvalidParameterCombination", neither):
        cloudwatch.get_metric_statistics(
            Namespace="App", MetricName="Latency", StartTime=now, EndTime=now + 60, Period=60
        )
    with refused("InvalidParameterCombination"):
        statistics(cloudwatch, now, now + 60, Statistics=["Sum"], ExtendedStatistics=["p50"])
    with refused("InvalidParameterValue", "The parameter StartTime must not equal parameter EndTime."):
        statistics(cloudwatch, now, now)
    with refused("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."):
        statistics(cloudwatch, now + 60, now)
    with refused("InvalidParameterValue"):
        statistics(cloudwatch, now, now + 60, 59)
    with refused("InvalidParameterValue"):
        statistics(cloudwatch, now, now + 60, ExtendedStatistics=["p101"])
    text = (
        "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may reduce the datapoints "
        "requested by increasing Period, or decreasing the time range."
    )
    with refused("InvalidParameterCombination", text):
        statistics(cloudwatch, now - DAY, now, 1)
    with refused("MissingParameter", "The parameter Period is required."):
        cloudwatch.get_metric_statistics(
            Namespace="App", MetricName="Latency", StartTime=now, EndTime=now + 60, Statistics=["Sum"]
        )


def test_services_write_to_namespaces_of_aws(cloud: Account, cloudwatch: Any, now: int) -> None:
    runtime = cloud.running.cloud.runtime

    async def write() -> None:
        def inside(ctx: Any) -> None:
            request = {"Namespace": "AWS/Lambda", "MetricData": [{"MetricName": "Invocations", "Value": 1.0}]}
            ctx.call("cloudwatch", "PutMetricData", request, internal=True)
            ctx.call("cloudwatch", "PutMetricData", request, internal=True)

        await runtime.internal_context("lambda", "Test", cloud.account, "us-east-1").transact(inside)

    cloud.running.run(write())
    [point] = statistics(cloudwatch, now, now + 120, Namespace="AWS/Lambda", MetricName="Invocations")
    assert point["Sum"] == 2.0
