"""What happened to clusters and parameter groups: kept for 14 days, the last hour shown unless more is asked for.

Source: DAX API Reference, DescribeEvents.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation, reconciler
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.data.dax.errors import INVALID_COMBINATION, INVALID_VALUE
from cumulo.services.data.dax.pages import key_of, page_size

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dax as t

CLUSTER, PARAMETER_GROUP = "CLUSTER", "PARAMETER_GROUP"
KEPT_S = 14 * 86_400
SHOWN_S = 3_600
_SWEPT = 500


class Event(Record):
    """One event. `at_us` is cloud time in microseconds; `id` tells events of one moment apart."""

    at_us: int
    id: str
    source_name: str
    source_type: str
    message: str


EVENTS = Table(Event, name="dax.events", key=("at_us", "id"))


class EventPlace(Record):
    """An account and region with events, for the reconciler."""

    account: str
    region: str


PLACES = Table(EventPlace, name="dax.event_places", key=("account", "region"), scope=GLOBAL)


def note(ctx: Context, source_type: str, name: str, message: str) -> None:
    """Write an event down."""
    event = Event(int(ctx.now() * 1e6), ctx.new_id("", 16), name, source_type, message)
    EVENTS.put(ctx, event)
    if PLACES.peek(ctx, ctx.account, ctx.region) is None:
        PLACES.put(ctx, EventPlace(ctx.account, ctx.region))


@operation
def describe_events(ctx: Context, request: t.DescribeEventsRequest) -> t.DescribeEventsResponse:
    """Events, the newest first."""
    if "SourceName" in request and "SourceType" not in request:
        raise INVALID_COMBINATION("SourceType must be given with SourceName.")
    now = ctx.now()
    end = float(request.get("EndTime", now))
    duration_s = request.get("Duration")
    if duration_s is not None and duration_s < 0:
        raise INVALID_VALUE("Duration must not be negative.")
    start = float(request.get("StartTime", end - (SHOWN_S if duration_s is None else duration_s * 60)))
    if start > end:
        raise INVALID_COMBINATION("StartTime must be before EndTime.")
    found = [
        event
        for event in EVENTS.range(ctx, start=(int(start * 1e6),), end=(int(end * 1e6) + 1,), reverse=True)
        if request.get("SourceName") in (None, event.source_name)
        and request.get("SourceType") in (None, event.source_type)
    ]
    token = request.get("NextToken")
    if token:
        last = key_of(ctx, token)
        found = [event for event in found if (event.at_us, event.id) < last]
    size = page_size(request)
    answer: dict[str, Any] = {"Events": [_shown(event) for event in found[:size]]}
    if len(found) > size:
        answer["NextToken"] = paging.encode(ctx, (found[size - 1].at_us, found[size - 1].id))
    return answer  # type: ignore[return-value]


def _shown(event: Event) -> dict[str, Any]:
    return {
        "SourceName": event.source_name,
        "SourceType": event.source_type,
        "Message": event.message,
        "Date": event.at_us / 1e6,
    }


@reconciler(every_s=3600)
async def forget_old_events(ctx: Context) -> None:
    """Drop events that are no longer kept."""
    before = int((ctx.now() - KEPT_S) * 1e6)

    def forget(ctx: Context) -> None:
        for place in PLACES.range(ctx):
            account, region = place.account, place.region
            for event in EVENTS.range(ctx, end=(before,), limit=_SWEPT, account=account, region=region):
                EVENTS.delete(ctx, event, account=account, region=region)

    await ctx.transact(forget)
