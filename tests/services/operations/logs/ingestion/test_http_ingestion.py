"""The HTTP endpoints for logs, as a client without an SDK uses them."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from cumulo.faces.addresses import LOG_INGESTION
from cumulo.services.operations.logs.groups.streams import STREAMS
from cumulo.services.operations.logs.ingestion import putting
from cumulo.services.operations.logs.ingestion.http_ingestion import ENDPOINTS
from cumulo.services.operations.logs.stored import large_objects
from cumulo.services.operations.logs.stored.large_objects import LARGE_OBJECTS, LargeObject
from tests.conftest import Account
from tests.services.operations.logs.conftest import GROUP, Storage, refused

Now = Callable[[], int]
JSON = {"Content-Type": "application/json"}
NAMES = {"x-aws-log-group": GROUP, "x-aws-log-stream": "one"}
POLICY = {"Effect": "Allow", "Action": ["logs:PutLogEvents", "logs:CallWithBearerToken"], "Resource": "*"}


class Sender:
    """Sends requests to the endpoints, signed or with a token."""

    def __init__(self, cloud: Account) -> None:
        self.cloud = cloud

    def post(self, path: str, body: bytes | str | Any, headers: dict[str, str], token: str = "") -> tuple[int, bytes]:
        """A request with a token."""
        if not isinstance(body, bytes | str):
            body = json.dumps(body)
        data = body.encode() if isinstance(body, str) else body
        if token:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.cloud.url + path, data, headers, method="POST")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def signed(
        self,
        path: str,
        body: bytes | str | Any,
        headers: dict[str, str] | None = None,
        key: tuple[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """A signed request to the stream of these tests."""
        if not isinstance(body, bytes | str):
            body = json.dumps(body)
        data = body.encode() if isinstance(body, str) else body
        url = self.cloud.url + path
        given = {**JSON, **(NAMES if "logGroup" not in path else {}), **(headers or {})}
        request = AWSRequest("POST", url, data=data, headers=given)
        SigV4Auth(Credentials(*(key or (self.cloud.account, "x"))), "logs", "us-east-1").add_auth(request)
        return self.post(path, data, dict(request.headers))


@pytest.fixture
def sender(cloud: Account, stream: dict[str, str]) -> Sender:
    return Sender(cloud)


@pytest.fixture
def token(cloud: Account) -> Iterator[str]:
    """The bearer token of a user that may send logs."""
    iam = cloud.client("iam")
    iam.create_user(UserName="shipper")
    document = json.dumps({"Version": "2012-10-17", "Statement": [POLICY]})
    iam.put_user_policy(UserName="shipper", PolicyName="logs", PolicyDocument=document)
    made = iam.create_service_specific_credential(
        UserName="shipper", ServiceName="logs.amazonaws.com", CredentialAgeDays=30
    )
    return made["ServiceSpecificCredential"]["ServiceCredentialSecret"]  # type: ignore[no-any-return]


def messages(logs: Any) -> list[str]:
    return [
        event["message"]
        for event in logs.get_log_events(logGroupName=GROUP, logStreamName="one", startFromHead=True)["events"]
    ]


def test_the_paths_are_the_same_everywhere() -> None:
    assert ENDPOINTS.keys() == LOG_INGESTION


# --- authentication --------------------------------------------------------------------------------


def test_a_token_of_a_user(sender: Sender, logs: Any, token: str, cloud: Account) -> None:
    assert token.startswith("ACWL")
    path = f"/ingest/json?logGroup={GROUP}&logStream=one"
    status, body = sender.post(path, {"message": "early"}, JSON, token)
    assert (status, json.loads(body)) == (
        401,
        {"message": "Bearer token authentication is not enabled for the log group."},
    )
    logs.put_bearer_token_authentication(logGroupIdentifier=GROUP, bearerTokenAuthenticationEnabled=True)
    [group] = logs.describe_log_groups()["logGroups"]
    assert group["bearerTokenAuthenticationEnabled"] is True
    assert sender.post(path, {"message": "in time"}, JSON, token) == (200, b"{}")
    assert messages(logs) == ['{"message":"in time"}']
    cloud.advance(31 * 86_400)
    assert sender.post(path, {"message": "late"}, JSON, token)[0] == 401
    arn = f"arn:aws:logs:us-east-1:{cloud.account}:log-group:{GROUP}"
    logs.put_bearer_token_authentication(logGroupIdentifier=arn, bearerTokenAuthenticationEnabled=False)
    [group] = logs.describe_log_groups()["logGroups"]
    assert "bearerTokenAuthenticationEnabled" not in group


@pytest.mark.parametrize(
    "spoil", [lambda token: token[:-4] + "AAA=", lambda token: token[4:], lambda token: "x", lambda token: ""]
)
def test_what_is_no_token(sender: Sender, logs: Any, token: str, spoil: Callable[[str], str]) -> None:
    logs.put_bearer_token_authentication(logGroupIdentifier=GROUP, bearerTokenAuthenticationEnabled=True)
    status, _ = sender.post("/ingest/json", {"a": 1}, {**JSON, **NAMES, "Authorization": f"Bearer {spoil(token)}"})
    assert status == 401


def test_a_token_that_was_switched_off(sender: Sender, logs: Any, token: str, cloud: Account) -> None:
    logs.put_bearer_token_authentication(logGroupIdentifier=GROUP, bearerTokenAuthenticationEnabled=True)
    iam = cloud.client("iam")
    [credential] = iam.list_service_specific_credentials(UserName="shipper")["ServiceSpecificCredentials"]
    iam.update_service_specific_credential(
        UserName="shipper", ServiceSpecificCredentialId=credential["ServiceSpecificCredentialId"], Status="Inactive"
    )
    assert sender.post("/ingest/json", {"a": 1}, {**JSON, **NAMES}, token)[0] == 401


@pytest.mark.parametrize("missing", ["logs:PutLogEvents", "logs:CallWithBearerToken"])
def test_both_permissions_are_needed(sender: Sender, logs: Any, token: str, cloud: Account, missing: str) -> None:
    logs.put_bearer_token_authentication(logGroupIdentifier=GROUP, bearerTokenAuthenticationEnabled=True)
    deny = {"Effect": "Deny", "Action": missing, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [POLICY, deny]})
    cloud.client("iam").put_user_policy(UserName="shipper", PolicyName="logs", PolicyDocument=document)
    status, body = sender.post("/ingest/json", {"a": 1}, {**JSON, **NAMES}, token)
    assert status == 403
    assert missing in json.loads(body)["message"]


def test_a_signed_request_needs_no_tokens(sender: Sender, logs: Any) -> None:
    assert sender.signed("/ingest/bulk", '{"a":1}\n') == (200, b"{}")
    assert messages(logs) == ['{"a":1}']


def test_a_wrong_signature_and_none(sender: Sender, logs: Any) -> None:
    assert sender.signed("/ingest/bulk", "{}", key=("test", "wrong"))[0] == 401
    assert sender.post("/ingest/bulk", "{}", {**JSON, **NAMES})[0] == 401


def test_buckets_keep_their_names(cloud: Account, sender: Sender) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="ingest")
    upload = s3.create_multipart_upload(Bucket="ingest", Key="bulk")["UploadId"]
    s3.abort_multipart_upload(Bucket="ingest", Key="bulk", UploadId=upload)


# --- what is sent ----------------------------------------------------------------------------------


def test_names_in_the_query_and_in_the_head(sender: Sender, logs: Any) -> None:
    query = f"?logGroup={GROUP}&logStream=one"
    assert sender.signed(f"/services/collector/event{query}", {"event": "a"}) == (200, b"{}")
    assert sender.signed(f"/services/collector/event{query}", {"event": "b"}, NAMES)[0] == 400
    assert sender.signed("/services/collector/event?logGroup=/x", {"event": "c"})[0] == 400
    assert sender.signed(f"/v1/logs{query}", {"resourceLogs": []})[0] == 400
    assert messages(logs) == ["a"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "text/plain"}, "{}"),
        ({"Content-Type": "application/x-ndjson"}, "{}"),
        ({"x-aws-log-group": "/nobody"}, "{}"),
        ({"x-aws-log-stream": "none"}, "{}"),
        ({"Content-Encoding": "br"}, "{}"),
        ({"Content-Encoding": "gzip"}, "no gzip"),
        ({}, "{"),
        ({}, b"\xff"),
        ({}, "[" * 100_000),
        ({}, json.dumps({"a": "x" * 1_048_576})),
    ],
)
def test_refusals(sender: Sender, logs: Any, headers: dict[str, str], body: str | bytes) -> None:
    status, answer = sender.signed("/ingest/json", body, headers)
    assert status == 400
    assert json.loads(answer)["message"]
    assert messages(logs) == []


def test_gzip(sender: Sender, logs: Any) -> None:
    body = gzip.compress(b'{"event":{"level":"INFO"}}')
    assert sender.signed("/services/collector/event", body, {"Content-Encoding": "gzip"}) == (200, b"{}")
    assert messages(logs) == ['{"level":"INFO"}']


def test_events_are_put_in_order_in_as_many_batches_as_it_takes(sender: Sender, logs: Any, now_ms: Now) -> None:
    now = now_ms()
    times = [now, now - 3 * 86_400_000, now - 90_000_000, now - 1]
    body = "\n".join(json.dumps({"timestamp": time, "pad": "x" * 600_000}) for time in times)
    assert sender.signed("/ingest/bulk", body) == (200, b"{}")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    assert [event["timestamp"] for page in pages for event in page["events"]] == sorted(times)


# --- OpenTelemetry ---------------------------------------------------------------------------------


def record(**fields: Any) -> dict[str, Any]:
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my-service"}}]},
                "scopeLogs": [{"scope": {"name": "my-library", "version": "1.0.0"}, "logRecords": [fields]}],
            }
        ]
    }


def test_a_log_record(sender: Sender, logs: Any, now_ms: Now) -> None:
    now = now_ms()
    nanoseconds = now * 1_000_000 + 5
    sent = record(
        timeUnixNano=str(nanoseconds),
        severityNumber=9,
        severityText="INFO",
        body={"stringValue": "User logged in successfully"},
        attributes=[{"key": "user.id", "value": {"stringValue": "12345"}}],
    )
    assert sender.signed("/v1/logs", sent) == (200, b"{}")
    [event] = logs.get_log_events(logGroupName=GROUP, logStreamName="one")["events"]
    assert event["timestamp"] == now
    assert json.loads(event["message"]) == {
        "resource": {"attributes": {"service.name": "my-service"}},
        "scope": {"name": "my-library", "version": "1.0.0"},
        "timeUnixNano": nanoseconds,
        "severityNumber": 9,
        "severityText": "INFO",
        "body": "User logged in successfully",
        "attributes": {"user.id": "12345"},
    }


def test_records_that_are_too_old_and_too_new_are_told(sender: Sender, logs: Any, now_ms: Now) -> None:
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    day = 86_400_000
    times = [now_ms() - 15 * day, now_ms() - 16 * day, now_ms() - 5 * day, now_ms(), now_ms() + day]
    sent = record()
    sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"] = [{"timeUnixNano": time * 1_000_000} for time in times]
    status, body = sender.signed("/v1/logs", sent)
    assert status == 200
    partial = json.loads(body)["partialSuccess"]
    assert partial["rejectedLogRecords"] == 4
    assert json.loads(partial["errorMessage"]) == {
        "tooOldLogEventCount": 2,
        "tooNewLogEventCount": 1,
        "expiredLogEventCount": 1,
    }
    assert len(messages(logs)) == 1


def test_protocol_buffers_are_answered_as_such(sender: Sender, logs: Any) -> None:
    proto = {"Content-Type": "application/x-protobuf"}
    assert sender.signed("/v1/logs", b"", proto) == (200, b"")
    status, body = sender.signed("/v1/logs", b"\x0a\xff", proto)
    assert status == 400
    assert b"not a valid OTLP request" in body


# --- large log objects -----------------------------------------------------------------------------


@pytest.fixture
def streaming(cloud: Account) -> Any:
    """A client that puts no `stream-` before the host."""
    return cloud.client("logs", config=Config(inject_host_prefix=False))


def fetched(logs: Any, pointer: str, **more: Any) -> str:
    answer = logs.get_log_object(logObjectPointer=pointer, **more)
    return b"".join(event["fields"]["data"] for event in answer["fieldStream"]).decode()


LONG = "".join(f"{number:07d}ü" for number in range(200_000))


def large(sender: Sender, now: int) -> None:
    sent = record(timeUnixNano=now * 1_000_000, body={"stringValue": LONG})
    assert sender.signed("/v1/logs", sent) == (200, b"{}")


def pointer_of(logs: Any) -> tuple[str, str]:
    [message] = messages(logs)
    assert 1_040_000 < len(message.encode()) <= putting.EVENT_BYTES - putting.OVERHEAD_BYTES
    document = json.loads(message)
    return document["body"], document["@ptr.$['body']"]


def test_what_does_not_fit_an_event_is_an_object(sender: Sender, logs: Any, streaming: Any, now_ms: Now) -> None:
    large(sender, now_ms())
    beginning, pointer = pointer_of(logs)
    assert LONG.startswith(beginning)
    assert beginning + fetched(streaming, pointer) == LONG


def test_insights_show_the_pointer(sender: Sender, logs: Any, now_ms: Now, cloud: Account) -> None:
    pytest.importorskip("duckdb")
    large(sender, now_ms())
    _, pointer = pointer_of(logs)
    now = now_ms() // 1000
    text = "fields `@ptr.$['body']`, @ptr"
    query = logs.start_query(logGroupName=GROUP, queryString=text, startTime=now - 60, endTime=now + 60)["queryId"]
    cloud.settle()
    [[field, row]] = logs.get_query_results(queryId=query)["results"]
    assert field == {"field": "@ptr.$['body']", "value": pointer}
    found = logs.get_log_record(logRecordPointer=row["value"])["logRecord"]
    assert found["@ptr.$['body']"] == pointer


def test_objects_go_with_their_events(
    sender: Sender, logs: Any, streaming: Any, now_ms: Now, cloud: Account, storage: Storage
) -> None:
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    large(sender, now_ms())
    _, pointer = pointer_of(logs)
    cloud.advance(2 * 86_400)
    with refused("ResourceNotFoundException", "The specified log object does not exist."):
        fetched(streaming, pointer)
    cloud.settle()
    assert objects(storage, storage.group().id) == []


@pytest.mark.parametrize("what", ["group", "stream"])
def test_objects_go_with_what_is_deleted(
    sender: Sender, logs: Any, streaming: Any, now_ms: Now, cloud: Account, storage: Storage, what: str
) -> None:
    large(sender, now_ms())
    _, pointer = pointer_of(logs)
    group = storage.group().id
    assert len(objects(storage, group)) == 1
    if what == "group":
        logs.delete_log_group(logGroupName=GROUP)
    else:
        logs.delete_log_stream(logGroupName=GROUP, logStreamName="one")
    cloud.settle()
    assert objects(storage, group) == []
    with refused("ResourceNotFoundException"):
        fetched(streaming, pointer)


@pytest.mark.parametrize("what", ["time", "stream", "group"])
def test_objects_go_some_at_a_time(
    logs: Any, stream: dict[str, str], now_ms: Now, cloud: Account, storage: Storage, monkeypatch: Any, what: str
) -> None:
    monkeypatch.setattr(large_objects, "_AT_ONCE", 3)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="two")
    logs.put_log_events(**stream, logEvents=[{"timestamp": now_ms(), "message": "a"}])
    group = storage.group()
    [first, second] = storage.transact(lambda ctx: STREAMS.range(ctx, group.id))
    old, young = now_ms(), now_ms() + 2 * 86_400_000

    def fill(ctx: Any) -> None:
        for number in range(20):
            of, at = (first, old) if number % 2 else (second, young)
            blob = f"{number:040x}"
            large_objects.keep(ctx, LargeObject(group.id, number.to_bytes(16), of.id, at, at, blob))

    storage.transact(fill)
    if what == "time":
        cloud.advance(4 * 86_400)
    elif what == "stream":
        logs.delete_log_stream(**stream)
    else:
        logs.delete_log_group(logGroupName=GROUP)
    cloud.settle()
    assert len(objects(storage, group.id)) == (0 if what == "group" else 10)
    assert {each.stream for each in objects(storage, group.id)} <= {second.id}


def objects(storage: Storage, group: bytes) -> list[Any]:
    found: list[Any] = storage.transact(lambda ctx: LARGE_OBJECTS.range(ctx, group))
    return found


def test_objects_are_masked_and_sealed(sender: Sender, logs: Any, streaming: Any, now_ms: Now, cloud: Account) -> None:
    from tests.services.operations.logs.protection.test_data_protection import policy

    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.us-east-1.amazonaws.com"},
        "Action": "kms:*",
        "Resource": "*",
    }
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [own, statement]})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=document)
    logs.associate_kms_key(logGroupName=GROUP, kmsKeyId=key)
    logs.put_data_protection_policy(logGroupIdentifier=GROUP, policyDocument=policy("EmailAddress"))
    text = "jane@example.com " * 70_000
    sent = record(timeUnixNano=now_ms() * 1_000_000, body={"stringValue": text})
    assert sender.signed("/v1/logs", sent) == (200, b"{}")
    beginning, pointer = pointer_of(logs)
    assert beginning + fetched(streaming, pointer) == f"{'*' * 16} " * 70_000
    assert fetched(streaming, pointer, unmask=True).endswith("jane@example.com ")


@pytest.mark.parametrize("then", ["too old", "too large"])
def test_what_is_not_kept_leaves_no_files(
    sender: Sender, logs: Any, now_ms: Now, cloud: Account, storage: Storage, then: str
) -> None:
    folder = storage.runtime.blobs.folder
    before = set(folder.rglob("*"))
    body = {"stringValue": LONG}
    if then == "too old":
        sent = record(timeUnixNano=(now_ms() - 15 * 86_400_000) * 1_000_000, body=body)
        assert b"tooOldLogEventCount" in sender.signed("/v1/logs", sent)[1]
    else:
        sent = record(timeUnixNano=now_ms() * 1_000_000, body=body)
        many = [{"key": f"k{index}", "value": {"intValue": index}} for index in range(100_000)]
        records = sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        records.append({"timeUnixNano": now_ms() * 1_000_000, "attributes": many})
        assert sender.signed("/v1/logs", sent)[0] == 400
    cloud.settle()
    storage.wait_for_deletions()
    assert not [path for path in set(folder.rglob("*")) - before if path.is_file()]
    assert messages(logs) == []


def test_fields_that_may_be_cut(sender: Sender, logs: Any, streaming: Any, now_ms: Now) -> None:
    texts = {"big": "b" * 900_000, "small": "s" * 300_000}
    attributes = [{"key": key, "value": {"stringValue": text}} for key, text in texts.items()]
    sent = record(timeUnixNano=now_ms() * 1_000_000, attributes=attributes)
    header = {"x-aws-truncatable-fields": "$['attributes']['small']"}
    assert sender.signed("/v1/logs", sent, header) == (200, b"{}")
    [message] = messages(logs)
    document = json.loads(message)
    assert len(document["attributes"]["big"]) == 900_000
    pointer = document["@ptr.$['attributes']['small']"]
    assert document["attributes"]["small"] + fetched(streaming, pointer) == texts["small"]
    header = {"x-aws-truncatable-fields": "$.attributes.none"}
    assert sender.signed("/v1/logs", sent, header)[0] == 400


@pytest.mark.parametrize(
    ("pointer", "code"),
    [("nonsense", "InvalidParameterException"), (f"{'0' * 16}-{'0' * 32}", "ResourceNotFoundException")],
)
def test_pointers_to_nothing(streaming: Any, pointer: str, code: str) -> None:
    with refused(code):
        streaming.get_log_object(logObjectPointer=pointer)
