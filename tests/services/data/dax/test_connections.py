"""Connections that do not behave: every one is answered or ended, and none takes another with it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cumulo.accelerator import Session, _request_digest
from cumulo.wire.dax import answers, calls, items
from cumulo.wire.dax.items import Reader
from tests.conftest import Account, RunningCloud
from tests.services.data.dax.conftest import make_role
from tests.services.data.dax.test_items import table

GREETING = items.text("J7yne5G") + items.integer(0) + items.binary(b"session") + items.mapping(()) + items.integer(0)
INTERNAL = answers.ERRORS["InternalServerError"]
GET, SCAN, BATCH_GET = 263244906, -1875390620, -697851100


class Line:
    """A connection to the cluster, byte by byte."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def greet(self, account: str, token: bytes = items.NULL) -> Line:
        """Greet and say who it is, which has no answer."""
        self.socket.sendall(GREETING + authorization(account, token))
        return self

    def send(self, method: int, *arguments: bytes) -> None:
        self.socket.sendall(call(method, *arguments))

    def ask(self, method: int, *arguments: bytes) -> tuple[list[int], Any]:
        """The numbers of the error, and what the answer begins with: its message or the result."""
        self.send(method, *arguments)
        return self.answer()

    def answer(self) -> tuple[list[int], Any]:
        data = b""
        while True:
            more = self.socket.recv(1 << 16)
            assert more, "the server has ended the connection"
            data += more
            reader = Reader(data)
            try:
                numbers, first = reader.item(), reader.item()
                if numbers:
                    reader.item()
                return numbers, first
            except items.Truncated:
                continue

    def ended(self) -> bool:
        """Whether the server ends the connection, without an answer."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def call(method: int, *arguments: bytes) -> bytes:
    return items.integer(calls.SERVICE) + items.integer(method) + b"".join(arguments)


def authorization(account: str, token: bytes = items.NULL) -> bytes:
    """The call that says who it is: a key that cumulo did not issue needs no right signature."""
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    signed = f"AWS4-HMAC-SHA256\n{date}\n{date[:8]}/us-east-1/dax/aws4_request\n{_request_digest(date)}"
    return call(
        calls.AUTHORIZE, items.text(account), items.text("none"), items.binary(signed.encode()), token, items.NULL
    )


@pytest.fixture
def line(cloud: Account, cluster: Any) -> Iterator[Callable[[], Line]]:
    """Opens connections."""
    opened: list[Line] = []

    def open_line() -> Line:
        opened.append(Line(cloud.running.cloud.port))
        return opened[-1]

    yield open_line
    for each in opened:
        each.socket.close()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60))
@example(b"\x01" + b"\x9b" + b"\xff" * 8)
@example(b"\x01" + b"\x81" * 300)
@example(b"\xff")
def test_whatever_follows_the_greeting_the_next_client_is_served(
    cloud: Account, line: Callable[[], Line], data: bytes
) -> None:
    for known in (b"", authorization(cloud.account)):
        one = line()
        one.socket.sendall(GREETING + known + data)
        one.socket.shutdown(socket.SHUT_WR)
        while not one.ended():
            pass
    assert line().greet(cloud.account).ask(calls.DEFINE_LIST, items.integer(1)) == ([], [])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_every_call_with_wrong_arguments_is_answered(cloud: Account, line: Callable[[], Line], data: Any) -> None:
    method = data.draw(st.sampled_from([number for number in calls.METHODS if number != calls.AUTHORIZE]))
    scalar = st.sampled_from([b"\x00", b"\x20", b"\x41\xff", b"\x61a", b"\x40", items.NULL, b"\xf9\x7c\x00", b"\xf5"])
    argument = st.one_of(
        scalar,
        st.lists(scalar, max_size=3).map(items.array),
        st.lists(st.tuples(st.sampled_from([b"\x00", b"\x08", b"\x61a"]), scalar), max_size=3).map(items.mapping),
    )
    arguments = [data.draw(argument) for _ in range(calls.METHODS[method].arguments)]
    one = line().greet(cloud.account)
    numbers, _ = one.ask(method, *arguments)
    assert numbers != list(INTERNAL)
    assert one.ask(calls.DEFINE_LIST, items.integer(1)) == ([], [])


@pytest.mark.parametrize("number", [b"\x80", b"\x20", b"\x1b" + b"\xff" * 8, b"\x61a"])
def test_no_number_of_a_list(cloud: Account, line: Callable[[], Line], number: bytes) -> None:
    _, message = line().greet(cloud.account).ask(calls.DEFINE_LIST, number)
    assert message == "The request is malformed: no number of a list of names"


def test_too_much(cloud: Account, line: Callable[[], Line]) -> None:
    stranger = line()
    stranger.socket.sendall(GREETING + b"\x01")
    with pytest.raises(ConnectionError):  # 64 KiB are all that one who has not said who it is may send
        for _ in range(100):
            stranger.socket.sendall(b"\x5a\x01\x00\x00\x00" + bytes(1 << 16))
    names = items.array(items.text("n" * 1000) for _ in range(500))
    one = line().greet(cloud.account)
    assert "too long" in one.ask(calls.DEFINE_LIST_NUMBER, names)[1]
    tables = items.mapping((items.text(f"table{number}"), items.NULL) for number in range(101))
    assert "too many tables" in one.ask(BATCH_GET, tables, items.NULL)[1]
    one.send(calls.DEFINE_LIST_NUMBER, items.head(4, 1 << 20) + bytes(1 << 20))
    assert one.ended()


def test_a_client_that_says_no_more_is_answered(cloud: Account, line: Callable[[], Line]) -> None:
    one = line().greet(cloud.account)
    one.socket.sendall(call(calls.DEFINE_LIST, items.integer(1)) + call(calls.DEFINE_LIST, items.integer(1)))
    one.socket.shutdown(socket.SHUT_WR)
    data = b""
    while more := one.socket.recv(100):
        data += more
    assert data == b"\x80\x80" * 2


def test_a_call_cut_in_the_middle(cloud: Account, line: Callable[[], Line]) -> None:
    whole = call(GET, items.text("things"), items.binary(b"key"), items.NULL)
    for end in range(1, len(whole)):
        one = line().greet(cloud.account)
        one.socket.sendall(whole[:end])
        one.socket.shutdown(socket.SHUT_WR)
        assert one.ended()


def test_who_is_not_known_and_who_has_no_cluster(cloud: Account, line: Callable[[], Line]) -> None:
    one = line()
    one.socket.sendall(GREETING)
    assert one.ask(calls.ENDPOINTS) == ([4, 23, 31, 33], "The connection is not authenticated.")
    assert line().greet(cloud.account, token=b"\x80").ask(calls.ENDPOINTS)[0] == [4, 23, 31, 33]
    other = line().greet(cloud.another().account)
    for method, arguments in ((calls.ENDPOINTS, ()), (calls.DEFINE_LIST_NUMBER, (items.array((items.text("a"),)),))):
        assert "has no available DAX cluster" in other.ask(method, *arguments)[1]


def test_who_changes_its_account_sees_the_tables_of_the_new_one(cloud: Account, line: Callable[[], Line]) -> None:
    table(cloud, "things", id="S")
    one = line().greet(cloud.account)
    assert one.ask(calls.DEFINE_KEY_SCHEMA, items.text("things")) == ([], {"id": "S"})
    other = cloud.another()
    other.client("dax").create_cluster(
        ClusterName="fast", NodeType="dax.r5.large", ReplicationFactor=1, IamRoleArn=make_role(other)
    )
    cloud.advance(2)
    table(other, "things", other="N")
    one.socket.sendall(authorization(other.account))
    assert one.ask(calls.DEFINE_KEY_SCHEMA, items.text("things")) == ([], {"other": "N"})


def test_a_table_made_anew_with_another_key(cloud: Account, line: Callable[[], Line]) -> None:
    dynamodb = table(cloud, "things", id="S")
    one = line().greet(cloud.account)
    assert one.ask(SCAN, items.text("things"), items.NULL)[0] == []
    dynamodb.delete_table(TableName="things")
    cloud.settle()
    table(cloud, "things", other="N")
    dynamodb.put_item(TableName="things", Item={"other": {"N": "1"}})
    assert "a key of another table" in one.ask(SCAN, items.text("things"), items.NULL)[1]
    assert one.ask(SCAN, items.text("things"), items.NULL)[0] == []


def test_a_stop_lets_a_call_finish_and_waits_for_no_other(
    start_cloud: Callable[..., RunningCloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start_cloud(drain_timeout_s=60)
    begun, go_on = threading.Event(), asyncio.Event()

    async def slow(session: Session, number: int, *_: Any) -> bytes:
        if number == calls.AUTHORIZE:
            return b""
        begun.set()
        await go_on.wait()
        return answers.OK + items.array(())

    monkeypatch.setattr(Session, "_answer", slow)
    busy, idle, half = (Line(running.cloud.port).greet("123456789012") for _ in range(3))
    half.socket.sendall(call(GET)[:3])
    busy.send(calls.DEFINE_LIST, items.integer(1))
    assert begun.wait(20)
    stopping = threading.Thread(target=running.stop)
    stopping.start()
    assert idle.ended() and half.ended()
    running.loop.call_soon_threadsafe(go_on.set)
    assert busy.answer() == ([], [])
    assert busy.ended()
    stopping.join(30)
    assert not stopping.is_alive()
    for each in (busy, idle, half):
        each.socket.close()


def test_after_a_restart_the_cluster_still_knows_whom_to_let_in(
    start_cloud: Callable[..., RunningCloud], tmp_path: Path
) -> None:
    amazondax = pytest.importorskip("amazondax")
    running = start_cloud(tmp_path)
    cloud = Account(running, "123456789012")
    table(cloud, "things", id="S")
    cloud.client("dax").create_cluster(
        ClusterName="fast", NodeType="dax.r5.large", ReplicationFactor=1, IamRoleArn=make_role(cloud)
    )
    cloud.advance(2)
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    running.stop()
    running = start_cloud(tmp_path)
    client = amazondax.AmazonDaxClient(
        endpoint_url=f"dax://localhost:{running.cloud.port}",
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    try:
        with pytest.raises(ClientError, match="is not authorized to perform: dax:GetItem"):
            client.get_item(TableName="things", Key={"id": {"S": "a"}})
    finally:
        client.close()
    running.stop()


def test_amazons_own_client_over_tls(cloud: Account, dax: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    amazondax = pytest.importorskip("amazondax")
    dynamodb = table(cloud, "things", id="S")
    dax.create_cluster(
        ClusterName="sealed",
        NodeType="dax.r5.large",
        ReplicationFactor=1,
        IamRoleArn=make_role(cloud),
        ClusterEndpointEncryptionType="TLS",
    )
    cloud.advance(2)
    url = dax.describe_clusters()["Clusters"][0]["ClusterDiscoveryEndpoint"]["URL"]
    assert url.startswith("daxs://")
    monkeypatch.setenv("SSL_CERT_FILE", str(cloud.running.cloud.authority.ca_path()))
    client = amazondax.AmazonDaxClient(
        endpoint_url=url, region_name="us-east-1", aws_access_key_id=cloud.account, aws_secret_access_key="test"
    )
    try:
        client.put_item(TableName="things", Item={"id": {"S": "a"}, "v": {"S": "ü" * 100_000}})
        assert client.get_item(TableName="things", Key={"id": {"S": "a"}})["Item"]["v"]["S"] == "ü" * 100_000
    finally:
        client.close()
    assert dynamodb.scan(TableName="things")["Count"] == 1
