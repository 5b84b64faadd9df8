"""Reading one shard of a stream for a function, from where it was left to its end.

Changes are read by signal, not by clock, and dealt to as many lanes as the mapping has batches at once, those of one
item always to the same. A position is kept with every batch that is done, and only by the node that reads.
"""

from __future__ import annotations

import asyncio
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import change_streams
from cumulo.core.arns import Arn
from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.event_sources import (
    discarded_batches,
    shard_positions,
    source_metrics,
    stream_events,
)
from cumulo.services.compute.lambda_.event_sources.shard_lanes import Lane
from cumulo.services.compute.lambda_.event_sources.shard_positions import ShardPosition
from cumulo.services.compute.lambda_.event_sources.shard_progress import ShardProgress
from cumulo.services.compute.lambda_.event_sources.stream_batches import StreamBatches

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.event_sources.event_filters import EventFilters
    from cumulo.services.compute.lambda_.event_sources.source_calls import SourceCalls, Stop
    from cumulo.services.compute.lambda_.event_sources.stream_events import Change, Discarded

SERVICE = "dynamodbstreams"
AT_ONCE = 1000  # records that one GetRecords brings at most
SHARD_IS_GONE = "Requested resource not found: Shard does not exist"  # the code is a missing function's, too
LOOK_AGAIN_S = 60.0  # also without a signal: shards end by the clock
LONGEST_PAUSE_S = 60.0


class AnotherReads(Exception):
    """Another node has taken this shard over: what was under way here is its again."""


class ShardReader:
    """The reader of one shard."""

    def __init__(
        self,
        calls: SourceCalls,
        stop: Stop,
        filters: EventFilters | None,
        shard: str,
        report: Callable[[str], Awaitable[None]],
    ) -> None:
        self._calls = calls
        self._stop = stop
        self._filters = filters
        self._shard = shard
        self._report = report
        self._position = ShardPosition(calls.mapping.uuid, shard, "")
        self._progress = ShardProgress()
        self._last = ""  # the sequence number of the last change that was read
        batches = StreamBatches(calls, stop, shard, self._finish, report)
        # Windows want the changes of a shard in their order: they have one lane, whatever the mapping says.
        count = 1 if calls.mapping.tumbling_s else calls.mapping.parallelization
        self._lanes = [Lane(calls, stop, batches, shard, self._position) for _ in range(count)]

    async def run(self, start: str) -> bool:
        """Read on from the kept position, or from `start` (a sequence number, or "") if there is none.

        True when the shard was read to its end, False when the end was asked for or another node reads.
        """
        await self._calls.transact(partial(self._claim, start=start))
        self._progress.after = self._position.after
        running = [asyncio.get_running_loop().create_task(lane.run()) for lane in self._lanes]
        reading = asyncio.get_running_loop().create_task(self._read())
        try:
            await asyncio.gather(reading, *running)
        except AnotherReads:
            return False
        finally:
            for task in (reading, *running):
                task.cancel()
        if self._stop.asked or len(self._progress):
            return False
        await self._calls.transact(self._finished)
        return True

    # --- the position ---------------------------------------------------------------------------

    def _claim(self, ctx: Context, start: str) -> None:
        found = shard_positions.peek(ctx, self._calls.mapping, self._shard)
        position = self._position
        position.reader = ctx.runtime.store.node_id
        if found is None:
            position.after = start
        else:
            position.after = found.after
            position.window_start, position.window_state = found.window_start, found.window_state
        shard_positions.keep(ctx, self._calls.mapping, position)

    def _keep(self, ctx: Context) -> None:
        found = shard_positions.peek(ctx, self._calls.mapping, self._shard)
        if found is None or found.reader != self._position.reader:
            raise AnotherReads
        self._position.after = self._progress.after
        shard_positions.keep(ctx, self._calls.mapping, self._position)

    def _finished(self, ctx: Context) -> None:
        self._position.finished = True
        self._keep(ctx)

    async def _finish(self, changes: list[Change], discarded: Discarded | None) -> None:
        """Changes are done, or given up: keep that, and tell the destination."""
        to = self._calls.mapping.destination_arn if discarded is not None else ""
        service = Arn.parse(to).service if to else ""
        if discarded is not None and service == "s3":
            await discarded_batches.put_object(self._calls, discarded)
        self._progress.done([each.order for each in changes])

        def keep(ctx: Context) -> None:
            self._keep(ctx)
            if discarded is not None and service in ("sqs", "sns"):
                discarded_batches.send(ctx, self._calls, discarded)

        await self._calls.transact(keep)
        if discarded is not None and to:
            count = {"OnFailureDestinationDeliveredEventCount": len(changes)}
            await source_metrics.count(self._calls, count)

    # --- reading --------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Deal out changes until the shard is over or the end is asked for."""
        mapping, runtime = self._calls.mapping, self._calls.runtime
        most = 2 * mapping.batch_size * len(self._lanes)
        iterator, pause_s = "", 1.0
        with runtime.signals.listen(change_streams.signal_of(mapping.stream_id)) as heard:
            self._stop.tell(heard.wake)
            while not self._stop.asked:
                if len(self._progress) >= most:
                    await asyncio.wait([lane.eased() for lane in self._lanes], return_when=asyncio.FIRST_COMPLETED)
                    continue
                try:
                    iterator = iterator or await self._iterator()
                    request = {"ShardIterator": iterator, "Limit": min(AT_ONCE, max(most, 1))}
                    answer = await self._calls.source(SERVICE, "GetRecords", request)
                except Fault as fault:
                    iterator = ""
                    if fault.code == "ExpiredIteratorException":
                        continue  # the computer slept, or a batch took long
                    if fault.code == "TrimmedDataAccessException":
                        self._skip_trimmed()
                        continue
                    if fault.message == SHARD_IS_GONE:
                        break  # it ended over a day ago
                    runtime.logger("lambda").warning("%s cannot be read: %s", mapping.source_arn, fault)
                    await self._report(f"PROBLEM: {fault.message}")
                    await self._stop.pause(pause_s)
                    pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                    continue
                pause_s = 1.0
                records = answer.get("Records", ())
                await self._deal(records)
                iterator = answer.get("NextShardIterator", "")
                if not iterator:
                    break
                if not records:
                    await heard.wait(runtime.clock.now() + LOOK_AGAIN_S)
        for lane in self._lanes:
            lane.close()

    async def _iterator(self) -> str:
        request: dict[str, Any] = {"StreamArn": self._calls.mapping.source_arn, "ShardId": self._shard}
        number = self._last or self._progress.after
        if number:
            request |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number}
        else:
            request["ShardIteratorType"] = "TRIM_HORIZON"
        answer = await self._calls.source(SERVICE, "GetShardIterator", request)
        return str(answer["ShardIterator"])

    def _skip_trimmed(self) -> None:
        """What came next is older than a day and gone: go on with the oldest that is left."""
        self._progress.after = self._last = ""

    async def _deal(self, records: Any) -> None:
        """Give each change to its lane; those that no filter takes are done at once."""
        if not records:
            return
        dropped: list[Change] = []
        for record in records:
            each = stream_events.change(record, self._calls.mapping.source_arn)
            self._progress.read(each.order, each.number)
            self._last = each.number
            if self._filters is not None and not self._filters.accept(each.record):
                dropped.append(each)
                continue
            key = msgspec.json.encode(record["dynamodb"]["Keys"])
            self._lanes[zlib.crc32(key) % len(self._lanes)].put(each)
        counts = {"PolledEventCount": len(records), "FilteredOutEventCount": len(dropped)}
        await source_metrics.count(self._calls, counts)
        if dropped:
            await self._finish(dropped, None)
