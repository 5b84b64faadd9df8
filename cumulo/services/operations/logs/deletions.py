"""DeleteLogGroup and DeleteLogStream: what is named is gone at once, what it held soon after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation, task
from cumulo.core.table import Table, prefix_range
from cumulo.services.operations.logs.errors import DELETION_PROTECTED
from cumulo.services.operations.logs.filters.metric_filters import METRIC_FILTERS
from cumulo.services.operations.logs.filters.subscription_filters import SUBSCRIPTION_FILTERS
from cumulo.services.operations.logs.groups import groups, streams
from cumulo.services.operations.logs.groups.streams import STREAMS
from cumulo.services.operations.logs.insights.index_policies import INDEX_POLICIES
from cumulo.services.operations.logs.protection.data_protection import PROTECTION_POLICIES
from cumulo.services.operations.logs.stored import large_objects, segments
from cumulo.services.operations.logs.stored.blocks import BLOCKS
from cumulo.services.operations.logs.stored.segments import GONE, SEGMENTS, SHELVES
from cumulo.services.operations.logs.transformation.transformers import TRANSFORMERS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t

_OF_GROUPS: tuple[Table[Any], ...] = (SHELVES, PROTECTION_POLICIES, TRANSFORMERS, INDEX_POLICIES)  # a record each
_ROWS = 200  # that one transaction deletes: among them are blocks of up to 1 MB


@operation
def delete_log_group(ctx: Context, request: t.DeleteLogGroupRequest) -> None:
    """Delete a group with all that is in it."""
    group = groups.find(ctx, request["logGroupName"])
    if group.deletion_protection:
        raise DELETION_PROTECTED()
    groups.GROUPS.delete(ctx, group)
    groups.PLACES.delete(ctx, groups.Place(group.id, group.account, group.region, group.name))
    ctx.later(clear_group, {"id": group.id.hex()})


@operation
def delete_log_stream(ctx: Context, request: t.DeleteLogStreamRequest) -> None:
    """Delete a stream with its events."""
    name = request["logStreamName"]
    group = groups.find(ctx, request["logGroupName"], stream=name)
    stream = streams.find(ctx, group, name)
    if group.deletion_protection:
        raise DELETION_PROTECTED()
    STREAMS.delete(ctx, stream)
    if stream.serial:
        segments.forget_stream(ctx, group, stream.id)
        ctx.later(clear_stream, {"group": group.id.hex(), "stream": stream.id.hex()})


@task
def clear_group(ctx: Context, payload: dict[str, Any]) -> None:
    """Delete what a deleted group held, some of it at a time."""
    group_id = bytes.fromhex(payload["id"])
    if SEGMENTS.range(ctx, group_id, limit=1):
        segments.drop(ctx, group_id, SEGMENTS.range(ctx, group_id, limit=_ROWS))
    elif large_objects.drop_some(ctx, group_id):
        pass
    elif not any(
        _clear(ctx, space.key(ctx, group_id)) for space in (BLOCKS, STREAMS, GONE, METRIC_FILTERS, SUBSCRIPTION_FILTERS)
    ):
        for table in _OF_GROUPS:
            record = table.peek(ctx, group_id)
            if record is not None:
                table.delete(ctx, record)
        return
    ctx.later(clear_group, payload)


@task
def clear_stream(ctx: Context, payload: dict[str, Any]) -> None:
    """Delete the blocks and large objects of a deleted stream, some of them at a time."""
    group_id, stream_id = bytes.fromhex(payload["group"]), bytes.fromhex(payload["stream"])
    if _clear(ctx, BLOCKS.key(ctx, group_id, stream_id)):
        ctx.later(clear_stream, payload)
        return
    after = large_objects.drop_of_stream(ctx, group_id, stream_id, bytes.fromhex(payload.get("after", "")))
    if after is not None:
        ctx.later(clear_stream, {**payload, "after": after.hex()})


def _clear(ctx: Context, prefix: bytes) -> bool:
    """Delete rows of a range; whether there were any."""
    rows = ctx.txn.range(*prefix_range(prefix), limit=_ROWS)
    for key, _ in rows:
        ctx.txn.delete(key)
    return bool(rows)
