"""What goes: DeleteObject, DeleteObjects.

Sources: S3 API Reference, DeleteObject and DeleteObjects; S3 User Guide, "Deleting object versions from a
versioning-enabled bucket", "How to perform conditional deletes" and "Deleting an object from an MFA delete-enabled
bucket".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import Wait, operation
from cumulo.services.storage.s3.errors import (
    MALFORMED_XML,
    NO_SUCH_KEY,
    NO_SUCH_VERSION,
    NOT_IMPLEMENTED_HEADER,
    PRECONDITION_FAILED,
)
from cumulo.services.storage.s3.locks import object_locks
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.objects import preconditions
from cumulo.services.storage.s3.rights import access, lookups, mfa
from cumulo.services.storage.s3.stored import versions
from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.stubs import s3 as t

MAXIMUM_KEYS = 1000
CHUNK = 100  # keys of one transaction: more would keep everybody else waiting for milliseconds
# Conditions of directory buckets, in the order in which S3 was seen to refuse them elsewhere.
_DIRECTORY_ONLY = {
    "IfMatchLastModifiedTime": "x-amz-if-match-last-modified-time",
    "IfMatchSize": "x-amz-if-match-size",
    "LastModifiedTime": "x-amz-if-match-last-modified-time",
    "Size": "x-amz-if-match-size",
}


@operation
def delete_object(ctx: Context, request: t.DeleteObjectRequest) -> t.DeleteObjectOutput:
    """Delete a version for good, lay a delete marker, or delete the object of a bucket without versions."""
    bucket = access.object_for(ctx, request)
    object_locks.check_bypass_applies(ctx, bucket, request)
    version_id = request.get("VersionId")
    if version_id is not None:
        lookups.check_version_id(version_id)
        _check_mfa(ctx, bucket, request)
    answer = _delete(ctx, bucket, request, request["Key"], request, request.get("IfMatch"))
    access.show_charge(ctx, bucket, request, answer)
    return answer  # type: ignore[return-value]


def _delete(
    ctx: Context, bucket: Bucket, request: Mapping[str, Any], key: str, wanted: Mapping[str, Any], etag: str | None
) -> dict[str, Any]:
    """Delete what `wanted` (the request, or one entry of it) names; DeleteMarker and VersionId, where S3 says them."""
    if bucket.zone:
        return _delete_from_directory(ctx, bucket, key, wanted, etag)
    for member, header in _DIRECTORY_ONLY.items():
        if member in wanted:
            raise NOT_IMPLEMENTED_HEADER(members={"Header": header})
    if etag is not None:
        _check_etag(ctx, bucket, key, etag)
    version_id = wanted.get("VersionId")
    if version_id is not None:
        found = versions.find(ctx, bucket.name, key, version_id)
        if found is not None:
            object_locks.check_removal(ctx, bucket, request, found)
    removal = versions.remove(ctx, bucket, key, version_id)
    _tell(ctx, bucket, key, version_id, removal)
    answer: dict[str, Any] = {}
    if removal.delete_marker:
        answer["DeleteMarker"] = True
    if removal.version_id:
        answer["VersionId"] = removal.version_id
    return answer


def _delete_from_directory(
    ctx: Context, bucket: Bucket, key: str, wanted: Mapping[str, Any], etag: str | None
) -> dict[str, Any]:
    """Where the object is not as it is wanted, PreconditionFailed; one that is not there is deleted as well.

    Source: S3 API Reference, DeleteObject, If-Match, x-amz-if-match-last-modified-time and x-amz-if-match-size.
    """
    current = versions.find(ctx, bucket.name, key)
    if current is None:
        return {}
    modified = wanted.get("IfMatchLastModifiedTime", wanted.get("LastModifiedTime"))
    size = wanted.get("IfMatchSize", wanted.get("Size"))
    if etag is not None and not preconditions.matches(etag, current.etag):
        raise PRECONDITION_FAILED(members={"Condition": "If-Match"})
    if modified is not None and int(modified) != int(current.modified_at):
        raise PRECONDITION_FAILED(members={"Condition": "x-amz-if-match-last-modified-time"})
    if size is not None and size != current.size:
        raise PRECONDITION_FAILED(members={"Condition": "x-amz-if-match-size"})
    versions.remove(ctx, bucket, key)
    return {}


def _tell(ctx: Context, bucket: Bucket, key: str, version_id: str | None, removal: versions.Removal) -> None:
    if not bucket.configured:
        return
    laid = removal.delete_marker and version_id is None
    event = "ObjectRemoved:DeleteMarkerCreated" if laid else "ObjectRemoved:Delete"
    gone = ObjectVersion(bucket.name, key, versions.next_sequence(ctx), removal.version_id, ctx.now())
    notifications.notify(ctx, bucket, event, gone)


def _check_etag(ctx: Context, bucket: Bucket, key: str, given: str) -> None:
    """If-Match is about the current version: NoSuchKey where there never was one, as for writes."""
    current = versions.newest(ctx, bucket.name, key)
    if current is None:
        raise NO_SUCH_KEY(members={"Key": key})
    if given != "*" and not current.delete_marker:  # who asks this way learns the ETag
        access.allow_object(ctx, bucket, {"Key": key}, current, action="s3:GetObject")
    if current.delete_marker or not preconditions.matches(given, current.etag):
        raise PRECONDITION_FAILED(members={"Condition": "If-Match"})


def _check_mfa(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> None:
    """Where MFA delete is on, a version goes only with a code of a device."""
    if bucket.mfa_delete and not ctx.internal:
        mfa.check(ctx, request)


@operation
def delete_objects(ctx: Context, request: t.DeleteObjectsRequest) -> t.DeleteObjectsOutput:
    """Delete up to a thousand keys and versions; each succeeds or fails by itself."""
    ctx.authorized = True  # each key is asked for by itself, and answered AccessDenied by itself
    bucket = access.located(ctx, request)
    object_locks.check_bypass_applies(ctx, bucket, request)
    wanted = request["Delete"].get("Objects") or []
    if not 1 <= len(wanted) <= MAXIMUM_KEYS:
        raise MALFORMED_XML()
    if any("VersionId" in each for each in wanted):
        _check_mfa(ctx, bucket, request)
    if len(wanted) > CHUNK:
        raise Wait(_delete_in_chunks)
    return _answer(ctx, bucket, request, _delete_some(ctx, request, wanted))  # type: ignore[return-value,arg-type]


Outcome = tuple[list[dict[str, Any]], list[dict[str, Any]]]


async def _delete_in_chunks(ctx: Context) -> dict[str, Any]:
    """S3 promises nothing of the keys together, so others may have their turn in between."""
    request = ctx.request
    wanted = request["Delete"]["Objects"]
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for start in range(0, len(wanted), CHUNK):
        some = wanted[start : start + CHUNK]
        more, refused = await ctx.transact(partial(_delete_some, request=request, wanted=some))
        deleted += more
        errors += refused
    bucket = await ctx.transact(lambda ctx: access.located(ctx, request))
    return _answer(ctx, bucket, request, (deleted, errors))


def _delete_some(ctx: Context, request: Mapping[str, Any], wanted: list[dict[str, Any]]) -> Outcome:
    bucket = access.located(ctx, request)
    deleted: list[dict[str, Any]] = []
    errors: list[dict[str, Any]] = []
    for each in wanted:
        try:  # what is refused is refused before anything is written
            deleted.append(_delete_one(ctx, bucket, request, each))
        except Fault as fault:
            named = {"VersionId": each["VersionId"]} if "VersionId" in each else {}
            errors.append({"Key": each["Key"], **named, "Code": fault.code, "Message": fault.message})
    return deleted, errors


def _delete_one(ctx: Context, bucket: Bucket, request: Mapping[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    key, version_id = wanted["Key"], wanted.get("VersionId")
    action = "s3:DeleteObject" if version_id is None else "s3:DeleteObjectVersion"
    access.allow_object(ctx, bucket, request, action=action, key=key)
    if version_id is not None and versions.find(ctx, bucket.name, key, version_id) is None:
        # Unlike DeleteObject, which says that a version that is not there is gone. Seen of AWS.
        raise NO_SUCH_VERSION(members={"Key": key, "VersionId": version_id})
    done = _delete(ctx, bucket, request, key, wanted, wanted.get("ETag"))
    entry: dict[str, Any] = {"Key": key}
    if version_id is not None:
        entry["VersionId"] = version_id
    if done.get("DeleteMarker"):
        entry["DeleteMarker"] = True
        entry["DeleteMarkerVersionId"] = done["VersionId"]
    return entry


def _answer(ctx: Context, bucket: Bucket, request: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    deleted, errors = outcome
    answer: dict[str, Any] = {}
    if deleted and not request["Delete"].get("Quiet"):
        answer["Deleted"] = deleted
    if errors:
        answer["Errors"] = errors
    access.show_charge(ctx, bucket, request, answer)
    return answer
