"""SAML providers: whose assertions an account believes.

Source: "Create a SAML identity provider in IAM" (IAM User Guide); CreateSAMLProvider (API Reference). Encrypted
assertions are refused by name, and with them the private keys that would open them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import permissions, unique_ids
from cumulo.services.identity.iam.errors import BAD_ARN, INVALID_INPUT, LIMIT_EXCEEDED
from cumulo.services.identity.iam.federation import saml_metadata
from cumulo.services.identity.iam.tag_rules import check_tags, laid_over, listed_tags, shown_tags, without

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

QUOTA = 100
FOREVER_S = 100 * 365.25 * 86_400

NO_PROVIDER = Error("NoSuchEntityException", "Manifest not found for arn {arn}")
PROVIDER_EXISTS = Error("EntityAlreadyExistsException", "SAMLProvider with name {name} already exists.")


class SAMLProvider(Record):
    """One provider and its metadata document. `valid_until` is the document's, else a hundred years from its upload."""

    name: str
    provider_id: str
    metadata: str
    created_at: float
    valid_until: float
    tags: dict[str, str] = {}


SAML_PROVIDERS = Table(SAMLProvider, name="iam.saml_providers", key="name", scope=ACCOUNT)


def name_in(arn: str) -> tuple[str, str]:
    """(account, name) in a provider's ARN. Raises ValidationError."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "iam" or not parts[5].startswith("saml-provider/"):
        raise BAD_ARN()
    return parts[4], parts[5].partition("/")[2]


def _get(ctx: Context, arn: str) -> SAMLProvider:
    account, name = name_in(arn)
    provider = SAML_PROVIDERS.peek(ctx, name) if account == ctx.account else None
    permissions.ask(ctx, arn, tags=provider.tags if provider is not None else None)
    if provider is None:
        raise NO_PROVIDER(arn=arn)
    return provider


def _valid_until(document: str, now: float) -> float:
    try:
        parsed = saml_metadata.parse(document)
    except saml_metadata.Unreadable:
        raise INVALID_INPUT("Could not parse metadata") from None
    return parsed.valid_until if parsed.valid_until is not None else now + FOREVER_S


def _arn(ctx: Context, name: str) -> str:
    return permissions.arn_of(ctx, "saml-provider", "/", name)


@operation(unsupported=("AssertionEncryptionMode", "AddPrivateKey"))
def create_saml_provider(ctx: Context, request: t.CreateSAMLProviderRequest) -> t.CreateSAMLProviderResponse:
    name = request["Name"]
    permissions.ask(ctx, _arn(ctx, name))
    tags = check_tags(request.get("Tags"))
    now = ctx.now()
    valid_until = _valid_until(request["SAMLMetadataDocument"], now)
    if SAML_PROVIDERS.peek(ctx, name) is not None:
        raise PROVIDER_EXISTS(name=name)
    if len(SAML_PROVIDERS.range(ctx, limit=QUOTA)) >= QUOTA:
        raise LIMIT_EXCEEDED(quota="SAMLProvidersPerAccount", limit=QUOTA)
    provider_id = unique_ids.new_unique_id(ctx, "ASPA") + unique_ids.new_unique_id(ctx, "")[:5]
    provider = SAMLProvider(name, provider_id, request["SAMLMetadataDocument"], now, valid_until, tags)
    SAML_PROVIDERS.put(ctx, provider)
    answer: t.CreateSAMLProviderResponse = {"SAMLProviderArn": _arn(ctx, name)}
    if tags:
        answer["Tags"] = shown_tags(tags)
    return answer


@operation
def get_saml_provider(ctx: Context, request: t.GetSAMLProviderRequest) -> t.GetSAMLProviderResponse:
    provider = _get(ctx, request["SAMLProviderArn"])
    return {
        "SAMLProviderUUID": provider.provider_id,
        "SAMLMetadataDocument": provider.metadata,
        "CreateDate": provider.created_at,
        "ValidUntil": provider.valid_until,
        "Tags": shown_tags(provider.tags),
    }


@operation
def list_saml_providers(ctx: Context, request: Any) -> t.ListSAMLProvidersResponse:
    listed: list[t.SAMLProviderListEntry] = [
        {"Arn": _arn(ctx, each.name), "ValidUntil": each.valid_until, "CreateDate": each.created_at}
        for each in SAML_PROVIDERS.range(ctx)
    ]
    return {"SAMLProviderList": listed}


@operation(unsupported=("AssertionEncryptionMode", "AddPrivateKey", "RemovePrivateKey"))
def update_saml_provider(ctx: Context, request: t.UpdateSAMLProviderRequest) -> t.UpdateSAMLProviderResponse:
    provider = _get(ctx, request["SAMLProviderArn"])
    if "SAMLMetadataDocument" in request:
        provider.valid_until = _valid_until(request["SAMLMetadataDocument"], ctx.now())
        provider.metadata = request["SAMLMetadataDocument"]
        SAML_PROVIDERS.put(ctx, provider)
    return {"SAMLProviderArn": request["SAMLProviderArn"]}


@operation
def delete_saml_provider(ctx: Context, request: t.DeleteSAMLProviderRequest) -> None:
    SAML_PROVIDERS.delete(ctx, _get(ctx, request["SAMLProviderArn"]))


@operation
def tag_saml_provider(ctx: Context, request: t.TagSAMLProviderRequest) -> None:
    provider = _get(ctx, request["SAMLProviderArn"])
    provider.tags = laid_over(provider.tags, request["Tags"], "TagsPerSAMLProvider")
    SAML_PROVIDERS.put(ctx, provider)


@operation
def untag_saml_provider(ctx: Context, request: t.UntagSAMLProviderRequest) -> None:
    provider = _get(ctx, request["SAMLProviderArn"])
    provider.tags = without(provider.tags, request["TagKeys"])
    SAML_PROVIDERS.put(ctx, provider)


@operation
def list_saml_provider_tags(ctx: Context, request: t.ListSAMLProviderTagsRequest) -> t.ListSAMLProviderTagsResponse:
    answer: t.ListSAMLProviderTagsResponse = listed_tags(ctx, _get(ctx, request["SAMLProviderArn"]).tags, request)
    return answer
