"""Chained invocations: a durable execution calls another function, with its role's rights, and waits for the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable import durable_runs
from cumulo.services.compute.lambda_.durable.durable_endings import OPEN, end_chained_invoke, of_payload, place_of
from cumulo.services.compute.lambda_.durable.durable_records import (
    FAILED,
    LIVE,
    SUCCEEDED,
    DurableExecution,
    DurableOperation,
)
from cumulo.services.compute.lambda_.stored import versions
from cumulo.services.compute.lambda_.stored.policies import INVOKE
from cumulo.services.compute.lambda_.stored.qualifiers import resolve

if TYPE_CHECKING:
    from cumulo.core.context import Context


def begin(ctx: Context, execution: DurableExecution, operation: DurableOperation, trace_header: str) -> None:
    """Start the invocation of an operation that is about to be kept."""
    ctx.later(run_chained_invoke, {**place_of(execution), "operation": operation.id, "trace_header": trace_header})


@task
async def run_chained_invoke(ctx: Context, payload: dict[str, Any]) -> None:
    """Invoke the function; a durable one goes on by itself, and tells when it has ended."""
    try:
        calling = await ctx.transact(lambda ctx: _begin(ctx, payload))
        if calling is None:
            return
        acting, request = calling
        answer = await acting.aws.lambda_.invoke(request)
        text = answer["Payload"].decode()
        end = _failure(text) if "FunctionError" in answer else {"status": SUCCEEDED, "result": text, "error": None}
    except Fault as fault:
        error = {"ErrorType": fault.code, "ErrorMessage": fault.message}
        end = {"status": FAILED, "result": None, "error": error}
    await ctx.transact(lambda ctx: _end(ctx, payload, end))


def _begin(ctx: Context, payload: dict[str, Any]) -> tuple[Context, dict[str, Any]] | None:
    """As whom to call, and what; None when there is nothing to call, or to wait for here."""
    execution = of_payload(ctx, payload)
    operation = records.operation_of(ctx, execution, payload["operation"]) if execution is not None else None
    if execution is None or operation is None or execution.status not in LIVE or operation.status not in OPEN:
        return None
    version = versions.of(ctx, execution.account, execution.region, execution.function, execution.version)
    if version is None:
        return None
    principal = role_sessions.assume(ctx, version.role, "lambda", version.name, source_arn=version.arn)
    acting = role_sessions.context(ctx, principal, "lambda", "Invoke", region=execution.region)
    input_b = (operation.input or "null").encode()
    target = resolve(acting, operation.function, action=INVOKE, weighted=True)
    if target.version.durable_timeout_s:
        parent = durable_runs.Parent(execution.arn, operation.id)
        durable_runs.start(ctx, target, input_b, trace_id=payload["trace_header"], parent=parent)
        return None
    acting.enter(None)
    request: dict[str, Any] = {"FunctionName": operation.function, "Payload": input_b}
    if operation.tenant_id:
        request["TenantId"] = operation.tenant_id
    return acting, request


def _failure(text: str) -> dict[str, Any]:
    return {"status": FAILED, "result": None, "error": durable_runs.error_of(text.encode())}


def _end(ctx: Context, payload: dict[str, Any], end: dict[str, Any]) -> None:
    execution = of_payload(ctx, payload)
    if execution is not None:
        ctx.later(end_chained_invoke, {"arn": execution.arn, "operation": payload["operation"], **end})
