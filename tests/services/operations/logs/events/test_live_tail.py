"""StartLiveTail: what is seen as it comes."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import EventStreamError

from cumulo.services.operations.logs.events import live_tail
from tests.conftest import Account
from tests.services.operations.logs.conftest import refused

pytestmark = pytest.mark.usefixtures("still")

GROUP = "/shop/orders"
Now = Callable[[], int]
Begin = Callable[..., "Session"]


@pytest.fixture
def tails(cloud: Account) -> Any:
    """A client that asks for the stream where everything else is, too."""
    return cloud.client("logs", config=Config(inject_host_prefix=False))


class Session:
    """Takes the events of a session in a thread, as time goes on."""

    def __init__(self, cloud: Account, tails: Any, **request: Any) -> None:
        self.cloud = cloud
        arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
        request.setdefault("logGroupIdentifiers", [arn])
        self.stream = tails.start_live_tail(**request)["responseStream"]
        self.events: Iterator[Any] = iter(self.stream)

    def next(self) -> Any:
        """The next event, which a second of the cloud's time brings."""
        found: list[Any] = []
        waiting = threading.Thread(target=lambda: found.append(next(self.events)), daemon=True)
        waiting.start()
        for _ in range(200):
            waiting.join(0.02)
            if not waiting.is_alive():
                return found[0]
            self.cloud.advance(0.3)
        raise AssertionError("nothing came")

    def messages(self) -> list[str]:
        """Messages of the next update that has some."""
        for _ in range(10):
            results = self.next()["sessionUpdate"]["sessionResults"]
            if results:
                return [result["message"] for result in results]
        return []


@pytest.fixture
def begin(cloud: Account, tails: Any) -> Iterator[Callable[..., Session]]:
    """Begins sessions; all are closed at the end."""
    sessions: list[Session] = []

    def begin(**request: Any) -> Session:
        sessions.append(Session(cloud, tails, **request))
        return sessions[-1]

    yield begin
    for session in sessions:
        session.stream.close()


def put(logs: Any, now: int, *messages: str, stream: str = "one") -> None:
    events = [{"timestamp": now + index, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=events)


def test_what_comes_is_seen(cloud: Account, logs: Any, begin: Begin, stream: dict[str, str], now_ms: Now) -> None:
    put(logs, now_ms(), "before")
    session = begin(logEventFilterPattern="ERROR")
    start = session.next()["sessionStart"]
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    assert start["logGroupIdentifiers"] == [arn]
    assert start["logEventFilterPattern"] == "ERROR"
    assert start["sessionId"] and start["requestId"]
    assert session.next()["sessionUpdate"] == {"sessionMetadata": {"sampled": False}, "sessionResults": []}
    now = now_ms()
    put(logs, now, "ERROR one", "fine", "ERROR two")
    for _ in range(10):
        update = session.next()["sessionUpdate"]
        if update["sessionResults"]:
            break
    first = update["sessionResults"][0]
    assert first.pop("ingestionTime") >= now
    assert first == {
        "logStreamName": "one",
        "logGroupIdentifier": arn,
        "message": "ERROR one",
        "timestamp": now,
    }
    assert [each["message"] for each in update["sessionResults"]] == ["ERROR one", "ERROR two"]
    logs.create_log_stream(logGroupName=GROUP, logStreamName="two")
    put(logs, now_ms(), "ERROR three", stream="two")
    assert session.messages() == ["ERROR three"]


def test_some_streams_are_seen(cloud: Account, logs: Any, begin: Begin, stream: dict[str, str], now_ms: Now) -> None:
    logs.create_log_stream(logGroupName=GROUP, logStreamName="other")
    by_name = begin(logStreamNames=["other"])
    by_prefix = begin(logStreamNamePrefixes=["on"])
    by_name.next()
    by_prefix.next()
    put(logs, now_ms(), "a")
    put(logs, now_ms(), "b", stream="other")
    assert by_name.messages() == ["b"]
    assert by_prefix.messages() == ["a"]


def test_too_much_is_sampled(cloud: Account, logs: Any, begin: Begin, stream: dict[str, str], now_ms: Now) -> None:
    session = begin()
    session.next()
    put(logs, now_ms(), *map(str, range(1200)))
    for _ in range(10):
        update = session.next()["sessionUpdate"]
        if update["sessionResults"]:
            break
    assert update["sessionMetadata"]["sampled"] is True
    numbers = [int(each["message"]) for each in update["sessionResults"]]
    assert len(numbers) == 500
    assert numbers == sorted(set(numbers))


def test_sessions_end_after_three_hours(cloud: Account, begin: Begin, stream: dict[str, str]) -> None:
    session = begin()
    session.next()
    session.next()
    cloud.advance(3 * 3600)
    with pytest.raises(EventStreamError, match="SessionTimeoutException"):
        for event in session.events:
            assert "sessionUpdate" in event


def test_sessions_that_are_refused(
    cloud: Account, logs: Any, begin: Begin, stream: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:"
    logs.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    for code, request in (
        ("InvalidParameterException", {"logGroupIdentifiers": [GROUP]}),
        ("InvalidParameterException", {"logGroupIdentifiers": [f"{arn}{GROUP}:*"]}),
        ("InvalidParameterException", {"logStreamNames": ["a"], "logStreamNamePrefixes": ["a"]}),
        ("InvalidParameterException", {"logGroupIdentifiers": [arn + GROUP, arn + "rare"], "logStreamNames": ["a"]}),
        ("InvalidParameterException", {"logEventFilterPattern": "{"}),
        ("InvalidOperationException", {"logGroupIdentifiers": [arn + "rare"]}),
        ("ResourceNotFoundException", {"logGroupIdentifiers": [arn + "nothing"]}),
    ):
        with refused(code):
            begin(**request)
    monkeypatch.setattr(live_tail, "MOST_SESSIONS", 0)
    with refused("LimitExceededException"):
        begin()
