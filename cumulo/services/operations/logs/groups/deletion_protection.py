"""Groups that cannot be deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.operations.logs.groups import groups

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t


@operation
def put_log_group_deletion_protection(ctx: Context, request: t.PutLogGroupDeletionProtectionRequest) -> None:
    """Protect a group, and its streams, from deletion, or no longer."""
    group = groups.find_any(ctx, request["logGroupIdentifier"])
    group.deletion_protection = request["deletionProtectionEnabled"]
    groups.keep(ctx, group)
