"""StartLiveTail: what comes to log groups, as it comes.

Source: API reference, StartLiveTail: an update a second, of at most 500 events, for at most three hours. Sessions look
at the streams' serials when a group's signal was heard, so that events of every node are seen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.operations.logs.errors import GROUP_NOT_FOUND, INVALID_PARAMETER, LIMIT_EXCEEDED
from cumulo.services.operations.logs.events import filtering
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.groups.groups import STANDARD
from cumulo.services.operations.logs.groups.streams import STREAMS
from cumulo.services.operations.logs.lines import Line
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.stored import blocks, reading

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.signals import Listener
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.groups.streams import Stream
    from cumulo.services.operations.logs.patterns import Pattern
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.stubs import logs as t

UPDATE_S = 1.0
SESSION_S = 3 * 3600.0
MOST_EVENTS = 500
MOST_SESSIONS = 15  # at a time, in an account and region (User Guide, "CloudWatch Logs quotas")


@operation
async def start_live_tail(ctx: Context, request: t.StartLiveTailRequest) -> Any:
    """Begin a session: its events follow for as long as the client listens."""
    pattern = filtering.read_pattern(request.get("logEventFilterPattern") or "")
    found = await ctx.transact(lambda ctx: _groups(ctx, request))
    session = _Session(ctx, found, request, pattern)
    await session.begin()
    return {"responseStream": session.events()}


def _groups(ctx: Context, request: t.StartLiveTailRequest) -> list[Group]:
    identifiers = request["logGroupIdentifiers"]
    names, prefixes = request.get("logStreamNames"), request.get("logStreamNamePrefixes")
    if names and prefixes:
        raise INVALID_PARAMETER("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters.")
    if (names or prefixes) and len(identifiers) > 1:
        raise INVALID_PARAMETER("Log streams can be specified only for a single log group.")
    found = []
    for identifier in dict.fromkeys(identifiers):
        if not identifier.startswith("arn:") or identifier.endswith("*"):
            raise INVALID_PARAMETER(f"The specified log group identifier is not a valid ARN: {identifier}")
        group = groups.find_any(ctx, identifier)
        groups.refuse_class(group, "StartLiveTail", STANDARD)
        found.append(group)
    return found


class _Session:
    """One session: what it wants, and up to where of each stream it has seen."""

    def __init__(self, ctx: Context, found: Sequence[Group], request: t.StartLiveTailRequest, pattern: Pattern) -> None:
        self._ctx = ctx
        self._groups = found
        self._request = request
        self._pattern = pattern
        self._names = frozenset(request.get("logStreamNames") or ())
        self._prefixes = tuple(request.get("logStreamNamePrefixes") or ())
        self._seen: dict[bytes, int] = {}
        self._id = ctx.uuid()
        self._place = (ctx.account, ctx.region)
        self._listening = ExitStack()
        self._heard: dict[bytes, Listener] = {}

    async def begin(self) -> None:
        """Remember what is there already, which is not shown."""
        sessions: dict[Any, int] = self._ctx.runtime.memory.setdefault("logs.live_tails", {})
        if sessions.get(self._place, 0) >= MOST_SESSIONS:
            raise LIMIT_EXCEEDED()
        for group in self._groups:
            listener = self._ctx.runtime.signals.listen(blocks.signal_of(group))
            self._heard[group.id] = self._listening.enter_context(listener)
        await self._ctx.transact(self._remember)
        sessions[self._place] = sessions.get(self._place, 0) + 1
        self._listening.callback(self._end)

    def _end(self) -> None:
        self._ctx.runtime.memory["logs.live_tails"][self._place] -= 1

    def _remember(self, ctx: Context) -> None:
        for group in self._groups:
            for stream in STREAMS.range(ctx, group.id):
                self._seen[stream.id] = stream.serial

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """The session's start, and an update every second."""
        ctx, request = self._ctx, self._request
        with self._listening:
            yield {
                "sessionStart": {
                    "requestId": ctx.request_id,
                    "sessionId": self._id,
                    "logGroupIdentifiers": request["logGroupIdentifiers"],
                    "logStreamNames": request.get("logStreamNames") or [],
                    "logStreamNamePrefixes": request.get("logStreamNamePrefixes") or [],
                    "logEventFilterPattern": request.get("logEventFilterPattern") or "",
                }
            }
            begun = ctx.now()
            with ctx.listen(f"logs live tail {self._id}") as clock:  # nobody announces this: it only waits
                while not ctx.gone:
                    await clock.wait(ctx.now() + UPDATE_S)
                    if ctx.now() >= begun + SESSION_S:
                        text = "The session has been open for three hours."
                        yield {"SessionTimeoutException": {"message": text}}
                        return
                    yield {"sessionUpdate": await self._update()}

    async def _update(self) -> dict[str, Any]:
        """What came since the last update."""
        found: list[tuple[Line, str]] = []
        for group in self._groups:
            if await self._heard[group.id].wait(self._ctx.now()):
                try:
                    lines, masks = await self._ctx.transact(partial(self._new, group=group))
                except Fault as fault:
                    if fault.code != GROUP_NOT_FOUND.code:
                        raise
                    continue  # it was deleted: the others go on
                chosen = await self._ctx.in_thread(partial(self._chosen, lines, masks)) if lines else []
                found += [(line, group.arn) for line in chosen]
        found.sort()
        sampled = len(found) > MOST_EVENTS
        if sampled:
            found = [found[index * len(found) // MOST_EVENTS] for index in range(MOST_EVENTS)]
        return {
            "sessionMetadata": {"sampled": sampled},
            "sessionResults": [
                {
                    "logStreamName": line.stream,
                    "logGroupIdentifier": arn,
                    "message": line.message,
                    "timestamp": line.timestamp,
                    "ingestionTime": line.ingested,
                }
                for line, arn in found
            ],
        }

    def _new(self, ctx: Context, group: Group) -> tuple[list[Line], Masks | None]:
        current = groups.by_id(ctx, group.id)
        if current is None:
            raise GROUP_NOT_FOUND()
        found: list[Line] = []
        for stream in STREAMS.range(ctx, group.id):
            seen = self._seen.get(stream.id, 0)
            if stream.serial == seen:
                continue
            self._seen[stream.id] = stream.serial
            if self._is_wanted(stream):
                for block in blocks.of_stream(ctx, current, stream, after=seen):
                    found += blocks.lines_of(ctx, current, block, stream.name, 0, reading.EVER)
        return found, data_protection.masks_of(ctx, current)

    def _chosen(self, lines: list[Line], masks: Masks | None) -> list[Line]:
        lines = data_protection.masking_of(masks)(lines)
        return [line for line in lines if self._pattern.matches(line.message)]

    def _is_wanted(self, stream: Stream) -> bool:
        if self._names:
            return stream.name in self._names
        return not self._prefixes or stream.name.startswith(self._prefixes)
