"""The ways in which a request names a key: its id, its ARN, an alias, an alias's ARN."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.arns import Arn
from cumulo.services.identity.kms import aliases, aws_managed_keys, keys
from cumulo.services.identity.kms.errors import (
    ALIAS_NOT_FOUND,
    INVALID_ARN,
    INVALID_KEY_ID,
    INVALID_REGION,
    NOT_FOUND,
    NOT_REACHABLE,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

_KEY_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")


class Named(NamedTuple):
    """What a text names; `name` is a key id, or an alias with its prefix."""

    account: str
    name: str

    @property
    def is_alias(self) -> bool:
        """Whether it is an alias."""
        return self.name.startswith(aliases.PREFIX)


class Found(NamedTuple):
    """A key, and the alias by which it was asked for ("" when by itself)."""

    key: keys.Key
    alias: str


def read(ctx: Context, text: str, *, alias: bool = True) -> Named:
    """What the text names, or NotFoundException or InvalidArnException; aliases only where the operation takes them.

    Order and texts as AWS was seen to answer: an ARN of another region is not found, whatever it names.
    """
    account, name = ctx.account, text
    if text.startswith("arn:"):
        try:
            arn = Arn.parse(text)
        except ValueError:
            raise INVALID_ARN(arn=text) from None
        if arn.service != "kms" or arn.partition != ctx.partition:
            raise INVALID_ARN(arn=text)
        if arn.region != ctx.region:
            raise INVALID_REGION(region=arn.region)
        account, name = arn.account, arn.resource
        if name.startswith("key/"):
            name = name.removeprefix("key/")
            if name.startswith(aliases.PREFIX):
                raise INVALID_ARN(arn=text)
        elif not name.startswith(aliases.PREFIX):
            raise INVALID_ARN(arn=text)
    if name.startswith(aliases.PREFIX) and alias:
        return Named(account, name)
    if not _KEY_ID.fullmatch(name):
        raise INVALID_KEY_ID(key_id=text)
    return Named(account, name)


def find(ctx: Context, text: str, *, alias: bool = True, action: str = "") -> Found:
    """The key that the text names, not yet authorized, or its error.

    Who may not even know whether there is such a key is answered AccessDeniedException.
    """
    named = read(ctx, text, alias=alias)
    key_id = named.name
    if named.is_alias:
        found = aliases.ALIASES.peek(ctx, named.name, account=named.account)
        if found is None:
            key = _managed(ctx, named)
            if key is not None:
                return Found(key, named.name)
            arn = aliases.arn_of(named.account, ctx.region, named.name)
            _check_may_know(ctx, named, arn, action)
            raise ALIAS_NOT_FOUND(arn=arn)
        key_id = found.key_id
    key = keys.peek(ctx, named.account, ctx.region, key_id)
    if key is None:
        arn = keys.arn_of(named.account, ctx.region, key_id)
        _check_may_know(ctx, named, arn, action)
        raise NOT_FOUND(arn=arn)
    return Found(key, named.name if named.is_alias else "")


def _managed(ctx: Context, named: Named) -> keys.Key | None:
    if named.account != ctx.account or not named.name.startswith(aliases.AWS_PREFIX):
        return None
    return aws_managed_keys.make(ctx, named.name)


def _check_may_know(ctx: Context, named: Named, arn: str, action: str) -> None:
    """In its own account a caller learns what is not there if its own policies allow the action."""
    name = f"kms:{action or ctx.operation}"
    if named.account != ctx.account and not ctx.internal:
        ctx.authorized = True
        raise NOT_REACHABLE(principal=ctx.principal.arn, action=name, what="this resource")
    ctx.authorize(arn, action=name)
