"""Which user a request means: the one it names, else the one who calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.identity.iam.entities import users

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.iam.entities.users import User


def user_of(ctx: Context, request: Any) -> User:
    """The user, found and authorized. Raises NoSuchEntity, AccessDenied; ValidationError for other callers."""
    return users.find(ctx, request.get("UserName") or users.own_name(ctx))


def names_by_id(ctx: Context) -> dict[str, str]:
    """The names of all users of the account by their unique ids."""
    return {user.user_id: user.name for user in users.USERS.range(ctx)}


def find_by_id(ctx: Context, user_id: str) -> User | None:
    """The user with this unique id. Not a look-up: for listings."""
    return next((user for user in users.USERS.range(ctx) if user.user_id == user_id), None)
