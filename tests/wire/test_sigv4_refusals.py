"""Every refusal, in AWS's words."""

import hashlib
from base64 import b64encode

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth

from cumulo.wire import signature_faults as faults
from cumulo.wire import sigv4
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request
from tests.wire.signing import ACCESS_KEY, NOW, SECRET, request, sign

URL = "http://localhost:4566/"
S3_URL = "http://b.s3.localhost:4566/key"
DATE = ("X-Amz-Date", "20130524T000000Z")
HOST = ("Host", "localhost:4566")
SIGNATURE = "0" * 64
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


def refusal(arrived: Request, now: float = NOW, secret: str = SECRET, **known: str) -> Fault:
    with pytest.raises(Fault) as caught:
        claim = sigv4.read(arrived)
        assert claim is not None
        sigv4.verify(arrived, claim, secret, now, **known)
    return caught.value


def with_authorization(value: str, *more: tuple[str, str]) -> Request:
    return request("POST", "/", [HOST, *more, ("Authorization", value)])


def credential(scope: str = "20130524/us-east-1/sqs/aws4_request") -> str:
    return f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders=host;x-amz-date, Signature={SIGNATURE}"


def s3_request(scope: str = "20130524/us-east-1/s3/aws4_request", **replaced: str) -> Request:
    fields = {"Host": "localhost", "x-amz-date": DATE[1], "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
    fields["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope},SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
        f"Signature={SIGNATURE}"
    )
    fields.update(replaced)
    return request("GET", "/b/k", [(name, value) for name, value in fields.items() if value])


def query(**replaced: str) -> Request:
    service = replaced.pop("service", "s3")
    given = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{ACCESS_KEY}%2F20130524%2Fus-east-1%2F{service}%2Faws4_request",
        "X-Amz-Date": DATE[1],
        "X-Amz-Expires": "600",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": SIGNATURE,
    }
    given.update({"X-Amz-" + name: value for name, value in replaced.items()})
    return request("GET", "/b/k?" + "&".join(f"{n}={v}" for n, v in given.items() if v), [HOST])


def test_wrong_secret() -> None:
    fault = refusal(sign(SigV4Auth, "POST", URL, body=b"x"), secret="wrong")
    assert (fault.code, fault.message) == ("SignatureDoesNotMatch", MISMATCH)


def test_tampered_body() -> None:
    for fields in ({}, {"X-Amz-Content-SHA256": hashlib.sha256(b"x").hexdigest()}):
        signed = sign(SigV4Auth, "POST", URL, body=b"x", headers=fields)
        changed = Request("POST", "/", signed.headers, body=b"y")
        assert refusal(changed).message == MISMATCH


def test_s3_wrong_secret_shows_what_was_expected() -> None:
    fault = refusal(sign(S3SigV4Auth, "GET", S3_URL, service="s3"), secret="wrong")
    assert fault.code == "SignatureDoesNotMatch"
    assert fault.message == (
        "The request signature we calculated does not match the signature you provided. Check your key and signing "
        "method."
    )
    assert set(fault.members) == {
        "AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes", "CanonicalRequest",
        "CanonicalRequestBytes",
    }  # fmt: skip
    assert fault.members["CanonicalRequest"].startswith("GET\n/key\n\nhost:b.s3.localhost:4566\n")
    assert fault.members["StringToSign"].startswith("AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/")
    assert fault.members["StringToSignBytes"].startswith("41 57 53 34")


def test_s3_tampered_body() -> None:
    signed = sign(S3SigV4Auth, "PUT", S3_URL, body=b"x", service="s3")
    fault = refusal(Request("PUT", "/key", signed.headers, body=b"y"))
    assert (fault.code, fault.status) == ("XAmzContentSHA256Mismatch", 400)
    assert fault.message == "The provided 'x-amz-content-sha256' header does not match what was computed."
    assert fault.members == {
        "ClientComputedContentSHA256": hashlib.sha256(b"x").hexdigest(),
        "S3ComputedContentSHA256": hashlib.sha256(b"y").hexdigest(),
    }


@pytest.mark.parametrize(
    ("late_s", "message"),
    [
        (901, "Signature expired: 20130524T000000Z is now earlier than 20130524T000001Z (20130524T001501Z - 15 min.)"),
        (
            -901,
            "Signature not yet current: 20130524T000000Z is still later than 20130523T235959Z "
            "(20130523T234459Z + 15 min.)",
        ),
    ],
)
def test_replayed_and_early_dates(late_s: int, message: str) -> None:
    fault = refusal(sign(SigV4Auth, "POST", URL), NOW + late_s)
    assert (fault.code, fault.message) == ("SignatureDoesNotMatch", message)
    sigv4_ok = sign(SigV4Auth, "POST", URL)
    claim = sigv4.read(sigv4_ok)
    assert claim is not None
    sigv4.verify(sigv4_ok, claim, SECRET, NOW + (900 if late_s > 0 else -900))


def test_s3_skew() -> None:
    fault = refusal(sign(S3SigV4Auth, "GET", S3_URL, service="s3"), NOW + 901)
    assert (fault.code, fault.status) == ("RequestTimeTooSkewed", 403)
    assert fault.message == "The difference between the request time and the current time is too large."
    assert fault.members == {
        "RequestTime": "20130524T000000Z",
        "ServerTime": "2013-05-24T00:15:01Z",
        "MaxAllowedSkewMilliseconds": "900000",
    }


def test_presigned_expiry() -> None:
    signed = sign(S3SigV4QueryAuth, "GET", S3_URL, service="s3", expires_s=60)
    fault = refusal(signed, NOW + 61)
    assert (fault.code, fault.message, fault.status) == ("AccessDenied", "Request has expired", 403)
    assert fault.members == {
        "X-Amz-Expires": "60",
        "Expires": "2013-05-24T00:01:00Z",
        "ServerTime": "2013-05-24T00:01:01Z",
    }
    fault = refusal(signed, NOW - 901)
    assert (fault.code, fault.message) == ("AccessDenied", "Request is not yet valid")
    assert fault.members["X-Amz-Date"] == "1369353600000"
    other = sign(SigV4QueryAuth, "GET", URL, service="polly", expires_s=60)
    assert refusal(other, NOW + 61).message.startswith("Signature expired: 20130524T000000Z is now earlier than")


def test_sts_gives_every_presigned_request_fifteen_minutes() -> None:
    signed = sign(
        SigV4QueryAuth, "GET", URL + "?Action=GetCallerIdentity&Version=2011-06-15", service="sts", expires_s=60
    )
    claim = sigv4.read(signed)
    assert claim is not None
    sigv4.verify(signed, claim, SECRET, NOW + 899, "sts")
    assert "(20130524T001501Z - 15 min.)" in refusal(signed, NOW + 901).message


def test_missing_parts_are_all_named() -> None:
    header = "AWS4-HMAC-SHA256 Foo=bar"
    fault = refusal(with_authorization(header))
    digest = b64encode(hashlib.sha256(header.encode()).digest()).decode()
    assert fault.code == "IncompleteSignature"
    assert fault.message == (
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a "
        f"'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization={digest}"
    )
    assert "X-Amz-Date" not in refusal(with_authorization(header, DATE)).message
    assert "existence of either a 'X-Amz-Date'" in refusal(with_authorization(credential())).message


def test_pieces_without_an_equal_sign() -> None:
    fault = refusal(with_authorization("Bearer eyJhbGciOi", DATE))
    digest = b64encode(hashlib.sha256(b"eyJhbGciOi").digest()).decode()
    assert fault.message == (
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with "
        f"Base64): '{digest}'."
    )


@pytest.mark.parametrize(
    ("scope", "code", "message"),
    [
        ("20130524/us-east-1/sqs", "IncompleteSignature",
         f"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
         f"'{ACCESS_KEY}/20130524/us-east-1/sqs'."),
        ("20130523/us-east-1/sqs/aws4_request", "SignatureDoesNotMatch",
         "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20130523' != "
         "'20130524', from '20130524T000000Z'."),
        ("20130524/US East/sqs/aws4_request".replace(" ", "_"), "SignatureDoesNotMatch",
         "Credential should be scoped to a valid region, not 'US_East'."),
        ("20130524/us-east-1/sns/aws4_request", "SignatureDoesNotMatch",
         "Credential should be scoped to correct service: 'sqs'."),
        ("20130524/us-east-1/sqs/aws4", "SignatureDoesNotMatch",
         "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws4'."),
        ("20130523/us-east-1/sns/aws4", "SignatureDoesNotMatch",
         "Credential should be scoped to correct service: 'sqs'. Credential should be scoped with a valid terminator: "
         "'aws4_request', not 'aws4'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
         "from HTTP: '20130523' != '20130524', from '20130524T000000Z'."),
    ],
)  # fmt: skip
def test_scopes(scope: str, code: str, message: str) -> None:
    fault = refusal(with_authorization(credential(scope), DATE), signing_name="sqs")
    assert (fault.code, fault.message) == (code, message)


def test_dates_that_are_none() -> None:
    fault = refusal(with_authorization(credential(), ("X-Amz-Date", "2013-05-24")))
    assert fault.message.startswith("Date must be in ISO-8601 'basic format'. Got '2013-05-24'.")
    for text in ("20131324T000000Z", "20130524T250000Z", "99999999T999999Z"):
        assert refusal(with_authorization(credential(), ("X-Amz-Date", text))).code == "IncompleteSignature"


def test_unknown_algorithms_and_versions() -> None:
    strange = credential().replace("AWS4-HMAC-SHA256", "AWS5-HMAC-SHA512")
    assert refusal(with_authorization(strange, DATE)).message == "Unsupported AWS 'algorithm': 'AWS5-HMAC-SHA512'."
    assert "Signature Version 2 is not supported" in refusal(with_authorization("AWS AKID:sig=", DATE)).message
    old = request("GET", "/?AWSAccessKeyId=AKID&Signature=abc%3D&SignatureVersion=2", [HOST])
    assert "Signature Version 2 is not supported" in refusal(old).message


def test_the_host_must_be_signed() -> None:
    unsigned = credential().replace("host;", "")
    assert refusal(with_authorization(unsigned, DATE)).message == (
        "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    )


@pytest.mark.parametrize(
    ("arrived", "message"),
    [
        (s3_request(scope="20130524/us-east-1/s3"), None),
        (s3_request(scope="20130523/us-east-1/s3/aws4_request"),
         'Invalid credential date "20130523". This date is not the same as X-Amz-Date: "20130524".'),
        (s3_request(scope="2013-05-24/us-east-1/s3/aws4_request"),
         'incorrect date format "2013-05-24". This date in the credential must be in the format "yyyyMMdd".'),
        (s3_request(scope="20130524/us-east-1/s3/aws5"),
         'incorrect terminal "aws5". This endpoint uses "aws4_request".'),
        (s3_request(scope="20130524/US/s3/aws4_request"), "the region 'US' is wrong; expecting 'us-east-1'"),
        (s3_request(scope="20130524/us-east-1/s3/aws4_request,Nothing"),
         'the authorization component "Nothing" is malformed.'),
        (s3_request(Authorization="AWS4-HMAC-SHA256 Credential=A/20130524/us-east-1/s3/aws4_request"),
         "the authorization header requires three components: Credential, SignedHeaders, and Signature."),
    ],
)  # fmt: skip
def test_s3_headers(arrived: Request, message: str | None) -> None:
    with pytest.raises(Fault) as caught:
        claim = sigv4.read(arrived, "s3")
        assert claim is not None
        sigv4.verify(arrived, claim, SECRET, NOW, "s3")
    fault = caught.value
    expected = message or (
        'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
    )
    assert (fault.code, fault.status) == ("AuthorizationHeaderMalformed", 400)
    assert fault.message == f"The authorization header is malformed; {expected}"


@pytest.mark.parametrize(
    ("arrived", "message"),
    [
        (query(Expires=""), faults.QUERY_PARAMETERS_REQUIRED),
        (query(Algorithm="AWS4"), 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"'),
        (query(Expires="604801"), "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                                  "X-Amz-Expires must be less than 604800 seconds"),
        (query(Expires="-1"), "X-Amz-Expires must be non-negative"),
        (query(Expires="soon"), "X-Amz-Expires should be a number"),
        (query(Date="today"), "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""),
        (query(Date="20130523T000000Z"), "Error parsing the X-Amz-Credential parameter; Invalid credential date "
                                         '"20130524". This date is not the same as X-Amz-Date: "20130523".'),
        (query(Credential="A%2Fs3%2Faws4_request"),
         "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
         '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'),
    ],
)  # fmt: skip
def test_s3_query(arrived: Request, message: str) -> None:
    fault = refusal(arrived)
    assert (fault.code, fault.message, fault.status) == ("AuthorizationQueryParametersError", message, 400)


def test_missing_query_parameters() -> None:
    fault = refusal(query(service="sqs", Date="", SignedHeaders=""))
    assert fault.message == (
        "AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include "
        "'X-Amz-Date'. Re-examine the query-string parameters."
    )
    assert refusal(query(service="sqs", Expires="700000")).code == "IncompleteSignature"


def test_s3_wants_a_word_about_the_body() -> None:
    fault = refusal(s3_request(**{"x-amz-content-sha256": ""}))
    assert fault.message == "Missing required header for this request: x-amz-content-sha256"
    fault = refusal(s3_request(**{"x-amz-content-sha256": "none"}))
    assert (fault.code, fault.message) == ("InvalidArgument", faults.PAYLOAD_HASHES)


def test_s3_wants_all_its_headers_signed() -> None:
    fault = refusal(s3_request(**{"x-amz-acl": "public-read", "x-amz-meta-a": "b"}))
    assert fault.message == "There were headers present in the request which were not signed"
    assert fault.members == {"HeadersNotSigned": "x-amz-acl, x-amz-meta-a"}


def test_s3_takes_one_mechanism_only() -> None:
    both = query()
    raw = [*both.headers.raw, (b"Authorization", credential().encode())]
    fault = refusal(Request("GET", both.target, Headers(raw)))
    assert fault.message.startswith("Only one auth mechanism allowed")
    fault = refusal(s3_request(Authorization="Basic YTpiCg==/s3/aws4_request"))
    assert fault.message == "Unsupported Authorization Type"
