"""Where code comes from: bytes in the request, an object in S3, read in the caller's name, or an image.

Source: Lambda API Reference, FunctionCode and LayerVersionContentInput; texts observed in AWS's answers.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.bodies import Outgoing
from cumulo.core.errors import Fault, not_implemented
from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER, S3_FAILED, UNZIPPED_TOO_LARGE
from cumulo.services.compute.lambda_.packages import images, packages
from cumulo.services.compute.lambda_.packages.packages import UNZIPPED_BYTES, Upload

if TYPE_CHECKING:
    from cumulo.blobs import Blobs, Writer
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.packages.images import Pulled

_PIECE = 1 << 20


@contextlib.asynccontextmanager
async def fetched(ctx: Context, code: dict[str, Any], package_type: str) -> AsyncIterator[Upload | Pulled]:
    """The code that a request names, for the transaction in which a version comes to use it."""
    if package_type == images.IMAGE:
        pulled = await images.pull(ctx, code["ImageUri"])
        with pulled.hold:
            yield pulled
        return
    upload = await fetch(ctx, code)
    try:
        yield upload
    except BaseException:
        packages.discard(ctx, upload)
        raise


async def fetch(ctx: Context, code: dict[str, Any]) -> Upload:
    """The archive that a request names, checked and on disk; `packages.use` or `packages.discard` must follow."""
    if code.get("SourceKMSKeyArn"):
        raise not_implemented("lambda", ctx.operation, "Code.SourceKMSKeyArn")
    if code.get("S3ObjectStorageMode", "COPY") != "COPY":
        raise not_implemented("lambda", ctx.operation, "Code.S3ObjectStorageMode=REFERENCE")
    if "ZipFile" in code:
        if "S3Bucket" in code or "S3Key" in code:
            raise INVALID_PARAMETER("Please do not provide other FunctionCode parameters when providing a ZipFile.")
        return await packages.upload(ctx, code["ZipFile"])
    if "S3Bucket" not in code or "S3Key" not in code:
        raise INVALID_PARAMETER("Please provide a source for function code.")
    return await _from_s3(ctx, code)


async def _from_s3(ctx: Context, code: dict[str, Any]) -> Upload:
    request = {"Bucket": code["S3Bucket"], "Key": code["S3Key"]}
    if "S3ObjectVersion" in code:
        request["VersionId"] = code["S3ObjectVersion"]
    try:
        answer = await ctx.aws.s3.get_object(request)
    except Fault as fault:
        raise S3_FAILED(code=fault.code, text=fault.message) from None
    body = answer["Body"]
    if answer["ContentLength"] > UNZIPPED_BYTES:  # an archive from S3 may be as large as what is in it
        if isinstance(body, Outgoing):
            body.close()
        raise UNZIPPED_TOO_LARGE(limit=UNZIPPED_BYTES)
    if isinstance(body, bytes):
        return await ctx.in_thread(partial(packages.written, ctx.blobs, body))
    if isinstance(body, Outgoing):
        return await ctx.in_thread(partial(_copied, ctx.blobs, body))
    return await _streamed(ctx, body)


def _copied(blobs: Blobs, body: Outgoing) -> Upload:
    digest = hashlib.sha256()
    try:
        stored = blobs.put_pieces(_pieces(body.files, digest))
    finally:
        body.close()
    return packages.checked(blobs, Upload(digest.hexdigest(), stored.size, 0, stored.blob))


def _pieces(files: Any, digest: Any) -> Any:
    for file in files:
        offset, end = file.offset, file.offset + file.count
        while offset < end:
            piece = file.read(offset, min(_PIECE, end - offset))
            if not piece:
                break
            offset += len(piece)
            digest.update(piece)
            yield piece


async def _streamed(ctx: Context, body: Any) -> Upload:
    digest = hashlib.sha256()
    writer: Writer = ctx.blobs.writer()
    try:
        async for piece in body:
            digest.update(piece)
            await writer.write([piece])
        stored = await writer.commit()
    except BaseException:
        await writer.abort()
        raise
    upload = Upload(digest.hexdigest(), stored.size, 0, stored.blob)
    return await ctx.in_thread(partial(packages.checked, ctx.blobs, upload))
