"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases. Texts as AWS was seen to answer where they are not documented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.kms import aliases, conditions, key_ids, keys, pages, permissions
from cumulo.services.identity.kms.aliases import ALIASES, AWS_PREFIX, PREFIX, Alias
from cumulo.services.identity.kms.errors import (
    ALIAS_EXISTS,
    ALIAS_NOT_FOUND,
    INVALID_ALIAS_NAME,
    LIMIT_EXCEEDED,
    NOT_AUTHORIZED,
    VALIDATION,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

MAXIMUM_OF_A_KEY = 50  # Developer Guide, "Resource quotas"


def _checked_name(name: str) -> str:
    if not name.startswith(PREFIX):
        raise VALIDATION(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if name.startswith(AWS_PREFIX):
        raise NOT_AUTHORIZED()
    if name == PREFIX or ":" in name:
        raise INVALID_ALIAS_NAME("Invalid alias name")
    return name


def _allow_alias(ctx: Context, name: str) -> None:
    """The alias has no policy: what the caller's own policies say of it counts."""
    ctx.authorize(aliases.arn_of(ctx.account, ctx.region, name), context=conditions.of_caller(ctx))


def _target(ctx: Context, text: str) -> keys.Key:
    if PREFIX in text:
        raise VALIDATION("Aliases must refer to keys. Not aliases")
    key = permissions.get(ctx, text)
    keys.check_not_deleted(key)
    return key


@operation
def create_alias(ctx: Context, request: t.CreateAliasRequest) -> None:
    """A name for a key of this account and region."""
    name = _checked_name(request["AliasName"])
    _allow_alias(ctx, name)
    key = _target(ctx, request["TargetKeyId"])
    if ALIASES.peek(ctx, name) is not None:
        raise ALIAS_EXISTS(arn=aliases.arn_of(ctx.account, ctx.region, name))
    _check_room(ctx, key)
    now = ctx.now()
    ALIASES.put(ctx, Alias(name, key.key_id, now, now))


def _check_room(ctx: Context, key: keys.Key) -> None:
    if len(aliases.of_key(ctx, key.account, key.region, key.key_id)) >= MAXIMUM_OF_A_KEY:
        raise LIMIT_EXCEEDED(f"The key {key.arn} has {MAXIMUM_OF_A_KEY} aliases, which is the limit.")


@operation
def update_alias(ctx: Context, request: t.UpdateAliasRequest) -> None:
    """Let the alias name another key of the same type and usage; both keys' policies must allow it."""
    name = _checked_name(request["AliasName"])
    _allow_alias(ctx, name)
    alias = ALIASES.peek(ctx, name)
    if alias is None:
        raise ALIAS_NOT_FOUND(arn=aliases.arn_of(ctx.account, ctx.region, name))
    before = keys.peek(ctx, ctx.account, ctx.region, alias.key_id)
    if before is not None:
        permissions.allow(ctx, before)
    key = _target(ctx, request["TargetKeyId"])
    if before is not None and (_kind(before), before.usage) != (_kind(key), key.usage):
        raise VALIDATION(
            f"Alias {name} cannot name {key.key_id} in place of {before.key_id}: their types or usages differ."
        )
    if alias.key_id != key.key_id:
        _check_room(ctx, key)
    alias.key_id, alias.updated_at = key.key_id, ctx.now()
    ALIASES.put(ctx, alias)


def _kind(key: keys.Key) -> str:
    """Symmetric, asymmetric or HMAC: what both keys of an UpdateAlias must share (API reference)."""
    return "symmetric" if key.symmetric else "asymmetric" if key.public else key.spec.partition("_")[0]


@operation
def delete_alias(ctx: Context, request: t.DeleteAliasRequest) -> None:
    """Drop the name; the key stays."""
    name = _checked_name(request["AliasName"])
    _allow_alias(ctx, name)
    alias = ALIASES.peek(ctx, name)
    if alias is None:
        raise ALIAS_NOT_FOUND(arn=aliases.arn_of(ctx.account, ctx.region, name))
    key = keys.peek(ctx, ctx.account, ctx.region, alias.key_id)
    if key is not None:
        permissions.allow(ctx, key)
    ALIASES.delete(ctx, alias)


@operation(conditions=conditions.of_caller)
def list_aliases(ctx: Context, request: t.ListAliasesRequest) -> t.ListAliasesResponse:
    """All aliases of the account and region, or those of one key."""
    key_id = ""
    if "KeyId" in request:
        key_id = key_ids.find(ctx, request["KeyId"], alias=False).key.key_id

    def fetch(after: Any, limit: int) -> list[Alias]:
        if key_id:
            return ALIASES.range(ctx, key_id, index="by_key", after=after, limit=limit)
        return ALIASES.range(ctx, after=after, limit=limit)

    def place(alias: Alias) -> tuple[str, ...]:
        return (alias.key_id, alias.name) if key_id else (alias.name,)

    found, more = pages.page(ctx, request, fetch, place, default=50)
    entries: list[Any] = [
        {
            "AliasName": alias.name,
            "AliasArn": aliases.arn_of(ctx.account, ctx.region, alias.name),
            "TargetKeyId": alias.key_id,
            "CreationDate": alias.created_at,
            "LastUpdatedDate": alias.updated_at,
        }
        for alias in found
    ]
    return {"Aliases": entries, **more}  # type: ignore[typeddict-item]
