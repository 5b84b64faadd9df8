"""What is left of global tables of 2017, and auto scaling of replicas: AWS's answers to calls that cannot succeed.

AWS refuses to make tables of version 2017.11.29, in every region, so there are none to find.
Source: answers of AWS; Amazon DynamoDB Developer Guide, "Global tables version 2017.11.29 (Legacy)".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.stored.replication import members
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import TABLES

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

GLOBAL_TABLE_NOT_FOUND = Error("GlobalTableNotFoundException", "Global table with name: '{name}' does not exist.")
NO_GLOBAL_TABLE = Error("ResourceNotFoundException", "Global table with name: '{name}' does not exist.")
_LEGACY = (
    f"{INVALID}DynamoDB global tables version 2017.11.29 is not supported. We recommend using DynamoDB global tables "
    "version 2019.11.21, instead of version 2017.11.29 (Legacy)."
)


def _authorize(ctx: Context, name: str) -> None:
    ctx.authorize(f"arn:{ctx.partition}:dynamodb::{ctx.account}:global-table/{name}")


@operation
def create_global_table(ctx: Context, request: t.CreateGlobalTableInput) -> t.CreateGlobalTableOutput:
    """Refused, with AWS's advice, whatever its GlobalTableName and ReplicationGroup."""
    _authorize(ctx, request["GlobalTableName"])
    assert request["ReplicationGroup"] is not None
    raise VALIDATION(_LEGACY)


@operation
def update_global_table(ctx: Context, request: t.UpdateGlobalTableInput) -> t.UpdateGlobalTableOutput:
    """Refused, as is the making of such a table."""
    _authorize(ctx, request["GlobalTableName"])
    if not request["ReplicaUpdates"]:
        raise VALIDATION(INVALID.rstrip(": "))
    raise VALIDATION(_LEGACY)


@operation
def describe_global_table(ctx: Context, request: t.DescribeGlobalTableInput) -> t.DescribeGlobalTableOutput:
    """There is none."""
    _authorize(ctx, request["GlobalTableName"])
    raise GLOBAL_TABLE_NOT_FOUND(name=request["GlobalTableName"])


@operation
def describe_global_table_settings(
    ctx: Context, request: t.DescribeGlobalTableSettingsInput
) -> t.DescribeGlobalTableSettingsOutput:
    """There is none."""
    _authorize(ctx, request["GlobalTableName"])
    raise GLOBAL_TABLE_NOT_FOUND(name=request["GlobalTableName"])


_SETTINGS = frozenset(
    (
        "GlobalTableBillingMode",
        "GlobalTableProvisionedWriteCapacityUnits",
        "GlobalTableProvisionedWriteCapacityAutoScalingSettingsUpdate",
        "GlobalTableGlobalSecondaryIndexSettingsUpdate",
        "ReplicaSettingsUpdate",
    )
)


@operation
def update_global_table_settings(
    ctx: Context, request: t.UpdateGlobalTableSettingsInput
) -> t.UpdateGlobalTableSettingsOutput:
    """There is none, whose settings they may be."""
    assert request.keys() <= _SETTINGS | {"GlobalTableName"}
    _authorize(ctx, request["GlobalTableName"])
    raise GLOBAL_TABLE_NOT_FOUND(name=request["GlobalTableName"])


_FILTERS = frozenset(("RegionName", "Limit", "ExclusiveStartGlobalTableName"))


@operation
def list_global_tables(ctx: Context, request: t.ListGlobalTablesInput) -> t.ListGlobalTablesOutput:
    """There are none, in whatever region and after whatever name."""
    assert request.keys() <= _FILTERS
    return {"GlobalTables": []}


@operation
def describe_table_replica_auto_scaling(
    ctx: Context, request: t.DescribeTableReplicaAutoScalingInput
) -> t.DescribeTableReplicaAutoScalingOutput:
    """The auto scaling of a global table's regions: off, as nothing registers any."""
    name = request["TableName"]
    ctx.authorize(TABLES.arn(ctx, name))
    table = TABLES.peek(ctx, name)
    if table is None or not table.replicas:
        raise NO_GLOBAL_TABLE(name=name)
    off = {"AutoScalingDisabled": True, "ScalingPolicies": []}
    regions = [(table.region, table.status), *((other.region, other.status) for _, other in members(ctx, table))]
    described = {
        "TableName": table.name,
        "TableStatus": table.status,
        "Replicas": [
            {
                "RegionName": region,
                "ReplicaStatus": status,
                "GlobalSecondaryIndexes": [],
                "ReplicaProvisionedReadCapacityAutoScalingSettings": off,
                "ReplicaProvisionedWriteCapacityAutoScalingSettings": off,
            }
            for region, status in regions
        ],
    }
    answer: Any = {"TableAutoScalingDescription": described}
    return answer  # type: ignore[no-any-return]
