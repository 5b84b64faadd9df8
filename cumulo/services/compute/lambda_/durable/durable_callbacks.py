"""Answers from outside to callbacks of durable executions.

Source: Lambda API Reference, SendDurableExecutionCallbackSuccess and its neighbours. The texts are of our own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable import durable_runs, durable_states
from cumulo.services.compute.lambda_.durable.durable_endings import OPEN, end_operation
from cumulo.services.compute.lambda_.durable.durable_records import (
    FAILED,
    LIVE,
    SUCCEEDED,
    TIMED_OUT,
    DurableExecution,
    DurableOperation,
)
from cumulo.services.compute.lambda_.errors import CALLBACK_NOT_FOUND, CALLBACK_TIMED_OUT, INVALID_PARAMETER

if TYPE_CHECKING:
    from cumulo.core.context import Context

RESULT_BYTES = 1024 * 1024


def _waiting(ctx: Context, id: str) -> tuple[DurableExecution, DurableOperation]:
    """The callback that waits for an answer, found and authorized."""
    place = durable_states.of_callback(ctx, id)
    if place is None:
        raise INVALID_PARAMETER("Invalid callback id")
    execution = records.find(ctx, place[0], missing=CALLBACK_NOT_FOUND)
    operation = records.operation_of(ctx, execution, place[1])
    if operation is not None and operation.status == TIMED_OUT:
        raise CALLBACK_TIMED_OUT()
    if operation is None or operation.status not in OPEN or execution.status not in LIVE:
        raise CALLBACK_NOT_FOUND()
    return execution, operation


@operation
def send_durable_execution_callback_success(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The callback's result: the function goes on with it."""
    execution, operation = _waiting(ctx, request["CallbackId"])
    data: bytes = request.get("Result", b"")
    if len(data) > RESULT_BYTES:
        raise INVALID_PARAMETER(f"The result of a callback is limited to {RESULT_BYTES} bytes.")
    try:
        result = data.decode()
    except UnicodeDecodeError:
        raise INVALID_PARAMETER("The result of a callback must be UTF-8 text.") from None
    end_operation(ctx, execution, operation, SUCCEEDED, result=result)
    durable_runs.wake(ctx, execution)
    records.keep(ctx, execution)
    return {}


@operation
def send_durable_execution_callback_failure(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The callback failed: the function goes on with the error."""
    execution, operation = _waiting(ctx, request["CallbackId"])
    end_operation(ctx, execution, operation, FAILED, error=request.get("Error", {}))
    durable_runs.wake(ctx, execution)
    records.keep(ctx, execution)
    return {}


@operation
def send_durable_execution_callback_heartbeat(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A sign of life: the callback's heartbeat timeout begins again."""
    execution, operation = _waiting(ctx, request["CallbackId"])
    operation.heard_at = ctx.now()
    # The function does not see this: it is no change.
    records.OPERATIONS.put(ctx, operation, account=execution.account, region=execution.region)
    return {}
