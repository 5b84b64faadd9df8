"""Where the lines of a group lie: in segments, which are files, and in blocks that are not sealed yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cumulo.services.operations.logs import events
from cumulo.services.operations.logs.events import Reading
from cumulo.services.operations.logs.lines import Line

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups import Group

# Columns of the files: ts BIGINT, ingested BIGINT (milliseconds), stream VARCHAR, message VARCHAR, and what makes the
# order whole: seq UBIGINT, sid UBIGINT. `Line.pointer` (@ptr of Insights) is made of these, as this expression does.
POINTER = "ts || '-' || seq || '-' || sid"


class Sources(NamedTuple):
    """All lines of a group in a range of time: Parquet files, and lines that are in none.

    Files hold lines of other times, too, and of streams that are gone: `where` is the SQL condition on their rows.
    Read them soon: retention may delete a file (the query then fails for want of it, and is begun again).
    """

    files: list[Path]
    where: str
    tail: list[Line]


async def sources(ctx: Context, group: Group, start: int, end: int) -> Sources:
    """Where the lines with start <= timestamp < end are (milliseconds). For `async def` only."""
    tail = await ctx.transact(lambda ctx: events.tail(ctx, Reading(group, None, start, end, limit=events.EVER)))
    return Sources([], f"ts >= {start} AND ts < {end}", tail)
