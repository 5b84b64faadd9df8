"""Secondary indexes as CreateTable and UpdateTable define them: AWS's rules in AWS's order.

Sources: Amazon DynamoDB Developer Guide, "Using Global Secondary Indexes", "Local secondary indexes", "Quotas";
answers of AWS for the texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.tables import key_schemas, throughputs
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID, Keys
from cumulo.services.data.dynamodb.tables.tables import GSI, LSI, PAY_PER_REQUEST, IndexRecord

if TYPE_CHECKING:
    from cumulo.core.context import Context

MOST_LOCAL = 5
MOST_GLOBAL = 20
MOST_PROJECTED = 100  # attributes that all INCLUDE projections of a table name together


def check_lists(request: Mapping[str, Any]) -> None:
    """An index list that is there has an index in it."""
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if request.get(member) == []:
            raise VALIDATION(f"{INVALID}List of {member} is empty")


def keys_of(request: Mapping[str, Any], types: Mapping[str, str]) -> list[Keys]:
    """The keys of all indexes of a request, the local ones first."""
    local = [
        key_schemas.of_local_index(index["KeySchema"], types) for index in request.get("LocalSecondaryIndexes") or ()
    ]
    return local + [
        key_schemas.of_global_index(index["KeySchema"], types) for index in request.get("GlobalSecondaryIndexes") or ()
    ]


def of_new_table(
    ctx: Context, request: Mapping[str, Any], types: Mapping[str, str], table: Keys, mode: str
) -> list[IndexRecord]:
    """The indexes of a new table."""
    indexes: list[IndexRecord] = []
    local = request.get("LocalSecondaryIndexes") or ()
    if local and not table.range:
        raise VALIDATION(
            f"{INVALID}Table KeySchema does not have a range key, which is required when specifying a "
            "LocalSecondaryIndex"
        )
    for index in local:
        indexes.append(local_index(index, types, table))
        _check_duplicate(indexes)
    if len(local) > MOST_LOCAL:
        raise VALIDATION(f"{INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of {MOST_LOCAL}")
    wanted = request.get("GlobalSecondaryIndexes") or ()
    for index in wanted:
        indexes.append(global_index(ctx, index, types, mode))
        _check_duplicate(indexes)
    if len(wanted) > MOST_GLOBAL:
        raise VALIDATION(f"{INVALID}GlobalSecondaryIndex count exceeds the per-table limit of {MOST_GLOBAL}")
    check_projected(indexes)
    return indexes


def _check_duplicate(indexes: Sequence[IndexRecord]) -> None:
    name = indexes[-1].name
    if any(index.name == name for index in indexes[:-1]):
        raise VALIDATION(f"{INVALID}Duplicate index name: {name}")


def check_projected(indexes: Sequence[IndexRecord]) -> None:
    """No more than 100 attributes in the INCLUDE projections of a table, one in two indexes counted twice."""
    if sum(len(index.non_key_attributes) for index in indexes) > MOST_PROJECTED:
        raise VALIDATION(
            f"{INVALID}Number of NonKeyAttributes across all secondary indexes exceeds per-table limit of "
            f"{MOST_PROJECTED}"
        )


def local_index(index: Mapping[str, Any], types: Mapping[str, str], table: Keys) -> IndexRecord:
    """A local index from its definition."""
    name = index["IndexName"]
    keys = key_schemas.of_local_index(index["KeySchema"], types)
    if not keys.range:
        raise VALIDATION(f"{INVALID}Index KeySchema does not have a range key for index: {name}")
    if keys.hash != table.hash:
        raise VALIDATION(
            f"{INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for index: {name}. "
            f"index hash key: {keys.hash[0]}, table hash key: {table.hash[0]}"
        )
    kind, attributes = _projection(index["Projection"])
    return IndexRecord(name, LSI, keys.hash, keys.range, kind, attributes)


def global_index(ctx: Context, index: Mapping[str, Any], types: Mapping[str, str], mode: str) -> IndexRecord:
    """A global index from its definition in CreateTable."""
    name = index["IndexName"]
    keys = key_schemas.of_global_index(index["KeySchema"], types)
    kind, attributes = _projection(index["Projection"])
    provisioned = index.get("ProvisionedThroughput") is not None
    if mode == PAY_PER_REQUEST and provisioned:
        raise VALIDATION(
            f"{INVALID}ProvisionedThroughput should not be specified for index: {name} when BillingMode is "
            "PAY_PER_REQUEST"
        )
    if mode != PAY_PER_REQUEST and not provisioned:
        raise VALIDATION(f"{INVALID}ProvisionedThroughput is not specified for index: {name}")
    throughput = throughputs.created(ctx, mode, index, name)
    return IndexRecord(name, GSI, keys.hash, keys.range, kind, attributes, throughput=throughput)


def _projection(projection: Mapping[str, Any]) -> tuple[str, list[str]]:
    kind: str | None = projection.get("ProjectionType")
    attributes: list[str] | None = projection.get("NonKeyAttributes")
    if kind is None:
        raise VALIDATION(f"{INVALID}Unknown ProjectionType: null")
    if kind == "INCLUDE":
        if attributes is None:
            raise VALIDATION(f"{INVALID}ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
        seen: set[str] = set()
        for name in attributes:
            if name in seen:
                raise VALIDATION(f"{INVALID}Duplicate element in NonKeyAttributes: {name}")
            seen.add(name)
        return kind, sorted(attributes)
    if attributes is not None:
        raise VALIDATION(f"{INVALID}ProjectionType is {kind}, but NonKeyAttributes is specified")
    return kind, []
