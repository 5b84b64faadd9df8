"""CheckpointDurableExecution and GetDurableExecutionState: what a running durable function saves, and reads again.

Source: Lambda API Reference, CheckpointDurableExecution and OperationUpdate. The texts are of our own, but for the one
by which AWS's SDKs know a token that counts no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import markers
from cumulo.services.compute.lambda_.durable import durable_chains, durable_states, durable_timers
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable.durable_endings import OPEN, WORDS, end_execution, end_operation, note_end
from cumulo.services.compute.lambda_.durable.durable_records import (
    FAILED,
    LIVE,
    PAUSED,
    PAUSING,
    SUCCEEDED,
    DurableExecution,
    DurableOperation,
)
from cumulo.services.compute.lambda_.errors import (
    DURABLE_EXECUTION_UNKNOWN,
    INVALID_CHECKPOINT_TOKEN,
    INVALID_PARAMETER,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context

REPEATED_S = 900.0
PAGE = 100
_ACTIONS = {
    "EXECUTION": ("SUCCEED", "FAIL"),
    "CONTEXT": ("START", "SUCCEED", "FAIL"),
    "STEP": ("START", "SUCCEED", "FAIL", "RETRY"),
    "WAIT": ("START", "CANCEL"),
    "CALLBACK": ("START",),
    "CHAINED_INVOKE": ("START",),
}  # fmt: skip


@operation
def checkpoint_durable_execution(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Save what a function has done since the last checkpoint; gives what else has come about, and the next token."""
    execution = records.find(ctx, request["DurableExecutionArn"], missing=DURABLE_EXECUTION_UNKNOWN)
    given = request.get("ClientToken")
    if given and given == execution.client_token and ctx.now() - execution.client_token_at < REPEATED_S:
        return _answer(ctx, execution, execution.seen_before)
    _check_token(execution, request["CheckpointToken"])
    for update in request.get("Updates", ()):
        _apply(ctx, execution, update)
    execution.token += 1
    execution.client_token, execution.client_token_at = given or "", ctx.now()
    execution.seen_before, execution.seen = execution.seen, execution.changes
    if execution.status == PAUSING:
        execution.status, execution.interrupted = PAUSED, True
        execution.token += 1  # nobody gets the number of this one
    records.keep(ctx, execution)
    return _answer(ctx, execution, execution.seen_before)


def _check_token(execution: DurableExecution, token: str) -> None:
    if token != durable_states.token(execution) or execution.status not in LIVE:
        raise INVALID_CHECKPOINT_TOKEN()


def _answer(ctx: Context, execution: DurableExecution, since: int) -> dict[str, Any]:
    changed = [each for each in records.operations_of(ctx, execution) if each.changed > since]
    answer: dict[str, Any] = {
        "NewExecutionState": {"Operations": [durable_states.shown(execution, each) for each in changed]}
    }
    if execution.status != PAUSED:  # without a token the function ends, until the execution is resumed
        answer["CheckpointToken"] = durable_states.token(execution)
    return answer


@operation
def get_durable_execution_state(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The operations that a function needs to find its way again, in pages."""
    execution = records.find(ctx, request["DurableExecutionArn"], missing=DURABLE_EXECUTION_UNKNOWN)
    _check_token(execution, request["CheckpointToken"])
    found = durable_states.replayed(ctx, execution)
    after = markers.read(ctx, request, int)
    if after is not None:
        found = [each for each in found if each.sequence > after]
    page, marker = markers.cut(ctx, found, request.get("MaxItems") or PAGE, lambda each: each.sequence)
    return markers.answer("Operations", [durable_states.shown(execution, each) for each in page], marker)


# --- what a function may say of an operation ----------------------------------------------------


def _apply(ctx: Context, execution: DurableExecution, update: dict[str, Any]) -> None:
    kind, action = update["Type"], update["Action"]
    if action not in _ACTIONS[kind]:
        raise INVALID_PARAMETER(f"Invalid action {action} for an operation of type {kind}.")
    if kind == "EXECUTION":
        if action == "SUCCEED":
            end_execution(ctx, execution, SUCCEEDED, result=update.get("Payload", ""))
        else:
            end_execution(ctx, execution, FAILED, error=update.get("Error", {}))
        return
    found = records.operation_of(ctx, execution, update["Id"])
    if found is not None and found.kind != kind:
        raise INVALID_PARAMETER(f"The operation {found.id} is of type {found.kind}.")
    if found is not None and found.status not in OPEN:
        raise INVALID_PARAMETER(f"The operation {found.id} is already in the status {found.status}.")
    if action == "START":
        _start(ctx, execution, found, update)
        return
    operation = found or _new(ctx, execution, update)
    if action == "RETRY":
        _retry(ctx, execution, operation, update)
    elif action == "CANCEL":
        end_operation(ctx, execution, operation, "CANCELLED")
    else:
        operation.replay_children = update.get("ContextOptions", {}).get("ReplayChildren", False)
        status = SUCCEEDED if action == "SUCCEED" else FAILED
        end_operation(ctx, execution, operation, status, result=update.get("Payload"), error=update.get("Error"))


def _new(ctx: Context, execution: DurableExecution, update: dict[str, Any]) -> DurableOperation:
    parent = update.get("ParentId", "")
    if parent and records.operation_of(ctx, execution, parent) is None:
        raise INVALID_PARAMETER(f"The parent operation {parent} does not exist.")
    operation = DurableOperation(
        execution.id,
        update["Id"],
        execution.next_sequence,
        update["Type"],
        "STARTED",
        ctx.now(),
        0,
        parent,
        update.get("Name", ""),
        update.get("SubType", ""),
    )
    execution.next_sequence += 1
    return operation


def _start(ctx: Context, execution: DurableExecution, found: DurableOperation | None, update: dict[str, Any]) -> None:
    operation = found or _new(ctx, execution, update)
    kind = operation.kind
    if found is not None and (kind != "STEP" or found.status == "PENDING"):
        raise INVALID_PARAMETER(f"The operation {found.id} is already in the status {found.status}.")
    operation.status = "STARTED"
    details: dict[str, Any] = {}
    if kind == "STEP":
        operation.attempt += 1
    elif kind == "WAIT":
        operation.wait_s = _option(update, "WaitOptions", "WaitSeconds")
        operation.due_at = operation.started_at + operation.wait_s
        details = {"Duration": operation.wait_s, "ScheduledEndTimestamp": operation.due_at}
        durable_timers.set_timer(ctx, execution, operation, operation.due_at)
    elif kind == "CALLBACK":
        details = _start_callback(ctx, execution, operation, update.get("CallbackOptions", {}))
    elif kind == "CHAINED_INVOKE":
        operation.input = update.get("Payload", "")
        operation.function = _option(update, "ChainedInvokeOptions", "FunctionName")
        operation.tenant_id = update["ChainedInvokeOptions"].get("TenantId", "")
        trace_header = update["ChainedInvokeOptions"].get("XAmznTraceId", execution.trace_header)
        details = {"FunctionName": operation.function, "Input": {"Payload": operation.input, "Truncated": False}}
        durable_chains.begin(ctx, execution, operation, trace_header)
    records.keep_operation(ctx, execution, operation)
    records.note(ctx, execution, f"{WORDS[kind]}Started", details, operation)


def _option(update: dict[str, Any], options: str, member: str) -> Any:
    value = update.get(options, {}).get(member)
    if value is None:
        raise INVALID_PARAMETER(f"{options}.{member} is required to start an operation of type {update['Type']}.")
    return value


def _start_callback(
    ctx: Context, execution: DurableExecution, operation: DurableOperation, options: dict[str, Any]
) -> dict[str, Any]:
    operation.timeout_s = options.get("TimeoutSeconds", 0)
    operation.heartbeat_s = options.get("HeartbeatTimeoutSeconds", 0)
    operation.heard_at = operation.started_at
    details: dict[str, Any] = {"CallbackId": durable_states.callback_id(execution, operation)}
    for member, limit_s in (("Timeout", operation.timeout_s), ("HeartbeatTimeout", operation.heartbeat_s)):
        if limit_s:
            details[member] = limit_s
            durable_timers.set_timer(ctx, execution, operation, operation.started_at + limit_s)
    return details


def _retry(ctx: Context, execution: DurableExecution, operation: DurableOperation, update: dict[str, Any]) -> None:
    """Another attempt of a step later; what it has come to so far, or why it failed, is kept."""
    delay_s = _option(update, "StepOptions", "NextAttemptDelaySeconds")
    operation.status, operation.due_at = "PENDING", ctx.now() + delay_s
    operation.result, operation.error = update.get("Payload"), update.get("Error")
    records.keep_operation(ctx, execution, operation)
    note_end(ctx, execution, operation, FAILED, delay_s)
    durable_timers.set_timer(ctx, execution, operation, operation.due_at)
