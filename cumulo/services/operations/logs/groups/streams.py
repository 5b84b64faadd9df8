"""Log streams: their record and table, and the operations on a stream as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, STREAM_EXISTS, STREAM_NOT_FOUND
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.pages import Next

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t

LAST_EVENT = "LastEventTime"


class Stream(Record):
    """A log stream of the group with this id. `id` is 8 random bytes; times are milliseconds, 0 before any event.

    `serial` is that of the last batch: microseconds since 2020, and more than the one before.
    """

    group: bytes
    name: str
    id: bytes
    created_ms: int
    serial: int = 0
    first_ms: int = 0
    last_ms: int = 0
    ingested_ms: int = 0


STREAMS = Table(Stream, name="logs.streams", key=("group", "name"), scope=GLOBAL, missing=STREAM_NOT_FOUND)


def find(ctx: Context, group: Group, name: str) -> Stream:
    """The stream of a group that the caller was let in to, or AWS's error."""
    groups.check_length(name)
    stream = STREAMS.peek(ctx, group.id, name)
    if stream is None:
        raise STREAM_NOT_FOUND()
    return stream


def new(ctx: Context, group: Group, name: str) -> Stream:
    """A new stream; ResourceAlreadyExistsException when there is one of this name."""
    if STREAMS.peek(ctx, group.id, name) is not None:
        raise STREAM_EXISTS()
    stream = Stream(group.id, name, ctx.random_bytes(8), int(ctx.now() * 1000))
    STREAMS.put(ctx, stream)
    return stream


def sequence_token(stream: Stream) -> str:
    """The token of the stream's next batch. It means nothing any more: PutLogEvents takes any."""
    return f"{49 << 180 | int.from_bytes(stream.id) << 64 | stream.serial:056d}"


@operation
def create_log_stream(ctx: Context, request: t.CreateLogStreamRequest) -> None:
    """Create a log stream in a group."""
    name = request["logStreamName"]
    group = groups.find(ctx, request["logGroupName"], stream=name)
    groups.check_length(name)
    new(ctx, group, name)


@operation
def describe_log_streams(ctx: Context, request: t.DescribeLogStreamsRequest) -> t.DescribeLogStreamsResponse:
    """The streams of a group, by name or by their last events."""
    group = groups.named(ctx, request)
    prefix = request.get("logStreamNamePrefix")
    descending = bool(request.get("descending"))
    if request.get("orderBy") == LAST_EVENT:
        if prefix is not None:
            raise INVALID_PARAMETER("Cannot order by LastEventTime with a logStreamNamePrefix.")
        found, more = _by_last_event(ctx, group, request, descending)
    else:
        start, end = ((prefix,), (prefix + "\U0010ffff",)) if prefix else (None, None)
        found, more = pages.page(
            ctx,
            request,
            lambda after, most: STREAMS.range(
                ctx, group.id, start=start, end=end, after=after and (group.id, *after), limit=most, reverse=descending
            ),
            lambda stream: (stream.name,),
        )
    return {"logStreams": [described(group, stream) for stream in found], **more}


def _by_last_event(
    ctx: Context, group: Group, request: t.DescribeLogStreamsRequest, descending: bool
) -> tuple[list[Stream], Next]:
    """A page in the order of the last events; streams without any have the time of their making."""

    def key(stream: Stream) -> tuple[int, str]:
        return (stream.last_ms or stream.created_ms, stream.name)

    everything = sorted(STREAMS.range(ctx, group.id), key=key, reverse=descending)
    of = f"{ctx.operation} {LAST_EVENT}"
    return pages.of_list(ctx, request, everything, key, descending=descending, of=of)


def described(group: Group, stream: Stream) -> t.LogStream:
    """A stream as DescribeLogStreams answers it. Its storedBytes are always 0 (API reference, LogStream)."""
    answer: t.LogStream = {
        "logStreamName": stream.name,
        "creationTime": stream.created_ms,
        "arn": f"{group.arn}:log-stream:{stream.name}",
        "storedBytes": 0,
    }
    if stream.serial:
        answer["firstEventTimestamp"] = stream.first_ms
        answer["lastEventTimestamp"] = stream.last_ms
        answer["lastIngestionTime"] = stream.ingested_ms
        answer["uploadSequenceToken"] = sequence_token(stream)
    return answer
