"""Permissions boundaries: the most that a user or role can be allowed.

Source: IAM User Guide, "Permissions boundaries for IAM entities".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.identity.iam.errors import NO_SUCH_ENTITY
from cumulo.services.identity.iam.policies import policies, policy_uses

if TYPE_CHECKING:
    from cumulo.core.context import Context


def shown(arn: str) -> Any:
    """A boundary as answers show it."""
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def bound(ctx: Context, entity: Any, arn: str) -> None:
    """Set (or change) the boundary of a user or role; the caller keeps the entity. Raises NoSuchEntity."""
    policies.check_attachable(ctx, arn)
    unbound(ctx, entity)
    entity.boundary = arn
    policy_uses.add(ctx, arn, policy_uses.BOUNDARY, entity)


def unbound(ctx: Context, entity: Any) -> None:
    """Lift the boundary of a user or role, if it has one."""
    if entity.boundary:
        policy_uses.remove(ctx, entity.boundary, policy_uses.BOUNDARY, entity)
        entity.boundary = ""


def lift(ctx: Context, entity: Any, named: str) -> None:
    """Lift the boundary that is there. Raises NoSuchEntity."""
    if not entity.boundary:
        raise NO_SUCH_ENTITY(f"{named} does not have a permission boundary.")
    unbound(ctx, entity)
