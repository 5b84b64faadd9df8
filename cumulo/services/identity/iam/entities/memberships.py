"""Memberships: users in groups.

Source: IAM API Reference, AddUserToGroup, RemoveUserFromGroup, ListGroupsForUser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.entities import groups, users
from cumulo.services.identity.iam.entities.group_members import MEMBERSHIPS, Membership
from cumulo.services.identity.iam.errors import LIMIT_EXCEEDED, NO_USER

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

MOST_GROUPS = 10


def _user(ctx: Context, name: str) -> users.User:
    """The user to be added or removed; permission is asked of the group alone."""
    user = users.USERS.peek(ctx, name.lower())
    if user is None:
        raise NO_USER(name=name)
    return user


@operation
def add_user_to_group(ctx: Context, request: t.AddUserToGroupRequest) -> None:
    """Put a user into a group; one who is there already stays."""
    group = groups.find(ctx, request["GroupName"])
    user = _user(ctx, request["UserName"])
    if group.key in user.groups:
        return
    if len(user.groups) >= MOST_GROUPS:
        raise LIMIT_EXCEEDED(quota="GroupsPerUser", limit=MOST_GROUPS)
    user.groups.append(group.key)
    MEMBERSHIPS.put(ctx, Membership(group.key, user.key, ctx.now()))
    users.keep(ctx, user)


@operation
def remove_user_from_group(ctx: Context, request: t.RemoveUserFromGroupRequest) -> None:
    """Take a user out of a group; one who is not in it is no error."""
    group = groups.find(ctx, request["GroupName"])
    user = _user(ctx, request["UserName"])
    if group.key not in user.groups:
        return
    user.groups.remove(group.key)
    MEMBERSHIPS.delete(ctx, Membership(group.key, user.key))
    users.keep(ctx, user)


@operation
def list_groups_for_user(ctx: Context, request: t.ListGroupsForUserRequest) -> t.ListGroupsForUserResponse:
    """The groups of a user, by name."""
    user = users.find(ctx, request["UserName"])
    found = [group for key in user.groups if (group := groups.GROUPS.peek(ctx, key)) is not None]
    answer: t.ListGroupsForUserResponse = pages.of_list(
        ctx, found, request, "Groups", groups.shown, lambda group: group.key
    )
    return answer
