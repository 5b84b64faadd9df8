"""Roles: to become somebody else for a while.

The order of checks: the role and its trust policy, then durations, tags and policies, as AWS does it: a caller who is
not trusted learns nothing about the role.
Source: "Methods to assume a role", "Role chaining" (IAM User Guide); AssumeRole (STS API Reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cumulo.core.arns import Arn
from cumulo.core.callers import credentials
from cumulo.core.callers.identities import Role
from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.policy.principals import Principal, PrincipalKind
from cumulo.services.identity.sts import sessions
from cumulo.services.identity.sts.session_policies import session_policies
from cumulo.services.identity.sts.session_tags import merged, session_tags

if TYPE_CHECKING:
    from cumulo.core.callers.credentials import AccessKey
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t

DEFAULT_ROLE_SESSION_S = 3600
CHAINED_SESSION_S = 3600
CHAIN_TOO_LONG = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
TOO_LONG = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."


OUTSIDERS = (PrincipalKind.ANONYMOUS, PrincipalKind.WEB_IDENTITY, PrincipalKind.SAML)


class Wish:
    """What a request wants of a role's session, whichever way it came."""

    __slots__ = ("duration_s", "inherited", "issuer_keys", "mfa_at", "name", "source_identity", "tags", "transitive")

    def __init__(self, name: str, duration_s: int | None) -> None:
        self.name = name
        self.duration_s = duration_s
        self.tags: dict[str, str] = {}
        self.transitive: list[str] = []
        self.inherited: dict[str, str] = {}
        self.source_identity = ""
        self.mfa_at: int | None = None
        self.issuer_keys: list[str] = []


@operation(unsupported=("ProvidedContexts",))
def assume_role(ctx: Context, request: t.AssumeRoleRequest) -> t.AssumeRoleResponse:
    """A session of a role that trusts the caller.

    AWS refuses root users here. The free local keys are root users only for want of a better name, so they may
    assume roles of accounts that trust theirs; an issued root key may not.
    """
    key = sessions.caller_key(ctx)
    if key is not None and ctx.principal.kind is PrincipalKind.ROOT:
        raise sessions.ACCESS_DENIED("Roles may not be assumed by root accounts.")
    if ctx.principal.kind is PrincipalKind.FEDERATED:
        raise sessions.ACCESS_DENIED("Cannot call AssumeRole with federation token credentials")
    role = _role(ctx, request["RoleArn"], "AssumeRole")
    wish = _wish(ctx, request, key)
    ctx.principal = _with_mfa(ctx.principal, wish.mfa_at)
    given = {
        "sts:ExternalId": request.get("ExternalId"),
        "sts:RoleSessionName": wish.name,
        "sts:SourceIdentity": wish.source_identity or None,
        "sts:TransitiveTagKeys": wish.transitive or None,
    }
    _trusted(ctx, role, wish, given, set_source_identity="SourceIdentity" in request)
    chained = key is not None and key.kind == PrincipalKind.ROLE.value
    answer: t.AssumeRoleResponse = _session(ctx, request, role, wish, chained=chained)
    return answer


def _wish(ctx: Context, request: Any, key: AccessKey | None) -> Wish:
    wish = Wish(request["RoleSessionName"], request.get("DurationSeconds"))
    if key is not None:
        wish.inherited = {name: key.tags[name] for name in key.transitive_keys if name in key.tags}
        wish.source_identity = key.source_identity
        wish.mfa_at = key.mfa_at
        wish.issuer_keys = [key.access_key_id, *key.issuer_keys]
    wish.transitive = request.get("TransitiveTagKeys", [])
    wish.tags = session_tags(request.get("Tags", []), wish.transitive, wish.inherited)
    wanted = request.get("SourceIdentity", "")
    if wanted:
        if wish.source_identity and wish.source_identity != wanted:
            message = "The source identity of a session cannot be changed once it is set."
            raise sessions.ACCESS_DENIED(message)
        wish.source_identity = wanted
    checked_at = sessions.check_mfa(ctx, request)
    wish.mfa_at = checked_at if checked_at is not None else wish.mfa_at
    return wish


def _with_mfa(principal: Principal, mfa_at: int | None) -> Principal:
    if mfa_at is None or principal.mfa_at == mfa_at:
        return principal
    # The MFA keys belong to temporary credentials: for the trust policy the caller counts as having such.
    issued_at = principal.token_issued_at if principal.token_issued_at is not None else float(mfa_at)
    return replace(principal, mfa_at=float(mfa_at), token_issued_at=issued_at)


def _role(ctx: Context, arn: str, operation: str) -> Role:
    """The role; a missing one is denied like one that does not trust the caller."""
    try:
        parsed = Arn.parse(arn)
        if parsed.service != "iam" or not parsed.resource.startswith("role/") or len(parsed.account) != 12:
            raise ValueError(arn)
    except ValueError:
        raise sessions.VALIDATION_ERROR(f"{arn} is invalid") from None
    role = ctx.runtime.identities.find_role(ctx, arn)
    if role is None:
        if ctx.principal.kind in OUTSIDERS:
            raise sessions.ACCESS_DENIED(f"Not authorized to perform sts:{operation}")
        message = f"User: {ctx.principal.arn} is not authorized to perform: sts:{operation} on resource: {arn}"
        raise sessions.ACCESS_DENIED(message)
    return role


def _trusted(ctx: Context, role: Role, wish: Wish, given: dict[str, Any], *, set_source_identity: bool) -> None:
    """Ask the trust policy, once for each thing that the request does."""
    actions: list[str | None] = [None]
    if wish.tags or wish.inherited:
        actions.append("sts:TagSession")
    if set_source_identity or wish.source_identity:
        actions.append("sts:SetSourceIdentity")
    present = {name: value for name, value in given.items() if value is not None}
    for action in actions:
        try:
            ctx.authorize(
                role.arn, policy=role.trust_policy, tags=role.tags, action=action, context=present, trust=True
            )
        except Fault as fault:
            if fault.code != "AccessDenied" or ctx.principal.kind not in OUTSIDERS:
                raise
            # Observed in AWS's answers: somebody from outside is told neither who they are nor what the role is.
            raise sessions.ACCESS_DENIED(f"Not authorized to perform {action or f'sts:{ctx.operation}'}") from None


def _session(ctx: Context, request: Any, role: Role, wish: Wish, *, chained: bool = False) -> Any:
    duration_s = DEFAULT_ROLE_SESSION_S if wish.duration_s is None else wish.duration_s
    if chained and duration_s > CHAINED_SESSION_S:
        raise sessions.VALIDATION_ERROR(CHAIN_TOO_LONG)
    # The role's own limit "does not limit sessions assumed by AWS services": IAM User Guide, "Update the maximum
    # session duration for a role".
    if duration_s > role.max_session_s and ctx.principal.kind is not PrincipalKind.SERVICE:
        raise sessions.VALIDATION_ERROR(TOO_LONG)
    policies = session_policies(ctx, request, role.account, wish.tags)
    arn = f"arn:{ctx.partition}:sts::{role.account}:assumed-role/{role.name}/{wish.name}"
    user_id = f"{role.role_id}:{wish.name}"
    issued = credentials.issue(
        ctx,
        account=role.account,
        kind=PrincipalKind.ROLE,
        arn=arn,
        user_id=user_id,
        lasts_s=duration_s,
        token_size=request.get("MinimumSessionTokenSize", 0),
        name=wish.name,
        entity_arn=role.arn,
        tags=merged(role.tags, wish.inherited, wish.tags),
        transitive_keys=list(dict.fromkeys([*wish.inherited, *_spelled(wish)])),
        source_identity=wish.source_identity,
        mfa_at=wish.mfa_at,
        session_policies=policies.documents,
        session_policy_arns=policies.arns,
        issuer_keys=wish.issuer_keys[:8],
    )
    answer = sessions.answer(issued)
    answer["AssumedRoleUser"] = {"AssumedRoleId": user_id, "Arn": arn}
    if policies.percent is not None:
        answer["PackedPolicySize"] = policies.percent
    if wish.source_identity:
        answer["SourceIdentity"] = wish.source_identity
    return answer


def _spelled(wish: Wish) -> list[str]:
    """The transitive keys as the tags themselves spell them."""
    wanted = {key.lower() for key in wish.transitive}
    return [key for key in wish.tags if key.lower() in wanted]


@operation
async def assume_role_with_web_identity(
    ctx: Context, request: t.AssumeRoleWithWebIdentityRequest
) -> t.AssumeRoleWithWebIdentityResponse:
    """A session of a role for somebody whom an OpenID provider vouches for; the call itself is not signed.

    It waits for the provider's keys, if they are not known yet.
    """
    account, token = _account_of(request["RoleArn"]), request["WebIdentityToken"]
    await ctx.runtime.identities.learn_keys(ctx, account, token, request.get("ProviderId", ""))
    return await ctx.transact(lambda ctx: _web_identity_session(ctx, request, account, token))


def _web_identity_session(
    ctx: Context, request: t.AssumeRoleWithWebIdentityRequest, account: str, token: str
) -> t.AssumeRoleWithWebIdentityResponse:
    identity = ctx.runtime.identities.web_identity(ctx, account, token, request.get("ProviderId", ""))
    ctx.principal = Principal(
        PrincipalKind.WEB_IDENTITY,
        f"{identity.provider}:{identity.audience}:{identity.subject}",
        name=identity.subject,
        external_provider=identity.provider_arn,
    )
    role = _role(ctx, request["RoleArn"], "AssumeRoleWithWebIdentity")
    wish = Wish(request["RoleSessionName"], request.get("DurationSeconds"))
    wish.tags, wish.transitive = dict(identity.tags), list(identity.transitive_keys)
    wish.source_identity = identity.source_identity
    given = {
        **identity.conditions,
        f"{identity.provider}:sub": identity.subject,
        f"{identity.provider}:aud": identity.audience,
        "sts:RoleSessionName": wish.name,
    }
    _trusted(ctx, role, wish, given, set_source_identity=False)
    answer: t.AssumeRoleWithWebIdentityResponse = _session(ctx, request, role, wish)
    answer["SubjectFromWebIdentityToken"] = identity.subject
    answer["Provider"] = identity.provider_arn
    answer["Audience"] = identity.audience
    return answer


@operation
def assume_role_with_saml(ctx: Context, request: t.AssumeRoleWithSAMLRequest) -> t.AssumeRoleWithSAMLResponse:
    """A session of a role for somebody whom a SAML provider vouches for; the call itself is not signed."""
    identity = ctx.runtime.identities.saml_identity(ctx, request["PrincipalArn"], request["SAMLAssertion"])
    ctx.principal = Principal(
        PrincipalKind.SAML, identity.subject, name=identity.session_name, external_provider=identity.provider_arn
    )
    if request["RoleArn"] not in identity.role_arns:
        raise sessions.ACCESS_DENIED("Not authorized to perform sts:AssumeRoleWithSAML")
    role = _role(ctx, request["RoleArn"], "AssumeRoleWithSAML")
    wish = Wish(identity.session_name, request.get("DurationSeconds", identity.duration_s))
    wish.tags, wish.transitive = dict(identity.tags), list(identity.transitive_keys)
    wish.source_identity = identity.source_identity
    given = {
        **identity.conditions,
        "saml:sub": identity.subject,
        "saml:sub_type": identity.subject_type,
        "saml:iss": identity.issuer,
        "saml:aud": identity.audience,
        "saml:namequalifier": identity.name_qualifier,
        "sts:RoleSessionName": wish.name,
    }
    _trusted(ctx, role, wish, given, set_source_identity=False)
    answer: t.AssumeRoleWithSAMLResponse = _session(ctx, request, role, wish)
    answer["Subject"] = identity.subject
    answer["SubjectType"] = identity.subject_type
    answer["Issuer"] = identity.issuer
    answer["Audience"] = identity.audience
    answer["NameQualifier"] = identity.name_qualifier
    return answer


def _account_of(arn: str) -> str:
    try:
        return Arn.parse(arn).account
    except ValueError:
        raise sessions.VALIDATION_ERROR(f"{arn} is invalid") from None
