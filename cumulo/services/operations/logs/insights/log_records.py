"""One log event with all its fields (GetLogRecord), and the fields of a group's events (GetLogGroupFields).

Source: API reference of both; CloudWatch Logs User Guide, "Supported logs and discovered fields" (200 at most).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import Wait, operation
from cumulo.services.operations.logs.errors import INVALID_PARAMETER
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.insights.query_errors import RECORD_NOT_FOUND
from cumulo.services.operations.logs.protection import data_protection
from cumulo.services.operations.logs.query import flattening
from cumulo.services.operations.logs.stored import reading
from cumulo.services.operations.logs.stored.reading import Reading

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.lines import Line
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.stubs import logs as t

RECENT_MS = 15 * 60_000
AROUND_MS = 8 * 60_000
SAMPLE = 10_000  # events that GetLogGroupFields looks at


@operation
def get_log_record(ctx: Context, request: t.GetLogRecordRequest) -> t.GetLogRecordResponse:
    """All fields of the event that an @ptr points to."""
    group_id, position = _read(request.get("logRecordPointer", ""))
    group = groups.by_id(ctx, group_id)
    if group is None or group.account != ctx.account or group.region != ctx.region:
        raise RECORD_NOT_FOUND()
    groups.authorize(ctx, group.name, group)
    masks = data_protection.for_reader(ctx, group, request)
    raise Wait(partial(_record, group=group, position=position, masks=masks))


def _read(pointer: str) -> tuple[bytes, tuple[int, int, int]]:
    parts = pointer.split("-")
    try:
        group, timestamp, sequence, stream = bytes.fromhex(parts[0]), int(parts[1]), int(parts[2]), int(parts[3])
    except (ValueError, IndexError):
        raise INVALID_PARAMETER("The specified log record pointer is invalid.") from None
    return group, (timestamp, sequence, stream)


async def _record(
    ctx: Context, group: Group, position: tuple[int, int, int], masks: Masks | None
) -> t.GetLogRecordResponse:
    timestamp = position[0]
    before = (timestamp, position[1] - 1, (1 << 64) - 1)
    wanted = Reading(group, None, timestamp, timestamp + 1, before, limit=4)
    found = [line for line in await reading.read(ctx, wanted) if line[:3] == position]
    if not found:
        raise RECORD_NOT_FOUND()
    return {"logRecord": await ctx.in_thread(partial(_fields, group, found[0], masks))}


def _fields(group: Group, line: Line, masks: Masks | None) -> dict[str, str]:
    line = line if masks is None else masks.line(line)
    fields = {
        "@timestamp": str(line.timestamp),
        "@ingestionTime": str(line.ingested),
        "@message": line.message,
        "@logStream": line.stream,
        "@log": f"{group.account}:{group.name}",
        "@ptr": f"{group.id.hex()}-{line.pointer}",
    }
    return {**fields, **flattening.discovered(line.message, group.name)}


@operation
def get_log_group_fields(ctx: Context, request: t.GetLogGroupFieldsRequest) -> t.GetLogGroupFieldsResponse:
    """The fields of a group's events in a quarter of an hour, and in how many of them they are."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise INVALID_PARAMETER("Exactly one of logGroupName and logGroupIdentifier must be specified.")
    group = groups.find_any(ctx, name or identifier or "")
    now = int(ctx.now() * 1000)
    time = request.get("time")
    if time is None:
        start, end = now - RECENT_MS, now
    else:
        start, end = time * 1000 - AROUND_MS, time * 1000 + AROUND_MS
    raise Wait(partial(_group_fields, group=group, start=start, end=end))


async def _group_fields(ctx: Context, group: Group, start: int, end: int) -> t.GetLogGroupFieldsResponse:
    wanted = Reading(group, None, start, end + 1, limit=SAMPLE, reverse=True, most_bytes=64 * 1024 * 1024)
    lines = await reading.read(ctx, wanted)
    found = await ctx.in_thread(partial(_counted, group.name, lines))
    return {"logGroupFields": found}


def _counted(group: str, lines: list[Line]) -> list[Any]:
    counts: dict[str, int] = dict.fromkeys(
        ("@ingestionTime", "@log", "@logStream", "@message", "@timestamp"), len(lines)
    )
    for line in lines:
        for name in flattening.discovered(line.message, group):
            counts[name] = counts.get(name, 0) + 1
    if not lines:
        return []
    found = [{"name": name, "percent": round(100 * count / len(lines))} for name, count in counts.items()]
    return sorted(found, key=lambda field: (-int(field["percent"]), str(field["name"])))
