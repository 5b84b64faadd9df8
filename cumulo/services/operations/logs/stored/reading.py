"""The one way to read events: of blocks, which are rows of the store, and of segments, which are files."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.errors import INTERNAL_FAILURE
from cumulo.services.operations.logs.groups import streams
from cumulo.services.operations.logs.lines import Line, Position
from cumulo.services.operations.logs.stored import account_records, blocks, segments
from cumulo.services.operations.logs.stored.segment_files import OVERHEAD_BYTES, Wanted

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.groups.streams import Stream
    from cumulo.services.operations.logs.stored.segments import Opened, Segment

EVER = 1 << 62
PAGE = 10_000
PAGE_BYTES = 1_048_576
DAY_MS = 86_400_000
_AT_ONCE = 4  # segments that are read together
_ATTEMPTS = 4


class Reading(NamedTuple):
    """Which lines are wanted: of these streams (None: of all), start <= timestamp < end, beyond `after`.

    `texts` must all be in a line's message. Of `most_bytes`, a line more may come.
    """

    group: Group
    streams: Sequence[Stream] | None
    start: int = 0
    end: int = EVER
    after: Position | None = None
    limit: int = PAGE
    reverse: bool = False
    most_bytes: int = PAGE_BYTES
    texts: Sequence[str] = ()


class _Look(NamedTuple):
    """What one transaction saw."""

    lines: list[Line]
    segments: list[Opened]
    wanted: Wanted


async def read(ctx: Context, reading: Reading) -> list[Line]:
    """Lines in the order of time (the latest first if `reverse`). For `async def` only."""
    for _ in range(_ATTEMPTS):
        look = await ctx.transact(lambda ctx: _look(ctx, reading))
        if not look.segments:
            return look.lines
        try:
            return await ctx.in_thread(partial(_merged, ctx, reading, look))
        except FileNotFoundError:  # it went into another segment, or expired, meanwhile
            continue
    raise INTERNAL_FAILURE()


def at_hand(ctx: Context, reading: Reading) -> list[Line] | None:
    """The same inside a transaction; None when segments have to be read."""
    lines = tail(ctx, reading)
    return None if _beside(ctx, reading, lines) else lines


def tail(ctx: Context, reading: Reading) -> list[Line]:
    """Lines that are in no segment yet, inside a transaction."""
    group, after = reading.group, reading.after
    start, end = max(reading.start, retained_from(ctx, group)), reading.end
    if after is not None:
        start, end = (start, min(end, after[0] + 1)) if reading.reverse else (max(start, after[0]), end)
    if reading.streams is None:
        names = {stream.id: stream.name for stream in streams.STREAMS.range(ctx, group.id)}
        found = blocks.of_group(ctx, group)
    else:
        names = {stream.id: stream.name for stream in reading.streams}
        found = [block for stream in reading.streams for block in blocks.of_stream(ctx, group, stream)]
    found = [each for each in found if each.stream_id in names and each.last >= start and each.first < end]
    found.sort(key=(lambda block: -block.last) if reading.reverse else (lambda block: block.first))
    lines: list[Line] = []
    for index, block in enumerate(found):
        if len(lines) >= reading.limit and index % 4 == 0:
            lines.sort(reverse=reading.reverse)
            edge = lines[reading.limit - 1][0]
            if block.last < edge if reading.reverse else block.first > edge:
                break  # it and what comes after it lies beyond
        lines += _chosen(reading, blocks.lines_of(ctx, group, block, names[block.stream_id], start, end))
    lines.sort(reverse=reading.reverse)
    return lines[: reading.limit]


def _chosen(reading: Reading, lines: list[Line]) -> list[Line]:
    after = reading.after
    if after is not None:
        lines = [line for line in lines if (line[:3] < after if reading.reverse else line[:3] > after)]
    if reading.texts:
        lines = [line for line in lines if all(text in line.message for text in reading.texts)]
    return lines


def retained_from(ctx: Context, group: Group) -> int:
    """The timestamp before which events have expired."""
    days = account_records.retained(ctx, group).days
    return int(ctx.now() * 1000) - days * DAY_MS if days else 0


def wanted(ctx: Context, reading: Reading) -> Wanted:
    """A reading as segments understand it."""
    chosen = None
    if reading.streams is not None:
        chosen = {int.from_bytes(stream.id) for stream in reading.streams}
    return Wanted(
        max(reading.start, retained_from(ctx, reading.group)),
        reading.end,
        chosen,
        segments.gone_streams(ctx, reading.group),
        reading.after,
        reading.reverse,
        reading.limit,
        reading.most_bytes,
        reading.texts,
    )


def cut(lines: list[Line], most_bytes: int = PAGE_BYTES) -> list[Line]:
    """So many lines as an answer of 1 MB holds, one at least."""
    size = 0
    for index, line in enumerate(lines):
        size += len(line.message) + OVERHEAD_BYTES
        if size > most_bytes and index:
            return lines[:index]
    return lines


def _look(ctx: Context, reading: Reading) -> _Look:
    lines = tail(ctx, reading)
    found = segments.opened(ctx, reading.group, _beside(ctx, reading, lines))
    return _Look(lines, found, wanted(ctx, reading))


def _beside(ctx: Context, reading: Reading, lines: list[Line]) -> list[Segment]:
    """The segments that may hold lines of the reading, if these are those at hand; in the order of reading."""
    start, end, after = max(reading.start, retained_from(ctx, reading.group)), reading.end, reading.after
    if after is not None:
        start, end = (start, min(end, after[0] + 1)) if reading.reverse else (max(start, after[0]), end)
    if len(lines) >= reading.limit:
        start, end = (lines[-1][0], end) if reading.reverse else (start, lines[-1][0] + 1)
    found = segments.overlapping(ctx, reading.group, start, end)
    if reading.reverse:
        return sorted(found, key=lambda segment: -segment.last_ms)
    return sorted(found, key=lambda segment: segment.first_ms)


def _merged(ctx: Context, reading: Reading, look: _Look) -> list[Line]:
    """Lines of blocks and segments in one order: time goes on by so much as only the open segments can hold."""
    chosen, size = list[Line](), 0
    active: list[Opened] = []
    start, end = look.wanted.start, look.wanted.end
    at, tail_at = 0, 0
    while True:
        active += look.segments[at : at + _AT_ONCE]
        at += _AT_ONCE
        following = look.segments[at].segment if at < len(look.segments) else None
        if reading.reverse:
            low, high = (following.last_ms + 1 if following else look.wanted.start), end
        else:
            low, high = start, (following.first_ms if following else look.wanted.end)
        if low < high:
            window = look.wanted._replace(
                start=low, end=high, limit=reading.limit - len(chosen), most_bytes=reading.most_bytes - size
            )
            found, is_cut = segments.lines_of(ctx, reading.group, active, window)
            edge = found[-1].position if is_cut else None
            while tail_at < len(look.lines) and low <= look.lines[tail_at][0] < high:
                found.append(look.lines[tail_at])
                tail_at += 1
            if edge is not None:
                found = segments.until(found, edge, reading.reverse)
            found.sort(reverse=reading.reverse)
            chosen += found
            size += sum([len(line.message) + OVERHEAD_BYTES for line in found])
            start, end = (start, low) if reading.reverse else (high, end)
            active = [each for each in active if each.segment.first_ms < end and each.segment.last_ms >= start]
        if following is None or len(chosen) >= reading.limit or size >= reading.most_bytes:
            return chosen[: reading.limit]
