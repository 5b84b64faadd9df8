"""GetLogEvents, and the one way to read events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.operation import operation
from cumulo.services.operations.logs import blocks, groups, streams
from cumulo.services.operations.logs.errors import INVALID_TOKEN
from cumulo.services.operations.logs.lines import Line, Position, event_id, position_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups import Group
    from cumulo.services.operations.logs.streams import Stream
    from cumulo.stubs import logs as t

EVER = 1 << 62
PAGE = 10_000
PAGE_BYTES = 1_048_576
OVERHEAD_BYTES = 26


class Reading(NamedTuple):
    """Which lines are wanted: of these streams (None: of all), start <= timestamp < end, beyond `after`."""

    group: Group
    streams: Sequence[Stream] | None
    start: int = 0
    end: int = EVER
    after: Position | None = None
    limit: int = PAGE
    reverse: bool = False


async def read(ctx: Context, reading: Reading) -> list[Line]:
    """Lines in the order of time (the latest first if `reverse`), at most `limit`. For `async def` only."""
    return await ctx.transact(lambda ctx: tail(ctx, reading))


def tail(ctx: Context, reading: Reading) -> list[Line]:
    """The same of what is in no segment yet, inside a transaction."""
    group = reading.group
    start = max(reading.start, retained_from(ctx, group))
    if reading.streams is None:
        names = {stream.id: stream.name for stream in streams.STREAMS.range(ctx, group.id)}
        found = blocks.of_group(ctx, group)
    else:
        names = {stream.id: stream.name for stream in reading.streams}
        found = [block for stream in reading.streams for block in blocks.of_stream(ctx, group, stream)]
    lines = blocks.lines_of(found, names, start, reading.end)
    after = reading.after
    if after is not None:
        lines = [line for line in lines if (line[:3] < after if reading.reverse else line[:3] > after)]
    lines.sort(reverse=reading.reverse)
    return lines[: reading.limit]


def retained_from(ctx: Context, group: Group) -> int:
    """The timestamp before which events have expired."""
    return int(ctx.now() * 1000) - group.retention_days * 86_400_000 if group.retention_days else 0


def cut(lines: list[Line]) -> list[Line]:
    """So many lines as an answer of 1 MB holds, one at least."""
    size = 0
    for index, line in enumerate(lines):
        size += len(line.message) + OVERHEAD_BYTES
        if size > PAGE_BYTES and index:
            return lines[:index]
    return lines


@operation(unsupported=("unmask",))
def get_log_events(ctx: Context, request: t.GetLogEventsRequest) -> t.GetLogEventsResponse:
    """A page of a stream's events, with tokens for the pages on both sides of it."""
    name = request["logStreamName"]
    group = groups.named(ctx, request, stream=name)
    stream = streams.find(ctx, group, name)
    forward, after = _read_token(request.get("nextToken"), bool(request.get("startFromHead")))
    reading = Reading(
        group,
        (stream,),
        request.get("startTime") or 0,
        request.get("endTime", EVER),
        after,
        request.get("limit") or PAGE,
        not forward,
    )
    return _page(tail(ctx, reading), reading, request.get("nextToken"))


def _read_token(token: str | None, from_head: bool) -> tuple[bool, Position | None]:
    """Whether to go forward, and from where."""
    if token is None:
        return from_head, None
    direction, _, rest = token.partition("/")
    identifier, _, end = rest.partition("/")
    if direction not in ("f", "b") or end != "s":
        raise INVALID_TOKEN()
    try:
        return direction == "f", position_of(identifier)
    except ValueError:
        raise INVALID_TOKEN() from None


def _page(lines: list[Line], reading: Reading, token: str | None) -> t.GetLogEventsResponse:
    """The answer. At an end, the token in that direction is the one that was given."""
    lines = cut(lines)
    if reading.reverse:
        lines.reverse()
    if lines:
        first, last = lines[0].position, lines[-1].position
    else:
        first = last = reading.after or (min(reading.end, 1 << 41) if reading.reverse else reading.start, 0, 0)
    return {
        "events": [{"timestamp": line[0], "message": line[4], "ingestionTime": line[5]} for line in lines],
        "nextForwardToken": f"f/{event_id(last)}/s",
        "nextBackwardToken": f"b/{event_id(first)}/s",
    }
