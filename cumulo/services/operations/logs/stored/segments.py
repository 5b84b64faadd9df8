"""Segments: lines of a group in one file each, which a task makes of blocks; and all places where lines lie.

logs.segments  group, number      a segment and its file
logs.shelves   group              how much all of them hold
logs.gone      group, stream id   deleted streams of which segments may hold lines
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core import encryption, kept_blobs, scratch
from cumulo.core.encryption import DataKey
from cumulo.core.table import GLOBAL, Record, Space, Table, prefix_range
from cumulo.services.operations.logs.groups import sealing
from cumulo.services.operations.logs.query.planning import Counted
from cumulo.services.operations.logs.stored import segment_files
from cumulo.services.operations.logs.stored.segment_files import PARQUET, Wanted

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.lines import Line, Position


class Segment(Record):
    """A file of lines. `size` is what they count for (`storedBytes`), `sealed` the data key of one sealed by KMS.

    `message_bytes` are those of their messages alone, -1 where nobody counted.
    """

    group: bytes
    number: int
    blob: str
    form: str
    lines: int
    size: int
    first_ms: int
    last_ms: int
    sealed: bytes = b""
    message_bytes: int = -1


class Shelf(Record):
    """All segments of a group together; `number` is that of the last."""

    group: bytes
    number: int = 0
    lines: int = 0
    size: int = 0


SEGMENTS = Table(Segment, name="logs.segments", key=("group", "number"), scope=GLOBAL)
SHELVES = Table(Shelf, name="logs.shelves", key="group", scope=GLOBAL)
GONE = Space("logs.gone", scope=GLOBAL)


def shelf_of(ctx: Context, group: bytes) -> Shelf:
    """What a group's segments hold."""
    return SHELVES.peek(ctx, group) or Shelf(group)


def overlapping(ctx: Context, group: Group, start: int, end: int) -> list[Segment]:
    """The segments with lines of that time, by number."""
    return [segment for segment in SEGMENTS.range(ctx, group.id) if segment.last_ms >= start and segment.first_ms < end]


def gone_streams(ctx: Context, group: Group) -> set[int]:
    """Ids of deleted streams of which segments may hold lines."""
    return {int.from_bytes(value[:8]) for _, value in ctx.txn.range(*prefix_range(GONE.key(ctx, group.id)))}


def forget_stream(ctx: Context, group: Group, stream_id: bytes) -> None:
    """Hide the lines of a deleted stream: those of segments that are there, and of one that is being made."""
    number = shelf_of(ctx, group.id).number + 1
    ctx.txn.put(GONE.key(ctx, group.id, stream_id), stream_id + number.to_bytes(8))


def drop(ctx: Context, group_id: bytes, dropped: Sequence[Segment]) -> None:
    """Let go of segments and their files, and of the deleted streams that only they remembered."""
    shelf = shelf_of(ctx, group_id)
    for segment in dropped:
        SEGMENTS.delete(ctx, segment)
        shelf.lines -= segment.lines
        shelf.size -= segment.size
    SHELVES.put(ctx, shelf)
    kept_blobs.drop(ctx, [segment.blob for segment in dropped])
    left = SEGMENTS.range(ctx, group_id, limit=1)
    oldest = left[0].number if left else shelf.number + 1
    for key, value in ctx.txn.range(*prefix_range(GONE.key(ctx, group_id))):
        if int.from_bytes(value[8:]) < oldest:
            ctx.txn.delete(key)


class Opened(NamedTuple):
    """A segment with what its file is read with; `key` where KMS sealed it."""

    segment: Segment
    path: Path
    key: DataKey | None


def opened(ctx: Context, group: Group, found: Sequence[Segment]) -> list[Opened]:
    """Segments ready to be read in a thread. KMS may refuse a key."""
    return [
        Opened(
            segment,
            ctx.blobs.path(segment.blob),
            sealing.opened_key(ctx, group, segment.sealed) if segment.sealed else None,
        )
        for segment in found
    ]


def lines_of(ctx: Context, group: Group, found: Sequence[Opened], wanted: Wanted) -> tuple[list[Line], bool]:
    """The lines that are wanted, in the order of time, and whether there are more than these bytes allow.

    Blocks; raises FileNotFoundError for a segment that is gone.
    """
    lines: list[Line] = []
    cut = False
    parquet = [each.path for each in found if each.segment.form == PARQUET]
    if parquet:
        folder = scratch.new_folder(ctx)
        try:
            lines, cut = segment_files.read_parquet(folder, ctx.blobs.folder, parquet, wanted)
        except segment_files.QueryFailed:
            if all(path.exists() for path in parquet):
                raise
            raise FileNotFoundError(group.name) from None
        finally:
            scratch.drop(folder)
    edge = lines[-1].position if cut else None
    for each in found:
        if each.segment.form != PARQUET:
            lines += segment_files.unpack(unsealed(ctx, group, each), wanted)
    if edge is not None:
        lines = until(lines, edge, wanted.reverse)
    lines.sort(reverse=wanted.reverse)
    return lines[: wanted.limit], cut


def until(lines: list[Line], edge: Position, reverse: bool) -> list[Line]:
    """The lines that are read before this position, and the one there."""
    return [line for line in lines if (line[:3] >= edge if reverse else line[:3] <= edge)]


def unsealed(ctx: Context, group: Group, segment: Opened) -> bytes:
    """The bytes of a packed segment's file."""
    data = segment.path.read_bytes()
    if segment.key is None:
        return data
    return encryption.open(ctx, data, sealing.context_of(group), under=segment.key)


# Columns of the files: ts BIGINT, ingested BIGINT (milliseconds), stream VARCHAR, message VARCHAR, and what makes the
# order whole: seq UBIGINT, sid UBIGINT. `Line.pointer` (@ptr of Insights) is made of these, as this expression does.
POINTER = "ts || '-' || seq || '-' || sid"


class Sources(NamedTuple):
    """All lines of a group in a range of time: Parquet files, and lines that are in none.

    Files hold lines of other times, too, and of streams that are gone: `where` is the SQL condition on their rows.
    Read them soon: retention may delete a file (the query then fails for want of it, and is begun again).
    `folder` holds the files that were made for this reading alone: `release` it in the end.
    """

    files: list[Path]
    where: str
    tail: list[Line]
    folder: Path | None = None
    whole: dict[Path, Counted] = {}  # files of which every line is wanted

    def release(self) -> None:
        """Drop what was made for this reading. Blocks: call it in a thread."""
        if self.folder is not None:
            scratch.drop(self.folder)


async def sources(ctx: Context, group: Group, start: int, end: int) -> Sources:
    """Where the lines with start <= timestamp < end are (milliseconds). For `async def` only; needs DuckDB.

    Nothing is masked: who shows lines does that (`data_protection.masks_of`).
    """
    from cumulo.services.operations.logs.stored import reading  # which reads segments, too

    everything = reading.Reading(group, None, start, end, limit=reading.EVER)

    def look(ctx: Context) -> tuple[list[Line], list[Opened], Wanted]:
        found = opened(ctx, group, overlapping(ctx, group, max(start, reading.retained_from(ctx, group)), end))
        return reading.tail(ctx, everything), found, reading.wanted(ctx, everything)

    tail, found, wanted = await ctx.transact(look)
    files = [each.path for each in found if each.segment.form == PARQUET]
    packed = [each for each in found if each.segment.form != PARQUET]
    folder = None
    if packed:  # sealed by KMS, or from before DuckDB was installed
        folder = scratch.new_folder(ctx)
        await ctx.in_thread(partial(_unpacked, ctx, group, packed, wanted, folder))
        files += sorted(folder.glob("*/segment.parquet"))
    whole = {
        each.path: Counted(each.segment.first_ms, each.segment.last_ms, each.segment.lines, each.segment.message_bytes)
        for each in found
        if each.segment.form == PARQUET
        and each.segment.message_bytes >= 0
        and not wanted.gone
        and wanted.start <= each.segment.first_ms
        and each.segment.last_ms < wanted.end
    }
    return Sources(files, segment_files.condition(wanted), tail, folder, whole)


def _unpacked(ctx: Context, group: Group, packed: Sequence[Opened], wanted: Wanted, folder: Path) -> None:
    """Parquet files of packed segments, for one reading."""
    for each in packed:
        place = folder / str(each.segment.number)
        place.mkdir()
        segment_files.rewrite(place, segment_files.unpack(unsealed(ctx, group, each), wanted))
