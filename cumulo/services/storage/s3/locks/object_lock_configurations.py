"""Object lock as a bucket has it: enabled, and the default retention of new versions.

Source: S3 API Reference, PutObjectLockConfiguration; S3 User Guide, "Object Lock considerations"; MalformedXML for
rules that are not whole was observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import ENABLED, keep
from cumulo.services.storage.s3.errors import (
    INVALID_ARGUMENT,
    INVALID_BUCKET_STATE,
    MALFORMED_XML,
    NO_SUCH_OBJECT_LOCK,
)
from cumulo.services.storage.s3.locks import event_holds
from cumulo.services.storage.s3.rights import access

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

MOST_DAYS = 36_500
MOST_YEARS = 100


@operation(unsupported=("Token",))
def put_object_lock_configuration(
    ctx: Context, request: t.PutObjectLockConfigurationRequest
) -> t.PutObjectLockConfigurationOutput:
    """Enable object lock for good, and set or remove the default retention."""
    bucket = access.bucket_for(ctx, request)
    given = request.get("ObjectLockConfiguration") or {}
    if given.get("ObjectLockEnabled") != ENABLED:
        raise MALFORMED_XML()
    rule = given.get("Rule")
    mode, days, years, held = _retention(rule) if rule is not None else ("", 0, 0, False)
    if bucket.versioning != ENABLED:
        raise INVALID_BUCKET_STATE("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
    bucket.object_lock, bucket.lock_mode, bucket.lock_days, bucket.lock_years = True, mode, days, years
    bucket.lock_event_hold = held
    keep(ctx, bucket)
    return {"RequestCharged": "requester"} if access.charged(ctx, bucket, request) else {}


def _retention(rule: Mapping[str, Any]) -> tuple[str, int, int, bool]:
    """The mode, the period in days or years, and whether it is that of an event hold."""
    retention = rule.get("DefaultRetention")
    if not retention:
        raise MALFORMED_XML()
    days, years = retention.get("Days"), retention.get("Years")
    if "DefaultEventHold" in retention:
        if "Mode" not in retention or days is not None or years is not None:
            raise MALFORMED_XML()
        return retention["Mode"], *event_holds.of_default(retention["DefaultEventHold"]), True
    if "Mode" not in retention or (days is None) == (years is None):
        raise MALFORMED_XML()
    number = days if days is not None else years
    if number <= 0:
        raise INVALID_ARGUMENT("Default retention period must be a positive integer value.")
    if (days or 0) > MOST_DAYS or (years or 0) > MOST_YEARS:
        raise INVALID_ARGUMENT("Default retention period too large.")
    return retention["Mode"], days or 0, years or 0, False


@operation
def get_object_lock_configuration(
    ctx: Context, request: t.GetObjectLockConfigurationRequest
) -> t.GetObjectLockConfigurationOutput:
    """That object lock is enabled, and the default retention if there is one."""
    bucket = access.bucket_for(ctx, request)
    if not bucket.object_lock:
        raise NO_SUCH_OBJECT_LOCK(members={"BucketName": bucket.name})
    found: dict[str, Any] = {"ObjectLockEnabled": ENABLED}
    if bucket.lock_mode:
        period: dict[str, Any] = {"Days": bucket.lock_days} if bucket.lock_days else {"Years": bucket.lock_years}
        if bucket.lock_event_hold:
            period = {"DefaultEventHold": period}
        found["Rule"] = {"DefaultRetention": {"Mode": bucket.lock_mode, **period}}
    return {"ObjectLockConfiguration": found}  # type: ignore[typeddict-item]
