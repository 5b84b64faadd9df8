"""UpdateObjectEncryption: an object gets under a KMS key, or under another one, and stays what it is otherwise.

What is sealed already keeps its bytes: its content key is wrapped anew. Bytes under SSE-S3 lie here as they came (see
object_encryption.py), so they are sealed and written once more. Source: S3 API Reference, UpdateObjectEncryption.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import msgspec

from cumulo.core import kept_blobs
from cumulo.core.arns import Arn
from cumulo.core.operation import Wait, operation
from cumulo.services.storage.s3.copies import copied_bytes
from cumulo.services.storage.s3.copies.copied_bytes import Bytes
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.encryption.object_encryption import AES256, KMS, Plan
from cumulo.services.storage.s3.errors import (
    ACCESS_DENIED,
    INTERNAL_ERROR,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    OBJECT_LOCKED_ENCRYPTION,
)
from cumulo.services.storage.s3.locks import object_locks
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import contents, kept_annotations, receiving, versions
from cumulo.services.storage.s3.stored.kept_annotations import Copies
from cumulo.services.storage.s3.stored.object_versions import IN_PARTS, PARTS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion
    from cumulo.services.storage.s3.stored.receiving import Received
    from cumulo.stubs import s3 as t

ATTEMPTS = 5  # at an object that is replaced again and again
_KEY = re.compile(r"arn:aws[-a-z0-9]*:kms:[-a-z0-9]*:[0-9]{12}:key/.+")
_NO_TYPE = (
    "Requests that modify an object encryption configuration require a valid new encryption type. Valid values are "
    "SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then try again."
)
_NO_KEY = (
    "Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource Name "
    "(ARN). Confirm that you have a correctly formatted KMS key ARN in your request, and then try again."
)
_MISSING_KEY = (
    "Requests that modify an object's encryption type to SSE-KMS require an AWS KMS key Amazon Resource Name (ARN). "
    "Modify the request to specify a KMS key ARN, and then try again."
)
_OLD_SIGNATURE = (
    "Requests that modify an object encryption configuration require AWS Signature Version 4. Modify the request to "
    "use AWS Signature Version 4, and then try again."
)
_OTHER_SOURCE = (
    "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. "
    "Only source objects encrypted with SSE-S3 or SSE-KMS are supported."
)
_OTHER_ACCOUNT = (
    "The AWS KMS key in the request must be owned by the same account as the bucket. Modify the request to specify a "
    "KMS key from the same account, and then try again."
)


@operation
def update_object_encryption(
    ctx: Context, request: t.UpdateObjectEncryptionRequest
) -> t.UpdateObjectEncryptionResponse:
    """Put a version under a KMS key."""
    bucket, version = _found(ctx, request)
    if version.encryption == AES256 and (version.content or version.annotations):
        raise Wait(partial(_seal_blob, request=request))
    plan = _plan(ctx, bucket, version, request)
    if version.encryption == AES256:
        contents.put_row(ctx, version, contents.row(ctx, version), plan.key)
    plan.describe(version)
    versions.update(ctx, version)
    return cast("t.UpdateObjectEncryptionResponse", _answer(ctx, bucket, request))


async def _seal_blob(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    def begin(ctx: Context) -> tuple[ObjectVersion, Plan, Bytes]:
        bucket, version = _found(ctx, request)
        plan = _plan(ctx, bucket, version, request)
        return version, plan, Bytes(contents.read(ctx, version, 0, version.size), "", version.size, "", {})

    for _ in range(ATTEMPTS):
        seen, plan, some = await ctx.transact(begin)
        received = await copied_bytes.into_blob(ctx, some, "CRC32", plan.key)
        assert received is not None  # nothing was to be shared
        copies = Copies([], [])
        answer = None
        try:
            if seen.annotations:
                copies = await kept_annotations.copies(ctx, seen, b"", plan.key)
            finish = partial(_put_blob, request=request, seen=seen, plan=plan, received=received, copies=copies)
            answer = await ctx.transact(finish)
        finally:
            if answer is None:
                await receiving.discard(ctx, received)
                await kept_annotations.discard(ctx, [each for _, each in copies.made])
        if answer is not None:
            return answer
    raise INTERNAL_ERROR()


def _put_blob(
    ctx: Context, request: Mapping[str, Any], seen: ObjectVersion, plan: Plan, received: Received, copies: Copies
) -> dict[str, Any] | None:
    """Give the version its sealed blob in place of the old ones; None when it is another one by now."""
    bucket, version = _found(ctx, request)
    if (version.sequence, version.content, version.encryption) != (seen.sequence, seen.content, seen.encryption):
        return None
    if not kept_annotations.are_still(ctx, version, copies.seen):
        return None
    kept_annotations.put_copies(ctx, version, copies)
    if not version.content:
        contents.take_row(ctx, version)
    old = [version.content] if version.content not in ("", IN_PARTS) else []
    found = PARTS.peek(ctx, version.bucket, version.key, version.sequence) if version.parts_count else None
    if found is not None:
        old += [part.blob for part in found.parts if part.blob]
        found.parts = [msgspec.structs.replace(part, blob="", stored=0) for part in found.parts]
        PARTS.put(ctx, found)
    version.content, version.stored, version.data = received.blob, received.stored, b""
    plan.describe(version)
    contents.keep(ctx, received.blob)
    kept_blobs.drop(ctx, old)
    versions.update(ctx, version)
    return _answer(ctx, bucket, request)


def _found(ctx: Context, request: Mapping[str, Any]) -> tuple[Bucket, ObjectVersion]:
    """The version, allowed and such as can be updated. The order of checks is ours."""
    bucket = access.located(ctx, request)
    version = lookups.found(ctx, bucket, request)
    if bucket.zone:
        raise METHOD_NOT_ALLOWED()
    if ctx.claim is not None and not ctx.claim.terminator and not ctx.internal:
        raise INVALID_REQUEST(_OLD_SIGNATURE)
    wanted = request["ObjectEncryption"].get("SSEKMS")
    if wanted is None:
        raise INVALID_REQUEST(_NO_TYPE)
    if not wanted.get("KMSKeyArn"):
        raise INVALID_REQUEST(_MISSING_KEY)
    if not _KEY.fullmatch(wanted["KMSKeyArn"]):
        raise INVALID_REQUEST(_NO_KEY)
    if version.encryption not in (AES256, KMS):
        raise INVALID_REQUEST(_OTHER_SOURCE)
    if Arn.parse(wanted["KMSKeyArn"]).account != bucket.account:
        raise ACCESS_DENIED(_OTHER_ACCOUNT)
    if object_locks.protected(version, ctx.now()):
        raise OBJECT_LOCKED_ENCRYPTION()
    return bucket, version


def _plan(ctx: Context, bucket: Bucket, version: ObjectVersion, request: Mapping[str, Any]) -> Plan:
    wanted = request["ObjectEncryption"]["SSEKMS"]
    named, shared = wanted["KMSKeyArn"], bool(wanted.get("BucketKeyEnabled"))
    if version.encryption == KMS:
        return object_encryption.rewrapped(ctx, bucket, version.key, version, named, shared)
    asked = {"ServerSideEncryption": KMS, "SSEKMSKeyId": named, "BucketKeyEnabled": shared}
    return object_encryption.plan(ctx, bucket, asked, version.key)


def _answer(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> dict[str, Any]:
    return {"RequestCharged": "requester"} if access.charged(ctx, bucket, request) else {}
