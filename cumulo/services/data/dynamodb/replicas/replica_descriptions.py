"""What TableDescription says of a global table's other regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.replicas import disassociations
from cumulo.services.data.dynamodb.tables.tables import ACTIVE, Replica, TableRecord

if TYPE_CHECKING:
    from cumulo.core.context import Context

VERSION = "2019.11.21"


def add(ctx: Context, shown: dict[str, Any], table: TableRecord) -> None:
    """Add the members that only global tables have."""
    if not table.replicas:
        return
    shown["GlobalTableVersion"] = VERSION
    shown["Replicas"] = [of_replica(replica) for replica in table.replicas]
    shown["GlobalTableSettingsReplicationMode"] = "ENABLED_WITH_OVERRIDES"
    protected = disassociations.is_protected(table)
    if protected is not None:
        shown["DisassociationProtectionEnabled"] = protected
    if table.consistency:
        shown["MultiRegionConsistency"] = table.consistency
    if table.witness:
        shown["GlobalTableWitnesses"] = [{"RegionName": table.witness, "WitnessStatus": ACTIVE}]


def of_replica(replica: Replica) -> dict[str, Any]:
    """A ReplicaDescription."""
    shown: dict[str, Any] = {"RegionName": replica.region, "ReplicaStatus": replica.status}
    if replica.kms_key:
        shown["KMSMasterKeyId"] = replica.kms_key
    if replica.read_override:
        shown["ProvisionedThroughputOverride"] = {"ReadCapacityUnits": replica.read_override}
    if replica.maximum_read_override:
        shown["OnDemandThroughputOverride"] = {"MaxReadRequestUnits": replica.maximum_read_override}
    if replica.table_class:
        shown["ReplicaTableClassSummary"] = {"TableClass": replica.table_class}
    names = sorted({*replica.index_read_overrides, *replica.index_maximum_overrides})
    if names:
        shown["GlobalSecondaryIndexes"] = [_of_index(replica, name) for name in names]
    return shown


def _of_index(replica: Replica, name: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"IndexName": name}
    if name in replica.index_read_overrides:
        shown["ProvisionedThroughputOverride"] = {"ReadCapacityUnits": replica.index_read_overrides[name]}
    if name in replica.index_maximum_overrides:
        shown["OnDemandThroughputOverride"] = {"MaxReadRequestUnits": replica.index_maximum_overrides[name]}
    return shown
