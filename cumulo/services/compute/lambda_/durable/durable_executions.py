"""Looking at durable executions, stopping and deleting them.

Source: Lambda API Reference, GetDurableExecution and its neighbours. The texts of refusals are of our own.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import markers
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable import durable_timers
from cumulo.services.compute.lambda_.durable.durable_endings import (
    OPEN,
    end_execution,
    end_operation,
    forget_durable_execution,
    place_of,
)
from cumulo.services.compute.lambda_.durable.durable_records import (
    EXECUTIONS,
    LIVE,
    PAUSED,
    PAUSING,
    ROOT,
    STOPPED,
    SUCCEEDED,
    DurableExecution,
)
from cumulo.services.compute.lambda_.errors import FUNCTION_NOT_FOUND, RESOURCE_CONFLICT
from cumulo.services.compute.lambda_.stored import qualifiers

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 100
DELETING = "DELETING"


@operation
def get_durable_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """An execution: what it was given, how far it is, what it came to."""
    execution = records.find(ctx, request["DurableExecutionArn"])
    shown = {
        **_listed(execution),
        "Version": execution.version,
        "DurableConfig": {
            "RetentionPeriodInDays": execution.retention_days,
            "ExecutionTimeout": execution.timeout_s,
        },
        "ExecutionDataIncluded": request.get("IncludeExecutionData", True),
    }
    if execution.trace_header:
        shown["TraceHeader"] = {"XAmznTraceId": execution.trace_header}
    if execution.status in LIVE:
        shown["ExpectedExecutionTimeoutTimestamp"] = durable_timers.times_out_at(execution, ctx.now())
    if execution.status in (PAUSING, PAUSED):
        shown["PauseDetails"] = {
            "PauseRequestTimestamp": execution.paused_at,
            "ExecutionTimeoutPaused": execution.timeout_paused,
            **({"Reason": execution.pause_reason} if execution.pause_reason else {}),
        }
    root = records.operation_of(ctx, execution, ROOT)
    if shown["ExecutionDataIncluded"] and root is not None:
        shown["InputPayload"] = root.input or ""
        if execution.status == SUCCEEDED:
            shown["Result"] = root.result or ""
        elif execution.ended_at:
            shown["Error"] = root.error or {}
    return shown


def _listed(execution: DurableExecution) -> dict[str, Any]:
    shown = {
        "DurableExecutionArn": execution.arn,
        "DurableExecutionName": execution.name,
        "FunctionArn": execution.invoked_arn,
        "Status": execution.status,
        "StartTimestamp": execution.started_at,
    }
    if execution.ended_at:
        shown["EndTimestamp"] = execution.ended_at
    return shown


@operation
def list_durable_executions_by_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The executions of a function, the newest first; with ReverseOrder the oldest first."""
    asked, function = qualifiers.named(ctx, request["FunctionName"], request.get("Qualifier"))
    if function is None:
        raise FUNCTION_NOT_FOUND(arn=asked.arn)
    number = qualifiers.found(ctx, asked, function).version.version if asked.qualifier else ""
    found = EXECUTIONS.range(ctx, asked.name, index="function", account=asked.account, region=asked.region)
    found = [each for each in found if _wanted(each, request, number)]
    found.sort(key=lambda each: (each.started_at, each.id), reverse=not request.get("ReverseOrder"))
    after = markers.read(ctx, request, str)
    if after is not None:
        ids = [each.id for each in found]
        found = found[ids.index(after) + 1 :] if after in ids else []
    page, marker = markers.cut(ctx, found, request.get("MaxItems") or PAGE, lambda each: each.id)
    return markers.answer("DurableExecutions", [_listed(each) for each in page], marker)


def _wanted(execution: DurableExecution, request: dict[str, Any], number: str) -> bool:
    after, before = request.get("StartedAfter"), request.get("StartedBefore")
    return (
        (not number or execution.version == number)
        and request.get("DurableExecutionName", execution.name) == execution.name
        and (not request.get("Statuses") or execution.status in request["Statuses"])
        and (after is None or execution.started_at > _seconds(after))
        and (before is None or execution.started_at < _seconds(before))
    )


def _seconds(moment: Any) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else float(moment)


@operation
def stop_durable_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """End an execution for good; one that has ended stays as it is."""
    execution = records.find(ctx, request["DurableExecutionArn"])
    if execution.status in LIVE:
        for each in records.operations_of(ctx, execution)[1:]:
            if each.status in OPEN and each.kind == "CHAINED_INVOKE":
                end_operation(ctx, execution, each, STOPPED, error=request.get("Error", {}))
        end_execution(ctx, execution, STOPPED, error=request.get("Error", {}))
    return {"StopTimestamp": execution.ended_at}


@operation
def delete_durable_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete an execution that has ended, with its history."""
    execution = records.find(ctx, request["DurableExecutionArn"])
    if execution.status in LIVE:
        raise RESOURCE_CONFLICT(
            f"The durable execution is in the status {execution.status}: only one that has ended can be deleted."
        )
    if execution.status != DELETING:
        execution.status = DELETING
        records.keep(ctx, execution)
        ctx.later(forget_durable_execution, place_of(execution))
    return {}
