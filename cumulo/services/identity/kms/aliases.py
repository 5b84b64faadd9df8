"""Aliases: their record and table; the operations on them are in `aliasing.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.arns import partition_of
from cumulo.core.table import REGION, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

PREFIX = "alias/"
AWS_PREFIX = "alias/aws/"


class Alias(Record):
    """A name for a key, as "alias/orders". Times are cloud time in seconds."""

    name: str
    key_id: str
    created_at: float
    updated_at: float


ALIASES = Table(
    Alias,
    name="kms.aliases",
    key="name",
    scope=REGION,
    arn="arn:{partition}:kms:{region}:{account}:{name}",
    indexes={"by_key": ("key_id",)},
)


def arn_of(account: str, region: str, name: str) -> str:
    """The ARN of an alias."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:{name}"


def of_key(ctx: Context, account: str, region: str, key_id: str) -> list[Alias]:
    """All aliases of a key."""
    return ALIASES.range(ctx, key_id, index="by_key", account=account, region=region)
