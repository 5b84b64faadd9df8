"""Restores: a new table of a backup, or of another table as it was at some second.

What comes along: items, keys, indexes, capacity and encryption, as far as no override says otherwise; what does not:
streams, time to live, point-in-time recovery, tags, policies, deletion protection and the table class.
Sources: Amazon DynamoDB Developer Guide, "Restoring a table from a backup", "Restoring a table to a point in time";
answers of AWS for the order of checks and the texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.change_streams import number_at
from cumulo.core.operation import operation, task
from cumulo.services.data.dynamodb.backups import backups, continuous_backups
from cumulo.services.data.dynamodb.backups.backups import BACKUPS, seconds
from cumulo.services.data.dynamodb.errors import (
    BACKUP_IN_USE,
    BACKUP_TABLE_NOT_FOUND,
    INVALID_RESTORE_TIME,
    RECOVERY_UNAVAILABLE,
    TARGET_EXISTS,
    TARGET_IN_USE,
    VALIDATION,
)
from cumulo.services.data.dynamodb.metering.capacity import Usage
from cumulo.services.data.dynamodb.replicas import descriptions
from cumulo.services.data.dynamodb.stored import encryption_settings, snapshots
from cumulo.services.data.dynamodb.stored.item_writes import Before, write
from cumulo.services.data.dynamodb.stored.snapshots import CONTINUATIONS, Snapshot
from cumulo.services.data.dynamodb.stored.stored_items import decode, opened
from cumulo.services.data.dynamodb.tables import index_definitions, throughputs
from cumulo.services.data.dynamodb.tables.key_schemas import Keys
from cumulo.services.data.dynamodb.tables.layouts import layout_of
from cumulo.services.data.dynamodb.tables.tables import (
    ACTIVE,
    CREATING,
    GSI,
    LSI,
    PAY_PER_REQUEST,
    PROVISIONED,
    TABLES,
    UNLIMITED,
    IndexRecord,
    TableRecord,
    Throughput,
    keep,
)
from cumulo.services.data.dynamodb.values.attribute_values import item_size

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

_FILLED = 200


@operation(unsupported=("VectorIndexOverride",))
def restore_table_from_backup(ctx: Context, request: t.RestoreTableFromBackupInput) -> t.RestoreTableFromBackupOutput:
    """Make a table of a backup."""
    backup = backups.find(ctx, request["BackupArn"])
    target = request["TargetTableName"]
    ctx.authorize(TABLES.arn(ctx, target))
    if backup.region != ctx.region and "SSESpecificationOverride" not in request:
        raise VALIDATION("Invalid Request: sseSpecificationOverride must be provided for cross-region restores")
    given: Mapping[str, Any] = request
    table = _target(ctx, backup.source, target, given)
    _check_free(ctx, target)
    if backup.restoring or backup.status != backups.AVAILABLE:
        raise BACKUP_IN_USE(arn=backup.arn)
    table.filling, table.restored_from, table.restored_table = "backup", backup.arn, backup.source.arn
    table.restored_at = backup.created_at
    _begin(ctx, table, given)
    backup.restoring = table.id
    backups.keep(ctx, backup)
    source = {"account": backup.account, "region": backup.region, "table": backup.table, "id": backup.id}
    ctx.later(fill, _payload(table, backup.snapshot, {"backup": source}))
    answer: Any = {"TableDescription": descriptions.fresh(ctx, table)}
    return answer  # type: ignore[no-any-return]


@operation(unsupported=("VectorIndexOverride",))
def restore_table_to_point_in_time(
    ctx: Context, request: t.RestoreTableToPointInTimeInput
) -> t.RestoreTableToPointInTimeOutput:
    """Make a table of another as it was at a second, or at the latest one that can be restored."""
    _check_times(request)
    source = _source(ctx, request)
    target = request["TargetTableName"]
    ctx.authorize(TABLES.arn(ctx, target))
    if not source.recovers_since:
        raise RECOVERY_UNAVAILABLE(name=source.name)
    when = _when(ctx, source, request)
    given: Mapping[str, Any] = request
    table = _target(ctx, source, target, given)
    _check_free(ctx, target)
    table.filling, table.restored_table, table.restored_at = "table", source.arn, when
    _begin(ctx, table, given)
    payload = _payload(table, "", {"source": msgspec.msgpack.encode(source)})
    snapshots.begin(ctx, source, "restore", payload, number_at(when))
    answer: Any = {"TableDescription": descriptions.fresh(ctx, table)}
    return answer  # type: ignore[no-any-return]


def _check_times(request: Mapping[str, Any]) -> None:
    latest = request.get("UseLatestRestorableTime")
    if latest and "RestoreDateTime" in request:
        raise VALIDATION(
            "Invalid Request: Both RestoreDateTime and UseLatestRestorableTime cannot be set for point-in-time restore "
            "request. Please specify only one of them"
        )
    if not latest and "RestoreDateTime" not in request:
        raise VALIDATION(
            "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both"
        )
    if "SourceTableName" in request and "SourceTableArn" in request:
        raise VALIDATION("Must provide exactly one of: sourceTableArn, sourceTableName")
    if "SourceTableName" not in request and "SourceTableArn" not in request:
        raise VALIDATION("The parameter 'TableName' is required but was not present in the request")


def _source(ctx: Context, request: Mapping[str, Any]) -> TableRecord:
    arn = request.get("SourceTableArn")
    name, region, account = request.get("SourceTableName", ""), ctx.region, ctx.account
    if arn is not None:
        parts = arn.split(":", 5)
        if len(parts) != 6 or parts[2] != "dynamodb" or not parts[5].startswith("table/"):
            raise VALIDATION("sourceTableArn is not a valid ARN")
        region, account, name = parts[3], parts[4], parts[5].removeprefix("table/")
        if account != ctx.account:
            ctx.authorized = True  # whatever there is in the other account: this says nothing of it
            raise VALIDATION("This action is only supported by accounts that match the resource owner’s account.")
        if region != ctx.region and "SSESpecificationOverride" not in request:
            ctx.authorize(arn)
            raise VALIDATION("Invalid Request: sseSpecificationOverride must be provided for cross-region restores")
    ctx.authorize(TABLES.arn(ctx, name, account=account, region=region))
    table = TABLES.peek(ctx, name, account=account, region=region)
    if table is None or table.filling:
        raise BACKUP_TABLE_NOT_FOUND(name=name)
    return table


def _when(ctx: Context, source: TableRecord, request: Mapping[str, Any]) -> float:
    earliest, latest = continuous_backups.window(ctx, source)
    if request.get("UseLatestRestorableTime"):
        return latest
    when = seconds(request["RestoreDateTime"])
    if not int(earliest) <= when <= latest:
        raise INVALID_RESTORE_TIME(
            f"RestoreDateTime '{_iso(when)}' must be within EarliestRestorableDateTime '{_iso(earliest)}' and "
            f"LatestRestorableDateTime '{_iso(latest)}'"
        )
    return max(when, earliest)


def _iso(when: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(when), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _check_free(ctx: Context, name: str) -> None:
    found = TABLES.peek(ctx, name)
    if found is None:
        return
    if found.filling == "backup":
        raise TARGET_IN_USE(f"Table: {name} is already being restored from backup: {found.restored_from}")
    if found.filling:
        raise TARGET_IN_USE(f"Table: {name} is already being restored")
    raise TARGET_EXISTS(name=name)


def _target(ctx: Context, source: TableRecord, name: str, request: Mapping[str, Any]) -> TableRecord:
    """The table to be made: what the source was, and the overrides."""
    mode = request.get("BillingModeOverride") or source.billing_mode
    units, maximum = request.get("ProvisionedThroughputOverride"), request.get("OnDemandThroughputOverride")
    if units is not None and mode != PROVISIONED:
        if request.get("BillingModeOverride") == PAY_PER_REQUEST:
            raise VALIDATION(
                "Invalid Request: Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST"
            )
        raise VALIDATION("Invalid Request: Cannot override ProvisionedThroughput unless BillingMode is PROVISIONED")
    if mode == PROVISIONED and source.billing_mode != PROVISIONED and units is None:
        raise VALIDATION(
            "Invalid Request: Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED"
        )
    if maximum is not None and mode != PAY_PER_REQUEST:
        raise VALIDATION(
            "Invalid Request: Cannot override MaxReadRequestUnits for OnDemandThroughput unless BillingModeOverride is "
            "PAY_PER_REQUEST"
        )
    throughput = _throughput(ctx, mode, units, source.throughput)
    throughputs.limit(throughput, mode, maximum)
    indexes = _indexes(ctx, source, mode, request)
    names = {name for index in indexes for name in (*index.hash_keys, *index.range_keys)} | {*source.key_attributes}
    return TableRecord(
        ctx.account,
        ctx.region,
        name,
        ctx.uuid(),
        ctx.now(),
        CREATING,
        {attribute: kind for attribute, kind in source.attribute_types.items() if attribute in names},
        source.hash_key,
        source.range_key,
        mode,
        throughput,
        indexes=indexes,
        on_demand_since=ctx.now() if mode == PAY_PER_REQUEST else 0.0,
        sse_key=source.sse_key,
    )


def _throughput(ctx: Context, mode: str, units: Mapping[str, int] | None, source: Throughput) -> Throughput:
    if mode == PAY_PER_REQUEST:
        made = throughputs.created(ctx, mode, {})
        made.maximum_read, made.maximum_write = source.maximum_read, source.maximum_write
        return made
    wanted = units or {"ReadCapacityUnits": source.read, "WriteCapacityUnits": source.write}
    return throughputs.created(ctx, mode, {"ProvisionedThroughput": wanted})


def _indexes(ctx: Context, source: TableRecord, mode: str, request: Mapping[str, Any]) -> list[IndexRecord]:
    indexes: list[IndexRecord] = []
    for kind, member in ((LSI, "LocalSecondaryIndexOverride"), (GSI, "GlobalSecondaryIndexOverride")):
        known = [index for index in source.indexes if index.kind == kind and index.status == ACTIVE]
        wanted: Sequence[Mapping[str, Any]] | None = request.get(member)
        if wanted is None:
            indexes += [_same(ctx, index, mode) for index in known]
            continue
        for each in wanted:
            made = (
                index_definitions.local_index(each, source.attribute_types, Keys([source.hash_key], []))
                if kind == LSI
                else index_definitions.global_index(ctx, each, source.attribute_types, mode)
            )
            if not any(_alike(made, index) for index in known):
                raise VALIDATION(
                    f"Invalid Request: Index {made.name} does not match a secondary index that existed in the source "
                    "table and cannot be created during the restore operation"
                )
            indexes.append(made)
    return indexes


def _same(ctx: Context, index: IndexRecord, mode: str) -> IndexRecord:
    throughput = None
    if index.throughput is not None:
        if mode == PROVISIONED and not index.throughput.read:
            raise VALIDATION(f"Invalid Request: Must specify provisioned throughput for index {index.name}")
        throughput = _throughput(ctx, mode, None, index.throughput)
        if mode == PROVISIONED:
            throughput.maximum_read = throughput.maximum_write = UNLIMITED
    return msgspec.structs.replace(index, throughput=throughput)


def _alike(one: IndexRecord, other: IndexRecord) -> bool:
    return (one.hash_keys, one.range_keys, one.projection, one.non_key_attributes) == (
        other.hash_keys,
        other.range_keys,
        other.projection,
        other.non_key_attributes,
    )


def _begin(ctx: Context, table: TableRecord, request: Mapping[str, Any]) -> None:
    inherited, table.sse_key = table.sse_key, ""
    specification = request.get("SSESpecificationOverride")
    if specification is not None:
        encryption_settings.apply_new(ctx, table, specification)
    elif inherited:
        encryption_settings.use(ctx, table, inherited)
    keep(ctx, table)


def _payload(table: TableRecord, snapshot: str, more: dict[str, Any]) -> dict[str, Any]:
    place = {"account": table.account, "region": table.region, "name": table.name, "id": table.id}
    return {**place, "snapshot": snapshot, "cursor": b"", **more}


def _copied(ctx: Context, snapshot: Snapshot) -> None:
    ctx.later(fill, {**snapshot.payload, "snapshot": snapshot.id})


CONTINUATIONS["restore"] = _copied


@task
def fill(ctx: Context, payload: dict[str, Any]) -> None:
    """Put some more items of a copy into the table that is made of it; at the end the table is ACTIVE."""
    table = TABLES.peek(ctx, payload["name"], account=payload["account"], region=payload["region"])
    if table is None or table.id != payload["id"]:
        _release(ctx, payload)
        return
    source = _source_record(ctx, payload)
    layout = layout_of(table)
    found = snapshots.read(ctx, payload["snapshot"], payload["cursor"], _FILLED)
    for key, stored in found:
        item = decode(opened(ctx, source, stored))
        write(ctx, layout, key, Before(None), item, item_size(item), Usage())
    if len(found) == _FILLED:
        ctx.later(fill, {**payload, "cursor": found[-1][0] + b"\x00"})
        return
    table.filling, table.status = "", ACTIVE
    keep(ctx, table)
    _release(ctx, payload)


def _source_record(ctx: Context, payload: dict[str, Any]) -> TableRecord:
    """The table that the items were in, which knows how to open them."""
    if "source" in payload:
        return msgspec.msgpack.decode(payload["source"], type=TableRecord)
    place = payload["backup"]
    backup = BACKUPS.peek(ctx, place["table"], place["id"], account=place["account"], region=place["region"])
    assert backup is not None
    return backup.source


def _release(ctx: Context, payload: dict[str, Any]) -> None:
    """The copy is no longer needed: it goes, or the backup that it is of may serve others."""
    if "source" in payload:
        snapshots.drop(ctx, payload["snapshot"])
        return
    place = payload["backup"]
    backup = BACKUPS.peek(ctx, place["table"], place["id"], account=place["account"], region=place["region"])
    if backup is not None:
        backup.restoring = ""
        backups.keep(ctx, backup)
