"""AcquireRole: a role made from a template, or the one that was made from it before.

Each thing it does is permitted by its own action, with iam:RoleTemplateARN for conditions. Source: AcquireRole and
ReplacementValueEntry (API Reference); "Manage access to role manager" (IAM User Guide).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.services.identity.iam import permissions
from cumulo.services.identity.iam.entities import attachments, boundaries, roles, trust_policies
from cumulo.services.identity.iam.entities.roles import ROLES, Role
from cumulo.services.identity.iam.errors import INVALID_INPUT
from cumulo.services.identity.iam.names import check_name, check_path
from cumulo.services.identity.iam.policies import documents
from cumulo.services.identity.iam.role_templates import placeholders, role_templates
from cumulo.services.identity.iam.tag_rules import check_tags

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.iam.role_templates.placeholders import Values
    from cumulo.services.identity.iam.role_templates.role_templates import Template
    from cumulo.stubs import iam as t

NAME_CONFLICT = Error("NameConflictException", "Role with name {name} already exists and does not match the template.")
TEMPLATE_DISABLED = Error("RoleTemplateDisabledException", "The role template {arn} is disabled.")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@operation
def acquire_role(ctx: Context, request: t.AcquireRoleRequest) -> t.AcquireRoleResponse:
    """The role that the template and the parameters describe."""
    arn = request["TemplateArn"]
    role_templates.ask(ctx, arn)
    template = role_templates.find(ctx, arn, request.get("TemplateMinorVersion"))
    if not template.get("Enabled", True) or not template.get("VersionEnabled", True):
        raise TEMPLATE_DISABLED(arn=arn)
    wanted = _wanted(ctx, template, request.get("ReplacementValues") or {})
    known = {"iam:RoleTemplateARN": arn}
    there = ROLES.peek(ctx, wanted.key)
    if there is not None:
        permissions.ask(ctx, there.arn, tags=there.tags, action="iam:GetRole", context=known)
        if not _matches(there, wanted):
            raise NAME_CONFLICT(name=wanted.name)
        return {"Role": roles.shown(there, trust_policy=trust_policies.effective(ctx, there, ROLES))}
    return {"Role": roles.shown(_made(ctx, wanted, known), created=True)}


def _wanted(ctx: Context, template: Template, given: dict[str, Any]) -> Role:
    """The role as the template describes it, not kept and without an id."""
    values = _values(template.get("ParametersDefinition") or [], given)
    name = check_name(placeholders.filled_text(template["RoleNamePattern"], values), "roleName")
    pattern = template.get("RolePathPattern")
    path = check_path(placeholders.filled_text(pattern, values) if pattern else None)
    tags = [placeholders.filled(tag, values) for tag in template.get("RoleTagsTemplate") or ()]
    role = Role(
        name,
        path,
        "",
        permissions.arn_of(ctx, "role", path, name),
        0.0,
        _document(template["AssumeRolePolicyDocumentTemplate"], values),
        description=placeholders.filled_text(template.get("RoleDescriptionPattern") or "", values),
        max_session_s=template.get("MaxSessionDuration") or roles.SHORTEST_SESSION_S,
        tags=check_tags(tags),
        boundary=template.get("PermissionBoundaryArn") or "",
        attached=list(template.get("ManagedPolicyArns") or ()),
        source_template=template["TemplateArn"],
        source_minor=template.get("MinorVersion", 0),
    )
    for policy in template.get("InlinePolicyTemplates") or ():
        text = _document(policy["PolicyDocument"], values)
        role.inline[policy["PolicyName"]] = documents.check_inline(text, "role", name, role.inline)
    return role


def _document(template: Any, values: Values) -> str:
    tree = msgspec.json.decode(template) if isinstance(template, str) else template
    return msgspec.json.encode(placeholders.filled(tree, values)).decode()


def _values(definitions: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, list[str]]:
    """The parameters' values, checked against what the template defines. Raises InvalidInput."""
    unknown = set(given) - {each["Name"] for each in definitions}
    if unknown:
        raise INVALID_INPUT(f"The role template has no parameter {sorted(unknown)[0]}.")
    found: dict[str, list[str]] = {}
    for each in definitions:
        name, kind = each["Name"], each["Type"]
        values = given[name]["Values"] if name in given else [each["DefaultValue"]] if "DefaultValue" in each else []
        if not values and each.get("IsRequired"):
            raise INVALID_INPUT(f"A value is required for the parameter {name}.")
        if len(values) > 1 and not kind.endswith("List"):
            raise INVALID_INPUT(f"The parameter {name} takes one value.")
        for value in values:
            number, arn = kind.startswith("Number"), kind.startswith("Arn")
            if (number and not _NUMBER.fullmatch(value)) or (arn and not value.startswith("arn:")):
                raise INVALID_INPUT(f"{value} is not a value of type {kind}, which the parameter {name} has.")
        found[name] = list(values)
    return found


def _matches(role: Role, wanted: Role) -> bool:
    """Whether a role is still what the template makes of it: one that was edited is its owner's."""
    return (role.source_template, role.path, role.inline, sorted(role.attached), role.boundary) == (
        wanted.source_template, wanted.path, wanted.inline, sorted(wanted.attached), wanted.boundary,
    ) and msgspec.json.decode(role.trust_policy) == msgspec.json.decode(wanted.trust_policy)  # fmt: skip


def _made(ctx: Context, wanted: Role, known: dict[str, Any]) -> Role:
    """Keep a new role with all that the template gives it, each part permitted by its own action."""
    arn = wanted.arn
    permissions.ask(ctx, arn, action="iam:CreateRole", boundary=wanted.boundary, context=known)
    if wanted.tags:
        permissions.ask(ctx, arn, action="iam:TagRole", tags=wanted.tags, context=known)
    role = roles.new(
        ctx, wanted.name, wanted.path, wanted.trust_policy,
        description=wanted.description, tags=wanted.tags, max_session_s=wanted.max_session_s, inline=wanted.inline,
        source_template=wanted.source_template, source_minor=wanted.source_minor,
    )  # fmt: skip
    role.trusted = trust_policies.check(ctx, role.trust_policy, ROLES)
    if wanted.boundary:
        permissions.ask(ctx, arn, action="iam:PutRolePermissionsBoundary", boundary=wanted.boundary, context=known)
        boundaries.bound(ctx, role, wanted.boundary)
    if role.inline:
        permissions.ask(ctx, arn, action="iam:PutRolePolicy", context=known)
    for policy in wanted.attached:
        permissions.ask(ctx, arn, action="iam:AttachRolePolicy", context=known | {"iam:PolicyARN": policy})
        attachments.attach(ctx, role, policy)
    roles.keep(ctx, role)
    return role
