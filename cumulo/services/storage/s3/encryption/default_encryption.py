"""How a bucket encrypts what comes without a wish of its own, and what it refuses.

Sources: S3 User Guide, "Setting default server-side encryption behavior for Amazon S3 buckets", "Blocking or
unblocking SSE-C for a general purpose bucket"; the text was observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.s3.buckets import keep
from cumulo.services.storage.s3.encryption import directory_encryption
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, MALFORMED_XML
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

_OTHERS = frozenset(("aws:fsx", "aws:backup"))


@operation
def put_bucket_encryption(ctx: Context, request: t.PutBucketEncryptionRequest) -> None:
    """Set the one rule. Whether its KMS key is there is not asked before somebody writes, as on AWS."""
    bucket = access.bucket_for(ctx, request)
    rules = request["ServerSideEncryptionConfiguration"]["Rules"]
    if len(rules) != 1:
        raise MALFORMED_XML()
    rule = rules[0]
    if bucket.zone:
        directory_encryption.set_default(ctx, bucket, rule)
        keep(ctx, bucket)
        return
    default = rule.get("ApplyServerSideEncryptionByDefault")
    blocked = rule.get("BlockedEncryptionTypes", {}).get("EncryptionType", [])
    if default is None and "BlockedEncryptionTypes" not in rule:
        raise MALFORMED_XML()
    if "NONE" in blocked and len(blocked) > 1:
        raise MALFORMED_XML()
    if default is not None:
        algorithm, key = default["SSEAlgorithm"], default.get("KMSMasterKeyID", "")
        if algorithm in _OTHERS:
            raise not_implemented("s3", "PutBucketEncryption", f"SSEAlgorithm {algorithm}")
        if key and not algorithm.startswith("aws:kms"):
            raise INVALID_ARGUMENT(
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse",
                members={"ArgumentName": "ApplyServerSideEncryptionByDefault"},
            )
        bucket.encryption, bucket.kms_key = algorithm, key
    bucket.bucket_key = bool(rule.get("BucketKeyEnabled", False))
    bucket.blocked_encryption = [each for each in blocked if each != "NONE"]
    keep(ctx, bucket)


@operation
def get_bucket_encryption(ctx: Context, request: t.GetBucketEncryptionRequest) -> t.GetBucketEncryptionOutput:
    """The one rule."""
    bucket = access.bucket_for(ctx, request)
    default: t.ServerSideEncryptionByDefault = {"SSEAlgorithm": bucket.encryption}
    if bucket.kms_key:
        default["KMSMasterKeyID"] = bucket.kms_key
    rule: t.ServerSideEncryptionRule = {
        "ApplyServerSideEncryptionByDefault": default,
        "BucketKeyEnabled": bucket.bucket_key,
    }
    if bucket.blocked_encryption:
        rule["BlockedEncryptionTypes"] = {"EncryptionType": bucket.blocked_encryption}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


@operation
def delete_bucket_encryption(ctx: Context, request: t.DeleteBucketEncryptionRequest) -> None:
    """Back to S3's own keys."""
    bucket = access.bucket_for(ctx, request)
    bucket.encryption, bucket.kms_key, bucket.bucket_key, bucket.blocked_encryption = "AES256", "", False, []
    keep(ctx, bucket)
