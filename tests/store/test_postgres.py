"""What is PostgreSQL's own: conflicts, lost connections, several nodes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cumulo.store import open_store
from cumulo.store.failures import StoreCorrupt, StoreNewer, StoreUnavailable
from cumulo.store.postgres_session import Session
from tests.postgres_server import PostgresServer
from tests.store.conftest import Stand

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.create_database()


@pytest.fixture
def node(url: str, tmp_path: Path) -> Iterator[Stand]:
    stand = Stand(url, tmp_path)
    yield stand
    stand.close()


@pytest.fixture
def other(node: Stand, tmp_path: Path) -> Iterator[Stand]:
    """A second node on the same database."""
    stand = Stand(node.url, tmp_path)
    yield stand
    stand.close()


def until(stand: Stand, condition: Any, timeout_s: float = 60) -> None:
    async def poll() -> None:
        while not condition():  # noqa: ASYNC110 - it is the server that changes it
            await asyncio.sleep(0.01)

    stand.wait(poll(), timeout_s)


def test_a_conflict_runs_the_work_again(node: Stand, other: Stand) -> None:
    runs = []

    def work(transaction: Any) -> None:
        value = int(transaction.get(b"n") or b"0")
        runs.append(value)
        if len(runs) < 4:  # another node gets in between, three times
            other.one(lambda t: t.put(b"n", b"%d" % (int(t.get(b"n") or b"0") + 10)))
        transaction.put(b"n", b"%d" % (value + 1))

    node.one(work)
    assert runs == [0, 10, 20, 30]
    assert node.everything() == {b"n": b"31"}


def test_a_swallowed_conflict_is_still_one(node: Stand, other: Stand) -> None:
    """`work` may catch what a read raises: the transaction is lost all the same, and runs again."""
    runs = []

    def work(transaction: Any) -> None:
        runs.append(1)
        transaction.get(b"n")
        if len(runs) == 1:
            transaction._session._cursor.connection.close()
        try:
            transaction.get(b"m")
        except Exception:
            return
        transaction.put(b"n", b"done")

    node.one(work)
    assert len(runs) == 2
    assert node.everything() == {b"n": b"done"}


def test_an_error_of_the_work_rests_on_serializable_reads(node: Stand) -> None:
    def work(transaction: Any) -> None:
        transaction.put(b"a", b"1")
        raise ValueError(transaction.get(b"b"))

    with pytest.raises(ValueError, match="None"):
        node.one(work)
    assert node.everything() == {}


@pytest.mark.interpreted
@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_connection_lost_in_a_commit(
    node: Stand, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Neither lost nor applied twice, wherever it broke."""
    send = Session._send
    broken: list[int] = []

    def breaking(self: Any, connection: Any, writes: Any, signals: Any, number: int) -> None:
        if broken:
            send(self, connection, writes, signals, number)
            return
        broken.append(connection.info.backend_pid)
        if moment == "after":
            send(self, connection, writes, signals, number)
        if moment == "within":
            connection.execute("BEGIN")
            connection.execute("INSERT INTO cumulo_commits VALUES (%s, %s)", (self._registry.node_id, number))
        with postgres.admin() as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", (broken[0],))
        if moment == "after":
            connection.execute("SELECT 1")
        send(self, connection, writes, signals, number)

    monkeypatch.setattr(Session, "_send", breaking)
    runs: list[int] = []

    def work(transaction: Any) -> str:
        runs.append(1)
        transaction.put(b"n", b"%d" % (int(transaction.get(b"n") or b"0") + 1))
        return "result"

    assert node.one(work) == "result"
    assert node.everything() == {b"n": b"1"}
    assert len(runs) == (1 if moment == "after" else 2)


def test_the_server_restarts(node: Stand, postgres: PostgresServer) -> None:
    heard: list[bytes] = []
    node.store.on_signal(heard.append)
    node.one(lambda t: t.put(b"a", b"1"))
    postgres.halt("immediate")
    pending = node.loop.create_task(node.store.run(lambda t: t.put(b"b", t.get(b"a"))))
    node.loop.call_later(0.3, lambda: None)
    until(node, lambda: True)
    postgres.start()
    node.wait(pending)
    assert node.everything() == {b"a": b"1", b"b": b"1"}
    until(node, lambda: b"" in heard)  # signals may have been missed: look at everything


def test_signals_reach_other_nodes(node: Stand, other: Stand) -> None:
    heard: list[bytes] = []
    own: list[bytes] = []
    other.store.on_signal(heard.append)
    node.store.on_signal(own.append)
    names = [b"%d" % number + b"\x00\xff:" * 20 for number in range(200)]
    node.one(lambda t: [t.signal(name) for name in [*names, *names]])
    until(other, lambda: len(heard) >= 200)
    until(node, lambda: True)
    assert heard == names
    assert own == names


def test_nodes_know_each_other(node: Stand, other: Stand) -> None:
    both = {node.store.node_id, other.store.node_id}
    assert other.store.live_nodes() == both
    until(node, lambda: node.store.live_nodes() == both)
    other.wait(other.store.close())
    until(node, lambda: node.store.live_nodes() == {node.store.node_id})


def age(node: Stand, interval: str) -> None:
    """As if the server's clock had gone on by so much while no node's heart beat."""
    with psycopg.connect(node.url, autocommit=True) as connection:
        connection.execute("UPDATE cumulo_nodes SET heartbeat = heartbeat - %s::interval", (interval,))


@pytest.mark.parametrize("interval", ["8 hours", "-8 hours"])  # they slept; the server's clock was set back
def test_nodes_that_slept_together_do_not_take_each_other_for_dead(node: Stand, other: Stand, interval: str) -> None:
    both = {node.store.node_id, other.store.node_id}
    until(node, lambda: node.store.live_nodes() == both)
    registries = [stand.store._registry for stand in (node, other)]
    with psycopg.connect(node.url, autocommit=True) as connection:
        for waking in registries:
            age(node, interval)
            waking.beat(connection)
            assert waking.live == both


def test_a_node_that_does_not_wake_up_is_dead_after_all(node: Stand, other: Stand) -> None:
    until(node, lambda: node.store.live_nodes() == {node.store.node_id, other.store.node_id})
    ours, theirs = (stand.store._registry for stand in (node, other))
    theirs._stopping.set()
    for thread in theirs._threads:
        thread.join()
    with psycopg.connect(node.url, autocommit=True) as connection:
        age(node, "8 hours")
        ours.beat(connection)
        ours._patient_until = 0.0
        ours.beat(connection)
        assert ours.live == {node.store.node_id}
        assert theirs.forgotten == 0
        theirs.beat(connection)
        assert theirs.forgotten == 1


@pytest.mark.interpreted
def test_a_commit_of_a_node_that_was_forgotten_is_not_done_twice(node: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is lost in a commit, and the node sleeps for so long that the others sweep what tells of it."""
    send = Session._send
    runs: list[int] = []

    def falling_asleep(self: Any, connection: Any, writes: Any, signals: Any, number: int) -> None:
        send(self, connection, writes, signals, number)
        if not runs:
            return
        with psycopg.connect(node.url, autocommit=True) as of_another:
            of_another.execute("DELETE FROM cumulo_commits")
            of_another.execute("DELETE FROM cumulo_nodes")
        connection.close()
        raise psycopg.OperationalError("cut while asleep")

    monkeypatch.setattr(Session, "_send", falling_asleep)

    def work(transaction: Any) -> None:
        runs.append(1)
        transaction.put(b"n", b"%d" % (int(transaction.get(b"n") or b"0") + 1))

    with pytest.raises(StoreUnavailable, match="unknown"):
        node.one(work)
    monkeypatch.setattr(Session, "_send", send)
    assert node.everything() == {b"n": b"1"}
    assert runs == [1]


def test_marks_of_commits_are_swept(node: Stand) -> None:
    for number in range(20):
        node.one(lambda t, n=number: t.put(b"%d" % n, b""))

    def marks() -> int:
        with psycopg.connect(node.url) as connection:
            row = connection.execute("SELECT count(*) FROM cumulo_commits").fetchone()
            return int(row[0]) if row else -1

    until(node, lambda: marks() == 0)


def test_a_newer_or_partial_database_is_refused(url: str, tmp_path: Path) -> None:
    Stand(url, tmp_path).close()
    loop = asyncio.new_event_loop()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE cumulo_format SET version = 2")
        with pytest.raises(StoreNewer, match="newer cumulo"):
            open_store(url, tmp_path, loop)
        connection.execute("DROP TABLE cumulo_format")
        with pytest.raises(StoreCorrupt, match="only a part"):
            open_store(url, tmp_path, loop)
    loop.close()


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_store(f"postgresql:///x?host={tmp_path}", tmp_path, loop)
    loop.close()


def test_ranges_lock_narrowly(node: Stand) -> None:
    """A range is read through the index: a scan of the table would make every writer conflict with every reader."""
    node.one(lambda t: [t.put(b"%05d" % number, b"x") for number in range(5000)])

    def work(transaction: Any) -> Any:
        transaction.range(b"00010", b"00020", limit=5)
        transaction.get(b"00500")
        return transaction._session.query(
            "SELECT relation, locktype FROM pg_locks WHERE mode = 'SIReadLock' AND pid = pg_backend_pid()",
            None,
        )

    assert "relation" not in {kind for _, kind in node.one(work)}
