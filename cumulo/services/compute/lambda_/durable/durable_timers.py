"""What happens to operations when their time has come: waits end, steps are tried again, callbacks time out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable import durable_runs
from cumulo.services.compute.lambda_.durable.durable_endings import (
    OPEN,
    end_execution,
    end_operation,
    of_payload,
    place_of,
)
from cumulo.services.compute.lambda_.durable.durable_records import (
    LIVE,
    PAUSED,
    TIMED_OUT,
    DurableExecution,
    DurableOperation,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

LONGEST_S = 366 * 86_400  # "still times out 366 days after it started": Lambda API Reference, PauseDurableExecution


def set_timer(ctx: Context, execution: DurableExecution, operation: DurableOperation, at: float) -> None:
    """Look at an operation again at a time."""
    payload = {**place_of(execution), "operation": operation.id, "attempt": operation.attempt}
    ctx.later(durable_operation_due, payload, at=at)


@task
def durable_operation_due(ctx: Context, payload: dict[str, Any]) -> None:
    """The time of a wait, of a step's next attempt or of a callback may have come."""
    execution = of_payload(ctx, payload)
    if execution is None or execution.status not in LIVE:
        return
    operation = records.operation_of(ctx, execution, payload["operation"])
    if operation is None or operation.status not in OPEN or operation.attempt != payload["attempt"]:
        return
    if operation.kind == "CALLBACK":
        if not _time_out(ctx, execution, operation):
            return
    elif operation.kind == "WAIT":
        end_operation(ctx, execution, operation, "SUCCEEDED")
    elif operation.status == "PENDING":
        operation.status, operation.due_at = "READY", 0.0
        records.keep_operation(ctx, execution, operation)
    durable_runs.wake(ctx, execution)
    records.keep(ctx, execution)


def _time_out(ctx: Context, execution: DurableExecution, operation: DurableOperation) -> bool:
    """Whether a callback is over: nobody answered in time, or nobody gave a sign of life."""
    now = ctx.now()
    if operation.timeout_s and now >= operation.started_at + operation.timeout_s:
        kind, text = "Callback.Timeout", "Callback timed out"
    elif operation.heartbeat_s and now >= operation.heard_at + operation.heartbeat_s:
        kind, text = "Callback.Heartbeat", "Callback heartbeat timed out"
    else:
        if operation.heartbeat_s:
            set_timer(ctx, execution, operation, operation.heard_at + operation.heartbeat_s)
        return False
    end_operation(ctx, execution, operation, TIMED_OUT, error={"ErrorType": kind, "ErrorMessage": text})
    return True


def times_out_at(execution: DurableExecution, now: float) -> float:
    """When the execution times out, as things are: later by the time that it was paused."""
    longest = execution.started_at + LONGEST_S
    if execution.status == PAUSED and execution.timeout_paused:
        return longest
    return min(longest, execution.started_at + execution.timeout_s + execution.paused_s)


@task
def durable_execution_due(ctx: Context, payload: dict[str, Any]) -> None:
    """The time of an execution may be over."""
    execution = of_payload(ctx, payload)
    if execution is None or execution.status not in LIVE:
        return
    at = times_out_at(execution, ctx.now())
    if ctx.now() < at:
        ctx.later(durable_execution_due, place_of(execution), at=at)
        return
    for operation in records.operations_of(ctx, execution):
        if operation.kind == "CHAINED_INVOKE" and operation.status in OPEN:
            operation.status = "STOPPED"
            records.keep_operation(ctx, execution, operation)
    error = {"ErrorType": "TimeoutError", "ErrorMessage": "The durable execution has timed out."}
    end_execution(ctx, execution, TIMED_OUT, error=error)
