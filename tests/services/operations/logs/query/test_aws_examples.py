"""Every query of AWS's documents that can run alone finds in small data what it should.

Source: CloudWatch Logs User Guide, "Sample queries" and the pages of the commands and functions, as of 2026. Where a
page only shows a form ("fields f1, f2"), the data here has such fields.
"""

# ruff: noqa: E501

from __future__ import annotations

import json

import pytest

from cumulo.services.operations.logs.query.failures import Malformed
from tests.services.operations.logs.query.running import BASE, HOUR, Event, events, rows
from tests.services.operations.logs.query.sample_queries import (
    DOCUMENTS,
    FLOW,
    LAMBDA,
    LEVELS,
    METHODS,
    NUMBERS,
    SAMPLES,
    Rows,
)

pytest.importorskip("duckdb")

CASES: list[tuple[str, list[Event], Rows]] = [
    # --- parse ---
    (
        'parse @message "user=*, method:*, latency := *" as @user,\n    @method, @latency | stats avg(@latency) by'
        " @method,\n    @user",
        METHODS,
        [
            {"@method": "get", "@user": "ann", "avg(@latency)": "15"},
            {"@method": "put", "@user": "bob", "avg(@latency)": "5"},
        ],
    ),
    (
        r"parse @message /user=(?<user2>.*?), method:(?<method2>.*?), latency := (?<latency2>\d+)/"
        " | stats avg(latency2) by method2, user2",
        METHODS,
        [
            {"method2": "get", "user2": "ann", "avg(latency2)": "15"},
            {"method2": "put", "user2": "bob", "avg(latency2)": "5"},
        ],
    ),
    (
        'FIELDS @message\n    | PARSE @message "* [*] *" as loggingTime, loggingType, loggingMessage\n'
        '    | FILTER loggingType IN ["ERROR", "INFO"]\n'
        '    | DISPLAY loggingMessage, loggingType = "ERROR" as isError',
        LEVELS,
        [{"loggingMessage": "all well", "isError": "0"}, {"loggingMessage": "disk full", "isError": "1"}],
    ),
    (
        "parse @message /(?<NetworkInterface>eni-.*?) / \n| display NetworkInterface",
        FLOW[:1],
        [{"NetworkInterface": "eni-0123456789abcdef0"}],
    ),
    (
        r"parse @message /(\d+\.\d+\.\d+\.\d+)/ as ip_addr multi" "\n| stats count(*) by ip_addr",
        FLOW[:1],
        [{"ip_addr": "10.0.0.1", "count(*)": "1"}, {"ip_addr": "192.0.2.7", "count(*)": "1"}],
    ),
    (
        'parse @message "url=*" as url\n| parse url "/api/*/users/*" as apiVersion, userId\n| display apiVersion, userId',
        events("url=/api/v1/users/7"),
        [{"apiVersion": "v1", "userId": "7"}],
    ),
    (
        'parse @logStream "*/*/*/*" as env, service, instance, shard\n| stats count(*) by env, service',
        [Event(0, "x", "prod/shop/i-1/0")],
        [{"env": "prod", "service": "shop", "count(*)": "1"}],
    ),
    (
        'parse @message logfmt as lf\n| filter lf.level = "error"\n| display lf.msg, lf.duration',
        events('level=error msg="disk \\"full\\"" duration=5', "level=info msg=x"),
        [{"lf.msg": 'disk "full"', "lf.duration": "5"}],
    ),
    (
        "parse @message csv as host, method, path, status, duration\n| stats avg(duration) by method",
        events('web-1,GET,"/a,b",200,10', "web-1,GET,/c,200,20"),
        [{"method": "GET", "avg(duration)": "15"}],
    ),
    (
        'parse @message /(?<payload>\\{.*\\})/ as payload\n| json field=payload "user.name" as username\n'
        "| display username",
        events('got {"user": {"name": "Ann"}} now'),
        [{"username": "Ann"}],
    ),
    # --- fields, filter, sort ---
    (
        "fields f1, f2, f3 | filter (f1=10 or f3>25)",
        NUMBERS,
        [{"f1": "10", "f2": "b", "f3": "1"}, {"f1": "5", "f2": "a", "f3": "30"}],
    ),
    ("fields f1, f2 | filter f1 =~ /Exception/", NUMBERS, [{"f1": "Exception x", "f2": "c"}]),
    ("fields f1 | filter f1 like /(?i)exception/", NUMBERS, [{"f1": "Exception x"}]),
    (
        "fields abs(f1 - f3) as AbsoluteValuemyField, f2 | filter f2 = 'a'",
        NUMBERS,
        [{"AbsoluteValuemyField": "25", "f2": "a"}],
    ),
    ("stats avg(f1) as myAvgF1 | sort myAvgF1 desc", NUMBERS, [{"myAvgF1": "7.5"}]),
    (
        "fields f1 | filter statusCode like /2\\d\\d/",
        events({"f1": 1, "statusCode": 204}, {"f1": 2, "statusCode": 404}),
        [{"f1": "1"}],
    ),
    (
        "fields `foo-bar`, action, abs(f3-f4)",
        events({"foo-bar": 1, "action": "go", "f3": 1, "f4": 4}),
        [{"foo-bar": "1", "action": "go", "abs(f3-f4)": "3"}],
    ),
    # --- stats ---
    (
        "FIELDS strlen(@message) AS message_length\n| STATS sum(message_length)/1024/1024 as logs_mb BY bin(5m)\n"
        "| STATS max(logs_mb) AS peak_ingest_mb,\n        min(logs_mb) AS min_ingest_mb,\n"
        "        avg(logs_mb) AS avg_ingest_mb",
        events("x" * 1024 * 1024, "x"),
        [{"peak_ingest_mb": "1", "min_ingest_mb": "1", "avg_ingest_mb": "1"}],
    ),
    (
        "STATS count_distinct(client_ip) AS session_ips,\n      count(*) AS requests BY session_id, client_platform\n"
        "| FILTER session_ips > 1\n| STATS count(*) AS multiple_ip_sessions,\n"
        "        sum(requests) / count(*) AS avg_session_requests BY client_platform",
        events(*[{"client_ip": ip, "session_id": 1, "client_platform": "ios"} for ip in "aab"]),
        [{"client_platform": "ios", "multiple_ip_sessions": "1", "avg_session_requests": "3"}],
    ),
    (
        "FIELDS strlen(@message) AS message_length\n| STATS sum(message_length) AS logs_mb BY BIN(5m) as @t\n"
        "| STATS max(logs_mb) AS peak_ingest_mb,\n        min(logs_mb) AS min_ingest_mb,\n"
        "        avg(logs_mb) AS avg_ingest_mb BY dateceil(@t, 10m)",
        events("abc", "de", step=300_000),
        [
            {
                "dateceil(@t, 10m)": "2023-11-14 22:20:00.000",
                "peak_ingest_mb": "2",
                "min_ingest_mb": "2",
                "avg_ingest_mb": "2",
            },
            {
                "dateceil(@t, 10m)": "2023-11-14 22:10:00.000",
                "peak_ingest_mb": "3",
                "min_ingest_mb": "3",
                "avg_ingest_mb": "3",
            },
        ],
    ),
    (
        "FIELDS strlen(@message) AS message_length\n | STATS sum(message_length) AS ingested_bytes, max(@timestamp) as @t BY"
        " @logStream\n | STATS avg(ingested_bytes) BY dateceil(@t, 5m)",
        events("abc"),
        [{"dateceil(@t, 5m)": "2023-11-14 22:15:00.000", "avg(ingested_bytes)": "3"}],
    ),
    ("stats count(*) by bin(5m) offset 1h", events("x"), [{"bin(5m)": "2023-11-14 23:10:00.000", "count(*)": "1"}]),
    # --- structures ---
    (
        "fields jsonParse(@message) as json_message \n| stats count() by json_message.status_code",
        DOCUMENTS,
        [{"json_message.status_code": "200", "count()": "1"}, {"json_message.status_code": "500", "count()": "1"}],
    ),
    (
        'fields jsonParse(@message) as json_message \n| filter json_message.users[1].action = "PutData"\n| display'
        " json_message.status_code",
        DOCUMENTS,
        [{"json_message.status_code": "200"}],
    ),
    (
        'fields jsonParse(@message) as json_message \n| filter json_message.`user.id` = "123"\n| display'
        " json_message.status_code",
        DOCUMENTS,
        [{"json_message.status_code": "200"}],
    ),
    ("fields jsonParse(@message) as json_message \n| display toupper(json_message)", DOCUMENTS, [{}, {}]),
    (
        "fields jsonParse(api.request.data).startTime as startTime",
        events({"api": {"request": {"data": json.dumps({"startTime": 1234, "endTime": 5678})}}}),
        [{"startTime": "1234"}],
    ),
    (
        "fields jsonParse(@message) as json_message \n| unnest json_message.events into event \n| display event.name",
        events({"events": [{"name": "exception"}, {"name": "user action"}]}),
        [{"event.name": "exception"}, {"event.name": "user action"}],
    ),
    (
        'fields jsonParse(@message) as js \n| unnest js.accounts into account \n| filter account.type = "internal"\n'
        "| display account.id",
        events({"accounts": [{"type": "internal", "id": 1}, {"type": "x", "id": 2}]}),
        [{"account.id": "1"}],
    ),
    (
        "fields jsonParse(trimmedData) as accounts \n| unnest accounts into account \n| stats sum(account.droppedSpans) as n"
        " by account.accountId \n| sort n desc \n| limit 10",
        events(
            {"trimmedData": json.dumps([{"accountId": "a", "droppedSpans": 3}, {"accountId": "b", "droppedSpans": 5}])}
        ),
        [{"account.accountId": "b", "n": "5"}, {"account.accountId": "a", "n": "3"}],
    ),
    (
        "expand items\n| stats count(*) by items, host",
        events({"items": ["apple", "banana"], "host": "web-01"}),
        [{"items": "apple", "host": "web-01", "count(*)": "1"}, {"items": "banana", "host": "web-01", "count(*)": "1"}],
    ),
    # --- functions ---
    (
        'parse @message "Status Code: *;" as statusCode\\n \n| filter statusCode >= 400 and statusCode <= 499  \\n \n'
        "| filter toMillis(@timestamp) >= (now() * 1000 - 7200000) | display statusCode",
        events("Status Code: 404;", "Status Code: 200;"),
        [{"statusCode": "404"}],
    ),
    (
        "fields @message \n| filter @message like /(?i)(error|failure)/ \n"
        "| filter toMillis(@timestamp) >= (now() * 1000 - 18000000)",
        events("an Error", "fine"),
        [{"@message": "an Error"}],
    ),
    (
        'fields parseDate(field, "yyyy-MM-dd", "UTC") as epoch',
        events({"field": "2024-01-02"}),
        [{"epoch": "1704153600000"}],
    ),
    ('fields formatDate(@timestamp, "%Y-%m-%d", "UTC") as date', events("x"), [{"date": "2023-11-14"}]),
    (
        "filter isNumeric(size) | fields messageSize(@message) as size2",
        events({"size": "5"}, {"size": "x"}),
        [{"size2": "13"}],
    ),
    ("fields jsonArraySize(Operation) as arrayLen", events({"Operation": [1, 2, 3]}), [{"arrayLen": "3"}]),
    (
        'filter jsonArrayContains(roles, "admin") | fields name',
        events({"roles": ["admin"], "name": "a"}, {"roles": []}),
        [{"name": "a"}],
    ),
    (
        'fields hexToAscii("48656c6c6f") as text, hexToDec("0xff") as dec, decToHex(255) as hex',
        events("x"),
        [{"text": "Hello", "dec": "255", "hex": "0xff"}],
    ),
    (
        'fields ltrim("xyZxyfooxyZ","xyZ") as a, rtrim("xyZfooxyxyZ","xyZ") as b, trim("xyZxyfooxyxyZ","xyZ") as c,'
        ' substr("xyZfooxyZ",3, 3) as d, replace(logGroup,"smoke_test","Smoke") as e',
        events({"logGroup": "a smoke_test"}),
        [{"a": "fooxyZ", "b": "xyZfoo", "c": "foo", "d": "foo", "e": "a Smoke"}],
    ),
    ("fields 2 ^ 3 as a, 10 % 3 as b", events("x"), [{"a": "8", "b": "1"}]),
    # --- rows beside each other ---
    ("fields a, b\n| addtotals", events({"a": 1, "b": 2}), [{"a": "1", "b": "2", "Total": "3"}]),
    (
        "fields price, tax, qty\n| addtotals price, tax",
        events({"price": 1, "tax": 2, "qty": 9}),
        [{"price": "1", "tax": "2", "qty": "9", "Total": "3"}],
    ),
    ("fields val\n| addtotals fieldname=RowSum", events({"val": 4}), [{"val": "4", "RowSum": "4"}]),
    (
        "fields x\n| addtotals col=true x",
        events({"x": 1}, {"x": 2}),
        [{"x": "2", "Total": "2"}, {"x": "1", "Total": "1"}, {"x": "3", "Total": "3"}],
    ),
    (
        "fields bytes\n| accum bytes AS totalBytes",
        events({"bytes": 1}, {"bytes": 2}),
        [{"bytes": "2", "totalBytes": "2"}, {"bytes": "1", "totalBytes": "3"}],
    ),
    (
        "fields bytes\n| autoregress bytes p=1-4",
        events({"bytes": 1}, {"bytes": 2}, {"bytes": 3}),
        [{"bytes": "3"}, {"bytes": "2", "bytes_p1": "3"}, {"bytes": "1", "bytes_p1": "2", "bytes_p2": "3"}],
    ),
    (
        "fields host, cpu_user, cpu_system\n| filldown host cpu*",
        events({"cpu_system": 4}, {"cpu_user": 3}, {"host": "a", "cpu_user": 1}),
        [
            {"host": "a", "cpu_user": "1"},
            {"host": "a", "cpu_user": "3"},
            {"host": "a", "cpu_user": "3", "cpu_system": "4"},
        ],
    ),
    (
        "fields @timestamp, latency\n| stats avg(latency) as avg_latency by bin(1m)\n| fillmissing with 0 for avg_latency"
        "\n| sort `bin(1m)`",
        events({"latency": 4}, {"latency": 6}, step=120_000),
        [
            {"bin(1m)": "2023-11-14 22:13:00.000", "avg_latency": "4"},
            {"bin(1m)": "2023-11-14 22:14:00.000", "avg_latency": "0"},
            {"bin(1m)": "2023-11-14 22:15:00.000", "avg_latency": "6"},
        ],
    ),
    (
        "fields cpu, memory\n| outlier action=remove param=3.0 uselower=true mark=true cpu memory\n| stats count(*) as n",
        events(*[{"cpu": 50 + index % 3, "memory": 10} for index in range(20)], {"cpu": 900, "memory": 10}),
        [{"n": "20"}],
    ),
    (
        "fields @timestamp, userId, deviceId\n| sessionize userId, deviceId maxspan 1h as my_session"
        "\n| stats count(*) as n by my_session",
        events({"userId": 1, "deviceId": 2}, {"userId": 1, "deviceId": 2}),
        [{"my_session": "1", "n": "2"}],
    ),
    (
        "fields method, status\n| countFrequent method, status",
        events(*[{"method": "GET", "status": status} for status in (200, 404, 200)]),
        [
            {"method": "GET", "status": "200", "_approxcount": "2"},
            {"method": "GET", "status": "404", "_approxcount": "1"},
        ],
    ),
]


def _title(case: object) -> str | None:
    return case if isinstance(case, str) else ""


@pytest.mark.parametrize(("text", "given", "expected"), [*SAMPLES, *CASES], ids=_title)
def test_sample_queries(text: str, given: list[Event], expected: Rows) -> None:
    log = "/aws/lambda/f" if given is LAMBDA else "/app"
    found = rows(text, given, log=log)
    assert found == expected


LINES = [
    Event(
        index * 1000, f"2023-01-01 19:00:0{index} [INFO] Calling DynamoDB to store for resource id {identifier}-12345"
    )
    for index, identifier in enumerate(("12342342k124", "324892398123", "3ff231242342"))
]


@pytest.mark.parametrize(
    "text",
    [
        "fields @timestamp, @message, @logStream, @log\n| pattern @message",
        "pattern @message",
        'fields @timestamp, @message\n| filter @type != "REPORT"\n| pattern @message\n| anomaly',
        "fields @timestamp, @message\n| pattern @message\n| anomaly\n| sort @timestamp desc",
    ],
)
def test_patterns(text: str) -> None:
    [found] = rows(text, LINES)
    assert found["@pattern"] == "<Time-1> [INFO] Calling DynamoDB to store for resource id <ID-2>"
    assert (found["@sampleCount"], found["@ratio"], found["@severityLabel"]) == ("3", "1", "INFO")


@pytest.mark.parametrize(
    ("text", "back"),
    [("pattern @message | diff", HOUR), ("pattern @message | diff previousDay", 24 * HOUR),
     ("pattern @message | diff previousWeek", 7 * 24 * HOUR), ("pattern @message | diff previousMonth", 30 * 24 * HOUR),
     ("logcompare timeshift 7d", 7 * 24 * HOUR)],
)  # fmt: skip
def test_comparisons(text: str, back: int) -> None:
    before = [Event(each.at - back, each.message) for each in LINES[:2]]
    found = rows(text, [*before, *LINES, Event(1, "WARN something new")])
    assert [(row["@sampleCount"], row["@diffEventCount"], row["@diffDescription"]) for row in found] == [
        ("3", "1", "50% more"),
        ("1", "1", "New pattern"),
    ]


API_LOG = events({"requestId": "a", "status": 502, "latency": 30}, {"requestId": "b", "status": 200, "latency": 5})
FUNCTION = events({"requestId": "a", "duration": 29, "memoryUsed": 64}, {"requestId": "c", "duration": 1})
JOIN = """filter status >= 500
| join type={kind} left=api right=lambda
    where api.requestId=lambda.requestId
    (SOURCE '/aws/lambda/my-function')
| fields api.requestId, api.status, api.latency, lambda.duration, lambda.memoryUsed
| sort api.latency desc"""


@pytest.mark.parametrize("kind", ["inner", "left"])
def test_joins(kind: str) -> None:
    found = rows(JOIN.format(kind=kind), API_LOG, others={"/aws/lambda/my-function": FUNCTION})
    assert found == [
        {
            "api.requestId": "a",
            "api.status": "502",
            "api.latency": "30",
            "lambda.duration": "29",
            "lambda.memoryUsed": "64",
        }
    ]
    text = JOIN.format(kind=kind).replace("status >= 500", "ispresent(status)")
    both = rows(text, API_LOG, others={"/aws/lambda/my-function": FUNCTION})
    assert [row["api.requestId"] for row in both] == (["a"] if kind == "inner" else ["a", "b"])


def test_subqueries() -> None:
    text = """filter requestId in (
    SOURCE '/aws/lambda/payment-processor'
    | filter status = "FAILED"
    | stats count(*) as failureCount by requestId
    | filter failureCount > 3
    | fields requestId
)
| fields requestId, latency
| sort @timestamp asc"""
    failed = events(*[{"requestId": "b", "status": "FAILED"}] * 4, {"requestId": "a", "status": "FAILED"})
    assert rows(text, API_LOG, others={"/aws/lambda/payment-processor": failed}) == [{"requestId": "b", "latency": "5"}]


def test_columns_of_another_query() -> None:
    text = """fields svc
| stats count(*) as cnt by svc
| appendcols override=true ( SOURCE lg | stats avg(latency) as avgLat by svc )"""
    other = events({"svc": "a", "latency": 10}, {"svc": "b", "latency": 20})
    found = rows(text, events({"svc": "a"}, {"svc": "b"}, {"svc": "a"}), others={"lg": other})
    assert found == [{"svc": "a", "cnt": "2", "avgLat": "10"}, {"svc": "b", "cnt": "1", "avgLat": "20"}]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("FIELDS @message\n| STATS SUM(Fault) by Operation\n| STATS MAX(strlen(@message)) AS MaxMessageSize", "@message"),
        ("FIELDS strlen(@message) AS message_length\n| STATS sum(message_length) AS ingested_bytes BY @logStream\n"
         "| STATS avg(ingested_bytes) BY bin(5m)", "@timestamp"),
    ],
)  # fmt: skip
def test_what_the_documents_call_invalid(text: str, wrong: str) -> None:
    with pytest.raises(Malformed, match=f"Unknown symbols found in or after stats: {wrong}"):
        rows(text, [])


def test_times_are_the_query_s() -> None:
    [found] = rows("fields queryStartTime() as a, queryEndTime() as b, queryTimeRange() as c, now() as d", events("x"))
    assert found == {"a": str(BASE), "b": str(BASE + HOUR - 1), "c": str(HOUR - 1), "d": str((BASE + HOUR) // 1000)}
