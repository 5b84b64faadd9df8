"""Encryption in directory buckets: SSE-S3, or SSE-KMS under the one customer managed key that a bucket ever has.

The bucket's default is what a session begins with, and what a session began with is what it writes. Requests may only
repeat it; copies, which have no session, may choose among the two. Bucket keys are always used, but for copies.

Sources: S3 User Guide, "Using server-side encryption with AWS KMS keys (SSE-KMS) in directory buckets" (the encryption
context too); S3 API Reference, CreateSession, PutBucketEncryption, PutObject. It documents 400 and no texts: those of
InvalidRequest here are ours.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import encryption
from cumulo.core.errors import Error, Fault
from cumulo.services.storage.s3.errors import ACCESS_DENIED, INVALID_ARGUMENT, INVALID_REQUEST
from cumulo.services.storage.s3.rights.directory_rights import session_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

AES256, KMS = "AES256", "aws:kms"
COPIES = frozenset(("CopyObject", "UploadPartCopy"))
_FIELD = "x-amz-server-side-encryption"


def context(bucket: Bucket) -> dict[str, str]:
    """The encryption context of all that the bucket holds."""
    return {"aws:s3express:arn": bucket.arn}


def algorithm_of_new(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> str:
    """How a new object is encrypted. Raises InvalidArgument and InvalidRequest for what the request may not ask for."""
    session, asked = session_of(ctx), request.get("ServerSideEncryption")
    default = (session.encryption if session is not None else "") or bucket.encryption
    _check_algorithm(request, asked)
    if asked is not None and asked != default and ctx.operation not in COPIES:
        raise INVALID_REQUEST("The encryption settings of the request must be those that the session was created with.")
    algorithm = asked or default
    if algorithm == KMS:
        _check_settings(bucket, request)
    return algorithm


def algorithm_of_session(bucket: Bucket, request: Mapping[str, Any]) -> str:
    """How a session that is to begin encrypts."""
    asked = request.get("ServerSideEncryption")
    _check_algorithm(request, asked)
    algorithm = asked or bucket.encryption
    if algorithm != KMS:
        return algorithm
    if asked is not None and "SSEKMSKeyId" not in request:
        raise INVALID_REQUEST(f"{_FIELD}-aws-kms-key-id must be specified with {_FIELD} : aws:kms.")
    if bucket.encryption != KMS:
        raise INVALID_REQUEST(
            "To encrypt with SSE-KMS, specify it as the directory bucket's default encryption configuration."
        )
    _check_settings(bucket, request)
    return algorithm


def _check_algorithm(request: Mapping[str, Any], asked: str | None) -> None:
    if asked is not None and asked not in (AES256, KMS):
        raise INVALID_ARGUMENT(
            "The encryption method specified is not supported",
            members={"ArgumentName": _FIELD, "ArgumentValue": asked},
        )
    if "SSEKMSKeyId" in request and asked != KMS:
        raise INVALID_ARGUMENT(
            f"Server Side Encryption with AWS KMS managed key requires HTTP header {_FIELD} : aws:kms",
            members={"ArgumentName": _FIELD},
        )


def _check_settings(bucket: Bucket, request: Mapping[str, Any]) -> None:
    """What comes with aws:kms can be nothing else than it is anyway."""
    key = bucket.only_key
    if not key:
        raise INVALID_REQUEST("The directory bucket has no customer managed key for SSE-KMS.")
    if request.get("SSEKMSKeyId", key) not in (key, key.rpartition("/")[2]):
        raise INVALID_REQUEST("The KMS key must be the customer managed key of the directory bucket.")
    if request.get("BucketKeyEnabled") is False:
        raise INVALID_REQUEST("S3 Bucket Keys cannot be disabled in directory buckets.")
    given = request.get("SSEKMSEncryptionContext")
    if given is not None and _read(given) != context(bucket):
        raise INVALID_REQUEST("The encryption context must be the ARN of the directory bucket.")


def _read(given: str) -> Any:
    try:
        return msgspec.json.decode(b64decode(given, validate=True))
    except (ValueError, msgspec.DecodeError):
        return None


def set_default(ctx: Context, bucket: Bucket, rule: Mapping[str, Any]) -> None:
    """Take the rule of PutBucketEncryption for the bucket's default, its key tried with the caller's rights."""
    default = rule.get("ApplyServerSideEncryptionByDefault")
    if default is None or "BlockedEncryptionTypes" in rule:
        raise INVALID_REQUEST("Directory buckets have no blocked encryption types.")
    algorithm, named = default["SSEAlgorithm"], default.get("KMSMasterKeyID", "")
    if algorithm not in (AES256, KMS):
        raise INVALID_REQUEST("Directory buckets can be encrypted with AES256 and aws:kms.")
    if algorithm == AES256:
        if named:
            raise INVALID_ARGUMENT(
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
                members={"ArgumentName": "ApplyServerSideEncryptionByDefault"},
            )
        bucket.encryption, bucket.kms_key, bucket.bucket_key = AES256, "", False
        return
    if rule.get("BucketKeyEnabled") is False:
        raise INVALID_REQUEST("S3 Bucket Keys cannot be disabled in directory buckets.")
    key = _tried(ctx, bucket, named)
    if bucket.only_key not in ("", key):
        raise INVALID_REQUEST("The customer managed key of a directory bucket cannot be changed.")
    bucket.encryption, bucket.kms_key, bucket.bucket_key, bucket.only_key = KMS, named, True, key


def _tried(ctx: Context, bucket: Bucket, named: str) -> str:
    """The ARN of a customer managed key that the caller may use."""
    if not named or named.startswith("alias/") or ":alias/" in named:
        raise INVALID_REQUEST("Directory buckets need the key ID or the ARN of a customer managed KMS key.")
    try:
        tried = encryption.data_key(ctx, named, context(bucket), region=bucket.region)
        encryption.opened_key(ctx, tried.sealed, context(bucket), region=bucket.region)
        request = {"KeyId": tried.key_arn}
        shown = ctx.call("kms", "DescribeKey", request, internal=True, region=bucket.region)
    except Fault as fault:
        raise worded(fault) from None
    if shown["KeyMetadata"]["KeyManager"] != "CUSTOMER":
        raise INVALID_REQUEST("Directory buckets need the key ID or the ARN of a customer managed KMS key.")
    return tried.key_arn


def worded(fault: Fault) -> Fault:
    """KMS's fault as S3 passes it on."""
    if fault.code in ("AccessDeniedException", "AccessDenied"):
        return ACCESS_DENIED(fault.message)
    return Error(f"KMS.{fault.code}", status=400)(fault.message)
