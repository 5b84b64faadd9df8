"""CreateLogGroup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.operations.logs.errors import GROUP_EXISTS, INVALID_PARAMETER
from cumulo.services.operations.logs.groups import groups, kms_keys, sealing, tags
from cumulo.services.operations.logs.groups.groups import GROUPS, PLACES, STANDARD, Group, Place

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t


@operation
def create_log_group(ctx: Context, request: t.CreateLogGroupRequest) -> None:
    """Create a log group."""
    name = request["logGroupName"]
    groups.check_length(name)
    groups.authorize(ctx, name, None)
    if name.startswith("aws/"):
        raise INVALID_PARAMETER("Log groups starting with AWS/ are reserved for AWS.")
    if GROUPS.peek(ctx, name) is not None:
        raise GROUP_EXISTS()
    group = Group(ctx.account, ctx.region, name, ctx.random_bytes(8), int(ctx.now() * 1000))
    group.log_class = request.get("logGroupClass") or STANDARD
    group.deletion_protection = bool(request.get("deletionProtectionEnabled"))
    group.tags = tags.checked(request.get("tags"))
    group.kms_key = request.get("kmsKeyId") or ""
    if group.kms_key:
        kms_keys.check_arn(group.kms_key)
        sealing.check(ctx, group, group.kms_key)
    GROUPS.put(ctx, group)
    PLACES.put(ctx, Place(group.id, group.account, group.region, name))
