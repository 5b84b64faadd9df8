"""Bodies on their way in and out: every encoding, every signature, clients that wait, break off or vanish."""

from __future__ import annotations

import os
import time
import zlib
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.raw_requests import Answer, Signed, read

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = f"{SIGNED}-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIZES = (0, 10, 20_000, 65_536, 1_000_000)


@pytest.fixture
def owned(cloud: Account) -> str:
    """A bucket of the account whose key `test` is: its secret is known, so every signature is checked."""
    name = f"streams-{cloud.account}"
    cloud.client("s3", account="test").create_bucket(Bucket=name)
    return name


def stored(cloud: Account, bucket: str, key: str = "k") -> bytes:
    return bytes(cloud.client("s3", account="test").get_object(Bucket=bucket, Key=key)["Body"].read())


def crc32(data: bytes) -> str:
    return b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def files(cloud: Account) -> set[Path]:
    return {path for path in cloud.running.cloud.runtime.blobs.folder.rglob("*") if path.is_file()}


def in_chunks(request: Signed, data: bytes, step: int = 64 * 1024, **trailers: str) -> bytes:
    pieces = [request.chunk(data[at : at + step]) for at in range(0, len(data), step)]
    return b"".join(pieces) + request.end(**trailers)


@pytest.mark.parametrize("size", SIZES)
def test_signed_chunks(cloud: Account, owned: str, size: int) -> None:
    data = os.urandom(size)
    request = Signed(cloud.url, "PUT", f"/{owned}/k", SIGNED, x_amz_decoded_content_length=str(size))
    answer = request.send(in_chunks(request, data), Content_Encoding="aws-chunked")
    assert answer.status == 200, answer.body
    assert stored(cloud, owned) == data
    head = cloud.client("s3", account="test").head_object(Bucket=owned, Key="k")
    assert "ContentEncoding" not in head and head["ContentLength"] == size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", [SIGNED_TRAILER, UNSIGNED_TRAILER])
def test_trailers(cloud: Account, owned: str, size: int, kind: str) -> None:
    data = os.urandom(size)
    for sent, status in ((data, 200), (b"other", 400)):
        named = {"x_amz_decoded_content_length": str(size), "x_amz_trailer": "x-amz-checksum-crc32"}
        request = Signed(cloud.url, "PUT", f"/{owned}/k", kind, **named)
        if kind == SIGNED_TRAILER:
            body = in_chunks(request, data, x_amz_checksum_crc32=crc32(sent))
        else:
            chunk = b"%x\r\n%s\r\n" % (size, data) if size else b""
            body = chunk + b"0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % crc32(sent).encode()
        answer = request.send(body, Content_Encoding="gzip,aws-chunked")
        assert answer.status == status, answer.body
        if status == 200:
            assert answer.headers["x-amz-checksum-crc32"] == crc32(data)
            assert stored(cloud, owned) == data
            head = cloud.client("s3", account="test").head_object(Bucket=owned, Key="k")
            assert head["ContentEncoding"] == "gzip"
        else:
            assert answer.code == "BadDigest"
            assert answer.message == "The CRC32 you specified did not match the calculated checksum."


@pytest.mark.parametrize("size", [10, 200_000])
def test_what_is_changed_on_its_way_is_refused_and_leaves_nothing(cloud: Account, owned: str, size: int) -> None:
    data, before = os.urandom(size), files(cloud)
    signed = {"x_amz_decoded_content_length": str(size)}

    def chunked() -> tuple[Signed, bytes]:
        request = Signed(cloud.url, "PUT", f"/{owned}/k", SIGNED, **signed)
        return request, in_chunks(request, data)

    request, body = chunked()
    changed = bytearray(body)
    changed[len(body) // 2] ^= 1
    assert request.send(bytes(changed)).code in ("SignatureDoesNotMatch", "IncompleteBody")
    request, body = chunked()
    assert request.send(body[: len(body) // 2]).code == "IncompleteBody"
    request, body = chunked()
    assert request.send(body.replace(b"chunk-signature", b"chunk-signaturf")).code == "IncompleteBody"
    request = Signed(cloud.url, "PUT", f"/{owned}/k", sha256(data).hexdigest())
    wrong = request.send(bytes(size))
    assert (wrong.status, wrong.code) == (400, "XAmzContentSHA256Mismatch")
    assert wrong.message == "The provided 'x-amz-content-sha256' header does not match what was computed."
    for name, value in (("Client", sha256(data)), ("S3", sha256(bytes(size)))):
        assert f"<{name}ComputedContentSHA256>{value.hexdigest()}<".encode() in wrong.body
    with refused("404", None, 404):
        cloud.client("s3", account="test").head_object(Bucket=owned, Key="k")
    assert settled(cloud, before)


def settled(cloud: Account, before: set[Path]) -> bool:
    """Whether the files are those of before, soon."""
    for _ in range(100):
        if files(cloud) == before:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("size", [10, 200_000])
def test_bodies_that_are_signed_whole_or_not_at_all(cloud: Account, owned: str, size: int) -> None:
    data = os.urandom(size)
    for payload in (sha256(data).hexdigest(), "UNSIGNED-PAYLOAD"):
        answer = Signed(cloud.url, "PUT", f"/{owned}/k", payload).send(data)
        assert answer.status == 200, answer.body
        assert stored(cloud, owned) == data


def test_a_length_is_needed(cloud: Account, owned: str) -> None:
    request = Signed(cloud.url, "PUT", f"/{owned}/k", "UNSIGNED-PAYLOAD")
    with request.connect() as connection:
        connection.sendall(request.head(Connection="close"))
        answer = read(connection)
    assert (answer.status, answer.code) == (411, "MissingContentLength")
    assert answer.message == "You must provide the Content-Length HTTP header."
    with request.connect() as connection:
        connection.sendall(request.head(Connection="close", Transfer_Encoding="chunked") + b"1\r\nx\r\n0\r\n\r\n")
        answer = read(connection)
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert b"<Header>Transfer-Encoding</Header>" in answer.body
    signed = Signed(cloud.url, "PUT", f"/{owned}/k", SIGNED)
    answer = signed.send(in_chunks(signed, b"x"))
    assert (answer.status, answer.code) == (411, "MissingContentLength")
    unsized = Signed(cloud.url, "PUT", f"/{owned}/k", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    with unsized.connect() as connection:
        connection.sendall(unsized.head(Connection="close", Transfer_Encoding="chunked") + b"1\r\nx\r\n0\r\n\r\n")
        answer = read(connection)
    assert (answer.status, answer.code) == (411, "MissingContentLength")


def test_a_chunked_transfer_whose_payload_has_a_length(cloud: Account, owned: str) -> None:
    named = {"x_amz_decoded_content_length": "11", "x_amz_trailer": "x-amz-checksum-crc32"}
    request = Signed(cloud.url, "PUT", f"/{owned}/k", UNSIGNED_TRAILER, **named)
    data = b"b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % crc32(b"hello world").encode()
    with request.connect() as connection:
        connection.sendall(request.head(Connection="close", Transfer_Encoding="chunked"))
        connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))
        assert read(connection).status == 200
    assert stored(cloud, owned) == b"hello world"


@pytest.mark.parametrize("size", [10, 200_000])
def test_a_body_is_asked_for_only_from_those_who_may(cloud: Account, owned: str, size: int) -> None:
    def ask(bucket: str, key: str) -> bytes:
        request = Signed(cloud.url, "PUT", f"/{bucket}/k", "UNSIGNED-PAYLOAD", key=key)
        with request.connect() as connection:
            connection.sendall(request.head(Content_Length=str(size), Expect="100-continue"))
            first = connection.recv(4096)
            if first.startswith(b"HTTP/1.1 100"):
                connection.sendall(os.urandom(size))
                return first + connection.recv(4096)
            return first + read_rest(connection)

    assert ask(owned, "test").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200")
    assert ask(owned, cloud.account).startswith(b"HTTP/1.1 403")
    assert ask("no-such-bucket-at-all", "test").startswith(b"HTTP/1.1 404")


def read_rest(connection: Any) -> bytes:
    data = b""
    while piece := connection.recv(65536):
        data += piece
    return data


def test_too_large_a_body_is_refused_before_it_comes(cloud: Account, owned: str) -> None:
    most = 5 * 1024**3
    request = Signed(cloud.url, "PUT", f"/{owned}/k", "UNSIGNED-PAYLOAD")
    with request.connect() as connection:
        connection.sendall(request.head(Content_Length=str(most + 1), Expect="100-continue"))
        answer = read(connection)
    assert (answer.status, answer.code) == (400, "EntityTooLarge")
    assert answer.message == "Your proposed upload exceeds the maximum allowed size"
    assert f"<ProposedSize>{most + 1}</ProposedSize><MaxSizeAllowed>{most}<".encode() in answer.body


def test_a_client_that_vanishes_in_the_middle_leaves_nothing(cloud: Account, owned: str) -> None:
    before = files(cloud)
    request = Signed(cloud.url, "PUT", f"/{owned}/k", "UNSIGNED-PAYLOAD")
    with request.connect() as connection:
        connection.sendall(request.head(Content_Length="10000000") + os.urandom(3_000_000))
        for _ in range(200):
            if files(cloud) != before:
                break
            time.sleep(0.01)
        assert files(cloud) != before  # it is being written
    assert settled(cloud, before)
    with refused("404", None, 404):
        cloud.client("s3", account="test").head_object(Bucket=owned, Key="k")


def test_a_reader_that_vanishes_lets_the_file_go(cloud: Account, owned: str, caplog: pytest.LogCaptureFixture) -> None:
    cloud.client("s3", account="test").put_object(Bucket=owned, Key="k", Body=bytes(30_000_000))
    opened = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    request = Signed(cloud.url, "GET", f"/{owned}/k", sha256(b"").hexdigest())
    with request.connect() as connection:
        connection.sendall(request.head())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    for _ in range(200):
        if not opened or len(list(Path("/proc/self/fd").iterdir())) <= opened:
            break
        time.sleep(0.01)
    else:
        raise AssertionError("the file stays open")
    assert not [record for record in caplog.records if record.exc_info]


def test_a_reader_of_an_object_that_is_deleted_meanwhile_gets_it_whole(cloud: Account, owned: str) -> None:
    s3 = cloud.client("s3", account="test")
    data = os.urandom(20_000_000)
    s3.put_object(Bucket=owned, Key="k", Body=data)
    request = Signed(cloud.url, "GET", f"/{owned}/k", sha256(b"").hexdigest())
    with request.connect() as connection:
        connection.sendall(request.head(Connection="close"))
        first = connection.recv(1000)
        s3.delete_object(Bucket=owned, Key="k")
        rest = read_rest(connection)
    assert Answer(first + rest).body == data


def test_over_tls_and_a_slow_reader(cloud: Account, owned: str) -> None:
    config = Config(request_checksum_calculation="when_supported")
    url = cloud.url.replace("http:", "https:")
    import boto3

    s3 = boto3.client(
        "s3",
        endpoint_url=url,
        verify=False,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )
    import warnings

    data = os.urandom(2_000_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the certificate is of the cloud's own authority
        s3.put_object(Bucket=owned, Key="k", Body=data)  # unsigned chunks with a trailer: so SDKs do it over TLS
        body = s3.get_object(Bucket=owned, Key="k")["Body"]
        got = body.read(10)
        time.sleep(0.2)
        assert got + body.read() == data
