"""Running a durable function: once for each time that something it waits for has come about, until it ends.

Source: Lambda Developer Guide, "Lambda durable functions"; the form of the payload and of the answer is that of AWS's
SDKs for durable functions (DurableExecutionInvocationInput and -Output).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core import paging
from cumulo.core.errors import Fault
from cumulo.core.operation import Retry, task
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable import durable_states, durable_timers
from cumulo.services.compute.lambda_.durable.durable_endings import OPEN, end_execution, of_payload, place_of
from cumulo.services.compute.lambda_.durable.durable_records import (
    EXECUTIONS,
    FAILED,
    LIVE,
    PAUSED,
    PAUSING,
    ROOT,
    RUNNING,
    SUCCEEDED,
    DurableExecution,
    DurableOperation,
)
from cumulo.services.compute.lambda_.errors import DURABLE_EXECUTION_STARTED
from cumulo.services.compute.lambda_.running import concurrency
from cumulo.services.compute.lambda_.running.invocation_requests import Call
from cumulo.services.compute.lambda_.stored import functions, qualifiers
from cumulo.services.compute.lambda_.stored.function_names import FunctionName

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.engines.environments.builds import Outcome
    from cumulo.services.compute.lambda_.running.concurrency import Limits
    from cumulo.services.compute.lambda_.stored.qualifiers import Target

PAGE = 100  # operations in a payload; the function asks for the others
# Of our own: AWS repeats an invocation that failed, but does not say how often.
FAILURES = 5
BACKOFF_S = 1.0
THROTTLED_S = 1.0


class Parent(NamedTuple):
    """The chained invocation of another execution that starts this one."""

    execution: str = ""
    operation: str = ""


def start(
    ctx: Context, target: Target, payload: bytes, *, name: str = "", trace_id: str = "", parent: Parent | None = None
) -> DurableExecution:
    """A new execution of a durable function; or the one of that name, if it was given the same.

    Raises DurableExecutionAlreadyStartedException for a name that another input has. Inside a transaction.
    """
    version = target.version
    text = payload.decode()
    if name:
        place: dict[str, Any] = {"account": version.account, "region": version.region}
        for known in EXECUTIONS.range(ctx, version.name, version.version, name, index="name", **place):
            root = records.operation_of(ctx, known, ROOT)
            if root is not None and root.input == text:
                return known
            raise DURABLE_EXECUTION_STARTED(name=name)
    now = round(ctx.now(), 3)  # as it is shown, so that it can be asked for
    execution = DurableExecution(
        version.account,
        version.region,
        version.name,
        version.version,
        name or ctx.uuid(),
        ctx.uuid(),
        target.arn,
        now,
        version.durable_timeout_s,
        version.durable_retention_days,
        trace_header=trace_id,
    )
    if parent is not None:
        execution.parent_execution, execution.parent_operation = parent
    root = DurableOperation(execution.id, ROOT, 0, "EXECUTION", RUNNING, now, 0, name=execution.name, input=text)
    records.keep_operation(ctx, execution, root)
    details = {"Input": {"Payload": text, "Truncated": False}, "ExecutionTimeout": execution.timeout_s}
    records.note(ctx, execution, "ExecutionStarted", details)
    ctx.later(durable_timers.durable_execution_due, place_of(execution), at=now + execution.timeout_s)
    wake(ctx, execution)
    records.keep(ctx, execution)
    return execution


def wake(ctx: Context, execution: DurableExecution) -> None:
    """Run the function again, unless it runs or is paused: then it will see what is new. The execution must be kept."""
    if execution.status == RUNNING and not execution.invoking:
        _run_at(ctx, execution, ctx.now())


def _run_at(ctx: Context, execution: DurableExecution, at: float) -> None:
    execution.invoking = True
    execution.turn += 1
    ctx.later(run_durable_function, {**place_of(execution), "turn": execution.turn}, at=at)


class _Turn(NamedTuple):
    """One invocation: of which version, with what."""

    target: Target
    limits: Limits
    payload: bytes
    trace_id: str
    started_at: float


@task
async def run_durable_function(ctx: Context, payload: dict[str, Any]) -> None:
    """Invoke the function once with what its execution has come to, and see what it says."""
    turn = await ctx.transact(lambda ctx: _begin(ctx, payload))
    if turn is None:
        return
    request_id = ctx.uuid()
    outcome: Outcome | None = None
    failure: dict[str, Any] | None = None
    try:
        outcome = await Call(turn.payload, trace_id=turn.trace_id).run(ctx, turn.target, turn.limits, request_id)
    except Fault as fault:
        if fault.code == "TooManyRequestsException":
            raise Retry(THROTTLED_S) from None
        failure = {"ErrorType": fault.code, "ErrorMessage": fault.message}
    if outcome is not None and outcome.error:
        failure = error_of(outcome.payload)
    answer = outcome.payload if outcome is not None and failure is None else b""
    await ctx.transact(lambda ctx: _finish(ctx, payload, turn, request_id, answer, failure))


def error_of(payload: bytes) -> dict[str, Any]:
    """What a failed function said, as an ErrorObject."""
    try:
        document = msgspec.json.decode(payload, type=dict[str, Any])
    except msgspec.DecodeError:
        return {"ErrorMessage": payload.decode(errors="replace")}
    error: dict[str, Any] = {"ErrorMessage": str(document.get("errorMessage", ""))}
    if "errorType" in document:
        error["ErrorType"] = str(document["errorType"])
    if isinstance(document.get("stackTrace"), list):
        error["StackTrace"] = [str(line) for line in document["stackTrace"]]
    return error


def _begin(ctx: Context, payload: dict[str, Any]) -> _Turn | None:
    """The invocation that is due, if it still is."""
    execution = of_payload(ctx, payload)
    if execution is None or execution.status not in LIVE or execution.turn != payload["turn"]:
        return None
    if execution.status != RUNNING:
        execution.invoking = False
        execution.status, execution.interrupted = PAUSED, True
        records.keep(ctx, execution)
        return None
    place = FunctionName(execution.account, execution.region, execution.function, execution.version)
    function = functions.FUNCTIONS.peek(ctx, execution.function, account=execution.account, region=execution.region)
    if function is None:
        error = {"ErrorType": "ResourceNotFoundException", "ErrorMessage": f"Function not found: {place.arn}"}
        end_execution(ctx, execution, FAILED, error=error)
        return None
    try:
        target = qualifiers.found(ctx, place, function)
    except Fault as fault:
        end_execution(ctx, execution, FAILED, error={"ErrorType": fault.code, "ErrorMessage": fault.message})
        return None
    target = target._replace(arn=execution.invoked_arn)
    limits = concurrency.limits_of(ctx, function)
    return _Turn(target, limits, _payload(ctx, execution), execution.trace_header, ctx.now())


def _payload(ctx: Context, execution: DurableExecution) -> bytes:
    """What the function is given; the execution is kept with a new token."""
    operations = durable_states.replayed(ctx, execution)
    news = [each.id for each in operations if each.changed > execution.seen and each.id != ROOT]
    page = operations[:PAGE]
    marker = paging.encode(ctx, (page[-1].sequence,), of="GetDurableExecutionState") if len(operations) > PAGE else ""
    fresh = execution.seen == 0
    execution.token += 1
    execution.seen = execution.seen_before = execution.changes
    execution.client_token, execution.interrupted = "", False
    records.keep(ctx, execution)
    shown = [durable_states.shown(execution, each, durable_states.in_milliseconds) for each in page]
    return msgspec.json.encode(
        {
            "DurableExecutionArn": execution.arn,
            "CheckpointToken": durable_states.token(execution),
            "InitialExecutionState": {"Operations": shown, "NextMarker": marker},
            "UpdatedOperationIds": [] if fresh else news,
        }
    )


def _finish(
    ctx: Context,
    payload: dict[str, Any],
    turn: _Turn,
    request_id: str,
    answer: bytes,
    failure: dict[str, Any] | None,
) -> None:
    """The invocation is over: the execution ends, waits, or goes on."""
    execution = of_payload(ctx, payload)
    if execution is None or execution.turn != payload["turn"]:
        return
    details: dict[str, Any] = {
        "StartTimestamp": turn.started_at,
        "EndTimestamp": ctx.now(),
        "RequestId": request_id,
    }
    if failure is not None:
        details["Error"] = {"Payload": failure, "Truncated": False}
    records.note(ctx, execution, "InvocationCompleted", details)
    execution.invoking = False
    execution.token += 1  # whatever of the function still runs can save nothing any more
    if execution.status in LIVE:
        if failure is not None:
            _failed(ctx, execution, failure)
        else:
            execution.failures = 0
            _answered(ctx, execution, answer)
    records.keep(ctx, execution)


def _failed(ctx: Context, execution: DurableExecution, failure: dict[str, Any]) -> None:
    execution.failures += 1
    if execution.failures > FAILURES:
        end_execution(ctx, execution, FAILED, error=failure)
    elif execution.status != RUNNING:
        execution.status, execution.interrupted = PAUSED, True
    else:
        _run_at(ctx, execution, ctx.now() + BACKOFF_S * 2 ** (execution.failures - 1))


def _answered(ctx: Context, execution: DurableExecution, answer: bytes) -> None:
    try:
        document = msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.DecodeError:
        document = {}
    status = document.get("Status")
    if status == SUCCEEDED:
        end_execution(ctx, execution, SUCCEEDED, result=str(document.get("Result") or ""))
    elif status == FAILED:
        end_execution(ctx, execution, FAILED, error=document.get("Error") or {})
    elif status != "PENDING":
        _invalid(ctx, execution, "Invalid Status in invocation output.")
    elif execution.status in (PAUSING, PAUSED):
        execution.status = PAUSED
    elif execution.changes > execution.seen or execution.interrupted:
        wake(ctx, execution)
    elif not any(each.status in OPEN and each.kind != "CONTEXT" for each in records.operations_of(ctx, execution)[1:]):
        _invalid(ctx, execution, "Cannot return PENDING status with no pending operations.")


def _invalid(ctx: Context, execution: DurableExecution, text: str) -> None:
    """A function that is not written as a durable one; the texts are of our own."""
    error = {"ErrorType": "InvalidParameterValueException", "ErrorMessage": text}
    end_execution(ctx, execution, FAILED, error=error)
