"""What goes with a function, a version or an alias: how its events were kept, its URL, and its environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.services.compute.lambda_ import event_invoke_configs, fleet, function_urls, provisioned_concurrency

if TYPE_CHECKING:
    from cumulo.core.context import Context


def forget(ctx: Context, account: str, region: str, name: str, qualifier: str = "") -> None:
    """A function is deleted, or a version or an alias of it; in the transaction that does so."""
    event_invoke_configs.forget(ctx, account, region, name, qualifier)
    function_urls.forget(ctx, account, region, name, qualifier)
    provisioned_concurrency.forget(ctx, account, region, name, qualifier)
    ctx.txn.on_commit(lambda: fleet.of(ctx).forget(account, region, name, qualifier))
