"""Every store, opened for a test and driven step by step."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cumulo.store import Store, Transaction, open_store


class Stand:
    """A store on a loop that runs only while the test waits for something."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.url = url
        self.data_dir = data_dir
        self.loop = asyncio.new_event_loop()
        self.store: Store = open_store(url, data_dir, self.loop)

    def run(self, *works: Callable[[Transaction], Any]) -> list[Any]:
        """The results of transactions that are under way at the same time; the first exception is raised."""

        async def together() -> list[Any]:
            return await asyncio.gather(*(self.store.run(work) for work in works))

        return self.wait(together())

    def one(self, work: Callable[[Transaction], Any]) -> Any:
        """The result of a transaction."""
        return self.wait(self.store.run(work))

    def wait(self, awaitable: Any, timeout_s: float = 60) -> Any:
        async def within() -> Any:
            return await asyncio.wait_for(awaitable, timeout_s)

        return self.loop.run_until_complete(within())

    def everything(self) -> dict[bytes, bytes]:
        """What is stored."""
        return dict(self.one(lambda t: t.range(b"", b"\xff")))

    def close(self) -> None:
        self.wait(self.store.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").create_database()
    else:
        url = {"sqlite": "", "memory": "memory:"}[request.param]
    stand = Stand(url, tmp_path)
    yield stand
    stand.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Stand]:
    stand = Stand("", tmp_path)
    yield stand
    stand.close()
