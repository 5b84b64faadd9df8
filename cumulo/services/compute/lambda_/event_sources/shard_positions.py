"""How far a mapping has read each shard of its stream: kept with every batch that is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.table import REGION, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.event_sources.source_mappings import EventSourceMapping


class ShardPosition(Record):
    """All up to and with `after` is done ("" for nothing). `reader` is the node that reads on, and alone may."""

    mapping: str
    shard: str
    reader: str
    after: str = ""
    finished: bool = False  # a closed shard was read to its end
    window_start: int = 0  # of the tumbling window that is open, in seconds since 1970; 0 for none
    window_state: Any = None  # what the function gave back for it


POSITIONS = Table(ShardPosition, name="lambda.shard_positions", key=("mapping", "shard"), scope=REGION)


def of(ctx: Context, mapping: EventSourceMapping) -> dict[str, ShardPosition]:
    """The positions in the shards of a mapping's stream."""
    found = POSITIONS.range(ctx, mapping.uuid, account=mapping.account, region=mapping.region)
    return {position.shard: position for position in found}


def peek(ctx: Context, mapping: EventSourceMapping, shard: str) -> ShardPosition | None:
    """The position in one shard."""
    return POSITIONS.peek(ctx, mapping.uuid, shard, account=mapping.account, region=mapping.region)


def keep(ctx: Context, mapping: EventSourceMapping, position: ShardPosition) -> None:
    """Write a position back."""
    POSITIONS.put(ctx, position, account=mapping.account, region=mapping.region)


def forget(ctx: Context, mapping: EventSourceMapping, shard: str = "") -> None:
    """Drop the positions of a mapping that is gone, or that of a shard that is."""
    for position in of(ctx, mapping).values():
        if not shard or position.shard == shard:
            POSITIONS.delete(ctx, position, account=mapping.account, region=mapping.region)
