"""What is SQLite's own: durability before `done`, failures that take nothing with them, and its files."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from cumulo.store import open_store
from cumulo.store.failures import StoreCorrupt, StoreFailure, StoreFull, StoreLocked, StoreNewer, StoreReadOnly
from tests.store.conftest import Stand


class Gate:
    """Stands before the writer: a batch is applied when the test lets it, or fails as the test wants."""

    def __init__(self, stand: Stand) -> None:
        self.store: Any = stand.store
        self.appliance = self.store._writer._appliance
        self.open = threading.Event()
        self.error: Exception | None = None
        self.entered = 0
        self._apply = self.appliance.apply
        self.appliance.apply = self.apply

    def apply(self, batch: Any) -> None:
        self.entered += 1
        assert self.open.wait(10)
        if self.error is not None:
            raise self.error
        self._apply(batch)


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("injected")
    error.sqlite_errorcode = code
    return error


def turn(stand: Stand, until: Any = None) -> None:
    """Let the loop run a little, or until something is so."""

    async def some() -> None:
        for _ in range(20_000 if until else 10):
            await asyncio.sleep(0.001)
            if until and until():
                return
        assert not until

    stand.wait(some())


@pytest.mark.interpreted
def test_nothing_is_done_before_it_is_durable(sqlite: Stand) -> None:
    gate = Gate(sqlite)
    done: list[Any] = []
    store = sqlite.store
    store.on_signal(done.append)
    store.transact(lambda t: (t.put(b"a", b"1"), t.signal(b"s")), lambda *answer: done.append("write"))
    store.transact(lambda t: t.get(b"other"), lambda *answer: done.append("unrelated read"))
    store.transact(lambda t: t.get(b"a"), lambda *answer: done.append("read of it"))
    store.transact(lambda t: t.range(b"a", b"b"), lambda *answer: done.append("range over it"))

    def fail(transaction: Any) -> None:
        raise ValueError(transaction.get(b"a"))

    store.transact(fail, lambda result, failure: done.append(failure))
    turn(sqlite)
    assert done == ["unrelated read"]
    with sqlite3.connect(sqlite.data_dir / "state.db") as outside:
        assert outside.execute("SELECT count(*) FROM kv").fetchone() == (0,)
    outside.close()
    gate.open.set()
    turn(sqlite, lambda: len(done) == 6)
    assert done[:5] == ["unrelated read", b"s", "write", "read of it", "range over it"]
    assert repr(done[5]) == "ValueError(b'1')"


@pytest.mark.interpreted
def test_what_comes_during_a_commit_shares_the_next(sqlite: Stand) -> None:
    gate = Gate(sqlite)
    done: list[Any] = []
    for number in range(3):
        sqlite.store.transact(lambda t, n=number: t.put(b"%d" % n, b""), lambda *answer: done.append(1))
    turn(sqlite, lambda: gate.entered == 1)
    for number in range(3, 40):
        sqlite.store.transact(lambda t, n=number: t.put(b"%d" % n, b""), lambda *answer: done.append(1))
        turn(sqlite)
    gate.open.set()
    turn(sqlite, lambda: len(done) == 40)
    assert gate.entered == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_FULL, StoreFull),
        (sqlite3.SQLITE_READONLY, StoreReadOnly),
        (sqlite3.SQLITE_CORRUPT, StoreCorrupt),
        (sqlite3.SQLITE_IOERR, StoreFailure),
    ],
)
@pytest.mark.interpreted
def test_a_failed_commit_takes_back_all_that_was_built_on_it(sqlite: Stand, code: int, kind: type[Exception]) -> None:
    sqlite.one(lambda t: (t.put(b"a", b"old"), t.put(b"gone", b"x")))
    gate = Gate(sqlite)
    done: list[Any] = []
    committed: list[Any] = []

    def answer(result: Any, failure: BaseException | None) -> None:
        done.append(failure)

    def first(transaction: Any) -> None:
        transaction.put(b"a", b"new")
        transaction.delete(b"gone")
        transaction.on_commit(lambda: committed.append(1))
        transaction.signal(b"s")

    sqlite.store.on_signal(committed.append)
    sqlite.store.transact(first, answer)
    turn(sqlite, lambda: gate.entered == 1)
    sqlite.store.transact(lambda t: t.put(b"b", t.get(b"a")), answer)
    sqlite.store.transact(lambda t: t.get(b"gone"), answer)
    gate.error = sqlite_error(code)
    gate.open.set()
    turn(sqlite, lambda: len(done) == 3)
    assert [type(failure) for failure in done] == [kind] * 3
    assert len(set(map(id, done))) == 3
    assert committed == []
    assert sqlite.everything() == {b"a": b"old", b"gone": b"x"}
    assert sqlite.one(lambda t: [t.get(b"a"), t.get(b"gone"), t.get(b"b")]) == [b"old", b"x", None]
    gate.error = None
    sqlite.one(lambda t: t.put(b"b", b"again"))
    assert sqlite.everything() == {b"a": b"old", b"gone": b"x", b"b": b"again"}


@pytest.mark.interpreted
def test_while_the_disk_is_behind_work_is_put_off(sqlite: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cumulo.store.sqlite._BATCH_BYTES", 4 << 20)
    gate = Gate(sqlite)
    done: list[Any] = []
    ran: list[int] = []

    def work(number: int) -> Any:
        def write(transaction: Any) -> int:
            ran.append(number)
            transaction.put(b"%03d" % number, bytes(1 << 20))
            return number

        return write

    sqlite.store.transact(work(0), lambda result, failure: done.append(result))
    turn(sqlite, lambda: gate.entered == 1)
    for number in range(1, 10):
        sqlite.store.transact(work(number), lambda result, failure: done.append(result))
    sqlite.store.transact(lambda t: t.get(b"009"), lambda result, failure: done.append(len(result)))
    assert len(ran) == 5
    gate.open.set()
    turn(sqlite, lambda: len(done) == 11)
    assert ran == list(range(10))
    assert done == [*range(10), 1 << 20]


def test_row_by_row_is_the_same(sqlite: Stand) -> None:
    """For an SQLite without JSON functions, and for what is too large to be packed."""
    store: Any = sqlite.store
    store._writer._appliance.packs = False
    sqlite.one(lambda t: (t.put(b"a", b"1"), t.put(b"b", b""), t.put(b"c", b"3")))
    sqlite.one(lambda t: (t.put(b"a", b"2"), t.delete(b"b"), t.delete(b"d")))
    assert sqlite.everything() == {b"a": b"2", b"c": b"3"}


def test_the_journal_stays_small(sqlite: Stand) -> None:
    for turn_ in range(60):
        sqlite.one(lambda t, n=turn_: [t.put(b"%d/%d" % (n, i), os.urandom(4000)) for i in range(50)])
        sqlite.one(lambda t: t.range(b"", b"\xff", limit=3))
        sqlite.one(lambda t: t.range(b"", b"\xff", limit=3, reverse=True))
    assert (sqlite.data_dir / "state.db-wal").stat().st_size < 6 << 20


def test_the_cache_stays_within_its_room(sqlite: Stand) -> None:
    store: Any = sqlite.store
    for number in range(100):
        sqlite.one(lambda t, n=number: [t.put(b"%d/%d" % (n, i), bytes(10_000)) for i in range(30)])
        sqlite.one(lambda t, n=number: [t.get(b"%d/%d" % (n, i)) for i in range(60)])
    held = sum(len(v or b"") for generation in (store.cache.young, store.cache.old) for v in generation.values())
    assert held <= 17 << 20


def test_it_is_all_there_after_reopening(sqlite: Stand, tmp_path: Path) -> None:
    sqlite.one(lambda t: t.put(b"a", b"1"))
    sqlite.wait(sqlite.store.close())
    assert not (tmp_path / "state.db-wal").exists()
    sqlite.store = open_store("", tmp_path, sqlite.loop)
    assert sqlite.everything() == {b"a": b"1"}


def test_a_locked_directory_names_the_process(sqlite: Stand, tmp_path: Path) -> None:
    with pytest.raises(StoreLocked, match=f"in use by process {os.getpid()}") as caught:
        open_store("", tmp_path, sqlite.loop)
    assert caught.value.pid == os.getpid()
    code = "import sys, asyncio, pathlib; from cumulo.store import open_store; "
    code += "open_store('', pathlib.Path(sys.argv[1]), asyncio.new_event_loop())"
    child = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert f"in use by process {os.getpid()}" in child.stderr
    sqlite.one(lambda t: t.put(b"a", b"1"))


def refuse(data_dir: Path, kind: type[Exception], match: str) -> None:
    """It is refused, twice alike, and not a byte of it changes."""
    before = {path.name: path.read_bytes() for path in data_dir.iterdir() if path.name.startswith("state")}
    loop = asyncio.new_event_loop()
    for _ in range(2):
        with pytest.raises(kind, match=match):
            open_store("", data_dir, loop)
    loop.close()
    after = {path.name: path.read_bytes() for path in data_dir.iterdir() if path.name.startswith("state")}
    assert {name: data for name, data in after.items() if not name.endswith("-shm")} == before


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A data directory with a closed database of some pages."""
    stand = Stand("", tmp_path)
    stand.one(lambda t: [t.put(b"%04d" % number, bytes(500)) for number in range(2000)])
    stand.close()
    return tmp_path


def test_a_newer_database_is_refused(closed: Path) -> None:
    connection = sqlite3.connect(closed / "state.db")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    database = bytearray((closed / "state.db").read_bytes())
    database[18:20] = b"\x02\x02"  # the journal mode again, as opening it otherwise writes it
    (closed / "state.db").write_bytes(database)
    refuse(closed, StoreNewer, "newer cumulo")


@pytest.mark.parametrize("content", [b"", b"hello, this is a text", b"SQLite format 3\x00", bytes(10_000)])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.db").write_bytes(content)
    refuse(tmp_path, StoreCorrupt, "not a cumulo database")


def test_another_application_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("CREATE TABLE kv (key, value)")
    connection.close()
    refuse(tmp_path, StoreCorrupt, "another application")


def test_a_journal_without_its_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.db-wal").write_bytes(b"x" * 5000)
    refuse(tmp_path, StoreCorrupt, "missing")


def test_a_truncated_database_is_refused(closed: Path) -> None:
    with (closed / "state.db").open("r+b") as file:
        file.truncate(4096 * 3)
    refuse(closed, StoreCorrupt, "damaged")


def test_an_interrupted_creation_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "state.db.new").write_bytes(b"half")
    stand = Stand("", tmp_path)
    stand.one(lambda t: t.put(b"a", b"1"))
    stand.close()


def test_a_damaged_page_fails_only_who_needs_it(closed: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = bytearray((closed / "state.db").read_bytes())
    victim = database.find(b"1000")
    page = victim // 4096 * 4096
    database[page : page + 4096] = os.urandom(4096)
    (closed / "state.db").write_bytes(database)
    stand = Stand("", closed)
    assert len(stand.one(lambda t: t.get(b"0000"))) == 500
    for work in (lambda t: t.get(b"1000"), lambda t: t.range(b"", b"\xff"), lambda t: t.put(b"1000", b"new")):
        with pytest.raises(StoreCorrupt, match="damaged"):
            stand.one(work)
    assert "damaged" in caplog.text
    stand.one(lambda t: t.put(b"0000", b"new"))
    assert stand.one(lambda t: t.get(b"0000")) == b"new"
    stand.close()


def test_a_place_that_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    loop = asyncio.new_event_loop()
    with pytest.raises(StoreFailure, match="file"):
        open_store("", tmp_path / "file", loop)
    with pytest.raises(StoreFailure, match="unknown store"):
        open_store("mysql://", tmp_path, loop)
    loop.close()
