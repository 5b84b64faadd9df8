"""Users, groups and roles alike: operations that come in threes act on whichever of them the request names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cumulo.services.identity.iam.entities import groups, roles, users

if TYPE_CHECKING:
    from cumulo.core.context import Context


def find(ctx: Context, request: Any, *, context: dict[str, Any] | None = None) -> Any:
    """The user, group or role that the request names, found and authorized. Raises NoSuchEntity, AccessDenied."""
    if "UserName" in request:
        return users.find(ctx, request["UserName"], context=context)
    if "GroupName" in request:
        return groups.find(ctx, request["GroupName"], context=context)
    return roles.find(ctx, request["RoleName"], context=context)


@contextmanager
def changing(ctx: Context, request: Any, *, context: dict[str, Any] | None = None) -> Iterator[Any]:
    """The same to be changed, and kept once it is; UnmodifiableEntity for service-linked roles."""
    if "RoleName" in request:
        role = roles.find_modifiable(ctx, request["RoleName"], context=context)
        yield role
        roles.keep(ctx, role)
        return
    entity = find(ctx, request, context=context)
    yield entity
    (users if entity.kind == "user" else groups).keep(ctx, entity)
