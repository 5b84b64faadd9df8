"""Retention policies, and the hourly round that lets expired events go and makes segments of what is old.

Source: API reference, PutRetentionPolicy: what is past its retention is not returned and not counted any more.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from cumulo.core.operation import operation, reconciler
from cumulo.services.operations.logs.errors import INVALID_PARAMETER
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.groups.groups import DELIVERY, PLACES
from cumulo.services.operations.logs.lines import SERIAL_EPOCH_S
from cumulo.services.operations.logs.stored import blocks, large_objects, reading, segment_making, segments

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group, Place
    from cumulo.stubs import logs as t

# Source: API reference, RetentionInDays.
DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
HOUR_S = 3600.0
_PAGE = 200
_BLOCKS = 64  # that one transaction looks at


@operation
def put_retention_policy(ctx: Context, request: t.PutRetentionPolicyRequest) -> None:
    """Say how many days the events of a group are kept."""
    group = groups.find(ctx, request["logGroupName"])
    days = request["retentionInDays"]
    if days not in DAYS:
        raise INVALID_PARAMETER(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(map(str, DAYS))}]"
        )
    if group.log_class == DELIVERY:
        raise INVALID_PARAMETER("Retention policy cannot be set for log groups of the DELIVERY class.")
    group.retention_days = days
    groups.keep(ctx, group)


@operation
def delete_retention_policy(ctx: Context, request: t.DeleteRetentionPolicyRequest) -> None:
    """Keep the events of a group for ever."""
    group = groups.find(ctx, request["logGroupName"])
    group.retention_days = 0
    groups.keep(ctx, group)


@reconciler(every_s=HOUR_S)
async def go_round(ctx: Context) -> None:
    """Let expired events of all groups go, and make segments of blocks that are an hour old."""
    after: tuple[bytes] | None = None
    while True:
        places = await ctx.transact(partial(_places, after=after))
        for place in places:
            await _visit(ctx, place)
            await asyncio.sleep(0)
        if len(places) < _PAGE:
            return
        after = (places[-1].id,)


def _places(ctx: Context, after: tuple[bytes] | None) -> list[Place]:
    return PLACES.range(ctx, after=after, limit=_PAGE)


async def _visit(ctx: Context, place: Place) -> None:
    group = await ctx.transact(lambda ctx: groups.by_id(ctx, place.id))
    if group is None:
        return
    if await ctx.transact(lambda ctx: reading.retained_from(ctx, group)):
        await ctx.transact(partial(_expire_segments, group=group))
        last: bytes | None = b""
        while last is not None:
            last = await ctx.transact(partial(large_objects.drop_expired, group=group, after=last))
        after: bytes | None = None
        while True:
            after = await ctx.transact(partial(_expire_blocks, group=group, after=after))
            if after is None:
                break
    await ctx.transact(partial(_shelve, group=group))


def _expire_segments(ctx: Context, group: Group) -> None:
    before = reading.retained_from(ctx, group)
    expired = [each for each in segments.SEGMENTS.range(ctx, group.id) if each.last_ms < before]
    if expired:
        segments.drop(ctx, group.id, expired)


def _expire_blocks(ctx: Context, group: Group, after: bytes | None) -> bytes | None:
    """Delete expired ones among the next blocks; where to go on."""
    before = reading.retained_from(ctx, group)
    found = blocks.some(ctx, group, after, _BLOCKS)
    for block in found:
        if block.last < before:
            ctx.txn.delete(block.key)
    return found[-1].key if len(found) == _BLOCKS else None


def _shelve(ctx: Context, group: Group) -> None:
    """Start the making of segments when a block is old; the first is of any stream, and so only nearly the oldest."""
    first = blocks.some(ctx, group, None, 1)
    if first and first[0].serial < (ctx.now() - HOUR_S - SERIAL_EPOCH_S) * 1_000_000:
        segment_making.start(ctx, group)
