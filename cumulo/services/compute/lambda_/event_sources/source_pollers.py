"""Which mappings this node polls: one poller for each that is enabled, on one of the nodes that share the store.

Nodes need not agree by writing anything: each mapping belongs to the node that is first in an order of its own among
those alive. While nodes come and go two may poll the same: queues do not mind, and of a shard only the node that
claimed it last keeps positions.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import reconciler
from cumulo.services.compute.lambda_.event_sources import source_mappings
from cumulo.services.compute.lambda_.event_sources.event_filters import EventFilters, compile_filters
from cumulo.services.compute.lambda_.event_sources.event_source_mappings import filters_for_polling
from cumulo.services.compute.lambda_.event_sources.queue_pollers import QueuePoller
from cumulo.services.compute.lambda_.event_sources.source_calls import cancelled
from cumulo.services.compute.lambda_.event_sources.source_mappings import ENABLED, UPDATING, EventSourceMapping
from cumulo.services.compute.lambda_.event_sources.stream_pollers import StreamPoller

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime

Poller = QueuePoller | StreamPoller
EVERY_S = 20.0
_PLACE = "lambda.pollers"


class Pollers:
    """The pollers of this node, those that are ending among them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._running: dict[str, tuple[Poller, asyncio.Task[None]]] = {}
        runtime.on_close.append(self.close)

    def stop_all_but(self, wanted: dict[str, EventSourceMapping]) -> None:
        """End the pollers of mappings that are not wanted any more, or not as they were."""
        for uuid, (poller, task) in tuple(self._running.items()):
            if task.done():
                del self._running[uuid]
            elif uuid not in wanted or _settings(wanted[uuid]) != _settings(poller.mapping):
                poller.stop()

    def start(self, mapping: EventSourceMapping, filters: EventFilters | None) -> None:
        """Poll for a mapping from now on; one that still ends is waited for, the next run begins anew."""
        make = StreamPoller if mapping.streams else QueuePoller
        poller = make(self._runtime, mapping, filters)
        task = asyncio.get_running_loop().create_task(poller.run())
        self._running[mapping.uuid] = poller, task
        task.add_done_callback(lambda task: self._ended(mapping.uuid, task))

    def _ended(self, uuid: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._runtime.logger("lambda").error("the poller of %s failed", uuid, exc_info=task.exception())
        else:  # a failed one is started again with the period, not at once
            self._runtime.signals.deliver(source_mappings.SIGNAL.encode())

    def polls(self, uuid: str) -> bool:
        """Whether there is a poller of this mapping, maybe one that ends."""
        return uuid in self._running

    async def close(self) -> None:
        """End them at once: the cloud closes. What was under way comes again."""
        running = tuple(self._running.values())
        self._running.clear()
        await cancelled(task for _, task in running)
        for poller, _ in running:
            await poller.close()


def _settings(mapping: EventSourceMapping) -> EventSourceMapping:
    """What a poller goes by: the mapping without what changes while it polls."""
    return msgspec.structs.replace(mapping, state="", last_result="", modified_at=0.0, tags={})


def _ours(runtime: Runtime, uuid: str) -> bool:
    own = runtime.store.node_id
    nodes = runtime.store.live_nodes() | {own}
    return own == max(nodes, key=lambda node: (zlib.crc32(f"{uuid} {node}".encode()), node))


@reconciler(every_s=EVERY_S, signal=source_mappings.SIGNAL)
async def poll_sources(ctx: Context) -> None:
    """Have a poller for every mapping that is enabled and ours, and no other."""
    runtime = ctx.runtime
    if _PLACE not in runtime.memory:
        runtime.memory[_PLACE] = Pollers(runtime)
    pollers: Pollers = runtime.memory[_PLACE]
    mappings = await ctx.transact(source_mappings.everywhere)
    wanted = {
        mapping.uuid: mapping
        for mapping in mappings
        if mapping.enabled and mapping.state in (ENABLED, UPDATING) and _ours(runtime, mapping.uuid)
    }
    pollers.stop_all_but(wanted)
    for uuid, mapping in wanted.items():
        if pollers.polls(uuid):
            continue
        try:
            patterns = await ctx.transact(lambda ctx, mapping=mapping: filters_for_polling(ctx, mapping))  # type: ignore[misc]
        except Fault as fault:  # the key that seals them does not let Lambda in: without its filters nothing is polled
            runtime.logger("lambda").warning("the filters of %s cannot be read: %s", mapping.arn, fault)
            continue
        pollers.start(mapping, compile_filters(mapping.kind, patterns) if patterns else None)
