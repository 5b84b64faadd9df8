"""UploadPartCopy: a part of an upload from the bytes of an object.

Source: S3 API Reference, UploadPartCopy; texts as seen of AWS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import Wait, operation
from cumulo.services.storage.s3.copies import copied_bytes
from cumulo.services.storage.s3.copies.object_copies import ATTEMPTS
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import INTERNAL_ERROR, INVALID_ARGUMENT, INVALID_REQUEST
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import open_uploads, receiving
from cumulo.services.storage.s3.stored.open_uploads import UploadedPart
from cumulo.services.storage.s3.uploads import multipart_uploads, uploaded_parts

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.copies.copied_bytes import Source
    from cumulo.services.storage.s3.stored.open_uploads import Upload
    from cumulo.services.storage.s3.stored.receiving import Received
    from cumulo.stubs import s3 as t

_RANGE = re.compile(r"bytes=(\d+)-(\d+)", re.ASCII)


@operation
def upload_part_copy(ctx: Context, request: t.UploadPartCopyRequest) -> t.UploadPartCopyOutput:
    """Take one part out of an object."""
    _begin(ctx, request)
    raise Wait(partial(_copy, request=request))


def _begin(ctx: Context, request: Mapping[str, Any]) -> tuple[Source, Upload, copied_bytes.Bytes, bytes]:
    bucket = access.object_for(ctx, request)
    uploaded_parts.check_number(request["PartNumber"])
    upload = multipart_uploads.found(ctx, bucket, request["Key"], request["UploadId"])
    source = copied_bytes.source_of(ctx, request, whole="CopySourceRange" not in request)
    offset, count = _range(request, source.version.size)
    key = uploaded_parts.content_key(ctx, bucket, upload, request)
    some = copied_bytes.of_source(ctx, source, offset, count, algorithm=upload.computed, sealed=bool(key))
    return source, upload, some, key


def _range(request: Mapping[str, Any], size: int) -> tuple[int, int]:
    given = request.get("CopySourceRange")
    if given is None:
        return 0, size
    found = _RANGE.fullmatch(given)
    if found is None or int(found[1]) > int(found[2]):
        raise INVALID_ARGUMENT(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            members={"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": given},
        )
    first, last = int(found[1]), int(found[2])
    if last >= size:
        raise INVALID_ARGUMENT(
            f"Range specified is not valid for source object of size: {size}",
            members={"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": given},
        )
    if last - first + 1 > copied_bytes.MOST_B:
        raise INVALID_REQUEST(
            "The specified copy source is larger than the maximum allowable size for a copy source: "
            f"{copied_bytes.MOST_B}"
        )
    return first, last - first + 1


async def _copy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    for _ in range(ATTEMPTS):
        source, upload, some, key = await ctx.transact(partial(_begin, request=request))
        received = await copied_bytes.into_blob(ctx, some, upload.computed, key)
        if received is None:
            continue
        finish = partial(_finish, request=request, source=source, received=received, sealed=bool(key))
        try:
            return await ctx.transact(finish)
        except BaseException:
            await receiving.discard(ctx, received)
            raise
    raise INTERNAL_ERROR()


def _finish(
    ctx: Context, request: Mapping[str, Any], source: Source, received: Received, sealed: bool
) -> dict[str, Any]:
    bucket = access.located(ctx, request)
    upload = multipart_uploads.found(ctx, bucket, request["Key"], request["UploadId"])
    part = UploadedPart(
        upload.short_id,
        request["PartNumber"],
        received.size,
        ctx.random_bytes(16).hex() if sealed else received.md5,
        received.checksums[upload.computed],
        received.blob,
        received.stored,
        ctx.now(),
    )
    open_uploads.keep_part(ctx, part)
    result: dict[str, Any] = {"ETag": f'"{part.etag}"', "LastModified": float(int(part.modified_at))}
    if upload.algorithm:
        result[f"Checksum{upload.algorithm}"] = part.checksum
    answer: dict[str, Any] = {"CopyPartResult": result}
    if source.versioned:
        answer["CopySourceVersionId"] = source.version.version_id
    object_encryption.shown(upload.draft, answer)
    access.show_charge(ctx, bucket, request, answer)
    return answer
