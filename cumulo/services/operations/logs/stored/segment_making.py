"""Blocks become segments: when a group has gathered many, and those that are an hour old.

A segment and the end of its blocks are one transaction: a crash before leaves the blocks (and a file that nothing
names), a crash after leaves the segment. No line is lost, none doubled.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.core import encryption, kept_blobs, scratch
from cumulo.core.operation import task
from cumulo.engines import duckdb
from cumulo.services.operations.logs.groups import groups, sealing, streams
from cumulo.services.operations.logs.lines import SERIAL_EPOCH_S, Line
from cumulo.services.operations.logs.stored import blocks, segment_files, segments
from cumulo.services.operations.logs.stored.segment_files import OVERHEAD_BYTES, PACKED, PARQUET, Source
from cumulo.services.operations.logs.stored.segments import SEGMENTS, SHELVES, Segment

if TYPE_CHECKING:
    from cumulo.blobs import Stored
    from cumulo.core.context import Context
    from cumulo.core.encryption import DataKey
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.stored.blocks import Block

GATHERED_BYTES = 16 * 1024 * 1024
GATHERED_BLOCKS = 2_000
SEGMENT_BYTES = 32 * 1024 * 1024
SMALL_BYTES = 8 * 1024 * 1024  # smaller segments are made anew together with what comes
_AT_ONCE = 8  # blocks of up to 1 MB each that one transaction reads
_ATTEMPTS = 1000


class _Gathered(NamedTuple):
    """What becomes a segment: blocks and older segments, all sealed under the same data key, or none."""

    blocks: list[Block]
    sources: list[Source]
    older: list[Segment]
    sealed: bytes
    number: int  # of the last segment when this was gathered


def note(ctx: Context, group: Group, size: int) -> None:
    """A batch came: start the task when enough has gathered since the last."""
    gathered: dict[bytes, list[int]] = ctx.runtime.memory.setdefault("logs.gathered", {})
    counts = gathered.setdefault(group.id, [0, 0])
    counts[0] += size
    counts[1] += 1
    if counts[0] >= GATHERED_BYTES or counts[1] >= GATHERED_BLOCKS:
        counts[0] = counts[1] = 0
        start(ctx, group)


def start(ctx: Context, group: Group) -> None:
    """Make segments of the group's blocks, soon."""
    payload = {"account": group.account, "region": group.region, "name": group.name, "id": group.id.hex()}
    ctx.later(make_segments, payload, lane=f"logs segments {group.id.hex()}")


@task(attempts=_ATTEMPTS)
async def make_segments(ctx: Context, payload: dict[str, Any]) -> None:
    """Make segments until no blocks are left that were there when this began."""
    before = int((ctx.now() - SERIAL_EPOCH_S) * 1_000_000)
    after: bytes | None = None
    while True:
        group = await ctx.transact(lambda ctx: groups.by_id(ctx, bytes.fromhex(payload["id"])))
        if group is None:
            return
        gathered = await _gather(ctx, group, after, before)
        if not gathered.blocks:
            return
        after = gathered.blocks[-1].key
        if gathered.sources or gathered.older:
            await _make(ctx, group, gathered)
        else:
            await ctx.transact(partial(_drop_blocks, gathered=gathered))


async def _gather(ctx: Context, group: Group, after: bytes | None, before: int) -> _Gathered:
    """The next blocks that belong into one file."""
    shelf, older = await ctx.transact(lambda ctx: (segments.shelf_of(ctx, group.id), _small(ctx, group)))
    names = await ctx.transact(lambda ctx: {each.id: each.name for each in streams.STREAMS.range(ctx, group.id)})
    gathered = _Gathered([], [], [], b"", shelf.number)
    size, sealed = 0, None
    while size < SEGMENT_BYTES:
        some = partial(_some, group=group, after=after)
        found, keys = await ctx.transact(some)
        for block, batch in await ctx.in_thread(partial(_opened, ctx, group, found, keys)):
            key = b"" if group.kms_key else _key_of(block)
            if sealed is None:
                sealed = key
            if key != sealed or block.serial > before:
                return _with_older(group, gathered, older, sealed)
            gathered.blocks.append(block._replace(contents=memoryview(b"")))
            name = names.get(block.stream_id)
            if name is not None:
                gathered.sources.append(Source(batch, block.serial, int.from_bytes(block.stream_id), name))
            size += len(block.contents)
            after = block.key
        if len(found) < _AT_ONCE:
            break
    return _with_older(group, gathered, older, sealed or b"")


def _with_older(group: Group, gathered: _Gathered, older: list[Segment], sealed: bytes) -> _Gathered:
    plain = not sealed and not group.kms_key and duckdb.is_here()
    return gathered._replace(sealed=sealed, older=older if plain and gathered.sources else [])


def _some(ctx: Context, group: Group, after: bytes | None) -> tuple[list[Block], dict[bytes, DataKey]]:
    """The next blocks, and the data keys of those that KMS sealed."""
    found = blocks.some(ctx, group, after, _AT_ONCE)
    sealed = {_key_of(block) for block in found if block.sealed}
    return found, {key: sealing.opened_key(ctx, group, key) for key in sealed}


def _key_of(block: Block) -> bytes:
    return encryption.sealed_key(bytes(block.contents)) if block.sealed else b""


def _opened(
    ctx: Context, group: Group, found: list[Block], keys: dict[bytes, DataKey]
) -> list[tuple[Block, blocks.Batch]]:
    context = sealing.context_of(group)
    return [
        (
            block,
            blocks.decode(
                encryption.open(ctx, bytes(block.contents), context, under=keys[_key_of(block)])
                if block.sealed
                else block.contents
            ),
        )
        for block in found
    ]


def _small(ctx: Context, group: Group) -> list[Segment]:
    """The last segments, as long as they are small ones in Parquet."""
    found: list[Segment] = []
    size = 0
    for segment in SEGMENTS.range(ctx, group.id, reverse=True, limit=_AT_ONCE):
        size += segment.size
        if segment.form != PARQUET or segment.size >= SMALL_BYTES or size >= SEGMENT_BYTES:
            break
        found.append(segment)
    return found


async def _make(ctx: Context, group: Group, gathered: _Gathered) -> None:
    gone = await ctx.transact(lambda ctx: segments.gone_streams(ctx, group))
    if gathered.sealed or group.kms_key or not duckdb.is_here():
        key = await ctx.transact(partial(_sealing_key, group=group, sealed=gathered.sealed))
        gathered = gathered._replace(sealed=key.sealed if key is not None else b"")
        form = PACKED
        stored = await ctx.in_thread(partial(_packed, ctx, group, gathered.sources, key))
    else:
        form = PARQUET
        stored = await ctx.in_thread(partial(_parquet, ctx, gathered, gone))
    segment = _described(group, gathered, form, stored, gone)
    await ctx.transact(partial(_commit, gathered=gathered, segment=segment))


def _sealing_key(ctx: Context, group: Group, sealed: bytes) -> DataKey | None:
    """The group's key seals all that comes; without one, what was sealed stays under its own."""
    if group.kms_key:
        return sealing.sealing_key(ctx, group)
    return sealing.opened_key(ctx, group, sealed) if sealed else None


def _packed(ctx: Context, group: Group, sources: list[Source], key: DataKey | None) -> Stored:
    data = segment_files.pack(_lines(sources))
    if key is not None:
        data = encryption.seal(ctx, "", data, sealing.context_of(group), under=key)
    return ctx.blobs.put(data)


def _lines(sources: list[Source]) -> list[Line]:
    return [
        line
        for source in sources
        for line in blocks.of_batch(source.batch, source.serial, source.stream_id, source.stream, 0, 1 << 62)
    ]


def _parquet(ctx: Context, gathered: _Gathered, gone: set[int]) -> Stored:
    folder = scratch.new_folder(ctx)
    try:
        older = [ctx.blobs.path(segment.blob) for segment in gathered.older]
        without = f"sid NOT IN ({', '.join(map(str, gone))})" if gone else "true"
        path = segment_files.write_parquet(folder, gathered.sources, older, ctx.blobs.folder, without)
        return ctx.blobs.put_pieces(segment_files.pieces(path))
    finally:
        scratch.drop(folder)


def _described(group: Group, gathered: _Gathered, form: str, stored: Stored, gone: set[int]) -> Segment:
    batches = [source.batch for source in gathered.sources]
    messages = [message for batch in batches for message in batch.messages]
    size = sum([len(each) if each.isascii() else len(each.encode(errors="surrogatepass")) for each in messages])
    # Of older segments, lines of deleted streams were left out.
    counted = [size, *(-1 if gone else segment.message_bytes for segment in gathered.older)]
    return Segment(
        group.id,
        gathered.number + 1,
        stored.blob,
        form,
        len(messages) + sum(segment.lines for segment in gathered.older),
        size + OVERHEAD_BYTES * len(messages) + sum(segment.size for segment in gathered.older),
        min([*(batch.timestamps[0] for batch in batches), *(segment.first_ms for segment in gathered.older)]),
        max([*(batch.timestamps[-1] for batch in batches), *(segment.last_ms for segment in gathered.older)]),
        gathered.sealed,
        sum(counted) if min(counted) >= 0 else -1,
    )


def _commit(ctx: Context, gathered: _Gathered, segment: Segment) -> None:
    """The segment in place of its blocks, unless another task was faster or the group is gone: then nothing."""
    shelf = segments.shelf_of(ctx, segment.group)
    known = {each.number for each in SEGMENTS.range(ctx, segment.group)} if gathered.older else set()
    taken = all(each.number in known for each in gathered.older)
    if shelf.number != gathered.number or not taken or groups.by_id(ctx, segment.group) is None:
        ctx.txn.on_commit(partial(ctx.runtime.delete_blobs, [segment.blob]))
        return
    SEGMENTS.put(ctx, segment)
    kept_blobs.keep(ctx, segment.blob, "logs")
    shelf.number = segment.number
    shelf.lines += segment.lines
    shelf.size += segment.size
    SHELVES.put(ctx, shelf)
    _drop_blocks(ctx, gathered)
    if gathered.older:
        segments.drop(ctx, segment.group, gathered.older)


def _drop_blocks(ctx: Context, gathered: _Gathered) -> None:
    for block in gathered.blocks:
        ctx.txn.delete(block.key)
