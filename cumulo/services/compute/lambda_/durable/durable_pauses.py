"""Pausing and resuming durable executions.

Source: Lambda API Reference, PauseDurableExecution and ResumeDurableExecution. The texts are of our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable import durable_runs, durable_timers
from cumulo.services.compute.lambda_.durable.durable_endings import place_of
from cumulo.services.compute.lambda_.durable.durable_records import PAUSED, PAUSING, RUNNING
from cumulo.services.compute.lambda_.errors import RESOURCE_CONFLICT

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.durable.durable_records import DurableExecution


REPEATED_S = 900.0


def _repeated(ctx: Context, execution: DurableExecution, request: dict[str, Any]) -> bool:
    """Whether this very request was made before, within fifteen minutes; else it is noted."""
    token = request.get("ClientToken")
    if token is None:
        return False
    now = ctx.now()
    known = f"{ctx.operation} {token}"
    if now - execution.told.get(known, 0.0) < REPEATED_S:
        return True
    execution.told = {key: at for key, at in execution.told.items() if now - at < REPEATED_S} | {known: now}
    return False


def _conflict(execution: DurableExecution, what: str) -> Exception:
    return RESOURCE_CONFLICT(f"The durable execution is in the status {execution.status} and cannot be {what}.")


@operation
def pause_durable_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Invoke the function no more for now; what it waits for goes on."""
    execution = records.find(ctx, request["DurableExecutionArn"])
    if _repeated(ctx, execution, request):
        return {}
    if execution.status != RUNNING:
        raise _conflict(execution, "paused")
    execution.status = PAUSING if execution.invoking else PAUSED
    execution.paused_at, execution.pause_reason = ctx.now(), request.get("Reason", "")
    execution.timeout_paused = request.get("ExecutionTimeoutPaused", True)
    details = {
        "PauseRequestTimestamp": execution.paused_at,
        "ExecutionTimeoutPaused": execution.timeout_paused,
        **({"Reason": {"Payload": execution.pause_reason, "Truncated": False}} if execution.pause_reason else {}),
    }
    records.note(ctx, execution, "ExecutionPaused", details)
    records.keep(ctx, execution)
    return {}


@operation
def resume_durable_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Go on: at once if something has come about, or a pause cut an invocation short; else when something does."""
    execution = records.find(ctx, request["DurableExecutionArn"])
    if _repeated(ctx, execution, request):
        return {}
    if execution.status not in (PAUSING, PAUSED):
        raise _conflict(execution, "resumed")
    due = execution.status == PAUSED and (execution.changes > execution.seen or execution.interrupted)
    if execution.timeout_paused and execution.status == PAUSED:
        execution.paused_s += ctx.now() - execution.paused_at
        at = execution.started_at + execution.timeout_s + execution.paused_s
        ctx.later(durable_timers.durable_execution_due, place_of(execution), at=at)
    execution.status = RUNNING
    reason = request.get("Reason", "")
    details = {
        "ResumeRequestTimestamp": ctx.now(),
        **({"Reason": {"Payload": reason, "Truncated": False}} if reason else {}),
    }
    records.note(ctx, execution, "ExecutionResumed", details)
    if due:
        durable_runs.wake(ctx, execution)
    records.keep(ctx, execution)
    return {}
