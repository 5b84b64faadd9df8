"""Parts of uploads: UploadPart, ListParts. Each is one blob of its own, which the completed object goes on using.

Sources: S3 API Reference, UploadPart and ListParts; texts as seen of AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from cumulo.core.operation import Wait, operation
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, INVALID_REQUEST
from cumulo.services.storage.s3.lifecycles import lifecycle_headers
from cumulo.services.storage.s3.listings import listing_entries
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import checksums, open_uploads, receiving
from cumulo.services.storage.s3.stored.open_uploads import PARTS_OF_UPLOADS, Upload, UploadedPart
from cumulo.services.storage.s3.uploads import multipart_uploads

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.checksums import Announced
    from cumulo.stubs import s3 as t

MOST_PARTS = 10_000
PAGE = 1000
_LARGEST = 2**31 - 1


@operation(streams=True)
def upload_part(ctx: Context, request: t.UploadPartRequest) -> t.UploadPartOutput:
    """Take one part, in place of one of the same number that came before."""
    bucket = access.object_for(ctx, request)
    check_number(request["PartNumber"])
    upload = multipart_uploads.found(ctx, bucket, request["Key"], request["UploadId"])
    said = checksums.announced(ctx, request)
    if upload.algorithm and said.algorithm and said.algorithm != upload.algorithm:
        raise INVALID_REQUEST(
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.algorithm.lower()}, "
            f"actual checksum Type: {said.algorithm.lower()}"
        )
    key = content_key(ctx, bucket, upload, request)
    raise Wait(partial(_receive, request=request, said=said, upload=upload, key=key))


def content_key(ctx: Context, bucket: Bucket, upload: Upload, request: Mapping[str, Any]) -> bytes:
    """The key that seals the parts of an upload, b"" when they are not sealed. A customer's key must be the same.

    Raises InvalidRequest where it does not, and what KMS refuses.
    """
    draft = upload.draft
    brought = object_encryption.customers(request)
    if (brought is not None) != (draft.encryption == object_encryption.CUSTOMER):
        raise INVALID_REQUEST(
            "The multipart upload initiate requested encryption. Subsequent part requests must include the "
            "appropriate encryption parameters."
        )
    if brought is not None and request["SSECustomerKeyMD5"] != draft.customer_key_md5:
        raise INVALID_REQUEST("The provided encryption parameters did not match the ones used originally.")
    return object_encryption.content_key(ctx, bucket, upload.key, draft, request)


def check_number(number: int) -> None:
    """InvalidArgument for a part number that S3 does not know."""
    if not 1 <= number <= MOST_PARTS:
        raise INVALID_ARGUMENT(
            "Part number must be an integer between 1 and 10000, inclusive",
            members={"ArgumentName": "partNumber", "ArgumentValue": str(number)},
        )


async def _receive(
    ctx: Context, request: Mapping[str, Any], said: Announced, upload: Upload, key: bytes
) -> dict[str, Any]:
    body: Any = request.get("Body", b"")
    seal = object_encryption.sealer(ctx, key)
    received = await receiving.receive(ctx, body, said, seal=seal, in_blob=True, default="", also=upload.computed)
    checksum = received.checksums[upload.computed]
    part = UploadedPart(
        upload.short_id,
        request["PartNumber"],
        received.size,
        ctx.random_bytes(16).hex() if key else received.md5,
        checksum,
        received.blob,
        received.stored,
        ctx.now(),
    )

    def finish(ctx: Context) -> dict[str, Any]:
        bucket = access.located(ctx, request)
        still = multipart_uploads.found(ctx, bucket, request["Key"], request["UploadId"])
        open_uploads.keep_part(ctx, part)
        answer: dict[str, Any] = {"ETag": f'"{part.etag}"'}
        # The client's own checksum comes back; one that it only asked the upload for is told too.
        shown = said.algorithm or upload.algorithm
        if shown:
            answer[f"Checksum{shown}"] = received.checksums[shown]
        object_encryption.shown(still.draft, answer)
        access.show_charge(ctx, bucket, request, answer)
        return answer

    try:
        return await ctx.transact(finish)
    except BaseException:
        await receiving.discard(ctx, received)
        raise


@operation
def list_parts(ctx: Context, request: t.ListPartsRequest) -> t.ListPartsOutput:
    """The parts of an upload that have come."""
    bucket = access.object_for(ctx, request)
    limit = _limit(request)
    marker = int(request.get("PartNumberMarker") or 0)
    upload = multipart_uploads.found(ctx, bucket, request["Key"], request["UploadId"])
    parts: list[UploadedPart] = []
    if limit:
        parts = PARTS_OF_UPLOADS.range(ctx, upload.short_id, start=(marker + 1,), limit=limit + 1)
    truncated = len(parts) > limit
    parts = parts[:limit]
    answer: dict[str, Any] = {
        "Bucket": request["Bucket"],
        "Key": upload.key,
        "UploadId": upload.upload_id,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": parts[-1].number if parts else 0,
        "MaxParts": limit,
        "IsTruncated": truncated,
    }
    if parts:
        answer["Parts"] = [_entry(part, upload) for part in parts]
    answer["Initiator"] = multipart_uploads.initiator(upload)
    answer["Owner"] = {"ID": listing_entries.owner_id(upload.draft.owner)}
    answer["StorageClass"] = upload.draft.storage_class
    if upload.algorithm:
        answer["ChecksumAlgorithm"] = upload.algorithm
        answer["ChecksumType"] = upload.checksum_type
    lifecycle_headers.show_abort(ctx, bucket, upload.key, upload.started / 1e9, answer)
    access.show_charge(ctx, bucket, request, answer)
    return cast("t.ListPartsOutput", answer)


def _limit(request: Mapping[str, Any]) -> int:
    limit: int | None = request.get("MaxParts")
    if limit is None:
        return PAGE
    if not 0 <= limit <= _LARGEST:
        raise INVALID_ARGUMENT(
            f"Argument max-parts must be an integer between 0 and {_LARGEST}",
            members={"ArgumentName": "max-parts", "ArgumentValue": str(limit)},
        )
    return min(limit, PAGE)


def _entry(part: UploadedPart, upload: Upload) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "PartNumber": part.number,
        "LastModified": float(int(part.modified_at)),
        "ETag": f'"{part.etag}"',
        "Size": part.size,
    }
    if upload.algorithm:
        entry[f"Checksum{upload.algorithm}"] = part.checksum
    return entry
