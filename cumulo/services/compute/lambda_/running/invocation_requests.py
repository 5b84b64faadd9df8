"""One invocation on its way to an environment: what the function is given, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.errors import Fault
from cumulo.engines.environments.builds import Invocation, Outcome
from cumulo.services.compute.lambda_.errors import (
    DURABLE_ONLY_BY_INVOKE,
    NOT_ACTIVE,
    RECURSIVE,
    TENANT_MISSING,
    TENANT_UNWANTED,
    THROTTLED,
)
from cumulo.services.compute.lambda_.running import fleet, invocation_metrics, lineages, payloads

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.running.concurrency import Limits
    from cumulo.services.compute.lambda_.stored.qualifiers import Target

# The states that a function may be called in. One that stood unused for weeks ("Inactive") comes back with the call.
CALLABLE = ("Active", "Inactive", "ActiveNonInvocable")


class Call:
    """What the function is given. `client_context` is JSON."""

    __slots__ = ("client_context", "on_chunk", "on_prelude", "payload", "tenant_id", "trace_id")

    def __init__(
        self,
        payload: bytes,
        *,
        trace_id: str = "",
        client_context: str = "",
        tenant_id: str = "",
        on_chunk: Callable[[bytes], asyncio.Future[None] | None] | None = None,
        on_prelude: Callable[[str], None] | None = None,
    ) -> None:
        self.payload = payload
        self.trace_id = trace_id
        self.client_context = client_context
        self.tenant_id = tenant_id
        self.on_chunk = on_chunk
        self.on_prelude = on_prelude

    async def run(self, ctx: Context, target: Target, limits: Limits, request_id: str) -> Outcome:
        """Run the function. Raises TooManyRequestsException and what keeps it from running."""
        invocation = Invocation(
            request_id,
            self.payload,
            invoked_arn=target.arn,
            trace_id=self.trace_id,
            client_context=self.client_context,
            tenant_id=self.tenant_id,
            on_chunk=self.on_chunk,
            on_prelude=self.on_prelude,
        )
        figures = invocation_metrics.of(ctx.runtime)
        source = invocation_metrics.source_of(target)
        try:
            outcome = await fleet.of(ctx).invoke(target, limits, invocation)
        except Fault as fault:
            if fault.code == THROTTLED.code:
                figures.add(source, "Throttles")
            raise
        if len(outcome.payload) > payloads.ANSWER_B and not outcome.error:
            outcome.payload = (
                b'{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).",'
                b'"errorType":"Function.ResponseSizeTooLarge"}'
            )
            outcome.error = "Unhandled"
        version = target.version
        metering = ctx.runtime.journal.metering
        seconds = outcome.billed_ms * version.memory_mb / 1_024_000
        metering.add(version.account, version.region, "lambda", "Lambda-GB-Second", seconds)
        figures.add(source, "Invocations")
        figures.add(source, "Errors", 1.0 if outcome.error else 0.0)
        figures.add(source, "Throttles", 0.0)
        figures.add(source, "Duration", round(outcome.duration_ms, 2))
        return outcome


def check_state(target: Target, tenant_id: str, *, durable: bool = False) -> None:
    """Refuse a function that cannot run now, or not for this tenant; a durable one unless `durable` ones may be."""
    version = target.version
    if version.durable_timeout_s and not durable:
        raise DURABLE_ONLY_BY_INVOKE()
    if version.state not in CALLABLE:
        raise NOT_ACTIVE(state=version.state)
    if bool(version.tenant_isolation) != bool(tenant_id):
        raise TENANT_UNWANTED() if tenant_id else TENANT_MISSING()


def trace_of(ctx: Context, target: Target) -> tuple[str, bool]:
    """The trace header for the function, and whether it calls itself in a loop that is to be stopped."""
    header = ctx.headers.get("x-amzn-trace-id") if ctx.headers is not None else ""
    function = target.function
    trace, count = lineages.passed_on(header, function.arn, ctx.now(), ctx.runtime.ids.hex)
    return trace, count > lineages.MOST and function.recursive_loop != "Allow"


def refuse_loop(ctx: Context, target: Target, looped: bool) -> None:
    """The answer to a call that would go on with a loop."""
    if looped:
        invocation_metrics.of(ctx.runtime).add(invocation_metrics.source_of(target), "RecursiveInvocationsDropped")
        raise RECURSIVE(arn=target.function.arn)
