"""RenameObject: an object of a directory bucket under another key, its bytes where they are.

Source: S3 API Reference, RenameObject.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec

from cumulo.core.operation import operation
from cumulo.services.storage.s3.errors import (
    IDEMPOTENCY_MISMATCH,
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    METHOD_NOT_ALLOWED,
    NO_SUCH_KEY,
    PRECONDITION_FAILED,
)
from cumulo.services.storage.s3.objects import preconditions
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import contents, remembered_pages, versions
from cumulo.services.storage.s3.stored.object_versions import CURRENT, PARTS, ObjectVersion
from cumulo.services.storage.s3.stored.renamings import RENAMINGS, Renaming

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.stubs import s3 as t

KNOWN_S = 86_400  # for so long a client token is remembered; AWS does not say how long
LONGEST_TOKEN = 64
_AT_ONCE = 10


Conditions = tuple[str | None, str | None, float | None, float | None]


@operation
def rename_object(ctx: Context, request: t.RenameObjectRequest) -> t.RenameObjectOutput:
    """Give the object of RenameSource the request's key, in place of what has it."""
    bucket = access.object_for(ctx, request, action="s3:PutObject")
    if not bucket.zone:
        raise METHOD_NOT_ALLOWED()
    lookups.check_key(request["Key"])
    if _is_known(ctx, bucket, request):
        return {}
    key = _source_key(bucket, request["RenameSource"])
    source = CURRENT.peek(ctx, bucket.name, key)
    if source is None:
        raise NO_SUCH_KEY(members={"Key": key})
    target = CURRENT.peek(ctx, bucket.name, request["Key"])
    of_source = (
        request.get("SourceIfMatch"),
        request.get("SourceIfNoneMatch"),
        request.get("SourceIfModifiedSince"),
        request.get("SourceIfUnmodifiedSince"),
    )
    of_target = (
        request.get("DestinationIfMatch"),
        request.get("DestinationIfNoneMatch"),
        request.get("DestinationIfModifiedSince"),
        request.get("DestinationIfUnmodifiedSince"),
    )
    _check(of_source, source, "x-amz-rename-source-")
    _check(of_target, target, "")
    if key != request["Key"]:
        _move(ctx, source, target, request["Key"])
    return {}


def _is_known(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> bool:
    """Whether this was done already. Raises IdempotencyParameterMismatch where the token stands for something else.

    A request that fails takes its token back with all else that it wrote.
    """
    token = request.get("ClientToken")
    if token is None:
        return False
    if not 1 <= len(token) <= LONGEST_TOKEN or not all("!" <= each <= "~" for each in token):
        raise INVALID_ARGUMENT(members={"ArgumentName": "x-amz-client-token", "ArgumentValue": token})
    now = int(ctx.now())
    for each in RENAMINGS.range(ctx, index="by_time", start=(0,), end=(max(now - KNOWN_S, 1),), limit=_AT_ONCE):
        RENAMINGS.delete(ctx, each)
    digest = sha256(repr(sorted(request.items())).encode()).digest()
    known = RENAMINGS.peek(ctx, bucket.name, token)
    if known is not None and known.renamed_at > now - KNOWN_S:
        if known.digest != digest:
            raise IDEMPOTENCY_MISMATCH()
        return True
    RENAMINGS.put(ctx, Renaming(bucket.name, token, digest, now))
    return False


def _source_key(bucket: Bucket, given: str) -> str:
    """The key in RenameSource: behind the bucket's name, or by itself."""
    text = unquote(given).removeprefix("/")
    key = text.removeprefix(f"{bucket.name}/")
    if not key or (key == text and text.partition("/")[0].endswith("--x-s3")):
        raise INVALID_REQUEST("The source of a rename must be an object of the same bucket.")
    return key


def _check(conditions: Conditions, version: ObjectVersion | None, prefix: str) -> None:
    """PreconditionFailed unless the object is as the request wants it. Times are held against each other in seconds."""
    if_match, if_none_match, since, until = conditions
    modified = int(version.modified_at) if version is not None else None
    failed = ""
    if if_match is not None and (version is None or not preconditions.matches(if_match, version.etag)):
        failed = "If-Match"
    elif if_none_match is not None and version is not None and preconditions.matches(if_none_match, version.etag):
        failed = "If-None-Match"
    elif since is not None and (modified is None or modified <= since):
        failed = "If-Modified-Since"
    elif until is not None and modified is not None and modified > until:
        failed = "If-Unmodified-Since"
    if failed:
        raise PRECONDITION_FAILED(members={"Condition": prefix + failed.lower() if prefix else failed})


def _move(ctx: Context, source: ObjectVersion, target: ObjectVersion | None, key: str) -> None:
    if target is not None:
        contents.release(ctx, target)
    moved = msgspec.structs.replace(
        source, key=key, sequence=versions.next_sequence(ctx), class_since=source.class_since or source.sequence / 1e9
    )
    if not source.content:
        contents.put_row(ctx, moved, contents.take_row(ctx, source))
    parts = PARTS.peek(ctx, source.bucket, source.key, source.sequence) if source.parts_count else None
    if parts is not None:
        PARTS.delete(ctx, parts)
        PARTS.put(ctx, msgspec.structs.replace(parts, key=key, sequence=moved.sequence))
    remembered_pages.changed(ctx, source.bucket, source.key)
    CURRENT.delete(ctx, source)
    CURRENT.put(ctx, moved)
