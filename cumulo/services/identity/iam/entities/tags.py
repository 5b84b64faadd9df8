"""Tags of users, roles, managed policies and instance profiles.

Source: IAM API Reference, TagUser and its like; IAM User Guide, "Tags for AWS Identity and Access Management
resources".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam.entities import entities, instance_profiles, users
from cumulo.services.identity.iam.entities.instance_profile_roles import INSTANCE_PROFILES
from cumulo.services.identity.iam.policies import policies
from cumulo.services.identity.iam.policies.policies import POLICIES
from cumulo.services.identity.iam.tag_rules import laid_over, listed_tags, without

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


def _tag(ctx: Context, request: Any, quota: str) -> None:
    with _changing(ctx, request) as entity:
        entity.tags = laid_over(entity.tags, request["Tags"], quota)


def _untag(ctx: Context, request: Any) -> None:
    with _changing(ctx, request) as entity:
        entity.tags = without(entity.tags, request["TagKeys"])


@contextmanager
def _changing(ctx: Context, request: Any) -> Iterator[Any]:
    """What the request names, to be changed, and kept once it is."""
    if "PolicyArn" in request:
        policy = policies.find_own(ctx, request["PolicyArn"])
        yield policy
        POLICIES.put(ctx, policy)
    elif "InstanceProfileName" in request:
        profile = instance_profiles.find(ctx, request["InstanceProfileName"])
        yield profile
        INSTANCE_PROFILES.put(ctx, profile)
    else:
        with entities.changing(ctx, request) as entity:
            yield entity
        if entity.kind == "user":  # its keys speak for it with these tags from now on
            users.sign_as(ctx, entity.arn, entity)


@operation
def tag_user(ctx: Context, request: t.TagUserRequest) -> None:
    """Add tags to a user, or change them."""
    _tag(ctx, request, "TagsPerUser")


@operation
def untag_user(ctx: Context, request: t.UntagUserRequest) -> None:
    """Take tags off a user."""
    _untag(ctx, request)


@operation
def list_user_tags(ctx: Context, request: t.ListUserTagsRequest) -> t.ListUserTagsResponse:
    """The tags of a user, by key."""
    answer: t.ListUserTagsResponse = listed_tags(ctx, entities.find(ctx, request).tags, request)
    return answer


@operation
def tag_role(ctx: Context, request: t.TagRoleRequest) -> None:
    """Add tags to a role, or change them; sessions that are there keep the tags they began with."""
    _tag(ctx, request, "TagsPerRole")


@operation
def untag_role(ctx: Context, request: t.UntagRoleRequest) -> None:
    """Take tags off a role."""
    _untag(ctx, request)


@operation
def list_role_tags(ctx: Context, request: t.ListRoleTagsRequest) -> t.ListRoleTagsResponse:
    """The tags of a role, by key."""
    answer: t.ListRoleTagsResponse = listed_tags(ctx, entities.find(ctx, request).tags, request)
    return answer


@operation
def tag_policy(ctx: Context, request: t.TagPolicyRequest) -> None:
    """Add tags to a managed policy, or change them."""
    _tag(ctx, request, "TagsPerPolicy")


@operation
def untag_policy(ctx: Context, request: t.UntagPolicyRequest) -> None:
    """Take tags off a managed policy."""
    _untag(ctx, request)


@operation
def list_policy_tags(ctx: Context, request: t.ListPolicyTagsRequest) -> t.ListPolicyTagsResponse:
    """The tags of a managed policy, by key."""
    answer: t.ListPolicyTagsResponse = listed_tags(ctx, policies.find(ctx, request["PolicyArn"]).tags, request)
    return answer


@operation
def tag_instance_profile(ctx: Context, request: t.TagInstanceProfileRequest) -> None:
    """Add tags to an instance profile, or change them."""
    _tag(ctx, request, "TagsPerInstanceProfile")


@operation
def untag_instance_profile(ctx: Context, request: t.UntagInstanceProfileRequest) -> None:
    """Take tags off an instance profile."""
    _untag(ctx, request)


@operation
def list_instance_profile_tags(
    ctx: Context, request: t.ListInstanceProfileTagsRequest
) -> t.ListInstanceProfileTagsResponse:
    """The tags of an instance profile, by key."""
    profile = instance_profiles.find(ctx, request["InstanceProfileName"])
    answer: t.ListInstanceProfileTagsResponse = listed_tags(ctx, profile.tags, request)
    return answer
