"""Replicas of global tables (version 2019.11.21): UpdateTable adds them, changes them and takes them away.

A new replica is filled from a copy of the table while all regions go on writing; what they write meanwhile waits in
their outboxes. Settings that AWS replicates (indexes, capacity, class, time to live) go to all regions.
Sources: Amazon DynamoDB Developer Guide, "Global tables"; answers of AWS for the order of checks and the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import task
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.metering.capacity import Usage
from cumulo.services.data.dynamodb.replicas import disassociations
from cumulo.services.data.dynamodb.stored import (
    encryption_settings,
    expirations,
    replication,
    settling,
    snapshots,
    streams,
)
from cumulo.services.data.dynamodb.stored.item_writes import Before, write
from cumulo.services.data.dynamodb.stored.replication import in_region, members
from cumulo.services.data.dynamodb.stored.snapshots import CONTINUATIONS, Snapshot
from cumulo.services.data.dynamodb.stored.stored_items import decode, opened
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.layouts import layout_of
from cumulo.services.data.dynamodb.tables.tables import (
    ACTIVE,
    COUNTS,
    CREATING,
    DELETING,
    LSI,
    PAY_PER_REQUEST,
    STRONG,
    TABLES,
    UNSUPPORTED_WHEN_STRONG,
    UPDATING,
    Replica,
    TableRecord,
    keep,
)
from cumulo.services.data.dynamodb.values.attribute_values import item_size

if TYPE_CHECKING:
    from cumulo.core.context import Context

DAY_S = 86_400
_FILLED = 200
_ACTIONS = ("Create", "Update", "Delete")
_REGION_PARTS = 3
_STRONG_REGIONS = (
    {"us-east-1", "us-east-2", "us-west-2"},
    {"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"},
    {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
)


def apply(ctx: Context, table: TableRecord, request: Mapping[str, Any]) -> None:
    """Carry out ReplicaUpdates and GlobalTableWitnessUpdates; the caller keeps the table."""
    updates: list[Mapping[str, Any]] = request.get("ReplicaUpdates") or []
    witnesses: list[Mapping[str, Any]] = request.get("GlobalTableWitnessUpdates") or []
    if any("Disassociate" in each for each in updates):
        disassociations.begin(ctx, table, updates)
        return
    kinds = [_kind(each) for each in updates]
    if len(set(kinds)) > 1:
        raise VALIDATION("Update table operation with more than one type of replica actions not allowed.")
    _check_regions(ctx, table, updates)
    if request.get("MultiRegionConsistency") == STRONG or table.consistency == STRONG or witnesses:
        _strong(ctx, table, request, updates, witnesses)
        return
    wanted = {each[kind]["RegionName"]: each[kind] for each, kind in zip(updates, kinds, strict=True)}
    if kinds[0] != "Update" and len(wanted) > 1:
        raise VALIDATION("Update table operation with more than one create or delete replica actions not allowed")
    for region, action in wanted.items():
        if kinds[0] == "Create":
            _check_capacity(table)
            _create(ctx, table, region, action)
        elif kinds[0] == "Delete":
            _delete(ctx, table, region)
        else:
            _update(ctx, table, region, action)


def _kind(update: Mapping[str, Any]) -> str:
    given = [name for name in _ACTIONS if name in update]
    if not given or (given == ["Update"] and set(update["Update"]) == {"RegionName"}):
        raise VALIDATION("There are no actions specified in the Replica Update Action of the request.")
    if len(given) > 1:
        raise VALIDATION("Update table operation with more than one type of replica actions not allowed.")
    return given[0]


def _check_regions(ctx: Context, table: TableRecord, updates: list[Mapping[str, Any]]) -> None:
    for each in updates:
        kind = _kind(each)
        region = each[kind]["RegionName"]
        if region == table.region and kind != "Update":
            raise VALIDATION(
                "Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or "
                "UpdateTable as required."
            )
        parts = region.split("-")
        if region != region.lower() or len(parts) < _REGION_PARTS or not parts[-1].isdigit():
            raise VALIDATION(
                f"Region {region} is not supported. The latest version of global tables are only supported in AWS "
                "regions."
            )


def _check_capacity(table: TableRecord) -> None:
    """Replicas of provisioned tables need auto scaling, of which nobody can register any here."""
    if table.billing_mode != PAY_PER_REQUEST:
        raise VALIDATION("Table write capacity should either be Pay-Per-Request or AutoScaled.")


def _create(ctx: Context, table: TableRecord, region: str, action: Mapping[str, Any]) -> TableRecord:
    inner = in_region(ctx, table.account, region)
    arn = TABLES.arn(inner, table.name)
    ctx.authorize(arn, action="dynamodb:CreateTableReplica")
    if TABLES.peek(inner, table.name) is not None:
        raise VALIDATION(
            f"Failed to create a the new replica of table with name: ‘{table.name}’ because one or more replicas "
            "already existed as tables."
        )
    if not table.stream_view and table.consistency != STRONG:
        streams.enable(ctx, table, "NEW_AND_OLD_IMAGES")
    target = TableRecord(
        table.account,
        region,
        table.name,
        ctx.uuid(),
        ctx.now(),
        CREATING,
        dict(table.attribute_types),
        table.hash_key,
        table.range_key,
        table.billing_mode,
        msgspec.structs.replace(table.throughput),
        filling="replica",
        indexes=[msgspec.structs.replace(index) for index in table.indexes if index.status == ACTIVE],
        table_class=action.get("TableClassOverride") or table.table_class,
        on_demand_since=table.on_demand_since,
        consistency=table.consistency,
        witness=table.witness,
    )
    _seal(ctx, table, target, action)
    keep(inner, target)
    entry = Replica(region, CREATING, kms_key=target.sse_key, since=ctx.now(), sourced=True)
    _override(entry, action, target)
    for other_ctx, other in members(ctx, table):
        other.replicas = [*other.replicas, msgspec.structs.replace(entry, sourced=False)]
        keep(other_ctx, other)
    table.replicas = [*table.replicas, entry]
    table.status = UPDATING
    if table.consistency != STRONG:
        payload = {"account": table.account, "region": region, "name": table.name, "id": target.id}
        snapshots.begin(ctx, table, "replica", {**payload, "source": msgspec.msgpack.encode(table)})
    return target


def _seal(ctx: Context, table: TableRecord, target: TableRecord, action: Mapping[str, Any]) -> None:
    """Give a replica its key: of the same kind as its table's, and of its own region."""
    key_id = action.get("KMSMasterKeyId")
    if not table.sse_key:
        if key_id:
            raise VALIDATION(f"{INVALID}All replica keys must either be Customer Managed CMK or AWS Managed CMK.")
        return
    managed = encryption_settings.is_managed(ctx, table.sse_key)
    if not managed and not key_id:
        raise VALIDATION(f"{INVALID}KMSMasterKeyId must be specified for each replica.")
    wanted = key_id or encryption_settings.MANAGED_KEY
    encryption_settings.use(ctx, target, encryption_settings.key_arn(ctx, wanted, target.region))


def _override(entry: Replica, action: Mapping[str, Any], target: TableRecord) -> None:
    units = action.get("ProvisionedThroughputOverride")
    if units is not None:
        entry.read_override = target.throughput.read = units["ReadCapacityUnits"]
    maximum = action.get("OnDemandThroughputOverride")
    if maximum is not None:
        entry.maximum_read_override = target.throughput.maximum_read = maximum["MaxReadRequestUnits"]
    if "TableClassOverride" in action:
        entry.table_class = target.table_class = action["TableClassOverride"]
    for each in action.get("GlobalSecondaryIndexes") or ():
        name = each["IndexName"]
        index = target.index(name)
        if index is None or index.throughput is None:
            continue  # AWS passes over names that it does not know
        if "ProvisionedThroughputOverride" in each:
            read = each["ProvisionedThroughputOverride"]["ReadCapacityUnits"]
            entry.index_read_overrides[name] = index.throughput.read = read
        if "OnDemandThroughputOverride" in each:
            most = each["OnDemandThroughputOverride"]["MaxReadRequestUnits"]
            entry.index_maximum_overrides[name] = index.throughput.maximum_read = most


def _member(ctx: Context, table: TableRecord, region: str) -> tuple[Context, TableRecord]:
    for inner, other in members(ctx, table):
        if other.region == region:
            return inner, other
    raise VALIDATION(
        "Update global table operation failed because one or more replicas were not part of the global table. Please "
        f"retry the request without these replicas: [{region}]."
    )


def _update(ctx: Context, table: TableRecord, region: str, action: Mapping[str, Any]) -> None:
    inner, target = _member(ctx, table, region)
    ctx.authorize(target.arn, action="dynamodb:UpdateTable")
    if "KMSMasterKeyId" in action:
        raise VALIDATION(f"{INVALID}KMSMasterKeyId of a replica cannot be updated through ReplicaUpdates.")
    replicas = [msgspec.structs.replace(each) for each in table.replicas]
    entry = next(each for each in replicas if each.region == region)
    entry.index_read_overrides = dict(entry.index_read_overrides)
    entry.index_maximum_overrides = dict(entry.index_maximum_overrides)
    _override(entry, action, target)
    keep(inner, target)
    table.replicas = replicas
    table.status = UPDATING


def _delete(ctx: Context, table: TableRecord, region: str) -> None:
    inner, target = _member(ctx, table, region)
    ctx.authorize(target.arn, action="dynamodb:DeleteTableReplica")
    if target.deletion_protection:
        raise VALIDATION(
            f"Cannot delete table {table.name} in region {region} because it has deletion protection enabled. Disable "
            "deletion protection first."
        )
    _check_source(ctx, target)
    for other_ctx, other in members(ctx, table):
        if other.region != region:
            other.replicas = [each for each in other.replicas if each.region != region]
            keep(other_ctx, other)
    table.replicas = [each for each in table.replicas if each.region != region]
    table.status = UPDATING
    target.replicas, target.status, target.filling = [], DELETING, ""
    keep(inner, target)
    inner.later(settling.settle, {"account": target.account, "name": target.name, "id": target.id})


def _check_source(ctx: Context, table: TableRecord) -> None:
    """A region from which another was filled stays for a day, or until that one goes."""
    if any(each.sourced and ctx.now() < each.since + DAY_S for each in table.replicas):
        raise VALIDATION(
            "Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the "
            "table in the last 24 hours."
        )


def leave(ctx: Context, table: TableRecord) -> None:
    """A region's table is deleted by itself: the others go on without it. The caller keeps the table."""
    if table.consistency == STRONG:
        raise VALIDATION(
            "Deletion of only one table replica is not supported for global tables with MultiRegionConsistency set to "
            "STRONG."
        )
    _check_source(ctx, table)
    for inner, other in members(ctx, table):
        other.replicas = [each for each in other.replicas if each.region != table.region]
        keep(inner, other)
    table.replicas = []


def _strong(
    ctx: Context,
    table: TableRecord,
    request: Mapping[str, Any],
    updates: list[Mapping[str, Any]],
    witnesses: list[Mapping[str, Any]],
) -> None:
    """Groups with strong consistency are made in one call, of three regions, and end in one call."""
    if table.consistency == STRONG:
        _dissolve(ctx, table, request, updates, witnesses)
        return
    if request.get("MultiRegionConsistency") != STRONG:
        raise VALIDATION(
            "MultiRegionConsistency must be set as STRONG when GlobalTableWitnessUpdates parameter is present."
        )
    if table.replicas:
        raise VALIDATION("MultiRegionConsistency parameter is unsupported on existing global table")
    creates = {each["Create"]["RegionName"]: each["Create"] for each in updates if "Create" in each}
    if len(creates) != len(updates) or any("Create" not in each for each in witnesses):
        raise VALIDATION("Only Replica Create actions are supported when MultiRegionConsistency parameter is provided.")
    if len(creates) + len(witnesses) != 2 or not creates:
        raise VALIDATION("Unsupported replica count for a global table with MultiRegionConsistency set to STRONG.")
    witnessed = [each["Create"]["RegionName"] for each in witnesses]
    _check_fit(ctx, table, {table.region, *creates, *witnessed})
    _check_capacity(table)
    table.consistency = STRONG
    for region in witnessed:
        if region == table.region or region in creates:
            raise VALIDATION("Cannot add a witness in the same region as an existing replica.")
        table.witness = region
    for region, action in creates.items():
        _create(ctx, table, region, action)
    for region in creates:
        _join(ctx, table, region)


def _check_fit(ctx: Context, table: TableRecord, regions: set[str]) -> None:
    """Whether a table can be strongly consistent, in these regions. The Developer Guide's rules; the texts are ours."""
    if COUNTS.total(ctx, table.id, "")[0]:
        raise VALIDATION("MultiRegionConsistency can be set to STRONG for empty tables only.")
    if not any(regions <= each for each in _STRONG_REGIONS):
        raise VALIDATION(
            "The regions of a global table with MultiRegionConsistency set to STRONG must be of one Region set; "
            f"these are not: [{', '.join(sorted(regions))}]."
        )
    if table.ttl_attribute:
        raise VALIDATION(f"TimeToLive {UNSUPPORTED_WHEN_STRONG}")
    if any(index.kind == LSI for index in table.indexes):
        raise VALIDATION(f"LocalSecondaryIndexes {UNSUPPORTED_WHEN_STRONG}")


def _dissolve(
    ctx: Context,
    table: TableRecord,
    request: Mapping[str, Any],
    updates: list[Mapping[str, Any]],
    witnesses: list[Mapping[str, Any]],
) -> None:
    if "MultiRegionConsistency" in request:
        raise VALIDATION("MultiRegionConsistency parameter is unsupported on existing global table")
    if any("Create" in each for each in updates):
        raise VALIDATION("Cannot add replicas to a global table with strong MultiRegionConsistency")
    regions = [each["Delete"]["RegionName"] for each in updates if "Delete" in each]
    if set(regions) != {each.region for each in table.replicas}:
        raise VALIDATION(
            "Deletion of only one table replica is not supported for global tables with MultiRegionConsistency set to "
            "STRONG."
        )
    if table.witness and not any("Delete" in each for each in witnesses):
        raise VALIDATION("Update table delete operation does not include all witnesses.")
    for inner, other in members(ctx, table):
        other.replicas = [each for each in other.replicas if each.region == table.region]
        for each in other.replicas:
            each.sourced = False
        keep(inner, other)
    for region in regions:
        _delete(ctx, table, region)
    table.consistency = table.witness = ""


def _copied(ctx: Context, snapshot: Snapshot) -> None:
    inner = in_region(ctx, snapshot.account, snapshot.payload["region"])
    inner.later(fill_replica, {**snapshot.payload, "snapshot": snapshot.id, "cursor": b""})


CONTINUATIONS["replica"] = _copied


@task
def fill_replica(ctx: Context, payload: dict[str, Any]) -> None:
    """Put some more items of the copy into a new replica; at the end it takes part."""
    target = TABLES.peek(ctx, payload["name"], account=payload["account"])
    if target is None or target.id != payload["id"] or target.filling != "replica":
        snapshots.drop(ctx, payload["snapshot"])
        return
    source = msgspec.msgpack.decode(payload["source"], type=TableRecord)
    home = in_region(ctx, source.account, source.region)
    layout = layout_of(target)
    found = snapshots.read(ctx, payload["snapshot"], payload["cursor"], _FILLED)
    for key, stored in found:
        item = decode(opened(home, source, stored))
        write(ctx, layout, key, Before(None), item, item_size(item), Usage(), replicated=True)
    if len(found) == _FILLED:
        ctx.later(fill_replica, {**payload, "cursor": found[-1][0] + b"\x00"})
        return
    snapshots.drop(ctx, payload["snapshot"])
    table = TABLES.peek(home, source.name)
    if table is not None:
        _join(home, table, target.region)
        keep(home, table)


def _join(ctx: Context, table: TableRecord, region: str) -> None:
    """A replica has everything: it is ACTIVE, in every region's eyes, and hears of what was written meanwhile."""
    inner = in_region(ctx, table.account, region)
    target = TABLES.peek(inner, table.name)
    assert target is not None
    target.filling, target.status = "", ACTIVE
    target.ttl_attribute = table.ttl_attribute
    if table.consistency != STRONG:  # there, each region's stream is its own affair
        streams.enable(inner, target, table.stream_view)
    known = [Replica(table.region, ACTIVE, kms_key=table.sse_key, since=ctx.now())]
    for other in table.replicas:
        if other.region == region:
            other.status = ACTIVE
        else:
            known.append(msgspec.structs.replace(other, sourced=False))
    target.replicas = known
    keep(inner, target)
    if target.ttl_attribute:
        expirations.begin(inner, target)
    for other_ctx, member in members(ctx, table):
        if member.region != region:
            for each in member.replicas:
                if each.region == region:
                    each.status = ACTIVE
            keep(other_ctx, member)
            replication.wake(other_ctx, member, region)
    replication.wake(ctx, table, region)
