"""Presigned URLs of both versions, as clients make and use them, and what is refused of them."""

import time
from typing import Any
from xml.etree import ElementTree

import pytest
import urllib3
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from tests.conftest import Account

HTTP = urllib3.PoolManager(retries=False)
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)


@pytest.fixture
def s3(cloud: Account) -> Any:
    """The account whose secret is known."""
    return cloud.client("s3", **KEYS)


def url(cloud: Account, version: str, operation: str, style: str = "path", expires: int = 60, **request: Any) -> str:
    s3 = cloud.client("s3", config=Config(signature_version=version, s3={"addressing_style": style}), **KEYS)
    return str(s3.generate_presigned_url(operation, request, ExpiresIn=expires))


def error(answer: Any) -> dict[str, str]:
    return {part.tag: part.text or "" for part in ElementTree.fromstring(answer.data)}


def send(method: str, target: str, **options: Any) -> Any:
    """Names under localhost are this machine, whatever its resolver says."""
    host = target.partition("://")[2].partition("/")[0]
    port = host.rpartition(":")[2]
    headers = {"Host": host, **options.pop("headers", {})}
    return HTTP.request(method, target.replace(host, f"127.0.0.1:{port}", 1), headers=headers, **options)


@pytest.mark.parametrize("style", ["path", "virtual"])
@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_objects_come_and_go(cloud: Account, s3: Any, bucket: str, version: str, style: str) -> None:
    key = "a b/é+&?.txt"
    put = url(cloud, version, "put_object", style, Bucket=bucket, Key=key)
    assert send("PUT", put, body=b"hello").status == 200
    get = url(cloud, version, "get_object", style, Bucket=bucket, Key=key, ResponseContentType="text/plain; x=1")
    answer = send("GET", get)
    assert (answer.status, answer.data, answer.headers["Content-Type"]) == (200, b"hello", "text/plain; x=1")
    assert send("HEAD", url(cloud, version, "head_object", style, Bucket=bucket, Key=key)).status == 200
    listed = send("GET", url(cloud, version, "list_objects_v2", style, Bucket=bucket, Prefix="a b/"))
    assert "a+b/%C3%A9%2B%26%3F.txt" in listed.data.decode()
    assert send("DELETE", url(cloud, version, "delete_object", style, Bucket=bucket, Key=key)).status == 204
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_another_method_or_key_is_refused(cloud: Account, bucket: str, version: str) -> None:
    get = url(cloud, version, "get_object", Bucket=bucket, Key="k")
    for answer in (send("PUT", get, body=b"x"), send("GET", get.replace("/k?", "/j?"))):
        found = error(answer)
        assert (answer.status, found["Code"], found["Message"]) == (403, "SignatureDoesNotMatch", MISMATCH)
        shown = {"AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes"}
        if version == "s3v4":
            shown |= {"CanonicalRequest", "CanonicalRequestBytes"}
        assert shown == set(found) - {"Code", "Message", "RequestId", "HostId"}


@pytest.mark.parametrize(("version", "more"), [("s3", set()), ("s3v4", {"X-Amz-Expires"})])
def test_expired(cloud: Account, bucket: str, version: str, more: set[str]) -> None:
    get = url(cloud, version, "get_object", expires=-5 if version == "s3" else 1, Bucket=bucket, Key="k")
    if version == "s3v4":
        time.sleep(2.1)  # signatures are held against real time
    answer = send("GET", get)
    found = error(answer)
    assert (answer.status, found["Code"], found["Message"]) == (403, "AccessDenied", "Request has expired")
    assert set(found) - {"Code", "Message", "RequestId", "HostId"} == {"Expires", "ServerTime"} | more


@pytest.mark.parametrize(
    ("version", "parameter", "status", "code"),
    [("s3", "Signature", 403, "AccessDenied"), ("s3v4", "X-Amz-Signature", 400, "AuthorizationQueryParametersError")],
)
def test_a_missing_parameter(cloud: Account, bucket: str, version: str, parameter: str, status: int, code: str) -> None:
    target, _, query = url(cloud, version, "put_object", Bucket=bucket, Key="k").partition("?")
    left = "&".join([pair for pair in query.split("&") if not pair.startswith(f"{parameter}=")])
    answer = send("PUT", f"{target}?{left}", body=b"x")
    assert (answer.status, error(answer)["Code"]) == (status, code)


def test_metadata_in_the_query_is_metadata(cloud: Account, s3: Any, bucket: str) -> None:
    put = url(cloud, "s3", "put_object", Bucket=bucket, Key="k", Metadata={"foo": "bar"})
    assert "x-amz-meta-foo=bar" in put
    assert send("PUT", put, body=b"hello there").status == 200
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"foo": "bar"}
    answer = send("PUT", put, body=b"x", headers={"x-amz-meta-other": "x"})
    assert (answer.status, error(answer)["Code"]) == (403, "SignatureDoesNotMatch")


def test_headers_that_were_not_signed(cloud: Account, bucket: str) -> None:
    put = url(cloud, "s3v4", "put_object", Bucket=bucket, Key="k")
    answer = send("PUT", put, body=b"x", headers={"x-amz-expires": "5"})
    assert (answer.status, error(answer)["HeadersNotSigned"]) == (403, "x-amz-expires")
    assert send("PUT", put, body=b"x", headers={"Content-Type": "text/plain"}).status == 200
    put = url(cloud, "s3", "put_object", Bucket=bucket, Key="k")
    answer = send("PUT", put, body=b"x", headers={"Content-Type": "text/plain"})
    assert (answer.status, error(answer)["Code"]) == (403, "SignatureDoesNotMatch")
    put = url(cloud, "s3v4", "put_object", Bucket=bucket, Key="k", ContentEncoding="gzip")
    answer = send("PUT", put, body=b"x", headers={"Content-Encoding": "identity"})
    assert (answer.status, error(answer)["Code"]) == (403, "SignatureDoesNotMatch")


def test_a_signature_in_the_header_is_read_too(cloud: Account, s3: Any, bucket: str) -> None:
    old = cloud.client("s3", config=Config(signature_version="s3"), **KEYS)
    old.put_object(Bucket=bucket, Key="a b", Body=b"hello" * 10_000, Metadata={"x": "y"})
    answer = old.get_object(Bucket=bucket, Key="a b")
    assert (answer["Body"].read(), answer["Metadata"]) == (b"hello" * 10_000, {"x": "y"})
    assert old.list_buckets()["Buckets"]
    wrong = cloud.client(
        "s3", config=Config(signature_version="s3"), aws_access_key_id="test", aws_secret_access_key="wrong"
    )
    with pytest.raises(wrong.exceptions.ClientError, match="SignatureDoesNotMatch"):
        wrong.get_object(Bucket=bucket, Key="a b")


def test_a_checksum_in_the_query_is_signed_and_not_looked_at(cloud: Account, s3: Any, bucket: str) -> None:
    """The SDK for JavaScript presigns PutObject with the CRC-32 of no body at all, and AWS takes what is uploaded."""
    empty = "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&x-amz-meta-a=b"
    request = AWSRequest("PUT", url=f"{cloud.url}/{bucket}/k?{empty}")
    S3SigV4QueryAuth(Credentials("test", "test"), "s3", "us-east-1", expires=60).add_auth(request)
    put = request.url
    answer = send("PUT", put, body=b"hello")
    assert answer.status == 200, answer.data
    found = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (found["Body"].read(), found["Metadata"]) == (b"hello", {"a": "b"})
    assert "ChecksumCRC32" not in found
    assert found["ChecksumCRC64NVME"]
    changed = send("PUT", put.replace("AAAAAA", "BBBBBB"), body=b"hello")
    assert (changed.status, error(changed)["Code"]) == (403, "SignatureDoesNotMatch")


def test_unicode_in_the_query_is_metadata_as_headers_have_it(cloud: Account, s3: Any, bucket: str) -> None:
    put = url(cloud, "s3", "put_object", Bucket=bucket, Key="k", Metadata={"foo": "plain"})
    assert send("PUT", put).status == 200
    # Signed by hand: botocore lets nothing but ASCII through.
    from urllib.parse import quote

    from cumulo.wire import sigv2

    value = "non-ascii-%E2%80%94_\u2014_\u00e9_"
    expires = int(time.time()) + 60
    octets = value.encode().decode("latin-1")
    text = f"PUT\n\n\n{expires}\nx-amz-meta-foo:{octets}\n/{bucket}/k"
    signature = quote(sigv2.sign("test", text), safe="")
    query = f"AWSAccessKeyId=test&Signature={signature}&Expires={expires}&x-amz-meta-foo={quote(value, safe='')}"
    answer = send("PUT", f"{cloud.url}/{bucket}/k?{query}")
    assert answer.status == 200, answer.data
    found = s3.head_object(Bucket=bucket, Key="k")["Metadata"]
    assert found == {"foo": "=?UTF-8?Q?non-ascii-%E2%80%94=5F=E2=80=94=5F=C3=A9=5F?="}
