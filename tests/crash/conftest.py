"""Clouds that are processes of their own, and may be killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cumulo.cli.servers import prepare_data_dir
from tests.postgres_server import PostgresServer
from tests.server_process import Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One over SQLite."""
    running = Server(tmp_path / "cloud").start()
    yield running
    stop(running)


@pytest.fixture
def nodes(postgres: PostgresServer, tmp_path: Path) -> Iterator[list[Server]]:
    """Two over one database, which share the folders that nodes have to share (docs/lambda.md) and no others."""
    url = postgres.create_database()
    started = []
    for name in ("one", "two"):
        prepare_data_dir(tmp_path / name)
        for shared in ("blobs", "images"):
            (tmp_path / shared).mkdir(exist_ok=True)
            (tmp_path / name / shared).symlink_to(tmp_path / shared)
        started.append(Server(tmp_path / name, "--store", url).start())
    yield started
    for node in started:
        stop(node)


def stop(node: Server) -> None:
    """Stop a node, unless a test has killed it."""
    if node.process is not None and node.process.poll() is None:
        node.stop()
