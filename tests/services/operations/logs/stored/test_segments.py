"""Blocks become segments, and nothing about the events changes."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.engines import duckdb
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.insights import index_policies
from cumulo.services.operations.logs.stored import blocks, segment_making, segments
from tests.conftest import Account
from tests.services.operations.logs.conftest import Storage

DAY_S = 86_400
DAY_MS = DAY_S * 1000
GROUP = "/shop/orders"
Now = Callable[[], int]


def fill(logs: Any, now: int, stream: str, count: int, step: int = 10, text: str = "") -> None:
    logs.put_log_events(
        logGroupName=GROUP,
        logStreamName=stream,
        logEvents=[{"timestamp": now + each * step, "message": f"{stream} {each}{text}"} for each in range(count)],
    )


def everything(logs: Any, stream: str, **more: Any) -> list[str]:
    """All messages of a stream, page by page."""
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True, **more, **token)
        found += [event["message"] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            return found
        token = {"nextToken": page["nextForwardToken"]}


def backwards(logs: Any, stream: str, **more: Any) -> list[str]:
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, **more, **token)
        found = [event["message"] for event in page["events"]] + found
        if token.get("nextToken") == page["nextBackwardToken"]:
            return found
        token = {"nextToken": page["nextBackwardToken"]}


def test_pages_go_through_segments_and_blocks(
    logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str
) -> None:
    now = now_ms() - 3_600_000
    logs.create_log_stream(logGroupName=GROUP, logStreamName="two")
    fill(logs, now, "one", 50)
    fill(logs, now + 3, "two", 50)
    storage.seal()
    assert storage.blocks() == 0
    [segment] = storage.sealed()
    assert (segment.form, segment.lines) == (form, 100)
    assert everything(logs, "one") == [f"one {each}" for each in range(50)]
    fill(logs, now + 5, "one", 50, text="b")
    both = [text for each in range(50) for text in (f"one {each}", f"one {each}b")]
    for limit in (7, 100):
        assert everything(logs, "one", limit=limit) == both
        assert backwards(logs, "one", limit=limit) == both
    storage.seal()
    assert storage.blocks() == 0
    assert len(storage.sealed()) == (1 if form == "parquet" else 2)
    assert everything(logs, "one", limit=33) == both
    assert backwards(logs, "one", limit=33) == both
    assert everything(logs, "one", startTime=now + 100, endTime=now + 111) == ["one 10", "one 10b", "one 11"]
    [group] = logs.describe_log_groups()["logGroups"]
    assert group["storedBytes"] == sum(len(text) + 26 for text in both) + sum(len(f"two {i}") + 26 for i in range(50))


def test_overlapping_segments_keep_the_order_of_time(
    logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_making, "SMALL_BYTES", 0)
    chance = random.Random(4)
    now = now_ms() - 3_600_000
    wanted: list[tuple[int, str]] = []
    for batch in range(9):
        times = sorted(now + chance.randrange(2000) for _ in range(40))
        events = [{"timestamp": at, "message": f"{batch} {index}"} for index, at in enumerate(times)]
        logs.put_log_events(**stream, logEvents=events)
        wanted += [(at, f"{batch} {index}") for index, at in enumerate(times)]
        if batch < 8:
            storage.seal()
    assert len(storage.sealed()) == 8
    wanted.sort(key=lambda each: each[0])  # stable: of the same time, in the order in which they came
    texts = [text for _, text in wanted]
    for limit in (70, 360):
        assert everything(logs, "one", limit=limit) == texts
        assert backwards(logs, "one", limit=limit) == texts


def test_pages_are_cut_at_one_megabyte(
    logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str
) -> None:
    now = now_ms() - 3_600_000
    for part in range(4):
        fill(logs, now + part, "one", 8, step=4, text=str(part) + "x" * 100_000)
        if part == 1:
            storage.seal()
    found = everything(logs, "one")
    assert [text.rstrip("x") for text in found] == [f"one {each}{part}" for each in range(8) for part in range(4)]
    page = logs.get_log_events(**stream, startFromHead=True)
    assert len(page["events"]) == 10


def test_deleted_streams_stay_gone(logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str) -> None:
    now = now_ms()
    fill(logs, now, "one", 5)
    storage.seal()
    fill(logs, now, "one", 5)
    logs.delete_log_stream(**stream)
    storage.cloud.settle()
    assert storage.blocks() == 0
    logs.create_log_stream(**stream)
    assert everything(logs, "one") == []
    fill(logs, now, "one", 2)
    found = storage.sources()
    assert [line.message for line in found.tail] == ["one 0", "one 1"]
    assert "NOT IN" in found.where
    found.release()
    storage.seal()
    assert everything(logs, "one") == ["one 0", "one 1"]


def test_expired_events_go_with_their_files(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str
) -> None:
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    fill(logs, now_ms(), "one", 5)
    storage.seal()
    [segment] = storage.sealed()
    assert storage.is_there(segment)
    cloud.advance(2 * DAY_S)
    fill(logs, now_ms(), "one", 5, text="b")
    cloud.advance(DAY_S + 60)
    assert everything(logs, "one") == [f"one {each}b" for each in range(5)]
    storage.go_round()
    assert not storage.is_there(segment)
    cloud.advance(3 * DAY_S)
    storage.go_round()
    assert storage.sealed() == []
    assert storage.blocks() == 0
    assert logs.describe_log_groups()["logGroups"][0]["storedBytes"] == 0


def test_a_deleted_group_leaves_nothing(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str
) -> None:
    fill(logs, now_ms(), "one", 5)
    storage.seal()
    fill(logs, now_ms(), "one", 5)
    logs.put_index_policy(logGroupIdentifier=GROUP, policyDocument='{"Fields": ["id"]}')
    group = storage.group()
    [segment] = storage.sealed()
    logs.delete_log_group(logGroupName=GROUP)
    cloud.settle()
    left = storage.transact(
        lambda ctx: (segments.SEGMENTS.range(ctx, group.id), blocks.of_group(ctx, group), groups.by_id(ctx, group.id))
    )
    assert left == ([], [], None)
    assert storage.transact(lambda ctx: index_policies.INDEX_POLICIES.peek(ctx, group.id)) is None
    assert not storage.is_there(segment)
    logs.create_log_group(logGroupName=GROUP)
    assert logs.describe_log_streams(logGroupName=GROUP)["logStreams"] == []


def test_segments_are_made_of_what_is_an_hour_old(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage
) -> None:
    fill(logs, now_ms(), "one", 5)
    for _ in range(20):  # the round goes through the groups of all tests before this one
        cloud.advance(3700)
        if not storage.blocks():
            break
    assert storage.blocks() == 0
    assert len(storage.sealed()) == 1


def test_segments_are_made_of_what_has_gathered(
    cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_making, "GATHERED_BLOCKS", 10)
    for _ in range(10):
        fill(logs, now_ms(), "one", 5)
        cloud.advance(0.001)
    cloud.settle()
    assert storage.blocks() == 0


def test_sources_for_queries(
    logs: Any, stream: dict[str, str], now_ms: Now, storage: Storage, form: str, tmp_path: Any
) -> None:
    now = now_ms()
    fill(logs, now, "one", 5)
    storage.seal()
    fill(logs, now, "one", 2, text="\u0000ü'")
    if form == "packed":
        pytest.importorskip("duckdb")
    found = storage.sources(now, now + 30)
    session = duckdb.Session(tmp_path, [path.parent for path in found.files])
    session.execute(
        f"SELECT ts, message, stream, {segments.POINTER} FROM read_parquet({[str(path) for path in found.files]}) "
        f"WHERE {found.where} ORDER BY ts"
    )
    rows = session.fetch(100)
    session.close()
    assert [row[:3] for row in rows] == [(now + each * 10, f"one {each}", "one") for each in range(3)]
    assert rows[0][3].startswith(f"{now}-")
    assert [line.message for line in found.tail] == ["one 0\u0000ü'", "one 1\u0000ü'"]
    found.release()
