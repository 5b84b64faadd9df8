"""Invoke: the function's answer at once, or its event for later."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import Wait, operation
from cumulo.services.compute.lambda_.durable import durable_invocations
from cumulo.services.compute.lambda_.errors import FUNCTION_NOT_FOUND
from cumulo.services.compute.lambda_.invocations import event_queue
from cumulo.services.compute.lambda_.running import concurrency, payloads
from cumulo.services.compute.lambda_.running.invocation_requests import Call, check_state, refuse_loop, trace_of
from cumulo.services.compute.lambda_.stored import function_names, qualifiers
from cumulo.services.compute.lambda_.stored.policies import INVOKE
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.running.concurrency import Limits
    from cumulo.services.compute.lambda_.stored.qualifiers import Target
    from cumulo.stubs import lambda_ as t

EVENT, DRY_RUN = "Event", "DryRun"
REMAPPED = "0"
"""Of AWS's gateway, which has always said it."""


class _Waiting:
    """A function that is about to run, and the call that waits for it."""

    __slots__ = ("_call", "_limits", "_tail", "_target")

    def __init__(self, target: Target, call: Call, limits: Limits, tail: bool) -> None:
        self._target = target
        self._call = call
        self._limits = limits
        self._tail = tail

    async def run(self, ctx: Context) -> dict[str, Any]:
        """The answer of Invoke."""
        outcome = await self._call.run(ctx, self._target, self._limits, ctx.request_id)
        answer: dict[str, Any] = {
            "StatusCode": 200,
            "ExecutedVersion": self._target.version.version,
            "Payload": outcome.payload,
            "ContentType": outcome.content_type,
            "TraceId": self._call.trace_id,
            "RemappedContentLength": REMAPPED,
        }
        if outcome.error:
            answer["FunctionError"] = outcome.error
        if self._tail:
            answer["LogResult"] = b64encode(outcome.tail).decode()
        return answer


def found(ctx: Context, function_name: str, qualifier: str | None = None) -> Target:
    """What is to be invoked. One that is not there is told with the qualifier that was meant, as AWS does here."""
    try:
        return qualifiers.resolve(ctx, function_name, qualifier, action=INVOKE, weighted=True)
    except Fault as fault:
        asked = function_names.read(ctx, function_name, qualifier)
        if fault.code == "ResourceNotFoundException" and not asked.qualifier:
            raise FUNCTION_NOT_FOUND(arn=f"{asked.arn}:{LATEST}") from None
        raise


@operation
def invoke(ctx: Context, request: t.InvocationRequest) -> t.InvocationResponse:
    kind = request.get("InvocationType") or "RequestResponse"
    target = found(ctx, request["FunctionName"], request.get("Qualifier"))
    if kind == DRY_RUN:
        return {"StatusCode": 204}
    tenant_id = request.get("TenantId", "")
    durable = durable_invocations.check(ctx, request, target)
    check_state(target, tenant_id, durable=durable)
    is_event = kind == EVENT
    limit = payloads.EVENT_B if is_event else payloads.SYNCHRONOUS_B
    payload = payloads.checked(request.get("Payload"), kind, limit)
    context = payloads.client_context(request.get("ClientContext"))
    trace_id, looped = trace_of(ctx, target)
    if durable:
        return durable_invocations.invoke(ctx, request, target, payload, trace_id, is_event=is_event)
    call = Call(payload, trace_id=trace_id, client_context=context, tenant_id=tenant_id)
    if is_event:
        event_queue.accept(ctx, target, call, looped=looped)
        return {"StatusCode": 202, "Payload": b"", "TraceId": trace_id, "RemappedContentLength": REMAPPED}
    refuse_loop(ctx, target, looped)
    function = target.function
    limits = concurrency.limits_of(ctx, function)
    raise Wait(_Waiting(target, call, limits, request.get("LogType") == "Tail").run)


@operation
def invoke_async(ctx: Context, request: t.InvokeAsyncRequest) -> t.InvokeAsyncResponse:
    target = found(ctx, request["FunctionName"])
    check_state(target, "")
    payload = payloads.checked(request["InvokeArgs"], EVENT, payloads.EVENT_B)
    trace_id, looped = trace_of(ctx, target)
    event_queue.accept(ctx, target, Call(payload, trace_id=trace_id), looped=looped)
    return {"Status": 202}
