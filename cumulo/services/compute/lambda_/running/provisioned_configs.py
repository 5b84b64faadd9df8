"""Provisioned concurrency as it was asked for: the record, and who holds how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.aliases import Alias


class ProvisionedConfig(Record):
    """The environments that a version, or the version behind an alias, keeps ready. Times are cloud time in seconds."""

    account: str
    region: str
    name: str  # of the function
    qualifier: str  # a version's number or an alias
    requested: int
    modified_at: float
    status: str = "IN_PROGRESS"  # "READY", "FAILED"
    reason: str = ""
    allocated: int = 0


# Of all accounts and regions in one place: whoever keeps the environments ready looks at all of them.
PROVISIONED = Table(
    ProvisionedConfig, name="lambda.provisioned", key=("account", "region", "name", "qualifier"), scope=GLOBAL
)


def of_function(ctx: Context, account: str, region: str, name: str) -> list[ProvisionedConfig]:
    """The configurations of a function, by qualifier."""
    return PROVISIONED.range(ctx, account, region, name)


def of_account(ctx: Context, account: str, region: str) -> list[ProvisionedConfig]:
    """The configurations of an account in a region."""
    return PROVISIONED.range(ctx, account, region)


def move(ctx: Context, alias: Alias) -> None:
    """An alias points to another version: its environments are to be made anew. Observed in AWS's answers."""
    config = PROVISIONED.peek(ctx, alias.account, alias.region, alias.name, alias.alias)
    if config is not None:
        config.status, config.reason = "IN_PROGRESS", ""
        PROVISIONED.put(ctx, config)


def total(ctx: Context, account: str, region: str, name: str) -> int:
    """How many environments a function has asked for, all qualifiers together."""
    return sum([config.requested for config in of_function(ctx, account, region, name)])
