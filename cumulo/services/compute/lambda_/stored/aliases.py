"""Aliases: names for versions, which may share their calls between two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_.stored.functions import arn_of

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Alias(Record):
    """A name for a version; `weights` are the shares of the calls that other versions get."""

    account: str
    region: str
    name: str  # of the function
    alias: str
    version: str
    revision_id: str
    description: str = ""
    weights: dict[str, float] = {}

    @property
    def arn(self) -> str:
        """The alias's ARN."""
        return arn_of(self.account, self.region, self.name, self.alias)


ALIASES = Table(Alias, name="lambda.aliases", key=("name", "alias"), scope=REGION)


def keep(ctx: Context, alias: Alias) -> None:
    """Write an alias back to where it lives, whoever calls."""
    ALIASES.put(ctx, alias, account=alias.account, region=alias.region)


def chosen(ctx: Context, alias: Alias) -> str:
    """The version that a call to the alias gets this time: by chance, as the weights say."""
    if alias.weights:
        point = int.from_bytes(ctx.random_bytes(7), "big") / 2**56
        for version, weight in alias.weights.items():
            if point < weight:
                return version
            point -= weight
    return alias.version
