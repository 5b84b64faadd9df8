"""IAM as core's `Identities`: what STS and other services ask of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers.identities import POLICY_NOT_FOUND, Delegation, Nobody, Role, SamlIdentity, WebIdentity
from cumulo.core.errors import Fault
from cumulo.services.identity.iam.credentials import mfa_devices
from cumulo.services.identity.iam.delegation import delegation_tokens
from cumulo.services.identity.iam.entities import trust_policies
from cumulo.services.identity.iam.entities.roles import ROLES
from cumulo.services.identity.iam.federation import outbound_federation, saml_assertions, web_identities
from cumulo.services.identity.iam.policies import policies

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

    def check_mfa(self, ctx: Context, serial: str, code: str, *, of_account: bool = False) -> None:
        """Use up a code of the caller's own device, or of any in use in its account. Raises AccessDenied."""
        mfa_devices.check(ctx, serial, code, of_account=of_account)

    async def learn_keys(self, ctx: Context, account: str, token: str, provider_id: str) -> None:
        """Fetch the keys that this token may be signed with. Raises InvalidIdentityToken."""
        await web_identities.learn_keys(ctx, account, token, provider_id)

    def web_identity(self, ctx: Context, account: str, token: str, provider_id: str) -> WebIdentity:
        """What an OpenID token says, once it holds. Raises InvalidIdentityToken, ExpiredToken."""
        return web_identities.verify(ctx, account, token, provider_id)

    def saml_identity(self, ctx: Context, provider_arn: str, assertion: str) -> SamlIdentity:
        """What a SAML response says, once it holds. Raises InvalidIdentityToken, ExpiredToken."""
        return saml_assertions.verify(ctx, provider_arn, assertion)

    def outbound_token(
        self, ctx: Context, audience: list[str], algorithm: str, lasts_s: int, tags: dict[str, str]
    ) -> str:
        """A JWT about the caller from its account's issuer."""
        return outbound_federation.token(ctx, audience, algorithm, lasts_s, tags)

    def delegated_access(self, ctx: Context, trade_in_token: str) -> Delegation:
        """What a partner was let do. Raises ValidationError, ExpiredTradeInTokenException."""
        return delegation_tokens.delegated_access(ctx, trade_in_token)
