"""Users: people and programs with credentials of their own.

Source: IAM API Reference, CreateUser and its like; IAM User Guide, "IAM users".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.callers import credentials
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import counters, pages, permissions, unique_ids, versions
from cumulo.services.identity.iam.entities import boundaries, group_members
from cumulo.services.identity.iam.errors import (
    HAS_ACCESS_KEYS,
    HAS_ATTACHMENTS,
    HAS_INLINE_POLICIES,
    HAS_MEMBERS,
    NEEDS_USER_NAME,
    NO_USER,
    USER_EXISTS,
)
from cumulo.services.identity.iam.names import check_name, check_path
from cumulo.services.identity.iam.policies import policy_uses
from cumulo.services.identity.iam.tag_rules import check_tags, shown_tags

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


class User(Record):
    """One user. `groups` are keys of its groups, `attached` ARNs of managed policies, `inline` documents by name,
    `boundary` the ARN of the policy that bounds it. Times are cloud time in seconds, 0 for never."""

    name: str
    path: str
    user_id: str
    arn: str
    created_at: float
    tags: dict[str, str] = {}
    boundary: str = ""
    groups: list[str] = []
    attached: list[str] = []
    inline: dict[str, str] = {}
    password_last_used_at: float = 0.0

    kind = "user"

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()


USERS = Table(User, name="iam.users", key="key", scope=ACCOUNT)

# What must be gone before a user may be deleted, beside what this package's own records show: login profiles, MFA
# devices and the like add their checks here as (error, has it?).
BEFORE_DELETION: list[tuple[Error, Any]] = []


def find(ctx: Context, name: str, *, context: dict[str, Any] | None = None) -> User:
    """The user with this name, found and authorized. Raises NoSuchEntity, AccessDenied."""
    user = USERS.peek(ctx, check_name(name, "userName").lower())
    shown = f"user {name}"
    if user is None:
        permissions.ask(ctx, permissions.arn_of(ctx, "user", "/", name), context=context, shown=shown)
        raise NO_USER(name=name)
    permissions.ask(ctx, user.arn, tags=user.tags, boundary=user.boundary, context=context, shown=shown)
    return user


def own_name(ctx: Context) -> str:
    """The name of the user who calls, for operations whose UserName may be left out. Raises ValidationError."""
    principal = ctx.principal
    if principal.kind is not PrincipalKind.USER:
        raise NEEDS_USER_NAME()
    return principal.name


def keep(ctx: Context, user: User) -> None:
    """Keep a changed user; what it may do is looked at anew from now on."""
    USERS.put(ctx, user)
    versions.touch(ctx)


def shown(user: User, *, listed: bool = False) -> Any:
    """The user as answers show it; listings leave out tags and boundary."""
    answer: dict[str, Any] = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.user_id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
    }
    if user.password_last_used_at:
        answer["PasswordLastUsed"] = user.password_last_used_at
    if not listed:
        if user.boundary:
            answer["PermissionsBoundary"] = boundaries.shown(user.boundary)
        if user.tags:
            answer["Tags"] = shown_tags(user.tags)
    return answer


@operation
def create_user(ctx: Context, request: t.CreateUserRequest) -> t.CreateUserResponse:
    """Make a user; its tags and its boundary come with it."""
    name = check_name(request["UserName"], "userName")
    path = check_path(request.get("Path"))
    arn = permissions.arn_of(ctx, "user", path, name)
    boundary = request.get("PermissionsBoundary", "")
    permissions.ask(ctx, arn, boundary=boundary)
    tags = check_tags(request.get("Tags"))
    if tags:
        permissions.ask(ctx, arn, action="iam:TagUser")
    if USERS.peek(ctx, name.lower()) is not None:
        raise USER_EXISTS(name=name)
    counters.add(ctx, "Users")
    user = User(name, path, unique_ids.new_unique_id(ctx, unique_ids.USER), arn, float(int(ctx.now())), tags)
    if boundary:
        boundaries.bound(ctx, user, boundary)
    keep(ctx, user)
    return {"User": shown(user)}


@operation
def get_user(ctx: Context, request: t.GetUserRequest) -> t.GetUserResponse:
    """A user; without a name the one who calls, which may be root."""
    name = request.get("UserName")
    if name is None and ctx.principal.kind is PrincipalKind.ROOT:
        permissions.ask(ctx, ctx.principal.arn)
        created_at = counters.account_created_at(ctx)
        return {"User": {"UserId": ctx.account, "Arn": ctx.principal.arn, "CreateDate": created_at}}  # type: ignore[typeddict-item]
    return {"User": shown(find(ctx, name or own_name(ctx)))}


@operation
def list_users(ctx: Context, request: t.ListUsersRequest) -> t.ListUsersResponse:
    """All users below a path, by name."""
    show = partial(shown, listed=True)
    answer: t.ListUsersResponse = pages.below_path(ctx, USERS, request, "Users", show)
    return answer


@operation
def update_user(ctx: Context, request: t.UpdateUserRequest) -> None:
    """Rename or move a user: its keys, groups and policies stay with it, policies that name its old ARN do not."""
    user = find(ctx, request["UserName"])
    old_arn, old_key = user.arn, user.key
    name = check_name(request.get("NewUserName", user.name), "newUserName")
    path = check_path(request.get("NewPath", user.path), "newPath")
    arn = permissions.arn_of(ctx, "user", path, name)
    if arn != old_arn:
        permissions.ask(ctx, arn, tags=user.tags, shown=f"user {name}")
    if name.lower() != old_key:
        if USERS.peek(ctx, name.lower()) is not None:
            raise USER_EXISTS(name=name)
        USERS.delete(ctx, user)
        group_members.rename_user(ctx, user.groups, old_key, name.lower())
        policy_uses.rename(ctx, user, old_key, name.lower())
    user.name, user.path, user.arn = name, path, arn
    keep(ctx, user)
    sign_as(ctx, old_arn, user)


def sign_as(ctx: Context, arn: str, user: User) -> None:
    """Let the keys and sessions of the user that was `arn` speak for it as it is now."""
    for key in credentials.ACCESS_KEYS.range(ctx, arn, index="by_holder"):
        key.arn, key.name, key.tags = user.arn, user.name, user.tags
        credentials.ACCESS_KEYS.put(ctx, key)


@operation
def delete_user(ctx: Context, request: t.DeleteUserRequest) -> None:
    """Delete a user that has nothing left. The order of checks is AWS's as far as it was observed."""
    user = find(ctx, request["UserName"])
    if user.groups:
        raise HAS_MEMBERS()
    if user.attached:
        raise HAS_ATTACHMENTS()
    if user.inline:
        raise HAS_INLINE_POLICIES()
    if credentials.keys_of(ctx, user.arn):
        raise HAS_ACCESS_KEYS()
    for error, has in BEFORE_DELETION:
        if has(ctx, user):
            raise error()
    boundaries.unbound(ctx, user)
    for session in credentials.ACCESS_KEYS.range(ctx, user.arn, index="by_holder"):
        credentials.revoke(ctx, session)
    USERS.delete(ctx, user)
    counters.add(ctx, "Users", -1)
    versions.touch(ctx)
