"""Uploads in parts: begun, listed, aborted. Their parts are in uploaded_parts.py, their end in completions.py.

Sources: S3 API Reference, CreateMultipartUpload, AbortMultipartUpload and ListMultipartUploads; S3 User Guide,
"Checking object integrity for data uploads in Amazon S3" (which checksum types an algorithm has).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.s3.access import canonical_user_id
from cumulo.core.table import pack
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import (
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    NO_SUCH_UPLOAD,
    NOT_IMPLEMENTED_HEADER,
    PRECONDITION_FAILED,
)
from cumulo.services.storage.s3.lifecycles import lifecycle_headers
from cumulo.services.storage.s3.listings import listing_entries, listing_pages
from cumulo.services.storage.s3.listings.listing_pages import Row, packed, unpacked
from cumulo.services.storage.s3.listings.object_listings import Asked
from cumulo.services.storage.s3.objects import new_objects
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import checksums, open_uploads, version_ids, versions
from cumulo.services.storage.s3.stored.object_versions import CURRENT, ObjectVersion
from cumulo.services.storage.s3.stored.open_uploads import UPLOADS, Upload

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.stubs import s3 as t

_INITIATED = "x-amz-if-match-initiated-time"
_CHANCE_B = 72  # of an upload id, behind the place that is hidden at its head


_VALID = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
_ONLY_FULL = frozenset(("CRC64NVME",))
_BOTH = frozenset(("CRC32", "CRC32C"))


@operation
def create_multipart_upload(ctx: Context, request: t.CreateMultipartUploadRequest) -> t.CreateMultipartUploadOutput:
    """Begin an upload, with all that is known of the object but its bytes."""
    bucket = access.object_for(ctx, request)
    algorithm, checksum_type = _checksum(request)
    draft = new_objects.described(ctx, bucket, request)
    object_encryption.plan(ctx, bucket, request, draft.key).describe(draft)
    current = CURRENT.peek(ctx, bucket.name, request["Key"])
    upload = Upload(
        bucket.name,
        request["Key"],
        draft.sequence,
        _new_upload_id(ctx, draft.sequence),
        ctx.principal.arn,
        ctx.principal.account,
        draft,
        current.sequence if current is not None else 0,
        algorithm,
        checksum_type,
    )
    UPLOADS.put(ctx, upload)
    answer: dict[str, Any] = {"Bucket": request["Bucket"], "Key": upload.key, "UploadId": upload.upload_id}
    if algorithm:
        answer["ChecksumAlgorithm"] = algorithm
        answer["ChecksumType"] = checksum_type
    object_encryption.shown(draft, answer)
    if draft.kms_context:
        answer["SSEKMSEncryptionContext"] = draft.kms_context
    lifecycle_headers.show_abort(ctx, bucket, upload.key, upload.started / 1e9, answer)
    access.show_charge(ctx, bucket, request, answer)
    return cast("t.CreateMultipartUploadOutput", answer)


def _checksum(request: Mapping[str, Any]) -> tuple[str, str]:
    algorithm: str | None = request.get("ChecksumAlgorithm")
    kind: str | None = request.get("ChecksumType")
    if algorithm is None:
        if kind is not None:
            raise INVALID_REQUEST(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )
        return "", ""
    algorithm = algorithm.upper()
    if algorithm not in checksums.SIZES:
        raise INVALID_REQUEST(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(_VALID)}]"
        )
    if kind is None:
        return algorithm, checksums.FULL_OBJECT if algorithm in _ONLY_FULL else checksums.COMPOSITE
    if kind not in (checksums.FULL_OBJECT, checksums.COMPOSITE):
        raise INVALID_REQUEST("Value for x-amz-checksum-type header is invalid.")
    full = kind == checksums.FULL_OBJECT
    if algorithm not in _BOTH and full != (algorithm in _ONLY_FULL):
        raise INVALID_REQUEST(
            f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        )
    return algorithm, kind


def _new_upload_id(ctx: Context, started: int) -> str:
    return version_ids.new_version_id(ctx, started) + b64encode(ctx.random_bytes(_CHANCE_B), b"._").decode()


def started_of(upload_id: str) -> int | None:
    """When an upload was begun, by its id; None for what is no upload id."""
    return version_ids.sequence_of(upload_id[: version_ids.LENGTH])


def found(ctx: Context, bucket: Bucket, key: str, upload_id: str) -> Upload:
    """The upload of this id. Raises NoSuchUpload."""
    started = started_of(upload_id)
    upload = None if started is None else UPLOADS.peek(ctx, bucket.name, key, started)
    if upload is None or upload.upload_id != upload_id:
        raise no_such_upload(upload_id)
    return upload


def no_such_upload(upload_id: str) -> Fault:
    """The fault of an upload that is not there (any more)."""
    return NO_SUCH_UPLOAD(members={"UploadId": upload_id})


@operation
def abort_multipart_upload(ctx: Context, request: t.AbortMultipartUploadRequest) -> t.AbortMultipartUploadOutput:
    """End an upload and drop its parts; in a directory bucket, only if it was begun in the second that is named."""
    bucket = access.object_for(ctx, request)
    begun = request.get("IfMatchInitiatedTime")
    if begun is not None and not bucket.zone:
        raise NOT_IMPLEMENTED_HEADER(members={"Header": _INITIATED})
    try:
        upload = found(ctx, bucket, request["Key"], request["UploadId"])
    except Fault:
        if begun is None:
            raise
        return {}  # "if the multipart upload doesn't exist, the operation returns a 204"
    if begun is not None and int(begun) != upload.started // 10**9:
        raise PRECONDITION_FAILED(members={"Condition": _INITIATED})
    open_uploads.drop(ctx, upload)
    return {"RequestCharged": "requester"} if access.charged(ctx, bucket, request) else {}


@operation
def list_multipart_uploads(ctx: Context, request: t.ListMultipartUploadsRequest) -> t.ListMultipartUploadsOutput:
    """Uploads that go on, in the order of their keys, the first begun of a key first."""
    asked = Asked(request, "MaxUploads", "max-uploads")
    bucket = access.bucket_for(ctx, request, context=asked.conditions)
    key_marker, id_marker = request.get("KeyMarker") or "", request.get("UploadIdMarker") or ""
    begin = b""
    if key_marker:
        begin = asked.behind(key_marker)
        if id_marker:
            begin = pack(key_marker, _marked(id_marker)) + b"\x00"
    page = listing_pages.Page()
    if asked.limit:
        prefix = packed(asked.prefix)
        first = max(begin, listing_pages.begin_of(prefix))
        page = listing_pages.collect(_rows(ctx, bucket, prefix), first, prefix, packed(asked.delimiter), asked.limit)
    uploads = [UPLOADS.codec.decode(data) for _, data in page.rows]
    next_key, next_id = (asked.shown(uploads[-1].key), uploads[-1].upload_id) if uploads else ("", "")
    if page.truncated and page.rolled_up:
        next_key, next_id = asked.shown(unpacked(page.last)), ""
    answer: dict[str, Any] = {
        "Bucket": request["Bucket"],
        "KeyMarker": asked.shown(key_marker),
        "UploadIdMarker": id_marker,
        "NextKeyMarker": next_key,
        "NextUploadIdMarker": next_id,
    }
    if asked.delimiter:
        answer["Delimiter"] = asked.shown(asked.delimiter)
    if asked.prefix:
        answer["Prefix"] = asked.shown(asked.prefix)
    if asked.url:
        answer["EncodingType"] = listing_entries.URL
    answer["MaxUploads"] = asked.limit
    answer["IsTruncated"] = page.truncated
    if uploads:
        answer["Uploads"] = [_entry(upload, asked) for upload in uploads]
    if page.prefixes:
        answer["CommonPrefixes"] = asked.common_prefixes(page)
    access.show_charge(ctx, bucket, request, answer)
    return cast("t.ListMultipartUploadsOutput", answer)


def _marked(upload_id: str) -> int:
    started = started_of(upload_id)
    if started is None:
        raise INVALID_ARGUMENT(
            "Invalid uploadId marker", members={"ArgumentName": "upload-id-marker", "ArgumentValue": upload_id}
        )
    return started


def _rows(ctx: Context, bucket: Bucket, prefix: bytes) -> listing_pages.Rows:
    place = UPLOADS.prefix("", "") + pack(bucket.name)
    end = place + listing_pages.end_of(prefix)

    def rows(start: bytes, limit: int) -> list[Row]:
        return [(key[len(place) :], data) for key, data in ctx.txn.range(place + start, end, limit=limit)]

    return rows


def _entry(upload: Upload, asked: Asked) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "UploadId": upload.upload_id,
        "Key": asked.shown(upload.key),
        "Initiated": float(upload.started // 10**9),
        "StorageClass": upload.draft.storage_class,
        "Owner": {"ID": listing_entries.owner_id(upload.draft.owner)},
        "Initiator": initiator(upload),
    }
    if upload.algorithm:
        entry["ChecksumAlgorithm"] = upload.algorithm
        entry["ChecksumType"] = upload.checksum_type
    return entry


def initiator(upload: Upload) -> dict[str, str]:
    """Who began an upload: the canonical user of an account's root, the ARN of everybody else."""
    arn, account = upload.initiator, upload.initiator_account
    if not account:
        return {"ID": "anonymous", "DisplayName": "anonymous"}
    if arn.endswith(":root"):
        return {"ID": canonical_user_id(account), "DisplayName": account}
    return {"ID": arn, "DisplayName": arn.rpartition("/")[2]}


def as_version(ctx: Context, bucket: Bucket, upload: Upload) -> ObjectVersion:
    """The version that an upload becomes, with its place among the others, but for its bytes."""
    fresh = versions.begin(ctx, bucket, upload.key)
    version = upload.draft
    version.sequence, version.version_id = fresh.sequence, fresh.version_id
    # Source: S3 API Reference, HeadObject, "Last-Modified": of uploads in parts, the date of their initiation.
    version.modified_at = upload.started / 1e9
    return version
