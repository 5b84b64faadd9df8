"""The version that a request reads, found and allowed.

Source: S3 API Reference, GetObject and HeadObject; S3 User Guide, "Working with delete markers".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.services.storage.s3.errors import (
    INVALID_ARGUMENT,
    KEY_TOO_LONG,
    METHOD_NOT_ALLOWED,
    NO_SUCH_VERSION,
)
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import archives, version_ids, versions
from cumulo.services.storage.s3.stored.object_versions import NULL, ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

KEY_MOST_B = 1024


def found(ctx: Context, bucket: Bucket, request: Mapping[str, Any], *, action: str = "") -> ObjectVersion:
    """The version of the request's "Key" (and "VersionId"), allowed for the operation's own action or this one.

    Raises NoSuchKey (AccessDenied to those who may not list), NoSuchVersion, InvalidArgument for what is no version
    id, and MethodNotAllowed for a delete marker.
    """
    key, version_id = request["Key"], request.get("VersionId")
    version = versions.find(ctx, bucket.name, key, version_id)
    if version is None or version.delete_marker:
        access.allow_object(ctx, bucket, request, action=action)
        raise _missing(ctx, bucket, request, version)
    access.allow_object(ctx, bucket, request, version, action=action)
    return version


def check_key(key: str) -> None:
    """Refuse a key that is too long."""
    if len(key) * 4 > KEY_MOST_B:
        size = len(key.encode("utf-8", "replace"))
        if size > KEY_MOST_B:
            raise KEY_TOO_LONG(members={"Size": str(size), "MaxSizeAllowed": str(KEY_MOST_B)})


def check_version_id(version_id: str) -> None:
    """InvalidArgument for a text that is no version id."""
    if not version_id:
        text = "Version id cannot be the empty string"
        raise INVALID_ARGUMENT(text, members={"ArgumentName": "versionId", "ArgumentValue": ""})
    if version_id != NULL and version_ids.sequence_of(version_id) is None:
        raise INVALID_ARGUMENT(
            "Invalid version id specified", members={"ArgumentName": "versionId", "ArgumentValue": version_id}
        )


def _missing(ctx: Context, bucket: Bucket, request: Mapping[str, Any], marker: ObjectVersion | None) -> Fault:
    key, version_id = request["Key"], request.get("VersionId")
    if marker is not None:
        members = {
            "Method": ctx.handler.model.http_method if ctx.handler is not None else "GET",
            "ResourceType": "DeleteMarker",
            "Allow": "DELETE",
            "DeleteMarker": True,
            "VersionId": marker.version_id,
            "LastModified": int(marker.modified_at),
        }
        return METHOD_NOT_ALLOWED(members=members)
    if version_id is not None:
        check_version_id(version_id)
        return NO_SUCH_VERSION(members={"Key": key, "VersionId": version_id})
    check_key(key)
    fault = access.no_such_key(ctx, bucket, request)
    if bucket.versioning:
        newest = versions.newest(ctx, bucket.name, key)
        if newest is not None:
            fault.members.update(DeleteMarker=True, VersionId=newest.version_id)
    return fault


def check_readable(ctx: Context, version: ObjectVersion) -> None:
    """InvalidObjectState for an archived version that has no restored copy now."""
    archives.check_readable(version, ctx.now())
