"""The files of inventories: gzipped CSV, ORC with zlib, Parquet with Snappy. All of it blocks: for threads.

Source: S3 User Guide, "Amazon S3 Inventory list"; DuckDB documentation, "Parquet Export".
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import msgspec

from cumulo.engines import duckdb, orc
from cumulo.services.storage.s3.reports import inventory_columns
from cumulo.services.storage.s3.reports.inventory_columns import (
    CSV,
    FLAG,
    INSTANT,
    NUMBER,
    ORC,
    PARQUET,
    TEXT,
    Column,
    Value,
)

ENDINGS = {CSV: "csv.gz", ORC: "orc", PARQUET: "parquet"}
_MEDIA = {CSV: "application/gzip", ORC: "application/octet-stream", PARQUET: "application/octet-stream"}
_READ = {TEXT: "VARCHAR", NUMBER: "BIGINT", INSTANT: "BIGINT", FLAG: "BOOLEAN"}

Row = tuple[Value, ...]


def missing(format: str) -> str:
    """What has to be done before files of this format can be written here; "" when nothing has."""
    if format == PARQUET and not duckdb.is_here():
        return duckdb.INSTALL
    return orc.missing() if format == ORC else ""


def media_type(format: str) -> str:
    """The Content-Type of a format's files."""
    return _MEDIA[format]


def packed(format: str, columns: list[Column], rows: Iterable[Row], folder: Path) -> bytes:
    """A file of rows; `folder` is for what is needed on the way."""
    if format == PARQUET:
        return _parquet(columns, rows, folder)
    if format == ORC:
        return _orc(columns, rows)
    text = io.StringIO(newline="")
    lines = ([_text(value, columns[at]) for at, value in enumerate(row)] for row in rows)
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(lines)
    return gzip.compress(text.getvalue().encode("utf-8", "replace"), 6, mtime=0)


def _text(value: Value, column: Column) -> str:
    if value is None:
        return ""
    if column.kind == FLAG:
        return "true" if value else "false"
    if column.kind == INSTANT:
        seconds = float(value)
        stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{stamp}.{int(seconds * 1000) % 1000:03d}Z"
    return quote(str(value), safe="/") if column.field == "Key" else str(value)


def _orc(columns: list[Column], rows: Iterable[Row]) -> bytes:
    instants = [at for at, column in enumerate(columns) if column.kind == INSTANT]

    def converted(row: Row) -> tuple[object, ...]:
        values: list[object] = list(row)
        for at in instants:
            seconds = row[at]
            if seconds is not None:
                values[at] = datetime.fromtimestamp(int(float(seconds) * 1000) / 1000, UTC)
        return tuple(values)

    return orc.write(inventory_columns.schema(columns, ORC), [converted(row) for row in rows])


def _parquet(columns: list[Column], rows: Iterable[Row], folder: Path) -> bytes:
    raw, target = folder / "rows.json", folder / "rows.parquet"
    instants = frozenset([at for at, column in enumerate(columns) if column.kind == INSTANT])
    encode = msgspec.json.Encoder().encode_lines
    lines = [
        {
            columns[at].name: int(float(value) * 1000) if at in instants and value is not None else value
            for at, value in enumerate(row)
        }
        for row in rows
    ]
    raw.write_bytes(encode(lines))
    read = ", ".join([f"{column.name}: '{_READ[column.kind]}'" for column in columns])
    shown = [
        f"epoch_ms({column.name})::TIMESTAMP_MS AS {column.name}" if column.kind == INSTANT else f'"{column.name}"'
        for column in columns
    ]
    session = duckdb.Session(folder)
    try:
        session.execute(
            f"COPY (SELECT {', '.join(shown)} FROM read_json({duckdb.quoted(str(raw))}, "
            f"format='newline_delimited', columns={{{read}}})) "
            f"TO {duckdb.quoted(str(target))} (FORMAT parquet, COMPRESSION snappy)"
        )
    finally:
        session.close()
    return target.read_bytes()
