"""Streams as settings of a table: switched on and off. A disabled stream can be read for 24 hours more.

Source: Amazon DynamoDB Developer Guide, "Change data capture for DynamoDB Streams"; answers of AWS for the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cumulo.core.change_streams import ALL_STREAMS, CHANGES, KEPT_S, LAST, STREAMS, Stream, number_at
from cumulo.core.operation import reconciler
from cumulo.core.table import pack
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import TableRecord

if TYPE_CHECKING:
    from cumulo.core.context import Context

_TRIMMED = 500
_STREAMS = 100


def check_new(specification: Mapping[str, Any] | None) -> str:
    """The view type that CreateTable asks for, "" for no stream."""
    if specification is None:
        return ""
    view = specification.get("StreamViewType")
    if specification["StreamEnabled"]:
        if not view:
            raise VALIDATION(f"{INVALID}Table is being created with a stream enabled, UpdateViewType is required")
        return str(view)
    if view:
        raise VALIDATION(
            f"{INVALID}Table is being created with a stream disabled, UpdateViewType should not be specified"
        )
    return ""


def change(ctx: Context, table: TableRecord, specification: Mapping[str, Any]) -> None:
    """Switch a table's stream on or off, as UpdateTable asks."""
    view = specification.get("StreamViewType")
    if specification["StreamEnabled"]:
        if not view:
            raise VALIDATION(f"{INVALID}If stream is being enabled then UpdateViewType is required")
        if table.stream_view:
            raise VALIDATION(f"Table already has an enabled stream: TableName: {table.name}")
        enable(ctx, table, view)
        return
    if view:
        raise VALIDATION(f"{INVALID}If stream is being disabled, then UpdateViewType must not be specified")
    if not table.stream_view:
        raise VALIDATION(f"Table has no stream to disable: TableName: {table.name}")
    disable(ctx, table)


def enable(ctx: Context, table: TableRecord, view: str) -> None:
    """Begin a new stream; the caller keeps the table."""
    now = ctx.now()
    label = _label(now)
    while STREAMS.peek(ctx, table.name, label, account=table.account, region=table.region) is not None:
        now += 0.001  # one that was on for less than a millisecond
        label = _label(now)
    table.stream_view, table.stream_label = view, label
    schema = [(table.hash_key, "HASH")] + ([(table.range_key, "RANGE")] if table.range_key else [])
    stream = Stream(table.account, table.region, table.name, label, f"{table.id} {label}", view, now, schema)
    STREAMS.put(ctx, stream, account=table.account, region=table.region)


def _label(when: float) -> str:
    """When it began, as "2026-11-22T16:00:00.123"."""
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]


def disable(ctx: Context, table: TableRecord) -> None:
    """End a table's stream, if it has one; the caller keeps the table."""
    if not table.stream_view:
        return
    stream = STREAMS.peek(ctx, table.name, table.stream_label, account=table.account, region=table.region)
    assert stream is not None
    stream.disabled_at = ctx.now()
    STREAMS.put(ctx, stream, account=table.account, region=table.region)
    table.stream_view = ""


def stream_id(table: TableRecord) -> str:
    """The id under which the changes of a table's latest stream are kept."""
    return f"{table.id} {table.stream_label}"


def arn_of(table: TableRecord) -> str:
    """The ARN of a table's latest stream."""
    return f"{table.arn}/stream/{table.stream_label}"


@reconciler(every_s=600)
async def trim_streams(ctx: Context) -> None:
    """Drop changes older than 24 hours, and streams that were disabled so long ago."""
    after = b""
    while True:
        step = await ctx.transact(lambda ctx, after=after: _trim_some(ctx, after))  # type: ignore[misc]
        if step is None:
            return
        after = step


def _trim_some(ctx: Context, after: bytes) -> bytes | None:
    everywhere = ALL_STREAMS.prefix("", "")
    found = ctx.txn.range(max(after, everywhere), everywhere + b"\xff", limit=_STREAMS)
    horizon = ctx.now() - KEPT_S
    for key, value in found:
        stream = STREAMS.codec.decode(value)
        begin = CHANGES.key(ctx, stream.id)
        old = ctx.txn.range(begin, begin + pack(number_at(horizon)), limit=_TRIMMED)
        for place, _ in old:
            ctx.txn.delete(place)
        if len(old) == _TRIMMED:
            return key  # there may be more of this one
        if stream.disabled_at and stream.disabled_at < horizon:
            ctx.txn.delete(LAST.key(ctx, stream.id))
            STREAMS.delete(ctx, stream, account=stream.account, region=stream.region)
    return found[-1][0] + b"\x00" if len(found) == _STREAMS else None
