"""What a poller calls: the source in the name of the function's role, the function in Lambda's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cumulo.core.callers import role_calls, role_sessions
from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.errors import FUNCTION_NOT_FOUND
from cumulo.services.compute.lambda_.stored import function_names, qualifiers
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.policy.principals import Principal
    from cumulo.core.runtime import Runtime
    from cumulo.services.compute.lambda_.event_sources.source_mappings import EventSourceMapping
    from cumulo.services.compute.lambda_.stored.versions import Version
    from cumulo.store.transaction import Transaction

T = TypeVar("T")

SESSION_S = 3000  # a session lasts an hour; it is changed well before
TOO_MANY = "TooManyRequestsException"
SERVICE = "lambda"


class Invoked(NamedTuple):
    """What a call of the function came to. `error` is "" or "Unhandled"."""

    request_id: str
    status: int
    error: str
    version: str
    payload: bytes


class SourceCalls:
    """The calls of one mapping's poller."""

    __slots__ = ("_principal", "_role", "_until", "mapping", "runtime")

    def __init__(self, runtime: Runtime, mapping: EventSourceMapping) -> None:
        self.runtime = runtime
        self.mapping = mapping
        self._principal: Principal | None = None
        self._role = ""
        self._until = 0.0

    async def transact(self, work: Callable[[Context], T]) -> T:
        """Run `work(ctx)` as a transaction of Lambda's own, in the mapping's account and region."""
        mapping = self.mapping
        ctx = self.runtime.internal_context(SERVICE, "PollEventSource", mapping.account, mapping.region)

        def run(txn: Transaction) -> T:
            ctx.enter(txn)
            try:
                return work(ctx)
            finally:
                ctx.enter(None)

        return await self.runtime.store.run(run)

    async def source(
        self, service: str, operation: str, request: dict[str, Any], held: Callable[[Context], None] | None = None
    ) -> dict[str, Any]:
        """Call the source, or another service, as the role. `held` gets the call's context before it waits."""
        principal = await self.transact(self.role)
        ctx = role_calls.calling(
            self.runtime, principal, service, operation, caller=SERVICE, region=self.mapping.region
        )
        if held is not None:
            held(ctx)
        return await ctx.runtime.ask(ctx, request)

    def role(self, ctx: Context) -> Principal:
        """The role of the version that is called now, in a session that lasts a while longer."""
        version = self.version(ctx)
        now = ctx.now()
        if self._principal is None or self._role != version.role or now >= self._until:
            self._principal = role_sessions.assume(ctx, version.role, SERVICE, version.name, source_arn=version.arn)
            self._role, self._until = version.role, now + SESSION_S
        return self._principal

    def version(self, ctx: Context) -> Version:
        """The version that the mapping's function stands for now. ResourceNotFoundException when there is none."""
        mapping = self.mapping
        asked = function_names.read(ctx, mapping.function_arn)
        function = FUNCTIONS.peek(ctx, mapping.function, account=mapping.account, region=mapping.region)
        if function is None:
            raise FUNCTION_NOT_FOUND(arn=asked.arn)
        return qualifiers.found(ctx, asked, function).version

    async def invoke(self, payload: bytes, trace_header: str = "") -> Invoked:
        """Call the function and wait for what it says. Raises Invoke's Fault, TooManyRequestsException among them."""
        mapping, runtime = self.mapping, self.runtime
        ctx = role_calls.calling(
            runtime, runtime.service_principal(SERVICE), SERVICE, "Invoke", caller=SERVICE, account=mapping.account,
            region=mapping.region, internal=True, source_arn=mapping.source_arn, trace_header=trace_header,
        )  # fmt: skip
        request = {"FunctionName": mapping.function_arn, "InvocationType": "RequestResponse", "Payload": payload}
        answer = await ctx.runtime.ask(ctx, request)
        return Invoked(
            ctx.request_id,
            answer["StatusCode"],
            answer.get("FunctionError", ""),
            answer.get("ExecutedVersion", ""),
            answer.get("Payload") or b"",
        )


class Stop:
    """Tells a poller to end: no new work is begun, waits are over, what is under way is finished."""

    __slots__ = ("_listening", "_runtime", "_waiting", "asked")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._waiting: set[asyncio.Future[None]] = set()
        self._listening: list[Callable[[], None]] = []
        self.asked = False

    def tell(self, callback: Callable[[], None]) -> None:
        """Call this, too, when the end is asked for."""
        if self.asked:
            callback()
        else:
            self._listening.append(callback)

    def ask(self) -> None:
        """End."""
        self.asked = True
        self.wake()
        for callback in self._listening:
            callback()

    def wake(self) -> None:
        """End the pauses that are under way."""
        for waiting in tuple(self._waiting):
            _finish(waiting)

    async def pause(self, seconds: float) -> None:
        """Wait for so much cloud time, or until somebody wakes; not at all once the end was asked for."""
        if self.asked:
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        clock = self._runtime.clock
        timer = clock.call_at(clock.now() + seconds, partial(_finish, waiting))
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)
            timer.cancel()


def _finish(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


async def cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are over."""
    running = list(tasks)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def throttled(fault: Fault) -> bool:
    """Whether the function has no concurrency left: the call may be made again, later."""
    return fault.code == TOO_MANY
