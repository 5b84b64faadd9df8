"""Whatever arrives over a socket gets AWS's error at once, and leaves nothing behind in the process or its log."""

import asyncio
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulo.gateway.limits import Limits
from cumulo.wire import models
from cumulo.wire.http import Request
from tests.conftest import RunningCloud
from tests.scenarios.raw_client import FORM, JSON, form, json_fields, read, send, signed, written
from tests.server_process import Server
from tests.wire.calls import Values
from tests.wire.calls import written as request_of

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


def fields(service: str, body: bytes, given: dict[str, str]) -> Callable[[str], bytes]:
    return lambda host: written(*signed(service, body, given, host=host))


def sqs(operation: str, body: bytes) -> Callable[[str], bytes]:
    return lambda host: json_request(host, operation, body)


def query(service: str, body: bytes) -> Callable[[str], bytes]:
    return lambda host: form_request(host, service, body)


def unsigned(head: str, body: bytes = b"") -> Callable[[str], bytes]:
    return lambda host: head.replace("HOST", host).replace("\n", "\r\n").encode("latin-1") + body


SERIALIZATION, UNKNOWN, INPUT = "SerializationException", "UnknownOperationException", "MalformedInput"
HEADERS, TOO_LARGE = "RequestHeaderSectionTooLarge", "RequestEntityTooLarge"
SEND = b'{"QueueUrl": "http://localhost/000000000000/orders", "MessageBody": '
CASES: dict[str, tuple[Callable[[str], bytes], int, str]] = {
    "json: nothing": (sqs("SendMessage", b""), 400, "MissingRequiredParameterException"),
    "json: truncated": (sqs("SendMessage", SEND + b'"hel'), 400, SERIALIZATION),
    "json: a list": (sqs("SendMessage", b"[]"), 400, SERIALIZATION),
    "json: no JSON": (sqs("SendMessage", b"Action=SendMessage"), 400, SERIALIZATION),
    "json: two documents": (sqs("ListQueues", b"{}{}"), 400, SERIALIZATION),
    "json: a number for a text": (sqs("SendMessage", SEND + b"1}"), 400, SERIALIZATION),
    "json: a text for a number": (sqs("ListQueues", b'{"MaxResults": "many"}'), 400, SERIALIZATION),
    "json: a map for a list": (sqs("SendMessageBatch", b'{"Entries": {}}'), 400, SERIALIZATION),
    "json: a huge number": (sqs("ListQueues", b'{"MaxResults": ' + b"9" * 100_000 + b"}"), 400, SERIALIZATION),
    "json: a huge exponent": (sqs("ListQueues", b'{"MaxResults": 1e999999999}'), 400, SERIALIZATION),
    "json: NaN": (sqs("ListQueues", b'{"MaxResults": NaN}'), 400, SERIALIZATION),
    "json: deep": (sqs("SendMessage", SEND + b'{"a":' * 100_000), 400, SERIALIZATION),
    "json: deep lists": (sqs("SendMessage", b"[" * 500_000), 400, SERIALIZATION),
    "json: bad UTF-8": (sqs("SendMessage", SEND + b'"\xff\xfe"}'), 400, SERIALIZATION),
    "json: an overlong NUL": (sqs("SendMessage", SEND + b'"\xc0\x80"}'), 400, SERIALIZATION),
    "json: a lone surrogate": (sqs("SendMessage", SEND + b'"\\ud800"}'), 400, SERIALIZATION),
    "json: a byte order mark": (sqs("ListQueues", b"\xef\xbb\xbf{}"), 400, SERIALIZATION),
    "json: a forbidden character": (sqs("SendMessage", SEND + b'"\\u0000"}'), 400, "InvalidMessageContents"),
    "json: not an operation": (sqs("Nope", b"{}"), 400, UNKNOWN),
    "json: not a target": (fields("sqs", b"{}", {"Content-Type": JSON, "X-Amz-Target": "Nope"}), 400, UNKNOWN),
    "json: a batch without end": (
        sqs("SendMessageBatch", b'{"Entries": [' + b'{"Id":"1"},' * 60_000 + b"]}"), 400, SERIALIZATION),
    "form: nothing": (query("sns", b""), 400, "MissingAction"),
    "form: truncated escape": (query("sns", b"Action=Publish&Message=%4"), 400, "InvalidParameter"),
    "form: bad UTF-8": (query("sns", form("sns", "Publish") + b"&Message=%ff%fe"), 400, "MalformedQueryString"),
    "form: raw bytes": (query("sns", form("sns", "Publish") + b"&Message=\xff\xfe"), 400, "MalformedQueryString"),
    "form: not an operation": (query("sns", form("sns", "Nope")), 400, "InvalidAction"),
    "form: a text for a number": (query("sqs", form("sqs", "ListQueues", MaxResults="many")), 400, INPUT),
    "form: a huge number": (query("sts", form("sts", "GetSessionToken", DurationSeconds="9" * 5000)), 400, INPUT),
    "form: a text for a list": (query("sns", form("sns", "PublishBatch", PublishBatchRequestEntries="x")), 400, INPUT),
    "form: a huge index": (
        query("sns", form("sns", "TagResource", **{"Tags.member.99999999999999999999.Key": "x"})), 400, INPUT),
    "form: many fields": (query("sns", form("sns", "Publish") + b"&a=1" * 200_000), 400, "MalformedQueryString"),
    "form: deep": (query("sns", form("sns", "Publish") + b"&Message" + b".a" * 200_000 + b"=1"), 400, INPUT),
    "form: JSON": (query("sns", b'{"Action": "Publish"}'), 400, "MissingAction"),
    "form: XML": (fields("sns", b"<Publish>", {"Content-Type": "text/xml"}), 404, UNKNOWN),
    "form: a multipart body": (
        fields("sts", b"--x\r\n", {"Content-Type": "multipart/form-data; boundary=x"}), 404, UNKNOWN),
    "chunks of AWS's: none": (
        fields("sqs", b"zz;chunk-signature=1\r\n", json_fields("ListQueues") | {
            "Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": "2"}), 400, SERIALIZATION),
    "cbor: truncated": (
        fields("sqs", b"\xa1\x69Name", {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}),
        404, UNKNOWN),
    "cbor: a path of no service": (
        lambda host: written(*signed("sqs", b"\xa0", {"smithy-protocol": "rpc-v2-cbor"}, host=host,
                                     target="/service/Nope/operation/Nope")), 404, UNKNOWN),
    "chunks: bad size": (
        unsigned("POST / HTTP/1.1\nHost: HOST\nTransfer-Encoding: chunked\n\nzz\n"), 400, "BadRequest"),
    "chunks: cut": (
        unsigned("POST / HTTP/1.1\nHost: HOST\nTransfer-Encoding: chunked\n\n5\nab"), 408, "RequestTimeout"),
    "http: none": (unsigned("hello\n\n"), 400, "BadRequest"),
    "http: giant header": (unsigned("GET / HTTP/1.1\nHost: HOST\nA: " + "b" * 200_000 + "\n\n"), 431, HEADERS),
    "http: many headers": (unsigned("GET / HTTP/1.1\nHost: HOST\n" + "A: b\n" * 1000 + "\n"), 431, HEADERS),
    "http: giant target": (unsigned("GET /" + "a" * 200_000 + " HTTP/1.1\nHost: HOST\n\n"), 431, HEADERS),
    "http: a body too large": (unsigned("POST / HTTP/1.1\nHost: HOST\nContent-Length: 99999999\n\n"), 413, TOO_LARGE),
    "http: a bad path": (unsigned("GET /%ff%fe HTTP/1.1\nHost: HOST\n\n"), 400, "InvalidURI"),
    "http: a foreign host": (unsigned("GET / HTTP/1.1\nHost: evil.example\n\n"), 403, "ForbiddenHost"),
    "slow: a header": (unsigned("GET / HTTP/1.1\nHost: HO"), 408, "RequestTimeout"),
    "slow: a body": (unsigned("POST / HTTP/1.1\nHost: HOST\nContent-Length: 10\n\nabc"), 408, "RequestTimeout"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_malformed_requests(server: Server, name: str) -> None:
    make, status, code = CASES[name]
    answer = send(server.port, make(f"localhost:{server.port}"))
    assert answer is not None
    assert (answer.status, answer.code) == (status, code)


def test_a_client_that_has_said_all_is_answered(server: Server) -> None:
    data = json_request(f"localhost:{server.port}", "ListQueues", b"{}")
    answer = send(server.port, data, half_close=True)
    assert answer is not None and answer.status == 200


def test_a_body_that_ends_early_is_no_request(server: Server) -> None:
    data = json_request(f"localhost:{server.port}", "ListQueues", b"{}" + b" " * 100)
    begin = time.monotonic()
    answer = send(server.port, data[:-50], half_close=True)
    assert answer is None or answer.status == 400
    assert time.monotonic() - begin < 5


def test_a_client_that_writes_byte_by_byte_is_served(server: Server) -> None:
    data = json_request(f"localhost:{server.port}", "ListQueues", b"{}")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(len(data)):
            connection.sendall(data[at : at + 1])
        answer = read(connection)
    assert answer is not None and answer.status == 200


@pytest.mark.parametrize("how", ["half-closed", "reset"])
def test_a_long_poll_that_nobody_waits_for_takes_nothing(server: Server, how: str) -> None:
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName=how)["QueueUrl"]
    body = b'{"WaitTimeSeconds": 20, "QueueUrl": "%s"}' % url.encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(json_request(f"localhost:{server.port}", "ReceiveMessage", body))
        time.sleep(0.3)  # until the poll is surely there
        if how == "half-closed":
            connection.shutdown(socket.SHUT_WR)
            answer = read(connection)
            assert answer is None or answer.body == b"{}"
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    time.sleep(0.1)  # the server hears of the reset
    sqs.send_message(QueueUrl=url, MessageBody="for another")
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "for another"


def usage(server: Server) -> tuple[int, int]:
    """Resident bytes and open files of the server."""
    resident = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    return resident, len(os.listdir(f"/proc/{server.pid}/fd"))  # noqa: PTH208


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_process_does_not_grow(server: Server) -> None:
    host = f"localhost:{server.port}"
    quick = [make(host) for name, (make, *_) in CASES.items() if "slow" not in name and "cut" not in name]

    def rounds(count: int) -> tuple[int, int]:
        for _ in range(count):
            for data in quick:
                assert send(server.port, data) is not None
        deadline = time.monotonic() + 60
        while usage(server)[1] > files and time.monotonic() < deadline:
            time.sleep(0.05)  # lingering connections end
        return usage(server)

    files = 1_000_000
    rounds(2)
    files = usage(server)[1]
    before, _ = rounds(1)
    after, files_after = rounds(6)
    print(f"{7 * len(quick)} requests: {before / MIB:.1f} → {after / MIB:.1f} MiB, {files} → {files_after} files")
    assert files_after <= files
    assert after - before < 12 * MIB


def test_no_work_is_left_behind(start_cloud: Callable[..., RunningCloud]) -> None:
    limits = Limits(header_timeout_s=0.4, body_timeout_s=0.4, linger_timeout_s=0.2)
    running = start_cloud(limits=limits)

    async def tasks() -> int:
        return len(asyncio.all_tasks())

    def all_cases() -> int:
        for make, *_ in CASES.values():
            send(running.cloud.port, make(f"localhost:{running.cloud.port}"))
        running.settle()
        return int(running.run(tasks()))

    before = all_cases()
    assert all_cases() <= before


OPERATIONS = sorted(
    (service, name, protocol)
    for service in ("sqs", "sns", "sts")
    for protocol in ("json", "query")
    if protocol in models.load(service).protocols
    for name in models.load(service).operations
)
JUNK = [
    b"\xff\xfe",
    b"\x00",
    b"]" * 50,
    b'{"a":' * 50,
    b"9" * 60,
    b"\xed\xa0\x80",
    b"&=.%",
    b"null",
    b"-1",
    b"&Action=X",
]


def sample(service: str, name: str, protocol: str, seed: int, host: str) -> Request:
    """A request that the model allows, about the queue and the topic that are there."""
    operation = models.load(service).operations[name]
    params = Values(random.Random(seed)).structure(operation.input) if operation.input is not None else {}
    there = {
        "QueueUrl": f"http://{host}/000000000000/orders",
        "TopicArn": "arn:aws:sns:us-east-1:000000000000:searches",
        "QueueName": "orders",
        "WaitTimeSeconds": 0,
    }
    if name not in ("DeleteQueue", "DeleteTopic"):
        params = {key: there.get(key, value) for key, value in params.items()}
    return request_of(service, name, params, protocol)


def mutated(body: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    turned = bytearray(body)
    if turned:
        turned[chance.randrange(len(turned))] ^= 1 << chance.randrange(8)
    variants = [body[:at], bytes(turned), body[:at] + chance.choice(JUNK) + body[at:], body + body, body[at:], body]
    return chance.choice(variants)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(what=st.sampled_from(OPERATIONS), seed=st.integers(0, 1 << 30))
def test_broken_requests_end_to_end(server: Server, what: tuple[str, str, str], seed: int) -> None:
    """Whatever a signed body says, the answer is one of AWS's: no 500, no silence."""
    service, name, protocol = what
    host = f"localhost:{server.port}"
    chance = random.Random(seed)
    valid = sample(service, name, protocol, seed, host)
    given = {"Content-Type": FORM} if protocol == "query" else json_fields(name)
    for body in (valid.body, *[mutated(valid.body, chance) for _ in range(4)]):
        answer = send(server.port, written(*signed(service, body, given, host=host)))
        assert answer is not None, body
        assert answer.status < 500 or answer.status == 501, (answer, body)
        assert answer.status < 400 or answer.code, (answer, body)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(what=st.sampled_from(OPERATIONS), seed=st.integers(0, 1 << 30))
def test_broken_bytes_end_to_end(server: Server, what: tuple[str, str, str], seed: int) -> None:
    """As above with the whole request mutated, from its first byte on: an answer or a close, and no hang."""
    service, name, protocol = what
    host = f"localhost:{server.port}"
    valid = sample(service, name, protocol, seed, host)
    given = {"Content-Type": FORM} if protocol == "query" else json_fields(name)
    data = mutated(written(*signed(service, valid.body, given, host=host)), random.Random(seed))
    answer = send(server.port, data, half_close=True)
    assert answer is None or answer.status < 500 or answer.status in (501, 505), (answer, data)
