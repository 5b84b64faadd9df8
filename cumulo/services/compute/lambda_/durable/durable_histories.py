"""GetDurableExecutionHistory: everything that happened in an execution, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import markers
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable.durable_records import EVENTS, DurableEvent

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 100
_DATA = ("Input", "Result", "Error")


@operation
def get_durable_execution_history(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The lines of an execution's history, the oldest first; with ReverseOrder the newest first."""
    execution = records.find(ctx, request["DurableExecutionArn"])
    after = markers.read(ctx, request, int)
    limit = request.get("MaxItems") or PAGE
    reverse = request.get("ReverseOrder", False)
    found = EVENTS.range(
        ctx,
        execution.id,
        after=(execution.id, after) if after is not None else None,
        limit=limit + 1,
        reverse=reverse,
        account=execution.account,
        region=execution.region,
    )
    page, marker = markers.cut(ctx, found, limit, lambda event: event.id)
    whole = request.get("IncludeExecutionData", True)
    return markers.answer("Events", [_shown(event, whole) for event in page], marker)


def _shown(event: DurableEvent, whole: bool) -> dict[str, Any]:
    details = event.details
    if not whole:  # what there was is only said to be left out
        details = {key: {"Truncated": True} if key in _DATA else value for key, value in details.items()}
    shown: dict[str, Any] = {
        "EventType": event.kind,
        "EventId": event.id,
        "EventTimestamp": event.at,
        f"{event.kind}Details": details,
    }
    for member, value in (
        ("Id", event.operation),
        ("ParentId", event.parent_id),
        ("Name", event.name),
        ("SubType", event.sub_type),
    ):
        if value:
            shown[member] = value
    return shown
