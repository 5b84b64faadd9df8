"""Signature Version 4: whose request this is, and whether they really sent it.

`read` takes the claim out of the Authorization header or the presigned query; `verify` checks it against the secret;
`check_unsigned_parts` checks everything that needs no secret (dates, expiry, scope, the body's hash).
S3's Signature Version 2 gives a Claim with another `algorithm` (`sigv2`), and so does SigV4A (`sigv4a`), which is read
here, where it differs only in its scope and its key.
Source: "AWS Signature Version 4 for API requests" (IAM User Guide), "Authenticating Requests (AWS Signature Version
4)" (S3 API Reference).
"""

import hmac
import re
from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from typing import Final
from urllib.parse import unquote

from cumulo.wire import canonical, macs, sigv2, sigv4a
from cumulo.wire import signature_faults as faults
from cumulo.wire.claims import ALGORITHM as ALGORITHM
from cumulo.wire.claims import S3_SIGNING_NAMES as S3_SIGNING_NAMES
from cumulo.wire.claims import Claim as Claim
from cumulo.wire.claims import Head
from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.signature_dates import header_date, known_timestamps, timestamp_of

ALGORITHM_4A = sigv4a.ALGORITHM
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING_EVENTS = "STREAMING-AWS4-HMAC-SHA256-EVENTS"
EMPTY_SHA256 = sha256(b"").hexdigest()
ALLOWED_SKEW_S = 900
LONGEST_EXPIRY_S = 604_800

_S3_PAYLOADS: Final = frozenset((UNSIGNED, STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER))
_HEX_64: Final = re.compile(r"[0-9a-f]{64}\Z")
_REGION: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z")
_QUERY_REQUIRED = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date")
_VERSION_2 = frozenset({"AWSAccessKeyId", "Signature", "SignatureVersion", "Expires", "x-amz-security-token"})
_CACHE_LIMIT = 1024
_CACHED_TEXT_LIMIT = 2048

_same: Final = hmac.compare_digest  # in constant time
_heads: Final[dict[str, Head]] = {}
_keys: Final[dict[tuple[str, str, str, str], bytes]] = {}
_regions: Final[set[str]] = set()  # texts that were seen to be in the form of a region


def read(request: Request, service: str = "") -> Claim | None:
    """The claim that a request makes, or None for an anonymous one.

    `service` is the botocore name where it is already known: it only chooses between S3's words and the others'.
    Raises IncompleteSignature, or S3's AuthorizationHeaderMalformed, AuthorizationQueryParametersError,
    InvalidArgument, InvalidRequest.
    """
    authorization = request.headers.get("authorization")
    query = request.query
    if query and ("X-Amz-" in query or "Signature" in query or "AWSAccessKeyId" in query):
        presigned = _presigned_parameters(query, service == "s3")
        if presigned:
            old = "X-Amz-Algorithm" not in presigned and _VERSION_2.issuperset(presigned)
            s3 = service == "s3" or _names_s3(presigned.get("X-Amz-Credential", ""))
            if not authorization:
                return sigv2.read_query(request, presigned) if old else _read_query(request, presigned, s3)
            if s3:
                raise faults.s3_two_mechanisms(authorization)
    if service == "s3" and authorization.startswith(sigv2.SCHEME):
        return sigv2.read_header(request, authorization)
    return _read_header(request, authorization, service == "s3") if authorization else None


def _names_s3(credential: str) -> bool:
    parts = credential.split("/")
    return len(parts) > 1 and parts[-2] in S3_SIGNING_NAMES


def _presigned_parameters(query: str, s3: bool) -> dict[str, str]:
    """The parameters that amount to a signature. Version 2 is read for S3 and refused elsewhere."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name.startswith("X-Amz-") or name in _VERSION_2:
            found.setdefault(name, unquote(value))
    if "X-Amz-Algorithm" in found or "X-Amz-Signature" in found or "X-Amz-Credential" in found:
        return found
    if s3 and ("Signature" in found or "AWSAccessKeyId" in found):
        return {name: value for name, value in found.items() if name in _VERSION_2}
    if "Signature" in found and "AWSAccessKeyId" in found:
        raise faults.version_2(s3="SignatureVersion" not in found)
    return {}


def _read_header(request: Request, authorization: str, s3: bool) -> Claim:
    known = known_head(request, authorization)
    if known is not None:
        signature = authorization[-64:]
    else:
        known, signature = _parse_header(request, authorization, s3)
        head = authorization.rpartition("Signature=")[0]
        if len(_heads) >= _CACHE_LIMIT:
            _heads.clear()
        if len(head) <= _CACHED_TEXT_LIMIT and authorization.endswith(signature):
            _heads[head] = known
    service = known.service
    get = request.headers.get
    amz_date = get("x-amz-date")
    timestamp = known_timestamps.get(amz_date)
    if timestamp is None:
        amz_date, timestamp = header_date(amz_date, get("date"), authorization, service in S3_SIGNING_NAMES)
    token = get("x-amz-security-token") or (get("x-amz-s3session-token") if service == "s3express" else "")
    claim = Claim(
        known.access_key_id, known.date, known.region, service, known.terminator, known.signed_headers, signature,
        token, amz_date, timestamp, None, False, get("x-amz-content-sha256"), signed_names=known.signed_names,
    )  # fmt: skip
    if not known.region and authorization.startswith(ALGORITHM_4A):
        claim.algorithm = ALGORITHM_4A
        claim.region_set = _region_set(get("x-amz-region-set"), service in S3_SIGNING_NAMES, presigned=False)
    return claim


def known_head(request: Request, authorization: str) -> Head | None:
    """What an Authorization field says beside its signature of 64 characters, where another one said the same."""
    known: Head | None = request.signed
    if known is None:
        head, _, signature = authorization.rpartition("Signature=")
        if len(signature) == 64:
            known = request.signed = _heads.get(head)
    return known


def _region_set(text: str, s3: bool, presigned: bool) -> str:
    if sigv4a.is_region_set(text):
        return text
    said = f"X-Amz-Region-Set must name the regions that the signature is for, not '{text}'."
    if s3:
        raise _s3_scope(said, presigned)
    raise Fault("IncompleteSignature", said)


def _parse_header(request: Request, authorization: str, s3: bool) -> tuple[Head, str]:
    """Take an Authorization header apart the slow way, in any order of its parts, naming what is wrong."""
    algorithm, _, rest = authorization.partition(" ")
    s3 = s3 or any(f"/{name}/aws4_request" in rest for name in S3_SIGNING_NAMES)
    if algorithm in ("AWS", "AWS3", "AWS3-HTTPS"):
        raise faults.version_2(s3)
    if s3 and algorithm not in (ALGORITHM, ALGORITHM_4A):
        raise faults.s3_unsupported_type(authorization)
    parts: dict[str, str] = {}
    for piece in rest.replace(",", " ").split(" "):
        name, equals, value = piece.partition("=")
        if not piece:
            continue
        if not equals or not value:
            said = f'the authorization component "{piece}" is malformed.'
            raise faults.s3_header(said) if s3 else faults.not_key_value(piece)
        parts[name] = value
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if name not in parts]
    if missing and s3:
        said = "the authorization header requires three components: Credential, SignedHeaders, and Signature."
        raise faults.s3_header(said)
    if missing:
        dated = request.headers.get("x-amz-date") or request.headers.get("date")
        raise faults.incomplete_header(missing if dated else [*missing, "Date"], authorization)
    if algorithm not in (ALGORITHM, ALGORITHM_4A):
        raise faults.unsupported_algorithm(algorithm, s3)
    credential = _credential(parts["Credential"], algorithm, s3, presigned=False)
    return Head(credential, tuple(parts["SignedHeaders"].split(";"))), parts["Signature"]


def _credential(text: str, algorithm: str, s3: bool, presigned: bool) -> tuple[str, str, str, str, str]:
    """`credential_parts`; SigV4A's has no region, which is "" then."""
    if algorithm != ALGORITHM_4A:
        return credential_parts(text, s3, presigned)
    parts = text.split("/")
    if len(parts) == 4 and (all(parts) or not s3):
        return parts[0], parts[1], "", parts[2], parts[3]
    if s3:
        said = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/SERVICE/aws4_request".'
        raise _s3_scope(said, presigned)
    said = "Credential must have exactly 4 slash-delimited elements, e.g. keyid/date/service/term,"
    raise Fault("IncompleteSignature", f"{said} got '{text}'.")


def credential_parts(text: str, s3: bool, presigned: bool) -> tuple[str, str, str, str, str]:
    """Key id, date, region, service and terminator of a Credential. Raises IncompleteSignature, or S3's faults."""
    parts = text.split("/")
    if len(parts) != 5 or (s3 and not all(parts)):
        if not s3:
            said = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term,"
            raise Fault("IncompleteSignature", f"{said} got '{text}'.")
        raise _s3_scope(
            'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".', presigned
        )
    return parts[0], parts[1], parts[2], parts[3], parts[4]


def _s3_scope(message: str, presigned: bool, **members: str) -> Fault:
    if presigned:
        return faults.s3_query(f"Error parsing the X-Amz-Credential parameter; {message}", **members)
    return faults.s3_header(message, **members)


def _read_query(request: Request, given: dict[str, str], s3: bool) -> Claim:
    missing = [name for name in _QUERY_REQUIRED if not given.get(name)]
    if s3 and (missing or "X-Amz-Expires" not in given):
        raise faults.s3_query(faults.QUERY_PARAMETERS_REQUIRED)
    if missing:
        raise faults.incomplete_query(missing)
    algorithm = given["X-Amz-Algorithm"]
    if algorithm not in (ALGORITHM, ALGORITHM_4A):
        raise faults.unsupported_algorithm(algorithm, s3)
    credential = _credential(given["X-Amz-Credential"], algorithm, s3, presigned=True)
    region_set = given.get("X-Amz-Region-Set", "")
    timestamp = timestamp_of(given["X-Amz-Date"], s3, presigned=True)
    signed_headers = tuple(given["X-Amz-SignedHeaders"].split(";"))
    header_hash = request.headers.get("x-amz-content-sha256") if "x-amz-content-sha256" in signed_headers else ""
    payload_hash = header_hash or given.get("X-Amz-Content-Sha256", "") or (UNSIGNED if s3 else "")
    return Claim(
        *credential,
        signed_headers=signed_headers,
        signature=given["X-Amz-Signature"],
        session_token=given.get("X-Amz-Security-Token")
        or given.get("X-Amz-S3session-Token")
        or request.headers.get("x-amz-security-token"),
        amz_date=given["X-Amz-Date"],
        timestamp=timestamp,
        expires_s=_expires(given.get("X-Amz-Expires"), s3),
        presigned=True,
        payload_hash=payload_hash,
        algorithm=algorithm,
        region_set=_region_set(region_set, s3, presigned=True) if algorithm == ALGORITHM_4A else "",
    )


def _expires(text: str | None, s3: bool) -> int | None:
    if text is None:
        return None
    said = ""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        said = "X-Amz-Expires should be a number"
    elif text.startswith("-"):
        said = "X-Amz-Expires must be non-negative"
    elif len(digits) > 18 or int(digits) > LONGEST_EXPIRY_S:
        said = (
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{LONGEST_EXPIRY_S} seconds"
        )
    if said:
        raise faults.s3_query(said) if s3 else Fault("IncompleteSignature", f"{said}.")
    return int(text)


def check_unsigned_parts(
    request: Request,
    claim: Claim,
    now: float,
    service_model_name: str = "",
    *,
    signing_name: str = "",
    streamed: bool = False,
) -> None:
    """Everything that can be checked without the secret: scope, dates, expiry, coverage, the body's hash.

    `now` is in seconds. `signing_name` is the service's, when the caller wants the scope held against it. With
    `streamed` the body is not there yet: call `check_payload` when it is.
    Raises SignatureDoesNotMatch, or S3's RequestTimeTooSkewed, AccessDenied, XAmzContentSHA256Mismatch, ….
    """
    s3 = claim.s3
    if claim.algorithm == sigv2.ALGORITHM:
        sigv2.check_time(claim, now)
        return
    if (
        claim.date != claim.amz_date[:8]
        or claim.terminator != "aws4_request"
        or (signing_name and signing_name != claim.service)
        or not (_is_region(claim.region) or claim.region_set)
    ):
        raise _scope_fault(claim, s3, signing_name or claim.service)
    if abs(now - claim.timestamp) > ALLOWED_SKEW_S or claim.presigned:
        _check_time(claim, now, s3, service_model_name or claim.service)
    if s3:
        known = claim.payload_hash in _S3_PAYLOADS
        computed = "" if streamed or known else sha256(request.body).hexdigest()
        _check_s3_parts(request, claim, known or claim.payload_hash == computed)
        if computed:
            check_payload(claim, computed)
    elif "host" not in claim.signed_names and ":authority" not in claim.signed_names:
        raise faults.mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
    elif claim.region_set and not claim.presigned and "x-amz-region-set" not in claim.signed_headers:
        raise faults.mismatch("'X-Amz-Region-Set' must be a 'SignedHeader' in the AWS Authorization.")
    elif not streamed and _HEX_64.match(claim.payload_hash):
        check_payload(claim, sha256(request.body).hexdigest())


def _is_region(text: str) -> bool:
    if text in _regions:
        return True
    if _REGION.match(text) is None:
        return False
    if len(_regions) < _CACHE_LIMIT:
        _regions.add(text)
    return True


def _scope_fault(claim: Claim, s3: bool, signing_name: str) -> Fault:
    said: list[str] = []
    valid_date = len(claim.date) == 8 and claim.date.isascii() and claim.date.isdigit()
    if s3:
        if not valid_date:
            said.append(
                f'incorrect date format "{claim.date}". This date in the credential must be in the format "yyyyMMdd".'
            )
        elif claim.service != signing_name:
            said.append(f'incorrect service "{claim.service}". This endpoint belongs to "{signing_name}".')
        elif claim.terminator != "aws4_request":
            said.append(f'incorrect terminal "{claim.terminator}". This endpoint uses "aws4_request".')
        elif not (_REGION.match(claim.region) or claim.region_set):
            wrong = f"the region '{claim.region}' is wrong; expecting 'us-east-1'"
            return _s3_scope(wrong, claim.presigned, Region="us-east-1")
        else:
            date = claim.amz_date[:8]
            said.append(f'Invalid credential date "{claim.date}". This date is not the same as X-Amz-Date: "{date}".')
        return _s3_scope(said[0], claim.presigned)
    if not (_REGION.match(claim.region) or claim.region_set):
        said.append(f"Credential should be scoped to a valid region, not '{claim.region}'.")
    if claim.service != signing_name:
        said.append(f"Credential should be scoped to correct service: '{signing_name}'.")
    if claim.terminator != "aws4_request":
        said.append(f"Credential should be scoped with a valid terminator: 'aws4_request', not '{claim.terminator}'.")
    if claim.date != claim.amz_date[:8]:
        said.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{claim.date}' != '{claim.amz_date[:8]}', from '{claim.amz_date}'."
        )
    return faults.mismatch(" ".join(said))


def check_region(claim: Claim, region: str) -> None:
    """Refuse a SigV4A claim in a region that its set leaves out. Raises SignatureDoesNotMatch, or S3's faults."""
    if claim.holds_in(region):
        return
    if claim.s3:
        wrong = f"the region '{claim.region_set}' is wrong; expecting '{region}'"
        raise _s3_scope(wrong, claim.presigned, Region=region)
    raise faults.mismatch(f"Credential should be scoped to a valid region, not '{claim.region_set}'.")


def _check_time(claim: Claim, now: float, s3: bool, service: str) -> None:
    """Refuse what is too old or too early.

    S3 gives a presigned URL its own life. STS gives every request 15 minutes whatever X-Amz-Expires says (clusters
    rely on it: their tokens say 60 seconds). The others honour X-Amz-Expires.
    """
    age = now - claim.timestamp
    if s3 and claim.presigned:
        expires_s = claim.expires_s or 0
        if age > expires_s:
            raise faults.s3_expired(expires_s, claim.timestamp, now)
        if age < -ALLOWED_SKEW_S:
            raise faults.s3_not_yet_valid(expires_s, claim.timestamp, now)
        return
    if s3 and abs(age) > ALLOWED_SKEW_S:
        raise faults.s3_skewed(claim.amz_date, now, ALLOWED_SKEW_S)
    allowed_s = ALLOWED_SKEW_S
    if claim.expires_s is not None and service != "sts":
        allowed_s = claim.expires_s
    if age > allowed_s:
        raise faults.expired(claim.amz_date, now, allowed_s)
    if age < -ALLOWED_SKEW_S:
        raise faults.not_yet_current(claim.amz_date, now, ALLOWED_SKEW_S)


def _check_s3_parts(request: Request, claim: Claim, known: bool) -> None:
    """S3 wants every x-amz- header signed, and a word about the body; `known`: it is one that needs no further look."""
    signed = claim.signed_names
    if not claim.presigned:
        if not claim.payload_hash:
            message = "Missing required header for this request: x-amz-content-sha256"
            raise Fault("InvalidRequest", message, status=400)
        if not known and not _HEX_64.match(claim.payload_hash):
            if claim.payload_hash.startswith("STREAMING-AWS4-ECDSA"):
                raise faults.version_4a()
            members = {"ArgumentName": "x-amz-content-sha256", "ArgumentValue": claim.payload_hash[:256]}
            raise Fault("InvalidArgument", faults.PAYLOAD_HASHES, status=400, members=members)
        if "x-amz-content-sha256" not in signed:
            message = "header 'x-amz-content-sha256' must be included in signature"
            raise Fault("InvalidRequest", message, status=400)
    named = "host" in signed or ":authority" in signed
    if named and request.headers.within(signed, "x-amz-"):
        return
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in signed]
    raise faults.s3_unsigned_headers(unsigned if named else ["host", *unsigned])


def check_payload(claim: Claim, computed: str) -> None:
    """Hold the body's SHA-256 (hex) against what was claimed; for a body that came after the head was verified."""
    claimed = claim.payload_hash  # no secret: the client itself sends it
    if claimed != computed and _HEX_64.match(claimed):
        if claim.s3:
            raise faults.s3_payload_mismatch(claimed, computed)
        raise faults.mismatch()


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key of one secret for one day, region and service; kept, since every request of a day uses it."""
    wanted = (secret, date, region, service)
    key = _keys.get(wanted)
    if key is None:
        key = ("AWS4" + secret).encode()
        for part in (date, region, service, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        if len(_keys) >= _CACHE_LIMIT:
            _keys.clear()
        _keys[wanted] = key
    return key


def verify(
    request: Request,
    claim: Claim,
    secret: str,
    now: float,
    service_model_name: str = "",
    *,
    signing_name: str = "",
    streamed: bool = False,
) -> None:
    """Check a claim against the secret of its key, and everything `check_unsigned_parts` checks.

    Raises SignatureDoesNotMatch and the faults of `check_unsigned_parts`. Compares in constant time.
    """
    if claim.algorithm == sigv2.ALGORITHM:
        sigv2.verify(request, claim, secret, now)
        return
    check_unsigned_parts(request, claim, now, service_model_name, signing_name=signing_name, streamed=streamed)
    service = claim.service
    payload = claim.payload_hash
    if not claim.s3 and not payload:
        payload = sha256(request.body).hexdigest() if request.body else EMPTY_SHA256
    likeliest = _likeliest_request(request, claim, payload)
    prefix = f"{claim.algorithm}\n{claim.amz_date}\n{claim.scope}\n"
    if claim.algorithm == ALGORITHM_4A:
        for form in dict.fromkeys((likeliest, *_canonical_requests(request, claim, payload))):
            if sigv4a.signs(claim.access_key_id, secret, prefix + sha256(form).hexdigest(), claim.signature):
                return
    else:
        key = signing_key(secret, claim.date, claim.region, service)
        provided = claim.signature if claim.signature.isascii() else ""
        if _signs(key, prefix, likeliest, provided):
            return
        for form in _canonical_requests(request, claim, payload):
            if form != likeliest and _signs(key, prefix, form, provided):
                return
    if claim.s3:
        string_to_sign = prefix + sha256(likeliest).hexdigest()
        raise faults.s3_mismatch(claim.access_key_id, string_to_sign, claim.signature, likeliest)
    raise faults.mismatch()


def _signs(key: bytes, prefix: str, form: bytes, provided: str) -> bool:
    string_to_sign = prefix + sha256(form).hexdigest()
    return _same(macs.hmac_sha256(key, string_to_sign.encode()), provided)


def _likeliest_request(request: Request, claim: Claim, payload: str) -> bytes:
    """The first of `_canonical_requests`, made without the others: nearly always it is the one."""
    path, query = request.path or "/", request.query
    if claim.s3:
        top = f"{request.method}\n{path}\n"  # as it came: see `canonical.paths`
    else:
        top = f"{request.method}\n{canonical.paths(path, False)[0]}\n"
    if query:
        top += canonical.queries(query, ("X-Amz-Signature",) if claim.presigned else ())[0]
    return canonical.likeliest(top, request.headers, claim.signed_headers, payload)


def _canonical_requests(request: Request, claim: Claim, payload: str) -> Iterator[bytes]:
    """Every canonical request that an honest client may have signed, the likeliest first (see `canonical`)."""
    names = claim.signed_headers
    blocks = canonical.header_blocks(request.headers, names, request.scheme)
    tail = f"\n{';'.join(names)}\n{payload}".encode("latin-1", "replace")
    path, query = request.path, request.query
    if (path == "/" or not path) and not query:
        for block in blocks:
            yield f"{request.method}\n/\n\n".encode("latin-1") + block + tail
        return
    paths = canonical.paths(path, claim.s3)
    queries = canonical.queries(query, ("X-Amz-Signature",) if claim.presigned else ())
    if claim.presigned and "X-Amz-Security-Token=" in query:
        # Some services add the token after signing (IoT); AWS names it "unsigned".
        queries += canonical.queries(query, ("X-Amz-Signature", "X-Amz-Security-Token"))
    for one_path, one_query, block in product(paths, queries, blocks):
        yield f"{request.method}\n{one_path}\n{one_query}\n".encode("latin-1", "replace") + block + tail
