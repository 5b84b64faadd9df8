"""Inline policies: documents that live and die with their user, group or role.

Source: IAM API Reference, PutUserPolicy and its like; IAM User Guide, "Managed policies and inline policies".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam import groups, pages, roles, users
from cumulo.services.identity.iam.documents import check_inline, encoded
from cumulo.services.identity.iam.errors import NO_INLINE_POLICY
from cumulo.services.identity.iam.names import check_name

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


def _put(entity: Any, request: Any) -> None:
    name = check_name(request["PolicyName"], "policyName")
    others = {other: text for other, text in entity.inline.items() if other != name}
    entity.inline[name] = check_inline(request["PolicyDocument"], entity.kind, entity.name, others)


def _text(entity: Any, name: str) -> str:
    text: str | None = entity.inline.get(name)
    if text is None:
        raise NO_INLINE_POLICY(kind=entity.kind, name=name)
    return text


def _shown(entity: Any, request: Any) -> Any:
    name = request["PolicyName"]
    document = encoded(_text(entity, name))
    return {f"{entity.kind.capitalize()}Name": entity.name, "PolicyName": name, "PolicyDocument": document}


def _listed(entity: Any, request: Any) -> Any:
    return pages.of_list(entity.inline, request, "PolicyNames", lambda name: name, lambda name: name)


def _delete(entity: Any, request: Any) -> None:
    _text(entity, request["PolicyName"])
    del entity.inline[request["PolicyName"]]


@operation
def put_user_policy(ctx: Context, request: t.PutUserPolicyRequest) -> None:
    """Write a policy of a user, or write it anew."""
    user = users.find(ctx, request["UserName"])
    _put(user, request)
    users.keep(ctx, user)


@operation
def put_group_policy(ctx: Context, request: t.PutGroupPolicyRequest) -> None:
    """Write a policy of a group, or write it anew."""
    group = groups.find(ctx, request["GroupName"])
    _put(group, request)
    groups.keep(ctx, group)


@operation
def put_role_policy(ctx: Context, request: t.PutRolePolicyRequest) -> None:
    """Write a policy of a role, or write it anew."""
    role = roles.find_modifiable(ctx, request["RoleName"])
    _put(role, request)
    roles.keep(ctx, role)


@operation
def get_user_policy(ctx: Context, request: t.GetUserPolicyRequest) -> t.GetUserPolicyResponse:
    """A policy of a user."""
    answer: t.GetUserPolicyResponse = _shown(users.find(ctx, request["UserName"]), request)
    return answer


@operation
def get_group_policy(ctx: Context, request: t.GetGroupPolicyRequest) -> t.GetGroupPolicyResponse:
    """A policy of a group."""
    answer: t.GetGroupPolicyResponse = _shown(groups.find(ctx, request["GroupName"]), request)
    return answer


@operation
def get_role_policy(ctx: Context, request: t.GetRolePolicyRequest) -> t.GetRolePolicyResponse:
    """A policy of a role."""
    answer: t.GetRolePolicyResponse = _shown(roles.find(ctx, request["RoleName"]), request)
    return answer


@operation
def list_user_policies(ctx: Context, request: t.ListUserPoliciesRequest) -> t.ListUserPoliciesResponse:
    """The names of a user's own policies."""
    answer: t.ListUserPoliciesResponse = _listed(users.find(ctx, request["UserName"]), request)
    return answer


@operation
def list_group_policies(ctx: Context, request: t.ListGroupPoliciesRequest) -> t.ListGroupPoliciesResponse:
    """The names of a group's own policies."""
    answer: t.ListGroupPoliciesResponse = _listed(groups.find(ctx, request["GroupName"]), request)
    return answer


@operation
def list_role_policies(ctx: Context, request: t.ListRolePoliciesRequest) -> t.ListRolePoliciesResponse:
    """The names of a role's own policies."""
    answer: t.ListRolePoliciesResponse = _listed(roles.find(ctx, request["RoleName"]), request)
    return answer


@operation
def delete_user_policy(ctx: Context, request: t.DeleteUserPolicyRequest) -> None:
    """Delete a policy of a user."""
    user = users.find(ctx, request["UserName"])
    _delete(user, request)
    users.keep(ctx, user)


@operation
def delete_group_policy(ctx: Context, request: t.DeleteGroupPolicyRequest) -> None:
    """Delete a policy of a group."""
    group = groups.find(ctx, request["GroupName"])
    _delete(group, request)
    groups.keep(ctx, group)


@operation
def delete_role_policy(ctx: Context, request: t.DeleteRolePolicyRequest) -> None:
    """Delete a policy of a role."""
    role = roles.find_modifiable(ctx, request["RoleName"])
    _delete(role, request)
    roles.keep(ctx, role)
