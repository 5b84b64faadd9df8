"""Groups: users who may do the same.

Source: IAM API Reference, CreateGroup and its like; IAM User Guide, "IAM user groups".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import counters, pages, permissions, unique_ids, versions
from cumulo.services.identity.iam.entities import group_members, users
from cumulo.services.identity.iam.errors import (
    GROUP_EXISTS,
    HAS_ATTACHMENTS,
    HAS_INLINE_POLICIES,
    HAS_MEMBERS,
    NO_GROUP,
)
from cumulo.services.identity.iam.names import check_name, check_path
from cumulo.services.identity.iam.policies import policy_uses

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


class Group(Record):
    """One group. `attached` are ARNs of managed policies, `inline` documents by name."""

    name: str
    path: str
    group_id: str
    arn: str
    created_at: float
    attached: list[str] = []
    inline: dict[str, str] = {}

    kind = "group"

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()


GROUPS = Table(Group, name="iam.groups", key="key", scope=ACCOUNT)


def find(ctx: Context, name: str, *, context: dict[str, Any] | None = None) -> Group:
    """The group with this name, found and authorized. Raises NoSuchEntity, AccessDenied."""
    group = GROUPS.peek(ctx, check_name(name, "groupName").lower())
    arn = group.arn if group is not None else permissions.arn_of(ctx, "group", "/", name)
    permissions.ask(ctx, arn, context=context, shown=f"group {name}")
    if group is None:
        raise NO_GROUP(name=name)
    return group


def keep(ctx: Context, group: Group) -> None:
    """Keep a changed group; what its users may do is looked at anew from now on."""
    GROUPS.put(ctx, group)
    versions.touch(ctx)


def shown(group: Group) -> Any:
    """The group as answers show it."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.group_id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
    }


@operation
def create_group(ctx: Context, request: t.CreateGroupRequest) -> t.CreateGroupResponse:
    """Make a group, empty and without policies."""
    name = check_name(request["GroupName"], "groupName")
    path = check_path(request.get("Path"))
    arn = permissions.arn_of(ctx, "group", path, name)
    permissions.ask(ctx, arn)
    if GROUPS.peek(ctx, name.lower()) is not None:
        raise GROUP_EXISTS(name=name)
    counters.add(ctx, "Groups")
    group = Group(name, path, unique_ids.new_unique_id(ctx, unique_ids.GROUP), arn, float(int(ctx.now())))
    keep(ctx, group)
    return {"Group": shown(group)}


@operation
def get_group(ctx: Context, request: t.GetGroupRequest) -> t.GetGroupResponse:
    """A group and a page of its users."""
    group = find(ctx, request["GroupName"])
    members = [
        user
        for membership in group_members.MEMBERSHIPS.range(ctx, group.key)
        if (user := users.USERS.peek(ctx, membership.user)) is not None
    ]
    answer: t.GetGroupResponse = pages.of_list(
        ctx, members, request, "Users", lambda user: users.shown(user, listed=True), lambda user: user.key
    )
    answer["Group"] = shown(group)
    return answer


@operation
def list_groups(ctx: Context, request: t.ListGroupsRequest) -> t.ListGroupsResponse:
    """All groups below a path, by name."""
    answer: t.ListGroupsResponse = pages.below_path(ctx, GROUPS, request, "Groups", shown)
    return answer


@operation
def update_group(ctx: Context, request: t.UpdateGroupRequest) -> None:
    """Rename or move a group; its users and policies stay with it."""
    group = find(ctx, request["GroupName"])
    old = group.key
    name = check_name(request.get("NewGroupName", group.name), "newGroupName")
    path = check_path(request.get("NewPath", group.path), "newPath")
    arn = permissions.arn_of(ctx, "group", path, name)
    if arn != group.arn:
        permissions.ask(ctx, arn, shown=f"group {name}")
    if name.lower() != old:
        if GROUPS.peek(ctx, name.lower()) is not None:
            raise GROUP_EXISTS(name=name)
        GROUPS.delete(ctx, group)
        policy_uses.rename(ctx, group, old, name.lower())
        _rename_members(ctx, old, name.lower())
    group.name, group.path, group.arn = name, path, arn
    keep(ctx, group)


def _rename_members(ctx: Context, old: str, new: str) -> None:
    for membership in group_members.MEMBERSHIPS.range(ctx, old):
        group_members.MEMBERSHIPS.delete(ctx, membership)
        membership.group = new
        group_members.MEMBERSHIPS.put(ctx, membership)
        user = users.USERS.peek(ctx, membership.user)
        if user is not None:
            user.groups = [new if group == old else group for group in user.groups]
            users.USERS.put(ctx, user)


@operation
def delete_group(ctx: Context, request: t.DeleteGroupRequest) -> None:
    """Delete a group that has no users and no policies left."""
    group = find(ctx, request["GroupName"])
    if group_members.MEMBERSHIPS.range(ctx, group.key, limit=1):
        raise HAS_MEMBERS()
    if group.attached:
        raise HAS_ATTACHMENTS()
    if group.inline:
        raise HAS_INLINE_POLICIES()
    GROUPS.delete(ctx, group)
    counters.add(ctx, "Groups", -1)
    versions.touch(ctx)
