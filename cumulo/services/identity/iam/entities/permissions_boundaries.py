"""Boundaries of users and roles, set and lifted; `boundaries.py` has what a boundary is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam.entities import boundaries, entities

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


def _put(ctx: Context, request: Any) -> None:
    arn = request["PermissionsBoundary"]
    with entities.changing(ctx, request, context={"iam:PermissionsBoundary": arn}) as entity:
        boundaries.bound(ctx, entity, arn)


def _delete(ctx: Context, request: Any) -> None:
    with entities.changing(ctx, request) as entity:
        boundaries.lift(ctx, entity, f"{entity.kind.capitalize()} {entity.name}")


@operation
def put_user_permissions_boundary(ctx: Context, request: t.PutUserPermissionsBoundaryRequest) -> None:
    """Bound what a user can be allowed at all."""
    _put(ctx, request)


@operation
def put_role_permissions_boundary(ctx: Context, request: t.PutRolePermissionsBoundaryRequest) -> None:
    """Bound what a role can be allowed at all."""
    _put(ctx, request)


@operation
def delete_user_permissions_boundary(ctx: Context, request: t.DeleteUserPermissionsBoundaryRequest) -> None:
    """Lift the boundary of a user."""
    _delete(ctx, request)


@operation
def delete_role_permissions_boundary(ctx: Context, request: t.DeleteRolePermissionsBoundaryRequest) -> None:
    """Lift the boundary of a role."""
    _delete(ctx, request)
