"""Batches of events as they came, one row of the store each, until a task seals them into a segment."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cumulo.core.table import GLOBAL, Space, prefix_range
from cumulo.services.operations.logs.groups import sealing
from cumulo.services.operations.logs.lines import INDEX_BITS, Line

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.groups.streams import Stream

# Key: group, stream, serial of the batch.
BLOCKS = Space("logs.blocks", scope=GLOBAL)
_HEAD = struct.Struct(">?8sQQQ")  # whether KMS sealed it, stream, serial, first and last timestamp


class Batch(msgspec.Struct, array_like=True):
    """What a block holds: events in the order of their timestamps, and when they came (milliseconds)."""

    ingested: int
    timestamps: list[int]
    messages: list[str]


class Block(NamedTuple):
    """A block as it lies in the store."""

    key: bytes
    sealed: bool
    stream_id: bytes
    serial: int
    first: int
    last: int
    contents: memoryview


_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Batch).decode


def put(ctx: Context, group: Group, stream: Stream, batch: Batch) -> None:
    """Keep a batch under the stream's serial, sealed if the group has a key."""
    contents = _encode(batch)
    sealed = bool(group.kms_key)
    if sealed:
        contents = sealing.seal(ctx, group, contents)
    head = _HEAD.pack(sealed, stream.id, stream.serial, batch.timestamps[0], batch.timestamps[-1])
    ctx.txn.put(BLOCKS.key(ctx, group.id, stream.id, stream.serial), head + contents)


def signal_of(group: Group) -> str:
    """What is announced when events have come to a group."""
    return f"logs {group.id.hex()}"


def of_group(ctx: Context, group: Group) -> list[Block]:
    """All blocks of a group."""
    return _blocks(ctx, BLOCKS.key(ctx, group.id))


def of_stream(ctx: Context, group: Group, stream: Stream, after: int = 0) -> list[Block]:
    """The blocks of a stream whose serials are higher than `after`, the oldest first."""
    if not after:
        return _blocks(ctx, BLOCKS.key(ctx, group.id, stream.id))
    _, end = prefix_range(BLOCKS.key(ctx, group.id, stream.id))
    return _read(ctx.txn.range(BLOCKS.key(ctx, group.id, stream.id, after + 1), end))


def one(ctx: Context, group: Group, stream: Stream, serial: int) -> Block | None:
    """The block of this serial, None when it is not there any more."""
    key = BLOCKS.key(ctx, group.id, stream.id, serial)
    value = ctx.txn.get(key)
    return None if value is None else _read([(key, value)])[0]


def some(ctx: Context, group: Group, after: bytes | None, limit: int) -> list[Block]:
    """The next blocks of a group, after this key."""
    begin, end = prefix_range(BLOCKS.key(ctx, group.id))
    return _read(ctx.txn.range(begin if after is None else after + b"\x00", end, limit=limit))


def _blocks(ctx: Context, prefix: bytes) -> list[Block]:
    return _read(ctx.txn.range(*prefix_range(prefix)))


def _read(rows: Iterable[tuple[bytes, bytes]]) -> list[Block]:
    found = []
    for key, value in rows:
        sealed, stream_id, serial, first, last = _HEAD.unpack_from(value)
        found.append(Block(key, sealed, stream_id, serial, first, last, memoryview(value)[_HEAD.size :]))
    return found


def opened(ctx: Context, group: Group, block: Block) -> Batch:
    """The batch in a block."""
    if block.sealed:
        return decode(sealing.open(ctx, group, bytes(block.contents)))
    return decode(block.contents)


def lines_of(ctx: Context, group: Group, block: Block, stream: str, start: int, end: int) -> list[Line]:
    """The lines of a block in a range of time."""
    return of_batch(opened(ctx, group, block), block.serial, int.from_bytes(block.stream_id), stream, start, end)


def of_batch(batch: Batch, serial: int, stream_id: int, stream: str, start: int, end: int) -> list[Line]:
    """The lines of a batch in a range of time."""
    base = serial << INDEX_BITS
    ingested = batch.ingested
    return [
        Line(timestamp, base | index, stream_id, stream, message, ingested)
        for index, (timestamp, message) in enumerate(zip(batch.timestamps, batch.messages, strict=True))
        if start <= timestamp < end
    ]
