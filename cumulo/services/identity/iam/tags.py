"""Tags of users, roles, managed policies and instance profiles.

Source: IAM API Reference, TagUser and its like; IAM User Guide, "Tags for AWS Identity and Access Management
resources".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam import instance_profiles, pages, policies, roles, users
from cumulo.services.identity.iam.instance_profile_roles import INSTANCE_PROFILES
from cumulo.services.identity.iam.policies import POLICIES
from cumulo.services.identity.iam.tag_rules import laid_over, without

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


def _listed(tags: dict[str, str], request: Any) -> Any:
    return pages.of_list(
        tags.items(), request, "Tags", lambda tag: {"Key": tag[0], "Value": tag[1]}, lambda tag: tag[0]
    )


@operation
def tag_user(ctx: Context, request: t.TagUserRequest) -> None:
    """Add tags to a user, or change them; its keys speak for it with these tags from now on."""
    user = users.find(ctx, request["UserName"])
    user.tags = laid_over(user.tags, request["Tags"], "TagsPerUser")
    users.keep(ctx, user)
    users.sign_as(ctx, user.arn, user)


@operation
def untag_user(ctx: Context, request: t.UntagUserRequest) -> None:
    """Take tags off a user."""
    user = users.find(ctx, request["UserName"])
    user.tags = without(user.tags, request["TagKeys"])
    users.keep(ctx, user)
    users.sign_as(ctx, user.arn, user)


@operation
def list_user_tags(ctx: Context, request: t.ListUserTagsRequest) -> t.ListUserTagsResponse:
    """The tags of a user, by key."""
    answer: t.ListUserTagsResponse = _listed(users.find(ctx, request["UserName"]).tags, request)
    return answer


@operation
def tag_role(ctx: Context, request: t.TagRoleRequest) -> None:
    """Add tags to a role, or change them; sessions that are there keep the tags they began with."""
    role = roles.find_modifiable(ctx, request["RoleName"])
    role.tags = laid_over(role.tags, request["Tags"], "TagsPerRole")
    roles.keep(ctx, role)


@operation
def untag_role(ctx: Context, request: t.UntagRoleRequest) -> None:
    """Take tags off a role."""
    role = roles.find_modifiable(ctx, request["RoleName"])
    role.tags = without(role.tags, request["TagKeys"])
    roles.keep(ctx, role)


@operation
def list_role_tags(ctx: Context, request: t.ListRoleTagsRequest) -> t.ListRoleTagsResponse:
    """The tags of a role, by key."""
    answer: t.ListRoleTagsResponse = _listed(roles.find(ctx, request["RoleName"]).tags, request)
    return answer


@operation
def tag_policy(ctx: Context, request: t.TagPolicyRequest) -> None:
    """Add tags to a managed policy, or change them."""
    policy = policies.find_own(ctx, request["PolicyArn"])
    policy.tags = laid_over(policy.tags, request["Tags"], "TagsPerPolicy")
    POLICIES.put(ctx, policy)


@operation
def untag_policy(ctx: Context, request: t.UntagPolicyRequest) -> None:
    """Take tags off a managed policy."""
    policy = policies.find_own(ctx, request["PolicyArn"])
    policy.tags = without(policy.tags, request["TagKeys"])
    POLICIES.put(ctx, policy)


@operation
def list_policy_tags(ctx: Context, request: t.ListPolicyTagsRequest) -> t.ListPolicyTagsResponse:
    """The tags of a managed policy, by key."""
    answer: t.ListPolicyTagsResponse = _listed(policies.find(ctx, request["PolicyArn"]).tags, request)
    return answer


@operation
def tag_instance_profile(ctx: Context, request: t.TagInstanceProfileRequest) -> None:
    """Add tags to an instance profile, or change them."""
    profile = instance_profiles.find(ctx, request["InstanceProfileName"])
    profile.tags = laid_over(profile.tags, request["Tags"], "TagsPerInstanceProfile")
    INSTANCE_PROFILES.put(ctx, profile)


@operation
def untag_instance_profile(ctx: Context, request: t.UntagInstanceProfileRequest) -> None:
    """Take tags off an instance profile."""
    profile = instance_profiles.find(ctx, request["InstanceProfileName"])
    profile.tags = without(profile.tags, request["TagKeys"])
    INSTANCE_PROFILES.put(ctx, profile)


@operation
def list_instance_profile_tags(
    ctx: Context, request: t.ListInstanceProfileTagsRequest
) -> t.ListInstanceProfileTagsResponse:
    """The tags of an instance profile, by key."""
    profile = instance_profiles.find(ctx, request["InstanceProfileName"])
    answer: t.ListInstanceProfileTagsResponse = _listed(profile.tags, request)
    return answer
