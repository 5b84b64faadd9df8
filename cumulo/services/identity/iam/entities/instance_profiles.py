"""Instance profiles: what gives a machine its role.

Source: IAM API Reference, CreateInstanceProfile and its like; IAM User Guide, "Use instance profiles".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam import counters, pages, permissions, unique_ids
from cumulo.services.identity.iam.entities import roles
from cumulo.services.identity.iam.entities.instance_profile_roles import (
    INSTANCE_PROFILES,
    InstanceProfile,
    profiles_of,
)
from cumulo.services.identity.iam.errors import (
    HAS_INSTANCE_PROFILES,
    INSTANCE_PROFILE_EXISTS,
    LIMIT_EXCEEDED,
    NO_INSTANCE_PROFILE,
    NO_ROLE,
    UNMODIFIABLE,
)
from cumulo.services.identity.iam.names import check_name, check_path
from cumulo.services.identity.iam.tag_rules import check_tags, shown_tags

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


def find(ctx: Context, name: str) -> InstanceProfile:
    """The instance profile with this name, found and authorized. Raises NoSuchEntity, AccessDenied."""
    profile = INSTANCE_PROFILES.peek(ctx, check_name(name, "instanceProfileName").lower())
    arn = profile.arn if profile is not None else permissions.arn_of(ctx, "instance-profile", "/", name)
    tags = profile.tags if profile is not None else None
    permissions.ask(ctx, arn, tags=tags, shown=f"instance profile {name}")
    if profile is None:
        raise NO_INSTANCE_PROFILE(name=name)
    return profile


def shown(ctx: Context, profile: InstanceProfile, *, listed: bool = False) -> Any:
    """The instance profile as answers show it, with its role; listings leave out the tags."""
    role = roles.ROLES.peek(ctx, profile.role) if profile.role else None
    answer: dict[str, Any] = {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.profile_id,
        "Arn": profile.arn,
        "CreateDate": profile.created_at,
        "Roles": [roles.shown(role, created=True, listed=True)] if role is not None else [],
    }
    if profile.tags and not listed:
        answer["Tags"] = shown_tags(profile.tags)
    return answer


@operation
def create_instance_profile(ctx: Context, request: t.CreateInstanceProfileRequest) -> t.CreateInstanceProfileResponse:
    """Make an instance profile, without a role."""
    name = check_name(request["InstanceProfileName"], "instanceProfileName")
    path = check_path(request.get("Path"))
    arn = permissions.arn_of(ctx, "instance-profile", path, name)
    permissions.ask(ctx, arn)
    tags = check_tags(request.get("Tags"))
    if tags:
        permissions.ask(ctx, arn, action="iam:TagInstanceProfile")
    if INSTANCE_PROFILES.peek(ctx, name.lower()) is not None:
        raise INSTANCE_PROFILE_EXISTS(name=name)
    counters.add(ctx, "InstanceProfiles")
    profile_id = unique_ids.new_unique_id(ctx, unique_ids.INSTANCE_PROFILE)
    profile = InstanceProfile(name, path, profile_id, arn, float(int(ctx.now())), tags=tags)
    INSTANCE_PROFILES.put(ctx, profile)
    return {"InstanceProfile": shown(ctx, profile)}


@operation
def get_instance_profile(ctx: Context, request: t.GetInstanceProfileRequest) -> t.GetInstanceProfileResponse:
    """An instance profile with its role."""
    return {"InstanceProfile": shown(ctx, find(ctx, request["InstanceProfileName"]))}


@operation
def list_instance_profiles(ctx: Context, request: t.ListInstanceProfilesRequest) -> t.ListInstanceProfilesResponse:
    """All instance profiles below a path, by name."""
    show = partial(shown, ctx, listed=True)
    answer: t.ListInstanceProfilesResponse = pages.below_path(ctx, INSTANCE_PROFILES, request, "InstanceProfiles", show)
    return answer


@operation
def list_instance_profiles_for_role(
    ctx: Context, request: t.ListInstanceProfilesForRoleRequest
) -> t.ListInstanceProfilesForRoleResponse:
    """The instance profiles that hold a role."""
    role = roles.find(ctx, request["RoleName"])
    answer: t.ListInstanceProfilesForRoleResponse = pages.of_list(ctx,
        profiles_of(ctx, role.key), request, "InstanceProfiles", lambda profile: shown(ctx, profile, listed=True),
        lambda profile: profile.key,
    )  # fmt: skip
    return answer


@operation
def add_role_to_instance_profile(ctx: Context, request: t.AddRoleToInstanceProfileRequest) -> None:
    """Give an instance profile its role, one at most; the caller must be allowed to pass that role to EC2."""
    profile = find(ctx, request["InstanceProfileName"])
    name = request["RoleName"]
    role = roles.ROLES.peek(ctx, name.lower())
    if role is None:
        raise NO_ROLE(name=name)
    if role.linked_service:
        raise UNMODIFIABLE(name=role.name)
    ctx.pass_role(role.arn, "ec2.amazonaws.com")
    if profile.role:
        raise LIMIT_EXCEEDED(quota="InstanceSessionsPerInstanceProfile", limit=1)
    profile.role = role.key
    INSTANCE_PROFILES.put(ctx, profile)


@operation
def remove_role_from_instance_profile(ctx: Context, request: t.RemoveRoleFromInstanceProfileRequest) -> None:
    """Take the role out of an instance profile."""
    profile = find(ctx, request["InstanceProfileName"])
    name = request["RoleName"]
    if profile.role != name.lower():
        raise NO_ROLE(name=name)
    profile.role = ""
    INSTANCE_PROFILES.put(ctx, profile)


@operation
def delete_instance_profile(ctx: Context, request: t.DeleteInstanceProfileRequest) -> None:
    """Delete an instance profile without a role."""
    profile = find(ctx, request["InstanceProfileName"])
    if profile.role:
        raise HAS_INSTANCE_PROFILES()
    INSTANCE_PROFILES.delete(ctx, profile)
    counters.add(ctx, "InstanceProfiles", -1)
