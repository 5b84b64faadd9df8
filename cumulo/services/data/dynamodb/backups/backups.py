"""On-demand backups: a table's items and what it is made of at one moment, kept whatever becomes of the table.

Deleting a table with point-in-time recovery leaves a SYSTEM backup for 35 days, which nobody can delete.
Sources: Amazon DynamoDB Developer Guide, "On-demand backup and restore"; answers of AWS for texts and members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import partition_of
from cumulo.core.operation import operation, reconciler
from cumulo.core.table import GLOBAL, REGION, Record, Space, Table
from cumulo.services.data.dynamodb.errors import (
    BACKUP_IN_USE,
    BACKUP_NOT_FOUND,
    BACKUP_TABLE_NOT_FOUND,
    VALIDATION,
)
from cumulo.services.data.dynamodb.replicas import descriptions
from cumulo.services.data.dynamodb.stored import snapshots
from cumulo.services.data.dynamodb.stored.snapshots import CONTINUATIONS, Snapshot
from cumulo.services.data.dynamodb.tables import key_schemas, table_names, throughputs
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import CREATING, GSI, LSI, TABLES, TableRecord, Throughput

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

USER, SYSTEM, ALL = "USER", "SYSTEM", "ALL"
AVAILABLE, DELETED = "AVAILABLE", "DELETED"
SYSTEM_KEPT_S = 35 * 86_400
PAGE = 100


class Backup(Record):
    """A backup, with the table as it was. Times are cloud time in seconds."""

    table: str
    id: str  # milliseconds and eight hexadecimal digits
    name: str
    account: str
    region: str
    created_at: float
    kind: str
    status: str
    source: TableRecord
    snapshot: str = ""
    count: int = 0
    size: int = 0
    expires_at: float = 0.0
    restoring: str = ""  # the table that is being made of it

    @property
    def arn(self) -> str:
        """The backup's ARN."""
        place = f"{self.region}:{self.account}:table/{self.table}/backup/{self.id}"
        return f"arn:{partition_of(self.region)}:dynamodb:{place}"


BACKUPS = Table(
    Backup,
    name="dynamodb.backups",
    key=("table", "id"),
    scope=REGION,
    arn="arn:{partition}:dynamodb:{region}:{account}:table/{table}/backup/{id}",
    missing=BACKUP_NOT_FOUND,
)
_EVERYWHERE = Space(BACKUPS.name, scope=GLOBAL)


def table_of(ctx: Context, name_or_arn: str) -> TableRecord:
    """The table that an operation on backups names, found and authorized, in their words when it is not there."""
    account, name = table_names.owner_and_name(ctx, name_or_arn)
    table = TABLES.peek(ctx, name, account=account)
    if table is None or table.filling or table.status == CREATING:
        ctx.authorize(TABLES.arn(ctx, name, account=account))
        raise BACKUP_TABLE_NOT_FOUND(name=name)
    ctx.authorize(table.arn, policy=table.policy or None, tags=table.tags)
    return table


def read_arn(ctx: Context, arn: str) -> tuple[str, str, str, str]:
    """Account, region, table and id in a backup's ARN."""
    parts = arn.split(":", 5)
    kinds = parts[5].split("/") if len(parts) == 6 else []
    if len(kinds) != 4 or (kinds[0], kinds[2]) != ("table", "backup"):
        raise VALIDATION("Invalid Backup ARN")
    if parts[1] != ctx.partition or parts[2] != "dynamodb":
        raise VALIDATION("Invalid Request: BackupArn is not valid")
    return parts[4], parts[3], kinds[1], kinds[3]


def find(ctx: Context, arn: str) -> Backup:
    """The backup of an ARN, found and authorized."""
    account, region, table, backup_id = read_arn(ctx, arn)
    ctx.authorize(arn)
    found = BACKUPS.peek(ctx, table, backup_id, account=account, region=region)
    if found is None:
        raise BACKUP_NOT_FOUND(arn=arn)
    return found


def keep(ctx: Context, backup: Backup) -> None:
    """Write a backup back to where it lives."""
    BACKUPS.put(ctx, backup, account=backup.account, region=backup.region)


def make(ctx: Context, table: TableRecord, name: str, kind: str) -> Backup:
    """Begin a backup of a table as it is now."""
    now = int(ctx.now() * 1000) / 1000
    digits = "00000000" if kind == SYSTEM else ctx.random_bytes(4).hex()
    backup_id = f"{int(now * 1000):014d}-{digits}"
    backup = Backup(
        table.name, backup_id, name, table.account, table.region, now, kind, CREATING, table,
        expires_at=now + SYSTEM_KEPT_S if kind == SYSTEM else 0.0,
    )  # fmt: skip
    payload = {"table": backup.table, "id": backup.id}
    backup.snapshot = snapshots.begin(ctx, table, "backup", payload).id
    keep(ctx, backup)
    return backup


def _made(ctx: Context, snapshot: Snapshot) -> None:
    payload = snapshot.payload
    backup = BACKUPS.peek(ctx, payload["table"], payload["id"], account=snapshot.account, region=snapshot.region)
    if backup is None:
        snapshots.drop(ctx, snapshot.id)
        return
    backup.status, backup.count, backup.size = AVAILABLE, snapshot.count, snapshot.size
    keep(ctx, backup)


CONTINUATIONS["backup"] = _made


@operation
def create_backup(ctx: Context, request: t.CreateBackupInput) -> t.CreateBackupOutput:
    """Begin a backup; it is AVAILABLE as soon as all items are copied."""
    table = table_of(ctx, request["TableName"])
    backup = make(ctx, table, request["BackupName"], USER)
    answer: Any = {"BackupDetails": _details(backup)}
    return answer  # type: ignore[no-any-return]


@operation
def describe_backup(ctx: Context, request: t.DescribeBackupInput) -> t.DescribeBackupOutput:
    """A backup and the table that it is of."""
    answer: Any = {"BackupDescription": _description(ctx, find(ctx, request["BackupArn"]))}
    return answer  # type: ignore[no-any-return]


@operation
def delete_backup(ctx: Context, request: t.DeleteBackupInput) -> t.DeleteBackupOutput:
    """Delete a backup; not one that a table is being made of."""
    backup = find(ctx, request["BackupArn"])
    if backup.kind == SYSTEM:
        raise VALIDATION(
            f"Invalid Request: User is not allowed to delete the system backup with arn {backup.arn}. It will "
            f"automatically expire on {throughputs.in_words(backup.expires_at)}"
        )
    if backup.restoring or backup.status == CREATING:
        raise BACKUP_IN_USE(arn=backup.arn)
    drop(ctx, backup)
    backup.status = DELETED
    answer: Any = {"BackupDescription": _description(ctx, backup)}
    return answer  # type: ignore[no-any-return]


def drop(ctx: Context, backup: Backup) -> None:
    """Remove a backup with its items."""
    BACKUPS.delete(ctx, backup, account=backup.account, region=backup.region)
    snapshots.drop(ctx, backup.snapshot)


@operation
def list_backups(ctx: Context, request: t.ListBackupsInput) -> t.ListBackupsOutput:
    """Backups of the account, or of tables that have or had a name: those of users, unless others are wanted."""
    kind = request.get("BackupType") or USER
    lower, upper = request.get("TimeRangeLowerBound"), request.get("TimeRangeUpperBound")
    if lower is not None and upper is not None and seconds(lower) > seconds(upper):
        raise VALIDATION(f"{INVALID}Time range lower bound must be less than or equal to upper bound")
    limit = request.get("Limit") or PAGE
    start = request.get("ExclusiveStartBackupArn")
    prefix: tuple[str, ...] = ()
    if "TableName" in request:
        prefix = (table_names.owner_and_name(ctx, request["TableName"])[1],)
    found = [
        backup
        for backup in BACKUPS.range(ctx, *prefix, after=read_arn(ctx, start)[2:] if start else None)
        if kind in (ALL, backup.kind)
        and (lower is None or backup.created_at >= seconds(lower))
        and (upper is None or backup.created_at < seconds(upper))
    ]
    answer: Any = {"BackupSummaries": [_summary(backup) for backup in found[:limit]]}
    if len(found) > limit:
        answer["LastEvaluatedBackupArn"] = found[limit - 1].arn
    return answer  # type: ignore[no-any-return]


def seconds(when: Any) -> float:
    """A timestamp of a request in seconds since 1970."""
    return float(when.timestamp()) if hasattr(when, "timestamp") else float(when)


def _details(backup: Backup) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "BackupArn": backup.arn,
        "BackupName": backup.name,
        "BackupSizeBytes": backup.size,
        "BackupStatus": backup.status,
        "BackupType": backup.kind,
        "BackupCreationDateTime": backup.created_at,
    }
    if backup.expires_at:
        shown["BackupExpiryDateTime"] = backup.expires_at
    return shown


def _summary(backup: Backup) -> dict[str, Any]:
    source = {"TableName": backup.table, "TableId": backup.source.id, "TableArn": backup.source.arn}
    return {**source, **_details(backup)}


def _description(ctx: Context, backup: Backup) -> dict[str, Any]:
    table = backup.source
    source: dict[str, Any] = {
        "TableName": table.name,
        "TableId": table.id,
        "TableArn": table.arn,
        "TableSizeBytes": backup.size,
        "KeySchema": key_schemas.described([table.hash_key], [table.range_key] if table.range_key else []),
        "TableCreationDateTime": table.created_at,
        "ProvisionedThroughput": _units(table.throughput),
        "ItemCount": backup.count,
        "BillingMode": table.billing_mode,
    }
    maximum = throughputs.described_maximum(table.throughput)
    if maximum:
        source["OnDemandThroughput"] = maximum
    features = {} if backup.kind == SYSTEM else _features(table)
    return {"BackupDetails": _details(backup), "SourceTableDetails": source, "SourceTableFeatureDetails": features}


def _units(throughput: Throughput) -> dict[str, int]:
    return {"ReadCapacityUnits": throughput.read, "WriteCapacityUnits": throughput.write}


def _features(table: TableRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for member, kind in (("LocalSecondaryIndexes", LSI), ("GlobalSecondaryIndexes", GSI)):
        found = []
        for index in table.indexes:
            if index.kind == kind:
                entry: dict[str, Any] = {
                    "IndexName": index.name,
                    "KeySchema": key_schemas.described(index.hash_keys, index.range_keys),
                    "Projection": descriptions.projection(index),
                }
                if index.throughput is not None:
                    entry["ProvisionedThroughput"] = _units(index.throughput)
                found.append(entry)
        if found:
            shown[member] = found
    if table.stream_view:
        shown["StreamDescription"] = {"StreamEnabled": True, "StreamViewType": table.stream_view}
    if table.ttl_attribute:
        shown["TimeToLiveDescription"] = {"TimeToLiveStatus": "ENABLED", "AttributeName": table.ttl_attribute}
    if table.sse_key:
        shown["SSEDescription"] = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": table.sse_key}
    return shown


@reconciler(every_s=3600)
async def expire_backups(ctx: Context) -> None:
    """Drop SYSTEM backups whose days are over."""

    def expire(ctx: Context) -> None:
        everywhere = _EVERYWHERE.prefix("", "")
        for _, value in ctx.txn.range(everywhere, everywhere + b"\xff"):
            backup = BACKUPS.codec.decode(value)
            if backup.expires_at and backup.expires_at < ctx.now() and not backup.restoring:
                drop(ctx, backup)

    await ctx.transact(expire)
