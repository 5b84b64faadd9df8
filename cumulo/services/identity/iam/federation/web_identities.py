"""Web identities: whether an OpenID token holds, and what it says. For sts:AssumeRoleWithWebIdentity.

The keys of a provider are fetched from its discovery document before the call's transaction begins (`learn_keys`), kept
in memory for an hour of cloud time, and fetched again for a token that names another key.
Sources: AssumeRoleWithWebIdentity (STS API Reference), "Troubleshooting": the errors; "Pass session tags in AWS STS",
"Passing session tags using AssumeRoleWithWebIdentity"; "Available keys for AWS OIDC federation" (IAM User Guide).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.callers.identities import INVALID_IDENTITY_TOKEN, WebIdentity, issuer_of
from cumulo.core.errors import Error, not_implemented
from cumulo.services.identity.iam.federation import json_web_tokens, provider_connections
from cumulo.services.identity.iam.federation.oidc_providers import OIDC_PROVIDERS, OpenIDConnectProvider, arn_of

if TYPE_CHECKING:
    from cumulo.core.context import Context

KEEP_KEYS_S = 3600
CLOCK_SKEW_S = 300

EXPIRED = Error("ExpiredTokenException", status=400)
NO_KEYS = (
    "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
    "documentation for requirements"
)
WRONG_THUMBPRINT = "OpenIDConnect provider's HTTPS certificate doesn't match configured thumbprint"
NO_PROVIDER = "No OpenIDConnect provider found in your account for {issuer}"
TAGS = "https://aws.amazon.com/tags"
SOURCE_IDENTITY = "https://aws.amazon.com/source_identity"

# Known to AWS itself: needs no provider in the account. Source: "OIDC federation", the public providers.
BUILT_IN = ("accounts.google.com",)


class _Keys(msgspec.Struct):
    fetched_at: float
    keys: list[dict[str, Any]]
    problem: str = ""


_known: dict[tuple[str, ...], _Keys] = {}  # by URL and thumbprints


def forget_keys() -> None:
    """Fetch every provider's keys anew when they are next needed."""
    _known.clear()


def _without_scheme(issuer: str) -> str:
    return issuer.partition("://")[2] or issuer


def _provider(ctx: Context, account: str, issuer: str) -> OpenIDConnectProvider:
    url = _without_scheme(issuer)
    # An issuer and a provider that differ in a slash at the end are the same to AWS.
    for name in (url, url.rstrip("/"), f"{url}/"):
        found = OIDC_PROVIDERS.peek(ctx, name, account=account)
        if found is not None:
            return found
    if url in BUILT_IN:
        return OpenIDConnectProvider(url, 0)
    raise INVALID_IDENTITY_TOKEN(NO_PROVIDER.format(issuer=issuer))


def _place(provider: OpenIDConnectProvider) -> tuple[str, ...]:
    return (f"{provider.scheme}://{provider.url}", *sorted(provider.thumbprints))


async def learn_keys(ctx: Context, account: str, text: str, provider_id: str) -> None:
    """Make sure that the keys for this token are at hand, if they are to be had. Raises what `verify` raises."""
    if provider_id:
        return
    issuer = issuer_of(text)
    provider = await ctx.transact(lambda ctx: _provider(ctx, account, issuer))
    where = _place(provider)
    known = _known.get(where)
    fresh = known is not None and not known.problem and ctx.now() - known.fetched_at < KEEP_KEYS_S
    try:
        wanted = json_web_tokens.parse(text).header.get("kid")
    except json_web_tokens.Malformed:
        return
    if known is not None and fresh and (wanted is None or any(key.get("kid") == wanted for key in known.keys)):
        return
    if len(_known) > 256:
        _known.clear()
    _known[where] = await _fetch(ctx, where[0], provider.thumbprints)


async def _fetch(ctx: Context, base: str, thumbprints: list[str]) -> _Keys:
    try:
        document = await provider_connections.get(base.rstrip("/") + "/.well-known/openid-configuration", thumbprints)
        found = msgspec.json.decode(document, type=dict[str, Any])
        where = found.get("jwks_uri")
        if not isinstance(where, str):
            return _Keys(ctx.now(), [], NO_KEYS)
        key_set = msgspec.json.decode(await provider_connections.get(where, thumbprints), type=dict[str, Any])
        keys = [key for key in key_set.get("keys", ()) if isinstance(key, dict)]
    except provider_connections.WrongThumbprint:
        return _Keys(ctx.now(), [], WRONG_THUMBPRINT)
    except (provider_connections.Unreachable, msgspec.DecodeError) as error:
        ctx.logger.warning("keys of %s: %s", base, error)
        return _Keys(ctx.now(), [], NO_KEYS)
    return _Keys(ctx.now(), keys)


def verify(ctx: Context, account: str, text: str, provider_id: str) -> WebIdentity:
    """What a token says, once it holds. Raises InvalidIdentityToken, ExpiredToken."""
    if provider_id:
        # OAuth 2.0 access tokens of www.amazon.com and graph.facebook.com: only their makers can check them.
        raise not_implemented("sts", "AssumeRoleWithWebIdentity", "ProviderId")
    issuer = issuer_of(text)
    provider = _provider(ctx, account, issuer)
    token = json_web_tokens.parse(text)
    _check_signature(provider, token)
    claims = token.claims
    _check_times(ctx, claims)
    audience = _audience(provider, claims)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        raise INVALID_IDENTITY_TOKEN("Missing a required claim: sub")
    name = provider.url
    tags, transitive = _session_tags(claims)
    source = claims.get(SOURCE_IDENTITY)
    return WebIdentity(
        provider_arn=name if name in BUILT_IN else arn_of(ctx, name, account),
        provider=name,
        subject=subject,
        audience=audience,
        tags=tags,
        transitive_keys=transitive,
        source_identity=source if isinstance(source, str) else "",
        conditions=_conditions(name, claims),
    )


def _check_signature(provider: OpenIDConnectProvider, token: json_web_tokens.Token) -> None:
    known = _known.get(_place(provider))
    if known is None or known.problem:
        raise INVALID_IDENTITY_TOKEN(known.problem if known is not None else NO_KEYS)
    try:
        json_web_tokens.verify(token, known.keys)
    except json_web_tokens.UnknownKey:
        raise INVALID_IDENTITY_TOKEN(NO_KEYS) from None
    except json_web_tokens.BadSignature:
        raise INVALID_IDENTITY_TOKEN("The ID Token's signature could not be verified.") from None


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise INVALID_IDENTITY_TOKEN(f"Missing a required claim: {name}")
    return float(value)


def _check_times(ctx: Context, claims: dict[str, Any]) -> None:
    now, expires_at = ctx.now(), _moment(claims, "exp")
    if expires_at <= now:
        message = (
            f"Token expired: current date/time {int(now)} must be before the expiration date/time {int(expires_at)}"
        )
        raise EXPIRED(message)
    begins_at = max(_moment(claims, "iat"), _moment(claims, "nbf") if "nbf" in claims else 0)
    if begins_at > now + CLOCK_SKEW_S:
        raise INVALID_IDENTITY_TOKEN("The ID Token is not valid yet.")


def _audience(provider: OpenIDConnectProvider, claims: dict[str, Any]) -> str:
    """The client that the token is for: the authorized party where it names one."""
    given = claims.get("aud")
    audiences = [given] if isinstance(given, str) else [each for each in given or () if isinstance(each, str)]
    party = claims.get("azp")
    wanted = [party, *audiences] if isinstance(party, str) else audiences
    if provider.url in BUILT_IN:
        found = next(iter(wanted), None)
    else:
        found = next((each for each in wanted if each in provider.clients), None)
    if found is None:
        raise INVALID_IDENTITY_TOKEN("Incorrect token audience")
    return found


def _conditions(provider: str, claims: dict[str, Any]) -> dict[str, Any]:
    """Further condition keys: amr, email, and for Google the audience beside the authorized party."""
    found: dict[str, Any] = {}
    methods = claims.get("amr")
    if isinstance(methods, list):
        found[f"{provider}:amr"] = [str(each) for each in methods]
    if isinstance(claims.get("email"), str):
        found[f"{provider}:email"] = claims["email"]
    if isinstance(claims.get("azp"), str) and isinstance(claims.get("aud"), str):
        found[f"{provider}:oaud"] = claims["aud"]
    return found


def _session_tags(claims: dict[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Session tags, from the nested claim or from the flattened ones; values come as lists of one."""
    nested = claims.get(TAGS)
    if isinstance(nested, dict):
        pairs = nested.get("principal_tags", {})
        transitive = nested.get("transitive_tag_keys", [])
    else:
        prefix = f"{TAGS}/principal_tags/"
        pairs = {name[len(prefix) :]: value for name, value in claims.items() if name.startswith(prefix)}
        transitive = claims.get(f"{TAGS}/transitive_tag_keys", [])
    tags: dict[str, str] = {}
    for key, value in pairs.items() if isinstance(pairs, dict) else ():
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str):
            tags[key] = first
    keys = tuple(str(each) for each in transitive) if isinstance(transitive, list) else ()
    return tags, keys
