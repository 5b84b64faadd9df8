"""Objects of an import as items: DynamoDB JSON and CSV, as they are or compressed. Pure.

Sources: Amazon DynamoDB Developer Guide, "Amazon S3 import formats for DynamoDB", "Import format quotas and
validation".
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cumulo.engines import zstandard
from cumulo.services.data.dynamodb.stored.stored_items import read_binaries

Item = dict[str, dict[str, Any]]


class BadLine(Exception):
    """A line that is no item."""


class BadObject(Exception):
    """An object that cannot be read at all."""


def plain(data: bytes, compression: str) -> bytes:
    """The data of an object, decompressed. Raises BadObject."""
    try:
        if compression == "GZIP":
            return gzip.decompress(data)
        if compression == "ZSTD":
            return _zstd(data)
    except (OSError, EOFError, ValueError) as error:
        raise BadObject(str(error)) from None
    return data


def _zstd(data: bytes) -> bytes:
    module = zstandard.module()
    try:
        return bytes(module.decompress(data))
    except module.ZstdError as error:
        raise BadObject(str(error)) from None


def json_items(data: bytes) -> Iterator[Item | BadLine]:
    """Items of DynamoDB JSON: a line each, `{"Item": {…}}`."""
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        try:
            read = msgspec.json.decode(line)
            item = read["Item"]
            if not isinstance(item, dict) or not all(isinstance(value, dict) for value in item.values()):
                raise TypeError(item)
            read_binaries(item)
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
            yield BadLine()
            continue
        yield item


def csv_items(
    data: bytes, types: Mapping[str, str], delimiter: str, header: Sequence[str] | None
) -> Iterator[Item | BadLine]:
    """Items of CSV: keys have the types of the table and its indexes, everything else is a text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadObject(str(error)) from None
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = list(header) if header else None
    for row in rows:
        if not row:
            continue
        if names is None:
            names = row
            continue
        if len(row) != len(names):
            yield BadLine()
            continue
        try:
            yield {name: _value(types.get(name, "S"), cell) for name, cell in zip(names, row, strict=True)}
        except ValueError:
            yield BadLine()


def _value(kind: str, cell: str) -> dict[str, Any]:
    return {"B": base64.b64decode(cell, validate=True)} if kind == "B" else {kind: cell}
