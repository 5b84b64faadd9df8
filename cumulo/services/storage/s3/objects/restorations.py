"""Copies of archived objects, for some days: RestoreObject. They take as long as on AWS, of the cloud's time.

Sources: S3 API Reference, RestoreObject; S3 User Guide, "Understanding archive retrieval options" (how long each tier
takes; where a range is told, its end), "Upgrade the speed of an in-progress restore".
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation, task
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.dates import http_date, iso
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, INVALID_OBJECT_STATE, MALFORMED_XML, RESTORE_IN_PROGRESS
from cumulo.services.storage.s3.lifecycles.lifecycle_rules import due
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.rights import access, lookups
from cumulo.services.storage.s3.stored import archives, versions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion
    from cumulo.stubs import s3 as t

_MINUTE_S, _HOUR_S = 60, 3600
# Where it lies → tier → how long it takes.
TAKES_S = {
    "GLACIER": {"Expedited": 5 * _MINUTE_S, "Standard": 5 * _HOUR_S, "Bulk": 12 * _HOUR_S},
    "DEEP_ARCHIVE": {"Standard": 12 * _HOUR_S, "Bulk": 48 * _HOUR_S},
    archives.ARCHIVE: {"Expedited": 5 * _MINUTE_S, "Standard": 5 * _HOUR_S, "Bulk": 12 * _HOUR_S},
    archives.DEEP_ARCHIVE: {"Standard": 12 * _HOUR_S, "Bulk": 48 * _HOUR_S},
}
_FOR_GOOD = 1e12  # of what intelligent tiering gives back: no end
_SLOWEST_FIRST = ("Bulk", "Standard", "Expedited")


@operation
def restore_object(ctx: Context, request: t.RestoreObjectRequest) -> t.RestoreObjectOutput:
    """Ask for a copy (202), for more speed while it comes (202), or for more days of one that is there (200)."""
    bucket = access.located(ctx, request)
    version = lookups.found(ctx, bucket, request)
    wanted: Mapping[str, Any] = request.get("RestoreRequest") or {}
    for member in ("Type", "SelectParameters", "OutputLocation", "Description"):
        if member in wanted:
            raise not_implemented("s3", "RestoreObject", member)
    if not archives.is_archived(version):
        raise INVALID_OBJECT_STATE(
            "Restore is not allowed for the object's current storage class",
            members={"StorageClass": version.storage_class},
        )
    days = _days(wanted, version)
    tier: str = (wanted.get("GlacierJobParameters") or {}).get("Tier") or wanted.get("Tier") or "Standard"
    takes = TAKES_S[version.archive_tier or version.storage_class]
    if tier not in takes:
        raise INVALID_ARGUMENT("Retrieval option is not supported by this storage class")
    now = ctx.now()
    if archives.is_restored(version, now):
        version.restore_expires_at = due(now, days)
        _keep(ctx, bucket, version)
        return _answer(ctx, bucket, request, 200)
    if archives.is_going(version, now):
        if _SLOWEST_FIRST.index(tier) <= _SLOWEST_FIRST.index(version.restore_tier):
            raise RESTORE_IN_PROGRESS()
        days = version.restore_days
    version.restore_requested_at, version.restore_tier, version.restore_days = now, tier, days
    version.restored_at = now + takes[tier]
    version.restore_expires_at = due(version.restored_at, days) if days else _FOR_GOOD
    _keep(ctx, bucket, version)
    notifications.notify(ctx, bucket, "ObjectRestore:Post", version)
    return _answer(ctx, bucket, request, 202)


def _days(wanted: Mapping[str, Any], version: ObjectVersion) -> int:
    days: int | None = wanted.get("Days")
    if version.archive_tier:
        if days is not None:  # it comes back for good
            raise MALFORMED_XML()
        return 0
    if days is None or days < 1:
        raise MALFORMED_XML()
    return days


def _answer(ctx: Context, bucket: Bucket, request: Mapping[str, Any], status: int) -> t.RestoreObjectOutput:
    answer: dict[str, Any] = {"StatusCode": status}
    access.show_charge(ctx, bucket, request, answer)
    return answer  # type: ignore[return-value]


def _keep(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    """Keep what was asked for, and look again when it is done and when it is over."""
    versions.update(ctx, version)
    place = {"bucket": bucket.name, "key": version.key, "version_id": version.version_id}
    for when in {version.restored_at, version.restore_expires_at} - {_FOR_GOOD}:
        if when > ctx.now():
            ctx.later(go_on, {**place, "when": when}, at=when)


@task
def go_on(ctx: Context, payload: dict[str, Any]) -> None:
    """A restore is done, or its copy is over; unless another request has moved that."""
    bucket = BUCKETS.peek(ctx, payload["bucket"])
    if bucket is None:
        return
    version = versions.find(ctx, bucket.name, payload["key"], payload["version_id"])
    if version is None or not version.restore_requested_at:
        return
    if payload["when"] == version.restored_at:
        _done(ctx, bucket, version)
    elif payload["when"] == version.restore_expires_at:
        _forget(version)
        versions.update(ctx, version)
        notifications.notify(ctx, bucket, "ObjectRestore:Delete", version)


def _done(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    told = partial(notifications.notify, ctx, bucket, "ObjectRestore:Completed", version)
    if version.archive_tier:
        version.archive_tier, version.accessed_at = "", ctx.now()
        _forget(version)
        versions.update(ctx, version)
        told()
        return
    expires = iso(version.restore_expires_at)
    data = {"lifecycleRestorationExpiryTime": expires, "lifecycleRestoreStorageClass": version.storage_class}
    told(glacierEventData={"restoreEventData": data})


def _forget(version: ObjectVersion) -> None:
    version.restore_requested_at = version.restored_at = version.restore_expires_at = 0
    version.restore_tier, version.restore_days = "", 0


def show(version: ObjectVersion, now: float, answer: dict[str, Any]) -> None:
    """Put x-amz-restore and x-amz-archive-status into the head of a version."""
    if version.archive_tier:
        answer["ArchiveStatus"] = version.archive_tier
    if archives.is_going(version, now):
        answer["Restore"] = 'ongoing-request="true"'
    elif version.storage_class in archives.CLASSES and archives.is_restored(version, now):
        answer["Restore"] = f'ongoing-request="false", expiry-date="{http_date(version.restore_expires_at)}"'
