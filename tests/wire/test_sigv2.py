"""Signature Version 2: the examples of AWS's documentation, botocore's signer, and every refusal."""

import time
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from cumulo.wire import sigv2, sigv4
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request

KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = 1_174_987_456.0  # about the time of the documentation's examples: 27 March 2007


def request(method: str, target: str, headers: dict[str, str]) -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request(method, target, Headers(raw))


# Source: S3 User Guide, "Signing and authenticating REST requests", "Request authentication examples".
EXAMPLES = [
    (
        "GET", "/photos/puppy.jpg",
        {"Host": "awsexamplebucket1.s3.amazonaws.com", "Date": "Tue, 27 Mar 2007 19:36:42 +0000"},
        "qgk2+6Sv9/oM7G3qLEjTH1a1l1g=",
    ),
    (
        "PUT", "/photos/puppy.jpg",
        {"Content-Type": "image/jpeg", "Content-Length": "94328", "Host": "awsexamplebucket1.s3.amazonaws.com",
         "Date": "Tue, 27 Mar 2007 21:15:45 +0000"},
        "iqRzw+ileNPu1fhspnRs8nOjjIA=",
    ),
    (
        "GET", "/?prefix=photos&max-keys=50&marker=puppy",
        {"User-Agent": "Mozilla/5.0", "Host": "awsexamplebucket1.s3.amazonaws.com",
         "Date": "Tue, 27 Mar 2007 19:42:41 +0000"},
        "m0WP8eCtspQl5Ahe6L1SozdX9YA=",
    ),
    (
        "GET", "/?acl", {"Host": "awsexamplebucket1.s3.amazonaws.com", "Date": "Tue, 27 Mar 2007 19:44:46 +0000"},
        "82ZHiFIjc+WbcwFKGUVEQspPn+0=",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "headers", "signature"), EXAMPLES)
def test_the_examples_of_the_documentation(method: str, target: str, headers: dict[str, str], signature: str) -> None:
    arrived = request(method, target, {**headers, "Authorization": f"AWS {KEY}:{signature}"})
    claim = sigv4.read(arrived, "s3")
    assert claim is not None
    text = next(sigv2.strings_to_sign(arrived, claim))
    assert text.startswith(f"{method}\n\n{headers.get('Content-Type', '')}\n{headers['Date']}\n/awsexamplebucket1/")
    assert claim.access_key_id == KEY
    assert sigv2.sign(SECRET, text) == signature
    sigv4.verify(arrived, claim, SECRET, claim.timestamp)


def signed_by_botocore(
    method: str, url: str, headers: dict[str, str], *, presign: bool, token: str | None = None
) -> Request:
    wanted = AWSRequest(method, url, headers=headers)
    credentials = Credentials(KEY, SECRET, token)
    signer = botocore.auth.HmacV1QueryAuth if presign else botocore.auth.HmacV1Auth
    wanted.auth_path = None
    signer(credentials).add_auth(wanted)
    host, _, path = wanted.url.partition("://")[2].partition("/")
    sent = {} if presign else dict(wanted.headers.items())
    return request(method, "/" + path, {"Host": host, **sent})


@pytest.mark.parametrize("presign", [False, True])
@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/bucket/key", {}),
        ("PUT", "/bucket/a%20b/%C3%A9", {"x-amz-meta-foo": "bar", "x-amz-acl": "private"}),
        ("GET", "/bucket?acl", {}),
        ("GET", "/bucket/key?versionId=abc&response-content-type=text%2Fplain&other=1", {}),
        ("POST", "/bucket/key?uploads", {}),
        ("PUT", "/bucket/key?partNumber=2&uploadId=abc", {"x-amz-date-of-birth": "a  b"}),
    ],
)
@pytest.mark.parametrize("token", [None, "session"])
def test_botocores_signatures_fit(
    presign: bool, method: str, target: str, headers: dict[str, str], token: str | None
) -> None:
    arrived = signed_by_botocore(method, "http://localhost:4566" + target, headers, presign=presign, token=token)
    claim = sigv4.read(arrived, "s3")
    assert claim is not None
    assert (claim.presigned, claim.session_token) == (presign, token or "")
    sigv4.verify(arrived, claim, SECRET, time.time())
    with pytest.raises(Fault) as raised:
        sigv4.verify(arrived, claim, "another", time.time())
    assert raised.value.code == "SignatureDoesNotMatch"
    assert set(raised.value.members or {}) == {
        "AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes",
    }  # fmt: skip


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=20), st.sampled_from(sorted(sigv2.SUBRESOURCES)))
def test_a_changed_subresource_is_noticed(value: str, name: str) -> None:
    from urllib.parse import quote

    target = f"/bucket/key?{name}={quote(value.encode('latin-1'), safe='')}"
    bare = request("GET", target, {"Date": "Tue, 27 Mar 2007 19:36:42 GMT"})
    claim = sigv2.read_header(bare, f"AWS {KEY}:x")
    text = next(sigv2.strings_to_sign(bare, claim))
    assert text.endswith(f"/bucket/key?{name}={value}" if value else f"/bucket/key?{name}")


def refusal(arrived: Request, now: float = NOW) -> Fault:
    with pytest.raises(Fault) as raised:
        claim = sigv4.read(arrived, "s3")
        assert claim is not None
        sigv4.verify(arrived, claim, SECRET, now)
    return raised.value


MISSING = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"


@pytest.mark.parametrize(
    ("query", "status", "code", "message"),
    [
        ("AWSAccessKeyId=AKID&Expires=1", 403, "AccessDenied", MISSING),
        ("AWSAccessKeyId=AKID&Signature=x", 403, "AccessDenied", MISSING),
        ("Signature=x&Expires=1", 403, "AccessDenied", MISSING),
        (
            "AWSAccessKeyId=A&Signature=x&Expires=soon", 403, "AccessDenied",
            "Invalid date (should be seconds since epoch): soon",
        ),
        ("AWSAccessKeyId=A&Signature=x&Expires=1", 403, "AccessDenied", "Request has expired"),
    ],
)  # fmt: skip
def test_presigned_urls_that_are_refused(query: str, status: int, code: str, message: str) -> None:
    fault = refusal(request("GET", f"/bucket/key?{query}", {"Host": "localhost"}))
    assert (fault.status, fault.code, fault.message) == (status, code, message)


@pytest.mark.parametrize(
    ("headers", "code", "message"),
    [
        ({"Authorization": "AWS AKID"}, "InvalidArgument",
         "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"),
        ({"Authorization": "AWS AKID:x"}, "AccessDenied",
         "AWS authentication requires a valid Date or x-amz-date header"),
        ({"Authorization": "AWS AKID:x", "Date": "yesterday"}, "AccessDenied",
         "AWS authentication requires a valid Date or x-amz-date header"),
        ({"Authorization": "AWS AKID:x", "Date": "Tue, 27 Mar 2001 19:36:42 GMT"}, "RequestTimeTooSkewed",
         "The difference between the request time and the current time is too large."),
    ],
)  # fmt: skip
def test_headers_that_are_refused(headers: dict[str, Any], code: str, message: str) -> None:
    fault = refusal(request("GET", "/bucket/key", headers))
    assert (fault.code, fault.message) == (code, message)


def test_a_url_counts_until_its_moment() -> None:
    arrived = request("GET", f"/bucket/key?AWSAccessKeyId=A&Signature=x&Expires={int(NOW)}", {"Host": "localhost"})
    assert refusal(arrived, NOW).code == "SignatureDoesNotMatch"
    late = refusal(arrived, NOW + 1)
    assert late.members == {"Expires": "2007-03-27T09:24:16Z", "ServerTime": "2007-03-27T09:24:17Z"}
