"""The operations of annotations: named texts that lie beside a version and change nothing of it.

Sources: S3 API Reference, PutObjectAnnotation and its like (which name the errors; the texts of InvalidRequest are
ours); S3 User Guide, "Annotating your objects" (names, limits, checksums, versions, events).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING, Any, cast

from cumulo.core import paging
from cumulo.core.operation import Wait, operation
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.encryption.object_encryption import AES256, CUSTOMER
from cumulo.services.storage.s3.errors import (
    ANNOTATION_LIMIT,
    ANNOTATION_NAME_TOO_LONG,
    INVALID_ANNOTATION_NAME,
    INVALID_ANNOTATION_PREFIX,
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    NO_SUCH_ANNOTATION,
    PRECONDITION_FAILED,
    UNSUPPORTED_MEDIA_TYPE,
)
from cumulo.services.storage.s3.locks import object_locks
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.replication import replications
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import checksums, kept_annotations, versions
from cumulo.services.storage.s3.stored.checksums import FULL_OBJECT, Digests
from cumulo.services.storage.s3.stored.contents import SMALL_B
from cumulo.services.storage.s3.stored.kept_annotations import ANNOTATIONS, MOST, Annotation

if TYPE_CHECKING:
    from cumulo.core.bodies import Body
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.checksums import Announced
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion
    from cumulo.stubs import s3 as t

MOST_B = 1024**2
NAME_B = 512
_RESERVED = ("aws", "s3")
_IF_MATCH = "x-amz-object-if-match"
_BYPASS = "x-amz-bypass-governance-retention"


@operation(streams=True)
def put_object_annotation(ctx: Context, request: t.PutObjectAnnotationRequest) -> t.PutObjectAnnotationOutput:
    """Give a version an annotation, in place of the one of the same name."""
    bucket, version, key = _to_write(ctx, request)
    said = checksums.announced(ctx, request)
    body: Any = request.get("AnnotationPayload", b"")
    if not isinstance(body, bytes) or len(body) > SMALL_B:
        raise Wait(partial(_put_large, request=request, said=said))
    _check_payload(body)
    annotation = _made(ctx, version, request, said, body, {})
    payload = kept_annotations.small(ctx, body, key)
    return cast("t.PutObjectAnnotationOutput", _put(ctx, bucket, version, request, annotation, payload))


async def _put_large(ctx: Context, request: Mapping[str, Any], said: Announced) -> dict[str, Any]:
    body: Any = request.get("AnnotationPayload", b"")
    data, trailers = (body, {}) if isinstance(body, bytes) else await _read(body)
    _check_payload(data)
    _, seen, key = await ctx.transact(partial(_to_write, request=request))
    annotation = await ctx.in_thread(partial(_made, ctx, seen, request, said, data, trailers))
    payload = await kept_annotations.written(ctx, data, key)

    def finish(ctx: Context) -> dict[str, Any]:
        bucket, version, key_now = _to_write(ctx, request)
        annotation.sequence = version.sequence
        if key_now != key:  # it was replaced, or sealed, meanwhile
            raise INVALID_REQUEST("The object was changed while the annotation was received.")
        return _put(ctx, bucket, version, request, annotation, payload)

    try:
        return await ctx.transact(finish)
    except BaseException:
        await kept_annotations.discard(ctx, (payload,))
        raise


async def _read(body: Body) -> tuple[bytes, Mapping[str, str]]:
    """A body that is on its way, whole, and its trailers; InvalidRequest where it is too long."""
    data = bytearray()
    while pieces := await body.read():
        for piece in body.take_apart(pieces):
            data += piece
        if len(data) > MOST_B:
            raise _wrong_size()
    body.finish()
    return bytes(data), body.trailers


def _to_write(ctx: Context, request: Mapping[str, Any]) -> tuple[Bucket, ObjectVersion, bytes]:
    """The version, allowed and as it is expected, and the key that seals what is beside it."""
    bucket = access.located(ctx, request)
    version = lookups.found(ctx, bucket, request)
    check_name(request["AnnotationName"])
    _check_match(request, version)
    if version.encryption == CUSTOMER:
        raise INVALID_REQUEST(
            "Annotations are not supported for objects encrypted with customer-provided keys (SSE-C)."
        )
    return bucket, version, object_encryption.content_key(ctx, bucket, version.key, version, {})


def check_name(name: str) -> None:
    """Raise AnnotationNameTooLong and InvalidAnnotationName."""
    if len(name.encode("utf-8", "replace")) > NAME_B:
        raise ANNOTATION_NAME_TOO_LONG()
    if not name or name.lower().startswith(_RESERVED) or not _is_plain(name):
        raise INVALID_ANNOTATION_NAME()


def _is_plain(text: str) -> bool:
    return all(each.isalpha() or each in "0123456789_.-" for each in text)


def _check_match(request: Mapping[str, Any], version: ObjectVersion) -> None:
    wanted = request.get("ObjectIfMatch")
    if wanted is not None and wanted.strip('"') not in (version.etag, "*"):
        raise PRECONDITION_FAILED(members={"Condition": _IF_MATCH})


def _check_payload(data: bytes) -> None:
    if not 1 <= len(data) <= MOST_B:
        raise _wrong_size()
    try:
        data.decode()
    except UnicodeDecodeError:
        raise UNSUPPORTED_MEDIA_TYPE() from None


def _wrong_size() -> Exception:
    return INVALID_REQUEST("The annotation payload must be between 1 byte and 1 MiB in size.")


def _made(
    ctx: Context,
    version: ObjectVersion,
    request: Mapping[str, Any],
    said: Announced,
    data: bytes,
    trailers: Mapping[str, str],
) -> Annotation:
    """The annotation but for its payload. Raises BadDigest where that is not as announced."""
    digests = Digests(said)
    digests.update((data,))
    digest, found = digests.verified(trailers)
    etag = digest if version.encryption == AES256 else md5(ctx.random_bytes(16), usedforsecurity=False).hexdigest()
    place = (version.bucket, version.key, version.sequence, request["AnnotationName"])
    return Annotation(*place, ctx.now(), len(data), etag, found)


def _put(
    ctx: Context,
    bucket: Bucket,
    version: ObjectVersion,
    request: Mapping[str, Any],
    annotation: Annotation,
    payload: kept_annotations.Payload,
) -> dict[str, Any]:
    if kept_annotations.put(ctx, annotation, payload):
        if version.annotations >= MOST:
            raise ANNOTATION_LIMIT()
        version.annotations += 1
        versions.update(ctx, version)
    replications.changed(ctx, bucket, version)
    notifications.notify(ctx, bucket, "ObjectAnnotation:Put", version)
    answer = {"Key": version.key, "AnnotationName": annotation.name, "ETag": f'"{annotation.etag}"'}
    answer |= checksums.members(annotation.checksums)
    answer["ChecksumType"] = FULL_OBJECT
    answer["ServerSideEncryption"] = version.encryption
    return answer | _shown(ctx, bucket, version, request)


def _shown(ctx: Context, bucket: Bucket, version: ObjectVersion, request: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"ObjectVersionId": version.version_id} if bucket.versioning else {}
    access.show_charge(ctx, bucket, request, shown)
    return shown


@operation
def get_object_annotation(ctx: Context, request: t.GetObjectAnnotationRequest) -> t.GetObjectAnnotationOutput:
    """The payload of an annotation, be its version archived or not."""
    bucket = access.located(ctx, request)
    version = lookups.found(ctx, bucket, request)
    place = (version.bucket, version.key, version.sequence, request["AnnotationName"])
    found = ANNOTATIONS.peek(ctx, *place) if version.annotations else None
    if found is None:
        raise NO_SUCH_ANNOTATION()
    key = object_encryption.content_key(ctx, bucket, version.key, version, {})
    answer: dict[str, Any] = {
        "AnnotationPayload": kept_annotations.payload(ctx, found, key),
        "LastModified": float(int(found.modified_at)),
        "ContentLength": found.size,
        "ETag": f'"{found.etag}"',
        "ServerSideEncryption": version.encryption,
    }
    if request.get("ChecksumMode") == "ENABLED":
        answer |= {**checksums.members(found.checksums), "ChecksumType": FULL_OBJECT}
    return cast("t.GetObjectAnnotationOutput", answer | _shown(ctx, bucket, version, request))


@operation
def list_object_annotations(ctx: Context, request: t.ListObjectAnnotationsRequest) -> t.ListObjectAnnotationsOutput:
    """A page of a version's annotations, by name."""
    bucket = access.located(ctx, request)
    version = lookups.found(ctx, bucket, request)
    prefix, limit = request.get("AnnotationPrefix") or "", request.get("MaxAnnotationResults", MOST)
    if len(prefix.encode("utf-8", "replace")) > NAME_B or not _is_plain(prefix):
        raise INVALID_ANNOTATION_PREFIX()
    if not 1 <= limit <= MOST:
        members = {"ArgumentName": "max-annotation-results", "ArgumentValue": str(limit)}
        raise INVALID_ARGUMENT("Argument max-annotation-results must be an integer between 1 and 1000", members=members)
    token, last = request.get("ContinuationToken"), ""
    if token:
        last = str(paging.decode(ctx, token, INVALID_ARGUMENT("The continuation token provided is incorrect"))[0])
    found = [each for each in kept_annotations.of(ctx, version) if each.name.startswith(prefix) and each.name > last]
    page = found[:limit]
    answer: dict[str, Any] = {
        "Annotations": [_entry(each) for each in page],
        "Bucket": request["Bucket"],
        "Key": version.key,
        "MaxAnnotationResults": limit,
        "AnnotationCount": len(page),
    }
    if prefix:
        answer["AnnotationPrefix"] = prefix
    if token:
        answer["ContinuationToken"] = token
    if len(found) > limit:
        answer["NextContinuationToken"] = paging.encode(ctx, (page[-1].name,))
    return cast("t.ListObjectAnnotationsOutput", answer | _shown(ctx, bucket, version, request))


def _entry(annotation: Annotation) -> dict[str, Any]:
    return {
        "AnnotationName": annotation.name,
        "LastModified": float(int(annotation.modified_at)),
        "ETag": f'"{annotation.etag}"',
        "ChecksumAlgorithm": list(annotation.checksums),
        "Size": annotation.size,
    }


@operation
def delete_object_annotation(ctx: Context, request: t.DeleteObjectAnnotationRequest) -> t.DeleteObjectAnnotationOutput:
    """Drop an annotation for good, if it is there."""
    bucket = access.located(ctx, request)
    version = lookups.found(ctx, bucket, request)
    _check_match(request, version)
    _check_lock(ctx, bucket, request, version)
    place = (version.bucket, version.key, version.sequence, request["AnnotationName"])
    found = ANNOTATIONS.peek(ctx, *place) if version.annotations else None
    if found is not None:
        kept_annotations.delete(ctx, found)
        version.annotations -= 1
        versions.update(ctx, version)
        replications.changed(ctx, bucket, version)
        notifications.notify(ctx, bucket, "ObjectAnnotation:Delete", version)
    return cast("t.DeleteObjectAnnotationOutput", _shown(ctx, bucket, version, request))


def _check_lock(ctx: Context, bucket: Bucket, request: Mapping[str, Any], version: ObjectVersion) -> None:
    """AccessDenied where Object Lock protects the version; the header that bypasses it is not in the model.

    Source: S3 API Reference, DeleteObjectAnnotation.
    """
    header = ctx.headers.get(_BYPASS) if ctx.headers is not None else ""
    asked = {**request, "BypassGovernanceRetention": True} if (header or "").lower() == "true" else request
    object_locks.check_removal(ctx, bucket, asked, version)
