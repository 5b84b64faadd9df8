"""PutLogEvents and GetLogEvents."""

from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.operations.logs.conftest import refused

DAY_MS = 86_400_000
Now = Callable[[], int]


def put(logs: Any, stream: dict[str, str], *events: tuple[int, str]) -> Any:
    return logs.put_log_events(**stream, logEvents=[{"timestamp": at, "message": text} for at, text in events])


def messages(page: Any) -> list[str]:
    return [event["message"] for event in page["events"]]


def test_what_is_put_is_read_in_the_order_of_time(logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = now_ms()
    answer = put(logs, stream, (now, "b"), (now + 1, "c"))
    assert len(answer["nextSequenceToken"]) == 56
    assert "rejectedLogEventsInfo" not in answer
    put(logs, stream, (now - 5, "a"), (now, "b2"))
    page = logs.get_log_events(**stream, startFromHead=True)
    assert messages(page) == ["a", "b", "b2", "c"]
    assert page["events"][0]["timestamp"] == now - 5
    assert now <= page["events"][0]["ingestionTime"] <= now_ms()
    assert messages(logs.get_log_events(**stream)) == ["a", "b", "b2", "c"]
    assert messages(logs.get_log_events(**stream, startTime=now, endTime=now + 1)) == ["b", "b2"]


def test_tokens_go_both_ways(logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = now_ms()
    put(logs, stream, *[(now + each, str(each)) for each in range(5)])
    first = logs.get_log_events(**stream, startFromHead=True, limit=2)
    assert messages(first) == ["0", "1"]
    second = logs.get_log_events(**stream, startFromHead=True, limit=2, nextToken=first["nextForwardToken"])
    assert messages(second) == ["2", "3"]
    back = logs.get_log_events(**stream, limit=2, nextToken=second["nextBackwardToken"])
    assert messages(back) == ["0", "1"]
    third = logs.get_log_events(**stream, startFromHead=True, nextToken=second["nextForwardToken"])
    assert messages(third) == ["4"]
    end = logs.get_log_events(**stream, startFromHead=True, nextToken=third["nextForwardToken"])
    assert messages(end) == []
    assert end["nextForwardToken"] == third["nextForwardToken"]
    put(logs, stream, (now + 9, "9"))
    assert messages(logs.get_log_events(**stream, startFromHead=True, nextToken=end["nextForwardToken"])) == ["9"]
    assert messages(logs.get_log_events(**stream, limit=2)) == ["4", "9"]


def test_events_that_are_rejected(logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = now_ms()
    info = put(
        logs,
        stream,
        (now - 15 * DAY_MS, "old"),
        (now - 14 * DAY_MS - 1000, "old"),
        (now, "fine"),
        (now + 7_300_000, "new"),
    )["rejectedLogEventsInfo"]
    assert info == {"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 3}
    assert messages(logs.get_log_events(**stream)) == ["fine"]


def test_batches_that_are_refused(logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = now_ms()
    with refused(
        "InvalidParameterException",
        "Log events in a single PutLogEvents request must be in chronological order.",
    ):
        put(logs, stream, (now, "b"), (now - 1, "a"))
    with refused(
        "InvalidParameterException",
        "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
    ):
        put(logs, stream, (now - DAY_MS - 1, "a"), (now, "b"))
    with refused("InvalidParameterException", "Upload too large: 1048600 bytes exceeds limit of 1048576"):
        put(logs, stream, (now, "a" * 524_274), (now, "a" * 524_274))
    with refused("InvalidParameterException", "Log event too large: 1048603 bytes exceeds limit of 1048576"):
        put(logs, stream, (now, "a" * 1_048_577))
    with refused("InvalidParameterException"):
        put(logs, stream)
    with refused("ResourceNotFoundException", "The specified log stream does not exist."):
        put(logs, {**stream, "logStreamName": "two"}, (now, "a"))
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        put(logs, {**stream, "logGroupName": "two"}, (now, "a"))


def test_pages_that_are_refused(logs: Any, stream: dict[str, str]) -> None:
    for token in ("x", "f/1/s", "c/" + "3" * 56 + "/s"):
        with refused("InvalidParameterException", "The specified nextToken is invalid."):
            logs.get_log_events(**stream, nextToken=token)
    with refused(
        "InvalidParameterException",
        "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: "
        "Member must have value less than or equal to 10000",
    ):
        logs.get_log_events(**stream, limit=10001)


def test_a_stream_knows_its_events(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> None:
    now = now_ms()
    token = put(logs, stream, (now, "b"), (now + 1, "c"))["nextSequenceToken"]
    [found] = logs.describe_log_streams(logGroupName=stream["logGroupName"])["logStreams"]
    assert found["firstEventTimestamp"] == now
    assert found["lastEventTimestamp"] == now + 1
    assert now <= found["lastIngestionTime"] <= now_ms()
    assert found["uploadSequenceToken"] == token
    assert found["storedBytes"] == 0
