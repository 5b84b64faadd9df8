"""Shards: four hours of a stream each, worked out from when it began. All of it is pure."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from cumulo.core.change_streams import KEPT_S, SHARD_S, Stream, number_at


class Shard(NamedTuple):
    """A shard: its numbers from `first` until before `end`, which an open one does not have yet."""

    id: str
    parent: str
    first: int
    end: int | None


def of(stream: Stream, now: float, last: int) -> list[Shard]:
    """The shards of a stream that may still hold changes, in order; `last` is the last number given out."""
    ended = max(stream.end(now), stream.created_at)
    count = int((ended - stream.created_at) / SHARD_S) + 1
    oldest = max(0, int((now - KEPT_S - stream.created_at) / SHARD_S))
    return [_shard(stream, position, count, last) for position in range(min(oldest, count), count)]


def _shard(stream: Stream, position: int, count: int, last: int) -> Shard:
    begin = stream.created_at + position * SHARD_S
    end: int | None = number_at(begin + SHARD_S)
    if position == count - 1:
        end = max(number_at(stream.disabled_at), last) + 1 if stream.disabled_at else None
    parent = id_of(stream, position - 1) if position else ""
    return Shard(id_of(stream, position), parent, number_at(begin), end)


def id_of(stream: Stream, position: int) -> str:
    """The id of a stream's shard."""
    begin_ms = int((stream.created_at + position * SHARD_S) * 1000)
    return f"shardId-{begin_ms:020d}-{zlib.crc32(stream.id.encode()):08x}"
