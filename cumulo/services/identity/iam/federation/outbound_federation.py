"""Outbound web identity federation: an account as an issuer of tokens about its own principals.

AWS's issuers live at https://<id>.tokens.sts.global.api.aws. Ours live on this cloud, so that whoever gets a token can
really fetch the issuer's keys and check it: <endpoint>/_cumulo/issuers/<id>.
Source: "Federating AWS identities to external services", "Understanding token claims" (IAM User Guide).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cumulo.core.callers.identities import FEDERATION_DISABLED
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.identity.iam.federation import json_web_tokens

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

PATH = "/_cumulo/issuers/"
DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/.well-known/jwks.json"
AWS_CLAIMS = "https://sts.amazonaws.com/"
ALGORITHMS = ("RS256", "ES384")

FEATURE_ENABLED = Error(
    "FeatureEnabledException", "Outbound web identity federation is already enabled for this account."
)
FEATURE_DISABLED = Error("FeatureDisabledException", "Outbound web identity federation is disabled for this account.")


class Issuer(Record):
    """An account's issuer. `keys` are its private keys in PEM, by algorithm."""

    account: str
    issuer_id: str
    url: str
    enabled: bool
    keys: dict[str, str] = {}


ISSUERS = Table(Issuer, name="iam.outbound_issuers", key="account", scope=GLOBAL, indexes={"by_id": ("issuer_id",)})


def _enabled(ctx: Context) -> Issuer | None:
    issuer = ISSUERS.peek(ctx, ctx.account)
    return issuer if issuer is not None and issuer.enabled else None


def _new_keys() -> dict[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    made: dict[str, Any] = {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
    }
    return {name: key.private_bytes(serialization.Encoding.PEM, *form).decode() for name, key in made.items()}


@operation
async def enable_outbound_web_identity_federation(
    ctx: Context, request: Any
) -> t.EnableOutboundWebIdentityFederationResponse:
    """Switch the issuer on; one that was there before comes back with its URL and its keys.

    It waits because keys take a while to make.
    """
    known = await ctx.transact(lambda ctx: ISSUERS.peek(ctx, ctx.account))
    keys = await ctx.in_thread(_new_keys) if known is None else {}

    def switch_on(ctx: Context) -> Issuer:
        issuer = ISSUERS.peek(ctx, ctx.account)
        if issuer is not None and issuer.enabled:
            raise FEATURE_ENABLED()
        if issuer is None:
            issuer_id = ctx.uuid()
            issuer = Issuer(ctx.account, issuer_id, f"{ctx.endpoint}{PATH}{issuer_id}", True, keys)
        issuer.enabled = True
        ISSUERS.put(ctx, issuer)
        return issuer

    return {"IssuerIdentifier": (await ctx.transact(switch_on)).url}


@operation
def disable_outbound_web_identity_federation(ctx: Context, request: Any) -> None:
    """Switch the issuer off; tokens that it gave still hold, so its keys stay where they are."""
    issuer = _enabled(ctx)
    if issuer is None:
        raise FEATURE_DISABLED()
    issuer.enabled = False
    ISSUERS.put(ctx, issuer)


@operation
def get_outbound_web_identity_federation_info(
    ctx: Context, request: Any
) -> t.GetOutboundWebIdentityFederationInfoResponse:
    issuer = _enabled(ctx)
    if issuer is None:
        raise FEATURE_DISABLED()
    return {"IssuerIdentifier": issuer.url, "JwtVendingEnabled": True}


# --- tokens and keys -------------------------------------------------------------------------------


def _key_id(issuer: Issuer, algorithm: str) -> str:
    return f"{algorithm}-{issuer.issuer_id[:8]}"


def _key(issuer: Issuer, algorithm: str) -> Any:
    return _loaded(issuer.keys[algorithm])


@lru_cache(maxsize=64)
def _loaded(pem: str) -> Any:
    """A private key that was made here: nobody need check it again, which takes RSA 40 ms."""
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)


def token(ctx: Context, audience: list[str], algorithm: str, lasts_s: int, tags: dict[str, str]) -> str:
    """A JWT about the caller. Raises OutboundWebIdentityFederationDisabledException."""
    issuer = _enabled(ctx)
    if issuer is None:
        raise FEDERATION_DISABLED()
    principal, now = ctx.principal, int(ctx.now())
    known: dict[str, Any] = {
        "aws_account": ctx.account,
        "source_region": ctx.region,
        "principal_id": principal.policy_arn,
    }
    organization = ctx.runtime.policy_source.organization(ctx.account)
    if organization is not None:
        known["org_id"] = organization.id
    if principal.tags:
        known["principal_tags"] = principal.tags
    if tags:
        known["request_tags"] = tags
    claims = {
        "iss": issuer.url,
        "sub": principal.policy_arn,
        "aud": audience[0] if len(audience) == 1 else audience,
        "iat": now,
        "exp": now + lasts_s,
        "jti": ctx.uuid(),
        AWS_CLAIMS: known,
    }
    return json_web_tokens.sign(claims, algorithm, _key_id(issuer, algorithm), _key(issuer, algorithm))


def published(ctx: Context, path: str) -> dict[str, Any] | None:
    """What stands at a path of an issuer: its discovery document, or its keys. None where there is nothing."""
    issuer_id, slash, rest = path.removeprefix(PATH).partition("/")
    found = ISSUERS.range(ctx, issuer_id, index="by_id", limit=1)
    if not found or f"{slash}{rest}" not in (DISCOVERY, KEYS):
        return None
    issuer = found[0]
    if f"{slash}{rest}" == KEYS:
        keys = [
            json_web_tokens.public_key_document(
                _key(issuer, algorithm).public_key(), _key_id(issuer, algorithm), algorithm
            )
            for algorithm in ALGORITHMS
        ]
        return {"keys": keys}
    return {
        "issuer": issuer.url,
        "jwks_uri": issuer.url + KEYS,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "claims_supported": ["aud", "exp", "iat", "iss", "jti", "sub", AWS_CLAIMS],
    }
