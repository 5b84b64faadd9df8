"""Bodies in both directions: streams, files, and memory that stays bounded."""

import asyncio
import hashlib
import http.client
import json
import logging
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cumulo.gateway import files
from cumulo.gateway.bodies import Disconnected
from tests.gateway.served import PATIENCE_S, Served, read_all, read_answer

Serve = Callable[..., Served]
MIB = 1024 * 1024
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_streamed_body_with_a_length(serve: Serve) -> None:
    served = serve()
    body = os.urandom(3 * MIB)
    connection = http.client.HTTPConnection("localhost", served.port, timeout=PATIENCE_S)
    for _ in range(2):
        connection.request("PUT", "/upload", body)
        answer = json.loads(connection.getresponse().read())
        assert answer == {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    connection.close()


def test_a_streamed_body_in_chunks_pipelined(serve: Serve) -> None:
    served = serve()
    chunked = b"PUT /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"400\r\n" + b"c" * 1024 + b"\r\n0\r\n\r\n"
    with served.connect() as client:
        client.sendall((GET % b"/later") + chunked * 3 + GET % b"/later")
        read_answer(client)
        for _ in range(3):
            assert json.loads(read_answer(client)[2])["size"] == 1024
        assert read_answer(client)[2] == b"/later"


@pytest.mark.parametrize("path", ["/down?200000", "/known?200000", "/down?0"])
@pytest.mark.parametrize("version", [10, 11])
def test_a_streamed_answer(serve: Serve, path: str, version: int) -> None:
    served = serve()
    connection = http.client.HTTPConnection("localhost", served.port, timeout=PATIENCE_S)
    connection._http_vsn = version  # type: ignore[attr-defined]
    connection._http_vsn_str = f"HTTP/1.{version - 10}"  # type: ignore[attr-defined]
    for _ in range(2):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.read() == b"z" * int(path.partition("?")[2])
    connection.request("HEAD", path)
    assert connection.getresponse().read() == b""
    connection.close()


def test_files(serve: Serve, tmp_path: Path) -> None:
    served = serve()
    content = os.urandom(5 * MIB + 13)
    served.toy.file = tmp_path / "file"
    served.toy.file.write_bytes(content)
    connection = http.client.HTTPConnection("localhost", served.port, timeout=PATIENCE_S)
    for offset, count in ((0, len(content)), (100, 1), (MIB, 3 * MIB), (0, 0)):
        connection.request("GET", f"/file-?{offset},{count}")
        assert connection.getresponse().read() == content[offset : offset + count]
    connection.request("GET", f"/file-?{len(content)},5")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        connection.getresponse().read()
    connection.close()


def test_a_client_that_hangs_up_is_no_failure(serve: Serve, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    caplog.set_level(logging.DEBUG, "cumulo")
    served = serve()
    served.toy.file = tmp_path / "large"
    served.toy.file.write_bytes(bytes(64 * MIB))
    for path in (b"/known?%d" % (64 * MIB), b"/file-?0,%d" % (64 * MIB)):
        with served.connect() as client:
            client.sendall(GET % path)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close it by a reset
        served.wait_for(lambda: not served.server.connections)
    served.wait_for(
        lambda: [record for record in caplog.records if "/file-: the client hung up" in record.getMessage()]
    )
    ours = [record for record in caplog.records if record.name.startswith("cumulo")]  # asyncio may grumble too
    assert {(record.levelname, record.exc_info) for record in ours} == {("DEBUG", None)}


def test_a_client_that_the_kernel_knows_to_be_gone_is_gone(tmp_path: Path) -> None:
    """os.sendfile hears of it before the transport does."""
    mine, theirs = socket.socketpair()
    theirs.close()

    class Connection:
        _scheme = "http"
        transport: Any

        async def drained(self) -> None:
            pass

    class Transport:
        def set_write_buffer_limits(self, high: int | None = None) -> None:
            pass

        def get_extra_info(self, name: str) -> socket.socket:
            return mine

    connection: Any = Connection()
    connection.transport = Transport()
    (tmp_path / "file").write_bytes(b"bytes")
    with mine, (tmp_path / "file").open("rb") as file, pytest.raises(Disconnected):
        asyncio.run(files.send(connection, file.fileno(), 0, 5))


def test_a_file_to_a_client_that_stalls(serve: Serve, tmp_path: Path) -> None:
    served = serve(limits={"write_timeout_s": 0.1})
    served.toy.file = tmp_path / "file"
    with served.toy.file.open("wb") as file:
        file.truncate(64 * MIB)
    with served.connect() as client:
        client.sendall(GET % b"/file-?0,%d" % (64 * MIB))
        client.recv(1000)
        served.wait_for(lambda: not served.server.connections)


def test_memory_stays_bounded_while_a_slow_client_downloads(serve: Serve) -> None:
    served = serve()
    size = 256 * MIB
    with served.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
        client.sendall(GET % b"/known?%d" % size)
        client.recv(1000)
        time.sleep(0.1)  # the slow part: all that the server can do meanwhile is wait
        before = _resident()
        received = 0
        buffer = bytearray(MIB)
        while received < size - 10_000:
            received += client.recv_into(buffer)
        assert _resident() - before < 24 * MIB
    assert served.toy.most_unsent < 300 * 1024


def test_memory_stays_bounded_while_a_slow_application_reads(serve: Serve) -> None:
    served = serve()
    size = 256 * MIB
    piece = b"u" * MIB
    with served.connect() as client:
        client.sendall(b"PUT /upload-held HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
        served.wait_for(lambda: served.toy.events)
        before = _resident()
        client.settimeout(0.2)
        sent = 0
        try:
            while sent < size:
                sent += client.send(piece[: size - sent])
        except TimeoutError:
            pass
        assert sent < 32 * MIB  # the kernel's buffers, and ours
        client.settimeout(PATIENCE_S)
        served.call(served.toy.release.set)
        while sent < size:
            sent += client.send(piece[: size - sent])
        assert json.loads(read_answer(client)[2])["size"] == size
        assert _resident() - before < 24 * MIB
    assert served.toy.most_waiting < MIB


def test_tiny_chunks_are_counted_with_their_cost(serve: Serve) -> None:
    served = serve()
    chunks = b"1\r\nx\r\n" * 20_000
    with served.connect() as client:
        client.sendall(b"PUT /upload-held HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        served.wait_for(lambda: served.toy.events)
        client.settimeout(0.2)
        try:
            for _ in range(200):
                client.sendall(chunks)
        except TimeoutError:
            pass
        waiting = served.call(lambda: max(each._current._stream.size for each in served.server.connections))
        assert waiting < 3 * MIB


def test_an_early_answer_reaches_a_client_that_still_sends(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(b"PUT /upload-denied HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(20):
            client.sendall(b"x" * 10_000)
        status, headers, body = read_answer(client)
        assert (status, body) == (403, b"denied")
        assert headers["connection"] == "close"


def test_a_body_that_breaks_off_reaches_the_application(serve: Serve) -> None:
    served = serve()
    with served.connect() as client:
        client.sendall(b"PUT /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nabc")
        served.wait_for(lambda: served.toy.seen)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""
    served.wait_for(lambda: not served.server.connections)


def test_a_buffered_body_has_a_limit(serve: Serve) -> None:
    served = serve(limits={"buffered_body_bytes": 100_000})
    declared = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100001\r\n\r\n"
    assert served.ask(declared).startswith(b"HTTP/1.1 413 ")
    chunked = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"fff\r\n%b\r\n" % (b"x" * 4095) * 30
    )
    assert served.ask(chunked).startswith(b"HTTP/1.1 413 ")
    exact = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000
    assert served.ask(exact).startswith(b"HTTP/1.1 200 ")
    assert served.call(lambda: len(served.toy.seen)) == 1


@pytest.fixture
def stalled() -> Iterator[list[socket.socket]]:
    clients: list[socket.socket] = []
    yield clients
    for client in clients:
        client.close()


def test_a_client_that_does_not_read_is_let_go(serve: Serve, stalled: list[socket.socket]) -> None:
    served = serve(limits={"write_timeout_s": 0.1})
    client = served.connect()
    stalled.append(client)
    client.sendall(GET % b"/down?100000000")
    served.wait_for(lambda: "download stopped" in served.toy.events)
    served.wait_for(lambda: not served.server.connections)
