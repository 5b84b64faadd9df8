"""CreateTable: what it checks, in AWS's order, and the table that it makes.

A table is CREATING until a task has had its turn, which is at once: a waiter sees both states, and nobody waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core import tags as core_tags
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.definitions import resource_policies, tags
from cumulo.services.data.dynamodb.errors import RESOURCE_IN_USE, TABLE_ALREADY_EXISTS, TABLE_NOT_ACTIVE, VALIDATION
from cumulo.services.data.dynamodb.replicas import descriptions
from cumulo.services.data.dynamodb.stored import encryption_settings, settling, streams
from cumulo.services.data.dynamodb.tables import index_definitions, key_schemas, table_names, throughputs
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import (
    CREATING,
    PAY_PER_REQUEST,
    PROVISIONED,
    TABLES,
    TableRecord,
    keep,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t


@operation(unsupported=("VectorIndexes", "GlobalTableSourceArn", "GlobalTableSettingsReplicationMode"))
def create_table(ctx: Context, request: t.CreateTableInput) -> t.CreateTableOutput:
    """Create a table, empty, with all its indexes."""
    account, name = table_names.owner_and_name(ctx, request["TableName"])
    ctx.authorize(TABLES.arn(ctx, name, account=account), tags=core_tags.from_list(request.get("Tags")) or None)  # type: ignore[arg-type]
    table = from_request(ctx, account, name, request)
    check_free(ctx, table)
    view = streams.check_new(request.get("StreamSpecification"))
    encryption_settings.apply_new(ctx, table, request.get("SSESpecification"))
    given: Any = request.get("Tags") or []
    table.tags = tags.checked(given, table)
    policy = request.get("ResourcePolicy")
    if policy is not None:
        resource_policies.put_on_table(ctx, table, policy)
    if view:
        streams.enable(ctx, table, view)
    keep(ctx, table)
    ctx.later(settling.settle, {"account": account, "name": name, "id": table.id})
    answer: Any = {"TableDescription": descriptions.created(ctx, table)}
    return answer  # type: ignore[no-any-return]


def from_request(ctx: Context, account: str, name: str, request: Mapping[str, Any]) -> TableRecord:
    """The table that a request describes, as far as keys, indexes and capacity go. Nothing is kept."""
    for member, shown in (("KeySchema", "keySchema"), ("AttributeDefinitions", "attributeDefinitions")):
        if member not in request:
            raise VALIDATION(
                f"1 validation error detected: Value null at '{shown}' failed to satisfy constraint: "
                "Member must not be null"
            )
    mode = request.get("BillingMode") or PROVISIONED
    _check_mode(mode, request)
    index_definitions.check_lists(request)
    types = key_schemas.types_of(request["AttributeDefinitions"])
    keys = key_schemas.of_table(request["KeySchema"], types)
    index_keys = index_definitions.keys_of(request, types)
    key_schemas.check_all_used(types, keys, index_keys, has_indexes=bool(index_keys))
    indexes = index_definitions.of_new_table(ctx, request, types, keys, mode)
    throughput = throughputs.created(ctx, mode, request)
    return TableRecord(
        account,
        ctx.region,
        name,
        ctx.uuid(),
        ctx.now(),
        CREATING,
        types,
        keys.hash[0],
        keys.range[0] if keys.range else "",
        mode,
        throughput,
        indexes=indexes,
        on_demand_since=ctx.now() if mode == PAY_PER_REQUEST else 0.0,
        table_class=request.get("TableClass") or "",
        deletion_protection=bool(request.get("DeletionProtectionEnabled")),
    )


def _check_mode(mode: str, request: Mapping[str, Any]) -> None:
    provisioned = request.get("ProvisionedThroughput")
    if mode == PAY_PER_REQUEST and provisioned is not None:
        raise VALIDATION(
            f"{INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is "
            "PAY_PER_REQUEST"
        )
    if mode == PROVISIONED and provisioned is None:
        raise VALIDATION(
            f"{INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"
        )


def check_free(ctx: Context, table: TableRecord) -> None:
    """ResourceInUseException when the name is taken."""
    found = TABLES.peek(ctx, table.name, account=table.account)
    if found is None:
        return
    if found.filling:
        raise RESOURCE_IN_USE(f"Attempt to change a resource which is still in use: Table is being used: {table.name}")
    if found.status == CREATING:
        raise TABLE_NOT_ACTIVE(change="created", name=table.name)
    raise TABLE_ALREADY_EXISTS(name=table.name)
