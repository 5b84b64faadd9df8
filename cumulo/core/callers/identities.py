"""The seam between those who know identities (IAM) and those who ask for them (STS, sign-in, other services).

`Runtime.identities` holds an `Identities`, `Runtime.policy_source` what they may do. Both are IAM's, which takes
their places when it is loaded: at its first call, or at the first question that a root user's call does not ask.
`Nobody` is a cloud without IAM: one of root users, without roles, managed policies, MFA devices and identity
providers, which answers as AWS does for an account that has none.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, urlsafe_b64decode
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from cumulo.core.errors import Error
from cumulo.core.policy.authorization import NOTHING

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.policy.authorization import Attached, PolicySource
    from cumulo.core.policy.principals import Principal
    from cumulo.core.runtime import Runtime

PROVIDER = "iam"  # the service that installs itself in both places

INVALID_IDENTITY_TOKEN = Error("InvalidIdentityToken")
# Both texts as AWS gave them: lonelyplanet/aws-mfa#21 and step-security/wait-for-secrets#216 for a wrong code,
# aws/aws-cli#6325 for a device that is not the caller's.
MFA_WRONG_CODE = Error(
    "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", status=403
)
MFA_FAILED = Error(
    "AccessDenied",
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid "
    "and associated with this user.",
    status=403,
)
TRADE_IN_TOKEN_INVALID = Error("ValidationError", "The provided trade-in token is invalid.", status=400)
FEDERATION_DISABLED = Error(
    "OutboundWebIdentityFederationDisabledException",
    "Outbound web identity federation is not enabled for this account.",
)
CROSS_ACCOUNT_PASS = Error("AccessDenied", "Cross-account pass role is not allowed.", status=403)
POLICY_NOT_FOUND = Error("ValidationError", "The policy {arn} does not exist or is not attachable.", status=400)


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role, as STS needs it. `trust_policy` is its JSON text, `max_session_s` its MaxSessionDuration."""

    arn: str
    name: str
    role_id: str
    account: str
    trust_policy: str
    max_session_s: int = 3600
    tags: dict[str, str] = {}


class WebIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """A verified OpenID token. `provider_arn` is the provider's ARN, or its name where AWS has it built in."""

    provider_arn: str
    provider: str
    subject: str
    audience: str
    tags: dict[str, str] = {}
    transitive_keys: tuple[str, ...] = ()
    source_identity: str = ""
    conditions: dict[str, Any] = {}


class SamlIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """A verified SAML assertion, with the roles that it may assume."""

    provider_arn: str
    subject: str
    subject_type: str
    issuer: str
    audience: str
    name_qualifier: str
    session_name: str
    role_arns: tuple[str, ...]
    tags: dict[str, str] = {}
    transitive_keys: tuple[str, ...] = ()
    source_identity: str = ""
    duration_s: int | None = None
    conditions: dict[str, Any] = {}


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """What an account let a partner do for a while: as which principal, within which policies, until when."""

    arn: str
    user_id: str
    account: str
    policies: tuple[str, ...] = ()
    expires_at: float


class Identities(Protocol):
    """What STS asks of IAM. Every method may read `ctx.txn`; none asks for permission."""

    def find_role(self, ctx: Context, arn: str) -> Role | None:
        """The role with this ARN, in whichever account."""
        ...

    def managed_policy(self, ctx: Context, arn: str, account: str) -> str:
        """The document of a managed policy that sessions of this account may use. Raises a Fault."""
        ...

    def check_mfa(self, ctx: Context, serial: str, code: str, *, of_account: bool = False) -> None:
        """Use up a code of the caller's MFA device, or of any in use in its account. Raises AccessDenied."""
        ...

    async def learn_keys(self, ctx: Context, account: str, token: str, provider_id: str) -> None:
        """Fetch, outside a transaction, what `web_identity` needs to verify this token."""
        ...

    def web_identity(self, ctx: Context, account: str, token: str, provider_id: str) -> WebIdentity:
        """Verify an OpenID token (or, with `provider_id`, an OAuth access token). Raises InvalidIdentityToken, …"""
        ...

    def outbound_token(
        self, ctx: Context, audience: list[str], algorithm: str, lasts_s: int, tags: dict[str, str]
    ) -> str:
        """A JWT about the caller from its account's issuer. Raises OutboundWebIdentityFederationDisabledException."""
        ...

    def delegated_access(self, ctx: Context, trade_in_token: str) -> Delegation:
        """The delegation behind a trade-in token. Raises ValidationError, ExpiredTradeInTokenException."""
        ...

    def saml_identity(self, ctx: Context, provider_arn: str, assertion: str) -> SamlIdentity:
        """Verify a SAML response (base64). Raises InvalidIdentityToken, …"""
        ...


class Nobody:
    """A cloud without IAM."""

    def find_role(self, ctx: Context, arn: str) -> Role | None:
        return None

    def managed_policy(self, ctx: Context, arn: str, account: str) -> str:
        raise POLICY_NOT_FOUND(arn=arn)

    def check_mfa(self, ctx: Context, serial: str, code: str, *, of_account: bool = False) -> None:
        raise MFA_FAILED()

    async def learn_keys(self, ctx: Context, account: str, token: str, provider_id: str) -> None:
        return None

    def web_identity(self, ctx: Context, account: str, token: str, provider_id: str) -> WebIdentity:
        if provider_id:
            raise INVALID_IDENTITY_TOKEN("The web identity token provided could not be validated with its provider.")
        issuer = issuer_of(token)
        raise INVALID_IDENTITY_TOKEN(f"No OpenIDConnect provider found in your account for {issuer}")

    def outbound_token(
        self, ctx: Context, audience: list[str], algorithm: str, lasts_s: int, tags: dict[str, str]
    ) -> str:
        raise FEDERATION_DISABLED()

    def delegated_access(self, ctx: Context, trade_in_token: str) -> Delegation:
        raise TRADE_IN_TOKEN_INVALID()

    def saml_identity(self, ctx: Context, provider_arn: str, assertion: str) -> SamlIdentity:
        try:
            b64decode(assertion, validate=True)
        except (binascii.Error, ValueError):
            raise INVALID_IDENTITY_TOKEN("Invalid base64 SAMLResponse") from None
        raise INVALID_IDENTITY_TOKEN("Specified provider doesn't exist")


NOBODY: Identities = Nobody()


def issuer_of(token: str) -> str:
    """The `iss` claim of a JWT that nobody has verified yet; InvalidIdentityToken when it is none."""
    parts = token.split(".")
    try:
        if len(parts) != 3:
            raise ValueError
        claims = msgspec.json.decode(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)), type=dict[str, Any])
        issuer = claims["iss"]
        if not isinstance(issuer, str):
            raise ValueError
    except (ValueError, KeyError, msgspec.DecodeError):
        message = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        raise INVALID_IDENTITY_TOKEN(message) from None
    return issuer


class AwaitedIdentities:
    """Identities that are there with the first question: loads IAM, and answers as it does."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def __getattr__(self, name: str) -> Any:
        runtime = self._runtime
        load(runtime)
        return getattr(NOBODY if runtime.identities is self else runtime.identities, name)


class AwaitedPolicySource:
    """Policies that are there with the first question."""

    controlled = False

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def at(self, ctx: Context) -> PolicySource:
        runtime = self._runtime
        load(runtime)
        return NOTHING if runtime.policy_source is self else runtime.policy_source.at(ctx)

    def attached(self, principal: Principal) -> Attached:
        return NOTHING.attached(principal)

    def resource_controls(self, account: str) -> tuple[Any, ...]:
        return ()

    def organization(self, account: str) -> Any:
        return None


def load(runtime: Runtime) -> None:
    """Load the service that knows identities, where this cloud has it."""
    if PROVIDER in runtime.registry.names:
        runtime.registry.service(PROVIDER)


def pass_role(ctx: Context, role_arn: str, service: str, resource_arn: str = "") -> Role | None:
    """See `Context.pass_role`."""
    account = role_arn.split(":", 5)[4:5]
    if account != [ctx.account]:
        raise CROSS_ACCOUNT_PASS()
    given = {"iam:PassedToService": service, "iam:AssociatedResourceArn": resource_arn or None}
    role = ctx.runtime.identities.find_role(ctx, role_arn)
    ctx.authorize(role_arn, action="iam:PassRole", context=given, tags=role.tags if role is not None else None)
    return role


def trusts(role: Role, service: str, *, source_arn: str = "", source_account: str = "") -> bool:
    """Whether the trust policy of a role lets the service ("lambda.amazonaws.com") assume it."""
    from cumulo.core.policy.authorization import authorize
    from cumulo.core.policy.condition_keys import Environment
    from cumulo.core.policy.principals import service as principal

    environment = Environment(lambda: 0.0, source_arn=source_arn, source_account=source_account)
    return authorize(
        principal(service), "sts:AssumeRole", role.arn, environment=environment, resource_policy=role.trust_policy,
        trust=True,
    ).allowed  # fmt: skip
