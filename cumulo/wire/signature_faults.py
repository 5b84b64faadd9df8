"""What AWS says when a request cannot be believed: one function for each refusal.

Every fault here carries the code that query services use ("SignatureDoesNotMatch"); the protocols put their own names
and statuses in its place ("InvalidSignatureException"). S3 has words of its own.
Source: "Troubleshoot AWS Signature Version 4 requests" (IAM User Guide), "Error responses" (S3 API Reference) and
the texts that the services answer.
"""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cumulo.wire.faults import Fault

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
S3_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your key and signing method."
)
QUERY_PARAMETERS_REQUIRED = (
    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
    "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
)
PAYLOAD_HASHES = (
    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
    "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 "
    "value."
)


def ec2_refusal() -> Fault:
    """EC2 does not tell a wrong key from a wrong signature."""
    return Fault("AuthFailure", "AWS was not able to validate the provided access credentials", status=401)


def hashed(text: str) -> str:
    """How AWS quotes a secret-bearing header in an error: hashed with SHA-256 and encoded with Base64."""
    return b64encode(sha256(text.encode("latin-1", "replace")).digest()).decode()


def incomplete_header(missing: list[str], authorization: str) -> Fault:
    """Parts of the Authorization header, or the date, are missing."""
    said = [
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        if part == "Date"
        else f"Authorization header requires '{part}' parameter."
        for part in missing
    ]
    quoted = f" (Hashed with SHA-256 and encoded with Base64) Authorization={hashed(authorization)}"
    return Fault("IncompleteSignature", " ".join(said) + quoted)


def not_key_value(part: str) -> Fault:
    """A piece of the Authorization header has no equal sign."""
    message = (
        "Invalid key=value pair (missing equal-sign) in Authorization header "
        f"(hashed with SHA-256 and encoded with Base64): '{hashed(part)}'."
    )
    return Fault("IncompleteSignature", message)


def incomplete_query(missing: list[str]) -> Fault:
    """Presigned parameters are missing."""
    said = " ".join([f"AWS query-string parameters must include '{name}'." for name in missing])
    return Fault("IncompleteSignature", f"{said} Re-examine the query-string parameters.")


def unsupported_algorithm(algorithm: str, s3: bool) -> Fault:
    """An algorithm that nobody knows."""
    if s3:
        return s3_query('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"')
    return Fault("IncompleteSignature", f"Unsupported AWS 'algorithm': '{algorithm}'.")


def bad_date(text: str, s3: bool) -> Fault:
    """A date that is not ISO 8601 basic format."""
    if s3:
        return Fault("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header", status=403)
    message = f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    return Fault("IncompleteSignature", message)


def mismatch(message: str = MISMATCH) -> Fault:
    """The signature, or the scope it was made for, does not fit."""
    return Fault("SignatureDoesNotMatch", message)


def s3_mismatch(access_key_id: str, string_to_sign: str, provided: str, canonical: bytes | None) -> Fault:
    """S3 shows what it would have signed, so that a person can compare."""
    members: dict[str, Any] = {
        "AWSAccessKeyId": access_key_id,
        "StringToSign": string_to_sign,
        "SignatureProvided": provided,
        "StringToSignBytes": string_to_sign.encode("utf-8", "replace").hex(" "),
    }
    if canonical is not None:
        members["CanonicalRequest"] = canonical.decode("utf-8", "replace")
        members["CanonicalRequestBytes"] = canonical.hex(" ")
    return Fault("SignatureDoesNotMatch", S3_MISMATCH, members=members)


def iso(timestamp: float) -> str:
    """A time in SigV4's basic format: 20130524T000000Z."""
    return datetime.fromtimestamp(int(timestamp), UTC).strftime("%Y%m%dT%H%M%SZ")


def iso_extended(timestamp: float) -> str:
    """A time as S3 writes it in errors: 2013-05-24T00:00:00Z."""
    return datetime.fromtimestamp(int(timestamp), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def expired(amz_date: str, now: float, allowed_s: int) -> Fault:
    """Signed too long ago."""
    earliest = f"{iso(now - allowed_s)} ({iso(now)} - {allowed_s // 60} min.)"
    return mismatch(f"Signature expired: {amz_date} is now earlier than {earliest}")


def not_yet_current(amz_date: str, now: float, allowed_s: int) -> Fault:
    """Signed in the future."""
    message = (
        f"Signature not yet current: {amz_date} is still later than {iso(now + allowed_s)} "
        f"({iso(now)} + {allowed_s // 60} min.)"
    )
    return mismatch(message)


def s3_skewed(amz_date: str, now: float, allowed_s: int) -> Fault:
    """S3's word for a date that is too far from its own."""
    members = {
        "RequestTime": amz_date,
        "ServerTime": iso_extended(now),
        "MaxAllowedSkewMilliseconds": str(allowed_s * 1000),
    }
    message = "The difference between the request time and the current time is too large."
    return Fault("RequestTimeTooSkewed", message, status=403, members=members)


def s3_expired(expires_s: int, signed_at: float, now: float) -> Fault:
    """A presigned URL of S3 after its time."""
    members = {
        "X-Amz-Expires": str(expires_s),
        "Expires": iso_extended(signed_at + expires_s),
        "ServerTime": iso_extended(now),
    }
    return Fault("AccessDenied", "Request has expired", status=403, members=members)


def s3_not_yet_valid(expires_s: int, signed_at: float, now: float) -> Fault:
    """A presigned URL of S3 before its time; S3 writes the date as milliseconds here."""
    members = {
        "X-Amz-Date": str(int(signed_at * 1000)),
        "Expires": iso_extended(signed_at + expires_s),
        "ServerTime": iso_extended(now),
    }
    return Fault("AccessDenied", "Request is not yet valid", status=403, members=members)


def s3_query(message: str, **members: str) -> Fault:
    """S3's word for every fault in presigned parameters."""
    return Fault("AuthorizationQueryParametersError", message, status=400, members=dict(members))


def s3_header(message: str, **members: str) -> Fault:
    """S3's word for every fault in the Authorization header."""
    text = f"The authorization header is malformed; {message}"
    return Fault("AuthorizationHeaderMalformed", text, status=400, members=dict(members))


def s3_unsupported_type(authorization: str) -> Fault:
    """An Authorization header of a scheme that S3 does not know."""
    members = {"ArgumentName": "Authorization", "ArgumentValue": authorization[:256]}
    return Fault("InvalidArgument", "Unsupported Authorization Type", status=400, members=members)


def s3_two_mechanisms(authorization: str) -> Fault:
    """Header and query both carry a signature."""
    message = (
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter "
        "or the Authorization header should be specified"
    )
    members = {"ArgumentName": "Authorization", "ArgumentValue": authorization[:256]}
    return Fault("InvalidArgument", message, status=400, members=members)


def s3_unsigned_headers(names: list[str]) -> Fault:
    """`x-amz-` headers that the signature does not cover."""
    message = "There were headers present in the request which were not signed"
    return Fault("AccessDenied", message, status=403, members={"HeadersNotSigned": ", ".join(names)})


def s3_payload_mismatch(claimed: str, computed: str) -> Fault:
    """The body is not the one that was signed."""
    members = {"ClientComputedContentSHA256": claimed, "S3ComputedContentSHA256": computed}
    message = "The provided 'x-amz-content-sha256' header does not match what was computed."
    return Fault("XAmzContentSHA256Mismatch", message, status=400, members=members)


def version_2(s3: bool) -> Fault:
    """Signature Version 2: refused, in the words of the regions that never had it."""
    if s3:
        message = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        return Fault("InvalidRequest", message, status=400)
    return Fault("IncompleteSignature", "Signature Version 2 is not supported: sign with AWS4-HMAC-SHA256.")


def version_4a() -> Fault:
    """SigV4A over the chunks of a body and over forms: refused by name until it is real."""
    message = "AWS4-ECDSA-P256-SHA256 (SigV4A) is not implemented for signed chunks and forms: use AWS4-HMAC-SHA256."
    return Fault("NotImplemented", message, status=501)
