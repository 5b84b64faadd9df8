"""TableDescription: a table as the answers of CreateTable, DescribeTable, UpdateTable and DeleteTable show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.replicas import replica_descriptions
from cumulo.services.data.dynamodb.stored import streams
from cumulo.services.data.dynamodb.tables import key_schemas, throughputs
from cumulo.services.data.dynamodb.tables.tables import (
    ACTIVE,
    COUNTS,
    CREATING,
    GSI,
    LSI,
    PAY_PER_REQUEST,
    UPDATING,
    IndexRecord,
    TableRecord,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context


def described(ctx: Context, table: TableRecord) -> dict[str, Any]:
    """The table as DescribeTable answers."""
    shown = fresh(ctx, table)
    shown["WarmThroughput"] = throughputs.described_warm(table.throughput)
    if table.on_demand_since and "BillingModeSummary" in shown:
        shown["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"] = table.on_demand_since
    return shown


def created(ctx: Context, table: TableRecord) -> dict[str, Any]:
    """As CreateTable answers: warm throughput only where it was asked for, and then on its way."""
    shown = fresh(ctx, table)
    if table.throughput.warm_asked:
        shown["WarmThroughput"] = throughputs.described_warm(table.throughput, updating=True)
    return shown


def deleted(ctx: Context, table: TableRecord) -> dict[str, Any]:
    """As DeleteTable answers: without what the table was made of."""
    shown = fresh(ctx, table)
    for member in ("AttributeDefinitions", "KeySchema", "CreationDateTime"):
        del shown[member]
    return shown


def fresh(ctx: Context, table: TableRecord) -> dict[str, Any]:
    """What all answers have in common."""
    count, size = COUNTS.total(ctx, table.id, "")
    shown: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in sorted(table.attribute_types.items())
        ],
        "TableName": table.name,
        "KeySchema": key_schemas.described([table.hash_key], [table.range_key] if table.range_key else []),
        "TableStatus": table.status,
        "CreationDateTime": table.created_at,
        "ProvisionedThroughput": throughputs.described(table.throughput, ctx.now()),
        "TableSizeBytes": size,
        "ItemCount": count,
        "TableArn": table.arn,
        "TableId": table.id,
        "DeletionProtectionEnabled": table.deletion_protection,
    }
    if table.billing_mode == PAY_PER_REQUEST or table.on_demand_since:
        shown["BillingModeSummary"] = {"BillingMode": table.billing_mode}
    maximum = throughputs.described_maximum(table.throughput)
    if maximum:
        shown["OnDemandThroughput"] = maximum
    if table.table_class:
        shown["TableClassSummary"] = {"TableClass": table.table_class}
        if table.class_changes:
            shown["TableClassSummary"]["LastUpdateDateTime"] = table.class_changes[-1]
    for member, kind in (("LocalSecondaryIndexes", LSI), ("GlobalSecondaryIndexes", GSI)):
        found = [index_description(ctx, table, index) for index in table.indexes if index.kind == kind]
        if found:
            shown[member] = found
    _add_stream(shown, table)
    if table.sse_key:
        shown["SSEDescription"] = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": table.sse_key}
    if table.restored_at:
        shown["RestoreSummary"] = _restore(table)
    replica_descriptions.add(ctx, shown, table)
    return shown


def _add_stream(shown: dict[str, Any], table: TableRecord) -> None:
    if table.stream_view:
        shown["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": table.stream_view}
    if table.stream_label:
        shown["LatestStreamLabel"] = table.stream_label
        shown["LatestStreamArn"] = streams.arn_of(table)


def _restore(table: TableRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {"RestoreDateTime": table.restored_at, "RestoreInProgress": bool(table.filling)}
    if table.restored_from:
        shown["SourceBackupArn"] = table.restored_from
    if table.restored_table:
        shown["SourceTableArn"] = table.restored_table
    return shown


def projection(index: IndexRecord) -> dict[str, Any]:
    """A Projection."""
    shown: dict[str, Any] = {"ProjectionType": index.projection}
    if index.non_key_attributes:
        shown["NonKeyAttributes"] = index.non_key_attributes
    return shown


def index_description(ctx: Context, table: TableRecord, index: IndexRecord) -> dict[str, Any]:
    """A secondary index; a local one has no state of its own."""
    count, size = COUNTS.total(ctx, table.id, index.name)
    shown: dict[str, Any] = {
        "IndexName": index.name,
        "KeySchema": key_schemas.described(index.hash_keys, index.range_keys),
        "Projection": projection(index),
        "IndexSizeBytes": size,
        "ItemCount": count,
        "IndexArn": f"{table.arn}/index/{index.name}",
    }
    if index.throughput is None:
        return shown
    shown["IndexStatus"] = CREATING if table.status == CREATING else index.status
    if index.status == CREATING:
        shown["Backfilling"] = index.backfilling and table.status != UPDATING
    shown["ProvisionedThroughput"] = throughputs.described(index.throughput, ctx.now())
    if index.status == ACTIVE and table.status != CREATING:
        shown["WarmThroughput"] = throughputs.described_warm(index.throughput)
    maximum = throughputs.described_maximum(index.throughput)
    if maximum:
        shown["OnDemandThroughput"] = maximum
    return shown
