import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulo.gateway.hosts import Hosts
from cumulo.gateway.tls import Authority
from tests.gateway.served import PATIENCE_S, Served, read_all

Serve = Callable[..., Served]
MIB = 1024 * 1024
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


class Client:
    """h2's client side over a blocking socket."""

    def __init__(self, client: socket.socket, scheme: str = "http") -> None:
        self.socket = client
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self._scheme = scheme
        self.flush()
        self.bodies: dict[int, bytes] = {}
        self.heads: dict[int, dict[str, str]] = {}
        self.informational: list[int] = []
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.goaway: int | None = None
        self.acknowledge = True

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def ask(
        self, path: str, method: str = "GET", *fields: tuple[str, str], end: bool = True, host: str = "localhost"
    ) -> int:
        number = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":scheme", self._scheme), (":authority", host), (":path", path)]
        self.h2.send_headers(number, [*pseudo, *fields], end_stream=end)
        self.flush()
        return number

    def read(self) -> bool:
        data = self.socket.recv(65536)
        if not data:
            return False
        for event in self.h2.receive_data(data):
            self._note(event)
        self.flush()
        return True

    def _note(self, event: Any) -> None:
        if isinstance(event, h2.events.ResponseReceived):
            self.heads[event.stream_id] = dict(event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            self.informational.append(event.stream_id)
        elif isinstance(event, h2.events.DataReceived):
            self.bodies[event.stream_id] = self.bodies.get(event.stream_id, b"") + event.data
            if self.acknowledge:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self.ended.add(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.resets[event.stream_id] = int(event.error_code)
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code)

    def answer(self, number: int) -> tuple[int, dict[str, str], bytes]:
        while number not in self.ended:
            assert self.read(), "the server hung up"
        return int(self.heads[number][":status"]), self.heads[number], self.bodies.get(number, b"")

    def send(self, number: int, data: bytes, *, end: bool = True) -> None:
        view = memoryview(data)
        while view:
            room = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size, len(view))
            if room == 0:
                assert self.read()
                continue
            self.h2.send_data(number, bytes(view[:room]))
            view = view[room:]
            self.flush()
        if end:
            self.h2.end_stream(number)
            self.flush()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def test_many_streams(serve: Serve) -> None:
    served = serve()
    with Client(served.connect()) as client:
        numbers = [client.ask(f"/{name}/{index}") for index in range(15) for name in ("echo", "later", "task", "big")]
        for number in numbers:
            assert client.answer(number)[0] == 200
        assert client.answer(numbers[1])[2] == b"/later/0"
        assert len(client.answer(numbers[3])[2]) == 3_000_000


def test_the_request_as_it_came(serve: Serve) -> None:
    served = serve()
    with Client(served.connect()) as client:
        number = client.ask(
            "/a%2f/b?x=%20", "POST", ("x-amz-target", "A.B"), ("cookie", "a=1"), ("cookie", "b=2"), end=False
        )
        client.send(number, b"hello")
        status, headers, body = client.answer(number)
        seen = json.loads(body)
        assert status == 200
        assert seen["target"] == "/a%2f/b?x=%20"
        assert seen["body"] == "hello"
        assert seen["version"] == "2"
        assert ["host", "localhost"] in seen["headers"]
        assert ["cookie", "a=1; b=2"] in seen["headers"]
        assert headers["content-length"] == str(len(body))
        assert "date" in headers
        assert "connection" not in headers
        head = client.ask("/head-length", "HEAD")
        assert client.answer(head)[1]["content-length"] == "1234567"
        assert client.answer(client.ask("/nothing"))[0] == 204
        assert client.answer(client.ask("/split"))[1]["x-a"] == "b  X-Evil: c"


@pytest.mark.parametrize("path", ["/crash", "/crash-task", "/silent"])
def test_failures(serve: Serve, path: str, caplog: pytest.LogCaptureFixture) -> None:
    served = serve()
    with Client(served.connect()) as client:
        status, _, body = client.answer(client.ask(path))
        assert status == 500
        assert b"secret" not in body
        for broken in ("/crash-midway", "/short"):
            number = client.ask(broken)
            while number not in client.resets:
                assert client.read()
        assert client.answer(client.ask("/"))[0] == 200


def test_streams_and_files(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    content = os.urandom(2 * MIB)
    served.toy.file = tmp_path / "file"
    served.toy.file.write_bytes(content)
    with Client(served.connect()) as client:
        assert client.answer(client.ask(f"/file-?5,{MIB}"))[2] == content[5 : 5 + MIB]
        for path in ("/down?1000000", "/known?1000000"):
            assert client.answer(client.ask(path))[2] == b"z" * 1_000_000
        number = client.ask("/upload", "PUT", end=False)
        client.send(number, content)
        assert json.loads(client.answer(number)[2])["size"] == len(content)
        number = client.ask("/big", "POST", end=False)
        client.send(number, content[:300_000])
        assert len(client.answer(number)[2]) == 3_000_000


def test_an_answer_while_the_body_still_comes(serve: Serve) -> None:
    """Both directions at once, as event streams need it."""
    served = serve()
    with Client(served.connect()) as client:
        number = client.ask("/upload", "PUT", end=False)
        client.send(number, b"x" * 100, end=False)
        other = client.ask("/echo")
        assert client.answer(other)[0] == 200
        client.send(number, b"y" * 100)
        assert json.loads(client.answer(number)[2])["size"] == 200


def test_the_window_holds_the_answer(serve: Serve) -> None:
    served = serve()
    with Client(served.connect()) as client:
        client.acknowledge = False
        number = client.ask("/down?10000000")
        while len(client.bodies.get(number, b"")) < 65535:
            assert client.read()
        other = client.ask("/nothing")  # no window needed
        assert client.answer(other)[0] == 204
        assert len(client.bodies[number]) == 65535
        assert served.toy.most_unsent < 300_000
        client.acknowledge = True
        client.h2.acknowledge_received_data(65535, number)
        client.flush()
        assert len(client.answer(number)[2]) == 10_000_000


def test_the_window_holds_the_body(serve: Serve) -> None:
    served = serve()
    with Client(served.connect()) as client:
        number = client.ask("/upload-held", "PUT", end=False)
        served.wait_for(lambda: served.toy.events)
        sent = 0
        client.socket.settimeout(0.1)
        try:
            while sent < 64 * MIB:
                room = min(client.h2.local_flow_control_window(number), 16384)
                if room:
                    client.h2.send_data(number, b"u" * room)
                    client.flush()
                    sent += room
                else:
                    client.read()
        except TimeoutError:
            pass
        assert sent <= 256 * 1024
        client.socket.settimeout(PATIENCE_S)
        served.call(served.toy.release.set)
        client.send(number, b"v" * (2 * MIB))
        assert json.loads(client.answer(number)[2])["size"] == sent + 2 * MIB


def test_continue_and_refusals(serve: Serve) -> None:
    served = serve(limits={"buffered_body_bytes": 100_000})
    with Client(served.connect()) as client:
        expect = ("expect", "100-continue")
        number = client.ask("/", "PUT", expect, end=False)
        while number not in client.informational:
            assert client.read()
        client.send(number, b"hi")
        assert client.answer(number)[0] == 200
        assert client.answer(client.ask("/forbidden", "PUT", expect, end=False))[0] == 403
        assert client.answer(client.ask("/unexpected", "PUT", expect, end=False))[0] == 417
        assert client.answer(client.ask("/odd", "PUT", expect, end=False))[0] == 500
        assert client.answer(client.ask("/", "PUT", ("content-length", "100001"), end=False))[0] == 413
        number = client.ask("/", "PUT", end=False)
        client.send(number, b"x" * 100_001, end=False)
        assert client.answer(number)[0] == 413
        assert client.answer(client.ask("/upload-denied", "PUT", end=False))[0] == 403
        assert client.answer(client.ask("/", "PURGE"))[0] == 405
        assert client.answer(client.ask("/" + "t" * 40_000))[0] == 414
        assert client.answer(client.ask("/", "GET", *[("a", "b")] * 300))[0] == 431
        assert client.answer(client.ask("/", host="evil.example"))[0] == 403
        assert client.answer(client.ask("/", "GET", ("origin", "http://evil.example")))[0] == 403
        status, headers, _ = client.answer(
            client.ask("/", "OPTIONS", ("origin", "http://localhost:3000"), ("access-control-request-method", "PUT"))
        )
        assert (status, headers["access-control-allow-origin"]) == (204, "http://localhost:3000")


def test_unread_bodies_give_the_window_back(serve: Serve) -> None:
    served = serve()
    with Client(served.connect()) as client:
        for _ in range(40):
            number = client.ask("/upload-denied", "PUT", end=False)
            client.send(number, b"x" * 65_000, end=False)
            assert client.answer(number)[0] == 403
        number = client.ask("/upload", "PUT", end=False)
        client.send(number, b"x" * (2 * MIB))
        assert json.loads(client.answer(number)[2])["size"] == 2 * MIB


def test_a_cancelled_stream_is_a_disconnect(serve: Serve) -> None:
    served = serve()
    with Client(served.connect()) as client:
        number = client.ask("/hold")
        served.wait_for(lambda: served.toy.events)
        client.h2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
        client.flush()
        served.wait_for(lambda: "disconnect" in served.toy.events)
        served.call(served.toy.release.set)
        assert client.answer(client.ask("/"))[0] == 200


def test_rapid_resets_end_the_connection(serve: Serve) -> None:
    served = serve(limits={"resets_per_connection": 50})
    with Client(served.connect()) as client:
        try:
            for _ in range(500):
                number = client.ask("/hold")
                client.h2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
                client.flush()
        except OSError:
            pass
        try:
            while client.read():
                pass
        except OSError:
            pass
        assert client.goaway in (h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, None)
    served.wait_for(lambda: not served.server.connections)
    assert served.call(lambda: len(served.toy.seen)) <= 51
    served.call(served.toy.release.set)


def test_drain(serve: Serve) -> None:
    served = serve()
    with Client(served.connect()) as client, Client(served.connect()) as idle:
        assert idle.answer(idle.ask("/"))[0] == 200
        client.ask("/hold")
        served.wait_for(lambda: served.toy.events)
        served.call(lambda: served.loop.create_task(served.server.drain(PATIENCE_S)))
        while idle.goaway is None:
            assert idle.read()
        assert idle.socket.recv(1) == b""
        kinds = []  # h2's client would end all streams at a GOAWAY: look at the bytes
        while 0x7 not in kinds:
            head = client.socket.recv(9, socket.MSG_WAITALL)
            client.socket.recv(int.from_bytes(head[:3], "big"), socket.MSG_WAITALL)
            kinds.append(head[3])
        served.call(served.toy.release.set)
        assert b"held" in read_all(client.socket)


@pytest.mark.parametrize("path", ["/upload", "/"])
def test_a_stalled_body(serve: Serve, path: str) -> None:
    served = serve(limits={"body_timeout_s": 0.1})
    with Client(served.connect()) as client:
        number = client.ask(path, "PUT", end=False)
        client.send(number, b"abc", end=False)
        assert client.answer(number)[0] == 408
        assert client.answer(client.ask("/"))[0] == 200


def test_a_stalled_window(serve: Serve) -> None:
    served = serve(limits={"write_timeout_s": 0.1})
    with Client(served.connect()) as client:
        client.acknowledge = False
        number = client.ask("/down?1000000")
        while number not in client.resets:
            assert client.read()
        served.wait_for(lambda: "download stopped" in served.toy.events)


def test_an_idle_connection(serve: Serve) -> None:
    served = serve(limits={"idle_timeout_s": 0.1})
    with Client(served.connect()) as client:
        while client.read():
            pass
        assert client.goaway == 0


def test_over_tls(serve: Serve, tmp_path: Path) -> None:
    import ssl

    authority = Authority(tmp_path / "ca", Hosts(), time.time)
    served = serve(authority=authority)
    context = ssl.create_default_context(cafile=str(authority.ca_path()))
    context.set_alpn_protocols(["h2", "http/1.1"])
    secured = context.wrap_socket(served.connect(), server_hostname="localhost")
    assert secured.selected_alpn_protocol() == "h2"
    with Client(secured, "https") as client:
        assert json.loads(client.answer(client.ask("/"))[2])["scheme"] == "https"
        assert len(client.answer(client.ask("/big"))[2]) == 3_000_000
        number = client.ask("/upload", "PUT", end=False)
        client.send(number, b"x" * 1_000_000)
        assert json.loads(client.answer(number)[2])["size"] == 1_000_000


def test_a_client_that_only_sends_is_not_answered_without_bound(serve: Serve) -> None:
    served = serve(limits={"write_timeout_s": 0.2})
    ping = b"\0\0\x08\x06\0\0\0\0\0" + b"pingping"
    with served.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(0.1)
        try:
            client.sendall(PREFACE + b"\0\0\0\x04\0\0\0\0\0")
            for _ in range(400):
                client.sendall(ping * 4000)
        except OSError:
            pass
        unsent = served.call(
            lambda: max([each.transport.get_write_buffer_size() for each in served.server.connections], default=0)
        )
        assert unsent < 2 * MIB
    served.wait_for(lambda: not served.server.connections)


FRAME = st.builds(
    lambda kind, flags, stream, payload: (
        len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
    ),
    st.integers(0, 12),
    st.integers(0, 255),
    st.sampled_from([0, 1, 1, 2, 3, 2**31 - 1]),
    st.one_of(st.binary(max_size=40), st.sampled_from([b"\x82\x86\x84\x41\x09localhost", b"\0" * 8, b"\0\0\0\1"])),
)


def test_no_frame_breaks_it(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    served = serve(limits={"header_timeout_s": 0.2, "body_timeout_s": 0.2, "idle_timeout_s": 0.2})

    @settings(max_examples=200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(frames=st.lists(FRAME, max_size=8))
    def attempt(frames: list[bytes]) -> None:
        assert b"Traceback" not in served.ask(PREFACE + b"\0\0\0\x04\0\0\0\0\0" + b"".join(frames))

    attempt()
    served.wait_for(lambda: not served.server.connections)
    assert not [record for record in caplog.records if "gateway failed" in record.getMessage()]
    with Client(served.connect()) as client:
        assert client.answer(client.ask("/"))[0] == 200
