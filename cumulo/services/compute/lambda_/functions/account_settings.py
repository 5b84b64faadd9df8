"""GetAccountSettings: an account's limits in a region, and what it uses of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.packages import packages, storage
from cumulo.services.compute.lambda_.running import concurrency
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS

if TYPE_CHECKING:
    from cumulo.core.context import Context


@operation
def get_account_settings(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The account's limits and its usage."""
    return {
        "AccountLimit": {
            "TotalCodeSize": storage.LIMIT_BYTES,
            "CodeSizeUnzipped": packages.UNZIPPED_BYTES,
            "CodeSizeZipped": packages.ZIPPED_BYTES,
            "ConcurrentExecutions": concurrency.ACCOUNT_LIMIT,
            "UnreservedConcurrentExecutions": concurrency.unreserved(ctx, ctx.account, ctx.region),
        },
        "AccountUsage": {
            "TotalCodeSize": storage.used(ctx, ctx.account, ctx.region),
            "FunctionCount": len(FUNCTIONS.range(ctx)),
        },
    }
