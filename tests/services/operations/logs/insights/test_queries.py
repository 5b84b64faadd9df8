"""Queries of Logs Insights through the API."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines import duckdb
from cumulo.engines.duckdb import QueryFailed
from cumulo.services.operations.logs.insights import query_runs, query_sources
from cumulo.services.operations.logs.query import execution
from tests.conftest import Account, RunningCloud
from tests.services.operations.logs.conftest import GROUP, Storage, a_user, refused
from tests.services.operations.logs.protection.test_data_protection import policy

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


@pytest.mark.parametrize(
    ("text", "matched"),
    [
        ("filter @message != 'c'", 3),
        ("filter @message != 'c' | limit 2", 3),
        ("filter @message != 'c' | limit 50 | sort @message", 3),
        ("limit 2 | filter @message = 'a'", 4),
        ("filter @message != 'c' | dedup @message", 3),
        ("fields @message", 4),
        ("parse @message /(?<l>[a-z])/ multi | filter l = 'a'", 2),
    ],
)
def test_matches_are_counted_whatever_is_shown(insights: Insights, logs: Any, text: str, matched: int) -> None:
    put(logs, insights.now, ["a", "b", "a", "c"])
    assert insights.answer(text)["statistics"]["recordsMatched"] == matched


def test_the_time_range_is_seconds_and_inclusive(insights: Insights, logs: Any) -> None:
    insights.cloud.advance(60)
    second = insights.now // 1000 + 10
    put(logs, second * 1000 + 999, ["last of its second", "first of the next"])
    found = insights.run("fields @message", logGroupName=GROUP, startTime=second, endTime=second)
    assert [row["@message"] for row in found] == ["last of its second"]


def test_a_time_range_that_ends_before_all_events_is_refused(insights: Insights, logs: Any, cloud: Account) -> None:
    """Before the creation of the group, or of the oldest of several, and before what is retained."""
    cloud.advance(600)
    logs.create_log_group(logGroupName="/younger")
    created = insights.now // 1000
    names = {"logGroupNames": [GROUP, "/younger"]}
    for request in (
        {"logGroupName": "/younger", "startTime": 0, "endTime": created + 300},
        {"logGroupName": GROUP, "startTime": 0, "endTime": created - 300},
        {**names, "startTime": 0, "endTime": created - 300},
    ):
        with pytest.raises(logs.exceptions.MalformedQueryException) as caught:
            logs.start_query(queryString="limit 1", **request)
        assert caught.value.response["Error"]["Message"].startswith(
            "Query's end date and time is either before the log groups creation time or exceeds the log groups log "
            "retention settings ([0,7])"
        )
        location = caught.value.response["queryCompileError"]["location"]
        assert location == {"startCharOffset": 0, "endCharOffset": 7}
    insights.answer("limit 1", startTime=0, endTime=created + 300, **names)
    cloud.advance(2 * 86_400)
    insights.answer("limit 1", startTime=0, endTime=created + 300, logGroupName=GROUP)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    with refused("MalformedQueryException"):
        logs.start_query(queryString="limit 1", startTime=0, endTime=created + 300, logGroupName=GROUP)


def test_a_time_range_may_be_milliseconds(insights: Insights, logs: Any) -> None:
    put(logs, insights.now, ["early", "here", "late"])
    times = {"startTime": insights.now + 1, "endTime": insights.now + 1}
    assert [row["@message"] for row in insights.run("fields @message", logGroupName=GROUP, **times)] == ["here"]
    times = {"startTime": insights.now + 3, "endTime": 1 << 62}
    assert insights.run("fields @message", logGroupName=GROUP, **times) == []


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
    answer = insights.answer("SOURCE logGroups(namePrefix: ['/ot']) | fields @message", startTime=0, endTime=1 << 37)
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
    end = insights.now // 1000 + 60
    query_id = insights.start("fields @message", logGroupName=GROUP, startTime=1000, endTime=end)
    cloud.settle()
    [query] = logs.describe_queries(logGroupName=GROUP)["queries"]
    assert query["queryId"] == query_id
    assert query["queryString"] == f'SOURCE "{GROUP}" START=1000000 END={end}999 | fields @message'
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


MAIL = "ann@example.com wrote"
MASKED = "*************** wrote"


@pytest.mark.parametrize("sealed", [False, True])
def test_queries_see_masks_unless_they_may_not(insights: Insights, logs: Any, storage: Storage, sealed: bool) -> None:
    put(logs, insights.now - 5000, ["early@example.com wrote"])
    insights.cloud.advance(1)
    logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=policy("EmailAddress"))
    insights.cloud.advance(1)
    put(logs, insights.now, [MAIL])
    if sealed:
        storage.seal()
    found = insights.run("fields @message | sort @timestamp")
    assert [row["@message"] for row in found] == ["early@example.com wrote", MASKED]
    assert insights.run("filter @message like 'ann' | stats count(*) as n") == []
    assert logs.get_log_record(logRecordPointer=found[1]["@ptr"])["logRecord"]["@message"] == MASKED
    assert logs.get_log_record(logRecordPointer=found[1]["@ptr"], unmask=True)["logRecord"]["@message"] == MAIL
    assert insights.run("filter @message like 'ann' | unmask @message")[0]["@message"] == MAIL


def test_unmask_needs_its_permission(insights: Insights, cloud: Account) -> None:
    user = a_user(cloud, "logs:StartQuery", "logs:GetQueryResults")
    insights.logs = user
    with refused("AccessDeniedException"):
        insights.run("unmask @message")
    assert insights.run("fields @message") == []


def test_queries_are_allowed_by_group(insights: Insights, logs: Any, cloud: Account) -> None:
    logs.create_log_group(logGroupName="/other")
    query_id = insights.start("fields @message", logGroupName="/other")
    cloud.settle()
    group = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}:*"
    insights.logs = user = a_user(cloud, "logs:StartQuery", "logs:GetQueryResults", resource=group)
    assert insights.run("fields @message") == []
    with refused("AccessDeniedException"):
        insights.start("fields @message", logGroupName="/other")
    with refused("AccessDeniedException"):
        insights.start("SOURCE '/other' | fields @message", startTime=0, endTime=1)
    with refused("AccessDeniedException"):
        insights.start("filter @message in (SOURCE '/other' | fields @message)")
    with refused("AccessDeniedException"):
        user.get_query_results(queryId=query_id)


def test_a_running_query_is_stopped(insights: Insights, logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, entered = threading.Event(), threading.Event()

    def run(self: execution.Execution) -> execution.Outcome:
        entered.set()
        gate.wait(10)
        raise QueryFailed("other", "interrupted") if self.stopped else AssertionError("was not stopped")

    stop = execution.Execution.stop

    def stopping(self: execution.Execution) -> None:
        stop(self)
        gate.set()

    monkeypatch.setattr(execution.Execution, "run", run)
    monkeypatch.setattr(execution.Execution, "stop", stopping)
    query_id = insights.start("fields @message")
    assert entered.wait(10)
    assert logs.get_query_results(queryId=query_id)["status"] == "Running"
    assert logs.stop_query(queryId=query_id)["success"]
    insights.cloud.settle()
    assert gate.is_set()
    assert logs.get_query_results(queryId=query_id)["status"] == "Cancelled"


def test_a_query_times_out_after_an_hour(insights: Insights, logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, entered = threading.Event(), threading.Event()

    def run(self: execution.Execution) -> execution.Outcome:
        entered.set()
        gate.wait(10)
        raise QueryFailed("other", "interrupted")

    monkeypatch.setattr(execution.Execution, "run", run)
    monkeypatch.setattr(execution.Execution, "stop", lambda self: gate.set())
    query_id = insights.start("fields @message")
    assert entered.wait(10)
    assert logs.get_query_results(queryId=query_id)["status"] == "Running"
    started = asyncio.run_coroutine_threadsafe(_jump(insights.cloud, 3601), insights.cloud.running.loop)
    started.result(10)
    insights.cloud.settle()
    assert logs.get_query_results(queryId=query_id)["status"] == "Timeout"


async def _jump(cloud: Account, seconds: float) -> None:
    cloud.running.clock.advance(seconds)


class Gone(BaseException):
    """The end of a process."""


def test_what_goes_wrong_ends_a_query(insights: Insights, logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: execution.Execution) -> execution.Outcome:
        raise RuntimeError("nobody thought of it")

    monkeypatch.setattr(execution.Execution, "run", run)
    query_id = insights.start("fields @message")
    insights.cloud.settle()
    answer = logs.get_query_results(queryId=query_id)
    assert (answer["status"], answer["results"]) == ("Failed", [])


def test_a_query_that_a_crash_interrupts_runs_again(
    start_cloud: Callable[..., RunningCloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / "data"
    first = Account(start_cloud(data_dir), "111111111111")
    logs = first.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="one")
    now = int(first.running.clock.now() * 1000)
    put(logs, now, ["still here"])
    gate, entered = threading.Event(), threading.Event()

    def wait(self: execution.Execution) -> execution.Outcome:
        entered.set()
        gate.wait(10)
        raise Gone

    with monkeypatch.context() as patched:
        patched.setattr(execution.Execution, "run", wait)
        query_id = Insights(first, logs, now).start("fields @message")
        assert entered.wait(10)
        assert logs.get_query_results(queryId=query_id)["status"] == "Running"
        gate.set()
        first.running.stop()
    second = Account(start_cloud(data_dir), "111111111111")
    second.advance(120)
    answer = second.client("logs").get_query_results(queryId=query_id)
    assert answer["status"] == "Complete"
    assert rows(answer)[0]["@message"] == "still here"


def test_results_of_sealed_groups_are_sealed(insights: Insights, logs: Any, cloud: Account) -> None:
    kms = cloud.client("kms")
    key = kms.create_key(Policy=json.dumps(KEY_POLICY).replace("ACCOUNT", cloud.account))["KeyMetadata"]
    logs.create_log_group(logGroupName="/sealed", kmsKeyId=key["Arn"])
    logs.create_log_stream(logGroupName="/sealed", logStreamName="s")
    secret = "a very secret line"
    put(logs, insights.now, [secret], "s", "/sealed")
    found = insights.run("fields @message", logGroupName="/sealed")
    assert [row["@message"] for row in found] == [secret]
    files = [path for path in cloud.data_dir.rglob("*") if path.is_file()]
    assert not [path for path in files if secret.encode() in path.read_bytes()]


KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::ACCOUNT:root"}, "Action": "kms:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
            "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            "Resource": "*",
        },
    ],
}


def test_statistics_count_what_lies_in_segments(insights: Insights, logs: Any, storage: Storage) -> None:
    put(logs, insights.now, ["é" * 5, "plain", "late"])
    storage.seal()
    put(logs, insights.now + 1000, ["tail"])
    statistics = insights.answer("filter @message = 'plain'")["statistics"]
    assert (statistics["recordsScanned"], statistics["recordsMatched"]) == (4, 1)
    assert statistics["bytesScanned"] == 10 + len("plainlatetail")
    logs.delete_log_stream(logGroupName=GROUP, logStreamName="one")
    assert insights.answer("filter @message = 'plain'")["statistics"]["recordsScanned"] == 0


def test_segments_beyond_the_time_are_not_counted(insights: Insights, logs: Any, storage: Storage) -> None:
    put(logs, insights.now - 7200_000, ["old"])
    put(logs, insights.now, ["new"])
    storage.seal()
    assert insights.answer("fields @message")["statistics"]["recordsScanned"] == 1
    both = {"startTime": insights.now // 1000 - 7300, "endTime": insights.now // 1000 + 60, "logGroupName": GROUP}
    assert insights.answer("fields @message", **both)["statistics"]["recordsScanned"] == 2


@pytest.mark.parametrize(
    "condition",
    [
        "level = 'ERROR'",
        "'ERROR' = level and status >= 500",
        "level in ['FATAL', 'ERROR']",
        "level like 'ERR'",
        "status = 503 and level = 'ERROR' and user.id = 7 and user.name = 'bob' and path like /a/ and code != 5",
        "not (level != 'ERROR')",
    ],
)
def test_filters_find_what_json_writes_in_its_ways(insights: Insights, logs: Any, condition: str) -> None:
    lines = [
        r'{"level":"\u0045RROR","status":503,"user":{"id":7,"name":"b\u006fb"},"path":"/a","n":1}',
        ' {"level":"ERROR","status":503.0,"user.id":7,"user":{"name":"bob"},"path":"\\/a","n":2}',
        '{"level":"INFO","status":200,"text":"ERROR","n":3}',
        "ERROR in plain text, level = 'ERROR'",
    ]
    put(logs, insights.now, lines)
    found = insights.run(f"fields @timestamp | filter {condition} | fields n | sort n")
    assert [row["n"] for row in found] == ["1", "2"]


@pytest.mark.parametrize("few", [0, 2_000])
def test_lines_of_blocks_are_read_in_either_form(
    insights: Insights, logs: Any, storage: Storage, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(query_sources, "FEW_LINES", few)
    put(logs, insights.now - 5000, ["sealed"])
    storage.seal()
    put(logs, insights.now, ["é \\ \" '", "two"])
    found = insights.run("fields @message, @logStream, @ingestionTime | sort @timestamp")
    assert [row["@message"] for row in found] == ["sealed", "é \\ \" '", "two"]
    assert {row["@logStream"] for row in found} == {"one"}
    pointer = found[1]["@ptr"]
    assert logs.get_log_record(logRecordPointer=pointer)["logRecord"]["@message"] == "é \\ \" '"


def test_few_and_many_matches_are_the_same(insights: Insights, logs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(logs, insights.now, [json.dumps({"level": "ERROR" if each % 3 else "INFO", "n": each}) for each in range(30)])
    text = "filter level = 'ERROR' and n > 4 | fields n | sort n desc | limit 3"
    answers = []
    for few in (10_000, 5):
        monkeypatch.setattr(execution, "FEW", few)
        answer = insights.answer(text)
        assert answer["statistics"]["recordsMatched"] == 17
        answers.append(answer["results"])
    assert answers[0] == answers[1]
    assert [row["n"] for row in rows({"results": answers[0]})] == ["29", "28", "26"]


@pytest.mark.parametrize(
    ("log_class", "text", "message"),
    [
        (
            "ESSENTIALS",
            "pattern @message",
            "The command pattern is not supported for log groups of the Essentials class",
        ),
        ("INFREQUENT_ACCESS", "pattern @message | diff", "The command diff, pattern is not supported"),
        ("DELIVERY", "fields @message", "Queries are not supported for log groups of the Delivery class: /classy"),
    ],
)
def test_what_classes_have_not(insights: Insights, logs: Any, log_class: str, text: str, message: str) -> None:
    logs.create_log_group(logGroupName="/classy", logGroupClass=log_class)
    with pytest.raises(logs.exceptions.InvalidParameterException, match=message):
        insights.start(text, logGroupName="/classy")
    if log_class != "DELIVERY":
        assert insights.run("fields @message | limit 1", logGroupName="/classy") == []
