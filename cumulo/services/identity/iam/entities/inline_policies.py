"""Inline policies: documents that live and die with their user, group or role.

Source: IAM API Reference, PutUserPolicy and its like; IAM User Guide, "Managed policies and inline policies".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.entities import entities
from cumulo.services.identity.iam.errors import NO_INLINE_POLICY
from cumulo.services.identity.iam.names import check_name
from cumulo.services.identity.iam.policies.documents import check_inline, encoded

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


def _put(ctx: Context, request: Any) -> None:
    with entities.changing(ctx, request) as entity:
        name = check_name(request["PolicyName"], "policyName")
        others = {other: text for other, text in entity.inline.items() if other != name}
        entity.inline[name] = check_inline(request["PolicyDocument"], entity.kind, entity.name, others)


def _text(entity: Any, name: str) -> str:
    text: str | None = entity.inline.get(name)
    if text is None:
        raise NO_INLINE_POLICY(kind=entity.kind, name=name)
    return text


def _shown(ctx: Context, request: Any) -> Any:
    entity, name = entities.find(ctx, request), request["PolicyName"]
    document = encoded(_text(entity, name))
    return {f"{entity.kind.capitalize()}Name": entity.name, "PolicyName": name, "PolicyDocument": document}


def _listed(ctx: Context, request: Any) -> Any:
    inline = entities.find(ctx, request).inline
    return pages.of_list(ctx, inline, request, "PolicyNames", lambda name: name, lambda name: name)


def _delete(ctx: Context, request: Any) -> None:
    with entities.changing(ctx, request) as entity:
        _text(entity, request["PolicyName"])
        del entity.inline[request["PolicyName"]]


@operation
def put_user_policy(ctx: Context, request: t.PutUserPolicyRequest) -> None:
    """Write a policy of a user, or write it anew."""
    _put(ctx, request)


@operation
def put_group_policy(ctx: Context, request: t.PutGroupPolicyRequest) -> None:
    """Write a policy of a group, or write it anew."""
    _put(ctx, request)


@operation
def put_role_policy(ctx: Context, request: t.PutRolePolicyRequest) -> None:
    """Write a policy of a role, or write it anew."""
    _put(ctx, request)


@operation
def get_user_policy(ctx: Context, request: t.GetUserPolicyRequest) -> t.GetUserPolicyResponse:
    """A policy of a user."""
    answer: t.GetUserPolicyResponse = _shown(ctx, request)
    return answer


@operation
def get_group_policy(ctx: Context, request: t.GetGroupPolicyRequest) -> t.GetGroupPolicyResponse:
    """A policy of a group."""
    answer: t.GetGroupPolicyResponse = _shown(ctx, request)
    return answer


@operation
def get_role_policy(ctx: Context, request: t.GetRolePolicyRequest) -> t.GetRolePolicyResponse:
    """A policy of a role."""
    answer: t.GetRolePolicyResponse = _shown(ctx, request)
    return answer


@operation
def list_user_policies(ctx: Context, request: t.ListUserPoliciesRequest) -> t.ListUserPoliciesResponse:
    """The names of a user's own policies."""
    answer: t.ListUserPoliciesResponse = _listed(ctx, request)
    return answer


@operation
def list_group_policies(ctx: Context, request: t.ListGroupPoliciesRequest) -> t.ListGroupPoliciesResponse:
    """The names of a group's own policies."""
    answer: t.ListGroupPoliciesResponse = _listed(ctx, request)
    return answer


@operation
def list_role_policies(ctx: Context, request: t.ListRolePoliciesRequest) -> t.ListRolePoliciesResponse:
    """The names of a role's own policies."""
    answer: t.ListRolePoliciesResponse = _listed(ctx, request)
    return answer


@operation
def delete_user_policy(ctx: Context, request: t.DeleteUserPolicyRequest) -> None:
    """Delete a policy of a user."""
    _delete(ctx, request)


@operation
def delete_group_policy(ctx: Context, request: t.DeleteGroupPolicyRequest) -> None:
    """Delete a policy of a group."""
    _delete(ctx, request)


@operation
def delete_role_policy(ctx: Context, request: t.DeleteRolePolicyRequest) -> None:
    """Delete a policy of a role."""
    _delete(ctx, request)
