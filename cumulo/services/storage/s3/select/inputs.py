"""What S3 Select reads: an object's bytes made into a file that DuckDB reads, and the SQL that reads it.

All of it blocks: it runs in a thread. Source: S3 API Reference, SelectObjectContent, InputSerialization, CSVInput,
JSONInput, ScanRange.
"""

from __future__ import annotations

import bz2
import csv
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from cumulo.engines.duckdb import QueryFailed, Session
from cumulo.services.storage.s3.select import errors as errors
from cumulo.services.storage.s3.select.queries import BOOL, INSTANT, JSON, NUMBER, TEXT, Source, named, quoted

RECORD_LIMIT_B = 1024 * 1024
PIECE_B = 1024 * 1024
HIDDEN_LINE_END = "\x1d"  # stands for a line end inside a record, where records end otherwise
_NO_NULL = "\x01"
_SAMPLE_B = 4 * 1024 * 1024
_NUMBERS = ("INT", "DECIMAL", "DOUBLE", "FLOAT", "REAL", "HUGEINT")


class Prepared(NamedTuple):
    """A file ready to be read: bytes of the object that were read, and bytes after decompression."""

    path: Path
    scanned: int
    processed: int


def prepare(raw: Path, into: Path, request: Mapping[str, Any]) -> Prepared:
    """Decompress, cut to the scan range, and bring records to lines.

    Raises TruncatedInput, InvalidScanRange, UnsupportedScanRangeInput.
    """
    serialization = request["InputSerialization"]
    compression = serialization.get("CompressionType") or "NONE"
    size = raw.stat().st_size
    if "Parquet" in serialization:
        return Prepared(raw, size, size)
    form = serialization.get("CSV") or serialization.get("JSON") or {}
    delimiter = _bytes(form.get("RecordDelimiter"), b"\n")
    pieces = _decompressed(raw, compression)
    scanned = size
    if request.get("ScanRange"):
        start, end = _bounds(request["ScanRange"], size)
        head = 1 if start and form.get("FileHeaderInfo") == "USE" else 0
        pieces = _in_range(raw, delimiter, start, end, head)
        scanned = end - start
    if "CSV" in serialization:
        pieces = _lines(pieces, delimiter, _bytes(form.get("Comments"), b"#"))
    processed = 0
    path = into / "records"
    with path.open("wb") as file:
        for piece in pieces:
            processed += len(piece)
            file.write(piece)
    return Prepared(path, scanned, processed)


def _bytes(value: str | None, default: bytes) -> bytes:
    return value.encode() if value else default


def _decompressed(raw: Path, compression: str) -> Iterator[bytes]:
    try:
        yield from _unpacked(raw, compression)
    except (OSError, EOFError, zlib.error, ValueError):
        raise errors.TRUNCATED_INPUT() from None


def _unpacked(raw: Path, compression: str) -> Iterator[bytes]:
    with raw.open("rb") as file:
        unpacker: Any = None
        while piece := file.read(PIECE_B):
            if compression == "NONE":
                yield piece
                continue
            while piece:  # files may hold several streams, one after the other
                if unpacker is None:
                    unpacker = zlib.decompressobj(wbits=31) if compression == "GZIP" else bz2.BZ2Decompressor()
                yield unpacker.decompress(piece)
                piece = unpacker.unused_data
                if unpacker.eof:
                    unpacker = None
        if unpacker is not None:
            raise EOFError


def _bounds(scan: Mapping[str, Any], size: int) -> tuple[int, int]:
    start, end = scan.get("Start"), scan.get("End")
    if (start is None and end is None) or (start or 0) < 0 or (end is not None and end < 0):
        raise errors.INVALID_SCAN_RANGE()
    if start is None:
        return max(size - (end or 0), 0), size  # the last bytes
    if (start >= size and size) or (end is not None and end <= start):
        raise errors.INVALID_SCAN_RANGE()
    return start, size if end is None else min(end, size)


def _in_range(raw: Path, delimiter: bytes, start: int, end: int, head: int) -> Iterator[bytes]:
    """The records that begin inside the range, whole; before them the header when it is needed."""
    with raw.open("rb") as file:
        if head:
            yield _record(file, delimiter)
        if start:
            file.seek(start - 1)
            _record(file, delimiter)  # the one that began before
        while file.tell() < end:
            record = _record(file, delimiter)
            if not record:
                return
            yield record


def _record(file: Any, delimiter: bytes) -> bytes:
    found = bytearray()
    last = delimiter[-1:]
    while True:
        line = file.readline() if last == b"\n" else _until(file, last)
        found += line
        if not line or found.endswith(delimiter):
            return bytes(found)


def _until(file: Any, last: bytes) -> bytes:
    at = file.tell()
    piece = file.read(65536)
    end = piece.find(last)
    if end < 0:
        return bytes(piece)
    file.seek(at + end + 1)
    return bytes(piece[: end + 1])


def _lines(pieces: Iterator[bytes], delimiter: bytes, comment: bytes) -> Iterator[bytes]:
    """CSV as lines without comments. DuckDB would also end a line at a comment's sign inside it."""
    rest = b""
    plain = delimiter in (b"\n", b"\r\n", b"\r")
    delimiter = b"\n" if delimiter == b"\r\n" else delimiter
    for piece in pieces:
        rest += piece
        cut = rest.rfind(delimiter)
        if cut < 0:
            continue
        whole, rest = rest[: cut + len(delimiter)], rest[cut + len(delimiter) :]
        yield _without_comments(whole, delimiter, comment, plain)
    if rest:
        yield _without_comments(rest, delimiter, comment, plain)


def _without_comments(whole: bytes, delimiter: bytes, comment: bytes, plain: bool) -> bytes:
    if whole.startswith(comment) or delimiter + comment in whole:
        kept = [line for line in whole.split(delimiter) if not line.startswith(comment)]
        whole = delimiter.join(kept)
    if plain and delimiter != b"\r":
        return whole
    if plain:
        return whole.replace(b"\r", b"\n")
    return whole.replace(b"\n", HIDDEN_LINE_END.encode()).replace(delimiter, b"\n")


def source(session: Session, prepared: Prepared, request: Mapping[str, Any]) -> Source:
    """The SQL that reads a prepared file. Raises S3 Select's errors of data."""
    serialization = request["InputSerialization"]
    path = quoted(str(prepared.path))
    if "Parquet" in serialization:
        return _parquet(session, path)
    if "JSON" in serialization:
        form = "newline_delimited" if serialization["JSON"].get("Type") == "LINES" else "unstructured"
        most = RECORD_LIMIT_B if form == "newline_delimited" else max(prepared.processed + 1024, RECORD_LIMIT_B)
        read = f"read_json_objects({path}, format='{form}', maximum_object_size={most})"
        return Source(f"(SELECT json AS j FROM {read})", json=True)
    return _csv(prepared.path, serialization["CSV"])


def _csv(path: Path, form: Mapping[str, Any]) -> Source:
    header = form.get("FileHeaderInfo") or "NONE"
    quote = form.get("QuoteCharacter") or '"'
    delimiter = form.get("FieldDelimiter") or ","
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_B)
    try:
        text = sample.decode()
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:
            raise errors.INVALID_TEXT() from None
        text = sample[: error.start].decode()
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter[0], quotechar=quote[0])
    first: list[str] = []
    width = 1
    with suppress(csv.Error):  # what DuckDB thinks of it is what counts
        first = next(rows, [])
        width = max([width, len(first), *[len(row) for row in rows]])
    options = (
        f"auto_detect=false, header={'false' if header == 'NONE' else 'true'}, delim={quoted(delimiter)}, "
        f"quote={quoted(quote)}, escape={quoted(form.get('QuoteEscapeCharacter') or quote)}, null_padding=true, "
        f"strict_mode=false, nullstr={quoted(_NO_NULL)}, max_line_size={RECORD_LIMIT_B}, parallel=false"
    )
    columns = ", ".join([f"'c{number}': 'VARCHAR'" for number in range(1, width + 1)])
    relation = f"read_csv({quoted(str(path))}, {options}, columns={{{columns}}})"
    names = first if header == "USE" else []
    labels = [names[at] if at < len(names) else f"_{at + 1}" for at in range(width)]
    return Source(
        relation,
        tuple([(f"c{at + 1}", label, TEXT) for at, label in enumerate(labels)]),
        positional=True,
        headed=header == "USE",
    )


CSV_KIND, JSON_KIND, PARQUET_KIND = "CSV", "JSON", "Parquet"
_DATA_ERRORS = {CSV_KIND: errors.CSV_ERROR, JSON_KIND: errors.JSON_ERROR, PARQUET_KIND: errors.PARQUET_ERROR}


def failure(failed: QueryFailed, kind: str) -> Exception:
    """S3 Select's error for what DuckDB refused."""
    text = str(failed)
    if "maximum_object_size" in text or "Maximum line size" in text or "max_line_size" in text:
        return errors.OVER_MAX_RECORD_SIZE()
    if "utf" in text.lower() and ("invalid" in text.lower() or "encod" in text.lower()):
        return errors.INVALID_TEXT()
    if failed.kind == "conversion":
        return errors.CAST_FAILED()
    if failed.kind == "overflow":
        return errors.INTEGER_OVERFLOW()
    if failed.kind == "input":
        return _DATA_ERRORS[kind]()
    return errors.UNSUPPORTED_STRUCTURE()


def _parquet(session: Session, path: str) -> Source:
    read = f"read_parquet({path})"
    try:
        found = session.columns(f"SELECT * FROM {read}")
    except QueryFailed:
        raise errors.PARQUET_ERROR() from None
    columns, selected = [], []
    for name, kind in found:
        sql = named(name)
        if kind.startswith(("STRUCT", "MAP", "JSON")) or kind.endswith("]"):
            selected.append(f"to_json({sql}) AS {sql}")
            columns.append((name, name, JSON))
        elif kind == "BOOLEAN":
            selected.append(sql)
            columns.append((name, name, BOOL))
        elif kind.startswith(("TIMESTAMP", "DATE")):
            selected.append(f"CAST({sql} AS TIMESTAMP) AS {sql}")
            columns.append((name, name, INSTANT))
        elif any(kind.removeprefix("U").startswith(number) or number in kind for number in _NUMBERS):
            selected.append(sql)
            columns.append((name, name, NUMBER))
        else:
            selected.append(f"CAST({sql} AS VARCHAR) AS {sql}")
            columns.append((name, name, TEXT))
    return Source(f"(SELECT {', '.join(selected)} FROM {read})", tuple(columns))
