"""Tags of secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import tags as rules
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.services.identity.secretsmanager import replication
from cumulo.services.identity.secretsmanager.errors import INVALID_PARAMETER
from cumulo.services.identity.secretsmanager.secret_records import find

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import secretsmanager as t

_INVALID = Error("InvalidParameterException", "The tag keys or values are not valid: see the rules of tagging.")
_TOO_MANY = Error("InvalidParameterException", "A secret can have at most 50 tags.")


def given(tags: list[t.Tag] | None) -> dict[str, str]:
    """The tags of a request, checked; a key twice is refused."""
    found = {tag.get("Key", ""): tag.get("Value", "") for tag in tags or ()}
    if len(found) != len(tags or ()):
        raise INVALID_PARAMETER("Duplicate tag keys are not allowed.")
    rules.check(found, invalid=_INVALID, too_many=_TOO_MANY)
    return found


@operation
def tag_resource(ctx: Context, request: t.TagResourceRequest) -> None:
    secret = find(ctx, request["SecretId"], primary=True, account_replicas=True)
    secret.tags = {**secret.tags, **given(request["Tags"])}
    rules.check(secret.tags, invalid=_INVALID, too_many=_TOO_MANY)
    secret.changed_at = ctx.now()
    replication.keep(ctx, secret)


@operation
def untag_resource(ctx: Context, request: t.UntagResourceRequest) -> None:
    keys = request["TagKeys"]
    secret = find(ctx, request["SecretId"], context={"aws:TagKeys": keys or None}, primary=True, account_replicas=True)
    secret.tags = rules.without(secret.tags, keys)
    secret.changed_at = ctx.now()
    replication.keep(ctx, secret)
