"""The execution environments of this process: used again while they are warm, started as calls come, gone when idle.

A call takes the environment that was used last. When none is free it waits in line, and one more is started for it; it
gets whichever is free first. What stands idle is stopped after a while of cloud time, earlier when there are too many
or memory is short, and when the version that it belongs to was changed or deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Any

from cumulo.engines import machine_memory
from cumulo.engines.environments.builds import ON_DEMAND, PROVISIONED, Build, RuntimeMissing, StartFailed
from cumulo.engines.images.failures import ImageFailed
from cumulo.services.compute.lambda_.errors import NO_ENVIRONMENT, RUNTIME_MISSING
from cumulo.services.compute.lambda_.running import build, invocation_metrics
from cumulo.services.compute.lambda_.running.concurrency import usage_of
from cumulo.services.compute.lambda_.running.invocation_metrics import source_of
from cumulo.services.compute.lambda_.running.log_shipping import LogShipping
from cumulo.services.compute.lambda_.running.pools import Place, Pool, Slot

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine

    from cumulo.core.clock import Timer
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime
    from cumulo.engines.environments.builds import Invocation, Outcome
    from cumulo.engines.environments.environments import Environments
    from cumulo.services.compute.lambda_.running.concurrency import Limits, Usage
    from cumulo.services.compute.lambda_.stored.qualifiers import Target

IDLE_S = 600.0
MOST_IDLE = 256
STARTS_PER_CORE = 2  # at a time: those behind them may find that they are not needed any more
REPLENISH = "lambda provisioned"  # the signal: there are too few, or too many, provisioned environments
_KEY = "lambda.fleet"


def of(ctx: Context) -> Fleet:
    """The fleet of this process."""
    found = ctx.runtime.memory.get(_KEY)
    if found is None:
        found = ctx.runtime.memory[_KEY] = Fleet(ctx.runtime)
    return found


class Fleet:
    """All pools. Everything here happens on the loop's thread."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._environments: Environments | None = None
        self._pools: dict[Place, Pool] = {}
        self._starts = asyncio.Semaphore(STARTS_PER_CORE * (os.cpu_count() or 1))
        self._idle: dict[Slot, None] = {}  # of all pools, the one that is idle longest first
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeper: Timer | None = None
        self._closed = False
        self.logs = LogShipping(runtime)
        self._figures = invocation_metrics.of(runtime)
        runtime.on_close.append(self.close)

    async def prepare(self, made: Build) -> None:
        """Start what the environments of this build are forked from; whoever starts one is told why that fails."""
        with contextlib.suppress(RuntimeMissing, StartFailed):
            await self._engine().prepare(made)

    async def connect_debugger(self, function_arn: str) -> socket.socket:
        """A connection to the debugger's port of a function. Raises ConnectionError while there is none."""
        environment = self._engine().debugged(function_arn)
        if environment is None:
            raise ConnectionError(f"no environment of {function_arn} is to be debugged")
        return await environment.connect_debugger()

    # --- a call -------------------------------------------------------------------------------------

    async def invoke(self, target: Target, limits: Limits, invocation: Invocation) -> Outcome:
        """Run a function once. Raises TooManyRequestsException, and what keeps an environment from being started."""
        pool = self._pool(target, invocation.tenant_id)
        place = pool.place
        usage = usage_of(self._runtime, place.account, place.region)
        slot = self._take(pool.ready)
        if slot is not None:
            pool.busy.add(slot)
            self._figures.add(source_of(target), "ProvisionedConcurrencyInvocations")
            return await self._run(slot, invocation)
        if self._runtime.throttling:
            usage.begin(place.name, limits, self._runtime.clock.now())
        unreserved = usage.enter(place.name, limits)
        self._count(target, pool, usage)
        try:
            slot = self._take(pool.idle)
            if slot is not None:
                del self._idle[slot]
                pool.busy.add(slot)
            else:
                slot = await self._wait(pool, target, usage)
            return await self._run(slot, invocation)
        finally:
            usage.leave(place.name, unreserved)

    def _take(self, free: list[Slot]) -> Slot | None:
        """The one that was used last. Those go whose time has run out as they stood, or as the computer slept."""
        while free:
            if not self._is_old(free[-1]):
                return free.pop()
            self._drop([free[-1]])
        return None

    def _is_old(self, slot: Slot) -> bool:
        return self._runtime.clock.now() - slot.started_at > build.ENVIRONMENT_S

    def _count(self, target: Target, pool: Pool, usage: Usage) -> None:
        """One more runs on demand: the figures of concurrency."""
        source = source_of(target)
        self._figures.concurrency(source, usage.functions[source.name], usage.total, usage.unreserved)
        if pool.wanted:
            self._figures.add(source, "ProvisionedConcurrencySpilloverInvocations")

    async def _run(self, slot: Slot, invocation: Invocation) -> Outcome:
        try:
            outcome = await slot.environment.invoke(invocation)
        except BaseException:
            self._discard(slot)
            raise
        if outcome.dead or slot.environment.dead:
            if not slot.provisioned:
                self._give_back(slot.pool)
            self._discard(slot)
        else:
            self._release(slot)
        return outcome

    def _give_back(self, pool: Pool) -> None:
        place = pool.place
        usage_of(self._runtime, place.account, place.region).give_back(place.name)

    def _pool(self, target: Target, tenant: str = "") -> Pool:
        """The pool for a version as it is now; what belongs to an earlier revision of it retires."""
        version = target.version
        place = Place(version.account, version.region, version.name, version.version, tenant)
        pool = self._pools.get(place)
        if pool is None or pool.revision != version.revision_id:
            if pool is not None:
                self._retire(pool)
            pool = self._pools[place] = Pool(place, version.revision_id)
        return pool

    async def _wait(self, pool: Pool, target: Target, usage: Usage) -> Slot:
        if self._closed:
            raise NO_ENVIRONMENT(reason="the server is stopping")
        self._pools[pool.place] = pool  # it may have been empty for a moment: all that was idle was too old
        if pool.starting <= len(pool.waiting):  # else one that starts already will be free for this one
            usage.allocate(pool.place.name, self._runtime.clock.now())
        future: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        pool.waiting.append(future)
        self._start_for_waiting(pool, target)
        return await future

    def _start_for_waiting(self, pool: Pool, target: Target) -> None:
        if pool.starting < len(pool.waiting):
            pool.starting += 1
            self._spawn(self._start(pool, target))

    # --- starting and stopping ------------------------------------------------------------------------

    async def _start(self, pool: Pool, target: Target) -> None:
        try:
            async with self._starts:
                if not pool.waiting:  # others have become free meanwhile
                    pool.starting -= 1
                    self._give_back(pool)
                    self._forget(pool)
                    return
                slot = await self._started(pool, target, provisioned=False)
        except Exception as error:
            pool.starting -= 1
            pool.refuse(self._failure(error))
            if pool.waiting:
                self._start_for_waiting(pool, target)
            return
        pool.starting -= 1
        self._release(slot)

    async def _started(self, pool: Pool, target: Target, *, provisioned: bool) -> Slot:
        place = pool.place
        if machine_memory.short():
            self._evict(8)
        ctx = self._runtime.internal_context("lambda", "StartEnvironment", place.account, place.region)
        made = await build.build_of(ctx, target, init_type=PROVISIONED if provisioned else ON_DEMAND)
        shipment = self.logs.open(target.version, made)
        environment = await self._engine().start(made, shipment.add, made.log_stream)
        return Slot(pool, environment, ctx.now(), provisioned)

    def _engine(self) -> Environments:
        if self._environments is None:
            from cumulo.engines.environments.environments import Environments

            runtime = self._runtime
            clock = runtime.clock
            logger = runtime.logger("lambda")
            self._environments = Environments(
                runtime.data_dir,
                logger,
                clock.now,
                clock.wall,
                runtime.adopt,
                runtime.trust,
                runtime.isolation,
            )
        return self._environments

    def _failure(self, error: Exception) -> Exception:
        if isinstance(error, RuntimeMissing):
            return RUNTIME_MISSING(reason=error)
        if isinstance(error, StartFailed | ImageFailed):
            self._runtime.logger("lambda").error("an execution environment could not be started: %s", error)
            return NO_ENVIRONMENT(reason=error)
        return error

    def _release(self, slot: Slot) -> None:
        """An environment is free: for whoever waits, else to stand idle."""
        pool = slot.pool
        pool.busy.discard(slot)
        now = self._runtime.clock.now()
        if slot.environment.dead or self._closed or self._is_old(slot):
            self._discard(slot)
        elif pool.hand_over(slot):
            return
        elif pool.retired or (slot.provisioned and pool.provisioned > pool.wanted):
            self._discard(slot)
        elif slot.provisioned:
            pool.ready.append(slot)
        else:
            slot.idle_since = now
            pool.idle.append(slot)
            self._idle[slot] = None
            if len(self._idle) > MOST_IDLE:
                self._evict(1)
            if self._sweeper is None:
                self._sweeper = self._runtime.clock.call_at(now + IDLE_S, self._sweep)

    def _discard(self, slot: Slot) -> None:
        """Stop an environment that is in none of its pool's lists any more."""
        pool = slot.pool
        pool.busy.discard(slot)
        if slot.provisioned:
            pool.provisioned -= 1
            if pool.provisioned < pool.wanted:
                self._runtime.signals.deliver(REPLENISH.encode())
        self._spawn(self._stop(slot))
        self._forget(pool)

    async def _stop(self, slot: Slot) -> None:
        await slot.environment.stop()

    def _forget(self, pool: Pool) -> None:
        if pool.empty and self._pools.get(pool.place) is pool:
            del self._pools[pool.place]

    def _retire(self, pool: Pool) -> None:
        """Stop what is idle now, and what is busy once it is done."""
        pool.retired = True
        pool.wanted = 0
        self._drop([*pool.idle, *pool.ready])

    def _drop(self, slots: list[Slot]) -> None:
        for slot in slots:
            pool = slot.pool
            if slot.provisioned:
                pool.ready.remove(slot)
            else:
                pool.idle.remove(slot)
                del self._idle[slot]
            self._discard(slot)

    def _evict(self, count: int) -> None:
        """Stop those that are idle longest, whichever function's they are."""
        self._drop([slot for slot, _ in zip(self._idle, range(count), strict=False)])

    def _sweep(self) -> None:
        """Stop what has been idle for long enough."""
        self._sweeper = None
        now = self._runtime.clock.now()
        old = []
        for slot in self._idle:
            if slot.idle_since + IDLE_S > now + 0.001:
                self._sweeper = self._runtime.clock.call_at(slot.idle_since + IDLE_S, self._sweep)
                break
            old.append(slot)
        self._drop(old)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._runtime.logger("lambda").error("an environment's work failed", exc_info=task.exception())

    # --- what the state says ------------------------------------------------------------------------

    def forget(self, account: str, region: str, name: str, version: str = "") -> None:
        """Stop the environments of a function, or of one version, that was changed or deleted."""
        for place, pool in [*self._pools.items()]:
            if (place.account, place.region, place.name) == (account, region, name) and version in ("", place.version):
                del self._pools[place]
                self._retire(pool)

    def provision(self, target: Target, count: int) -> int:
        """Keep so many environments of a version ready; those that are too many go. How many there are."""
        pool = self._pool(target)
        pool.wanted = count
        if pool.provisioned > count:
            self._drop(pool.ready[: pool.provisioned - count])
        return pool.provisioned

    def drop_old(self, target: Target) -> bool:
        """Stop one provisioned environment that is free and too old; False when there is none."""
        old = [slot for slot in self._pool(target).ready if self._is_old(slot)][:1]
        self._drop(old)
        return bool(old)

    async def replenish(self, target: Target) -> None:
        """Start one more provisioned environment. Raises what keeps it from being started."""
        pool = self._pool(target)
        try:
            slot = await self._started(pool, target, provisioned=True)
        except Exception as error:
            raise self._failure(error) from None
        pool.provisioned += 1
        self._release(slot)

    def provisioned_places(self) -> list[Place]:
        """The versions for which environments are kept ready."""
        return [place for place, pool in self._pools.items() if pool.wanted]

    def release(self, place: Place) -> None:
        """Keep none ready for this version any more."""
        pool = self._pools[place]
        pool.wanted = 0
        self._drop([*pool.ready])
        self._forget(pool)

    async def close(self) -> None:
        """Stop everything."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for pool in self._pools.values():
            pool.retired = True
            while pool.waiting:
                pool.refuse(NO_ENVIRONMENT(reason="the server is stopping"))
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._environments is not None:
            await self._environments.close()
        await self.logs.close()
