"""Documents are what their senders meant: Content-MD5 and checksums of the bodies of configurations, ACLs and the like.

Sources: S3 User Guide, "Checking object integrity"; S3 API Reference, the operations whose request needs a
Content-MD5 or a checksum; the texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.storage.s3.errors import INVALID_REQUEST
from cumulo.services.storage.s3.stored import checksums

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cumulo.core.context import Context

# The older operations whose API reference asks for Content-MD5; the others take what they get.
_REQUIRED = frozenset(
    (
        "DeleteObjects", "PutBucketCors", "PutBucketLifecycleConfiguration", "PutBucketReplication",
        "PutBucketTagging", "PutObjectLegalHold", "PutObjectLockConfiguration", "PutObjectRetention",
    )
)  # fmt: skip


def check(ctx: Context, request: Mapping[str, Any]) -> None:
    """BadDigest for a body that is not the announced one, InvalidRequest where a checksum is missing that must be."""
    headers = ctx.headers
    if headers is None:
        return
    said: dict[str, Any] = {}
    # What comes with a completion is the object's checksum, not that of the list of its parts.
    for member, algorithm in checksums.MEMBERS.items() if ctx.operation != "CompleteMultipartUpload" else ():
        value = headers.get(f"x-amz-checksum-{algorithm.lower()}")
        if value:
            said[member] = value
    md5 = request.get("ContentMD5") or headers.get("content-md5")
    if md5:
        said["ContentMD5"] = md5
    if said:
        if "ChecksumAlgorithm" in request:
            said["ChecksumAlgorithm"] = request["ChecksumAlgorithm"]
        checksums.of_bytes(checksums.announced(ctx, said), ctx.document)
    elif ctx.operation in _REQUIRED:
        raise INVALID_REQUEST("Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
