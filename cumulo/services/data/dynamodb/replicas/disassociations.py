"""A region leaves a global table and keeps its table: what is on its way arrives first, both ways.

Regions are protected from it until DisassociationProtectionEnabled is set to false there.
Sources: Amazon DynamoDB Developer Guide, "Disassociating a global table replica"; API Reference, UpdateTable and
DisassociateReplicationGroupMemberAction. The texts of the refusals are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.stored import replication, settling
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import (
    ACTIVE,
    STRONG,
    UNSUPPORTED_WHEN_STRONG,
    UPDATING,
    TableRecord,
    keep,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

RETRY_S = 1.0  # while another region is still being made


def protect(table: TableRecord, protected: bool) -> None:
    """Set the protection of this region; the caller keeps the table."""
    _check_member(table)
    table.disassociable = not protected


def is_protected(table: TableRecord) -> bool | None:
    """Whether the region is protected; None where there is nothing to leave."""
    if not table.replicas or table.consistency == STRONG:
        return None
    return not table.disassociable


def begin(ctx: Context, table: TableRecord, updates: list[Mapping[str, Any]]) -> None:
    """Carry out a Disassociate action; the caller keeps the table."""
    if len(updates) > 1 or len(updates[0]) > 1:
        raise VALIDATION(f"{INVALID}Disassociate must be the only replica update in the request")
    action: Mapping[str, Any] = updates[0]["Disassociate"]
    assert action["DisassociationMode"] == "WAIT_FOR_REPLICATION"  # the only one
    if action["RegionName"] != table.region:
        raise VALIDATION(
            f"{INVALID}A replica is disassociated in its own region. Send the request to {action['RegionName']}."
        )
    _check_member(table)
    ctx.authorize(table.arn, action="dynamodb:DisassociateTableReplica")
    if not table.disassociable:
        raise VALIDATION(
            f"Cannot disassociate table {table.name} in region {table.region} because it has disassociation protection "
            "enabled. Disable disassociation protection first."
        )
    table.leaving = True
    table.status = UPDATING
    ctx.later(leave, {"account": table.account, "name": table.name, "id": table.id})


def _check_member(table: TableRecord) -> None:
    if table.consistency == STRONG:
        raise VALIDATION(f"Disassociation {UNSUPPORTED_WHEN_STRONG}")
    if not table.replicas:
        raise VALIDATION(f"{INVALID}Table {table.name} is not a replica of a global table")


@task
def leave(ctx: Context, payload: dict[str, Any]) -> None:
    """Let some more of what is on its way arrive; when that is all, part in the same transaction."""
    table = settling.find(ctx, payload)
    if table is None or not table.leaving or table.status != UPDATING:
        return
    home = replication.in_region(ctx, table.account, table.region)
    others = replication.members(ctx, table)
    if any(other.filling for _, other in others):
        ctx.later(leave, payload, at=ctx.now() + RETRY_S)
        return
    arrived = [
        replication.send(home, table, inner, other) and replication.send(inner, other, home, table)
        for inner, other in others
    ]
    if not all(arrived):
        ctx.later(leave, payload)
        return
    for inner, other in others:
        other.replicas = [each for each in other.replicas if each.region != table.region]
        _alone(inner, other)
        keep(inner, other)
    table.replicas = []
    table.leaving, table.status = False, ACTIVE
    _alone(home, table)
    keep(home, table)


def _alone(ctx: Context, table: TableRecord) -> None:
    """A table without replicas forgets what it knew for them."""
    if table.replicas:
        return
    table.disassociable = False
    table.consistency = ""
    for prefix in replication.forget(ctx, table):
        ctx.later(settling.sweep, {"prefix": prefix})
