"""Durable tasks: exactly once for `def`, at least once for `async def`, lanes in order, retries with backoff."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cumulo.core.background import tasks as core_tasks
from cumulo.core.clock import Clock
from cumulo.core.operation import Retry, TaskMark, mark_of, task
from cumulo.core.runtime import Runtime
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.store import open_store
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.interpreted


class Line(Record):
    number: int
    text: str


LINES = Table(Line, name="test.lines", key="number", scope=ACCOUNT)
FAILURES: dict[str, int] = {}


def _write(ctx: Any, text: str) -> None:
    LINES.put(ctx, Line(len(LINES.range(ctx)), text))


@task(backoff_s=3600.0)
def write(ctx: Any, payload: dict[str, Any]) -> None:
    _write(ctx, payload["text"])
    if FAILURES.get(payload["text"], 0) > 0:
        FAILURES[payload["text"]] -= 1
        raise Retry(3600.0) if payload.get("retry") else OSError("no luck")


@task(attempts=3, backoff_s=10.0)
async def slowly(ctx: Any, payload: dict[str, Any]) -> None:
    await asyncio.sleep(0)
    await ctx.transact(lambda ctx: _write(ctx, payload["text"]))
    if FAILURES.get(payload["text"], 0) > 0:
        FAILURES[payload["text"]] -= 1
        raise OSError("no luck")


class Gates:
    """Where tasks stand until the test lets them go on, one after the other."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def stand(self) -> None:
        gate = asyncio.Event()
        self.arrived.put_nowait(gate)
        await gate.wait()


GATES: list[Gates] = []


@task
async def stand(ctx: Any, payload: dict[str, Any]) -> None:
    await GATES[0].stand()
    await ctx.transact(lambda ctx: _write(ctx, payload["text"]))
    await GATES[0].stand()
    if FAILURES:
        raise OSError("no luck")


class OneService:
    """Stands where the registry stands: the tasks above are all there is."""

    names: tuple[str, ...] = ()

    def task(self, name: str) -> tuple[Any, TaskMark]:
        function = {"write": write, "slowly": slowly, "stand": stand}[name.rpartition(".")[2]]
        mark = mark_of(function)
        assert isinstance(mark, TaskMark)
        return function, mark


class House:
    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.clock = runtime.clock

    async def start(self, function: Any, text: str, **options: Any) -> None:
        payload = {"text": text, **{key: options.pop(key) for key in ("retry",) if key in options}}
        await self.runtime.store.run(lambda txn: self._context(txn).later(function, payload, **options))

    def _context(self, txn: Any) -> Any:
        ctx = self.runtime.internal_context("test", "test", "123456789012", "us-east-1")
        ctx.enter(txn)
        return ctx

    async def lines(self) -> list[str]:
        await self.settle()
        rows = await self.runtime.store.run(lambda txn: LINES.range(self._context(txn)))
        return [row.text for row in rows]

    async def dead(self) -> list[str]:
        rows = await self.runtime.store.run(lambda txn: core_tasks.DEAD.range(self._context(txn)))
        return [row.payload["text"] for row in rows]

    async def count(self) -> int:
        rows = await self.runtime.store.run(lambda txn: core_tasks.TASKS.range(self._context(txn)))
        return len(rows)

    async def settle(self) -> None:
        quiet = 0
        while quiet < 5:
            await asyncio.sleep(0.002)
            quiet = 0 if self.runtime.tasks.busy else quiet + 1

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.settle()


@asynccontextmanager
async def house(data_dir: Path, store_url: str = "") -> AsyncIterator[House]:
    store = open_store(store_url, data_dir, asyncio.get_running_loop())
    runtime = Runtime(store, {}, data_dir=data_dir, cache_dir=data_dir, endpoint="http://localhost", clock=Clock())
    runtime.registry = OneService()  # type: ignore[assignment]
    await runtime.open()
    try:
        yield House(runtime)
    finally:
        await runtime.close()
        await store.close()


@pytest.fixture(autouse=True)
def _no_failures() -> None:
    FAILURES.clear()


def run(scenario: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            await scenario(home)

    asyncio.run(main())


def test_a_task_runs_once_and_is_gone(tmp_path: Path) -> None:
    async def scenario(home: House) -> None:
        await home.start(write, "a")
        assert await home.lines() == ["a"]
        await home.advance(3600)
        assert await home.lines() == ["a"]

    run(scenario, tmp_path)


def test_a_task_waits_for_its_time(tmp_path: Path) -> None:
    async def scenario(home: House) -> None:
        await home.start(write, "later", at=home.clock.now() + 3600)
        assert await home.lines() == []
        await home.advance(3601)
        assert await home.lines() == ["later"]

    run(scenario, tmp_path)


@pytest.mark.parametrize("retry", [True, False])
def test_what_a_failed_attempt_wrote_is_undone(tmp_path: Path, retry: bool) -> None:
    async def scenario(home: House) -> None:
        FAILURES["a"] = 1
        await home.start(write, "a", retry=retry)
        assert await home.lines() == []
        await home.advance(3601)
        assert await home.lines() == ["a"]

    run(scenario, tmp_path)


def test_a_lane_is_served_in_order_and_a_failure_blocks_it_alone(tmp_path: Path) -> None:
    async def scenario(home: House) -> None:
        FAILURES["a1"] = 1
        for text in ("a1", "a2", "a3"):
            await home.start(write, text, lane="a", retry=True)
        await home.start(write, "b1", lane="b")
        assert await home.lines() == ["b1"]
        await home.advance(3601)
        assert await home.lines() == ["b1", "a1", "a2", "a3"]

    run(scenario, tmp_path)


def test_a_task_that_never_succeeds_is_set_aside(tmp_path: Path) -> None:
    async def scenario(home: House) -> None:
        FAILURES["x"] = 100
        await home.start(slowly, "x")
        for _ in range(8):
            await home.advance(3600)
        assert await home.dead() == ["x"]
        assert FAILURES["x"] == 97  # three attempts

    run(scenario, tmp_path)


def test_unfinished_work_goes_on_after_a_restart(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            await home.start(write, "later", at=home.clock.now() + 3600)
            await home.start(slowly, "soon", at=home.clock.now() + 1800)
        async with house(tmp_path) as home:
            assert await home.lines() == []
            await home.advance(3601)
            assert sorted(await home.lines()) == ["later", "soon"]

    asyncio.run(main())


async def _taken_over(asleep: House, awake: House) -> None:
    """One node is suspended, and the other finds that its heart does not beat."""
    awake.runtime.store.live_nodes = lambda: frozenset({awake.runtime.store.node_id})  # type: ignore[method-assign]
    await awake.runtime.tasks._take_back()


async def _ended(home: House) -> None:
    """Until nothing runs at this node: a state, not a moment."""
    while home.runtime.tasks._running:  # noqa: ASYNC110
        await asyncio.sleep(0.005)


@pytest.fixture
def gates() -> Iterator[Gates]:
    GATES[:] = [Gates()]
    yield GATES[0]
    GATES.clear()


@pytest.mark.postgres
@pytest.mark.parametrize("moment", ["before it wrote", "after it wrote", "and fails then", "and finds out"])
def test_a_node_that_wakes_up_writes_nothing_of_what_another_took_over(
    tmp_path: Path, postgres: PostgresServer, gates: Gates, moment: str
) -> None:
    async def main() -> None:
        url = postgres.create_database()
        async with house(tmp_path / "a", url) as asleep, house(tmp_path / "b", url) as awake:
            awake.runtime.tasks._open = False  # so that it is surely the first who begins
            await asleep.start(stand, "a", lane="lane")
            await asleep.start(write, "next", lane="lane")
            first = await asyncio.wait_for(gates.arrived.get(), 60)
            if moment in ("after it wrote", "and fails then"):
                first.set()
                first = await asyncio.wait_for(gates.arrived.get(), 60)
            asleep.runtime.tasks._open = False
            awake.runtime.tasks._open = True
            await _taken_over(asleep, awake)
            second = await asyncio.wait_for(gates.arrived.get(), 60)
            if moment == "and fails then":
                FAILURES["a"] = 1
            if moment == "and finds out":
                asleep.clock.advance(3600)
            else:
                first.set()
            await asyncio.wait_for(_ended(asleep), 60)
            FAILURES.clear()
            second.set()
            (await asyncio.wait_for(gates.arrived.get(), 60)).set()
            await asyncio.wait_for(_ended(awake), 60)
            written = ["a"] if moment in ("before it wrote", "and finds out") else ["a", "a"]  # at least once
            assert await awake.lines() == [*written, "next"]
            assert await awake.dead() == []
            assert await awake.count() == 0

    asyncio.run(main())


@pytest.mark.postgres
def test_nodes_that_wake_up_together_leave_each_other_their_tasks(
    tmp_path: Path, postgres: PostgresServer, gates: Gates
) -> None:
    async def main() -> None:
        url = postgres.create_database()
        async with house(tmp_path / "a", url) as holder, house(tmp_path / "b", url) as other:
            both = frozenset({holder.runtime.store.node_id, other.runtime.store.node_id})
            other.runtime.store.live_nodes = lambda: both  # type: ignore[method-assign]
            other.runtime.tasks._open = False  # so that it is surely the first who begins
            await holder.start(stand, "a")
            first = await asyncio.wait_for(gates.arrived.get(), 60)
            holder.runtime.tasks._open = False
            other.runtime.tasks._open = True
            await other.advance(8 * 3600)
            assert gates.arrived.empty()
            other.clock.advance(core_tasks.SPARE_S + 1)  # it has not extended its lease: it is stuck
            second = await asyncio.wait_for(gates.arrived.get(), 60)
            second.set()
            (await asyncio.wait_for(gates.arrived.get(), 60)).set()
            assert await other.lines() == ["a"]
            first.set()
            await asyncio.wait_for(_ended(holder), 60)
            assert await other.lines() == ["a"]

    asyncio.run(main())


def test_a_lease_lasts_as_long_as_its_task_runs_also_over_a_sleep(tmp_path: Path, gates: Gates) -> None:
    async def scenario(home: House) -> None:
        await home.start(stand, "a")
        first = await asyncio.wait_for(gates.arrived.get(), 60)
        for _ in range(3):
            home.clock.advance(8 * 3600)
            await asyncio.sleep(0.05)
        assert gates.arrived.empty()  # nobody began it again
        first.set()
        (await asyncio.wait_for(gates.arrived.get(), 60)).set()
        assert await home.lines() == ["a"]
        assert await home.count() == 0

    run(scenario, tmp_path)
