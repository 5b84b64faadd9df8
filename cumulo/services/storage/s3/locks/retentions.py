"""How long a version is kept from deletion: PutObjectRetention, GetObjectRetention.

Source: S3 API Reference, PutObjectRetention; S3 User Guide, "Retention modes": compliance mode is never shortened or
lifted, governance mode by those alone who may bypass it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cumulo.core.operation import operation
from cumulo.services.storage.s3.errors import MALFORMED_XML, NO_OBJECT_LOCK, OBJECT_LOCKED
from cumulo.services.storage.s3.locks import event_holds, object_locks
from cumulo.services.storage.s3.locks.object_locks import COMPLIANCE
from cumulo.services.storage.s3.replication import replications
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import versions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.locks.event_holds import Hold
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion
    from cumulo.stubs import s3 as t


@operation
def put_object_retention(ctx: Context, request: t.PutObjectRetentionRequest) -> t.PutObjectRetentionOutput:
    """Set, extend, or (with the right to) shorten and lift a version's retention."""
    bucket, version = object_locks.locked_version(ctx, request, "PUT")
    retention: dict[str, Any] = dict(request.get("Retention") or {})
    asked = event_holds.of_retention(retention)
    if asked is None:
        mode, until = retention.get("Mode"), retention.get("RetainUntilDate")
        if (mode is None) != (until is None):
            raise MALFORMED_XML()
        if mode is None and not request.get("BypassGovernanceRetention"):  # what there is would be lifted
            raise OBJECT_LOCKED() if object_locks.retained(version, ctx.now()) else MALFORMED_XML()
    if "RetainUntilDate" in retention:
        object_locks.check_future(ctx, retention["RetainUntilDate"], "RetainUntilDate")
    now = ctx.now()
    wanted = _wanted(version, retention, asked, now)
    if _weakens(version, wanted, now) and (
        version.lock_mode == COMPLIANCE or not object_locks.may_bypass(ctx, bucket, request, version)
    ):
        raise OBJECT_LOCKED()
    version.lock_mode, version.retain_until, version.event_hold = wanted
    versions.update(ctx, version)
    replications.changed(ctx, bucket, version)
    return {"RequestCharged": "requester"} if access.charged(ctx, bucket, request) else {}


def _wanted(
    version: ObjectVersion, retention: Mapping[str, Any], asked: Hold | None, now: float
) -> tuple[str, float, Hold | None]:
    """The mode, the date and the event hold that a version is to have."""
    mode, until = retention.get("Mode") or "", retention.get("RetainUntilDate") or 0
    if asked is None:  # a hold stays, unless all is lifted: the date is then the earliest end
        return mode, until, version.event_hold if mode else None
    if asked != event_holds.RELEASED:
        if not mode:
            raise MALFORMED_XML()
        return mode, until, asked
    if event_holds.is_on(version):
        return mode or version.lock_mode, max(until, object_locks.until(version, now)), asked
    if not until or not mode:
        raise MALFORMED_XML()
    return mode, until, version.event_hold


def _weakens(version: ObjectVersion, wanted: tuple[str, float, Hold | None], now: float) -> bool:
    """Whether a retention that is in force would be altered other than to last longer; to release a hold is not."""
    mode = object_locks.retained(version, now)
    if not mode:
        return False
    changed = replace(version)
    changed.lock_mode, changed.retain_until, changed.event_hold = wanted
    return wanted[0] != mode or object_locks.until(changed, now) < object_locks.until(version, now)


@operation
def get_object_retention(ctx: Context, request: t.GetObjectRetentionRequest) -> t.GetObjectRetentionOutput:
    """A version's retention, be it over."""
    _, version = object_locks.locked_version(ctx, request, "GET")
    if not version.lock_mode:
        raise NO_OBJECT_LOCK()
    shown: t.ObjectLockRetention = {
        "Mode": version.lock_mode,
        "RetainUntilDate": object_locks.until(version, ctx.now()),
    }
    if version.event_hold is not None:
        on = event_holds.is_on(version)
        shown["EventHold"] = event_holds.ON if on else event_holds.OFF
        if on:
            shown["EventHoldDuration"] = event_holds.shown_duration(version.event_hold)  # type: ignore[typeddict-item]
    return {"Retention": shown}
