"""Signature Version 2 of S3: the `AWS key:signature` header, and presigned URLs with AWSAccessKeyId and Signature.

The AWS CLI v1, s3cmd and older programs still make them. What is signed is the method, Content-MD5, Content-Type, the
date (or a presigned URL's Expires), the x-amz- headers and the resource with its subresources: neither the host nor
the other headers, and never the body.
Source: Amazon S3 User Guide, "Authenticating requests (AWS signature version 2)" ("Signing and authenticating REST
requests"); the texts of the refusals are S3's answers.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha1
from urllib.parse import quote, unquote, unquote_to_bytes

from cumulo.wire import hosts
from cumulo.wire import signature_faults as faults
from cumulo.wire.claims import Claim
from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.signature_dates import header_date

ALGORITHM = "AWS-HMAC-SHA1"
ALLOWED_SKEW_S = 900
SCHEME = "AWS "

# Parameters that belong to the resource. Source: the page above, and what the SDKs' signers take along.
SUBRESOURCES = frozenset((
    "accelerate", "acl", "analytics", "attributes", "cors", "defaultObjectAcl", "delete", "encryption",
    "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location", "logging", "metrics", "notification",
    "object-lock", "ownershipControls", "partNumber", "policy", "policyStatus", "publicAccessBlock", "replication",
    "requestPayment", "restore", "retention", "select", "select-type", "storageClass", "tagging", "torrent",
    "uploadId", "uploads", "versionId", "versioning", "versions", "website", "response-cache-control",
    "response-content-disposition", "response-content-encoding", "response-content-language", "response-content-type",
    "response-expires",
))  # fmt: skip
_DIGITS = re.compile(r"-?[0-9]{1,11}\Z")
_PARAMETERS = ("AWSAccessKeyId", "Signature", "Expires")


def read_header(request: Request, authorization: str) -> Claim:
    """The claim of an `AWS key:signature` header. Raises InvalidArgument, AccessDenied (no date)."""
    access_key_id, colon, signature = authorization[len(SCHEME) :].strip().rpartition(":")
    if not colon or not access_key_id or not signature:
        text = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"
        members = {"ArgumentName": "Authorization", "ArgumentValue": authorization[:256]}
        raise Fault("InvalidArgument", text, status=400, members=members)
    get = request.headers.get
    said, timestamp = header_date(get("x-amz-date"), get("date"), authorization, True)
    return _claim(access_key_id, signature, get("x-amz-security-token"), said, timestamp, None, request)


def read_query(request: Request, given: dict[str, str]) -> Claim:
    """The claim of a presigned URL from its (decoded) parameters. Raises AccessDenied."""
    if not all(given.get(name) for name in _PARAMETERS):
        text = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise Fault("AccessDenied", text, status=403)
    expires = given["Expires"]
    if not _DIGITS.match(expires):
        text = f"Invalid date (should be seconds since epoch): {expires}"
        raise Fault("AccessDenied", text, status=403)
    token = given.get("x-amz-security-token") or request.headers.get("x-amz-security-token")
    return _claim(given["AWSAccessKeyId"], given["Signature"], token, expires, 0.0, int(expires), request)


def _claim(
    access_key_id: str,
    signature: str,
    token: str,
    said: str,
    timestamp: float,
    expires: int | None,
    request: Request,
) -> Claim:
    return Claim(
        access_key_id, "", "", "s3", "", (), signature, token, said, timestamp, expires, expires is not None,
        request.headers.get("x-amz-content-sha256"), ALGORITHM,
    )  # fmt: skip


def check_time(claim: Claim, now: float) -> None:
    """Refuse a request that is not of now, or a URL that is over. `now` is in seconds."""
    if claim.expires_s is not None:  # the moment itself, not a span, in this version
        if now > claim.expires_s:
            members = {"Expires": faults.iso_extended(claim.expires_s), "ServerTime": faults.iso_extended(now)}
            raise Fault("AccessDenied", "Request has expired", status=403, members=members)
    elif abs(now - claim.timestamp) > ALLOWED_SKEW_S:
        raise faults.s3_skewed(claim.amz_date, now, ALLOWED_SKEW_S)


def verify(request: Request, claim: Claim, secret: str, now: float) -> None:
    """Check a claim and its time. Raises SignatureDoesNotMatch, RequestTimeTooSkewed, AccessDenied."""
    check_time(claim, now)
    provided = claim.signature.encode("latin-1", "replace")
    first = ""
    for text in strings_to_sign(request, claim):
        first = first or text
        if hmac.compare_digest(sign(secret, text).encode(), provided):
            return
    raise faults.s3_mismatch(claim.access_key_id, first, claim.signature, None)


def sign(secret: str, text: str) -> str:
    """The signature of a text: HMAC-SHA1 in base64."""
    return b64encode(hmac.new(secret.encode(), text.encode("latin-1", "replace"), sha1).digest()).decode()


def strings_to_sign(request: Request, claim: Claim) -> Iterator[str]:
    """What an honest client may have signed, the likeliest first: the bucket of a virtual host goes before the path."""
    get = request.headers.get
    date = claim.amz_date if claim.presigned else ("" if get("x-amz-date") else get("date"))
    head = f"{request.method}\n{get('content-md5')}\n{get('content-type')}\n{date}\n{_amz_headers(request, claim)}"
    subresources = _subresources(request.query)
    for path in _paths(request):
        yield head + path + subresources


def _amz_headers(request: Request, claim: Claim) -> str:
    """The x-amz- headers; of a presigned URL also the x-amz- parameters, which stand for headers."""
    found = {name: value for name, value in request.headers.items() if name.startswith("x-amz-")}
    if claim.presigned:
        for name, value in query_headers(request.query):
            found[name] = f"{value},{found[name]}" if name in found else value
    return "".join([f"{name}:{found[name]}\n" for name in sorted(found)])


def query_headers(query: str) -> list[tuple[str, str]]:
    """The parameters of a presigned URL that stand for headers: lower-case names, values as latin-1 reads them."""
    found = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name[:6].lower() == "x-amz-":
            octets = unquote_to_bytes(value.replace("+", " "))
            found.append((name.lower(), octets.decode("latin-1")))
    return found


def _paths(request: Request) -> list[str]:
    path = request.path or "/"
    prefix = hosts.bucket_of(request.host)
    again = quote(unquote_to_bytes(path.encode("latin-1", "replace")), safe="/~")
    found = [f"/{prefix}{path}", f"/{prefix}{again}"] if prefix else []
    if path.count("/") == 1 and len(path) > 1:
        found.append(f"{path}/")  # botocore signs a bucket's path so, and writes it without the slash
    return list(dict.fromkeys([*found, path, again]))


def _subresources(query: str) -> str:
    kept = []
    for pair in query.split("&") if query else ():
        name, equals, value = pair.partition("=")
        name = unquote(name)
        if name in SUBRESOURCES:
            text = unquote_to_bytes(value.replace("+", " ")).decode("latin-1")
            kept.append((name, f"{name}={text}" if equals and text else name))
    return "?" + "&".join([text for _, text in sorted(kept)]) if kept else ""
