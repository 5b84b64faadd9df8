"""Invoke of a durable function: it starts an execution, and waits for its end if the caller does.

Source: Lambda Developer Guide, "Invoking durable Lambda functions".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import Wait
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable import durable_runs
from cumulo.services.compute.lambda_.durable.durable_records import EXECUTIONS, LIVE, ROOT, SUCCEEDED
from cumulo.services.compute.lambda_.errors import DURABLE_TOO_LONG, DURABLE_UNQUALIFIED, NOT_DURABLE
from cumulo.services.compute.lambda_.stored import function_names

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.durable.durable_records import DurableExecution
    from cumulo.services.compute.lambda_.stored.qualifiers import Target
    from cumulo.stubs import lambda_ as t

SYNCHRONOUS_S = 900
_MEMBERS = {
    "ErrorMessage": "errorMessage",
    "ErrorType": "errorType",
    "ErrorData": "errorData",
    "StackTrace": "stackTrace",
}


def check(ctx: Context, request: t.InvocationRequest, target: Target) -> bool:
    """Whether the function is a durable one; InvalidParameterValueException for what cannot be asked of it, or not of
    another."""
    if not target.version.durable_timeout_s:
        if "DurableExecutionName" in request:
            raise NOT_DURABLE()
        return False
    if not function_names.read(ctx, request["FunctionName"], request.get("Qualifier")).qualifier:
        raise DURABLE_UNQUALIFIED()
    return True


def invoke(
    ctx: Context, request: t.InvocationRequest, target: Target, payload: bytes, trace_id: str, *, is_event: bool
) -> t.InvocationResponse:
    """Start an execution; the answer to an event, or a Wait for the execution's end."""
    version = target.version
    if not is_event and version.durable_timeout_s > SYNCHRONOUS_S:
        raise DURABLE_TOO_LONG()
    name = request.get("DurableExecutionName", "")
    if is_event:
        execution = durable_runs.start(ctx, target, payload, name=name, trace_id=trace_id)
        return {"StatusCode": 202, "Payload": b"", "DurableExecutionArn": execution.arn}
    raise Wait(partial(_started, target=target, payload=payload, name=name, trace_id=trace_id))


async def _started(ctx: Context, *, target: Target, payload: bytes, name: str, trace_id: str) -> dict[str, Any]:
    execution = await ctx.transact(lambda ctx: durable_runs.start(ctx, target, payload, name=name, trace_id=trace_id))
    while True:
        with ctx.listen(execution.signal) as heard:
            found = await ctx.transact(partial(_ended, execution=execution))
            if found is not None or ctx.gone:
                return found or {}
            await heard.wait(ctx.now() + SYNCHRONOUS_S)


def _ended(ctx: Context, execution: DurableExecution) -> dict[str, Any] | None:
    """The answer, once the execution has ended."""
    place = {"account": execution.account, "region": execution.region}
    current = EXECUTIONS.peek(ctx, execution.id, **place)
    root = records.operation_of(ctx, execution, ROOT)
    answer: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": execution.version,
        "DurableExecutionArn": execution.arn,
        "ContentType": "application/json",
    }
    if current is None or root is None:
        return {**answer, "Payload": b"", "FunctionError": "Unhandled"}
    if current.status in LIVE:
        return None
    if current.status == SUCCEEDED:
        return {**answer, "Payload": (root.result or "null").encode()}
    error = {_MEMBERS[member]: value for member, value in (root.error or {}).items() if member in _MEMBERS}
    return {**answer, "Payload": msgspec.json.encode(error), "FunctionError": "Unhandled"}
