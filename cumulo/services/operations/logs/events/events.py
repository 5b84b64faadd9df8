"""GetLogEvents: the events of one stream, in pages both ways."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cumulo.core.operation import Wait, operation
from cumulo.services.operations.logs.errors import INVALID_TOKEN
from cumulo.services.operations.logs.groups import groups, streams
from cumulo.services.operations.logs.lines import Line, Position, event_id, position_of
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.stored import reading
from cumulo.services.operations.logs.stored.reading import EVER, PAGE, Reading

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.stubs import logs as t


@operation
def get_log_events(ctx: Context, request: t.GetLogEventsRequest) -> t.GetLogEventsResponse:
    """A page of a stream's events, with tokens for the pages on both sides of it."""
    wanted = _reading(ctx, request)
    masks = data_protection.for_reader(ctx, wanted.group, request, request["logStreamName"])
    lines = reading.at_hand(ctx, wanted) if masks is None else None  # to mask takes long
    if lines is None:
        raise Wait(_at_length)
    return _page(lines, wanted, masks)


async def _at_length(ctx: Context) -> t.GetLogEventsResponse:
    def look(ctx: Context) -> tuple[Reading, Masks | None]:
        wanted = _reading(ctx, ctx.request)  # type: ignore[arg-type]
        return wanted, data_protection.for_reader(ctx, wanted.group, ctx.request, ctx.request["logStreamName"])

    wanted, masks = await ctx.transact(look)
    lines = await reading.read(ctx, wanted)
    return _page(lines, wanted, masks) if masks is None else await ctx.in_thread(partial(_page, lines, wanted, masks))


def _reading(ctx: Context, request: t.GetLogEventsRequest) -> Reading:
    name = request["logStreamName"]
    group = groups.named(ctx, request, stream=name)
    stream = streams.find(ctx, group, name)
    forward, after = _read_token(request.get("nextToken"), bool(request.get("startFromHead")))
    return Reading(
        group,
        (stream,),
        request.get("startTime") or 0,
        request.get("endTime", EVER),
        after,
        request.get("limit") or PAGE,
        not forward,
    )


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


def _page(lines: list[Line], wanted: Reading, masks: Masks | None) -> t.GetLogEventsResponse:
    """The answer. At an end, the token in that direction is the one that was given."""
    lines = reading.cut(lines)
    if wanted.reverse:
        lines.reverse()
    if masks is not None:
        lines = masks.lines(lines)
    if lines:
        first, last = lines[0].position, lines[-1].position
    else:
        first = last = wanted.after or (min(wanted.end, 1 << 41) if wanted.reverse else wanted.start, 0, 0)
    return {
        "events": [{"timestamp": line[0], "message": line[4], "ingestionTime": line[5]} for line in lines],
        "nextForwardToken": f"f/{event_id(last)}/s",
        "nextBackwardToken": f"b/{event_id(first)}/s",
    }
