"""Queries of Logs Insights through the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cumulo.engines import duckdb
from cumulo.services.operations.logs import query_runs
from tests.conftest import Account
from tests.services.operations.logs.conftest import GROUP, Storage, refused

pytest.importorskip("duckdb")
Now = Callable[[], int]


def put(logs: Any, now: int, messages: list[str], stream: str = "one", group: str = GROUP) -> None:
    logs.put_log_events(
        logGroupName=group,
        logStreamName=stream,
        logEvents=[{"timestamp": now + index, "message": message} for index, message in enumerate(messages)],
    )


def rows(answer: dict[str, Any]) -> list[dict[str, str]]:
    return [{each["field"]: each["value"] for each in row} for row in answer["results"]]


class Insights:
    """Starts queries and waits for them."""

    def __init__(self, cloud: Account, logs: Any, now: int) -> None:
        self.cloud = cloud
        self.logs = logs
        self.now = now

    def start(self, text: str, **more: Any) -> str:
        more = more or {"logGroupName": GROUP}
        more.setdefault("startTime", self.now // 1000 - 3600)
        more.setdefault("endTime", self.now // 1000 + 3600)
        query_id: str = self.logs.start_query(queryString=text, **more)["queryId"]
        return query_id

    def run(self, text: str, **more: Any) -> list[dict[str, str]]:
        return rows(self.answer(text, **more))

    def answer(self, text: str, **more: Any) -> dict[str, Any]:
        query_id = self.start(text, **more)
        self.cloud.settle()
        answer: dict[str, Any] = self.logs.get_query_results(queryId=query_id)
        assert answer["status"] == "Complete"
        return answer


@pytest.fixture
def insights(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> Insights:
    return Insights(cloud, logs, now_ms())


def test_a_query_finds_events_of_blocks_and_segments(insights: Insights, logs: Any, storage: Storage) -> None:
    put(logs, insights.now - 5000, ["alpha", "beta"])
    storage.seal()
    put(logs, insights.now, ["gamma"])
    found = insights.run("fields @message | sort @timestamp")
    assert [row["@message"] for row in found] == ["alpha", "beta", "gamma"]
    assert all(row["@ptr"] for row in found)


def test_statistics_are_true(insights: Insights, logs: Any) -> None:
    put(logs, insights.now, ["one ERROR", "two", "three ERROR"])
    answer = insights.answer("filter @message like 'ERROR' | fields @message | limit 1")
    assert answer["queryLanguage"] == "CWLI"
    statistics = answer["statistics"]
    assert statistics["recordsMatched"] == 2
    assert statistics["recordsScanned"] == 3
    assert statistics["bytesScanned"] == len("one ERRORtwothree ERROR")
    assert statistics["logGroupsScanned"] == 1
    assert statistics["resultCount"] == 1


def test_matches_are_counted_before_stats(insights: Insights, logs: Any) -> None:
    put(logs, insights.now, ["a", "b", "a", "c"])
    answer = insights.answer("filter @message != 'c' | stats count(*) as n by @message | filter n > 1")
    assert rows(answer) == [{"@message": "a", "n": "2"}]
    assert answer["statistics"]["recordsMatched"] == 3


def test_the_time_range_is_seconds_and_inclusive(insights: Insights, logs: Any) -> None:
    second = insights.now // 1000 - 10
    put(logs, second * 1000 + 999, ["last of its second", "first of the next"])
    found = insights.run("fields @message", logGroupName=GROUP, startTime=second, endTime=second)
    assert [row["@message"] for row in found] == ["last of its second"]


def test_several_groups(insights: Insights, logs: Any, cloud: Account) -> None:
    logs.create_log_group(logGroupName="/other")
    logs.create_log_stream(logGroupName="/other", logStreamName="s")
    put(logs, insights.now, ["here"])
    put(logs, insights.now + 10, ["there"], "s", "/other")
    names = [GROUP, "/other"]
    expected = [f"{cloud.account}:{GROUP}", f"{cloud.account}:/other"]
    arns = [f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{name}" for name in names]
    for more in ({"logGroupNames": names}, {"logGroupIdentifiers": arns}):
        assert [row["@log"] for row in insights.run("fields @log | sort @timestamp", **more)] == expected
    answer = insights.answer("SOURCE logGroups(namePrefix: ['/ot']) | fields @message", startTime=0, endTime=1 << 40)
    assert [row["@message"] for row in rows(answer)] == ["there"]
    assert insights.run("SOURCE '/other' START=-1h END=now | stats count(*) as n", startTime=0, endTime=1) == [
        {"n": "1"}
    ]


def test_what_is_wrong_with_a_request(insights: Insights, logs: Any, cloud: Account) -> None:
    with pytest.raises(logs.exceptions.ResourceNotFoundException) as missing:
        insights.start("fields @message", logGroupName="/none")
    assert f"Log group '/none' does not exist for account ID '{cloud.account}'" in str(missing.value)
    with refused("InvalidParameterException"):
        insights.start("fields @message", logGroupName=GROUP, logGroupNames=[GROUP])
    with refused("InvalidParameterException"):
        insights.start("fields @message", startTime=0, endTime=1)
    with refused("InvalidParameterException"):
        insights.start("fields @message", logGroupName=GROUP, startTime=5, endTime=1)
    with refused("InvalidParameterException"):
        insights.start("fields @message", logGroupNames=[f"/g{index}" for index in range(51)])


def test_a_malformed_query_tells_where(insights: Insights, logs: Any) -> None:
    with pytest.raises(logs.exceptions.MalformedQueryException) as caught:
        insights.start("fields @timestamp, custom_field | count()")
    answer = caught.value.response
    assert answer["Error"]["Message"].startswith("unexpected symbol found count at line 1 and position 34")
    assert answer["queryCompileError"]["location"] == {"startCharOffset": 34, "endCharOffset": 39}


@pytest.mark.parametrize("language", ["SQL", "PPL"])
def test_other_languages_are_refused_by_name(insights: Insights, language: str) -> None:
    with refused("NotImplemented"):
        insights.start("SELECT 1", logGroupName=GROUP, queryLanguage=language)


def test_without_duckdb_the_command_that_installs_it(insights: Insights, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb, "is_here", lambda: False)
    with refused("NotImplemented", f"Logs Insights runs on DuckDB, which is not installed: {duckdb.INSTALL}"):
        insights.start("fields @message")


def test_results_come_in_pages(insights: Insights, logs: Any) -> None:
    put(logs, insights.now, [f"line {index}" for index in range(2500)])
    query_id = insights.start("fields @message | sort @timestamp", logGroupName=GROUP, limit=2300)
    insights.cloud.settle()
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        answer = logs.get_query_results(queryId=query_id, maxItems=700, **token)
        found += [row["@message"] for row in rows(answer)]
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}
    assert found == [f"line {index}" for index in range(2300)]
    with refused("InvalidParameterException"):
        logs.get_query_results(queryId=query_id, nextToken="nonsense")


def test_queries_are_described(insights: Insights, logs: Any, cloud: Account) -> None:
    put(logs, insights.now, ["x"])
    query_id = insights.start("fields @message", logGroupName=GROUP, startTime=1000, endTime=2000)
    cloud.settle()
    [query] = logs.describe_queries(logGroupName=GROUP)["queries"]
    assert query["queryId"] == query_id
    assert query["queryString"] == f'SOURCE "{GROUP}" START=1000000 END=2000999 | fields @message'
    assert query["status"] == "Complete"
    assert query["logGroupName"] == GROUP
    assert logs.describe_queries(status="Running")["queries"] == []
    assert logs.list_log_groups_for_query(queryId=query_id)["logGroupIdentifiers"] == [
        f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    ]
    with refused("ResourceNotFoundException"):
        logs.get_query_results(queryId="none")


def test_a_query_that_has_ended_cannot_be_stopped(insights: Insights, logs: Any) -> None:
    query_id = insights.start("fields @message")
    insights.cloud.settle()
    with refused("InvalidParameterException"):
        logs.stop_query(queryId=query_id)


def test_queries_are_forgotten_after_a_week(insights: Insights, logs: Any, cloud: Account, storage: Storage) -> None:
    query_id = insights.start("fields @message")
    cloud.settle()
    cloud.advance(8 * 86_400)
    cloud.running.run(query_runs.forget_queries(storage.context()))
    with refused("ResourceNotFoundException"):
        logs.get_query_results(queryId=query_id)


def test_json_fields(insights: Insights, logs: Any) -> None:
    put(logs, insights.now, [json.dumps({"user": {"id": 7}, "items": [{"n": "a"}, {"n": "b"}]}), "no json"])
    found = insights.run("fields user.id, items.1.n, @message | filter ispresent(user.id)")
    assert [(row["user.id"], row["items.1.n"]) for row in found] == [("7", "b")]
