"""Reconcilers end with the cloud: when it stops, when it could not start, and when one missed that it should."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cumulo.app import Cloud
from cumulo.core.operation import ReconcilerMark
from cumulo.core.runtime import Runtime
from cumulo.settings import Settings
from cumulo.store import open_store

pytestmark = pytest.mark.interpreted


def code_of(function: Any, every_s: float = 60.0) -> Any:
    return SimpleNamespace(name="test", reconcilers=[(function, ReconcilerMark(every_s, ""))])


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


def test_a_reconciler_that_loses_its_cancellation_ends_all_the_same(tmp_path: Path) -> None:
    """Else the cloud would wait for it, and whoever gives up waiting leaves it behind pending."""
    runs = []
    began = asyncio.Event()

    async def deaf(ctx: Any) -> None:
        runs.append(ctx.operation)
        began.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:  # as asyncio.wait_for of Python 3.11, where what it waits for is just done
            return

    async def main() -> None:
        store = open_store("", tmp_path, asyncio.get_running_loop())
        runtime = Runtime(store, {}, data_dir=tmp_path, cache_dir=tmp_path, endpoint="http://localhost")
        await runtime.open()
        runtime.reconcilers.add(code_of(deaf))
        await began.wait()
        await asyncio.wait_for(runtime.close(), 60)
        runtime.reconcilers.add(code_of(deaf))  # what comes after the end does not begin
        await asyncio.sleep(0)
        assert runs == ["deaf"] and not others()
        await runtime.close()  # a second time is no harm
        await store.close()

    asyncio.run(main())


def test_reconcilers_are_busy_while_they_are_on_a_round(tmp_path: Path) -> None:
    begin, end = asyncio.Event(), asyncio.Event()
    rounds = []

    async def slow(ctx: Any) -> None:
        rounds.append(ctx.operation)
        begin.set()
        await end.wait()
        if len(rounds) == 1:
            raise ValueError("the first round fails")

    async def main() -> None:
        store = open_store("", tmp_path, asyncio.get_running_loop())
        runtime = Runtime(store, {}, data_dir=tmp_path, cache_dir=tmp_path, endpoint="http://localhost")
        await runtime.open()
        assert not runtime.reconcilers.busy
        runtime.reconcilers.add(code_of(slow))
        await begin.wait()
        assert runtime.reconcilers.busy
        end.set()
        while runtime.reconcilers.busy:  # noqa: ASYNC110 - a state, not a moment
            await asyncio.sleep(0.002)
        await runtime.close()
        assert rounds == ["slow"]
        await store.close()

    asyncio.run(main())


def test_a_cloud_that_cannot_start_leaves_nothing_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        cloud = Cloud(Settings(data_dir=tmp_path, cache_dir=tmp_path, host="0.0.0.0", port=0, store=""))

        def broken(txn: Any) -> None:
            cloud.runtime.registry.service("sqs")  # which has reconcilers
            raise RuntimeError("no keys")

        monkeypatch.setattr(cloud, "_first_root_key", broken)
        with pytest.raises(RuntimeError, match="no keys"):
            await cloud.start()
        await asyncio.sleep(0)
        assert not others()
        with pytest.raises(OSError, match=r"Connect call failed|refused"):
            await asyncio.open_connection("127.0.0.1", cloud.port)

    asyncio.run(main())
