"""CopyObject.

Sources: S3 API Reference, CopyObject; S3 User Guide, "Copying, moving, and renaming objects"; what an object keeps when
it is copied onto itself, and the texts, as seen of AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from cumulo.core.operation import Wait, operation
from cumulo.services.storage.s3.copies import copied_bytes
from cumulo.services.storage.s3.copies.copied_bytes import Source
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import (
    INTERNAL_ERROR,
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    NOT_IMPLEMENTED_HEADER,
    OPERATION_ABORTED,
)
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.objects import new_objects, preconditions
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import checksums, kept_annotations, receiving, versions
from cumulo.services.storage.s3.stored.kept_annotations import Copies
from cumulo.services.storage.s3.stored.object_versions import CURRENT, ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.encryption.object_encryption import Plan
    from cumulo.services.storage.s3.stored.receiving import Received
    from cumulo.stubs import s3 as t

COPY, REPLACE, EXCLUDE = "COPY", "REPLACE", "EXCLUDE"
_ANNOTATION_DIRECTIVE = "x-amz-object-annotation-directive"
ATTEMPTS = 5  # a source that is replaced again and again while it is copied
_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)
_CHANGES = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSECustomerAlgorithm", "SSEKMSKeyId")


class Job(NamedTuple):
    """One copy, ready to be made: everything is checked."""

    bucket: Bucket
    source: Source
    plan: Plan
    algorithm: str
    seen: ObjectVersion | None


@operation
def copy_object(ctx: Context, request: t.CopyObjectRequest) -> t.CopyObjectOutput:
    """Make an object of another one's bytes."""
    job = _begin(ctx, request)
    if job.source.version.content or _takes_annotations(request, job.source.version):
        raise Wait(partial(_copy_blob, request=request))
    received = copied_bytes.at_once(ctx, job.source, job.algorithm)
    return cast("t.CopyObjectOutput", _finish(ctx, request, job, received))


async def _copy_blob(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    def begin(ctx: Context) -> tuple[Job, copied_bytes.Bytes]:
        job = _begin(ctx, request)
        source = job.source
        some = copied_bytes.of_source(
            ctx, source, 0, source.version.size, algorithm=job.algorithm, sealed=bool(job.plan.key)
        )
        return job, some

    for _ in range(ATTEMPTS):
        job, some = await ctx.transact(begin)
        received = await copied_bytes.into_blob(ctx, some, job.algorithm, job.plan.key)
        if received is None:
            continue
        copies = None
        try:
            if _takes_annotations(request, job.source.version):
                algorithm = job.algorithm if "ChecksumAlgorithm" in request else ""
                version, key = job.source.version, job.source.key
                copies = await kept_annotations.copies(ctx, version, key, job.plan.key, algorithm)
            return await ctx.transact(partial(_finish, request=request, job=job, received=received, copies=copies))
        except BaseException:
            await receiving.discard(ctx, received)
            await kept_annotations.discard(ctx, [each for _, each in copies.made] if copies is not None else ())
            raise
    raise INTERNAL_ERROR()


def _begin(ctx: Context, request: Mapping[str, Any]) -> Job:
    bucket = access.object_for(ctx, request)
    preconditions.check_write_form(request)
    _check_directives(request)
    source = copied_bytes.source_of(ctx, request, whole=True)
    if source.version.tags and request.get("TaggingDirective", COPY) == COPY:
        asked = {"Bucket": source.bucket.name, "Key": source.version.key}
        access.allow_object(ctx, source.bucket, asked, source.version, action="s3:GetObjectTagging")
    if source.version.annotations or "AnnotationDirective" in request:
        _check_annotations(ctx, request, bucket, source)
    current = CURRENT.peek(ctx, bucket.name, request["Key"])
    preconditions.check_write(request, current, request["Key"])
    plan = object_encryption.plan(ctx, bucket, request, request["Key"])
    _check_itself(request, source.version, current, plan)
    return Job(bucket, source, plan, _algorithm(request, source.version), current)


def _check_directives(request: Mapping[str, Any]) -> None:
    for member, header, name in (
        ("MetadataDirective", "x-amz-metadata-directive", "metadata"),
        ("TaggingDirective", "x-amz-tagging-directive", "tagging"),
    ):
        if request.get(member, COPY) not in (COPY, REPLACE):
            raise INVALID_ARGUMENT(
                f"Unknown {name} directive.", members={"ArgumentName": header, "ArgumentValue": request[member]}
            )


def _takes_annotations(request: Mapping[str, Any], version: ObjectVersion) -> bool:
    return version.annotations > 0 and request.get("AnnotationDirective", COPY) == COPY


def _check_annotations(ctx: Context, request: Mapping[str, Any], bucket: Bucket, source: Source) -> None:
    """The rights to copy annotations, which directory buckets do not have.

    Source: S3 API Reference, CopyObject, "x-amz-object-annotation-directive".
    """
    directive = request.get("AnnotationDirective", COPY)
    if directive not in (COPY, EXCLUDE):
        members = {"ArgumentName": _ANNOTATION_DIRECTIVE, "ArgumentValue": directive}
        raise INVALID_ARGUMENT("Unknown annotation directive.", members=members)
    if directive == EXCLUDE:
        return
    if bucket.zone:
        raise NOT_IMPLEMENTED_HEADER(members={"Header": _ANNOTATION_DIRECTIVE})
    if source.version.annotations:
        asked = {"Bucket": source.bucket.name, "Key": source.version.key}
        access.allow_object(ctx, source.bucket, asked, source.version, action="s3:GetObjectAnnotation")
        access.allow_object(ctx, bucket, request, action="s3:PutObjectAnnotation")


def _check_itself(request: Mapping[str, Any], source: ObjectVersion, current: ObjectVersion | None, plan: Plan) -> None:
    """A copy onto the very version that is current has to change something."""
    if current is None or (source.bucket, source.key, source.sequence) != (
        current.bucket,
        current.key,
        current.sequence,
    ):
        return
    if request.get("MetadataDirective") == REPLACE or any(name in request for name in _CHANGES):
        return
    if (plan.encryption, plan.kms_key) != (source.encryption, source.kms_key):
        return
    raise INVALID_REQUEST(_ITSELF)


def _algorithm(request: Mapping[str, Any], source: ObjectVersion) -> str:
    """The checksum that the copy gets: the one asked for, else the source's kind, else S3's own."""
    asked = request.get("ChecksumAlgorithm")
    if asked is None:
        return next(iter(source.checksums), checksums.DEFAULT)
    if asked.upper() not in checksums.SIZES:
        raise INVALID_REQUEST(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            "[CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
        )
    return str(asked.upper())


def _finish(
    ctx: Context, request: Mapping[str, Any], job: Job, received: Received, copies: Copies | None = None
) -> dict[str, Any]:
    bucket = access.located(ctx, request)
    source = job.source.version
    version = new_objects.described(ctx, bucket, request)
    preconditions.check_still(request, job.seen, CURRENT.peek(ctx, bucket.name, version.key), version.key)
    if request.get("MetadataDirective", COPY) == COPY:
        version.headers, version.metadata = source.headers, source.metadata
    if request.get("TaggingDirective", COPY) == COPY:
        version.tags = source.tags
    new_objects.fill(ctx, version, received, job.plan)
    if copies is not None:
        if not kept_annotations.are_still(ctx, source, copies.seen):
            raise OPERATION_ABORTED()
        kept_annotations.put_copies(ctx, version, copies, {"modified_at": ctx.now()})
    versions.store(ctx, bucket, version)
    notifications.notify(ctx, bucket, "ObjectCreated:Copy", version)
    result = {"ETag": f'"{version.etag}"', "LastModified": float(int(version.modified_at))}
    result |= {f"Checksum{algorithm}": value for algorithm, value in version.checksums.items()}
    answer: dict[str, Any] = {"CopyObjectResult": {**result, "ChecksumType": version.checksum_type}}
    if job.source.versioned:
        answer["CopySourceVersionId"] = source.version_id
    if bucket.versioning:
        answer["VersionId"] = version.version_id
    new_objects.show(ctx, bucket, request, version, answer)
    return answer
