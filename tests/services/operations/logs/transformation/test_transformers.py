"""Transformers: every processor, and what filters see of it."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.engines import regexes
from cumulo.services.operations.logs.transformation import dates, grok
from cumulo.services.operations.logs.transformation.pipelines import KNOWN, Pipeline
from tests.conftest import Account
from tests.services.operations.logs.conftest import received, refused
from tests.services.operations.logs.filters.test_subscription_filters import allow

GROUP = "/shop/orders"
Now = Callable[[], int]
JSON: dict[str, Any] = {"parseJSON": {}}
VPC = "2 123456789010 eni-abc123de 192.0.2.0 192.0.2.24 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK"


def transformed(message: Any, *config: dict[str, Any]) -> Any:
    text = message if isinstance(message, str) else json.dumps(message)
    found = Pipeline(config).transform(text, {"@accountId": "123456789012", "@regionName": "us-east-1"})
    return None if found is None else json.loads(found)


@pytest.mark.parametrize(
    ("message", "config", "wanted"),
    [
        ({"outer": {"inner": 1}}, [{"parseJSON": {"destination": "new"}}], {"new": {"outer": {"inner": 1}}}),
        (
            {"a": '{"b": 1}'},
            [JSON, {"parseJSON": {"source": "a", "destination": "c"}}],
            {"a": '{"b": 1}', "c": {"b": 1}},
        ),
        (
            "293750 server-01.internal-network.local OK",
            [{"grok": {"match": "%{NUMBER:version} %{HOSTNAME:hostname} %{NOTSPACE:status}"}}],
            {"version": "293750", "hostname": "server-01.internal-network.local", "status": "OK"},
        ),
        (
            "key1:value1!key2:value2!key3:value3!key4",
            [
                {
                    "parseKeyValue": {
                        "destination": "new_key",
                        "fieldDelimiter": "!",
                        "keyValueDelimiter": ":",
                        "nonMatchValue": "default",
                        "keyPrefix": "p_",
                    }
                }
            ],
            {"new_key": {"p_key1": "value1", "p_key2": "value2", "p_key3": "value3", "p_key4": "default"}},
        ),
        ("a=1&b", [{"parseKeyValue": {}}], {"a": "1"}),
        (
            "'Akua Mansa',28,'New York: Primary Residence, USA'",
            [{"csv": {"delimiter": ",", "quoteCharacter": "'", "columns": ["name", "age"]}}],
            {"name": "Akua Mansa", "age": "28", "column_3": "New York: Primary Residence, USA"},
        ),
        ({"a": 1}, [JSON, {"addKeys": {"entries": [{"key": "b.c", "value": "x${@accountId}"}]}}],
         {"a": 1, "b": {"c": "x123456789012"}}),
        ({"a": 1}, [JSON, {"addKeys": {"entries": [{"key": "a", "value": "x"}]}}], {"a": 1}),
        ({"a": {"b": 1, "c": 2}, "d": 3}, [JSON, {"deleteKeys": {"withKeys": ["a.b", "d", "no"]}}], {"a": {"c": 2}}),
        (
            {"a": {"b": 1}, "c": {"d": 2}},
            [JSON, {"moveKeys": {"entries": [{"source": "a.b", "target": "c"}]}}],
            {"a": {}, "c": {"d": 2, "b": 1}},
        ),
        (
            {"a": 1, "c": 3},
            [JSON, {"renameKeys": {"entries": [{"key": "a", "renameTo": "b"}, {"key": "b", "renameTo": "c"}]}}],
            {"b": 1, "c": 3},
        ),
        (
            {"a": {"b": 1}, "c": 3},
            [
                JSON,
                {
                    "copyValue": {
                        "entries": [
                            {"source": "a.b", "target": "c", "overwriteIfExists": True},
                            {"source": "@regionName", "target": "where"},
                        ]
                    }
                },
            ],
            {"a": {"b": 1}, "c": 1, "where": "us-east-1"},
        ),
        (
            {"l": [{"k": "a", "v": 1}, {"k": "b", "v": 2}, {"k": "b", "v": 3}]},
            [JSON, {"listToMap": {"source": "l", "key": "k", "valueKey": "v", "flatten": True,
                                  "flattenedElement": "last"}}, {"deleteKeys": {"withKeys": ["l"]}}],
            {"a": 1, "b": 3},
        ),
        (
            {"l": [{"k": "a", "v": 1}]},
            [JSON, {"listToMap": {"source": "l", "key": "k", "target": "m"}}, {"deleteKeys": {"withKeys": ["l"]}}],
            {"m": {"a": [{"k": "a", "v": 1}]}},
        ),
        (
            {"a": "Up", "b": ["Down"], "c": " x "},
            [
                JSON,
                {"lowerCaseString": {"withKeys": ["a", "b"]}},
                {"upperCaseString": {"withKeys": ["b.0"]}},
                {"trimString": {"withKeys": ["c"]}},
            ],
            {"a": "up", "b": ["DOWN"], "c": "x"},
        ),
        ({"a": "x,y"}, [JSON, {"splitString": {"entries": [{"source": "a", "delimiter": ","}]}}], {"a": ["x", "y"]}),
        (
            {"a": "[Thread] key1=value1"},
            [JSON, {"substituteString": {"entries": [{"source": "a", "from": r"(?<k>key)(\d)", "to": "${k}-$2$$"}]}}],
            None,
        ),
        (
            {"a": "one, zwölf"},
            [JSON, {"substituteString": {"entries": [{"source": "a", "from": r"(\w)(x)?", "to": "$12$2"}]}}],
            {"a": "o2n2e2, z2w2öl2f2"},
        ),
        (
            {"a": "123.123.123.123"},
            [JSON, {"substituteString": {"entries": [{"source": "a", "from": r"(\d+)\.(\d+)$", "to": "$2.x"}]}}],
            {"a": "123.123.123.x"},
        ),
        (
            {"a": "200", "b": "1.5", "c": 7, "d": "TRUE", "e": "no"},
            [JSON, {"typeConverter": {"entries": [
                {"key": "a", "type": "integer"}, {"key": "b", "type": "double"}, {"key": "c", "type": "string"},
                {"key": "d", "type": "boolean"}, {"key": "e", "type": "integer"}]}}],
            {"a": 200, "b": 1.5, "c": "7", "d": True, "e": "no"},
        ),
        (
            {"time": "1/Dec/2023:18:05:00 +0100"},
            [JSON, {"dateTimeConverter": {"source": "time", "target": "iso", "matchPatterns": [
                "yyyy", "d/MMM/yyyy:HH:mm:ss Z"]}}],
            {"time": "1/Dec/2023:18:05:00 +0100", "iso": "2023-12-01T17:05:00.000Z"},
        ),
        (
            VPC,
            [{"parseVPC": {}}],
            {
                "version": 2, "accountId": "123456789010", "interfaceId": "eni-abc123de", "srcAddr": "192.0.2.0",
                "dstAddr": "192.0.2.24", "srcPort": 20641, "dstPort": 22, "protocol": 6, "packets": 20, "bytes": 4249,
                "start": 1418530010, "end": 1418530070, "action": "ACCEPT", "logStatus": "OK",
            },
        ),
        (
            "1.0 2017-12-13T08:15:50.235Z Z123412341234 example.com AAAA NOERROR TCP IAD12 192.0.2.0 198.51.100.0/24",
            [{"parseRoute53": {}}],
            {
                "version": 1.0, "queryTimestamp": "2017-12-13T08:15:50.235Z", "hostZoneId": "Z123412341234",
                "queryName": "example.com", "queryType": "AAAA", "responseCode": "NOERROR", "protocol": "TCP",
                "edgeLocation": "IAD12", "resolverIp": "192.0.2.0", "ednsClientSubnet": "198.51.100.0/24",
            },
        ),
        (
            {"httpRequest": {"headers": [{"name": "Host", "value": "a"}]}, "labels": [{"name": "l"}]},
            [{"parseWAF": {}}],
            {"httpRequest": {"headers": {"Host": "a"}}, "labels": ["l"]},
        ),
        (
            "2019-03-10 03:54:59 UTC:10.0.0.123(52834):postgres@logtestdb:[20175]:ERROR: column does not exist",
            [{"parsePostgres": {}}],
            {
                "logTime": "2019-03-10 03:54:59 UTC", "srcIp": "10.0.0.123", "srcPort": "52834",
                "userName": "postgres", "dbName": "logtestdb", "processId": "20175", "logLevel": "ERROR",
                "message": "column does not exist",
            },
        ),
        ("no json", [JSON], None),
        ("[1]", [JSON], None),
        ("a b", [{"grok": {"match": "%{INT:n}"}}], None),
        ("a b", [{"parseVPC": {}}], None),
    ],
)  # fmt: skip
def test_processors(message: Any, config: list[dict[str, Any]], wanted: Any) -> None:
    if wanted is None and "substituteString" in config[-1]:
        assert transformed(message, *config) == {"a": "[Thread] key-1$$=value1"}
        return
    assert transformed(message, *config) == wanted


def test_cloudfront_lines() -> None:
    fields = ["2019-12-04", "21:02:31", "LAX1", "392", "192.0.2.24", "GET", "a.net", "/i.html", "200", "-", "Mo%20z"]
    found = transformed("\t".join(fields + ["-"] * 22), {"parseCloudfront": {}})
    assert (found["sc-bytes"], found["cs(User-Agent)"], found["x-edge-location"]) == (392, "Mo z", "LAX1")
    assert "cs(Referer)" not in found


@pytest.mark.parametrize(
    ("text", "pattern", "zone", "wanted"),
    [
        ("2023-12-05T09:00:00.123Z", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "UTC", "2023-12-05T09:00:00.123Z"),
        ("05.12.23 09:30 PM", "dd.MM.yy hh:mm a", "America/New_York", "2023-12-06T02:30:00.000Z"),
        ("Tue, 5 December 2023", "E, d MMMM yyyy", "UTC", "2023-12-05T00:00:00.000Z"),
        ("1701766800000", "epoch", "UTC", "2023-12-05T09:00:00.000Z"),
        ("2023-12-05 09:00:00", "yyyy-MM-dd HH:mm:ss", "+02:00", "2023-12-05T07:00:00.000Z"),
    ],
)
def test_dates(text: str, pattern: str, zone: str, wanted: str) -> None:
    found = dates.parse(text, pattern, dates.zone_of(zone))
    assert found is not None
    assert dates.write(found, dates.DEFAULT, dates.zone_of("UTC")) == wanted


@given(st.datetimes(timezones=st.just(dates.zone_of("UTC"))))
def test_what_is_written_is_read_again(moment: Any) -> None:
    pattern = "yyyy-MM-dd HH:mm:ss.SSSSSS xxx"
    zone = dates.zone_of("+05:30")
    try:
        text = dates.write(moment, pattern, zone)
    except OverflowError:  # in another zone it is not of these years any more
        return
    assert dates.parse(text, pattern, zone) == moment


def test_every_grok_pattern_can_be_read() -> None:
    for name in grok.PATTERNS:
        grok.read(f"%{{{name}}}")
    line = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://a/b" "Mozilla"'
    found = grok.match("%{COMBINEDAPACHELOG}", line)
    assert found is not None
    assert (found["clientip"], found["verb"], found["response"], found["agent"]) == (
        "127.0.0.1",
        "GET",
        "200",
        '"Mozilla"',
    )


AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("pattern", "line", "expected"),
    [
        (
            "%{APACHE_ACCESS_LOG}",
            '127.0.0.1 - - [03/Aug/2023:12:34:56 +0000] "GET /page.html HTTP/1.1" 200 1234',
            {
                "request": "/page.html",
                "http_method": "GET",
                "status_code": 200,
                "http_version": "1.1",
                "response_size": 1234,
                "remote_host": "127.0.0.1",
                "timestamp": "2023-08-03T12:34:56Z",
            },
        ),
        (
            "%{NGINX_ACCESS_LOG}",
            '192.168.1.100 - Foo [03/Aug/2023:14:34:56 +0200] "GET /account/login.html HTTP/1.1" 200 42 '
            f'"https://www.amazon.com/" "{AGENT}"',
            {
                "request": "/account/login.html",
                "referrer": "https://www.amazon.com/",
                "agent": AGENT,
                "http_method": "GET",
                "status_code": 200,
                "auth_user": "Foo",
                "http_version": "1.1",
                "response_size": 42,
                "remote_host": "192.168.1.100",
                "timestamp": "2023-08-03T12:34:56Z",
            },
        ),
        (
            "%{APACHE_ACCESS_LOG}",
            'host.example.com - - [03/Aug/2023:12:34:56 +0000] "HEAD / HTTP/1.0" 304 - "-" "curl/8"',
            {
                "request": "/",
                "agent": "curl/8",
                "http_method": "HEAD",
                "status_code": 304,
                "http_version": "1.0",
                "remote_host": "host.example.com",
                "timestamp": "2023-08-03T12:34:56Z",
            },
        ),
        (
            "%{SYSLOG5424}",
            "<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
            '[exampleSDID@32473 iut="3" eventSource= "Application" eventID="1011"] '
            '[examplePriority@32473 class="high"]',
            {
                "pri": 165,
                "version": 1,
                "timestamp": "2003-10-11T22:14:15.003Z",
                "hostname": "mymachine.example.com",
                "app": "evntslog",
                "msg_id": "ID47",
                "structured_data": 'exampleSDID@32473 iut="3" eventSource= "Application" eventID="1011"',
                "message": '[examplePriority@32473 class="high"]',
            },
        ),
        (
            "%{SYSLOG5424}",
            '<34>1 - - su 77 - [a x="1\\]"][b y="2"] it failed',
            {
                "pri": 34,
                "version": 1,
                "app": "su",
                "proc_id": "77",
                "structured_data": 'a x="1\\]"][b y="2"',
                "message": "it failed",
            },
        ),
        ("%{SYSLOG5424}", "no syslog", None),
        (
            "%{APACHE_ACCESS_LOG}%{DATA}",
            'h - - [31/Feb/2023:12:34:56 +0000] "GET /a HTTP/1.1" 200 1 "-" "a \\" b" 0.01',
            {
                "request": "/a",
                "agent": 'a \\" b',
                "http_method": "GET",
                "status_code": 200,
                "http_version": "1.1",
                "response_size": 1,
                "remote_host": "h",
                "timestamp": "31/Feb/2023:12:34:56 +0000",
            },
        ),
    ],
)
def test_common_formats(pattern: str, line: str, expected: dict[str, Any] | None) -> None:
    assert grok.match(pattern, line) == expected


def test_dots_in_names_of_fields_are_levels() -> None:
    pattern = "%{IP:client.ip} %{WORD:method} %{URIPATHPARAM:request.uri} %{NUMBER:response.status}"
    found = Pipeline([{"grok": {"match": pattern}}]).transform("192.168.1.1 GET /index.html?param=value 200", {})
    assert json.loads(found or "") == {
        "client": {"ip": "192.168.1.1"},
        "method": "GET",
        "request": {"uri": "/index.html?param=value"},
        "response": {"status": "200"},
    }


@given(st.text(max_size=30))
def test_any_message_is_transformed_or_left(text: str) -> None:
    for name in ("parseJSON", "parseKeyValue", "csv", "parseVPC", "parseWAF", "parsePostgres"):
        found = Pipeline([{name: {}}]).transform(text, {})
        assert found is None or isinstance(json.loads(found), dict)


def test_transformers_of_groups(cloud: Account, logs: Any, stream: dict[str, str]) -> None:
    config = [JSON, {"addKeys": {"entries": [{"key": "a", "value": "b"}]}}]
    assert logs.get_transformer(logGroupIdentifier=GROUP).keys() == {"logGroupIdentifier", "ResponseMetadata"}
    logs.put_transformer(logGroupIdentifier=GROUP, transformerConfig=config)
    cloud.advance(1)
    logs.put_transformer(logGroupIdentifier=GROUP, transformerConfig=config)
    found = logs.get_transformer(logGroupIdentifier=GROUP)
    assert found["transformerConfig"] == config
    assert found["lastModifiedTime"] > found["creationTime"]
    logs.delete_transformer(logGroupIdentifier=GROUP)
    with refused("ResourceNotFoundException"):
        logs.delete_transformer(logGroupIdentifier=GROUP)
    answer = logs.test_transformer(transformerConfig=config, logEventMessages=['{"c": 1}', "text"])
    assert answer["transformedLogs"] == [
        {"eventNumber": 1, "eventMessage": '{"c": 1}', "transformedEventMessage": '{"c":1,"a":"b"}'},
        {"eventNumber": 2, "eventMessage": "text"},
    ]


def test_filters_see_what_events_became(
    cloud: Account, logs: Any, stream: dict[str, str], subscriber: str, now_ms: Now
) -> None:
    allow(cloud)
    logs.put_transformer(
        logGroupIdentifier=GROUP,
        transformerConfig=[{"parseKeyValue": {"fieldDelimiter": " "}}],
    )
    for name, applied in (("plain", False), ("changed", True)):
        logs.put_subscription_filter(
            logGroupName=GROUP,
            filterName=name,
            filterPattern="{ $.level = ERROR }" if applied else "ERROR",
            destinationArn=subscriber,
            applyOnTransformedLogs=applied,
        )
    event = {"timestamp": now_ms(), "message": "level=ERROR code=7"}
    logs.put_log_events(**stream, logEvents=[event])
    cloud.settle()
    found = {document["subscriptionFilters"][0]: document["logEvents"][0]["message"] for document in received()}
    assert found == {"plain": "level=ERROR code=7", "changed": '{"level":"ERROR","code":"7"}'}
    assert logs.get_log_events(**stream)["events"][0]["message"] == "level=ERROR code=7"


def test_transformers_that_are_refused(logs: Any, stream: dict[str, str]) -> None:
    add: dict[str, Any] = {"addKeys": {"entries": [{"key": "a", "value": "b"}]}}
    grok_ = {"grok": {"match": "%{INT:a}"}}
    date = {"source": "a", "target": "b", "matchPatterns": ["QQQ"]}
    for config in (
        [add],
        [JSON, add, add],
        [grok_, grok_],
        [JSON, {"parseVPC": {}}],
        [JSON] * 6,
        [{**JSON, **add}],
        [{}],
        [{"grok": {"match": "%{NOTHING:a}"}}],
        [{"grok": {"match": "("}}],
        [{"grok": {"match": "%{NUMBER:n:integer}"}}],
        [{"parseVPC": {"source": "a"}}],
        [{"parseJSON": {"source": "a.b.c.d"}}],
        [JSON, {"substituteString": {"entries": [{"source": "a", "from": "(", "to": "b"}]}}],
        [JSON, {"substituteString": {"entries": [{"source": "a", "from": "(a)", "to": "$2"}]}}],
        [JSON, {"substituteString": {"entries": [{"source": "a", "from": "(a)", "to": "${name}"}]}}],
        [JSON, {"dateTimeConverter": date}],
        [JSON, {"dateTimeConverter": {**date, "matchPatterns": ["yyyy"], "sourceTimezone": "Nowhere"}}],
        [JSON, {"listToMap": {"source": "a", "key": "b", "flatten": True}}],
    ):
        with refused("InvalidParameterException"):
            logs.put_transformer(logGroupIdentifier=GROUP, transformerConfig=config)
    with refused("NotImplemented"):
        logs.put_transformer(
            logGroupIdentifier=GROUP,
            transformerConfig=[{"parseToOCSF": {"eventSource": "VPCFlow", "ocsfVersion": "V1.1"}}],
        )
    for lacking in (
        [{"grok": {"match": "(?<!a)%{INT:a}"}}],
        [JSON, {"substituteString": {"entries": [{"source": "a", "from": "a++", "to": "b"}]}}],
    ):
        with refused("NotImplemented"):
            logs.put_transformer(logGroupIdentifier=GROUP, transformerConfig=lacking)
    logs.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
    with refused("InvalidOperationException"):
        logs.put_transformer(logGroupIdentifier="rare", transformerConfig=[JSON])
    assert len(KNOWN) == 22


def test_who_may_try_a_transformer(cloud: Account) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    nobody = cloud.client("logs", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    with refused("AccessDeniedException"):
        nobody.test_transformer(transformerConfig=[{"parseJSON": {}}], logEventMessages=["{}"])


def test_hostile_patterns_take_no_time() -> None:
    words = " ".join(f"word{number}" for number in range(4000))
    for pattern in (
        "%{DATA:a} %{DATA:b} %{DATA:c} END",
        "%{DATA:a}x%{DATA:b}y%{GREEDYDATA:c}zz",
        "(?:%{WORD:a} ?)*=",
        "%{URI:u}=%{QS:q}",
        "%{COMBINEDAPACHELOG}",
        "%{SYSLOG5424}x",
    ):
        begun = time.thread_time()
        for text in (words, "a" * 24_000, "1." * 12_000, "<1>1 - - - - - [" + "a][" * 8000, "/a:" * 8000):
            assert grok.match(pattern, text) is None
        assert time.thread_time() - begun < 0.25, pattern  # five texts


def test_a_substitution_without_end_leaves_the_event_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "MOST_S", 0.02)
    pipeline = Pipeline([JSON, {"substituteString": {"entries": [{"source": "a", "from": "x*y|x", "to": "-"}]}}])
    assert pipeline.transform(json.dumps({"a": "x" * 100_000}), {}) is None
    assert pipeline.transform(json.dumps({"a": "xx"}), {}) == '{"a":"--"}'
