"""Time to live: which attribute holds an item's last second, and how that is switched on and off.

Sources: Amazon DynamoDB API Reference, UpdateTimeToLive (no second change within the hour); answers of AWS for the
texts and for how long that is in fact: a little over half an hour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import RESOURCE_IN_USE, VALIDATION
from cumulo.services.data.dynamodb.stored import expirations, replication
from cumulo.services.data.dynamodb.stored.settling import sweep
from cumulo.services.data.dynamodb.tables.tables import (
    CREATING,
    DELETING,
    STRONG,
    UNSUPPORTED_WHEN_STRONG,
    keep,
    settled,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

SETTLES_S = 1_800


@operation
def update_time_to_live(ctx: Context, request: t.UpdateTimeToLiveInput) -> t.UpdateTimeToLiveOutput:
    """Begin or end the expiry of items."""
    table = settled(ctx, request["TableName"])
    wanted = request["TimeToLiveSpecification"]
    if table.status in (CREATING, DELETING):
        what = "created" if table.status == CREATING else "deleted"
        raise RESOURCE_IN_USE(f"Attempt to change a resource which is still in use: Table {table.name} is being {what}")
    name = wanted["AttributeName"]
    if wanted["Enabled"]:
        if table.consistency == STRONG:
            raise VALIDATION(f"TimeToLive {UNSUPPORTED_WHEN_STRONG}")
        if table.ttl_attribute == name:
            raise VALIDATION("TimeToLive is already enabled")
        if table.ttl_attribute:
            raise VALIDATION(
                f"TimeToLive is active on a different AttributeName: current AttributeName is {table.ttl_attribute}"
            )
    elif not table.ttl_attribute:
        raise VALIDATION("TimeToLive is already disabled")
    elif table.ttl_attribute != name:
        raise VALIDATION(
            f"TimeToLive is active on a different AttributeName: current AttributeName is {table.ttl_attribute}"
        )
    now = ctx.now()
    if table.ttl_changed_at and now < table.ttl_changed_at + SETTLES_S:
        raise VALIDATION("Time to live has been modified multiple times within a fixed interval")
    for inner, each in [(ctx, table), *replication.members(ctx, table)]:
        each.ttl_attribute = name if wanted["Enabled"] else ""
        each.ttl_changed_at = now
        keep(inner, each)
        if each.ttl_attribute:
            expirations.begin(inner, each)
        else:
            inner.later(sweep, {"prefix": expirations.place_of(inner, each)})
    return {"TimeToLiveSpecification": {"Enabled": wanted["Enabled"], "AttributeName": name}}


@operation
def describe_time_to_live(ctx: Context, request: t.DescribeTimeToLiveInput) -> t.DescribeTimeToLiveOutput:
    """Whether items expire, and by which attribute."""
    table = settled(ctx, request["TableName"])
    if table.status in (CREATING, DELETING):
        raise VALIDATION(
            f"Cannot describe time to live while table is in {table.status} state: "
            f"Current table state is {table.status}"
        )
    if not table.ttl_attribute:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}
    return {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": table.ttl_attribute}}
