"""Policy templates of partners: what they may ask accounts for. AWS registers them when it takes a partner on.

Here whoever runs the cloud registers them, as files DATA_DIR/iam/delegation-templates/NAME.json:

    {"PolicyTemplateArn": "arn:aws:iam::partner:delegation-template/example.com/setup", "RequestorName": "Example",
     "AccountIds": ["111122223333"], "PolicyDocument": {…}, "RolePermissionRestrictionArns": […]}

"@{name}" in the document stands for a parameter. Source: "IAM temporary delegation for AWS Partners" (IAM User Guide).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.statements import compile_policy
from cumulo.services.identity.iam.errors import INVALID_INPUT
from cumulo.services.identity.iam.role_templates import placeholders, role_templates

if TYPE_CHECKING:
    from cumulo.core.context import Context

FOLDER = "delegation-templates"


class DelegationTemplate(msgspec.Struct, frozen=True, rename="pascal"):
    """A policy template; `account_ids` are the accounts of the partner that it is registered for."""

    policy_template_arn: str
    account_ids: list[str]
    policy_document: dict[str, Any]
    requestor_name: str = ""
    role_permission_restriction_arns: list[str] = []


def find(ctx: Context, arn: str) -> DelegationTemplate:
    """The template with this ARN that is registered for the caller's account. Raises InvalidInput."""
    for each in role_templates.registered(ctx, FOLDER):
        if each.get("PolicyTemplateArn") == arn and ctx.account in each.get("AccountIds", ()):
            try:
                return msgspec.convert(each, DelegationTemplate)
            except msgspec.ValidationError as error:
                raise INVALID_INPUT(f"The policy template {arn} is not well-formed: {error}") from None
    raise INVALID_INPUT(f"The policy template {arn} is not registered for account {ctx.account}.")


def policy_of(template: DelegationTemplate, parameters: list[dict[str, Any]]) -> str:
    """The policy that the parameters make of the template. Raises InvalidInput."""
    values: dict[str, list[str]] = {}
    for each in parameters:
        name, found = each.get("Name", ""), each.get("Values") or []
        if not name or not found or name in values:
            raise INVALID_INPUT("Each parameter needs a name of its own and a value.")
        if len(found) > 1 and each.get("Type") != "stringList":
            raise INVALID_INPUT(f"The parameter {name} of type string takes one value.")
        values[name] = found
    text = msgspec.json.encode(placeholders.filled(template.policy_document, values)).decode()
    try:
        compile_policy(text, Kind.INLINE)
    except Fault as fault:
        raise INVALID_INPUT(f"The policy of the request is not valid: {fault.message}") from None
    return text
