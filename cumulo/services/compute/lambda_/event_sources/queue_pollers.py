"""Reading a queue for a function.

One long poll waits at the queue; each batch that it brings is a call of the function of its own, as many at once as
the mapping may make. Messages are deleted once the function has done them; others come back when their visibility
timeout is over, which is SQS's to see to, as are dead letters and the order of message groups.
Source: Lambda Developer Guide, "Using Lambda with Amazon SQS", its pages on scaling, batching and error handling.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from cumulo.core.arns import Arn
from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.errors import RECURSIVE
from cumulo.services.compute.lambda_.event_sources import batch_responses, queue_events, source_metrics
from cumulo.services.compute.lambda_.event_sources.source_calls import SourceCalls, Stop, cancelled, throttled
from cumulo.services.compute.lambda_.permissions.role_access import queue_url

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime
    from cumulo.services.compute.lambda_.event_sources.event_filters import EventFilters
    from cumulo.services.compute.lambda_.event_sources.queue_events import Polled
    from cumulo.services.compute.lambda_.event_sources.source_mappings import EventSourceMapping

LONG_POLL_S = 20
AT_ONCE = 10  # messages that one ReceiveMessage brings, or one DeleteMessageBatch takes
FIRST_CONCURRENCY, MORE_PER_SECOND, MOST_CONCURRENCY = 5, 5.0, 1250
PER_POLLER = 10  # calls at once that one provisioned poller makes
THROTTLED_FOR_S = 10.0  # calls are made again for so long, then the messages go back to the queue
LONGEST_PAUSE_S = 60.0


class QueuePoller:
    """The poller of one mapping."""

    def __init__(self, runtime: Runtime, mapping: EventSourceMapping, filters: EventFilters | None) -> None:
        self.mapping = mapping
        self._runtime = runtime
        self._filters = filters
        self._calls = SourceCalls(runtime, mapping)
        self._url = queue_url(runtime.endpoint, Arn.parse(mapping.source_arn))
        self._stop = Stop(runtime)
        self._polling: Context | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._busy_since: float | None = None
        self._partial = "ReportBatchItemFailures" in mapping.response_types

    def stop(self) -> None:
        """Receive no more; the calls that are under way go on, and their messages are deleted."""
        self._stop.ask()
        if self._polling is not None:
            self._polling.hang_up()

    async def close(self) -> None:
        """End what is under way at once: its messages come back."""
        await cancelled(self._running)

    async def run(self) -> None:
        """Until it is stopped."""
        pause_s = 1.0
        while not self._stop.asked:
            if len(self._running) >= self._allowed():
                await asyncio.wait(self._running, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
                continue
            try:
                batch = await self._gather()
            except Fault as fault:
                self._runtime.logger("lambda").warning("%s cannot be read: %s", self.mapping.source_arn, fault)
                await self._stop.pause(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            pause_s = 1.0
            for part in queue_events.parts(batch):
                running = asyncio.get_running_loop().create_task(self._handle(part))
                self._running.add(running)
                running.add_done_callback(self._running.discard)
        if self._running:
            await asyncio.wait(self._running)

    def _allowed(self) -> int:
        """How many calls may be under way: five at first, more the longer all of them are."""
        mapping = self.mapping
        first, most = FIRST_CONCURRENCY, MOST_CONCURRENCY
        if mapping.minimum_pollers:
            first, most = mapping.minimum_pollers * PER_POLLER, mapping.maximum_pollers * PER_POLLER
        elif mapping.maximum_concurrency:
            most = mapping.maximum_concurrency
        now = self._runtime.clock.now()
        if len(self._running) < first:
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = now
        grown = (now - self._busy_since) * MORE_PER_SECOND if self._busy_since is not None else 0.0
        return min(most, first + int(grown))

    # --- receiving ------------------------------------------------------------------------------

    async def _gather(self) -> list[Polled]:
        """The messages of the next batch; none when nothing came within a long poll."""
        mapping, clock = self.mapping, self._runtime.clock
        batch: dict[str, Polled] = {}  # a message that became visible again within the window is there once
        size, until = 0, 0.0
        while not self._stop.asked and len(batch) < mapping.batch_size and size < queue_events.MOST_BYTES:
            left_s = until - clock.now() if batch else float(LONG_POLL_S)
            if left_s <= 0:
                break
            messages = await self._receive(min(AT_ONCE, mapping.batch_size - len(batch)), left_s)
            if not batch and not messages:
                break
            wanted = await self._sift(messages)
            if not batch:
                until = clock.now() + mapping.window_s
            batch |= {message.id: message for message in wanted}
            size += sum(len(message.encoded) for message in wanted)
        return list(batch.values())

    async def _receive(self, most: int, wait_s: float) -> list[Polled]:
        request = {
            "QueueUrl": self._url,
            "MaxNumberOfMessages": most,
            "WaitTimeSeconds": min(LONG_POLL_S, math.ceil(wait_s)),
            "MessageAttributeNames": ["All"],
            "MessageSystemAttributeNames": ["All"],
        }
        clock = self._runtime.clock
        timer = clock.call_at(clock.now() + wait_s, self._hang_up) if wait_s < LONG_POLL_S else None
        try:
            answer = await self._calls.source("sqs", "ReceiveMessage", request, self._hold)
        finally:
            self._polling = None
            if timer is not None:
                timer.cancel()
        arn, region = self.mapping.source_arn, self.mapping.region
        return [queue_events.polled(message, arn, region) for message in answer.get("Messages", ())]

    def _hold(self, ctx: Context) -> None:
        self._polling = ctx

    def _hang_up(self) -> None:
        if self._polling is not None:
            self._polling.hang_up()

    async def _sift(self, messages: list[Polled]) -> list[Polled]:
        """The messages that pass the filters; the others are deleted, as if they were done."""
        filters = self._filters
        if filters is None or not messages:
            await self._measure(PolledEventCount=len(messages))
            return messages
        wanted = [message for message in messages if filters.accept(message.record)]
        taken = {message.id for message in wanted}
        await self._measure(PolledEventCount=len(messages), FilteredOutEventCount=len(messages) - len(wanted))
        await self._delete([message for message in messages if message.id not in taken])
        return wanted

    # --- calling --------------------------------------------------------------------------------

    async def _handle(self, batch: list[Polled]) -> None:
        """One call of the function, and the end of what it has done."""
        try:
            done = await self._call(batch)
            await self._measure(InvokedEventCount=len(batch), FailedInvokeEventCount=len(batch) - len(done))
            await self._delete(done)
        except Exception as error:  # the messages come back by themselves
            self._runtime.logger("lambda").warning("a batch of %s was not done: %s", self.mapping.source_arn, error)

    async def _call(self, batch: list[Polled]) -> list[Polled]:
        """The messages of the batch that are done."""
        payload = queue_events.event([message.encoded for message in batch])
        header = next((message.trace_header for message in batch if message.trace_header), "")
        clock = self._runtime.clock
        until, pause_s = clock.now() + THROTTLED_FOR_S, 0.1
        while True:
            try:
                invoked = await self._calls.invoke(payload, header)
                break
            except Fault as fault:
                if fault.code == RECURSIVE.code:
                    return await self._end_loop(batch)
                if not throttled(fault) or clock.now() + pause_s > until or self._stop.asked:
                    raise
            await self._stop.pause(pause_s)
            pause_s *= 2
        if invoked.error:
            return []
        if not self._partial:
            return batch
        failed = batch_responses.failures(invoked.payload, {message.id for message in batch})
        return [] if failed is None else [message for message in batch if message.id not in set(failed)]

    async def _end_loop(self, batch: list[Polled]) -> list[Polled]:
        """Messages of a loop that Lambda stops: they become dead letters by themselves, or are dropped.

        Source: Lambda Developer Guide, "Use Lambda recursive loop detection to prevent infinite loops".
        """
        request = {"QueueUrl": self._url, "AttributeNames": ["RedrivePolicy"]}
        answer = await self._calls.source("sqs", "GetQueueAttributes", request)
        return [] if "RedrivePolicy" in answer.get("Attributes", {}) else batch

    async def _delete(self, messages: list[Polled]) -> None:
        for start in range(0, len(messages), AT_ONCE):
            chunk = messages[start : start + AT_ONCE]
            entries = [{"Id": str(number), "ReceiptHandle": message.handle} for number, message in enumerate(chunk)]
            answer = await self._calls.source("sqs", "DeleteMessageBatch", {"QueueUrl": self._url, "Entries": entries})
            for failure in answer.get("Failed", ()):
                self._runtime.logger("lambda").warning(
                    "a message of %s could not be deleted: %s", self.mapping.source_arn, failure.get("Message")
                )
            await self._measure(DeletedEventCount=len(chunk) - len(answer.get("Failed", ())))

    async def _measure(self, **counts: int) -> None:
        await source_metrics.count(self._calls, counts)
