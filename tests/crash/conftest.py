"""Clouds that are processes of their own, and may be killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres_server import PostgresServer, programs
from tests.server_process import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One over SQLite."""
    running = Server(tmp_path / "cloud").start()
    yield running
    stop(running)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of this module's own."""
    binaries = programs()
    if binaries is None:
        pytest.skip("PostgreSQL's server programs are not installed (apt install postgresql)")
    running = PostgresServer(binaries)
    yield running
    running.stop()


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[list[Server]]:
    """Two over one database."""
    url = postgres.create_database()
    started = [Server(tmp_path / name, "--store", url).start() for name in ("one", "two")]
    yield started
    for node in started:
        stop(node)


def stop(node: Server) -> None:
    """Stop a node, unless a test has killed it."""
    if node.process is not None and node.process.poll() is None:
        node.stop()
