"""DeleteTable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.backups import backups
from cumulo.services.data.dynamodb.errors import RESOURCE_IN_USE, VALIDATION
from cumulo.services.data.dynamodb.replicas import descriptions, replica_updates
from cumulo.services.data.dynamodb.stored import settling
from cumulo.services.data.dynamodb.tables.tables import (
    ACTIVE,
    DELETING,
    UPDATING,
    check_changeable,
    described,
    keep,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

IN_USE = "Attempt to change a resource which is still in use: "


@operation
def delete_table(ctx: Context, request: t.DeleteTableInput) -> t.DeleteTableOutput:
    """Delete a table with all its items; they are swept by a task. Its stream stays readable for 24 hours."""
    table = described(ctx, request["TableName"])
    if table.status == UPDATING:
        raise RESOURCE_IN_USE(f"{IN_USE}Table: {table.name} is in the process of being updated.")
    check_changeable(table)
    if any(index.status != ACTIVE for index in table.indexes):
        raise RESOURCE_IN_USE(f"{IN_USE}Cannot delete table while indexes are being created, updated, or deleted.")
    if table.deletion_protection:
        raise VALIDATION(
            "Resource cannot be deleted as it is currently protected against deletion. "
            "Disable deletion protection first."
        )
    if table.replicas:
        replica_updates.leave(ctx, table)
    table.status = DELETING
    keep(ctx, table)
    if table.recovers_since:
        backups.make(ctx, table, f"{table.name}$DeletedTableBackup", backups.SYSTEM)
    ctx.later(settling.settle, {"account": table.account, "name": table.name, "id": table.id})
    answer: Any = {"TableDescription": descriptions.deleted(ctx, table)}
    return answer  # type: ignore[no-any-return]
