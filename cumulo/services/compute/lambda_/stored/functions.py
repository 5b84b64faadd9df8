"""Functions: the record that all versions and aliases of one share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.arns import partition_of
from cumulo.core.table import REGION, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Function(Record):
    """A function, whatever its versions. Times are cloud time in seconds since 1970."""

    account: str
    region: str
    name: str
    created_at: float
    next_version: int = 1  # the number that the next published version gets: none is ever given twice
    reserved_concurrency: int | None = None
    tags: dict[str, str] = {}
    recursive_loop: str = "Terminate"  # or "Allow"
    code_signing_config_arn: str = ""

    @property
    def arn(self) -> str:
        """The function's own ARN, without a qualifier."""
        return arn_of(self.account, self.region, self.name)


FUNCTIONS = Table(
    Function,
    name="lambda.functions",
    key="name",
    scope=REGION,
    arn="arn:{partition}:lambda:{region}:{account}:function:{name}",
    tags=lambda function: function.tags,
)


def arn_of(account: str, region: str, name: str, qualifier: str = "") -> str:
    """The ARN of a function, or of its version or alias."""
    arn = f"arn:{partition_of(region)}:lambda:{region}:{account}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def keep(ctx: Context, function: Function) -> None:
    """Write a function back to where it lives, whoever calls."""
    FUNCTIONS.put(ctx, function, account=function.account, region=function.region)
