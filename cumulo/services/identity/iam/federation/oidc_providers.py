"""OpenID Connect providers: whose tokens an account believes, for which clients.

Source: "Create an OpenID Connect (OIDC) identity provider in IAM" (IAM User Guide); CreateOpenIDConnectProvider.
One deviation: a provider on this very machine may be named with http.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import permissions
from cumulo.services.identity.iam.errors import INVALID_INPUT, LIMIT_EXCEEDED, VALIDATION_ERROR
from cumulo.services.identity.iam.federation import provider_connections
from cumulo.services.identity.iam.tag_rules import check_tags, laid_over, listed_tags, shown_tags, without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

QUOTA = 100
MOST_CLIENTS = 100
MOST_THUMBPRINTS = 5

NO_PROVIDER = Error("NoSuchEntityException", "OpenIDConnect Provider not found for arn {arn}")
PROVIDER_EXISTS = Error("EntityAlreadyExistsException", "Provider with url {url} already exists.")
UNREACHABLE = Error("OpenIdIdpCommunicationErrorException", "Please check the URL and try again: {reason}")


class OpenIDConnectProvider(Record):
    """One provider. `url` is without its scheme, which is https but for one on this machine."""

    url: str
    created_at: float
    clients: list[str] = []
    thumbprints: list[str] = []
    tags: dict[str, str] = {}
    scheme: str = "https"


OIDC_PROVIDERS = Table(OpenIDConnectProvider, name="iam.oidc_providers", key="url", scope=ACCOUNT)


def arn_of(ctx: Context, url: str, account: str = "") -> str:
    """The ARN of the provider with this URL (without scheme)."""
    return f"arn:{ctx.partition}:iam::{account or ctx.account}:oidc-provider/{url}"


def _get(ctx: Context, arn: str) -> OpenIDConnectProvider:
    head, slash, url = arn.partition(":oidc-provider/")
    if not slash or head.count(":") != 4 or not arn.startswith("arn:"):
        raise VALIDATION_ERROR("Invalid ARN:  Could not be parsed!")
    provider = OIDC_PROVIDERS.peek(ctx, url) if head.endswith(f":{ctx.account}") else None
    permissions.ask(ctx, arn, tags=provider.tags if provider is not None else None)
    if provider is None:
        raise NO_PROVIDER(arn=arn)
    return provider


def _check_url(url: str) -> tuple[str, str]:
    """(scheme, URL without it). Raises ValidationError."""
    parts = urlsplit(url)
    local = provider_connections.is_local(parts.hostname or "")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise VALIDATION_ERROR("Invalid Open ID Connect Provider URL")
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise VALIDATION_ERROR("Invalid Open ID Connect Provider URL")
    return parts.scheme, url.partition("://")[2]


def _check_thumbprints(thumbprints: Sequence[str]) -> list[str]:
    if len(thumbprints) > MOST_THUMBPRINTS:
        raise INVALID_INPUT("Thumbprint list must contain fewer than 5 entries.")
    for each in thumbprints:
        if any(letter not in "0123456789abcdefABCDEF" for letter in each):
            raise VALIDATION_ERROR(f"Invalid thumbprint {each}: it must be a hexadecimal SHA-1 hash")
    return list(thumbprints)


def _check_clients(clients: Sequence[str]) -> list[str]:
    if len(clients) > MOST_CLIENTS:
        raise LIMIT_EXCEEDED(quota="ClientIdsPerOpenIdConnectProvider", limit=MOST_CLIENTS)
    return list(dict.fromkeys(clients))


@operation
async def create_open_id_connect_provider(
    ctx: Context, request: t.CreateOpenIDConnectProviderRequest
) -> t.CreateOpenIDConnectProviderResponse:
    """A provider. Without thumbprints IAM asks the provider's own server for its certificate, as AWS does."""
    scheme, url = _check_url(request["Url"])
    clients = _check_clients(request.get("ClientIDList", []))
    thumbprints = _check_thumbprints(request.get("ThumbprintList", []))
    tags = check_tags(request.get("Tags"))
    arn = arn_of(ctx, url)

    def admit(ctx: Context) -> None:
        permissions.ask(ctx, arn)
        if OIDC_PROVIDERS.peek(ctx, url) is not None:
            raise PROVIDER_EXISTS(url=request["Url"])
        if len(OIDC_PROVIDERS.range(ctx, limit=QUOTA)) >= QUOTA:
            raise LIMIT_EXCEEDED(quota="OpenIdConnectProvidersPerAccount", limit=QUOTA)

    await ctx.transact(admit)
    if not thumbprints and scheme == "https":
        try:
            thumbprints = [await provider_connections.thumbprint(request["Url"])]
        except provider_connections.Unreachable as error:
            raise UNREACHABLE(reason=error) from None

    def keep(ctx: Context) -> None:
        admit(ctx)
        OIDC_PROVIDERS.put(ctx, OpenIDConnectProvider(url, ctx.now(), clients, thumbprints, tags, scheme))

    await ctx.transact(keep)
    answer: t.CreateOpenIDConnectProviderResponse = {"OpenIDConnectProviderArn": arn}
    if tags:
        answer["Tags"] = shown_tags(tags)
    return answer


@operation
def get_open_id_connect_provider(
    ctx: Context, request: t.GetOpenIDConnectProviderRequest
) -> t.GetOpenIDConnectProviderResponse:
    provider = _get(ctx, request["OpenIDConnectProviderArn"])
    return {
        "Url": provider.url,
        "ClientIDList": provider.clients,
        "ThumbprintList": provider.thumbprints,
        "CreateDate": provider.created_at,
        "Tags": shown_tags(provider.tags),
    }


@operation
def list_open_id_connect_providers(ctx: Context, request: Any) -> t.ListOpenIDConnectProvidersResponse:
    return {"OpenIDConnectProviderList": [{"Arn": arn_of(ctx, each.url)} for each in OIDC_PROVIDERS.range(ctx)]}


@operation
def add_client_id_to_open_id_connect_provider(
    ctx: Context, request: t.AddClientIDToOpenIDConnectProviderRequest
) -> None:
    """One more client; a client that is there already is no error."""
    provider = _get(ctx, request["OpenIDConnectProviderArn"])
    provider.clients = _check_clients([*provider.clients, request["ClientID"]])
    OIDC_PROVIDERS.put(ctx, provider)


@operation
def remove_client_id_from_open_id_connect_provider(
    ctx: Context, request: t.RemoveClientIDFromOpenIDConnectProviderRequest
) -> None:
    """One client less; a client that is not there is no error."""
    provider = _get(ctx, request["OpenIDConnectProviderArn"])
    provider.clients = [each for each in provider.clients if each != request["ClientID"]]
    OIDC_PROVIDERS.put(ctx, provider)


@operation
def update_open_id_connect_provider_thumbprint(
    ctx: Context, request: t.UpdateOpenIDConnectProviderThumbprintRequest
) -> None:
    provider = _get(ctx, request["OpenIDConnectProviderArn"])
    provider.thumbprints = _check_thumbprints(request["ThumbprintList"])
    OIDC_PROVIDERS.put(ctx, provider)


@operation
def delete_open_id_connect_provider(ctx: Context, request: t.DeleteOpenIDConnectProviderRequest) -> None:
    """Delete a provider; AWS calls this idempotent, but answers NoSuchEntity for one that is not there."""
    OIDC_PROVIDERS.delete(ctx, _get(ctx, request["OpenIDConnectProviderArn"]))


@operation
def tag_open_id_connect_provider(ctx: Context, request: t.TagOpenIDConnectProviderRequest) -> None:
    provider = _get(ctx, request["OpenIDConnectProviderArn"])
    provider.tags = laid_over(provider.tags, request["Tags"], "TagsPerOpenIDConnectProvider")
    OIDC_PROVIDERS.put(ctx, provider)


@operation
def untag_open_id_connect_provider(ctx: Context, request: t.UntagOpenIDConnectProviderRequest) -> None:
    provider = _get(ctx, request["OpenIDConnectProviderArn"])
    provider.tags = without(provider.tags, request["TagKeys"])
    OIDC_PROVIDERS.put(ctx, provider)


@operation
def list_open_id_connect_provider_tags(
    ctx: Context, request: t.ListOpenIDConnectProviderTagsRequest
) -> t.ListOpenIDConnectProviderTagsResponse:
    provider = _get(ctx, request["OpenIDConnectProviderArn"])
    answer: t.ListOpenIDConnectProviderTagsResponse = listed_tags(ctx, provider.tags, request)
    return answer
