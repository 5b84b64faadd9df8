"""Batches into SQLite: one statement a batch, in a thread of its own."""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue

from cumulo.store.failures import StoreFailure
from cumulo.store.overlay import Batch, Writes
from cumulo.store.sqlite_files import database_failure

# A batch goes to SQLite as one blob and one JSON list of integers that say where the keys and values lie in it:
# one call, so the interpreter lock is given up and fetched back once a batch. With executemany it is once a row,
# and each time the loop's thread, when busy, keeps it for a switch interval.
_OFFSET_BITS, _KEY_BITS, _VALUE_BITS = 25, 13, 24
_LARGEST_BATCH = 1 << _OFFSET_BITS
_LARGEST_KEY = 1 << _KEY_BITS
_LARGEST_VALUE = 1 << _VALUE_BITS
_OFFSET_SHIFT = _KEY_BITS + _VALUE_BITS
_DELETED = 1 << 62
_AT = f"((value >> {_OFFSET_SHIFT}) & {_LARGEST_BATCH - 1}) + 1"
_KEY_LENGTH = f"((value >> {_VALUE_BITS}) & {_LARGEST_KEY - 1})"
_VALUE_LENGTH = f"(value & {_LARGEST_VALUE - 1})"
_KEY = f"substr(?1, {_AT}, {_KEY_LENGTH})"
_VALUE = f"substr(?1, {_AT} + {_KEY_LENGTH}, {_VALUE_LENGTH})"
_UPSERT = "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
_APPLY_PUTS = f"INSERT INTO main.kv SELECT {_KEY}, {_VALUE} FROM json_each(?2) WHERE true {_UPSERT}"
_APPLY = (
    f"INSERT INTO temp.batch SELECT {_KEY}, CASE WHEN value & {_DELETED} THEN NULL ELSE {_VALUE} END FROM json_each(?2)"
)
_PUT = f"INSERT INTO main.kv VALUES (?, ?) {_UPSERT}"
_DELETE = "DELETE FROM main.kv WHERE key = ?"
_SET_UP = (
    "CREATE TEMP VIEW batch (key, value) AS SELECT NULL, NULL WHERE 0",
    "CREATE TEMP TRIGGER apply INSTEAD OF INSERT ON batch BEGIN"
    f" INSERT INTO kv SELECT new.key, new.value WHERE new.value IS NOT NULL {_UPSERT};"
    " DELETE FROM kv WHERE key = new.key AND new.value IS NULL; END",
)
_IDLE_S = 0.5  # after this long without a batch the journal is moved into the database

Committed = Callable[[Batch, StoreFailure | None], None]


class Appliance:
    """Applies batches through one connection, each as one SQLite transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.packs = True
        try:
            connection.execute("SELECT value FROM json_each('[1]')").fetchall()
            for statement in _SET_UP:
                connection.execute(statement)
        except sqlite3.OperationalError:
            self.packs = False  # an SQLite built without JSON: row by row then

    def apply(self, batch: Batch) -> None:
        """Commit a batch: all of it is in the database when this returns, nothing when it raises sqlite3.Error."""
        if self.packs and batch.size < _LARGEST_BATCH:
            packed = _pack(batch.writes)
            if packed is not None:
                statement, blob, places = packed
                self.connection.execute(statement, (blob, places))
                return
        self._apply_rows(batch.writes)

    def _apply_rows(self, writes: Writes) -> None:
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(_PUT, [item for item in writes.items() if item[1] is not None])
            connection.executemany(_DELETE, [(key,) for key, value in writes.items() if value is None])
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _pack(writes: Writes) -> tuple[str, bytes, str] | None:
    """The statement, its blob and the places in it, or None when a key or a value is too large for a place."""
    statement = _APPLY_PUTS  # a microsecond a row cheaper than through the trigger
    parts: list[bytes] = []
    places: list[int] = []
    offset = 0
    for key, value in writes.items():
        key_length = len(key)
        parts.append(key)
        if value is None:
            value_length = 0
            statement = _APPLY
            places.append(_DELETED | offset << _OFFSET_SHIFT | key_length << _VALUE_BITS)
        else:
            value_length = len(value)
            parts.append(value)
            places.append(offset << _OFFSET_SHIFT | key_length << _VALUE_BITS | value_length)
        if key_length >= _LARGEST_KEY or value_length >= _LARGEST_VALUE:
            return None
        offset += key_length + value_length
    parts.append(b"\x00")  # a piece of an empty blob would be NULL
    return statement, b"".join(parts), str(places)


class Writer:
    """The thread that waits for the disk so that the loop never does."""

    def __init__(self, connection: sqlite3.Connection, path: Path, committed: Committed) -> None:
        """`committed(batch, failure)` is called in the thread: the batch is durable, or has failed and left nothing."""
        self._appliance = Appliance(connection)
        self._path = path
        self._committed = committed
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._worker = threading.Thread(target=self._run, name="cumulo-store", daemon=True)
        self._worker.start()

    def submit(self, batch: Batch) -> None:
        """Write a batch; one at a time."""
        self._queue.put(batch)

    def stop(self) -> None:
        """Move the journal into the database and end the thread."""
        self._queue.put(None)
        self._worker.join()

    def _run(self) -> None:
        idle_s: float | None = None
        while True:
            try:
                batch = self._queue.get(timeout=idle_s)
            except Empty:
                self._checkpoint()
                idle_s = None
                continue
            if batch is None:
                self._checkpoint()
                self._appliance.connection.close()
                return
            failure = None
            try:
                self._appliance.apply(batch)
            except sqlite3.Error as error:
                failure = database_failure(error, self._path)
            except Exception as error:
                failure = StoreFailure(f"{self._path}: {error!r}")
                failure.__cause__ = error
            self._committed(batch, failure)
            batch = None  # the last to let go frees it all, and should be the loop that made it
            idle_s = _IDLE_S

    def _checkpoint(self) -> None:
        """It may fail on a full disk; the journal then keeps what the database does not have yet."""
        try:
            self._appliance.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error:
            return


class InlineWriter:
    """For a store in memory: nothing to wait for, and so no thread. A test's clock may jump at will."""

    def __init__(self, connection: sqlite3.Connection, committed: Committed) -> None:
        self._appliance = Appliance(connection)
        self._committed = committed

    def submit(self, batch: Batch) -> None:
        """Write a batch and say so before returning."""
        failure = None
        try:
            self._appliance.apply(batch)
        except sqlite3.Error as error:
            failure = database_failure(error, "memory")
        self._committed(batch, failure)

    def stop(self) -> None:
        """The connection is the reader's too, who closes it."""
