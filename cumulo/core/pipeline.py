"""One call on its way through the pipeline: objects, since closures hold each other and wait for the collector."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import Wait

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.discovery import Handler
    from cumulo.core.runtime import Runtime
    from cumulo.store.transaction import Transaction


class Caller:
    """Where a call comes from and where its answer goes: the wire, or another service."""

    def authenticate(self, ctx: Context) -> None:
        """Set the caller of the context, or raise the Fault of one that is not who it says."""

    def parse(self) -> dict[str, Any]:
        """The request with AWS's member names. Raises Fault."""
        raise NotImplementedError

    def done(self, answer: dict[str, Any] | None, error: BaseException | None) -> None:
        """The answer, or the fault in its place; once, when what the call did is durable."""
        raise NotImplementedError


class ServiceCall(Caller):
    """A call that a service awaits (`ctx.aws`): its caller is known, its request is a value already."""

    def __init__(self, request: dict[str, Any], answer: asyncio.Future[dict[str, Any]]) -> None:
        self.request = request
        self.answer = answer

    def parse(self) -> dict[str, Any]:
        """The request as it was given."""
        return self.request

    def done(self, answer: dict[str, Any] | None, error: BaseException | None) -> None:
        """Hand the answer or the fault to whoever awaits it."""
        if self.answer.done():
            return
        if error is not None:
            self.answer.set_exception(error)
        else:
            self.answer.set_result(answer or {})


class Run:
    """The steps of one call: `work` in the transaction, `finish` when it is durable."""

    def __init__(self, runtime: Runtime, ctx: Context, handler: Handler, caller: Caller) -> None:
        self.runtime = runtime
        self.ctx = ctx
        self.handler = handler
        self.caller = caller
        self.started = False
        self.going_on: Coroutine[Any, Any, None] | None = None

    def work(self, txn: Transaction) -> dict[str, Any]:
        """Authenticate, parse, validate, authorize and handle; it may run again on a conflict."""
        ctx = self.ctx
        ctx.tries += 1
        ctx.enter(txn)
        try:
            self.caller.authenticate(ctx)
            self.runtime.prepare(ctx, self.handler, self.caller.parse())
            return self.runtime.handle(ctx, self.handler)
        finally:
            ctx.enter(None)

    def finish(self, answer: dict[str, Any] | None, error: BaseException | None) -> None:
        """Answer, or go on as a coroutine when the operation has to wait."""
        if error is None:
            self.caller.done(answer, None)
        elif isinstance(error, Wait):
            self.going_on = self.runtime.go_on(self.ctx, self.handler, error.then, self.caller)
            if self.started:  # `start` has returned: the store is a distant one, or had to commit first
                self.runtime.spawn(self.going_on)
        else:
            self.caller.done(answer, self.runtime.fault(self.ctx, error))

    async def admitted(self, ctx: Context) -> Any:
        """An `async def` operation: admitted in one transaction, then on its own."""
        await ctx.transact(self._admit)
        return await self.handler.function(ctx, ctx.request)

    def _admit(self, ctx: Context) -> None:
        self.caller.authenticate(ctx)
        self.runtime.prepare(ctx, self.handler, self.caller.parse())
        ctx.authorized = self.handler.public
        self.runtime.ask_first(ctx, self.handler)
