"""How operations and executions end, and what goes on when they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable.durable_records import (
    EVENTS,
    EXECUTIONS,
    LIVE,
    OPERATIONS,
    ROOT,
    DurableExecution,
    DurableOperation,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

DAY_S = 86_400
OPEN = frozenset(("STARTED", "PENDING", "READY"))
WORDS = {
    "STEP": "Step",
    "WAIT": "Wait",
    "CALLBACK": "Callback",
    "CHAINED_INVOKE": "ChainedInvoke",
    "CONTEXT": "Context",
}
_ENDS = {
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "TIMED_OUT": "TimedOut",
    "CANCELLED": "Cancelled",
    "STOPPED": "Stopped",
}


def end_operation(
    ctx: Context,
    execution: DurableExecution,
    operation: DurableOperation,
    status: str,
    *,
    result: str | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """An operation is over; keeps it, and its line of the history. The execution must be kept too."""
    operation.status, operation.ended_at = status, ctx.now()
    operation.result, operation.error, operation.due_at = result, error, 0.0
    records.keep_operation(ctx, execution, operation)
    note_end(ctx, execution, operation, status)


def note_end(
    ctx: Context, execution: DurableExecution, operation: DurableOperation, status: str, delay_s: int | None = None
) -> None:
    """The line of the history for the end of an operation, or of one attempt of it."""
    details: dict[str, Any] = {}
    if operation.kind == "WAIT":
        details["Duration"] = operation.wait_s
    elif status == "SUCCEEDED":
        details["Result"] = {"Payload": operation.result or "", "Truncated": False}
    if status != "SUCCEEDED" and operation.kind != "WAIT":
        details["Error"] = {"Payload": operation.error or {}, "Truncated": False}
    if operation.kind == "STEP":
        details["RetryDetails"] = {"CurrentAttempt": operation.attempt}
        if delay_s is not None:
            details["RetryDetails"]["NextAttemptDelaySeconds"] = delay_s
    records.note(ctx, execution, WORDS[operation.kind] + _ENDS[status], details, operation)


def end_execution(
    ctx: Context,
    execution: DurableExecution,
    status: str,
    *,
    result: str | None = None,
    error: dict[str, Any] | None = None,
) -> None:
    """The execution is over: nothing of it runs any more, and whoever waits for it is told."""
    if execution.status not in LIVE:
        return
    execution.status, execution.ended_at, execution.invoking = status, ctx.now(), False
    root = records.operation_of(ctx, execution, ROOT)
    assert root is not None
    root.status, root.ended_at, root.result, root.error = status, ctx.now(), result, error
    records.keep_operation(ctx, execution, root)
    if status == "SUCCEEDED":
        details = {"Result": {"Payload": result or "", "Truncated": False}}
    else:
        details = {"Error": {"Payload": error or {}, "Truncated": False}}
    records.note(ctx, execution, f"Execution{_ENDS[status]}", details)
    records.keep(ctx, execution)
    ctx.signal(execution.signal)
    gone_at = execution.ended_at + execution.retention_days * DAY_S
    ctx.later(forget_durable_execution, place_of(execution), at=gone_at)
    if execution.parent_execution:
        payload = {"arn": execution.parent_execution, "operation": execution.parent_operation, "status": status}
        ctx.later(end_chained_invoke, {**payload, "result": result, "error": error})


def place_of(execution: DurableExecution) -> dict[str, Any]:
    """Where an execution is, for the payload of a task."""
    return {"account": execution.account, "region": execution.region, "execution": execution.id}


def of_payload(ctx: Context, payload: dict[str, Any]) -> DurableExecution | None:
    """The execution of a task's payload."""
    return EXECUTIONS.peek(ctx, payload["execution"], account=payload["account"], region=payload["region"])


@task
def end_chained_invoke(ctx: Context, payload: dict[str, Any]) -> None:
    """What a chained invocation of an execution came to."""
    from cumulo.services.compute.lambda_.durable import durable_runs

    execution = records.peek(ctx, payload["arn"])
    if execution is None or execution.status not in LIVE:
        return
    operation = records.operation_of(ctx, execution, payload["operation"])
    if operation is None or operation.status not in OPEN:
        return
    end_operation(ctx, execution, operation, payload["status"], result=payload["result"], error=payload["error"])
    durable_runs.wake(ctx, execution)
    records.keep(ctx, execution)


@task
def forget_durable_execution(ctx: Context, payload: dict[str, Any]) -> None:
    """Delete an execution with its history: its time of retention is over, or somebody asked for it."""
    execution = of_payload(ctx, payload)
    if execution is None:
        return
    place: dict[str, Any] = {"account": execution.account, "region": execution.region}
    for operation in records.operations_of(ctx, execution):
        OPERATIONS.delete(ctx, operation, **place)
    for event in EVENTS.range(ctx, execution.id, **place):
        EVENTS.delete(ctx, event, **place)
    EXECUTIONS.delete(ctx, execution, **place)
