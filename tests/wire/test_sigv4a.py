"""SigV4A, signed by the AWS Common Runtime through botocore."""

import datetime
import time
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from botocore.crt import auth
from botocore.crt.auth import (
    CrtS3SigV4AsymAuth,
    CrtS3SigV4AsymQueryAuth,
    CrtSigV4AsymAuth,
    CrtSigV4AsymQueryAuth,
)

from cumulo.wire import routing, sigv4, sigv4a
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request
from tests.wire.signing import ACCESS_KEY, NOW, SECRET, TOKEN, request, sign

URL = "http://localhost:4566/"
S3_URL = "http://b.s3.localhost:4566/a%20key//x?prefix=a%2Fb&versions"


@pytest.fixture(autouse=True)
def the_day() -> Iterator[None]:
    """The runtime signs at the time of the examples."""
    day = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    with mock.patch.object(auth, "get_current_datetime", lambda remove_tzinfo=True: day):
        yield


def checked(arrived: Request, secret: str = SECRET, **known: Any) -> sigv4.Claim:
    claim = sigv4.read(arrived)
    assert claim is not None
    sigv4.verify(arrived, claim, secret, NOW, **known)
    return claim


def refusal(arrived: Request, secret: str = SECRET) -> Fault:
    with pytest.raises(Fault) as caught:
        checked(arrived, secret)
    return caught.value


def changed(arrived: Request, name: str, value: str) -> Request:
    fields = [(key.encode(), arrived.headers.get(key).encode()) for key in arrived.headers if key != name]
    target = f"{arrived.path}?{arrived.query}" if arrived.query else arrived.path
    more = [(name.encode(), value.encode())] if value else []
    return Request(arrived.method, target, Headers([*fields, *more]), body=arrived.body, scheme=arrived.scheme)


def test_the_key_pair_is_that_of_the_common_runtime() -> None:
    # The known answer of aws-c-auth's tests, tests/key_derivation_tests.c
    access_key_id, secret = "AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom"
    value = sigv4a.private_value(access_key_id, secret)
    assert f"{value:x}" == "7fd3bd010c0d9c292141c2b77bfbde1042c92e6836fff749d1269ec890fca1bd"
    point = sigv4a.public_key(access_key_id, secret).public_numbers()
    assert f"{point.x:064x}" == "15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb"
    assert f"{point.y:064x}" == "0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0"


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize(
    ("signer", "url", "service"),
    [(CrtSigV4AsymAuth, URL + "a%20b/../c?x=1&a=%2B", "sqs"), (CrtS3SigV4AsymAuth, S3_URL, "s3")],
)
def test_headers(signer: type[Any], url: str, service: str, token: str | None) -> None:
    arrived = sign(signer, "POST", url, body=b"some bytes", service=service, region="eu-west-1,us-*", token=token)
    claim = checked(arrived, signing_name=service)
    assert (claim.access_key_id, claim.region, claim.region_set) == (ACCESS_KEY, "", "eu-west-1,us-*")
    assert (claim.scope, claim.session_token) == (f"20130524/{service}/aws4_request", token or "")


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize(
    ("signer", "url", "service"),
    [(CrtSigV4AsymQueryAuth, URL + "?x=1", "sqs"), (CrtS3SigV4AsymQueryAuth, S3_URL, "s3")],
)
def test_presigned_urls(signer: type[Any], url: str, service: str, token: str | None) -> None:
    arrived = sign(signer, "GET", url, service=service, region="*", expires_s=600, token=token)
    claim = checked(arrived)
    assert claim.presigned and claim.expires_s == 600 and claim.region_set == "*"
    with pytest.raises(Fault) as caught:
        sigv4.verify(arrived, claim, SECRET, NOW + 601)
    assert caught.value.code == ("AccessDenied" if service == "s3" else "SignatureDoesNotMatch")
    assert refusal(arrived, "another secret").code == "SignatureDoesNotMatch"
    wider = Request(arrived.method, f"{arrived.path}?{arrived.query}&more=1", arrived.headers, scheme=arrived.scheme)
    assert refusal(wider).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(("signer", "service"), [(CrtSigV4AsymAuth, "sqs"), (CrtS3SigV4AsymAuth, "s3")])
def test_what_was_changed_or_signed_by_another_is_refused(signer: type[Any], service: str) -> None:
    arrived = sign(signer, "POST", URL + "path", body=b"x", service=service, region="eu-west-1")
    checked(arrived)
    assert refusal(arrived, "another secret").code == "SignatureDoesNotMatch"
    assert refusal(changed(arrived, "x-amz-region-set", "*")).code == "SignatureDoesNotMatch"
    authorization = arrived.headers.get("authorization")
    other_key = authorization.replace(ACCESS_KEY, ACCESS_KEY[::-1])
    assert refusal(changed(arrived, "authorization", other_key)).code == "SignatureDoesNotMatch"
    head, _, signature = authorization.rpartition("=")
    for broken in (signature[:-2], "0" * 64, "30" + "zz" * 40, signature.upper()):
        assert refusal(changed(arrived, "authorization", f"{head}={broken}")).code == "SignatureDoesNotMatch"
    body = Request("POST", "/path", arrived.headers, body=b"y", scheme=arrived.scheme)
    assert refusal(body).code == ("XAmzContentSHA256Mismatch" if service == "s3" else "SignatureDoesNotMatch")


def test_a_set_of_regions_must_be_named_and_signed() -> None:
    arrived = sign(CrtSigV4AsymAuth, "POST", URL, region="eu-west-1")
    assert refusal(changed(arrived, "x-amz-region-set", "")).code == "IncompleteSignature"
    authorization = arrived.headers.get("authorization").replace(";x-amz-region-set", "")
    fault = refusal(changed(arrived, "authorization", authorization))
    assert fault.message == "'X-Amz-Region-Set' must be a 'SignedHeader' in the AWS Authorization."
    s3 = sign(CrtS3SigV4AsymAuth, "GET", S3_URL, service="s3", region="eu-west-1")
    assert refusal(changed(s3, "x-amz-region-set", "a b")).code == "AuthorizationHeaderMalformed"


@pytest.mark.parametrize(("service", "code"), [("sqs", "IncompleteSignature"), ("s3", "AuthorizationHeaderMalformed")])
def test_the_scope_has_no_region(service: str, code: str) -> None:
    value = (
        f"AWS4-ECDSA-P256-SHA256 Credential={ACCESS_KEY}/20130524/us-east-1/{service}/aws4_request, "
        "SignedHeaders=host, Signature=00"
    )
    arrived = request("GET", "/", [("Host", "x"), ("X-Amz-Date", "20130524T000000Z"), ("Authorization", value)])
    assert refusal(arrived).code == code


@pytest.mark.parametrize(
    ("region_set", "host", "region"),
    [
        ("*", "b.s3.localhost", "us-east-1"),
        ("*", "b.s3.eu-west-1.amazonaws.com", "eu-west-1"),
        ("us-*,ap-south-1", "b.s3.localhost", "ap-south-1"),
        ("eu-west-3", "b.s3.localhost", "eu-west-3"),
    ],
)
def test_the_region_is_the_hosts_or_the_first_named(region_set: str, host: str, region: str) -> None:
    signed = sign(CrtS3SigV4AsymAuth, "GET", f"http://{host}/k", service="s3", region=region_set)
    presigned = sign(CrtS3SigV4AsymQueryAuth, "GET", f"http://{host}/k", service="s3", region=region_set, expires_s=9)
    for arrived in (signed, presigned):
        route = routing.Router(["s3"]).route(arrived)
        assert (route.service.name, route.region) == ("s3", region)
        sigv4.check_region(checked(arrived), region)


def test_a_region_outside_the_set_is_refused() -> None:
    for signer, service, code in (
        (CrtS3SigV4AsymAuth, "s3", "AuthorizationHeaderMalformed"),
        (CrtSigV4AsymAuth, "sqs", "SignatureDoesNotMatch"),
    ):
        claim = checked(sign(signer, "GET", URL, service=service, region="eu-*"))
        sigv4.check_region(claim, "eu-central-1")
        with pytest.raises(Fault) as caught:
            sigv4.check_region(claim, "us-east-1")
        assert caught.value.code == code


def test_hostile_region_sets_take_no_time() -> None:
    begun = time.thread_time()
    assert not sigv4a.covers("*a" * 30 + "*b", "a" * 63)
    assert sigv4a.covers("*a" * 30 + "*", "a" * 63)
    assert sigv4a.covers("eu-*, us-*-1", "us-east-1") and not sigv4a.covers("eu-*, us-*-2", "us-east-1")
    assert time.thread_time() - begun < 0.05
