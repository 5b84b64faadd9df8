"""What S3 Select answers: rows as lines of CSV or JSON.

Source: S3 API Reference, OutputSerialization, CSVOutput, JSONOutput.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from cumulo.services.storage.s3.select import instants
from cumulo.services.storage.s3.select.errors import OVER_MAX_RECORD_SIZE
from cumulo.services.storage.s3.select.inputs import HIDDEN_LINE_END, RECORD_LIMIT_B
from cumulo.services.storage.s3.select.queries import Field

Row = Sequence[Any]
Write = Callable[[Sequence[Row]], bytes]


def writer(serialization: Mapping[str, Any], fields: Sequence[Field]) -> Write:
    """The closure from rows to the bytes that are answered."""
    line = _json_line(fields) if "JSON" in serialization else _csv_line(serialization.get("CSV") or {}, fields)
    form = serialization.get("JSON") or serialization.get("CSV") or {}
    end = form.get("RecordDelimiter") or "\n"

    def write(rows: Sequence[Row]) -> bytes:
        lines = [line(row) for row in rows]
        if any(len(each) > RECORD_LIMIT_B for each in lines):
            raise OVER_MAX_RECORD_SIZE()
        return "".join([each + end for each in lines]).encode("utf-8", "replace")

    return write


def _csv_line(form: Mapping[str, Any], fields: Sequence[Field]) -> Callable[[Row], str]:
    delimiter = form.get("FieldDelimiter") or ","
    quote = form.get("QuoteCharacter") or '"'
    escape = form.get("QuoteEscapeCharacter") or quote
    always = form.get("QuoteFields") == "ALWAYS"
    end = form.get("RecordDelimiter") or "\n"

    def cell(text: str) -> str:
        if always or delimiter in text or quote in text or end in text or "\n" in text or "\r" in text:
            return quote + text.replace(quote, escape + quote) + quote
        return text

    def line(row: Row) -> str:
        if len(fields) == 1 and fields[0].spread:
            values = _spread(row[0])
            return delimiter.join([cell(_text_of_json(_encoded(value))) for value in values])
        texts = [_text_of_json(v) if f.json else _text(v) for v, f in zip(row, fields, strict=True)]
        return delimiter.join([cell(text) for text in texts])

    return line


def _spread(record: str | None) -> list[Any]:
    value = msgspec.json.decode(record) if record is not None else {}
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else [value]


def _json_line(fields: Sequence[Field]) -> Callable[[Row], str]:
    names = [_encoded(field.name) for field in fields]

    def line(row: Row) -> str:
        if len(fields) == 1 and fields[0].spread:
            record = _compact(row[0]) if row[0] is not None else "{}"
            return record if record.startswith("{") else f'{{"_1":{record}}}'
        parts = []
        for name, value, field in zip(names, row, fields, strict=True):
            if value is None and field.json:
                continue  # MISSING: not there in the answer either
            parts.append(f"{name}:{_compact(value) if field.json else _as_json(value)}")
        return "{" + ",".join(parts) + "}"

    return line


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _compact(text: str) -> str:
    return msgspec.json.format(text, indent=-1)


def _as_json(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return _text(value)
    return _encoded(_text(value))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace(HIDDEN_LINE_END, "\n") if HIDDEN_LINE_END in value else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return instants.shown(value)
    return str(value)


def _text_of_json(text: str | None) -> str:
    """A JSON value in a cell of CSV: strings without their quotes, null empty."""
    if text is None or text == "null":
        return ""
    return str(msgspec.json.decode(text)) if text.startswith('"') else _compact(text)
