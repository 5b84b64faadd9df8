"""What is no request, too much, or too slow: an answer and a close, never a traceback or a hang."""

import gc
import socket
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.served import PATIENCE_S, Served, read_all, read_answer

Serve = Callable[..., Served]
HOST = b"Host: localhost\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

MALFORMED = {
    "no HTTP at all": (b"hello\r\n\r\n", 400),
    "unknown method": (b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "method of another protocol": (b"PURGE / HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "connect": (b"CONNECT x:1 HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/1.2": (b"GET / HTTP/1.2\r\n" + HOST + b"\r\n", 400),
    "HTTP/2.0 in text": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "broken preface": (b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "bare line feed in the header": (b"GET / HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n", 400),
    "bare carriage return": (b"GET / HTTP/1.1\r\nHost: localhost\rA: b\r\n\r\n", 400),
    "space before the colon": (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
    "space before the name": (b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n", 400),
    "empty name": (b"GET / HTTP/1.1\r\n" + HOST + b": x\r\n\r\n", 400),
    "folded field": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n", 400),
    "folded length": (POST + b"Content-Length:\r\n 3\r\n\r\nabc", 400),
    "NUL in a value": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\0c\r\n\r\n", 400),
    "NUL in a name": (b"GET / HTTP/1.1\r\n" + HOST + b"A\0: bc\r\n\r\n", 400),
    "NUL in the target": (b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "control character": (b"GET / HTTP/1.1\r\n" + HOST + b"A: \x01\r\n\r\n", 400),
    "bytes above ASCII in the target": (b"GET /\xe9 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "length and chunks": (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks and length": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
    "two equal lengths": (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    "two lengths": (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
    "list of lengths": (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    "signed length": (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    "negative length": (POST + b"Content-Length: -3\r\n\r\nabc", 400),
    "hexadecimal length": (POST + b"Content-Length: 0x3\r\n\r\nabc", 400),
    "empty length": (POST + b"Content-Length: \r\n\r\nabc", 400),
    "huge length": (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
    "large length": (POST + b"Content-Length: 9999999999999\r\n\r\n", 413),
    "bad chunk size": (CHUNKED + b"zz\r\nabc", 400),
    "0x chunk size": (CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", 400),
    "negative chunk size": (CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n", 400),
    "huge chunk size": (CHUNKED + b"fffffffffffffffff\r\nabc", 400),
    "chunk size with a line feed": (CHUNKED + b"3\nabc\r\n0\r\n\r\n", 400),
    "chunk longer than its size": (CHUNKED + b"3\r\nabcX0\r\n\r\n", 400),
    "chunk shorter than its size": (CHUNKED + b"5\r\nabc\r\n0\r\n\r\nxx", 400),
    "endless chunk extension": (CHUNKED + b"1;" + b"e" * 200_000, 400),
    "endless trailer": (CHUNKED + b"0\r\nT: " + b"t" * 200_000, 400),
    "unknown coding": (POST + b"Transfer-Encoding: identity\r\n\r\nabc", 501),
    "coding before chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "coding after chunked": (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
    "almost chunked": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    "chunked twice": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in HTTP/1.0": (b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    "long target": (b"GET /" + b"t" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "endless target": (b"GET /" + b"t" * 300_000, 431),
    "long field": (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"a" * 200_000 + b"\r\n\r\n", 431),
    "endless name": (b"GET / HTTP/1.1\r\n" + HOST + b"a" * 200_000, 431),
    "many fields": (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 300 + b"\r\n", 431),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(serve: Serve, name: str) -> None:
    data, status = MALFORMED[name]
    served = serve()
    answer = served.ask(data)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:300]
    top = answer.partition(b"\r\n\r\n")[0]
    assert b"Connection: close" in top
    assert b"x-amzn-ErrorType: " in top
    assert answer.count(b"HTTP/1.1 ") == 1, "a second request was found in it"
    assert served.call(lambda: served.toy.seen) == []


@pytest.mark.parametrize("name", ["no HTTP at all", "length and chunks", "bad chunk size", "long field", "two hosts"])
def test_malformed_after_a_good_request(serve: Serve, name: str) -> None:
    data, status = MALFORMED[name]
    served = serve()
    answer = served.ask(b"GET /later HTTP/1.1\r\n" + HOST + b"\r\n" + data)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\n\r\n/laterHTTP/1.1 %d " % status in answer


def test_a_malformed_streamed_body(serve: Serve) -> None:
    served = serve()
    data = CHUNKED.replace(b"POST /", b"POST /upload") + b"3\r\nabc\r\nzz\r\n"
    assert served.ask(data).startswith(b"HTTP/1.1 400 ")
    queued = b"GET /later HTTP/1.1\r\n" + HOST + b"\r\n" + data
    assert b"/laterHTTP/1.1 400 " in served.ask(queued)


def test_bytes_after_the_last_request_are_ignored(serve: Serve) -> None:
    served = serve()
    last = b"GET /later HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    assert served.ask(last + last).count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("start", "answer"),
    [
        (b"", b""),
        (b"GET / HT", b"HTTP/1.1 408 "),
        (b"PRI * HT", b""),
        (POST + b"Content-Length: 5\r\n\r\nabc", b"HTTP/1.1 408 "),
        (POST.replace(b"/", b"/upload", 1) + b"Content-Length: 100000\r\n\r\nabc", b"HTTP/1.1 408 "),
        (CHUNKED + b"5\r\nab", b"HTTP/1.1 408 "),
        (POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 408 "),
    ],
)
def test_a_client_that_stalls(serve: Serve, start: bytes, answer: bytes) -> None:
    served = serve(limits={"header_timeout_s": 1000, "body_timeout_s": 1000, "linger_timeout_s": 0.2})
    with served.connect() as client:
        client.sendall(start)
        served.wait_for(lambda: served.server.connections)
        served.settle()
        served.pass_time(1000)
        assert read_all(client).startswith(answer)
    served.wait_for(lambda: not served.server.connections)


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\n", POST + b"Content-Length: 100000\r\n\r\n"])
def test_a_client_that_drips(serve: Serve, start: bytes) -> None:
    served = serve(limits={"header_timeout_s": 1, "body_timeout_s": 1, "body_bytes_per_s": 1000})
    with served.connect() as client:
        client.sendall(start)
        began = time.monotonic()
        client.settimeout(0.01)
        answer = b""
        while not answer and time.monotonic() - began < PATIENCE_S:
            try:
                client.sendall(b"x")
                answer = client.recv(1000)
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_an_idle_connection_is_closed(serve: Serve) -> None:
    served = serve(limits={"idle_timeout_s": 0.08})
    with served.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        read_answer(client)
        assert client.recv(1) == b""


def test_a_working_request_has_no_deadline(serve: Serve) -> None:
    served = serve(limits={"linger_timeout_s": 0.05})  # deadlines are looked at often
    with served.connect() as client:
        client.sendall(b"GET /hold HTTP/1.1\r\n" + HOST + b"\r\n")
        served.wait_for(lambda: served.toy.events)
        served.pass_time(86_400)
        served.sweeps()
        served.call(served.toy.release.set)
        assert read_answer(client)[2] == b"held"


TOKENS = st.sampled_from(
    [
        *(b"GET ", b"POST ", b"HEAD ", b"/", b"/upload", b"/later", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\r\n\r\n"),
        *(b"\n", b"\0", b": ", b"Host", HOST, b"Content-Length: 3\r\n", b"Content-Length: 99999\r\n"),
        *(b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"3\r\nabc\r\n", b"abc", b"Expect: 100-continue\r\n"),
        *(b"Upgrade: websocket\r\n", b"Upgrade: h2c\r\n", b"Connection: upgrade\r\n", b"Connection: close\r\n"),
        *(b"Origin: http://\xb2.0.0.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01", b"\xff" * 9),
        *(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", b"x" * 5000, b"GET / HTTP/1.1\r\n" + HOST),
    ]
)
INPUT = st.one_of(
    st.lists(TOKENS, max_size=14).map(b"".join),
    st.binary(max_size=300),
    st.tuples(
        st.sampled_from([POST, CHUNKED, b"GET /later HTTP/1.1\r\n" + HOST + b"\r\n"]), st.binary(max_size=80)
    ).map(b"".join),
)


def test_no_input_breaks_it(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    limits = {"header_timeout_s": 0.2, "body_timeout_s": 0.2, "idle_timeout_s": 0.2, "linger_timeout_s": 0.1}
    served = serve(limits=limits)

    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=INPUT, cut=st.integers(0, 300), half=st.booleans())
    def attempt(data: bytes, cut: int, half: bool) -> None:
        with served.connect() as client:
            try:
                client.sendall(data[:cut])
                client.sendall(data[cut:])
                if half:
                    client.shutdown(socket.SHUT_WR)
                else:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    return
            except OSError:
                return
            assert b"Traceback" not in read_all(client)

    attempt()
    served.wait_for(lambda: not served.server.connections)
    import asyncio

    served.wait_for(lambda: len(asyncio.all_tasks()) <= 2)
    gc.collect()
    assert not [record for record in caplog.records if record.exc_info and "gateway failed" in record.message]
    assert served.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n").startswith(b"HTTP/1.1 200 ")
