"""Durable tasks: exactly once for `def`, at least once for `async def`, lanes in order, retries with backoff."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cumulo.core import tasks as core_tasks
from cumulo.core.clock import Clock
from cumulo.core.operation import Retry, TaskMark, mark_of, task
from cumulo.core.runtime import Runtime
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.store import open_store

pytestmark = pytest.mark.interpreted


class Line(Record):
    number: int
    text: str


LINES = Table(Line, name="test.lines", key="number", scope=ACCOUNT)
FAILURES: dict[str, int] = {}


def _write(ctx: Any, text: str) -> None:
    LINES.put(ctx, Line(len(LINES.range(ctx)), text))


@task
def write(ctx: Any, payload: dict[str, Any]) -> None:
    _write(ctx, payload["text"])
    if FAILURES.get(payload["text"], 0) > 0:
        FAILURES[payload["text"]] -= 1
        raise Retry(30.0) if payload.get("retry") else OSError("no luck")


@task(attempts=3, backoff_s=10.0)
async def slowly(ctx: Any, payload: dict[str, Any]) -> None:
    await asyncio.sleep(0)
    await ctx.transact(lambda ctx: _write(ctx, payload["text"]))
    if FAILURES.get(payload["text"], 0) > 0:
        FAILURES[payload["text"]] -= 1
        raise OSError("no luck")


class OneService:
    """Stands where the registry stands: the tasks above are all there is."""

    names: tuple[str, ...] = ()

    def task(self, name: str) -> tuple[Any, TaskMark]:
        function = {"write": write, "slowly": slowly}[name.rpartition(".")[2]]
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

    async def settle(self) -> None:
        quiet = 0
        while quiet < 5:
            await asyncio.sleep(0.002)
            quiet = 0 if self.runtime.tasks.busy else quiet + 1

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await self.settle()


@asynccontextmanager
async def house(data_dir: Path) -> AsyncIterator[House]:
    store = open_store("", data_dir, asyncio.get_running_loop())
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
        await home.start(write, "later", at=home.clock.now() + 100)
        assert await home.lines() == []
        await home.advance(101)
        assert await home.lines() == ["later"]

    run(scenario, tmp_path)


@pytest.mark.parametrize("retry", [True, False])
def test_what_a_failed_attempt_wrote_is_undone(tmp_path: Path, retry: bool) -> None:
    async def scenario(home: House) -> None:
        FAILURES["a"] = 1
        await home.start(write, "a", retry=retry)
        assert await home.lines() == []
        await home.advance(31)
        assert await home.lines() == ["a"]

    run(scenario, tmp_path)


def test_a_lane_is_served_in_order_and_a_failure_blocks_it_alone(tmp_path: Path) -> None:
    async def scenario(home: House) -> None:
        FAILURES["a1"] = 1
        for text in ("a1", "a2", "a3"):
            await home.start(write, text, lane="a", retry=True)
        await home.start(write, "b1", lane="b")
        assert await home.lines() == ["b1"]
        await home.advance(31)
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
            await home.start(write, "later", at=home.clock.now() + 100)
            await home.start(slowly, "soon", at=home.clock.now() + 50)
        async with house(tmp_path) as home:
            assert await home.lines() == []
            await home.advance(101)
            assert sorted(await home.lines()) == ["later", "soon"]

    asyncio.run(main())
