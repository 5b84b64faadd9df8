"""UpdateTable: one change a call, with AWS's rules on what may come together.

Sources: Amazon DynamoDB API Reference, UpdateTable ("You can only perform one of the following operations at once");
answers of AWS for the pairs that are let through, and for the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.definitions import index_updates
from cumulo.services.data.dynamodb.errors import LIMIT_EXCEEDED, VALIDATION
from cumulo.services.data.dynamodb.replicas import descriptions, disassociations, replica_updates
from cumulo.services.data.dynamodb.stored import encryption_settings, replication, settling, streams
from cumulo.services.data.dynamodb.tables import throughputs
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import (
    PAY_PER_REQUEST,
    PROVISIONED,
    STRONG,
    UNLIMITED,
    UPDATING,
    TableRecord,
    Throughput,
    check_changeable,
    keep,
    settled,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

CLASS_CHANGES, CLASS_DAYS = 2, 30
DAY_S = 86_400
_REQUIRED = (
    "ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, "
    "ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, "
    "DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass"
)
_CHANGES = (
    "ProvisionedThroughput",
    "BillingMode",
    "StreamSpecification",
    "GlobalSecondaryIndexUpdates",
    "SSESpecification",
    "ReplicaUpdates",
    "GlobalTableWitnessUpdates",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "WarmThroughput",
    "TableClass",
    "DisassociationProtectionEnabled",
)
_ALONE = (
    ("SSESpecification", "Server-Side Encryption modification"),
    ("TableClass", "TableClass modification"),
    ("DeletionProtectionEnabled", "DeletionProtection modification"),
    ("DisassociationProtectionEnabled", "DisassociationProtection modification"),
)
_REFUSED = ("VectorIndexUpdates", "GlobalTableSettingsReplicationMode")


@operation(unsupported=_REFUSED)
def update_table(ctx: Context, request: t.UpdateTableInput) -> t.UpdateTableOutput:
    """Change a table's settings, or begin to change its indexes or its replicas."""
    given: Mapping[str, Any] = request
    table = settled(ctx, request["TableName"])
    changes = {name for name in _CHANGES if name in request}
    _check_together(changes, given)
    if changes == {"DeletionProtectionEnabled"} and table.status == UPDATING:
        pass  # the one change that AWS admits meanwhile
    else:
        check_changeable(table)
    if changes & {"ReplicaUpdates", "GlobalTableWitnessUpdates"}:
        replica_updates.apply(ctx, table, given)
    else:
        _apply(ctx, table, given)
        _apply_elsewhere(ctx, table, given)
    keep(ctx, table)
    ctx.later(settling.settle, {"account": table.account, "name": table.name, "id": table.id})
    answer: Any = {"TableDescription": descriptions.described(ctx, table)}
    if "WarmThroughput" in request:
        warm = throughputs.described_warm(table.throughput, updating=True)
        answer["TableDescription"]["WarmThroughput"] = warm
    return answer  # type: ignore[no-any-return]


_EVERYWHERE = (
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexUpdates",
    "AttributeDefinitions",
    "TableClass",
)


def _apply_elsewhere(ctx: Context, table: TableRecord, request: Mapping[str, Any]) -> None:
    """What goes for all regions of a global table."""
    shared = {name: request[name] for name in _EVERYWHERE if name in request}
    if not shared:
        return
    for inner, other in replication.members(ctx, table):
        check_changeable(other)
        _apply(inner, other, shared)
        keep(inner, other)
        inner.later(settling.settle, {"account": other.account, "name": other.name, "id": other.id})


def _check_together(changes: set[str], request: Mapping[str, Any]) -> None:
    if not changes:
        required = (
            _REQUIRED.replace("MultiRegionConsistency, ", "") if "MultiRegionConsistency" in request else _REQUIRED
        )
        raise VALIDATION(f"At least one of {required} is required")
    if request.get("GlobalSecondaryIndexUpdates") == []:
        raise VALIDATION(f"{INVALID}List of GlobalSecondaryIndexUpdates is empty")
    if len(changes) == 1:
        return
    if changes & {"ReplicaUpdates", "GlobalTableWitnessUpdates"}:
        if changes <= {"ReplicaUpdates", "GlobalTableWitnessUpdates"}:
            return
        raise VALIDATION(f"{INVALID}Replica modification must be the only operation in the request")
    for member, noun in _ALONE:
        if member in changes:
            raise VALIDATION(f"{INVALID}{noun} must be the only operation in the request")
    if "WarmThroughput" in changes:
        if index_updates.structural(request):
            raise VALIDATION(f"{INVALID}Create global secondary index cannot be specified when updating WarmThroughput")
        raise VALIDATION(f"{INVALID}WarmThroughput must be the only operation in the request")
    if "OnDemandThroughput" in changes and not changes <= {"OnDemandThroughput", "BillingMode"}:
        raise VALIDATION(f"{INVALID}OnDemandThroughput can only be combined with BillingMode in an UpdateTable request")
    iops = "ProvisionedThroughput" in changes or request.get("BillingMode") == PROVISIONED
    if "StreamSpecification" in changes and iops:
        raise VALIDATION(f"{INVALID}You cannot modify stream status while updating table IOPS")
    if index_updates.structural(request):
        if "ProvisionedThroughput" in changes:
            raise VALIDATION(f"{INVALID}You cannot create or delete index while updating table IOPS")
        if "StreamSpecification" in changes:
            raise VALIDATION(f"{INVALID}You cannot create or delete index while changing stream status")


def _apply(ctx: Context, table: TableRecord, request: Mapping[str, Any]) -> None:
    mode = request.get("BillingMode") or table.billing_mode
    _check_capacity(table, mode, request)
    switched = mode != table.billing_mode
    if switched:
        _switch(ctx, table, mode, request)
    elif "ProvisionedThroughput" in request:
        throughputs.change(ctx, table.throughput, request["ProvisionedThroughput"])
        table.status = UPDATING
    elif request.get("BillingMode"):
        table.status = UPDATING  # nothing changes; AWS says UPDATING all the same
    throughputs.limit(table.throughput, mode, request.get("OnDemandThroughput"))
    throughputs.warm(table.throughput, mode, request.get("WarmThroughput"))
    if "GlobalSecondaryIndexUpdates" in request:
        index_updates.apply(ctx, table, request, switched=switched)
    if "StreamSpecification" in request:
        if table.replicas and table.consistency != STRONG and not request["StreamSpecification"]["StreamEnabled"]:
            raise VALIDATION(f"{INVALID}Disabling Stream is not allowed for a Global Table replica.")
        streams.change(ctx, table, request["StreamSpecification"])
        table.status = UPDATING
    if "SSESpecification" in request:
        encryption_settings.change(ctx, table, request["SSESpecification"])
    if "DeletionProtectionEnabled" in request:
        table.deletion_protection = request["DeletionProtectionEnabled"]
    if "DisassociationProtectionEnabled" in request:
        disassociations.protect(table, request["DisassociationProtectionEnabled"])
    if "TableClass" in request:
        _change_class(ctx, table, request["TableClass"])


def _check_capacity(table: TableRecord, mode: str, request: Mapping[str, Any]) -> None:
    provisioned = "ProvisionedThroughput" in request
    if mode == PAY_PER_REQUEST and provisioned:
        raise VALIDATION(
            f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST"
        )
    if request.get("BillingMode") == PROVISIONED and not provisioned:
        raise VALIDATION(f"{INVALID}ProvisionedThroughput must be specified when BillingMode is PROVISIONED")


def _switch(ctx: Context, table: TableRecord, mode: str, request: Mapping[str, Any]) -> None:
    """Change between provisioned and on-demand; what was said for the other mode is forgotten."""
    table.billing_mode = mode
    table.status = UPDATING
    throughput = table.throughput
    throughput.maximum_read = throughput.maximum_write = UNLIMITED
    if mode == PAY_PER_REQUEST:
        table.on_demand_since = ctx.now()
        _to_on_demand(throughput)
        for index in table.indexes:
            if index.throughput is not None:
                _to_on_demand(index.throughput)
        return
    throughputs.change(ctx, throughput, request["ProvisionedThroughput"])
    updated = index_updates.updated_names(request)
    for index in table.indexes:
        if index.throughput is not None:
            index.throughput.maximum_read = index.throughput.maximum_write = UNLIMITED
            if index.name not in updated:
                raise VALIDATION(f"{INVALID}ProvisionedThroughput must be specified for index: {index.name}")


def _to_on_demand(throughput: Throughput) -> None:
    throughput.read = throughput.write = 0
    throughput.warm_read = max(throughput.warm_read, throughputs.ON_DEMAND_READ)
    throughput.warm_write = max(throughput.warm_write, throughputs.ON_DEMAND_WRITE)


def _change_class(ctx: Context, table: TableRecord, wanted: str) -> None:
    now = ctx.now()
    recent = [when for when in table.class_changes if when > now - CLASS_DAYS * DAY_S]
    if len(recent) >= CLASS_CHANGES:
        raise LIMIT_EXCEEDED(
            f"Subscriber limit exceeded: Updates to TableClass are limited to {CLASS_CHANGES} times in "
            f"{CLASS_DAYS} day(s)."
        )
    if wanted == (table.table_class or "STANDARD"):
        return
    table.class_changes = [*recent, now]
    table.table_class = wanted
    table.status = UPDATING
