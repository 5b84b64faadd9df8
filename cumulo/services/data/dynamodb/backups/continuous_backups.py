"""Point-in-time recovery: while it is on, the undo log goes back up to 35 days, and any second of them can be restored.

Sources: Amazon DynamoDB Developer Guide, "Point-in-time backups for DynamoDB"; answers of AWS for the texts, and for
what a change of the settings does to the window. The latest second that can be restored lies five minutes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation, reconciler
from cumulo.services.data.dynamodb.backups.backups import table_of
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.stored import settling, undo_log
from cumulo.services.data.dynamodb.tables.tables import ALL_TABLES, TABLES, TableRecord, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

DAYS = 35
DAY_S = 86_400
LATEST_S = 300
_TRIMMED = 1000
_TABLES = 100


def window(ctx: Context, table: TableRecord) -> tuple[float, float]:
    """The earliest and the latest second that can be restored, of a table with point-in-time recovery."""
    now = ctx.now()
    earliest = max(table.recovers_since, now - table.recovery_days * DAY_S)
    return earliest, max(table.recovers_since, now - LATEST_S)


@operation
def update_continuous_backups(ctx: Context, request: t.UpdateContinuousBackupsInput) -> t.UpdateContinuousBackupsOutput:
    """Switch point-in-time recovery on or off, or change how far it goes back."""
    table = table_of(ctx, request["TableName"])
    wanted = request["PointInTimeRecoverySpecification"]
    days = wanted.get("RecoveryPeriodInDays")
    if wanted["PointInTimeRecoveryEnabled"]:
        table.recovers_since = table.recovers_since or ctx.now()
        table.recovery_days = days or DAYS
    else:
        if days is not None:
            raise VALIDATION(
                "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery."
            )
        table.recovers_since = 0.0
        if not table.copies:
            ctx.later(settling.sweep, {"prefix": undo_log.LOG.key(ctx, table.id)})
    keep(ctx, table)
    return {"ContinuousBackupsDescription": _described(ctx, table)}  # type: ignore[typeddict-item]


@operation
def describe_continuous_backups(
    ctx: Context, request: t.DescribeContinuousBackupsInput
) -> t.DescribeContinuousBackupsOutput:
    """Whether point-in-time recovery is on, and its window. ContinuousBackupsStatus is ENABLED for every table."""
    table = table_of(ctx, request["TableName"])
    return {"ContinuousBackupsDescription": _described(ctx, table)}  # type: ignore[typeddict-item]


def _described(ctx: Context, table: TableRecord) -> dict[str, Any]:
    recovery: dict[str, Any] = {"PointInTimeRecoveryStatus": "ENABLED" if table.recovers_since else "DISABLED"}
    if table.recovers_since:
        earliest, latest = window(ctx, table)
        recovery["RecoveryPeriodInDays"] = table.recovery_days
        recovery["EarliestRestorableDateTime"] = earliest
        recovery["LatestRestorableDateTime"] = latest
    return {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery}


@reconciler(every_s=3600)
async def trim_undo_logs(ctx: Context) -> None:
    """Drop what lies behind the window of each table; not while a copy of the table is being made."""
    after: bytes | None = b""
    while after is not None:
        start = after
        after = await ctx.transact(lambda ctx, start=start: _trim_some(ctx, start))  # type: ignore[misc]


def _trim_some(ctx: Context, after: bytes) -> bytes | None:
    everywhere = ALL_TABLES.prefix("", "")
    found = ctx.txn.range(max(after, everywhere), everywhere + b"\xff", limit=_TABLES)
    for key, value in found:
        table = TABLES.codec.decode(value)
        if not table.recovers_since or table.copies:
            continue
        if undo_log.trim(ctx, table.id, ctx.now() - table.recovery_days * DAY_S, _TRIMMED):
            return key
    return found[-1][0] + b"\x00" if len(found) == _TABLES else None
