"""Objects read: whole, in ranges, in parts, or their head alone.

Source: S3 API Reference, GetObject and HeadObject.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.storage.s3.dates import http_date
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, INVALID_PART_NUMBER, INVALID_REQUEST
from cumulo.services.storage.s3.lifecycles import accesses, lifecycle_configurations, lifecycle_headers
from cumulo.services.storage.s3.locks import object_locks
from cumulo.services.storage.s3.objects import object_headers, preconditions, ranges, restorations
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import contents
from cumulo.services.storage.s3.stored.object_versions import PARTS, ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import Part
    from cumulo.stubs import s3 as t

_OVERRIDES = (
    ("ResponseCacheControl", "CacheControl", "response-cache-control"),
    ("ResponseContentDisposition", "ContentDisposition", "response-content-disposition"),
    ("ResponseContentEncoding", "ContentEncoding", "response-content-encoding"),
    ("ResponseContentLanguage", "ContentLanguage", "response-content-language"),
    ("ResponseContentType", "ContentType", "response-content-type"),
    ("ResponseExpires", "Expires", "response-expires"),
)
MOST_PARTS = 10_000


class Extent(NamedTuple):
    """What of a version is answered: bytes from `offset` on; `part` when a part was asked for by its number."""

    offset: int
    length: int
    partial: bool
    part: Part | None = None


@operation
def get_object(ctx: Context, request: t.GetObjectRequest) -> t.GetObjectOutput:
    bucket, version = _readable(ctx, request)
    lookups.check_readable(ctx, version)
    accesses.note(ctx, version)
    extent = extent_of(ctx, request, version)
    answer = _head(ctx, bucket, request, version, extent)
    key = object_encryption.content_key(ctx, bucket, version.key, version, request)
    answer["Body"] = contents.body(ctx, version, extent.offset, extent.length, key)
    return cast("t.GetObjectOutput", answer)


@operation
def head_object(ctx: Context, request: t.HeadObjectRequest) -> t.HeadObjectOutput:
    bucket, version = _readable(ctx, request)
    extent = extent_of(ctx, request, version)
    if request.get("ChecksumMode") == "ENABLED":
        object_encryption.content_key(ctx, bucket, version.key, version, request)  # who may decrypt may know it
    else:
        object_encryption.check_customer(version, request)
    return cast("t.HeadObjectOutput", _head(ctx, bucket, request, version, extent))


def _readable(ctx: Context, request: Mapping[str, Any]) -> tuple[Bucket, ObjectVersion]:
    bucket = access.located(ctx, request, shared=True)
    if "PartNumber" in request:
        _check_part_number(request)
    version = lookups.found(ctx, bucket, request)
    preconditions.check_read(request, version, ctx.now())
    return bucket, version


def _check_part_number(request: Mapping[str, Any]) -> None:
    number = request["PartNumber"]
    if "Range" in request:
        raise INVALID_REQUEST("Cannot specify both Range header and partNumber query parameter")
    if not 1 <= number <= MOST_PARTS:
        members = {"ArgumentName": "partNumber", "ArgumentValue": str(number)}
        raise INVALID_ARGUMENT("Part number must be an integer between 1 and 10000, inclusive", members=members)


def extent_of(ctx: Context, request: Mapping[str, Any], version: ObjectVersion) -> Extent:
    """What a request asks for of a version. Raises InvalidRange and InvalidPartNumber."""
    if "Range" in request:
        found = ranges.of_header(request["Range"], version.size)
        return Extent(0, version.size, False) if found is None else Extent(*found, True)
    if "PartNumber" in request:
        return _part(ctx, version, request["PartNumber"])
    return Extent(0, version.size, False)


def _part(ctx: Context, version: ObjectVersion, number: int) -> Extent:
    if not version.parts_count:
        if number == 1:
            return Extent(0, version.size, version.size > 0)
    else:
        found = PARTS.peek(ctx, version.bucket, version.key, version.sequence)
        offset = 0
        for part in found.parts if found is not None else ():
            if part.number == number:
                return Extent(offset, part.size, True, part)
            offset += part.size
    members = {"PartNumberRequested": str(number), "ActualPartCount": str(version.parts_count or 1)}
    raise INVALID_PART_NUMBER(members=members)


def _head(
    ctx: Context, bucket: Bucket, request: Mapping[str, Any], version: ObjectVersion, extent: Extent
) -> dict[str, Any]:
    """The answer but for the bytes."""
    answer: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": int(version.modified_at),
        "ETag": f'"{version.etag}"',
        "ContentLength": extent.length,
    }
    object_encryption.shown(version, answer)
    object_headers.shown(version, answer)
    if bucket.versioning:
        answer["VersionId"] = version.version_id
    if version.storage_class != "STANDARD":
        answer["StorageClass"] = version.storage_class
    if extent.partial:
        answer["ContentRange"] = ranges.content_range(extent.offset, extent.length, version.size)
    if "PartNumber" in request and version.parts_count:
        answer["PartsCount"] = version.parts_count
    if request.get("ChecksumMode") == "ENABLED":
        _checksums(version, extent, answer)
    if version.tags:
        answer["TagCount"] = len(version.tags)
    if bucket.object_lock:
        object_locks.show(ctx, bucket, request, version, answer)
    if version.restore_requested_at or version.archive_tier:
        restorations.show(version, ctx.now(), answer)
    if (bucket.zone or lifecycle_configurations.KIND in bucket.configured) and "VersionId" not in request:
        lifecycle_headers.show_expiration(ctx, bucket, version, answer)
    if version.replication_status:
        answer["ReplicationStatus"] = version.replication_status
    for member, name, wire in _OVERRIDES:
        if member in request:
            answer[name] = _override(ctx, request[member], wire)
    access.show_charge(ctx, bucket, request, answer)
    return answer


def _checksums(version: ObjectVersion, extent: Extent, answer: dict[str, Any]) -> None:
    """The checksum of the whole, or of a part that has its own or is the whole; a range has none."""
    if not version.checksums:
        return
    if extent.part is not None and extent.part.checksum:
        for algorithm in version.checksums:
            answer["Checksum" + algorithm] = extent.part.checksum
        answer["ChecksumType"] = version.checksum_type
    elif extent.length == version.size:
        for algorithm, value in version.checksums.items():
            answer["Checksum" + algorithm] = value
        answer["ChecksumType"] = version.checksum_type


def _override(ctx: Context, value: Any, wire: str) -> Any:
    """A header of the answer as the request wants it, which must be signed."""
    if ctx.principal.kind is PrincipalKind.ANONYMOUS:
        raise INVALID_REQUEST("Request specific response headers cannot be used for anonymous GET requests.")
    if wire == "response-expires":
        return http_date(value)
    if isinstance(value, str):
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            members = {"ArgumentName": wire, "ArgumentValue": value}
            raise INVALID_ARGUMENT("Header value cannot be represented using ISO-8859-1.", members=members) from None
    return value
