"""Fixtures for every test: a cloud in this process, whose time the test moves, and boto3 clients of a fresh account."""

import asyncio
import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, settings

from cumulo.app import Cloud
from cumulo.core import context
from cumulo.core.clock import Clock
from cumulo.settings import Settings
from tests.postgres_server import PostgresServer, programs

# A busy machine is no fault of the code's: examples may be slow to draw and to run.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

_accounts = itertools.count(100_000_000_000 + os.getpid() * 100_000 % 800_000_000_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what cannot be done to a compiled cumulo."""
    if not str(context.__file__).endswith(".py"):
        for item in items:
            if item.get_closest_marker("interpreted"):
                item.add_marker(pytest.mark.skip("this cumulo is compiled"))


# Cloud time that runs so many times faster than the computer's shows which tests depend on how long the computer takes.
HURRY = float(os.environ.get("CUMULO_TEST_HURRY", "1"))
BEGAN = time.time()

ROUNDS_S = 5.0  # that a round of a reconciler is waited for: it may be waiting for what the test does next


class RunningCloud:
    """A cloud on a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._still_at: float | None = None
        self.clock = Clock(self._time)
        self.cloud = Cloud(settings, clock=self.clock)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self.cloud.start())

    def _time(self) -> float:
        return BEGAN + (time.time() - BEGAN) * HURRY if self._still_at is None else self._still_at

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Cloud time stands still, but for what the test lets pass."""
        self._still_at = self._time()
        try:
            yield
        finally:
            self._still_at = None

    def run(self, coroutine: Any, timeout: float = 60) -> Any:
        """Await something on the cloud's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.cloud.port}"

    def advance(self, seconds: float) -> None:
        """Let so much cloud time pass, and everything that falls due in it happen."""

        async def jump() -> None:
            self.clock.advance(seconds)
            await self._settle()

        self.run(jump())

    def settle(self) -> None:
        """Wait until no durable task is running or due, and no reconciler is on its round."""
        self.run(self._settle())

    async def _settle(self) -> None:
        runtime = self.cloud.runtime
        patience = self.loop.time() + ROUNDS_S
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(0.002)
            on_round = runtime.reconcilers.busy and self.loop.time() < patience
            quiet = 0 if runtime.tasks.busy or on_round else quiet + 1

    def stop(self) -> None:
        self.run(self.cloud.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(60)
        self.loop.close()


class Account:
    """What a test sees of the cloud: its own account and clients for it."""

    def __init__(self, running: RunningCloud, account: str) -> None:
        self.running = running
        self.account = account
        self.url = running.url
        self.data_dir = running.settings.data_dir

    def client(self, service: str, *, account: str | None = None, region: str = "us-east-1", **options: Any) -> Any:
        """A boto3 client of this account's root user, or of another account's."""
        options.setdefault("aws_access_key_id", account or self.account)
        options.setdefault("aws_secret_access_key", "test")
        config = Config(retries={"max_attempts": 0}, parameter_validation=False).merge(options.pop("config", Config()))
        return boto3.client(service, endpoint_url=self.url, region_name=region, config=config, **options)

    def another(self) -> "Account":
        """A second fresh account of the same cloud."""
        return Account(self.running, f"{next(_accounts):012d}")

    def advance(self, seconds: float) -> None:
        self.running.advance(seconds)

    def settle(self) -> None:
        self.running.settle()


@pytest.fixture(scope="session")
def start_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., RunningCloud]]:
    """Starts further clouds, each on a data directory of its own unless one is given; all are stopped at the end."""
    started: list[RunningCloud] = []
    cache = Path.home() / ".cache" / "cumulo-tests"

    def start(data_dir: Path | None = None, **settings: Any) -> RunningCloud:
        settings.setdefault("store", "")
        data = data_dir or tmp_path_factory.mktemp("data")
        running = RunningCloud(Settings(data_dir=data, cache_dir=cache, port=0, **settings))
        started.append(running)
        return running

    yield start
    for running in started:
        if not running.loop.is_closed():
            running.stop()


@pytest.fixture(scope="session")
def _shared_cloud(start_cloud: Callable[..., RunningCloud]) -> RunningCloud:
    return start_cloud()


@pytest.fixture
def cloud(_shared_cloud: RunningCloud) -> Account:
    """A fresh account in a cloud that the whole session shares."""
    return Account(_shared_cloud, f"{next(_accounts):012d}")


@pytest.fixture
def still(cloud: Account) -> Iterator[None]:
    """Cloud time stands still, but for `cloud.advance`: what the test does between two moments takes no time."""
    with cloud.running.still():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """This session's PostgreSQL (with xdist, each worker's): whoever uses it makes databases of their own there."""
    binaries = programs()
    if binaries is None:
        pytest.skip("PostgreSQL's server programs are not installed (apt install postgresql)")
    server = PostgresServer(binaries)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def two_nodes(postgres: PostgresServer, start_cloud: Callable[..., RunningCloud]) -> Iterator[list[RunningCloud]]:
    """Two nodes of one cloud, over a database of this module's own."""
    url = postgres.create_database()
    running = [start_cloud(store=url) for _ in range(2)]
    yield running
    for node in running:
        node.stop()
