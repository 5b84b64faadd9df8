"""Attachments: managed policies on users, groups and roles.

Source: IAM API Reference, AttachUserPolicy and its like; "IAM and AWS STS quotas": ten managed policies each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.entities import entities, groups, roles, users
from cumulo.services.identity.iam.errors import LIMIT_EXCEEDED, NO_POLICY
from cumulo.services.identity.iam.names import check_prefix
from cumulo.services.identity.iam.policies import policies, policy_uses

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

MOST_ATTACHED = 10


def attach(ctx: Context, entity: Any, arn: str) -> None:
    """Attach a policy; one that is attached already stays. Raises NoSuchEntity, LimitExceeded."""
    policies.check_attachable(ctx, arn)
    if arn in entity.attached:
        return
    if len(entity.attached) >= MOST_ATTACHED:
        raise LIMIT_EXCEEDED(quota=f"PoliciesPer{entity.kind.capitalize()}", limit=MOST_ATTACHED)
    entity.attached.append(arn)
    policy_uses.add(ctx, arn, policy_uses.ATTACHED, entity)


def detach(ctx: Context, entity: Any, arn: str) -> None:
    """Detach a policy. Raises NoSuchEntity when it is not attached."""
    policies.check_arn(ctx, arn)
    if arn not in entity.attached:
        raise NO_POLICY(arn=arn)
    entity.attached.remove(arn)
    policy_uses.remove(ctx, arn, policy_uses.ATTACHED, entity)


def _with(request: Any) -> dict[str, Any]:
    """The condition keys that an attachment brings."""
    return {"iam:PolicyARN": request["PolicyArn"]}


def _attach(ctx: Context, request: Any) -> None:
    with entities.changing(ctx, request, context=_with(request)) as entity:
        attach(ctx, entity, request["PolicyArn"])


def _detach(ctx: Context, request: Any) -> None:
    with entities.changing(ctx, request, context=_with(request)) as entity:
        detach(ctx, entity, request["PolicyArn"])


def _listed(ctx: Context, request: Any) -> Any:
    attached = entities.find(ctx, request).attached
    prefix = check_prefix(request.get("PathPrefix"))
    found = [arn for arn in attached if _path(arn).startswith(prefix)]
    return pages.of_list(ctx, found, request, "AttachedPolicies", shown, lambda arn: arn)


def shown(arn: str) -> Any:
    """An attached policy as listings show it."""
    return {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}


def _path(arn: str) -> str:
    return arn.partition(":policy")[2].rpartition("/")[0] + "/"


@operation
def attach_user_policy(ctx: Context, request: t.AttachUserPolicyRequest) -> None:
    """Attach a managed policy to a user."""
    _attach(ctx, request)


@operation
def attach_group_policy(ctx: Context, request: t.AttachGroupPolicyRequest) -> None:
    """Attach a managed policy to a group."""
    _attach(ctx, request)


@operation
def attach_role_policy(ctx: Context, request: t.AttachRolePolicyRequest) -> None:
    """Attach a managed policy to a role."""
    _attach(ctx, request)


@operation
def detach_user_policy(ctx: Context, request: t.DetachUserPolicyRequest) -> None:
    """Detach a managed policy from a user."""
    _detach(ctx, request)


@operation
def detach_group_policy(ctx: Context, request: t.DetachGroupPolicyRequest) -> None:
    """Detach a managed policy from a group."""
    _detach(ctx, request)


@operation
def detach_role_policy(ctx: Context, request: t.DetachRolePolicyRequest) -> None:
    """Detach a managed policy from a role."""
    _detach(ctx, request)


@operation
def list_attached_user_policies(
    ctx: Context, request: t.ListAttachedUserPoliciesRequest
) -> t.ListAttachedUserPoliciesResponse:
    """The managed policies of a user."""
    answer: t.ListAttachedUserPoliciesResponse = _listed(ctx, request)
    return answer


@operation
def list_attached_group_policies(
    ctx: Context, request: t.ListAttachedGroupPoliciesRequest
) -> t.ListAttachedGroupPoliciesResponse:
    """The managed policies of a group."""
    answer: t.ListAttachedGroupPoliciesResponse = _listed(ctx, request)
    return answer


@operation
def list_attached_role_policies(
    ctx: Context, request: t.ListAttachedRolePoliciesRequest
) -> t.ListAttachedRolePoliciesResponse:
    """The managed policies of a role."""
    answer: t.ListAttachedRolePoliciesResponse = _listed(ctx, request)
    return answer


@operation
def list_entities_for_policy(ctx: Context, request: t.ListEntitiesForPolicyRequest) -> t.ListEntitiesForPolicyResponse:
    """Who uses a policy: all that it is attached to, or that it bounds."""
    policy = policies.find(ctx, request["PolicyArn"])
    prefix = check_prefix(request.get("PathPrefix"))
    usage = request.get("PolicyUsageFilter")
    only = {"User": "user", "Role": "role", "Group": "group"}.get(request.get("EntityFilter", ""))
    nobody = request.get("EntityFilter") in ("LocalManagedPolicy", "AWSManagedPolicy")
    found: dict[tuple[str, str], Any] = {}
    for use in policy_uses.of_policy(ctx, policy.arn):
        if (usage is not None and use.usage != usage) or nobody or (only is not None and use.kind != only):
            continue
        entity = _TABLES[use.kind].peek(ctx, use.entity)
        if entity is not None and entity.path.startswith(prefix):
            found[use.kind, use.entity] = entity
    page = pages.of_list(
        ctx, found.values(), request, "Entities", lambda entity: entity, lambda entity: f"{entity.kind}/{entity.key}"
    )
    listed: list[Any] = page.pop("Entities")
    answer: t.ListEntitiesForPolicyResponse = page
    answer["PolicyGroups"] = [
        {"GroupName": each.name, "GroupId": each.group_id} for each in listed if each.kind == "group"
    ]
    answer["PolicyUsers"] = [{"UserName": each.name, "UserId": each.user_id} for each in listed if each.kind == "user"]
    answer["PolicyRoles"] = [{"RoleName": each.name, "RoleId": each.role_id} for each in listed if each.kind == "role"]
    return answer


_TABLES: dict[str, Any] = {"user": users.USERS, "group": groups.GROUPS, "role": roles.ROLES}
