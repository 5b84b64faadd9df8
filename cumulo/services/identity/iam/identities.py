"""IAM as core's `Identities`: what STS and other services ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.errors import Fault
from cumulo.core.identities import POLICY_NOT_FOUND, Nobody, Role
from cumulo.services.identity.iam import policies, trust_policies
from cumulo.services.identity.iam.roles import ROLES

if TYPE_CHECKING:
    from cumulo.core.context import Context


class IamIdentities(Nobody):
    """What this cloud's accounts know of people, roles and providers; the rest is as without IAM."""

    def find_role(self, ctx: Context, arn: str) -> Role | None:
        """The role with this ARN, in whichever account; its case and its path count."""
        parts = arn.split(":", 5)
        if len(parts) != 6 or not parts[5].startswith("role/"):
            return None
        account = parts[4]
        role = ROLES.peek(ctx, arn.rpartition("/")[2].lower(), account=account)
        if role is None or role.arn != arn:
            return None
        return Role(
            arn=role.arn,
            name=role.name,
            role_id=role.role_id,
            account=account,
            trust_policy=trust_policies.effective(ctx, role, ROLES),
            max_session_s=role.max_session_s,
            tags=role.tags,
        )

    def managed_policy(self, ctx: Context, arn: str, account: str) -> str:
        """The document of a managed policy of this account or of AWS. Raises ValidationError."""
        try:
            text = policies.document(ctx, arn, account)
        except Fault:
            text = None
        if text is None:
            raise POLICY_NOT_FOUND(arn=arn)
        return text
