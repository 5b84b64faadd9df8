import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from cumulo.gateway.hosts import Hosts
from cumulo.gateway.tls import Authority
from tests.gateway.served import PATIENCE_S, Served, read_all, read_answer

Serve = Callable[..., Served]
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("data") / "ca", Hosts(), time.time)


def _trusting(authority: Authority, *protocols: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.ca_path()))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _connect(served: Served, context: ssl.SSLContext, name: str = "localhost") -> ssl.SSLSocket:
    return context.wrap_socket(served.connect(), server_hostname=name)


def test_one_port_speaks_both(serve: Serve, authority: Authority) -> None:
    served = serve(authority=authority)
    with served.connect() as plain:
        plain.sendall(GET % b"/")
        assert read_answer(plain)[0] == 200
    with _connect(served, _trusting(authority, "http/1.1")) as client:
        assert client.selected_alpn_protocol() == "http/1.1"
        for path in (b"/a", b"/later", b"/task", b"/big"):
            client.sendall(GET % path)
            status, _, body = read_answer(client)
            assert status == 200
            if path == b"/a":
                assert b'"scheme": "https"' in body


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("localhost.localstack.cloud", True),
        ("x.localhost.localstack.cloud", True),
        ("sqs.us-east-1.amazonaws.com", True),
        ("bucket.s3.amazonaws.com", True),
        ("my.dotted.bucket.s3.amazonaws.com", True),
        ("s3.amazonaws.com", True),
        ("bucket.s3.localhost", True),
        ("other.localhost", True),
        ("evil.example", False),
    ],
)
def test_names(serve: Serve, authority: Authority, name: str, covered: bool) -> None:
    served = serve(authority=authority)
    context = _trusting(authority)
    if not covered:
        with pytest.raises(ssl.SSLCertVerificationError):
            _connect(served, context, name)
        return
    with _connect(served, context, name) as client:
        client.sendall(GET % b"/")
        assert read_answer(client)[0] == 200


def test_the_files(authority: Authority) -> None:
    folder = authority.ca_path().parent
    assert stat.S_IMODE((folder / "ca.key").stat().st_mode) == 0o600
    before = (folder / "ca.pem").read_bytes()
    authority.prepare()
    again = Authority(folder, Hosts(), time.time)
    again.prepare()
    assert again.ca_path().read_bytes() == before
    assert len(list(folder.glob("leaves/localhost.pem"))) == 1
    assert stat.S_IMODE((folder / "leaves" / "localhost.pem").stat().st_mode) == 0o600
    assert not list(folder.glob(".*"))
    ca = x509.load_pem_x509_certificate(before)
    assert isinstance(ca.public_key(), ec.EllipticCurvePublicKey)
    assert 3640 < (ca.not_valid_after_utc - ca.not_valid_before_utc).days <= 3651


def test_an_old_certificate_is_renewed(tmp_path: Path) -> None:
    Authority(tmp_path / "ca", Hosts(), time.time).prepare()
    leaf = tmp_path / "ca" / "leaves" / "localhost.pem"
    before = leaf.read_bytes()
    Authority(tmp_path / "ca", Hosts(), lambda: time.time() + 350 * 86400).prepare()
    assert leaf.read_bytes() != before


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")
def test_openssl_verifies(serve: Serve, authority: Authority) -> None:
    served = serve(authority=authority)
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{served.port}", "-servername", "b.s3.amazonaws.com"),
            *("-verify_hostname", "b.s3.amazonaws.com", "-CAfile", str(authority.ca_path()), "-verify_return_error"),
        ],
        input=b"",
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert b"Verify return code: 0 (ok)" in done.stdout, done.stdout + done.stderr


def test_files_and_streams(serve: Serve, authority: Authority, tmp_path: Path) -> None:
    served = serve(authority=authority)
    content = os.urandom(3 * MIB)
    served.toy.file = tmp_path / "file"
    served.toy.file.write_bytes(content)
    with _connect(served, _trusting(authority)) as client:
        client.sendall(GET % b"/file-?7,2000000")
        assert read_answer(client)[2] == content[7 : 7 + 2_000_000]
        client.sendall(b"PUT /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(content))
        client.sendall(content)
        assert b"%d" % len(content) in read_answer(client)[2]
        client.sendall(GET % b"/known?%d" % (64 * MIB))
        time.sleep(0.05)
        read = 0
        while read < 64 * MIB:
            read += len(client.recv(MIB))
    assert served.toy.most_unsent < 400 * 1024


def test_backpressure_upwards(serve: Serve, authority: Authority) -> None:
    served = serve(authority=authority)
    size = 64 * MIB
    with _connect(served, _trusting(authority)) as client:
        client.sendall(b"PUT /upload-held HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size)
        served.wait_for(lambda: served.toy.events)
        client.settimeout(0.2)
        sent = 0
        piece = b"u" * 65536
        with pytest.raises(TimeoutError):
            while sent < size:
                sent += client.send(piece)
        assert sent < 32 * MIB
        client.settimeout(PATIENCE_S)
        served.call(served.toy.release.set)
        while sent < size:
            sent += client.send(piece[: size - sent])
        assert b"%d" % size in read_answer(client)[2]


def test_half_close(serve: Serve, authority: Authority) -> None:
    served = serve(authority=authority)
    with _connect(served, _trusting(authority)) as client:
        client.sendall(GET % b"/hold")
        served.wait_for(lambda: served.toy.events)
        socket.socket.shutdown(client, socket.SHUT_WR)
        served.wait_for(lambda: "half close" in served.toy.events)
        served.call(served.toy.release.set)
        assert read_answer(client)[2] == b"held"
    served.wait_for(lambda: not served.server.connections)


@pytest.mark.parametrize("data", [b"\x16\x03\x01\x00\x05hello", b"\x16" * 1000, b"\x16\x03\x01"])
def test_broken_handshakes(serve: Serve, authority: Authority, data: bytes) -> None:
    served = serve(authority=authority, limits={"header_timeout_s": 0.1})
    assert b"HTTP" not in served.ask(data)
    with served.connect() as client:
        client.sendall(data)
        read_all(client)
    served.wait_for(lambda: not served.server.connections)


def test_a_websocket(serve: Serve, authority: Authority) -> None:
    served = serve(authority=authority)
    with _connect(served, _trusting(authority)) as client:
        client.sendall(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            b"\x81\x82\x00\x00\x00\x00hi"
        )
        answer = b""
        while not answer.endswith(b"\x81\x02hi"):
            answer += client.recv(1000)
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    served.wait_for(lambda: not served.server.connections)


def test_malformed_inside(serve: Serve, authority: Authority) -> None:
    served = serve(authority=authority)
    with _connect(served, _trusting(authority)) as client:
        client.sendall(b"hello\r\n\r\n")
        assert read_answer(client)[0] == 400
        assert client.recv(1) == b""


def test_without_an_authority_a_handshake_is_just_no_http(serve: Serve) -> None:
    assert serve().ask(b"\x16\x03\x01\x00\x05hello").startswith(b"HTTP/1.1 400 ")


def test_heavy_modules_come_late() -> None:
    code = (
        "import sys, asyncio; before = set(sys.modules); import cumulo.gateway.server;"
        "new = set(sys.modules) - before;"
        "heavy = {'ssl', 'cryptography', 'h2', 'hpack', 'wsproto', 'h11', 'email', 'http', 'xml'};"
        "print(sorted(heavy & new))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
