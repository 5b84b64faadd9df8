"""What a segment's file looks like: Parquet where DuckDB is installed, else lines packed by stream.

Lines are in the order of stream and time, so that one stream's lie together. All of it blocks: for threads.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import msgspec

from cumulo.engines import duckdb
from cumulo.engines.duckdb import QueryFailed as QueryFailed
from cumulo.services.operations.logs.lines import INDEX_BITS, Line, Position
from cumulo.services.operations.logs.stored.blocks import Batch

PARQUET, PACKED = "parquet", "packed"
RAW = "lines.json"
ROWS = 20_000  # in a row group: what one stream's page is read from
CHUNK = 2_000
FETCH = 500  # rows that are made into objects while the interpreter is held
OVERHEAD_BYTES = 26

_COLUMNS = "{t:'BIGINT',q:'UBIGINT',s:'UBIGINT',n:'VARCHAR',m:'VARCHAR',i:'BIGINT'}"
_SELECT = "SELECT ts, seq, sid, stream, message, ingested FROM"


class Source(NamedTuple):
    """A batch on its way into a segment."""

    batch: Batch
    serial: int
    stream_id: int
    stream: str


class _Row(msgspec.Struct):
    t: int
    q: int
    s: int
    n: str
    m: str
    i: int


class _Chunk(msgspec.Struct, array_like=True):
    stream_id: int
    stream: str
    first: int
    last: int
    packed: bytes


class Wanted(NamedTuple):
    """Which lines of segments are read: start <= timestamp < end, of these streams (None: all), beyond `after`.

    `gone` are streams that were deleted. `texts` must all be in a message.
    """

    start: int
    end: int
    streams: Collection[int] | None
    gone: Collection[int]
    after: Position | None
    reverse: bool
    limit: int
    most_bytes: int
    texts: Sequence[str] = ()


_encode = msgspec.json.Encoder().encode_lines
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[_Chunk]).decode
_unpack_lines = msgspec.msgpack.Decoder(tuple[list[int], list[int], list[int], list[str]]).decode


def write_parquet(folder: Path, sources: Iterable[Source], older: Sequence[Path], blobs: Path, without: str) -> Path:
    """A Parquet file in the folder, of batches and of the lines of older segments (but those that are `without`)."""
    raw = folder / RAW
    with raw.open("wb") as file:
        for source in sources:
            file.write(_encode(_rows(source)))
    more = f" UNION ALL {_SELECT} {_files(older)} WHERE {without}" if older else ""
    return _write(folder, raw, f"{more} ORDER BY sid, ts, seq", "zstd", blobs)


def rewrite(folder: Path, lines: Iterable[Line]) -> Path:
    """A Parquet file in the folder, of lines, for one reading: quick to write, in no order."""
    return _write(folder, write_raw(folder, lines), "", "uncompressed", folder)


def write_raw(folder: Path, lines: Iterable[Line]) -> Path:
    """A file of lines in the folder that `read_raw` reads."""
    raw = folder / RAW
    with raw.open("wb") as file:
        file.write(_encode([_Row(line[0], line[1], line[2], line[3], line[4], line[5]) for line in lines]))
    return raw


def read_raw(path: str) -> str:
    """A SELECT of such a file's lines."""
    written = f"read_json({duckdb.quoted(path)}, format='newline_delimited', columns={_COLUMNS})"
    return f"SELECT t AS ts, q AS seq, s AS sid, n AS stream, m AS message, i AS ingested FROM {written}"


def _write(folder: Path, raw: Path, more: str, compression: str, blobs: Path) -> Path:
    target = folder / "segment.parquet"
    session = duckdb.Session(folder, (blobs,))
    try:
        select = f"{read_raw(str(raw))}{more}"
        session.execute(
            f"COPY ({select}) TO {duckdb.quoted(str(target))} "
            f"(FORMAT parquet, COMPRESSION {compression}, ROW_GROUP_SIZE {ROWS})"
        )
    finally:
        session.close()
    raw.unlink()
    return target


def _rows(source: Source) -> list[_Row]:
    base, stream_id, stream = source.serial << INDEX_BITS, source.stream_id, source.stream
    ingested = source.batch.ingested
    return [
        _Row(timestamp, base | index, stream_id, stream, message, ingested)
        for index, (timestamp, message) in enumerate(zip(source.batch.timestamps, source.batch.messages, strict=True))
    ]


def pack(lines: Iterable[Line]) -> bytes:
    """The bytes of a packed segment."""
    chunks = []
    ordered = sorted(lines, key=lambda line: (line.stream_id, line.timestamp, line.sequence))
    for stream_id, of_stream in groupby(ordered, key=lambda line: line.stream_id):
        found = list(of_stream)
        for at in range(0, len(found), CHUNK):
            part = found[at : at + CHUNK]
            columns = (
                [line.timestamp for line in part],
                [line.sequence for line in part],
                [line.ingested for line in part],
                [line.message for line in part],
            )
            packed = zlib.compress(_pack(columns), 6)
            chunks.append(_Chunk(stream_id, part[0].stream, part[0].timestamp, part[-1].timestamp, packed))
    return _pack(chunks)


def unpack(data: bytes, wanted: Wanted) -> Iterator[Line]:
    """The lines of a packed segment, in no order."""
    streams, gone, after = wanted.streams, wanted.gone, wanted.after
    for chunk in _unpack(data):
        if chunk.last < wanted.start or chunk.first >= wanted.end or chunk.stream_id in gone:
            continue
        if streams is not None and chunk.stream_id not in streams:
            continue
        columns = _unpack_lines(zlib.decompress(chunk.packed))
        for timestamp, sequence, ingested, message in zip(*columns, strict=True):
            line = Line(timestamp, sequence, chunk.stream_id, chunk.stream, message, ingested)
            if (
                wanted.start <= timestamp < wanted.end
                and (after is None or (line[:3] < after if wanted.reverse else line[:3] > after))
                and all(text in message for text in wanted.texts)
            ):
                yield line


def read_parquet(folder: Path, blobs: Path, paths: Sequence[Path], wanted: Wanted) -> tuple[list[Line], bool]:
    """Lines of Parquet segments in the order of time, so many as are wanted; whether more of `limit` were there."""
    order = "DESC" if wanted.reverse else "ASC"
    session = duckdb.Session(folder, (blobs,))
    try:
        session.execute(
            f"{_SELECT} {_files(paths)} WHERE {condition(wanted)} "
            f"ORDER BY ts {order}, seq {order}, sid {order} LIMIT {wanted.limit}"
        )
        found: list[Line] = []
        size = 0
        while rows := session.fetch(FETCH):
            lines = [Line(*row) for row in rows]
            size += sum([len(line.message) + OVERHEAD_BYTES for line in lines])
            found += lines
            if size >= wanted.most_bytes:
                return found, True
        return found, False
    finally:
        session.close()


def pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece


def condition(wanted: Wanted) -> str:
    """The rows that are wanted, in SQL."""
    parts = [f"ts >= {wanted.start} AND ts < {wanted.end}"]
    if wanted.streams is not None:
        parts.append(f"sid IN ({', '.join(map(str, wanted.streams)) or 'NULL'})")
    if wanted.gone:
        parts.append(f"sid NOT IN ({', '.join(map(str, wanted.gone))})")
    if wanted.after is not None:
        timestamp, sequence, stream_id = wanted.after
        sign = "<" if wanted.reverse else ">"
        parts.append(f"ts {sign}= {timestamp} AND (ts, seq, sid) {sign} ({timestamp}, {sequence}, {stream_id})")
    parts += [f"contains(message, {duckdb.quoted(text)})" for text in wanted.texts]
    return " AND ".join(parts)


def _files(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join([duckdb.quoted(str(path)) for path in paths])}])"
