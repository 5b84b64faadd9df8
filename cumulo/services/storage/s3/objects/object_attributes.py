"""What is known of an object without its bytes: GetObjectAttributes; and GetObjectTorrent, which is no more.

Sources: S3 API Reference, GetObjectAttributes; that parts of full-object checksums are only counted was seen of AWS.
S3 User Guide: BitTorrent ended on April 29, 2022; GetObjectTorrent has since answered MethodNotAllowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, METHOD_NOT_ALLOWED
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import checksums
from cumulo.services.storage.s3.stored.object_versions import PARTS, ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

ATTRIBUTES = frozenset(("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"))
PAGE = 1000


@operation
def get_object_attributes(ctx: Context, request: t.GetObjectAttributesRequest) -> t.GetObjectAttributesOutput:
    """Those attributes of a version that the request names."""
    bucket = access.located(ctx, request)
    wanted = [name.strip() for name in request["ObjectAttributes"]]
    if not wanted or not ATTRIBUTES.issuperset(wanted):
        raise INVALID_ARGUMENT("Invalid attribute name specified.", members={"ArgumentName": "x-amz-object-attributes"})
    version = lookups.found(ctx, bucket, request)
    object_encryption.check_customer(version, request)
    answer: dict[str, Any] = {"LastModified": float(int(version.modified_at))}
    if bucket.versioning:
        answer["VersionId"] = version.version_id
    if "ETag" in wanted:
        answer["ETag"] = version.etag
    if "Checksum" in wanted and version.checksums:
        answer["Checksum"] = _checksum(version)
    if "ObjectParts" in wanted and version.parts_count:
        answer["ObjectParts"] = _parts(ctx, request, version)
    if "StorageClass" in wanted:
        answer["StorageClass"] = version.storage_class
    if "ObjectSize" in wanted:
        answer["ObjectSize"] = version.size
    access.show_charge(ctx, bucket, request, answer)
    return cast("t.GetObjectAttributesOutput", answer)


def _checksum(version: ObjectVersion) -> dict[str, str]:
    # Seen of AWS: a composite checksum is told without the number of its parts here.
    found = {f"Checksum{algorithm}": value.partition("-")[0] for algorithm, value in version.checksums.items()}
    return {**found, "ChecksumType": version.checksum_type}


def _parts(ctx: Context, request: Mapping[str, Any], version: ObjectVersion) -> dict[str, Any]:
    total = {"TotalPartsCount": version.parts_count}
    if version.checksum_type != checksums.COMPOSITE:
        return total
    limit = min(_count(request, "MaxParts", "x-amz-max-parts", PAGE), PAGE)
    marker = _count(request, "PartNumberMarker", "x-amz-part-number-marker", 0)
    found = PARTS.peek(ctx, version.bucket, version.key, version.sequence)
    left = [part for part in (found.parts if found is not None else ()) if part.number > marker]
    shown = left[:limit]
    algorithm = next(iter(version.checksums))
    entries = [{f"Checksum{algorithm}": part.checksum, "PartNumber": part.number, "Size": part.size} for part in shown]
    page: dict[str, Any] = {
        **total,
        "PartNumberMarker": marker,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": limit,
        "IsTruncated": len(left) > len(shown),
    }
    if entries:
        page["Parts"] = entries
    return page


def _count(request: Mapping[str, Any], member: str, header: str, default: int) -> int:
    value = request.get(member, default)
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < 0:
        raise INVALID_ARGUMENT(
            f"Argument {header} must be an integer between 0 and 2147483647",
            members={"ArgumentName": header, "ArgumentValue": str(value)},
        )
    return number


@operation
def get_object_torrent(ctx: Context, request: t.GetObjectTorrentRequest) -> t.GetObjectTorrentOutput:
    """Refused, as on AWS."""
    bucket = access.located(ctx, request)
    lookups.found(ctx, bucket, request)
    raise _no_torrent()


def _no_torrent() -> Fault:
    return METHOD_NOT_ALLOWED(members={"Method": "GET", "ResourceType": "TORRENT"})
