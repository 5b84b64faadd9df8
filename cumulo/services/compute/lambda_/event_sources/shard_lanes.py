"""One lane of a shard: its changes in their order, gathered into batches and called one batch after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from cumulo.services.compute.lambda_.event_sources import stream_events
from cumulo.services.compute.lambda_.event_sources.stream_events import Change, Window

if TYPE_CHECKING:
    from cumulo.services.compute.lambda_.event_sources.shard_positions import ShardPosition
    from cumulo.services.compute.lambda_.event_sources.source_calls import Invoked, SourceCalls, Stop
    from cumulo.services.compute.lambda_.event_sources.stream_batches import StreamBatches


class Lane:
    """See the module. `position` holds the window that is open, and is kept by the reader with every batch."""

    def __init__(
        self, calls: SourceCalls, stop: Stop, batches: StreamBatches, shard: str, position: ShardPosition
    ) -> None:
        self._clock = calls.runtime.clock
        self._mapping = calls.mapping
        self._stop = stop
        self._batches = batches
        self._shard = shard
        self._position = position
        self._changes: deque[Change] = deque()
        self._closed = False
        self._wake: asyncio.Future[None] | None = None
        self._eased: asyncio.Future[None] | None = None
        self._early = False
        stop.tell(self._notify)

    def put(self, change: Change) -> None:
        """Add a change behind the others."""
        self._changes.append(change)
        self._notify()

    def close(self) -> None:
        """Nothing will be added any more."""
        self._closed = True
        self._notify()

    def eased(self) -> asyncio.Future[None]:
        """Done when the lane has ended a batch."""
        if self._eased is None or self._eased.done():
            self._eased = asyncio.get_running_loop().create_future()
        return self._eased

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        if self._stop.asked and self._eased is not None and not self._eased.done():
            self._eased.set_result(None)

    async def _wait(self, until: float | None) -> None:
        """Wait for another change, for the close, for the end that is asked for, or until then."""
        if self._stop.asked:
            return
        self._wake = waiting = asyncio.get_running_loop().create_future()
        timer = self._clock.call_at(until, self._notify) if until is not None else None
        try:
            await waiting
        finally:
            if timer is not None:
                timer.cancel()

    async def run(self) -> None:
        """Until the lane is closed and empty, or the end is asked for."""
        while not self._stop.asked:
            if self._mapping.tumbling_s:
                over = await self._run_window()
            else:
                batch = await self._gather()
                over = not batch or not await self._batches.run(batch)
            if self._eased is not None and not self._eased.done():
                self._eased.set_result(None)
            if over:
                return

    async def _gather(self, until_s: float | None = None) -> list[Change]:
        """The changes of the next batch: full, or as many as came within the batching window. Empty at the end.

        `until_s` ends the wait for the first change, and with it the batch: changes from then on are not of it.
        """
        changes, mapping = self._changes, self._mapping
        while not changes:
            if self._closed or self._stop.asked or (until_s is not None and self._clock.now() >= until_s):
                return []
            await self._wait(until_s)
        until = self._clock.now() + mapping.window_s
        while mapping.window_s and len(changes) < mapping.batch_size and not self._closed and not self._stop.asked:
            if self._clock.now() >= until or sum(len(each.encoded) for each in changes) >= stream_events.MOST_BYTES:
                break
            await self._wait(until)
        batch: list[Change] = []
        size = 0
        while changes and len(batch) < mapping.batch_size and (until_s is None or changes[0].at < until_s):
            size += len(changes[0].encoded) + 1
            if batch and size > stream_events.MOST_BYTES:
                break
            batch.append(changes.popleft())
        return batch

    # --- tumbling windows -----------------------------------------------------------------------

    async def _run_window(self) -> bool:
        """One step of a tumbling window: a batch of its changes, or its last call. True when the lane is over."""
        position, length_s = self._position, self._mapping.tumbling_s
        if not position.window_start:
            while not self._changes:
                if self._closed or self._stop.asked:
                    return True
                await self._wait(None)
            position.window_start = int(self._changes[0].at // length_s) * length_s
            position.window_state = None
        end = position.window_start + length_s
        batch = [] if self._early else await self._gather(float(end))
        if self._stop.asked:
            return True
        if batch:
            return not await self._batches.run(batch, partial(self._payload, final=False), self._take_state)
        if not await self._batches.run([], partial(self._payload, final=True), self._end_window):
            return True
        if position.window_start:  # the last call failed as often as it may: the state is lost
            self._close_window()
        return self._closed and not self._changes

    def _payload(self, changes: list[Change], final: bool) -> bytes:
        start = self._position.window_start
        end = start + self._mapping.tumbling_s
        window = Window(start, end, self._position.window_state, final, final and self._early)
        return stream_events.window_event(changes, window, self._shard, self._mapping.source_arn)

    def _take_state(self, invoked: Invoked) -> None:
        state = stream_events.state_in(invoked.payload)
        # A state that is too large ends its window before its time.
        self._early = len(msgspec.json.encode(state)) > stream_events.STATE_BYTES
        if not self._early:
            self._position.window_state = state

    def _end_window(self, invoked: Invoked) -> None:
        self._close_window()

    def _close_window(self) -> None:
        self._position.window_start, self._position.window_state = 0, None
        self._early = False
