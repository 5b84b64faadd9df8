"""Services that have work to do without being called: they are loaded when the cloud starts, on every node.

All others are loaded with their first call. A service says so in the transaction that gives it such work: an event
source mapping polls its queue after a restart too, though nobody calls Lambda.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import GLOBAL, Space, prefix_range
from cumulo.store.keys import unpack

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime
    from cumulo.store.transaction import Transaction

SIGNAL = b"services.standing"
STANDING = Space("services.standing", scope=GLOBAL)


def stand(ctx: Context, service: str) -> None:
    """Load the service with every start from now on, and now on the nodes that have not yet."""
    key = STANDING.key(ctx, service)
    if ctx.txn.get(key) is None:
        ctx.txn.put(key, b"")
        ctx.txn.signal(SIGNAL)


class StandingServices:
    """Loads them, on this node."""

    __slots__ = ("_runtime",)

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def open(self) -> None:
        """Load what stands, and hear of what will."""
        self._runtime.store.on_signal(self._on_signal)
        await self._load()

    def _on_signal(self, name: bytes) -> None:
        if name == SIGNAL or not name:
            self._runtime.spawn(self._load())

    async def _load(self) -> None:
        runtime = self._runtime

        def names(txn: Transaction) -> list[str]:
            ctx = runtime.internal_context("cumulo", "standing.load", "", "")
            return [str(unpack(key)[-1]) for key, _ in txn.range(*prefix_range(STANDING.key(ctx)))]

        for name in await runtime.store.run(names):
            if name in runtime.registry.names:
                await runtime.registry.load(name)
