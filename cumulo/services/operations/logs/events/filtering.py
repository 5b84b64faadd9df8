"""FilterLogEvents and TestMetricFilter: events that a pattern chooses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.core import paging
from cumulo.core.operation import Wait, operation
from cumulo.services.operations.logs import patterns
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, INVALID_TOKEN, LIMIT_EXCEEDED
from cumulo.services.operations.logs.groups import groups, streams
from cumulo.services.operations.logs.lines import Line, Position
from cumulo.services.operations.logs.patterns import Pattern, PatternError
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.stored import reading
from cumulo.services.operations.logs.stored.reading import PAGE, PAGE_BYTES, Reading
from cumulo.services.operations.logs.stored.segment_files import OVERHEAD_BYTES

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.groups.streams import Stream
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.stubs import logs as t

NOW_MS = 1_704_067_200_000  # 2024-01-01: events before it cannot be read backwards (API reference)
READ_LINES, READ_BYTES = 10_000, 4 * PAGE_BYTES  # at a time
MOST_LINES = 200_000  # that one call looks at: the page is then what was found, maybe nothing
IGNORED = ("interleaved",)  # "this parameter is ignored and the value is assumed to be true" (API reference)


class _Found(NamedTuple):
    """A page: the events, and where the next one begins (None at the end)."""

    lines: list[Line]
    following: Position | None


def read_pattern(text: str, kind: str = "filter") -> Pattern:
    """A pattern, or AWS's error for it: "Invalid metric filter pattern"."""
    try:
        return patterns.read(text)
    except PatternError as error:
        raise INVALID_PARAMETER(str(error) or f"Invalid {kind} pattern") from None


def check_regexes(pattern: Pattern, others: Sequence[str], most: int) -> None:
    """Refuse a pattern with regular expressions where a group has as many such patterns as it may."""
    if pattern.regexes and sum([patterns.read(other).regexes > 0 for other in others]) >= most:
        raise LIMIT_EXCEEDED()


@operation
async def filter_log_events(ctx: Context, request: t.FilterLogEventsRequest) -> t.FilterLogEventsResponse:
    """A page of the events of a group, of all streams or some, that a pattern chooses."""
    pattern = read_pattern(request.get("filterPattern") or "")
    wanted, masks = await ctx.transact(lambda ctx: _reading(ctx, request))
    found = await _find(ctx, wanted, pattern, request.get("limit") or PAGE, masks)
    answer: t.FilterLogEventsResponse = {"events": [_event(line) for line in found.lines], "searchedLogStreams": []}
    if found.following is not None:
        answer["nextToken"] = paging.encode(ctx, (int(wanted.reverse), *map(str, found.following)))
    return answer


def _event(line: Line) -> t.FilteredLogEvent:
    return {
        "logStreamName": line.stream,
        "timestamp": line.timestamp,
        "message": line.message,
        "ingestionTime": line.ingested,
        "eventId": line.event_id,
    }


def _reading(ctx: Context, request: t.FilterLogEventsRequest) -> tuple[Reading, Masks | None]:
    group = groups.named(ctx, request)
    start, end = request.get("startTime") or 0, request.get("endTime", reading.EVER - 1)
    if start > end:
        raise INVALID_PARAMETER("startTime must be less than or equal to endTime")
    after: Position | None = None
    reverse = request.get("startFromHead") is False
    token = request.get("nextToken")
    if token is not None:
        reverse, after = _read_token(ctx, token)
    elif reverse and start < NOW_MS:
        raise INVALID_PARAMETER("startFromHead can be false only when startTime is on or after 2024-01-01T00:00:00Z")
    masks = data_protection.for_reader(ctx, group, request)
    wanted = Reading(group, _streams(ctx, group, request), start, end + 1, after, READ_LINES, reverse, READ_BYTES)
    return wanted, masks


def _read_token(ctx: Context, token: str) -> tuple[bool, Position]:
    found = paging.decode(ctx, token, INVALID_TOKEN())
    try:
        reverse, timestamp, sequence, stream_id = map(int, found)
    except ValueError:
        raise INVALID_TOKEN() from None
    return bool(reverse), (timestamp, sequence, stream_id)


def _streams(ctx: Context, group: Group, request: t.FilterLogEventsRequest) -> Sequence[Stream] | None:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        raise INVALID_PARAMETER("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
    if names is not None:
        return [streams.find(ctx, group, name) for name in dict.fromkeys(names)]
    if prefix is not None:
        return streams.STREAMS.range(ctx, group.id, start=(prefix,), end=(prefix + "\U0010ffff",))
    return None


async def _find(ctx: Context, wanted: Reading, pattern: Pattern, limit: int, masks: Masks | None) -> _Found:
    if masks is None:  # else a text may be found that is masked
        wanted = wanted._replace(texts=pattern.texts)
    found: list[Line] = []
    size = looked = 0
    while True:
        lines = await reading.read(ctx, wanted)
        matching = (
            await ctx.in_thread(partial(_matching, lines, pattern, masks))
            if len(lines) > 50 or masks is not None or pattern.regexes
            else _matching(lines, pattern, masks)
        )
        for line in matching:
            size += len(line.message) + OVERHEAD_BYTES
            if len(found) == limit or (size > PAGE_BYTES and found):
                return _Found(found, found[-1].position)
            found.append(line)
        if len(lines) < READ_LINES and sum([len(line.message) for line in lines]) < READ_BYTES // 2:
            return _Found(found, None)
        looked += len(lines)
        if looked >= MOST_LINES or len(found) == limit:
            return _Found(found, lines[-1].position if len(found) < limit else found[-1].position)
        wanted = wanted._replace(after=lines[-1].position)


def _matching(lines: Sequence[Line], pattern: Pattern, masks: Masks | None) -> list[Line]:
    matches = pattern.matches
    if masks is not None:
        lines = masks.lines(lines)
    return [line for line in lines if matches(line.message)]


@operation
def test_metric_filter(ctx: Context, request: t.TestMetricFilterRequest) -> t.TestMetricFilterResponse:
    """Which of some messages a pattern chooses, and what it extracts from them."""
    pattern = read_pattern(request["filterPattern"], "metric filter")
    raise Wait(partial(_tested, pattern=pattern, messages=request["logEventMessages"]))


async def _tested(ctx: Context, pattern: Pattern, messages: Sequence[str]) -> t.TestMetricFilterResponse:
    return {"matches": await ctx.in_thread(partial(_matches, pattern, messages))}


def _matches(pattern: Pattern, messages: Sequence[str]) -> list[Any]:
    return [
        {"eventNumber": number, "eventMessage": message, "extractedValues": pattern.extracted(message)}
        for number, message in enumerate(messages, 1)
        if pattern.matches(message)
    ]
