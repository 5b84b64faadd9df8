"""Durable work: started by a transaction, done at least once, whatever dies in between.

Keys, all in the store:

    tasks.task  id            the task
    tasks.due   ms, id        what is to run next; the head of a lane only
    tasks.lane  lane, id      the tasks of a lane in their order
    tasks.lease node, id      `async def` tasks that a node is running
    tasks.dead  id            tasks that failed too often, kept for a person to read

A `def` task commits its effects and its own removal together, so it happens exactly once. An
`async def` task holds a lease while it runs; when its node dies another takes it as soon as heartbeats
are missing, and at the latest after the lease. A node that was only asleep then finds its lease lost: it stops
that task, which can write nothing any more.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cumulo.core.clock import Timer
from cumulo.core.context import Context
from cumulo.core.operation import Retry, TaskMark, mark_of, waits
from cumulo.core.table import GLOBAL, Record, Space, Table
from cumulo.store.failures import StoreFailure
from cumulo.store.keys import prefix_range, unpack

if TYPE_CHECKING:
    from cumulo.core.runtime import Runtime
    from cumulo.store.transaction import Transaction

SIGNAL = b"tasks"
LEASE_S = 60.0
SPARE_S = 10.0
LOOK_FOR_NODES_S = 2.0
MAX_BACKOFF_S = 3600.0
BATCH = 64
CONCURRENT = 64


class LeaseLost(Exception):
    """Another node has taken this task over: this one was thought to be dead."""


class Task(Record):
    """One piece of work. Times are cloud time in seconds; `due_ms` is the key of its entry in tasks.due."""

    id: str
    name: str
    account: str
    region: str
    payload: dict[str, Any]
    created_at: float
    due_ms: int
    lane: str = ""
    attempts: int = 0
    leased_by: str = ""
    error: str = ""


TASKS = Table(Task, name="tasks.task", key="id", scope=GLOBAL)
DEAD = Table(Task, name="tasks.dead", key="id", scope=GLOBAL)
DUE = Space("tasks.due", scope=GLOBAL)
LANES = Space("tasks.lane", scope=GLOBAL)
LEASES = Space("tasks.lease", scope=GLOBAL)


class Tasks:
    """The tasks of this cloud and the runner of this node."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._last_id = 0
        self._last_id_lock = threading.Lock()  # a shared store runs transactions in several threads
        self._watching: asyncio.Task[None] | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._spares: dict[str, int] = {}  # tasks whose holders were given until then
        self._timer: Timer | None = None
        self._pump_soon = False
        self._pumping: asyncio.Task[None] | None = None
        self._open = False

    # --- in a transaction -----------------------------------------------------------------------

    def _new_id(self) -> str:
        # Ordered by creation: microseconds, then a counter within one; the node keeps nodes apart.
        with self._last_id_lock:
            self._last_id = number = max(self._last_id + 1, int(self._runtime.clock.now() * 1_000_000))
        return f"{number:014x}-{self._runtime.store.node_id[:8]}"

    def add(
        self, ctx: Context, function: Callable[..., Any], payload: dict[str, Any], *, at: float | None, lane: str | None
    ) -> str:
        """Write a new task in the running transaction."""
        mark = mark_of(function)
        if not isinstance(mark, TaskMark):
            raise TypeError(f"{function!r} is no @task")
        now = self._runtime.clock.now()
        task = Task(
            id=self._new_id(),
            name=mark.name,
            account=ctx.account,
            region=ctx.region,
            payload=payload,
            created_at=now,
            due_ms=int((now if at is None else at) * 1000),
            lane=lane or "",
        )
        TASKS.put(ctx, task)
        if task.lane:
            base = LANES.key(ctx, task.lane)
            first = not ctx.txn.range(*prefix_range(base), limit=1)
            ctx.txn.put(LANES.key(ctx, task.lane, task.id), b"")
            if not first:
                return task.id
        self._schedule(ctx, task)
        return task.id

    def _schedule(self, ctx: Context, task: Task) -> None:
        ctx.txn.put(DUE.key(ctx, task.due_ms, task.id), b"")
        ctx.txn.signal(SIGNAL)

    def cancel(self, txn: Transaction, task_id: str) -> bool:
        """Drop a task that has not run."""
        ctx = self._context("tasks.cancel")
        ctx.enter(txn)
        task = TASKS.peek(ctx, task_id)
        if task is None:
            return False
        self._remove(ctx, task)
        return True

    def _remove(self, ctx: Context, task: Task) -> None:
        txn = ctx.txn
        TASKS.delete(ctx, task)
        txn.delete(DUE.key(ctx, task.due_ms, task.id))
        if task.leased_by:
            txn.delete(LEASES.key(ctx, task.leased_by, task.id))
        if not task.lane:
            return
        txn.delete(LANES.key(ctx, task.lane, task.id))
        following = txn.range(*prefix_range(LANES.key(ctx, task.lane)), limit=1)
        if following:
            head = TASKS.peek(ctx, str(unpack(following[0][0])[-1]))
            if head is not None:
                self._schedule(ctx, head)

    def _context(self, operation: str, task: Task | None = None) -> Context:
        service = task.name.partition(".")[0] if task is not None else "cumulo"
        account, region = (task.account, task.region) if task is not None else ("", "")
        return self._runtime.internal_context(service, operation, account, region)

    def _move(self, ctx: Context, task: Task, due_ms: int, leased_by: str) -> None:
        ctx.txn.delete(DUE.key(ctx, task.due_ms, task.id))
        if task.leased_by:
            ctx.txn.delete(LEASES.key(ctx, task.leased_by, task.id))
        task.due_ms, task.leased_by = due_ms, leased_by
        if leased_by:
            ctx.txn.put(LEASES.key(ctx, leased_by, task.id), b"")
        TASKS.put(ctx, task)
        self._schedule(ctx, task)

    # --- the runner -----------------------------------------------------------------------------

    async def open(self) -> None:
        """Take back what this store's dead nodes had leased, and begin to run."""
        self._open = True
        await self._take_back()
        self._runtime.store.on_signal(self._on_signal)
        if self._runtime.store.name == "postgres":
            self._watching = asyncio.get_running_loop().create_task(self._watch_nodes())
        self._wake()

    async def _take_back(self) -> None:
        alive = self._runtime.store.live_nodes() | {self._runtime.store.node_id}

        def take_back(txn: Transaction) -> None:
            ctx = self._context("tasks.open")
            ctx.enter(txn)
            now_ms = int(self._runtime.clock.now() * 1000)
            for key, _ in txn.range(*prefix_range(LEASES.key(ctx))):
                node, task_id = unpack(key)[-2:]
                task = TASKS.peek(ctx, str(task_id))
                if node in alive:
                    continue
                txn.delete(key)
                if task is not None:
                    self._move(ctx, task, now_ms, "")

        await self._runtime.store.run(take_back)

    async def _watch_nodes(self) -> None:
        """Take over from a node that is gone without waiting for its leases to end."""
        store = self._runtime.store
        known = store.live_nodes()
        while True:
            await asyncio.sleep(LOOK_FOR_NODES_S)
            alive = store.live_nodes()
            if store.node_id not in alive:
                continue  # the store is out of our reach: we know nothing of others
            try:
                if known - alive:
                    await self._take_back()
                known = alive
            except Exception:
                self._runtime.logger("tasks").exception("the tasks of a dead node could not be taken over yet")

    async def close(self) -> None:
        """Stop running; whatever is unfinished stays in the store."""
        self._open = False
        if self._timer is not None:
            self._timer.cancel()
        waiting = [*self._running.values(), *[task for task in (self._pumping, self._watching) if task]]
        for running in waiting:
            running.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    @property
    def busy(self) -> bool:
        """Whether this node is running a task or about to look for one."""
        return bool(self._running) or self._pumping is not None or self._pump_soon

    def _on_signal(self, name: bytes) -> None:
        if name == SIGNAL or not name:  # b"": signals may have been missed
            self._wake()

    def _wake(self) -> None:
        self._pump_soon = True
        if self._open and self._pumping is None:
            self._pumping = asyncio.get_running_loop().create_task(self._pump())

    async def _pump(self) -> None:
        try:
            while self._pump_soon and self._open:
                self._pump_soon = False
                due, next_ms = await self._runtime.store.run(self._due)
                if next_ms is not None:
                    self._arm(next_ms / 1000)
                ready = [task for task in due if task.id not in self._running][:CONCURRENT]
                if ready:  # all their transactions share one commit; and there may be more to do
                    await asyncio.gather(*[self._start(task) for task in ready])
                    self._pump_soon = True
        except Exception:
            self._runtime.logger("tasks").exception("the task runner stumbled and goes on in a second")
            self._arm(self._runtime.clock.now() + 1.0)
        finally:
            self._pumping = None
            if self._pump_soon and self._open:
                self._wake()

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._runtime.clock.call_at(when, self._wake)

    def _due(self, txn: Transaction) -> tuple[list[Task], int | None]:
        """What is to run now, and when the next is due if all of that was found."""
        ctx = self._context("tasks.due")
        ctx.enter(txn)
        begin, end = prefix_range(DUE.key(ctx))
        now_ms = int(self._runtime.clock.now() * 1000)
        found: list[Task] = []
        for key, _ in txn.range(begin, end, limit=BATCH + len(self._running)):
            due_ms, task_id = unpack(key)[-2:]
            assert isinstance(due_ms, int)
            if due_ms > now_ms:
                return found, due_ms
            task = TASKS.peek(ctx, str(task_id))
            if task is not None:
                found.append(task)
            else:
                txn.delete(key)
        return found, None

    async def _start(self, task: Task) -> None:
        try:
            function, mark = self._runtime.registry.task(task.name)
        except Exception as error:
            await self._failed(task, TaskMark(task.name, 1_000_000, 60.0), error)
            return
        if waits(function):
            if await self._lease(task):
                running = asyncio.get_running_loop().create_task(self._run_async(task, function, mark))
                self._running[task.id] = running
            return
        try:
            await self._runtime.store.run(lambda txn: self._run(txn, task.id, function))
        except Exception as error:
            await self._failed(task, mark, error)

    def _run(self, txn: Transaction, task_id: str, function: Callable[..., Any]) -> None:
        ctx = self._context("tasks.run")
        ctx.enter(txn)
        task = TASKS.peek(ctx, task_id)
        if task is None or task.due_ms > self._runtime.clock.now() * 1000:
            return  # another node was faster
        ctx = self._context(task.name, task)
        ctx.enter(txn)
        function(ctx, task.payload)
        self._remove(ctx, task)

    async def _lease(self, task: Task) -> bool:
        def take(txn: Transaction) -> bool:
            ctx = self._context("tasks.lease")
            ctx.enter(txn)
            current = TASKS.peek(ctx, task.id)
            now = self._runtime.clock.now()
            if current is None or current.due_ms > now * 1000 or self._spared(ctx, current, now):
                return False
            self._move(ctx, current, int((now + LEASE_S) * 1000), self._runtime.store.node_id)
            return True

        return await self._runtime.store.run(take)

    def _spared(self, ctx: Context, task: Task, now: float) -> bool:
        """Whether a lease that ran out is left to its holder once more.

        Nodes on one computer wake up together, all leases over: a holder whose heart beats is about to extend its own.
        """
        store = self._runtime.store
        holder = task.leased_by
        if holder in ("", store.node_id) or holder not in store.live_nodes():
            return False
        if self._spares.pop(task.id, None) == task.due_ms:  # nor has it since: it is stuck
            return False
        due_ms = int((now + SPARE_S) * 1000)
        ctx.txn.on_commit(lambda: self._spares.__setitem__(task.id, due_ms))
        self._move(ctx, task, due_ms, holder)
        return True

    async def _run_async(self, task: Task, function: Callable[..., Any], mark: TaskMark) -> None:
        keeper = asyncio.get_running_loop().create_task(self._keep(task))
        ctx = self._context(task.name, task)
        if self._runtime.store.name == "postgres":
            ctx.held = lambda ctx: self._check_held(ctx, task.id)
        try:
            await function(ctx, task.payload)
            await self._runtime.store.run(lambda txn: self._finish(txn, task.id))
        except Exception as error:
            await self._failed(task, mark, error)
        finally:
            keeper.cancel()
            self._running.pop(task.id, None)
            self._wake()

    def _check_held(self, ctx: Context, task_id: str) -> None:
        task = TASKS.peek(ctx, task_id)
        if task is None or task.leased_by != self._runtime.store.node_id:
            raise LeaseLost(f"another node has taken over {ctx.operation}")

    async def _keep(self, task: Task) -> None:
        """Make the lease last as long as the task runs; stop the task where the lease is another node's."""
        clock = self._runtime.clock
        while True:
            await clock.sleep_until(clock.now() + LEASE_S / 3)  # of cloud time: at once when the computer wakes up
            try:
                if await self._runtime.store.run(lambda txn: self._extend(txn, task.id)):
                    continue
            except StoreFailure as failure:
                self._runtime.logger("tasks").warning("%s could not keep its lease yet: %s", task.name, failure)
                continue
            self._runtime.logger("tasks").warning("%s goes on at another node, and ends here", task.name)
            running = self._running.get(task.id)
            if running is not None:
                running.cancel()
            return

    def _extend(self, txn: Transaction, task_id: str) -> bool:
        """False when another node has it."""
        ctx = self._context("tasks.keep")
        ctx.enter(txn)
        task = TASKS.peek(ctx, task_id)
        if task is None or task.leased_by not in ("", self._runtime.store.node_id):
            return task is None  # done, or cancelled, and about to end
        self._move(ctx, task, int((self._runtime.clock.now() + LEASE_S) * 1000), self._runtime.store.node_id)
        return True

    def _finish(self, txn: Transaction, task_id: str) -> None:
        ctx = self._context("tasks.finish")
        ctx.enter(txn)
        task = TASKS.peek(ctx, task_id)
        if task is not None and task.leased_by in ("", self._runtime.store.node_id):
            self._remove(ctx, task)

    async def _failed(self, task: Task, mark: TaskMark, error: BaseException) -> None:
        if isinstance(error, LeaseLost):
            return
        if isinstance(error, Retry):
            wait_s = error.after_s
        else:
            wait_s = min(mark.backoff_s * 2**task.attempts, MAX_BACKOFF_S)
            self._runtime.logger("tasks").warning("%s failed, attempt %d", task.name, task.attempts + 1, exc_info=error)

        def keep(txn: Transaction) -> None:
            ctx = self._context("tasks.failed")
            ctx.enter(txn)
            current = TASKS.peek(ctx, task.id)
            if current is None or current.leased_by not in ("", self._runtime.store.node_id):
                return  # done, or being done, by another node
            current.attempts += 1
            current.error = str(error)[:1000]
            if current.attempts >= mark.attempts and not isinstance(error, Retry):
                self._remove(ctx, current)
                DEAD.put(ctx, current)
                return
            self._move(ctx, current, int((self._runtime.clock.now() + wait_s) * 1000), "")

        await self._runtime.store.run(keep)
