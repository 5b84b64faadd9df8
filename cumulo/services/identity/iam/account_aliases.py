"""Account aliases: one name for an account, in place of its number, that no other account has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, GLOBAL, Record, Table
from cumulo.services.identity.iam.errors import ENTITY_ALREADY_EXISTS, NO_SUCH_ENTITY

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


class AccountAlias(Record):
    """Who has this alias."""

    alias: str
    account: str


class AliasOfAccount(Record):
    """The alias that an account has; there is one at most."""

    name: str
    alias: str


ACCOUNT_ALIASES = Table(AccountAlias, name="iam.account_aliases", key="alias", scope=GLOBAL)
ALIASES_OF_ACCOUNTS = Table(AliasOfAccount, name="iam.aliases_of_accounts", key="name", scope=ACCOUNT)


def alias_of(ctx: Context) -> str:
    """The caller's account's alias, "" without."""
    kept = ALIASES_OF_ACCOUNTS.peek(ctx, "alias")
    return kept.alias if kept is not None else ""


@operation
def create_account_alias(ctx: Context, request: t.CreateAccountAliasRequest) -> None:
    """Take the alias; one that the account had before is given up.

    Source: "Creating, deleting, and listing an AWS account alias" (IAM User Guide): a new alias overwrites the old.
    """
    alias = request["AccountAlias"]
    if ACCOUNT_ALIASES.peek(ctx, alias) is not None:
        raise ENTITY_ALREADY_EXISTS(f"The account alias {alias} already exists.")
    before = alias_of(ctx)
    if before:
        ACCOUNT_ALIASES.delete(ctx, AccountAlias(before, ctx.account))
    ACCOUNT_ALIASES.put(ctx, AccountAlias(alias, ctx.account))
    ALIASES_OF_ACCOUNTS.put(ctx, AliasOfAccount("alias", alias))


@operation
def list_account_aliases(ctx: Context, request: t.ListAccountAliasesRequest) -> t.ListAccountAliasesResponse:
    """The alias, if there is one: there is no second page, so neither `Marker` nor `MaxItems` changes anything."""
    alias = alias_of(ctx)
    return {"AccountAliases": [alias] if alias else [], "IsTruncated": False}


@operation
def delete_account_alias(ctx: Context, request: t.DeleteAccountAliasRequest) -> None:
    alias = request["AccountAlias"]
    if alias_of(ctx) != alias:
        raise NO_SUCH_ENTITY(f"The account alias with name {alias} cannot be found.")
    ACCOUNT_ALIASES.delete(ctx, AccountAlias(alias, ctx.account))
    ALIASES_OF_ACCOUNTS.delete(ctx, AliasOfAccount("alias", alias))
