"""Single events with all their fields, and the fields of groups."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.operations.logs.conftest import GROUP, Storage, refused
from tests.services.operations.logs.insights.test_queries import Insights, Now, put

pytest.importorskip("duckdb")
REPORT = (
    "REPORT RequestId: 8f507cfc-8bc7-4bc5-9f3a-1f7c2c5f7a11\tDuration: 3.49 ms\tBilled Duration: 4 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 120.11 ms\t\n"
)


@pytest.fixture
def insights(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> Insights:
    return Insights(cloud, logs, now_ms())


@pytest.mark.parametrize("sealed", [False, True])
def test_a_pointer_gives_the_whole_event(insights: Insights, logs: Any, storage: Storage, sealed: bool) -> None:
    message = json.dumps({"user": {"id": 7, "tags": ["a", "b"]}, "ok": True, "@type": "x", "none": None})
    put(logs, insights.now, ["other", message])
    if sealed:
        storage.seal()
    [row] = insights.run("filter user.id = 7 | fields user.id")
    record = logs.get_log_record(logRecordPointer=row["@ptr"])["logRecord"]
    assert record["@message"] == message
    assert record["@ptr"] == row["@ptr"]
    assert record["@logStream"] == "one"
    assert record["@log"] == f"{insights.cloud.account}:{GROUP}"
    assert record["@timestamp"] == str(insights.now + 1)
    assert {name: record[name] for name in ("user.id", "user.tags.0", "user.tags.1", "ok", "@@type")} == {
        "user.id": "7",
        "user.tags.0": "a",
        "user.tags.1": "b",
        "ok": "true",
        "@@type": "x",
    }
    assert "none" not in record


def test_pointers_that_point_nowhere(insights: Insights, logs: Any, cloud: Account) -> None:
    put(logs, insights.now, ["x"])
    [row] = insights.run("fields @message")
    with refused("InvalidParameterException"):
        logs.get_log_record(logRecordPointer="nonsense")
    with refused("ResourceNotFoundException"):
        cloud.another().client("logs").get_log_record(logRecordPointer=row["@ptr"])
    logs.delete_log_group(logGroupName=GROUP)
    with refused("ResourceNotFoundException"):
        logs.get_log_record(logRecordPointer=row["@ptr"])


def test_fields_of_lambda_lines(insights: Insights, logs: Any) -> None:
    name = "/aws/lambda/thumbnails"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    put(logs, insights.now, [REPORT, 'INFO found {"key": "a.png", "size": {"w": 5}} in bucket'], "s", name)
    query = "fields @type, @duration, @billedDuration, @memorySize, @maxMemoryUsed, @initDuration, @requestId, size.w"
    [line, report] = insights.run(query, logGroupName=name)
    assert line["size.w"] == "5"
    del report["@ptr"]
    assert report == {
        "@type": "REPORT",
        "@duration": "3.49",
        "@billedDuration": "4.0",
        "@memorySize": "1.28E8",
        "@maxMemoryUsed": "3.6E7",
        "@initDuration": "120.11",
        "@requestId": "8f507cfc-8bc7-4bc5-9f3a-1f7c2c5f7a11",
    }
    record = logs.get_log_record(logRecordPointer=insights.run("filter @type = 'REPORT'", logGroupName=name)[0]["@ptr"])
    assert report.items() <= record["logRecord"].items()


def test_fields_of_a_group_by_how_often_they_are(insights: Insights, logs: Any) -> None:
    put(logs, insights.now - 60_000, [json.dumps({"level": "INFO"}), json.dumps({"level": "INFO", "code": 5}), "text"])
    found = logs.get_log_group_fields(logGroupName=GROUP)["logGroupFields"]
    assert {field["name"]: field["percent"] for field in found} == {
        "@ingestionTime": 100,
        "@log": 100,
        "@logStream": 100,
        "@message": 100,
        "@timestamp": 100,
        "level": 67,
        "code": 33,
    }
    assert [field["percent"] for field in found] == sorted((field["percent"] for field in found), reverse=True)
    assert logs.get_log_group_fields(logGroupIdentifier=GROUP, time=5)["logGroupFields"] == []
    with refused("InvalidParameterException"):
        logs.get_log_group_fields(logGroupName=GROUP, logGroupIdentifier=GROUP)
