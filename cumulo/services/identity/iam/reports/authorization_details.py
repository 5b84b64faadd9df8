"""The whole account at once: users, groups, roles and policies, with who has what.

Source: GetAccountAuthorizationDetails (IAM API Reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.entities import (
    boundaries,
    groups,
    instance_profile_roles,
    instance_profiles,
    roles,
    users,
)
from cumulo.services.identity.iam.policies import aws_policies, policies, policy_uses
from cumulo.services.identity.iam.policies.documents import encoded
from cumulo.services.identity.iam.tag_rules import shown_tags

if TYPE_CHECKING:
    from collections import Counter

    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

_LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


def _inline(entity: Any) -> list[Any]:
    return [{"PolicyName": name, "PolicyDocument": encoded(text)} for name, text in sorted(entity.inline.items())]


def _attached(entity: Any) -> list[Any]:
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in entity.attached]


def _extras(entity: Any) -> dict[str, Any]:
    bounded = {"PermissionsBoundary": boundaries.shown(entity.boundary)} if entity.boundary else {}
    return bounded | {"Tags": shown_tags(entity.tags)}


def _user(ctx: Context, user: users.User) -> Any:
    shown: dict[str, Any] = {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.user_id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
        "GroupList": [group.name for key in user.groups if (group := groups.GROUPS.peek(ctx, key)) is not None],
        "AttachedManagedPolicies": _attached(user),
        **_extras(user),
    }
    if user.inline:
        shown["UserPolicyList"] = _inline(user)
    return shown


def _group(group: groups.Group) -> Any:
    return groups.shown(group) | {
        "GroupPolicyList": _inline(group),
        "AttachedManagedPolicies": _attached(group),
    }


def _role(ctx: Context, role: roles.Role) -> Any:
    shown = roles.shown(role, created=True, listed=True)
    shown.pop("Description", None)
    profiles = instance_profile_roles.profiles_of(ctx, role.key)
    return shown | {
        "InstanceProfileList": [instance_profiles.shown(ctx, profile) for profile in profiles],
        "RolePolicyList": _inline(role),
        "AttachedManagedPolicies": _attached(role),
        "RoleLastUsed": roles.last_used(ctx, role),
        **_extras(role),
    }


def _policy(ctx: Context, policy: policies.ManagedPolicy, used: Counter[tuple[str, str]]) -> Any:
    if aws_policies.is_aws(policy.arn):
        only = policies.peek_version(ctx, policy, policy.default_version)
        versions = [only] if only is not None else []
    else:
        versions = policies.POLICY_VERSIONS.range(ctx, policy.key, reverse=True)
    attached, bounding = used[policy.arn, policy_uses.ATTACHED], used[policy.arn, policy_uses.BOUNDARY]
    return policies.shown(policy, attached, bounding, tags=False) | {
        "PolicyVersionList": [
            {
                "Document": encoded(version.document),
                "VersionId": f"v{version.number}",
                "IsDefaultVersion": version.number == policy.default_version,
                "CreateDate": version.created_at,
            }
            for version in versions
        ]
    }


@operation
def get_account_authorization_details(
    ctx: Context, request: t.GetAccountAuthorizationDetailsRequest
) -> t.GetAccountAuthorizationDetailsResponse:
    """Everything, or what the filter names, in pages across all kinds. Of AWS's policies those that are in use."""
    wanted = request.get("Filter") or list(_LISTS)
    used = policy_uses.counts(ctx)
    items: list[tuple[str, str, Any]] = []
    if "User" in wanted:
        items += [("User", user.key, user) for user in users.USERS.range(ctx)]
    if "Group" in wanted:
        items += [("Group", group.key, group) for group in groups.GROUPS.range(ctx)]
    if "Role" in wanted:
        items += [("Role", role.key, role) for role in roles.ROLES.range(ctx)]
    if "LocalManagedPolicy" in wanted:
        items += [("LocalManagedPolicy", policy.key, policy) for policy in policies.POLICIES.range(ctx)]
    if "AWSManagedPolicy" in wanted:
        in_use = sorted({arn for arn, _ in used if aws_policies.is_aws(arn)})
        known = [(arn, policies.peek(ctx, arn)) for arn in in_use]
        items += [("AWSManagedPolicy", arn, policy) for arn, policy in known if policy is not None]

    def show(item: tuple[str, str, Any]) -> tuple[str, Any]:
        kind, _, record = item
        if kind == "User":
            return kind, _user(ctx, record)
        if kind == "Group":
            return kind, _group(record)
        return (kind, _role(ctx, record)) if kind == "Role" else (kind, _policy(ctx, record, used))

    order = list(_LISTS)
    page = pages.of_list(ctx, items, request, "shown", show, lambda item: f"{order.index(item[0])}/{item[1]}")
    answer: dict[str, Any] = {name: [] for name in _LISTS.values()}
    for kind, shown in page.pop("shown"):
        answer[_LISTS[kind]].append(shown)
    return answer | page  # type: ignore[no-any-return]
