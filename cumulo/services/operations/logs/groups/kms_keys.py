"""Which KMS key seals the events of a group. What was sealed before stays as it was sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.services.operations.logs.errors import INVALID_PARAMETER
from cumulo.services.operations.logs.groups import groups, sealing

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t


@operation
def associate_kms_key(ctx: Context, request: t.AssociateKmsKeyRequest) -> None:
    """Seal what comes to a group from now on under this key."""
    group = _named(ctx, request)
    key = request["kmsKeyId"]
    check_arn(key)
    sealing.check(ctx, group, key)
    group.kms_key = key
    groups.keep(ctx, group)


@operation
def disassociate_kms_key(ctx: Context, request: t.DisassociateKmsKeyRequest) -> None:
    """Seal nothing that comes to a group from now on."""
    group = _named(ctx, request)
    group.kms_key = ""
    groups.keep(ctx, group)


def _named(ctx: Context, request: Any) -> Group:
    name, identifier = request.get("logGroupName"), request.get("resourceIdentifier")
    if (name is None) == (identifier is None):
        raise INVALID_PARAMETER("Specify exactly one of logGroupName and resourceIdentifier.")
    if name is not None:
        return groups.find(ctx, name)
    if ":query-result:" in identifier:
        ctx.authorize(identifier)
        raise not_implemented("logs", ctx.operation, "resourceIdentifier, where it names query results,")
    return groups.find_any(ctx, identifier)


def check_arn(key: str) -> None:
    """Refuse what is not the ARN of a key: an id or an alias will not do (API reference, CreateLogGroup)."""
    parts = key.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "kms" or not parts[5].startswith("key/"):
        raise INVALID_PARAMETER("The specified KMS Key Id could not be found.")
