"""ScheduleKeyDeletion, CancelKeyDeletion, and the end of a key when its waiting period is over.

Source: Developer Guide, "Delete an AWS KMS key"; a primary key with replicas waits for the last of them first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation, task
from cumulo.services.identity.kms import aliases, grants, keys, last_uses, permissions
from cumulo.services.identity.kms.errors import NOT_PENDING_DELETION, VALIDATION
from cumulo.services.identity.kms.keys import DAY_S, KEYS, Key, check_not_deleted, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

WINDOW_DAYS = (7, 30)
_AT_ONCE = 500


def _conditions(request: Any) -> dict[str, Any]:
    return {"kms:ScheduleKeyDeletionPendingWindowInDays": request.get("PendingWindowInDays", WINDOW_DAYS[1])}


@operation
def schedule_key_deletion(ctx: Context, request: t.ScheduleKeyDeletionRequest) -> t.ScheduleKeyDeletionResponse:
    """From now on the key can be used for nothing; after the waiting period it is gone, with all that it protects."""
    key = permissions.get(ctx, request["KeyId"], more=_conditions(request))
    days = request.get("PendingWindowInDays", WINDOW_DAYS[1])
    if not WINDOW_DAYS[0] <= days <= WINDOW_DAYS[1]:
        raise VALIDATION(f"PendingWindowInDays must be between {WINDOW_DAYS[0]} and {WINDOW_DAYS[1]}, inclusive.")
    check_not_deleted(key)
    key.deletion_days = days
    if not (key.primary and key.replica_regions):
        _start_window(ctx, key)
    keep(ctx, key)
    answer: dict[str, Any] = {"KeyId": key.arn, "KeyState": key.state(ctx.now()), "PendingWindowInDays": days}
    if key.deletion_at:
        answer["DeletionDate"] = key.deletion_at
    return answer  # type: ignore[return-value]


def _start_window(ctx: Context, key: Key) -> None:
    key.deletion_at = ctx.now() + key.deletion_days * DAY_S
    payload = {"account": key.account, "region": key.region, "key_id": key.key_id, "due": key.deletion_at}
    ctx.later(delete_when_due, payload, at=key.deletion_at)


@operation
def cancel_key_deletion(ctx: Context, request: t.CancelKeyDeletionRequest) -> t.CancelKeyDeletionResponse:
    """The key stays after all; it is disabled until somebody enables it."""
    key = permissions.get(ctx, request["KeyId"])
    if not key.deletion_days:
        raise NOT_PENDING_DELETION(arn=key.arn)
    key.deletion_days, key.deletion_at, key.enabled = 0, 0.0, False
    keep(ctx, key)
    return {"KeyId": key.arn}


@task
def delete_when_due(ctx: Context, payload: dict[str, Any]) -> None:
    """Delete a key, its aliases and its grants, unless its deletion was cancelled."""
    account, region = payload["account"], payload["region"]
    key = KEYS.peek(ctx, payload["key_id"], account=account, region=region)
    if key is None or not key.deletion_days or key.deletion_at != payload["due"]:
        return
    at = {"account": account, "region": region}
    for alias in aliases.of_key(ctx, account, region, key.key_id):
        aliases.ALIASES.delete(ctx, alias, **at)
    last_use = last_uses.LAST_USES.peek(ctx, key.key_id, **at)
    if last_use is not None:
        last_uses.LAST_USES.delete(ctx, last_use, **at)
    found = grants.GRANTS.range(ctx, key.key_id, limit=_AT_ONCE, **at)
    for grant in found:
        grants.GRANTS.delete(ctx, grant, **at)
    if len(found) == _AT_ONCE:
        ctx.later(delete_when_due, payload)
        return
    KEYS.delete(ctx, key, **at)
    _leave_relatives(ctx, key)


def _leave_relatives(ctx: Context, key: Key) -> None:
    """A replica that is gone is one less to wait for."""
    left = [keys.KEYS.peek(ctx, key.key_id, account=key.account, region=place) for place in _places(key)]
    for relative in left:
        if relative is None:
            continue
        relative.replica_regions = [region for region in relative.replica_regions if region != key.region]
        if relative.primary and relative.deletion_days and not relative.deletion_at and not relative.replica_regions:
            _start_window(ctx, relative)
        keep(ctx, relative)


def _places(key: Key) -> list[str]:
    return [region for region in (key.primary_region, *key.replica_regions) if region and region != key.region]
