"""PutLogEvents: the rules of a batch, and the one way in for events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.operations.logs.errors import INVALID_PARAMETER
from cumulo.services.operations.logs.filters import followers, service_meters
from cumulo.services.operations.logs.groups import groups, streams
from cumulo.services.operations.logs.lines import SERIAL_EPOCH_S
from cumulo.services.operations.logs.stored import blocks, reading, segment_making
from cumulo.services.operations.logs.stored.blocks import Batch

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.groups.streams import Stream
    from cumulo.stubs import logs as t

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OLDEST_MS, NEWEST_MS = 14 * DAY_MS, 2 * HOUR_MS
BATCH_BYTES = 1_048_576
EVENT_BYTES = 1_048_576
IGNORED = ("sequenceToken",)  # "always accepted", whatever it is. Source: API reference, PutLogEvents
OVERHEAD_BYTES = 26  # each event counts for so much more than its message


@operation
def put_log_events(ctx: Context, request: t.PutLogEventsRequest) -> t.PutLogEventsResponse:
    """Add a batch of events to a stream."""
    name = request["logStreamName"]
    group = groups.find(ctx, request["logGroupName"], stream=name)
    stream = streams.find(ctx, group, name)
    rejected = put(ctx, group, stream, request["logEvents"])
    answer: t.PutLogEventsResponse = {"nextSequenceToken": streams.sequence_token(stream)}
    if "entity" in request:
        # The events are kept, the entity is not: AWS says so in this way, too, where it cannot take one.
        answer["rejectedEntityInfo"] = {"errorType": "UnsupportedLogGroupType"}
    if rejected:
        answer["rejectedLogEventsInfo"] = rejected  # type: ignore[typeddict-item]
    return answer


def put(ctx: Context, group: Group, stream: Stream, events: Sequence[Any]) -> dict[str, int]:
    """Keep events (`timestamp` in milliseconds, `message`) of a stream; which of them were not, as AWS words it.

    InvalidParameterException for a batch that breaks a rule as a whole. Source: API reference, PutLogEvents.
    """
    timestamps = [event["timestamp"] for event in events]
    messages = [event["message"] for event in events]
    text = "".join(messages)
    size = _checked_size(text, messages)
    if any(map(int.__gt__, timestamps, timestamps[1:])):
        raise INVALID_PARAMETER("Log events in a single PutLogEvents request must be in chronological order.")
    now = ctx.now()
    now_ms = int(now * 1000)
    rejected = _rejected(timestamps, now_ms, reading.retained_from(ctx, group))
    if rejected:
        start = max(rejected.get("tooOldLogEventEndIndex", 0), rejected.get("expiredLogEventEndIndex", 0))
        end = rejected.get("tooNewLogEventStartIndex", len(timestamps))
        timestamps, messages = timestamps[start:end], messages[start:end]
    if timestamps:
        if timestamps[-1] - timestamps[0] > DAY_MS:
            raise INVALID_PARAMETER(
                "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
            )
        _keep(ctx, group, stream, Batch(now_ms, timestamps, messages), now, size)
        followers.note(ctx, group, stream, text)
    return rejected


def _keep(ctx: Context, group: Group, stream: Stream, batch: Batch, now: float, size: int) -> None:
    first, last = batch.timestamps[0], batch.timestamps[-1]
    stream.first_ms = min(stream.first_ms, first) if stream.serial else first
    stream.last_ms = max(stream.last_ms, last)
    stream.ingested_ms = batch.ingested
    stream.serial = max(stream.serial + 1, int((now - SERIAL_EPOCH_S) * 1_000_000))
    streams.STREAMS.put(ctx, stream)
    blocks.put(ctx, group, stream, batch)
    segment_making.note(ctx, group, size)
    service_meters.came(ctx, group, len(batch.timestamps), size)
    ctx.signal(blocks.signal_of(group))


def _checked_size(text: str, messages: list[str]) -> int:
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    size += OVERHEAD_BYTES * len(messages)
    if size <= BATCH_BYTES:
        return size
    for message in messages:
        size_of_one = len(message.encode(errors="surrogatepass")) + OVERHEAD_BYTES
        if size_of_one > EVENT_BYTES:
            raise INVALID_PARAMETER(f"Log event too large: {size_of_one} bytes exceeds limit of {EVENT_BYTES}")
    raise INVALID_PARAMETER(f"Upload too large: {size} bytes exceeds limit of {BATCH_BYTES}")


def _rejected(timestamps: list[int], now_ms: int, retained: int) -> dict[str, int]:
    """Which events are too old, expired or too new; ends are exclusive, starts inclusive (RejectedLogEventsInfo)."""
    rejected: dict[str, int] = {}
    oldest = now_ms - OLDEST_MS
    first, last = timestamps[0], timestamps[-1]
    if first < oldest:
        rejected["tooOldLogEventEndIndex"] = sum(1 for each in timestamps if each < oldest)
    if first < retained and retained > oldest:
        rejected["expiredLogEventEndIndex"] = sum(1 for each in timestamps if each < retained)
    newest = now_ms + NEWEST_MS
    if last > newest:
        rejected["tooNewLogEventStartIndex"] = sum(1 for each in timestamps if each <= newest)
    return rejected
