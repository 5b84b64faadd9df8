"""Whatever arrives over a socket gets AWS's error at once, and leaves nothing behind in the process or its log."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scenarios.raw_client import FORM, JSON, Answer, form, json_fields, read, send, signed, written
from tests.server_process import Server

LIMITS = """
[limits]
header_timeout_s = 0.4
body_timeout_s = 0.4
idle_timeout_s = 5.0
linger_timeout_s = 0.2
buffered_body_bytes = 2000000
"""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("malformed")
    (home / "cumulo.toml").write_text(LIMITS)
    running = Server(home / "cloud", "--config", str(home / "cumulo.toml")).start()
    running.client("sqs").create_queue(QueueName="orders")
    running.client("sns").create_topic(Name="searches")
    yield running
    assert "Traceback" not in running.log.read_text()
    assert "ERROR" not in running.log.read_text()
    running.stop()


def json_request(host: str, operation: str, body: bytes) -> bytes:
    return written(*signed("sqs", body, json_fields(operation), host=host))


def form_request(host: str, service: str, body: bytes) -> bytes:
    return written(*signed(service, body, host=host))


def with_fields(service: str, body: bytes, fields: dict[str, str]) -> Callable[[str], bytes]:
    return lambda host: written(*signed(service, body, fields, host=host))


def sqs(operation: str, body: bytes) -> Callable[[str], bytes]:
    return lambda host: json_request(host, operation, body)


def query(service: str, body: bytes) -> Callable[[str], bytes]:
    return lambda host: form_request(host, service, body)


def unsigned(head: str, body: bytes = b"") -> Callable[[str], bytes]:
    return lambda host: head.replace("HOST", host).replace("\n", "\r\n").encode("latin-1") + body


SEND = b'{"QueueUrl": "http://localhost/000000000000/orders", "MessageBody": '
CASES: dict[str, tuple[Callable[[str], bytes], int, str]] = {
    "json: nothing": (sqs("SendMessage", b""), 400, "?"),
    "json: truncated": (sqs("SendMessage", SEND + b'"hel'), 400, "SerializationException"),
    "json: a list": (sqs("SendMessage", b"[]"), 400, "SerializationException"),
    "json: no JSON": (sqs("SendMessage", b"Action=SendMessage"), 400, "SerializationException"),
    "json: two documents": (sqs("ListQueues", b"{}{}"), 400, "SerializationException"),
    "json: a number for a text": (sqs("SendMessage", SEND + b"1}"), 400, "SerializationException"),
    "json: a text for a number": (sqs("ListQueues", b'{"MaxResults": "many"}'), 400, "SerializationException"),
    "json: a map for a list": (sqs("SendMessageBatch", b'{"Entries": {}}'), 400, "SerializationException"),
    "json: a huge number": (sqs("ListQueues", b'{"MaxResults": ' + b"9" * 100_000 + b"}"), 400, "SerializationException"),
    "json: a huge exponent": (sqs("ListQueues", b'{"MaxResults": 1e999999999}'), 400, "SerializationException"),
    "json: NaN": (sqs("ListQueues", b'{"MaxResults": NaN}'), 400, "SerializationException"),
    "json: deep": (sqs("SendMessage", SEND + b'{"a":' * 100_000), 400, "SerializationException"),
    "json: deep lists": (sqs("SendMessage", b"[" * 500_000), 400, "SerializationException"),
    "json: bad UTF-8": (sqs("SendMessage", SEND + b'"\xff\xfe"}'), 400, "SerializationException"),
    "json: an overlong NUL": (sqs("SendMessage", SEND + b'"\xc0\x80"}'), 400, "SerializationException"),
    "json: a lone surrogate": (sqs("SendMessage", SEND + b'"\\ud800"}'), 400, "SerializationException"),
    "json: a byte order mark": (sqs("ListQueues", b"\xef\xbb\xbf{}"), 400, "SerializationException"),
    "json: a forbidden character": (sqs("SendMessage", SEND + b'"\\u0000"}'), 400, "InvalidMessageContents"),
    "json: not an operation": (sqs("Nope", b"{}"), 400, "UnknownOperationException"),
    "json: not a target": (with_fields("sqs", b"{}", {"Content-Type": JSON, "X-Amz-Target": "Nope"}), 400, "?"),
    "json: a batch without end": (
        sqs("SendMessageBatch", b'{"Entries": [' + b'{"Id":"1","MessageBody":"x"},' * 60_000 + b"]}"), 400, "?"),
    "form: nothing": (query("sns", b""), 400, "MissingAction"),
    "form: truncated escape": (query("sns", b"Action=Publish&Message=%4"), 400, "?"),
    "form: bad UTF-8": (query("sns", form("sns", "Publish") + b"&Message=%ff%fe"), 400, "?"),
    "form: raw bytes": (query("sns", form("sns", "Publish") + b"&Message=\xff\xfe"), 400, "?"),
    "form: not an operation": (query("sns", form("sns", "Nope")), 400, "InvalidAction"),
    "form: no version": (query("sts", b"Action=GetCallerIdentity&Version=1999-01-01"), 400, "InvalidAction"),
    "form: a text for a number": (query("sqs", form("sqs", "ListQueues", MaxResults="many")), 400, "MalformedInput"),
    "form: a huge number": (query("sts", form("sts", "GetSessionToken", DurationSeconds="9" * 5000)), 400, "?"),
    "form: a text for a list": (query("sns", form("sns", "PublishBatch", PublishBatchRequestEntries="x")), 400, "?"),
    "form: a huge index": (
        query("sns", form("sns", "TagResource", **{"Tags.member.99999999999999999999.Key": "x"})), 400, "?"),
    "form: many fields": (query("sns", form("sns", "Publish") + b"&a=1" * 200_000), 400, "?"),
    "form: deep": (query("sns", form("sns", "Publish") + b"&Message" + b".a" * 200_000 + b"=1"), 400, "?"),
    "form: JSON": (query("sns", b'{"Action": "Publish"}'), 400, "MissingAction"),
    "form: XML": (with_fields("sns", b"<Publish>", {"Content-Type": "text/xml"}), 400, "?"),
    "form: a multipart body": (
        with_fields("sts", b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}), 400, "?"),
    "chunks of AWS's: none": (
        with_fields("sqs", b"zz;chunk-signature=1\r\n", json_fields("ListQueues") | {
            "Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": "2"}), 400, "?"),
    "cbor: truncated": (
        with_fields("sqs", b"\xa1\x69Name", {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}),
        400, "?"),
    "cbor: a path of no service": (
        lambda host: written(*signed("sqs", b"\xa0", {"smithy-protocol": "rpc-v2-cbor"}, host=host,
                                     target="/service/Nope/operation/Nope")), 400, "?"),
    "chunks: bad size": (
        unsigned("POST / HTTP/1.1\nHost: HOST\nTransfer-Encoding: chunked\n\nzz\n"), 400, "?"),
    "chunks: cut": (
        unsigned("POST / HTTP/1.1\nHost: HOST\nTransfer-Encoding: chunked\n\n5\nab"), 408, "RequestTimeout"),
    "http: none": (unsigned("hello\n\n"), 400, "?"),
    "http: giant header": (unsigned("GET / HTTP/1.1\nHost: HOST\nA: " + "b" * 200_000 + "\n\n"), 431, "?"),
    "http: many headers": (unsigned("GET / HTTP/1.1\nHost: HOST\n" + "A: b\n" * 1000 + "\n"), 431, "?"),
    "http: giant target": (unsigned("GET /" + "a" * 200_000 + " HTTP/1.1\nHost: HOST\n\n"), 414, "?"),
    "http: a body too large": (unsigned("POST / HTTP/1.1\nHost: HOST\nContent-Length: 9999999999\n\n"), 413, "?"),
    "http: a bad path": (unsigned("GET /%ff%fe HTTP/1.1\nHost: HOST\n\n"), 400, "?"),
    "http: a foreign host": (unsigned("GET / HTTP/1.1\nHost: evil.example\n\n"), 403, "?"),
    "slow: a header": (unsigned("GET / HTTP/1.1\nHost: HO"), 408, "RequestTimeout"),
    "slow: a body": (unsigned("POST / HTTP/1.1\nHost: HOST\nContent-Length: 10\n\nabc"), 408, "RequestTimeout"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_malformed_requests(server: Server, name: str) -> None:
    make, status, code = CASES[name]
    answer = send(server.port, make(f"localhost:{server.port}"))
    print("RESULT", name, "|", answer)
    assert answer is not None
    assert (answer.status, answer.code) == (status, code)
