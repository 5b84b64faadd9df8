"""Global indexes of a table that is there: created, with a backfill, changed and deleted.

An index that is created takes every write from then on; what was in the table before, a task copies (backfills.py).
Sources: Amazon DynamoDB Developer Guide, "Managing Global Secondary Indexes"; answers of AWS for the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.definitions import backfills
from cumulo.services.data.dynamodb.errors import LIMIT_EXCEEDED, RESOURCE_IN_USE, RESOURCE_NOT_FOUND, VALIDATION
from cumulo.services.data.dynamodb.tables import index_definitions, key_schemas, throughputs
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import (
    ACTIVE,
    CREATING,
    DELETING,
    GSI,
    PAY_PER_REQUEST,
    UPDATING,
    IndexRecord,
    TableRecord,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

IN_USE = "Attempt to change a resource which is still in use: "
_ACTIONS = ("Update", "Create", "Delete")


def structural(request: Mapping[str, Any]) -> bool:
    """Whether a request creates or deletes an index."""
    return any("Create" in each or "Delete" in each for each in request.get("GlobalSecondaryIndexUpdates") or ())


def updated_names(request: Mapping[str, Any]) -> set[str]:
    """The indexes that a request gives other capacity."""
    return {
        each["Update"]["IndexName"] for each in request.get("GlobalSecondaryIndexUpdates") or () if "Update" in each
    }


def apply(ctx: Context, table: TableRecord, request: Mapping[str, Any], *, switched: bool) -> None:
    """Carry out GlobalSecondaryIndexUpdates; `switched`: the table's billing mode changes in the same call."""
    updates: list[Mapping[str, Any]] = request["GlobalSecondaryIndexUpdates"]
    _check_actions(updates)
    made = [each for each in updates if "Create" in each or "Delete" in each]
    busy = any(index.status in (CREATING, DELETING) for index in table.indexes)
    canceled = len(made) == 1 and "Delete" in made[0] and _is_creating(table, made[0]["Delete"]["IndexName"])
    if len(made) > 1 or (made and busy and not canceled):
        raise LIMIT_EXCEEDED(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"
        )
    for each in updates:
        if "Update" in each:
            _update(ctx, table, each["Update"], switched=switched)
        elif "Create" in each:
            _create(ctx, table, each["Create"], request)
        else:
            _delete(table, each["Delete"]["IndexName"])


def _check_actions(updates: list[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for each in updates:
        actions = [name for name in _ACTIONS if name in each]
        if not actions:
            raise VALIDATION(
                f"{INVALID}One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, "
                "GlobalSecondaryIndexUpdate.Delete must not be null"
            )
        if len(actions) > 1:
            raise VALIDATION(
                f"{INVALID}Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object"
            )
        name = each[actions[0]]["IndexName"]
        if name in seen:
            raise VALIDATION(
                f"{INVALID}Only one global secondary index update per index is allowed simultaneously. Index: {name}"
            )
        seen.add(name)


def _is_creating(table: TableRecord, name: str) -> bool:
    index = table.index(name)
    return index is not None and index.status == CREATING and index.backfilling


def _global(table: TableRecord, name: str, verb: str) -> IndexRecord:
    index = table.index(name)
    if index is None:
        raise RESOURCE_NOT_FOUND(f"Requested resource not found: Index {name} for table {table.name}")
    if index.kind != GSI:
        raise VALIDATION(f"Cannot {verb} an index that is not a GlobalSecondaryIndex: {name}")
    return index


def _update(ctx: Context, table: TableRecord, action: Mapping[str, Any], *, switched: bool) -> None:
    index = _global(table, action["IndexName"], "update")
    if index.status != ACTIVE:
        verb = {CREATING: "created", UPDATING: "updated"}.get(index.status, "deleted")
        raise RESOURCE_IN_USE(f"{IN_USE}Index is being {verb}. Table: {table.name} Index: {index.name}")
    assert index.throughput is not None
    mode = table.billing_mode
    provisioned = action.get("ProvisionedThroughput")
    if mode == PAY_PER_REQUEST:
        if provisioned is not None:
            raise VALIDATION(
                f"{INVALID}The only Updates for index: {index.name} when TableThroughputMode is PAY_PER_REQUEST can be "
                "to OnDemandThroughput, WarmThroughput"
            )
    elif provisioned is None and "WarmThroughput" not in action and "OnDemandThroughput" not in action:
        raise VALIDATION(
            f"{INVALID}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {index.name}"
        )
    if provisioned is not None:
        throughputs.change(ctx, index.throughput, provisioned, index.name)
        index.status = UPDATING
    elif switched and mode != PAY_PER_REQUEST:
        raise VALIDATION(f"{INVALID}ProvisionedThroughput must be specified for index: {index.name}")
    throughputs.limit(index.throughput, mode, action.get("OnDemandThroughput"), index.name)
    if "OnDemandThroughput" in action:
        index.status = UPDATING
    throughputs.warm(index.throughput, mode, action.get("WarmThroughput"), index.name)


def _create(ctx: Context, table: TableRecord, action: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    name = action["IndexName"]
    if table.index(name) is not None:
        raise VALIDATION("Attempting to create an index which already exists")
    if sum(index.kind == GSI for index in table.indexes) >= index_definitions.MOST_GLOBAL:
        raise LIMIT_EXCEEDED(
            "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of "
            f"{index_definitions.MOST_GLOBAL}"
        )
    if "AttributeDefinitions" not in request:
        raise VALIDATION(f"{INVALID}AttributeDefinitions is not specified for index: {name}")
    provisioned = action.get("ProvisionedThroughput") is not None
    if table.billing_mode == PAY_PER_REQUEST and provisioned:
        raise VALIDATION(
            f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {name} when "
            "BillingMode is PAY_PER_REQUEST"
        )
    if table.billing_mode != PAY_PER_REQUEST and not provisioned:
        raise VALIDATION(f"{INVALID}Both ReadCapacityUnits and WriteCapacityUnits must be specified for index: {name}")
    asked = key_schemas.types_of(request["AttributeDefinitions"])
    # What the table knows of its attributes wins over what the request says of them, without a word.
    types = {**asked, **table.attribute_types}
    index = index_definitions.global_index(ctx, action, types, table.billing_mode)
    index.status, index.backfilling, index.mark = CREATING, True, ctx.random_bytes(4).hex()
    table.status = UPDATING  # until the index has its place: the first of AWS's two phases
    table.indexes = [*table.indexes, index]
    index_definitions.check_projected(table.indexes)
    for attribute in (*index.hash_keys, *index.range_keys):
        table.attribute_types[attribute] = types[attribute]
    ctx.later(backfills.backfill, {"account": table.account, "name": table.name, "id": table.id, "index": name})


def _delete(table: TableRecord, name: str) -> None:
    index = _global(table, name, "delete")
    index.status, index.backfilling = DELETING, False
    table.status = UPDATING
