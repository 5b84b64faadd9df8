"""FilterLogEvents and TestMetricFilter."""

from collections.abc import Callable
from typing import Any

import pytest

from cumulo.services.operations.logs.events import filtering
from tests.services.operations.logs.conftest import Storage, refused

GROUP = "/shop/orders"
Now = Callable[[], int]


def fill(logs: Any, stream: str, *events: tuple[int, str]) -> None:
    logs.put_log_events(
        logGroupName=GROUP,
        logStreamName=stream,
        logEvents=[{"timestamp": at, "message": text} for at, text in events],
    )


def everything(logs: Any, **request: Any) -> list[str]:
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = logs.filter_log_events(logGroupName=GROUP, **request, **token)
        found += [event["message"] for event in page["events"]]
        if "nextToken" not in page:
            return found
        token = {"nextToken": page["nextToken"]}


def test_streams_are_interleaved(logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str) -> None:
    now = now_ms() - 100_000
    for name in ("two", "three"):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
    for part in range(2):
        for offset, name in enumerate(("one", "two", "three")):
            fill(
                logs, name, *[(now + each * 3 + offset, f"{name} {each}") for each in range(part * 20, part * 20 + 20)]
            )
        if part == 0:
            storage.seal()
    wanted = [f"{name} {each}" for each in range(40) for name in ("one", "two", "three")]
    assert everything(logs) == wanted
    assert everything(logs, limit=7) == wanted
    assert everything(logs, limit=7, startFromHead=False, startTime=now) == wanted[::-1]
    assert everything(logs, logStreamNames=["two"], limit=9) == [f"two {each}" for each in range(40)]
    assert everything(logs, logStreamNamePrefix="t", startTime=now + 6, endTime=now + 8) == ["two 2", "three 2"]
    assert everything(logs, filterPattern='"two 1"', limit=3) == ["two 1", *(f"two {each}" for each in range(10, 20))]
    assert everything(logs, filterPattern="?one ?three", startTime=now + 117) == ["one 39", "three 39"]
    page = logs.filter_log_events(logGroupIdentifier=GROUP, limit=1)
    assert page["searchedLogStreams"] == []
    [event] = page["events"]
    assert set(event) == {"logStreamName", "timestamp", "message", "ingestionTime", "eventId"}
    assert len(event["eventId"]) == 56


def test_pages_may_be_empty_and_go_on(
    logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtering, "READ_LINES", 10)
    monkeypatch.setattr(filtering, "MOST_LINES", 40)
    now = now_ms()
    fill(logs, "one", *[(now + each, '{"n": %d}' % each) for each in range(100)])  # noqa: UP031
    storage.seal()
    page = logs.filter_log_events(logGroupName=GROUP, filterPattern="{ $.n = 99 }")
    assert page["events"] == []
    assert "nextToken" in page
    assert everything(logs, filterPattern="{ $.n = 99 || $.n = 3 }") == ['{"n": 3}', '{"n": 99}']


def test_pages_that_are_refused(logs: Any, stream: dict[str, str]) -> None:
    for token in ("x", "kwE="):
        with refused("InvalidParameterException", "The specified nextToken is invalid."):
            logs.filter_log_events(logGroupName=GROUP, nextToken=token)
    with refused("InvalidParameterException", "Invalid filter pattern"):
        logs.filter_log_events(logGroupName=GROUP, filterPattern='"a')
    with refused("InvalidParameterException", "If a filter pattern starts with '{' it must end with '}'"):
        logs.filter_log_events(logGroupName=GROUP, filterPattern="{a")
    with refused("InvalidParameterException"):
        logs.filter_log_events(logGroupName=GROUP, logStreamNames=["one"], logStreamNamePrefix="one")
    with refused("ResourceNotFoundException", "The specified log stream does not exist."):
        logs.filter_log_events(logGroupName=GROUP, logStreamNames=["two"])
    with refused("InvalidParameterException"):
        logs.filter_log_events(logGroupName=GROUP, startTime=2, endTime=1)
    with refused("InvalidParameterException"):
        logs.filter_log_events(logGroupName=GROUP, startFromHead=False, startTime=2)
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        logs.filter_log_events(logGroupName="nothing")


def test_patterns_are_tried_out(logs: Any) -> None:
    """The example of AWS's API reference, TestMetricFilter."""
    messages = [
        '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534',
        '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 500 5324',
    ]
    answer = logs.test_metric_filter(
        filterPattern="[ip, identity, user_id, timestamp, request, status_code = 5*, size]", logEventMessages=messages
    )
    assert answer["matches"] == [
        {
            "eventNumber": 2,
            "eventMessage": messages[1],
            "extractedValues": {
                "$status_code": "500",
                "$identity": "-",
                "$request": "GET /apache_pb.gif HTTP/1.0",
                "$size": "5324",
                "$user_id": "frank",
                "$ip": "127.0.0.1",
                "$timestamp": "10/Oct/2000:13:25:15 -0700",
            },
        }
    ]
    with refused("InvalidParameterException", "Invalid metric filter pattern"):
        logs.test_metric_filter(filterPattern="{ $.a }", logEventMessages=["a"])
