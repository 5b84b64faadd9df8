"""The embedded metric format: what becomes of messages, and what CloudWatch is told of those that are wrong."""

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.operations.cloudwatch.test_service_metrics import Told
from tests.services.operations.logs.filters.test_metric_filters import Now, minute, put, statistics

GROUP = "/shop/orders"


def message(now: int, metrics: list[Any], sets: Any = None, namespace: Any = "Shop", **members: Any) -> str:
    """A message of one directive."""
    sets = [["service"]] if sets is None else sets
    directive = {"Namespace": namespace, "Dimensions": sets, "Metrics": metrics}
    return json.dumps({"_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}, "service": "orders", **members})


def test_metrics_are_taken_from_messages(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = minute(now_ms)
    metrics = [{"Name": "Time", "Unit": "Milliseconds"}, {"Name": "Many", "StorageResolution": 1}]
    sets = [["service"], ["service", "stage"], []]
    document = message(now, metrics, sets, stage="prod", Time=12, Many=[1, 2, 3], requestId="x")
    put(logs, now, document)
    assert statistics(cloud, now, "Sum", name="Time", unit="Milliseconds", service="orders") == [[12.0]]
    assert statistics(cloud, now, "Sum", name="Time", service="orders", stage="prod") == [[12.0]]
    assert statistics(cloud, now, "Sum", name="Time") == [[12.0]]
    assert statistics(cloud, now, "Sum", "SampleCount", name="Many", service="orders") == [[6.0, 3.0]]
    logs.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    logs.create_log_stream(logGroupName="rare", logStreamName="one")
    event = {"timestamp": now, "message": document}
    logs.put_log_events(logGroupName="rare", logStreamName="one", logEvents=[event])
    assert statistics(cloud, now, "Sum", name="Time", service="orders") == [[12.0]]


def test_metrics_of_node_functions_are_taken(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    """Console.log puts time, request and level before what AWS's library for Node.js, and middy with it, writes."""
    now = minute(now_ms)
    document = message(now, [{"Name": "Time"}], Time=12)
    for prefix in (
        "2026-11-23T08:42:36.310Z\tbcb579f3-a405-41ce-965c-6b9f8cc322d2\tINFO\t",
        "2026-11-23T08:42:36.310Z\tundefined\tERROR\t\n",
    ):
        put(logs, now, f"{prefix}{document}\n")
    assert statistics(cloud, now, "Sum", name="Time", service="orders") == [[24.0]]
    put(logs, now, f"sent: {document}", f"2026-11-23T08:42:36.310Z\tx\tINFO\tsent: {document}")
    assert statistics(cloud, now, "Sum", name="Time", service="orders") == [[24.0]]


def test_summaries_and_histograms(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = minute(now_ms)
    summary = {"Max": 9, "Min": 1, "Count": 4, "Sum": 20}
    histogram = {"Values": [1.5, 2.5], "Counts": [2, 1], **summary}
    put(logs, now, message(now, [{"Name": "S"}, {"Name": "H"}], S=summary, H=histogram))
    wanted = ("Minimum", "Maximum", "Sum", "SampleCount")
    assert statistics(cloud, now, *wanted, name="S", service="orders") == [[1.0, 9.0, 20.0, 4.0]]
    assert statistics(cloud, now, *wanted, name="H", service="orders") == [[1.5, 2.5, 5.5, 3.0]]


def errors(cloud: Account, logs: Any, now: int, *messages: str) -> tuple[float, float]:
    """How many parsing and validation errors CloudWatch is told of these messages."""
    told = Told(cloud, "AWS/Logs")
    put(logs, now, *messages)
    cloud.settle()
    told.wait()
    return tuple(told.sums(name, LogGroupName=GROUP)[0] for name in ("EMFParsingErrors", "EMFValidationErrors"))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "metadata",
    [
        {"CloudWatchMetrics": 1, "Timestamp": 5},
        {"CloudWatchMetrics": []},
        {"CloudWatchMetrics": [], "Timestamp": "5"},
        {"CloudWatchMetrics": [], "Timestamp": True},
        {"CloudWatchMetrics": [1], "Timestamp": 5},
        {"CloudWatchMetrics": [{"Namespace": 1, "Dimensions": [[]], "Metrics": []}], "Timestamp": 5},
        {"CloudWatchMetrics": [{"Namespace": "N", "Metrics": []}], "Timestamp": 5},
        {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [], "Metrics": []}], "Timestamp": 5},
        {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": ["a"], "Metrics": []}], "Timestamp": 5},
        {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [[1]], "Metrics": []}], "Timestamp": 5},
        {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [[]], "Metrics": ["m"]}], "Timestamp": 5},
        {"CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [[]], "Metrics": [{}]}], "Timestamp": 5},
        {
            "CloudWatchMetrics": [{"Namespace": "N", "Dimensions": [[]], "Metrics": [{"Name": "m", "Unit": 1}]}],
            "Timestamp": 5,
        },
    ],
)
def test_what_is_not_of_the_format(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, metadata: dict[str, Any]
) -> None:
    assert errors(cloud, logs, now_ms(), json.dumps({"_aws": metadata, "m": 1}, indent=1)) == (1.0, 0.0)


@pytest.mark.parametrize("text", ['"CloudWatchMetrics"', '{"CloudWatchMetrics": 1}', '["CloudWatchMetrics"]'])
def test_what_only_mentions_the_format(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, text: str
) -> None:
    assert errors(cloud, logs, now_ms(), text) == (0.0, 0.0)


ONE = {"Name": "Time"}


@pytest.mark.parametrize(
    ("parts", "members", "count"),
    [
        ({"metrics": [{"Name": "Gone"}, ONE]}, {}, 1),
        ({"metrics": [ONE]}, {"Time": "fast"}, 1),
        ({"metrics": [ONE]}, {"Time": True}, 1),
        ({"metrics": [ONE]}, {"Time": []}, 1),
        ({"metrics": [ONE]}, {"Time": [1] * 101}, 1),
        ({"metrics": [ONE]}, {"Time": {"Values": [1], "Counts": []}}, 1),
        ({"metrics": [ONE]}, {"Time": {"Sum": 1}}, 1),
        ({"metrics": [ONE]}, {"Time": 1e200}, 1),
        ({"metrics": [{"Name": "Time", "Unit": "Furlongs"}]}, {}, 1),
        ({"metrics": [{"Name": "Time", "StorageResolution": 30}]}, {}, 1),
        ({"metrics": [ONE], "sets": [["gone"], ["service"]]}, {}, 1),
        ({"metrics": [ONE], "sets": [["number"]]}, {"number": 5}, 1),
        ({"metrics": [ONE], "sets": [["long"]]}, {"long": "x" * 1025}, 1),
        ({"metrics": [ONE], "sets": [["umlaut"]]}, {"umlaut": "ü"}, 1),
        ({"metrics": [ONE], "sets": [[f"d{each}" for each in range(31)]]}, {f"d{each}": "x" for each in range(31)}, 1),
        ({"metrics": [ONE, ONE], "namespace": "AWS/Shop"}, {}, 1),
        ({"metrics": [ONE, ONE], "namespace": ""}, {}, 1),
        ({"metrics": [ONE, ONE], "namespace": ":Shop"}, {}, 2),
        ({"metrics": [ONE] * 101}, {}, 1),
    ],
)
def test_definitions_that_break_the_rules(
    cloud: Account,
    logs: Any,
    stream: dict[str, str],
    now_ms: Now,
    parts: dict[str, Any],
    members: dict[str, Any],
    count: int,
) -> None:
    now = minute(now_ms)
    wrong = message(now, **parts, **{"Time": 1, **members})
    right = message(now, [{"Name": "Right"}], Right=4)
    assert errors(cloud, logs, now, wrong, right) == (0.0, float(count))
    assert statistics(cloud, now, "Sum", name="Right", service="orders") == [[4.0]]


def test_times_that_cloudwatch_does_not_take(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = now_ms()
    old, new = (message(now + hours * 3_600_000, [ONE], Time=1) for hours in (-15 * 24, 3))
    assert errors(cloud, logs, now, old, new) == (0.0, 2.0)


def test_one_bad_value_leaves_the_others(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = minute(now_ms)
    messages = [message(now, [ONE], Time=1e300 if each in (3, 17) else 1) for each in range(30)]
    assert errors(cloud, logs, now, *messages) == (0.0, 2.0)
    assert statistics(cloud, now, "Sum", name="Time", service="orders") == [[28.0]]


def test_what_comes_is_counted(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    told = Told(cloud, "AWS/Logs")
    put(logs, now_ms(), "one", "zwölf")
    put(logs, now_ms(), "three")
    told.wait()
    size = len("onezwölfthree".encode()) + 3 * 26
    for where in ({}, {"LogGroupName": GROUP}):
        assert told.sums("IncomingLogEvents", **where) == (3.0, 2.0)
        assert told.sums("IncomingBytes", **where) == (float(size), 2.0)
