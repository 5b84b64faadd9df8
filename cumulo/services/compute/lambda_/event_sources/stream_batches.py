"""One batch of a stream's changes, until each of them is done or given up.

The order of a lane is kept: what fails is called again before anything after it. A batch is cut in two where the
mapping says so; that is no retry. Source: Lambda Developer Guide, "How Lambda processes records from stream and
queue-based event sources", and the pages on error handling of DynamoDB and Kinesis.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.event_sources import batch_responses, source_metrics, stream_events
from cumulo.services.compute.lambda_.event_sources.source_calls import throttled
from cumulo.services.compute.lambda_.event_sources.stream_events import (
    AGE_EXCEEDED,
    RETRIES_EXHAUSTED,
    Change,
    Discarded,
)

if TYPE_CHECKING:
    from cumulo.services.compute.lambda_.event_sources.source_calls import Invoked, SourceCalls, Stop

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0
OK, FAILED = "OK", "PROBLEM: Function call failed"


class Piece(NamedTuple):
    """Changes that are called together, and how often they were already, without an end."""

    changes: list[Change]
    failures: int = 0


class StreamBatches:
    """Calls the function of one mapping with batches of one shard."""

    def __init__(
        self,
        calls: SourceCalls,
        stop: Stop,
        shard: str,
        finish: Callable[[list[Change], Discarded | None], Awaitable[None]],
        report: Callable[[str], Awaitable[None]],
    ) -> None:
        """`finish(changes, discarded)` keeps that changes are done; `report(text)` what came of the last call."""
        self._calls = calls
        self._stop = stop
        self._shard = shard
        self._finish = finish
        self._report = report
        self._mapping = calls.mapping
        self._partial = "ReportBatchItemFailures" in calls.mapping.response_types

    async def run(
        self,
        changes: list[Change],
        payload_of: Callable[[list[Change]], bytes] = stream_events.event,
        on_success: Callable[[Invoked], None] | None = None,
    ) -> bool:
        """Until all are done; False when the end was asked for before: what is left then is read again.

        `payload_of(changes)` makes each call's event, `on_success(answer)` hears of each that did all it was given.
        """
        pieces = [Piece(changes)]
        pause_s = FIRST_PAUSE_S
        while pieces:
            if self._stop.asked:
                return False
            piece = await self._drop_old(pieces.pop())
            if piece is None:
                continue
            try:
                invoked = await self._calls.invoke(payload_of(piece.changes))
            except Fault as fault:
                pieces.append(piece)
                if not throttled(fault):
                    await self._report(FAILED)
                await self._stop.pause(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            left = self._left(piece, invoked)
            await self._measure(piece, left)
            if left is None:
                pause_s = FIRST_PAUSE_S
                if on_success is not None:
                    on_success(invoked)
                await self._finish(piece.changes, None)
                await self._report(OK)
                continue
            await self._report(FAILED)
            done = piece.changes[: len(piece.changes) - len(left)]
            if done:
                await self._finish(done, None)
                following = [Piece(left)]
            else:
                following = await self._after_failure(piece, invoked)
            pieces += reversed(following)
            if len(following) == 1:  # the same once more
                await self._stop.pause(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        return True

    async def _measure(self, piece: Piece, left: list[Change] | None) -> None:
        counts = {"InvokedEventCount": len(piece.changes), "FailedInvokeEventCount": len(left or ())}
        await source_metrics.count(self._calls, counts)

    def _left(self, piece: Piece, invoked: Invoked) -> list[Change] | None:
        """What a failed call has not done, from the first change on that it names; None when it did all."""
        if invoked.error:
            return piece.changes
        if not self._partial:
            return None
        failed = batch_responses.failures(invoked.payload, {each.number for each in piece.changes})
        if failed is None:
            return piece.changes
        if not failed:
            return None
        first = min(int(number) for number in failed)
        return [each for each in piece.changes if each.order >= first]

    async def _after_failure(self, piece: Piece, invoked: Invoked) -> list[Piece]:
        """What to call next when nothing was done: two halves, the same again, or nothing more."""
        mapping, count = self._mapping, len(piece.changes)
        if mapping.bisect and count > 1:
            middle = (count + 1) // 2
            return [Piece(piece.changes[:middle], piece.failures), Piece(piece.changes[middle:], piece.failures)]
        failures = piece.failures + 1
        if 0 <= mapping.maximum_retries < failures:
            await self._discard(piece.changes, RETRIES_EXHAUSTED, failures, invoked)
            return []
        return [Piece(piece.changes, failures)]

    async def _drop_old(self, piece: Piece) -> Piece | None:
        """The changes that are not too old; the others, which come first, are given up."""
        most_s = self._mapping.maximum_age_s
        if most_s < 0:
            return piece
        since = self._calls.runtime.clock.now() - most_s
        old = [each for each in piece.changes if each.at < since]
        if not old:
            return piece
        await self._discard(old, AGE_EXCEEDED, max(1, piece.failures), None)
        rest = piece.changes[len(old) :]
        return Piece(rest, piece.failures) if rest else None

    async def _discard(self, changes: list[Change], condition: str, calls: int, invoked: Invoked | None) -> None:
        if not changes:  # the last call of a window, which has nothing but its state
            return
        await source_metrics.count(self._calls, {"DroppedEventCount": len(changes)})
        discarded = Discarded(
            changes,
            condition,
            self._mapping.function_arn,
            self._shard,
            self._mapping.source_arn,
            invoked.request_id if invoked is not None else self._calls.runtime.ids.uuid(),
            calls,
            (invoked.version, invoked.error) if invoked is not None else None,
        )
        await self._finish(changes, discarded)
