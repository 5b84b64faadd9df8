"""ListSecrets: the secrets of an account in a region, filtered, sorted and in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.services.identity.secretsmanager import secret_filters
from cumulo.services.identity.secretsmanager.errors import INVALID_NEXT_TOKEN
from cumulo.services.identity.secretsmanager.secret_records import SECRETS
from cumulo.services.identity.secretsmanager.secrets import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret
    from cumulo.stubs import secretsmanager as t

PAGE = 100

# In whole milliseconds, which page tokens can hold.
_ORDERS: dict[str, Callable[[Secret], int | str]] = {
    "created-date": lambda secret: int(secret.created_at * 1000),
    "last-accessed-date": lambda secret: int(secret.accessed_on * 1000),
    "last-changed-date": lambda secret: int(secret.changed_at * 1000),
    "name": lambda secret: secret.name,
}


def select(ctx: Context, request: Any, *, deleted: bool) -> list[Secret]:
    """The secrets that pass a request's filters, by name."""
    filters = request.get("Filters", [])
    secret_filters.check(filters)
    return [
        secret
        for secret in SECRETS.range(ctx)
        if (deleted or not secret.deleted_at) and secret_filters.matches(secret, filters)
    ]


@operation
def list_secrets(ctx: Context, request: t.ListSecretsRequest) -> t.ListSecretsResponse:
    order = _ORDERS[request.get("SortBy", "created-date")]
    descending = request.get("SortOrder", "asc") == "desc"

    def place(secret: Secret) -> tuple[int | str, str]:
        return order(secret), secret.name

    secrets = select(ctx, request, deleted=request.get("IncludePlannedDeletion", False))
    secrets.sort(key=place, reverse=descending)

    def fetch(after: Any, limit: int) -> list[Secret]:
        if after is None:
            return secrets[:limit]
        try:
            if descending:
                return [secret for secret in secrets if place(secret) < after][:limit]
            return [secret for secret in secrets if place(secret) > after][:limit]
        except TypeError:  # a token of another order
            raise INVALID_NEXT_TOKEN() from None

    found, token = paging.page(
        ctx,
        fetch,
        place,
        token=request.get("NextToken"),
        limit=request.get("MaxResults", PAGE),
        error=INVALID_NEXT_TOKEN(),
    )
    answer: t.ListSecretsResponse = {"SecretList": [_entry(secret) for secret in found]}
    if token:
        answer["NextToken"] = token
    return answer


def _entry(secret: Secret) -> Any:
    entry = shown(secret)
    stages: dict[str, list[str]] = {}
    for label, version_id in sorted(secret.stages.items()):
        stages.setdefault(version_id, []).append(label)
    if stages:
        entry["SecretVersionsToStages"] = stages
    return entry
