"""Object Lock: what protects a version, what a new one is given, who may lift it.

Sources: S3 User Guide, "Locking objects with Object Lock" and "Object Lock considerations"; S3 API Reference,
PutObjectRetention; texts and the order of checks as seen of AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cumulo.services.storage.s3.errors import (
    INVALID_ARGUMENT,
    METHOD_NOT_ALLOWED,
    NO_BUCKET_LOCK,
    NO_SUCH_VERSION,
    OBJECT_LOCKED,
)
from cumulo.services.storage.s3.locks import event_holds
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored.versions import find

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.locks.event_holds import Hold
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"
BYPASS = "s3:BypassGovernanceRetention"
_PACIFIC = timezone(timedelta(hours=-8), "PST")  # in which S3 writes the date that it refuses


class Lock(NamedTuple):
    """What protects a version: a mode until a time in seconds ("" and 0 for none), a legal hold, an event hold."""

    mode: str = ""
    until: float = 0
    hold: bool = False
    event_hold: Hold | None = None


def retained(version: ObjectVersion, now: float) -> str:
    """The mode that protects a version now; "" when its retention is over or there is none."""
    if version.lock_mode and (version.retain_until > now or event_holds.is_on(version)):
        return version.lock_mode
    return ""


def until(version: ObjectVersion, now: float) -> float:
    """When the retention ends, as far as is known now: while an event hold is on, that moves."""
    if version.event_hold is None or not event_holds.is_on(version):
        return version.retain_until
    return max(version.retain_until, now + event_holds.period_s(*version.event_hold, now))


def protected(version: ObjectVersion, now: float, *, bypass: bool = False) -> bool:
    """Whether the version must stay; `bypass`: governance mode is no obstacle."""
    if version.legal_hold:
        return True
    mode = retained(version, now)
    return bool(mode) and not (bypass and mode == GOVERNANCE)


def check_removal(ctx: Context, bucket: Bucket, request: Mapping[str, Any], version: ObjectVersion) -> None:
    """Raise AccessDenied where a version of a request must not be deleted for good."""
    if not bucket.object_lock or not protected(version, ctx.now()):
        return
    if protected(version, ctx.now(), bypass=True) or not may_bypass(ctx, bucket, request, version):
        raise OBJECT_LOCKED()


def may_bypass(ctx: Context, bucket: Bucket, request: Mapping[str, Any], version: ObjectVersion) -> bool:
    """Whether the request asks to go past governance mode and its caller has the right to."""
    asked = bool(request.get("BypassGovernanceRetention"))
    return asked and access.may(ctx, bucket, request, BYPASS, key=version.key, version=version)


def check_bypass_applies(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> None:
    """Refuse the header, whatever it says, where there is nothing to bypass."""
    if "BypassGovernanceRetention" in request and not bucket.object_lock:
        raise INVALID_ARGUMENT(
            "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
            members={"ArgumentName": "x-amz-bypass-governance-retention"},
        )


def of_new(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> Lock:
    """What protects a version that a request writes: by its headers, else by the bucket's default retention."""
    mode, until, hold = (
        request.get("ObjectLockMode"),
        request.get("ObjectLockRetainUntilDate"),
        request.get("ObjectLockLegalHoldStatus"),
    )
    event_hold = event_holds.of_headers(request) if any(name in request for name in _EVENT_HOLD) else None
    if mode is None and until is None and hold is None and event_hold is None and not bucket.lock_mode:
        return NO_LOCK
    if not bucket.object_lock and (mode, until, hold, event_hold) != (None, None, None, None):
        raise NO_BUCKET_LOCK()
    if event_hold is not None:
        mode, until = _held(ctx, mode, until, event_hold)
        event_hold = None if event_hold == event_holds.RELEASED else event_hold
    elif mode is not None or until is not None:
        mode, until = _explicit(ctx, mode, until)
    elif bucket.lock_mode:
        mode = bucket.lock_mode
        if bucket.lock_event_hold:
            event_hold = bucket.lock_days, bucket.lock_years
        else:
            until = ctx.now() + event_holds.period_s(bucket.lock_days, bucket.lock_years, ctx.now())
    if hold not in (None, "ON", "OFF"):
        raise INVALID_ARGUMENT(
            "Legal Hold must be either of 'ON' or 'OFF'",
            members={"ArgumentName": "x-amz-object-lock-legal-hold", "ArgumentValue": hold},
        )
    return Lock(mode or "", until or 0, hold == "ON", event_hold)


NO_LOCK: Final = Lock()
_EVENT_HOLD: Final = ("ObjectLockEventHold", "ObjectLockEventHoldDurationDays", "ObjectLockEventHoldDurationYears")


def _held(ctx: Context, mode: str | None, until: float | None, hold: Hold) -> tuple[str, float]:
    """The mode and the earliest end of a new version that comes with an event hold, or says that it has none."""
    if mode is None:
        raise event_holds.no_mode()
    if hold == event_holds.RELEASED and until is None:
        raise event_holds.no_date()
    return _explicit(ctx, mode, until) if until is not None else (_known_mode(mode), 0)


def _explicit(ctx: Context, mode: str | None, until: float | None) -> tuple[str, float]:
    if mode is not None:
        _known_mode(mode)
    if mode is None or until is None:
        missing = "x-amz-object-lock-mode" if mode is None else "x-amz-object-lock-retain-until-date"
        raise INVALID_ARGUMENT(
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
            members={"ArgumentName": missing},
        )
    check_future(ctx, until, "x-amz-object-lock-retain-until-date")
    return mode, until


def _known_mode(mode: str) -> str:
    if mode not in (GOVERNANCE, COMPLIANCE):
        raise INVALID_ARGUMENT(
            "Unknown wormMode directive.",
            members={"ArgumentName": "x-amz-object-lock-mode", "ArgumentValue": mode},
        )
    return mode


def check_future(ctx: Context, until: float, argument: str) -> None:
    """Refuse a retention that would be over at once."""
    if until <= ctx.now():
        shown = datetime.fromtimestamp(until, _PACIFIC).strftime("%a %b %d %H:%M:%S %Z %Y")
        raise INVALID_ARGUMENT(
            "The retain until date must be in the future!",
            members={"ArgumentName": argument, "ArgumentValue": shown},
        )


def locked_version(ctx: Context, request: Mapping[str, Any], method: str) -> tuple[Bucket, ObjectVersion]:
    """The version whose lock a request reads or changes, found and allowed, in a bucket that has Object Lock.

    `method` is the request's, for the refusal of delete markers.
    """
    bucket = access.located(ctx, request)
    version = find(ctx, bucket.name, request["Key"], request.get("VersionId"))
    access.allow_object(ctx, bucket, request, version)
    if not bucket.object_lock:
        raise NO_BUCKET_LOCK()
    if version is None:
        if "VersionId" in request:
            raise NO_SUCH_VERSION(members={"Key": request["Key"], "VersionId": request["VersionId"]})
        raise access.no_such_key(ctx, bucket, request)
    if version.delete_marker:
        raise METHOD_NOT_ALLOWED(members={"Method": method, "ResourceType": "DeleteMarker"})
    return bucket, version


def show(
    ctx: Context, bucket: Bucket, request: Mapping[str, Any], version: ObjectVersion, answer: dict[str, Any]
) -> None:
    """Put a version's lock into an answer, as far as the caller may know it.

    Source: S3 API Reference, HeadObject, "x-amz-object-lock-mode": "only returned if the requester has the
    s3:GetObjectRetention permission".
    """
    if version.lock_mode and access.may(ctx, bucket, request, "s3:GetObjectRetention", version=version):
        answer["ObjectLockMode"] = version.lock_mode
        answer["ObjectLockRetainUntilDate"] = until(version, ctx.now())
        if version.event_hold is not None:
            on = event_holds.is_on(version)
            answer["ObjectLockEventHold"] = event_holds.ON if on else event_holds.OFF
            if on:
                for unit, number in event_holds.shown_duration(version.event_hold).items():
                    answer[f"ObjectLockEventHoldDuration{unit}"] = number
    if (version.legal_hold or version.legal_hold_lifted) and access.may(
        ctx, bucket, request, "s3:GetObjectLegalHold", version=version
    ):
        answer["ObjectLockLegalHoldStatus"] = "ON" if version.legal_hold else "OFF"
