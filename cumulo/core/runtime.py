"""The running cloud: state, time, services and the one way a call is made.

`start` is the pipeline of every call, from the wire or from another service: authenticate, parse,
validate, authorize, handle, commit, journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cumulo.blobs import BlobFailure, Blobs
from cumulo.core.background.reconcilers import Reconcilers
from cumulo.core.background.standing import StandingServices
from cumulo.core.background.tasks import Tasks
from cumulo.core.callers.authorization import decide_call
from cumulo.core.callers.identities import AwaitedIdentities, AwaitedPolicySource, Identities
from cumulo.core.clock import Clock
from cumulo.core.context import Context
from cumulo.core.discovery import Handler, Registry, ServiceCode
from cumulo.core.errors import INTERNAL_FAILURE, SERVICE_UNAVAILABLE, not_implemented
from cumulo.core.ids import Ids
from cumulo.core.kept_blobs import keep_swept
from cumulo.core.operation import Wait
from cumulo.core.pipeline import Caller, Run, ServiceCall
from cumulo.core.policy.authorization import PolicySource
from cumulo.core.policy.principals import Principal, service
from cumulo.core.signals import Signals
from cumulo.core.usage.journal import Journal, last_time
from cumulo.store.failures import StoreFailure
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    import socket

    from cumulo.store import Store
    from cumulo.store.transaction import Transaction

MOST_BACK_S = 86_400.0  # that a clock is believed to have been set back between two runs: time zones, NTP, a hand
MAX_DEPTH = 16  # calls within calls; more is a loop between services


class Runtime:
    """Everything that lives as long as the server."""

    def __init__(
        self,
        store: Store,
        packages: dict[str, str],
        *,
        data_dir: Path,
        cache_dir: Path,
        endpoint: str,
        local_keys: bool = True,
        audit: bool = False,
        throttling: bool = False,
        isolation: str = "namespaces",
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self.store = store
        self.data_dir = data_dir
        self.cache_dir = cache_dir
        self.local_keys = local_keys  # whether keys that cumulo did not issue are root users (loopback only)
        self.audit = audit  # whether denials are only written down
        self.throttling = throttling  # whether services refuse what is beyond a provisioned throughput
        self.isolation = isolation  # what keeps functions apart
        self.endpoint = endpoint
        self.clock = clock or Clock()
        self._go_on_in_time()
        self.ids = ids or Ids()
        self.blobs = Blobs(data_dir / "blobs", lambda: self.ids.random_bytes(16).hex())
        self.registry = Registry(packages)
        self.signals = Signals(self.clock)
        self.journal = Journal(data_dir, self.clock)
        self.tasks = Tasks(self)
        self.reconcilers = Reconcilers(self)
        self.registry.on_load = self._loaded
        # IAM takes these two places when it is loaded: with the first call of somebody who is not root.
        self.policy_source: PolicySource = AwaitedPolicySource(self)
        self.identities: Identities = AwaitedIdentities(self)
        self.memory: dict[str, Any] = {}  # what services remember while this process runs, by names of their own
        self.on_close: list[Callable[[], Awaitable[None]]] = []  # what services keep running beside the calls
        self.adopt: Callable[[socket.socket], Awaitable[Callable[[], None]]] | None = None  # serve this socket too
        self.trust: Callable[[], Path] | None = None  # the certificate that clients of ours trust, made when asked for
        self.authorize: Callable[..., None] = decide_call
        self._service_principals: dict[str, Principal] = {}
        self._waiting: set[asyncio.Task[None]] = set()
        self._deleting: set[asyncio.Future[None]] = set()
        store.on_signal(self.signals.deliver)

    def _go_on_in_time(self) -> None:
        """The computer's clock may have been set back since the cloud ran; what is much later is no clock's doing."""
        last, now = last_time(self.data_dir), self.clock.now()
        if now < last <= now + MOST_BACK_S:
            self.clock.go_on_from(last)
        elif last > now:
            self.logger("runtime").warning(
                "The last call that this cloud wrote down was %.0f days after what the clock says now. What it planned "
                "since comes late.",
                (last - now) / 86_400,
            )

    def _loaded(self, code: ServiceCode) -> None:
        if code.install is not None:
            code.install(self)
        self.reconcilers.add(code)

    async def open(self) -> None:
        """Start what runs beside the calls; the store is open already."""
        self.reconcilers.open()
        if self.store.name == "sqlite":
            self.spawn(keep_swept(self))
        await self.tasks.open()
        self.spawn(StandingServices(self).open())

    async def close(self) -> None:
        """Stop it, in order; nothing that was answered is lost."""
        for waiting in tuple(self._waiting):
            waiting.cancel()
        await self.reconcilers.close()
        await self.tasks.close()
        for close in self.on_close:
            try:
                await close()
            except Exception:
                self.logger("runtime").exception("something that a service keeps running could not be closed")
        if self._deleting:
            await asyncio.wait(self._deleting)
        await self._save_key_uses()
        self.journal.close()

    async def _save_key_uses(self) -> None:
        keys, services = self.journal.key_uses, self.journal.service_uses
        if not keys.fresh and not services.fresh:
            return
        ctx = self.internal_context("iam", "SaveKeyUses", "", "")

        def save(txn: Transaction) -> None:
            ctx.enter(txn)
            keys.save(ctx)
            services.save(ctx)

        try:
            await self.store.run(save)
        except StoreFailure as failure:  # a full disk must not keep the cloud from closing
            self.logger("iam").warning("the last uses of access keys are lost: %s", failure)

    def logger(self, service: str) -> logging.Logger:
        """The log of a service."""
        return logging.getLogger(f"cumulo.{service}")

    def service_principal(self, name: str) -> Principal:
        """The principal `<name>.amazonaws.com`."""
        found = self._service_principals.get(name)
        if found is None:
            found = self._service_principals[name] = service(f"{name}.amazonaws.com")
        return found

    def internal_context(self, service: str, operation: str, account: str, region: str) -> Context:
        """The context of a service's own work (tasks, reconcilers): it is not asked for permission."""
        return Context(
            self,
            service=service,
            operation=operation,
            account=account,
            region=region,
            principal=self.service_principal(service),
            request_id=self.ids.uuid(),
            internal=True,
        )

    # --- calls ------------------------------------------------------------------------------------

    def start(self, ctx: Context, caller: Caller) -> Coroutine[Any, Any, None] | None:
        """Run a call; `caller.done(answer, None)` or `caller.done(None, fault)` follows once it is durable.

        Returns a coroutine that must be run when the operation waits; for all others the work is done
        (or handed to the store) when this returns.
        """
        handler = ctx.handler
        assert handler is not None
        run = Run(self, ctx, handler, caller)
        if handler.is_async:
            return self.go_on(ctx, handler, run.admitted, caller)
        self.store.transact(run.work, run.finish)
        run.started = True
        return run.going_on

    async def ask(self, ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
        """Run a call of this cloud's own, whose caller `ctx` names, to its answer. Raises its Fault."""
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        waiting = self.start(ctx, ServiceCall(request, answer))
        if waiting is not None:
            await waiting
        return await answer

    async def go_on(
        self, ctx: Context, handler: Handler, then: Callable[[Context], Awaitable[Any]], caller: Caller
    ) -> None:
        """Run what waits, and answer."""
        if ctx.on_wait is not None:
            ctx.on_wait(ctx.hang_up)
        answer: dict[str, Any] | None = None
        error: BaseException | None = None
        try:
            answer = await then(ctx) or {}
            self._check_authorized(ctx, handler)
        except asyncio.CancelledError:
            raise
        except Exception as failure:
            error = failure
        caller.done(answer, self.fault(ctx, error))

    def spawn(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Run what waits beside everything else, until the cloud closes."""
        running = asyncio.get_running_loop().create_task(waiting)
        self._waiting.add(running)
        running.add_done_callback(self._waiting.discard)

    def delete_blobs(self, blobs: list[str]) -> None:
        """Delete what nothing names any more, off the loop; the process may end before: they are orphans then."""
        deleting = asyncio.get_running_loop().run_in_executor(None, self.blobs.delete, blobs)
        self._deleting.add(deleting)
        deleting.add_done_callback(self._deleting.discard)

    def nested(self, ctx: Context, request: dict[str, Any], txn: Transaction) -> dict[str, Any]:
        """A call inside another call's transaction; a fault undoes only its own writes."""
        handler = ctx.handler
        assert handler is not None
        if handler.is_async:
            raise TypeError(f"{handler.service}:{handler.model.name} waits: await ctx.aws instead of ctx.call")
        if ctx.depth > MAX_DEPTH:
            raise Fault("InternalFailure", "cumulo stopped a loop of services calling each other", status=500)
        fault: Fault | None = None
        try:
            with txn.savepoint():
                ctx.enter(txn)
                self.prepare(ctx, handler, request)
                return self.handle(ctx, handler)
        except Exception as failure:
            if isinstance(failure, Wait):
                raise TypeError(
                    f"{handler.service}:{handler.model.name} waits: await ctx.aws instead of ctx.call"
                ) from None
            if txn.failed:
                raise  # no fault of the call's: the whole transaction runs again
            fault = self.fault(ctx, failure)
            assert fault is not None
            raise fault from None
        finally:
            ctx.enter(None)
            ending = fault
            txn.on_commit(lambda: self.journal.record(ctx, ending))

    def prepare(self, ctx: Context, handler: Handler, request: dict[str, Any]) -> None:
        """Validate a request and refuse members that are not honoured."""
        handler.validate(request)
        for member in handler.unsupported:
            if member in request:
                raise not_implemented(handler.service, handler.model.name, member)
        ctx.request = request

    def handle(self, ctx: Context, handler: Handler) -> dict[str, Any]:
        """Run the operation's function, which must have asked for permission by its end."""
        ctx.authorized = handler.public
        self.ask_first(ctx, handler)
        answer: dict[str, Any] = handler.function(ctx, ctx.request) or {}
        self._check_authorized(ctx, handler)
        return answer

    @staticmethod
    def ask_first(ctx: Context, handler: Handler) -> None:
        """Ask for permission on "*", where the operation has no resource to ask it for."""
        if handler.asks_first:
            ctx.authorize("*", context=handler.conditions(ctx, ctx.request) if handler.conditions else None)

    @staticmethod
    def _check_authorized(ctx: Context, handler: Handler) -> None:
        # Deny by default: a handler that forgot to ask loses its writes and its answer.
        if not ctx.authorized:
            raise RuntimeError(f"{handler.source} answered without authorizing its resource")

    def fault(self, ctx: Context, error: BaseException | None) -> Fault | None:
        """The fault that is answered for an error; what is not AWS's is logged and hidden."""
        if error is None or isinstance(error, Fault):
            return error
        if isinstance(error, StoreFailure | BlobFailure):
            self.logger(ctx.service).error("%s %s: %s", ctx.request_id, ctx.operation, error)
            return SERVICE_UNAVAILABLE(f"cumulo cannot keep this change: {error}")
        self.logger(ctx.service).error(
            "request %s, %s:%s failed", ctx.request_id, ctx.service, ctx.operation, exc_info=error
        )
        return INTERNAL_FAILURE()
