"""Roles: identities that are assumed, by whom their trust policy names.

Source: IAM API Reference, CreateRole and its like; IAM User Guide, "IAM roles".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.core.usage import key_uses
from cumulo.services.identity.iam import counters, pages, permissions, unique_ids, versions
from cumulo.services.identity.iam.entities import boundaries, instance_profile_roles, trust_policies
from cumulo.services.identity.iam.errors import (
    HAS_ATTACHMENTS,
    HAS_INLINE_POLICIES,
    HAS_INSTANCE_PROFILES,
    NO_ROLE,
    ROLE_EXISTS,
    UNMODIFIABLE,
    VALIDATION_ERROR,
)
from cumulo.services.identity.iam.names import check_name, check_path
from cumulo.services.identity.iam.policies.documents import encoded
from cumulo.services.identity.iam.tag_rules import check_tags, shown_tags

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

SHORTEST_SESSION_S, LONGEST_SESSION_S = 3600, 43_200
RESERVED_PATH = "/aws-service-role/"
NO_SUCH_DURATION = "The requested MaxSessionDuration must be between 3600 and 43200 seconds."


class Role(Record):
    """One role. `attached` are ARNs of managed policies, `inline` documents by name, `boundary` the ARN of the policy
    that bounds it; `linked_service` is the service that a service-linked role belongs to; `trusted` are the unique ids
    of those whom the trust policy names, by ARN."""

    name: str
    path: str
    role_id: str
    arn: str
    created_at: float
    trust_policy: str
    description: str = ""
    max_session_s: int = SHORTEST_SESSION_S
    tags: dict[str, str] = {}
    boundary: str = ""
    attached: list[str] = []
    inline: dict[str, str] = {}
    linked_service: str = ""
    trusted: dict[str, str] = {}
    source_template: str = ""  # the ARN of the role template that AcquireRole made it from, and its minor version
    source_minor: int = 0

    kind = "role"

    @property
    def key(self) -> str:
        """The name in lower case."""
        return self.name.lower()


ROLES = Table(Role, name="iam.roles", key="key", scope=ACCOUNT)


def find(ctx: Context, name: str, *, context: dict[str, Any] | None = None) -> Role:
    """The role with this name, found and authorized. Raises NoSuchEntity, AccessDenied."""
    role = ROLES.peek(ctx, check_name(name, "roleName").lower())
    shown = f"role {name}"
    if role is None:
        permissions.ask(ctx, permissions.arn_of(ctx, "role", "/", name), context=context, shown=shown)
        raise NO_ROLE(name=name)
    permissions.ask(ctx, role.arn, tags=role.tags, boundary=role.boundary, context=context, shown=shown)
    return role


def find_modifiable(ctx: Context, name: str, *, context: dict[str, Any] | None = None) -> Role:
    """The role that is to be changed, which a service-linked one cannot be. Raises UnmodifiableEntity too."""
    role = find(ctx, name, context=context)
    if role.linked_service:
        raise UNMODIFIABLE(name=role.name)
    return role


def keep(ctx: Context, role: Role) -> None:
    """Keep a changed role; what it may do is looked at anew from now on."""
    ROLES.put(ctx, role)
    versions.touch(ctx)


def shown(role: Role, *, created: bool = False, listed: bool = False, trust_policy: str = "") -> Any:
    """The role as answers show it: without its session's length when it was just made, without tags and boundary
    in listings (observed in AWS's answers). `trust_policy` is the one that counts, where it may not be the written."""
    answer: dict[str, Any] = {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.role_id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": encoded(trust_policy or role.trust_policy),
    }
    if role.description:
        answer["Description"] = role.description
    if role.source_template:
        source = {"TemplateArn": role.source_template, "TemplateMinorVersion": role.source_minor}
        answer["SourceRoleTemplate"] = source
    if not created:
        answer["MaxSessionDuration"] = role.max_session_s
    if not listed:
        if role.boundary:
            answer["PermissionsBoundary"] = boundaries.shown(role.boundary)
        if role.tags:
            answer["Tags"] = shown_tags(role.tags)
    return answer


def last_used(ctx: Context, role: Role) -> Any:
    """When and where the role was last used, empty when it never was (RoleLastUsed)."""
    use = key_uses.last_use(ctx, role.arn)
    if use is None or use.used_at < role.created_at:
        return {}
    return {"LastUsedDate": use.used_at, "Region": use.region}


@operation
def create_role(ctx: Context, request: t.CreateRoleRequest) -> t.CreateRoleResponse:
    """Make a role; its tags and its boundary come with it."""
    name = check_name(request["RoleName"], "roleName")
    path = check_path(request.get("Path"))
    arn = permissions.arn_of(ctx, "role", path, name)
    boundary = request.get("PermissionsBoundary", "")
    permissions.ask(ctx, arn, boundary=boundary)
    if path.startswith(RESERVED_PATH):
        raise VALIDATION_ERROR(f"Path {RESERVED_PATH} is reserved for service-linked roles.")
    tags = check_tags(request.get("Tags"))
    if tags:
        permissions.ask(ctx, arn, action="iam:TagRole")
    role = new(
        ctx, name, path, request["AssumeRolePolicyDocument"],
        description=request.get("Description", ""), tags=tags,
        max_session_s=_session_length(request.get("MaxSessionDuration", SHORTEST_SESSION_S)),
    )  # fmt: skip
    role.trusted = trust_policies.check(ctx, role.trust_policy, ROLES)
    if boundary:
        boundaries.bound(ctx, role, boundary)
    keep(ctx, role)
    return {"Role": shown(role, created=True)}


def new(ctx: Context, name: str, path: str, trust_policy: str, **known: Any) -> Role:
    """A new role, not kept yet. Raises EntityAlreadyExists, LimitExceeded."""
    if ROLES.peek(ctx, name.lower()) is not None:
        raise ROLE_EXISTS(name=name)
    counters.add(ctx, "Roles")
    role_id = unique_ids.new_unique_id(ctx, unique_ids.ROLE)
    arn = permissions.arn_of(ctx, "role", path, name)
    return Role(name, path, role_id, arn, float(int(ctx.now())), trust_policy, **known)


def _session_length(seconds: int) -> int:
    if not SHORTEST_SESSION_S <= seconds <= LONGEST_SESSION_S:
        raise VALIDATION_ERROR(NO_SUCH_DURATION)
    return seconds


@operation
def get_role(ctx: Context, request: t.GetRoleRequest) -> t.GetRoleResponse:
    """A role with its trust policy and its last use."""
    role = find(ctx, request["RoleName"])
    answer = shown(role, trust_policy=trust_policies.effective(ctx, role, ROLES))
    return {"Role": answer | {"RoleLastUsed": last_used(ctx, role)}}


@operation
def list_roles(ctx: Context, request: t.ListRolesRequest) -> t.ListRolesResponse:
    """All roles below a path, by name."""

    def show(role: Role) -> Any:
        return shown(role, listed=True, trust_policy=trust_policies.effective(ctx, role, ROLES))

    answer: t.ListRolesResponse = pages.below_path(ctx, ROLES, request, "Roles", show)
    return answer


@operation
def update_role(ctx: Context, request: t.UpdateRoleRequest) -> t.UpdateRoleResponse:
    """Change the description and the longest session of a role; what is left out stays."""
    role = find_modifiable(ctx, request["RoleName"])
    if "Description" in request:
        role.description = request["Description"]
    if "MaxSessionDuration" in request:
        role.max_session_s = _session_length(request["MaxSessionDuration"])
    keep(ctx, role)
    return {}


@operation
def update_role_description(ctx: Context, request: t.UpdateRoleDescriptionRequest) -> t.UpdateRoleDescriptionResponse:
    """Change the description; it may be that of a service-linked role, too."""
    role = find(ctx, request["RoleName"])
    role.description = request["Description"]
    keep(ctx, role)
    return {"Role": shown(role)}


@operation
def update_assume_role_policy(ctx: Context, request: t.UpdateAssumeRolePolicyRequest) -> None:
    """Change who may assume a role."""
    role = find_modifiable(ctx, request["RoleName"])
    text = request["PolicyDocument"]
    role.trusted = trust_policies.check(ctx, text, ROLES)
    role.trust_policy = text
    keep(ctx, role)


@operation
def delete_role(ctx: Context, request: t.DeleteRoleRequest) -> None:
    """Delete a role that has nothing left."""
    role = find_modifiable(ctx, request["RoleName"])
    if instance_profile_roles.profiles_of(ctx, role.key):
        raise HAS_INSTANCE_PROFILES()
    if role.attached:
        raise HAS_ATTACHMENTS()
    if role.inline:
        raise HAS_INLINE_POLICIES()
    drop(ctx, role)


def drop(ctx: Context, role: Role) -> None:
    """Forget a role; its sessions may do nothing any more."""
    boundaries.unbound(ctx, role)
    ROLES.delete(ctx, role)
    counters.add(ctx, "Roles", -1)
    versions.touch(ctx)
