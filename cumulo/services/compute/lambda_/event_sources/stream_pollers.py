"""Reading a stream for a function: each shard once the one that it came from is done.

Source: Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.event_sources import shard_positions, source_mappings
from cumulo.services.compute.lambda_.event_sources.shard_readers import LONGEST_PAUSE_S, SERVICE, ShardReader
from cumulo.services.compute.lambda_.event_sources.source_calls import SourceCalls, Stop, cancelled

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime
    from cumulo.services.compute.lambda_.event_sources.event_filters import EventFilters
    from cumulo.services.compute.lambda_.event_sources.shard_positions import ShardPosition
    from cumulo.services.compute.lambda_.event_sources.source_mappings import EventSourceMapping

LOOK_AGAIN_S = 300.0
ANOTHER_READS_S = 30.0  # until then this node has seen that the mapping is another's


class StreamPoller:
    """The poller of one mapping."""

    def __init__(self, runtime: Runtime, mapping: EventSourceMapping, filters: EventFilters | None) -> None:
        self.mapping = mapping
        self._runtime = runtime
        self._filters = filters
        self._calls = SourceCalls(runtime, mapping)
        self._stop = Stop(runtime)
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._reported = mapping.last_result

    def stop(self) -> None:
        """Read no more; the batches that are under way are finished."""
        self._stop.ask()

    async def close(self) -> None:
        """End what is under way at once: it is read again."""
        await cancelled(self._reading.values())

    async def run(self) -> None:
        """Until it is stopped, or the stream is gone."""
        pause_s = 1.0
        while not self._stop.asked:
            try:
                shards = await self._shards()
                pause_s = LOOK_AGAIN_S
                positions = await self._calls.transact(lambda ctx: shard_positions.of(ctx, self.mapping))
                self._begin(shards, positions)
            except Fault as fault:
                self._runtime.logger("lambda").warning("%s cannot be read: %s", self.mapping.source_arn, fault)
                await self.report(f"PROBLEM: {fault.message}")
                pause_s = 1.0 if pause_s == LOOK_AGAIN_S else min(2 * pause_s, LONGEST_PAUSE_S)
            await self._stop.pause(pause_s)  # a reader that ends wakes it
        if self._reading:
            await asyncio.wait(self._reading.values())

    async def _shards(self) -> list[dict[str, Any]]:
        request: dict[str, Any] = {"StreamArn": self.mapping.source_arn}
        found: list[dict[str, Any]] = []
        while True:
            answer = await self._calls.source(SERVICE, "DescribeStream", request)
            description = answer["StreamDescription"]
            found += description["Shards"]
            if "LastEvaluatedShardId" not in description:
                return found
            request["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]

    def _begin(self, shards: list[dict[str, Any]], positions: dict[str, ShardPosition]) -> None:
        """Read the shards that are not done and whose parents are, or are trimmed."""
        open_shards = {shard["ShardId"] for shard in shards if not self._over(shard, positions.get(shard["ShardId"]))}
        for shard in shards:
            shard_id = shard["ShardId"]
            if shard_id not in open_shards or shard_id in self._reading or shard.get("ParentShardId") in open_shards:
                continue
            reading = asyncio.get_running_loop().create_task(self._read(shard))
            self._reading[shard_id] = reading

    def _over(self, shard: dict[str, Any], position: ShardPosition | None) -> bool:
        """Whether nothing of a shard is left to read: it is done, or ended before the mapping begins."""
        if position is not None:
            return position.finished
        ending = shard["SequenceNumberRange"].get("EndingSequenceNumber")
        return bool(ending and self.mapping.starting_after and int(ending) <= int(self.mapping.starting_after))

    async def _read(self, shard: dict[str, Any]) -> None:
        shard_id = shard["ShardId"]
        first = shard["SequenceNumberRange"]["StartingSequenceNumber"]
        start = self.mapping.starting_after
        if start and int(start) < int(first):
            start = ""
        try:
            reader = ShardReader(self._calls, self._stop, self._filters, shard_id, self.report)
            if not await reader.run(start):
                await self._stop.pause(ANOTHER_READS_S)
        except Exception:
            self._runtime.logger("lambda").exception("reading %s of %s failed", shard_id, self.mapping.source_arn)
            await self._stop.pause(1.0)
        finally:
            self._reading.pop(shard_id, None)
            self._stop.wake()

    async def report(self, text: str) -> None:
        """Show what came of the last call, as LastProcessingResult."""
        if text == self._reported:
            return
        self._reported = text

        def note(ctx: Context) -> None:
            mapping = source_mappings.peek(ctx, self.mapping.account, self.mapping.region, self.mapping.uuid)
            if mapping is not None:
                mapping.last_result = text
                source_mappings.MAPPINGS.put(ctx, mapping, account=mapping.account, region=mapping.region)

        await self._calls.transact(note)
