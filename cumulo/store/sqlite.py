"""The embedded store: SQLite behind an overlay, so that the loop's thread never waits for the disk.

`work` runs at once, inline. What it writes joins the *active* batch in memory. When the loop has
no more transactions at hand and no commit is under way, the active batch is frozen and the writer's
thread commits it with one fsync (group commit); what comes meanwhile joins the next. A read looks at the
transaction's own writes, the active batch, the frozen one, the cache, and the database, in that order.
As there is one thread and one order, transactions are serial; `done` waits for the batch.

When a commit fails, its batch and the one that was built on it are thrown away, all who wait get the
failure, and the store goes on from what the disk has.
"""

import logging
import sqlite3
from collections import deque
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.store.cache import Cache
from cumulo.store.directory import DirectoryLock, lock_directory
from cumulo.store.failures import StoreClosed, StoreCorrupt, StoreFailure
from cumulo.store.overlay import Batch, Cover, added, keys_between, merge
from cumulo.store.read_ahead import ReadAhead
from cumulo.store.sqlite_files import connect, connect_memory, database_failure, prepare
from cumulo.store.sqlite_writer import InlineWriter, Writer
from cumulo.store.store import Done, Store, Work
from cumulo.store.transaction import Transaction

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

T = TypeVar("T")

_GET = "SELECT value FROM kv WHERE key = ?"
_RANGE = "SELECT key, value FROM kv WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"
_RANGE_REVERSE = "SELECT key, value FROM kv WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT ?"
_COUNT = "SELECT count(*) FROM kv WHERE key >= ? AND key < ?"
_IS_THERE = "SELECT 1 FROM kv WHERE key = ?"
_CACHE_BYTES = 16 << 20
_BATCH_BYTES = 32 << 20  # beyond this the active batch takes no more: see `transact`
_BATCH_WAITERS = 512  # a batch this large is not held back for company
_GATHER_S = 0.004  # nor one this old
_AHEAD_ROWS = 64  # at most so many rows are read ahead: see ReadAhead
_AHEAD_PLACES = 16  # of so many ranges

_log = logging.getLogger("cumulo.store")


class SqliteTransaction(Transaction):
    """Reads through the layers; `waits` is the batch, not durable yet, that something read came from."""

    __slots__ = ("_store", "waits")

    def __init__(self, store: "SqliteStore") -> None:
        self.writes = {}
        self.signals = []
        self.callbacks = []
        self.waits: Batch | None = None
        self._store = store

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None when there is none."""
        if key in self.writes:
            value: bytes | None = self.writes[key]
            return value
        store = self._store
        writes = store.active.writes
        if key in writes:
            self.waits = store.active
            return writes[key]
        frozen = store.frozen
        if frozen is not None and key in frozen.writes:
            self.waits = self.waits or frozen
            return frozen.writes[key]
        young = store.cache.young
        if key in young:
            return young[key]
        return store.read(key)

    def range(
        self, begin: bytes, end: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """Keys and values, begin <= key < end, in the order of the keys or from the last on; at most `limit`."""
        return self._store.read_range(begin, end, limit, reverse, self._covers(begin, end))

    def count(self, begin: bytes, end: bytes) -> int:
        """How many keys there are, begin <= key < end."""
        return self._store.count(begin, end, self._covers(begin, end))

    def _covers(self, begin: bytes, end: bytes) -> list[Cover]:
        store = self._store
        covers: list[Cover] = []
        if self.writes and (keys := keys_between(self.writes, begin, end)):
            covers.append((self.writes, keys))
        active = store.active
        if active.writes and (keys := active.between(begin, end)):
            covers.append((active.writes, keys))
            self.waits = active
        frozen = store.frozen
        if frozen is not None and (keys := frozen.between(begin, end)):
            covers.append((frozen.writes, keys))
            self.waits = self.waits or frozen
        return covers

    @property
    def settled(self) -> bool:
        """Nothing came from a batch that is under way, and there is one node."""
        return self.waits is None and not self.writes


class SqliteStore(Store):
    """The store of one process, in one file."""

    name = "sqlite"

    def __init__(self, loop: "AbstractEventLoop", path: Path, lock: DirectoryLock | None) -> None:
        super().__init__(loop)
        self.active = Batch()
        self.frozen: Batch | None = None
        self.cache = Cache(_CACHE_BYTES)
        self._path = path
        self._lock = lock
        self._flushing = False
        self._gathered = 0
        self._gather_until = 0.0
        self._delayed: deque[tuple[Work[Any], Done[Any]]] = deque()
        self._hidden: dict[bytes, bytes] = {}  # from where ranges with this begin need to look: see _skip_hidden
        self._ahead: dict[bytes, ReadAhead] = {}  # by where the next range is expected to begin
        self._closed = False
        self._drained: Future[None] | None = None
        self._at_once = lock is None
        self._writer: Writer | InlineWriter
        self._reader: sqlite3.Connection

    def start(self, reader: sqlite3.Connection, writer: sqlite3.Connection) -> None:
        """Begin to serve through these connections, which may be one when nothing runs beside the loop."""
        self._reader = reader
        self._get = reader.cursor().execute
        self._range = reader.cursor().execute
        if self._at_once:
            self._writer = InlineWriter(writer, self._committed)
        else:
            self._writer = Writer(writer, self._path, self._committed_in_thread)

    def transact(self, work: Work[T], done: Done[T]) -> None:
        """Run `work` now; `done` follows when the batch is durable.

        It follows at once when the transaction wrote nothing and read nothing that is not yet durable.
        Backpressure: while the disk is so far behind that the active batch is full, `work` is put off, in order,
        until the commit under way ends; memory then grows by the waiting closures alone.
        """
        if self._closed:
            self._fail(done, StoreClosed("The store is closed: the server is stopping."))
            return
        if self._delayed or self.active.size > _BATCH_BYTES:
            self._delayed.append((work, done))
            return
        self._run(work, done)

    def _run(self, work: Work[T], done: Done[T]) -> None:
        transaction = SqliteTransaction(self)
        result: T | None = None
        failure: Exception | None = None
        try:
            result = work(transaction)
        except Exception as error:
            failure = error
        writes = transaction.writes
        transaction.end()
        if failure is None and writes:
            batch = self.active
            batch.add(writes)
        elif transaction.waits is not None:
            batch = transaction.waits  # its answer, even an error, tells of what may yet fail
        else:
            if failure is None and (transaction.callbacks or transaction.signals):
                for callback in transaction.callbacks:
                    self._call(callback)
                self._announce(dict.fromkeys(transaction.signals))
            self._call(done, result, failure)
            return
        batch.waiters.append((done, result, failure))
        if failure is None:
            if transaction.callbacks:
                batch.callbacks += transaction.callbacks
            for name in transaction.signals:
                batch.signals[name] = None
        if not self._flushing and self.frozen is None:
            self._flush_soon()

    def _flush_soon(self) -> None:
        self._flushing = True
        self._gathered = 0
        self._gather_until = self.loop.time() + _GATHER_S
        self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Freeze the active batch, unless more transactions came in this turn of the loop.

        Then more are likely to come in the next: at 30 clients a commit for each one or two of them would
        cost more CPU than their requests. Alone, a client waits one empty turn of the loop, some microseconds.
        """
        waiting = len(self.active.waiters)
        if (
            waiting != self._gathered
            and waiting < _BATCH_WAITERS
            and not self._at_once
            and self.loop.time() < self._gather_until
        ):
            self._gathered = waiting
            self.loop.call_soon(self._flush)
            return
        self._flushing = False
        if self.frozen is None and self.active.waiters:
            self.frozen = self.active
            self.active = Batch()
            self._writer.submit(self.frozen)

    def _committed_in_thread(self, batch: Batch, failure: StoreFailure | None) -> None:
        self.loop.call_soon_threadsafe(self._committed, batch, failure)

    def _committed(self, batch: Batch, failure: StoreFailure | None) -> None:
        """The frozen batch is in the database for every reader to see, or nowhere."""
        self.frozen = None
        self._hidden.clear()
        if self._ahead:
            self._forget_ahead(batch)
        if failure is not None:
            self._discard(batch, failure)
        else:
            self.cache.put_all(batch.writes, batch.size)
            for callback in batch.callbacks:
                self._call(callback)
            self._announce(batch.signals)
            for done, result, error in batch.waiters:
                self._call(done, result, error)
        while self._delayed and self.active.size <= _BATCH_BYTES:
            self._run(*self._delayed.popleft())
        if self.active.waiters and not self._flushing:
            self._flush_soon()
        if self._drained is not None and not self._busy() and not self._drained.done():
            self._drained.set_result(None)

    def _discard(self, batch: Batch, failure: StoreFailure) -> None:
        """Drop a batch that failed and the active one, whose transactions may have read it."""
        later = self.active
        self.active = Batch()
        waiters = batch.waiters + later.waiters
        _log.error("%s (%d transactions refused)", failure, len(waiters), exc_info=failure.__cause__)
        for done, _, _ in waiters:
            self._fail(done, failure)

    def _busy(self) -> bool:
        return bool(self.frozen or self.active.waiters or self._delayed)

    def read(self, key: bytes) -> bytes | None:
        """A committed value that is not among the newest."""
        cache = self.cache
        if key in cache.old:
            value = cache.old[key]
        else:
            try:
                row = self._get(_GET, (key,)).fetchone()
            except sqlite3.Error as error:
                raise self._read_failure(error) from error
            value = row[0] if row is not None else None
        cache.put(key, value)
        return value

    def read_range(
        self, begin: bytes, end: bytes, limit: int | None, reverse: bool, covers: list[Cover]
    ) -> list[tuple[bytes, bytes]]:
        """A range of the database under the layers that cover it."""
        if limit is not None and limit <= 0:
            return []
        try:
            if reverse or limit is None:
                return self._look(begin, end, limit, reverse, covers)
            ahead = self._ahead.pop(begin, None)
            if ahead is None:
                rows, ahead = self._look(begin, end, limit, reverse, covers), ReadAhead()
            else:
                found = self._continued(ahead, begin, end, limit, covers)
                if found is None:  # layers lie in the way: no use to try again with the next page
                    return self._look(begin, end, limit, reverse, covers)
                rows = found
        except sqlite3.Error as error:
            raise self._read_failure(error) from error
        if len(rows) == limit:
            if len(self._ahead) >= _AHEAD_PLACES:
                self._ahead.clear()
            self._ahead[rows[-1][0] + b"\x00"] = ahead
        return rows

    def _look(
        self, begin: bytes, end: bytes, limit: int | None, reverse: bool, covers: list[Cover]
    ) -> list[tuple[bytes, bytes]]:
        statement = _RANGE_REVERSE if reverse else _RANGE
        if not covers:
            rows: list[tuple[bytes, bytes]]
            rows = self._range(statement, (begin, end, -1 if limit is None else limit)).fetchall()
            return rows
        start = begin if reverse else self._hidden.get(begin, begin)
        cursor = self._reader.execute(statement, (start, end, -1))
        try:
            rows_left = cursor if reverse else self._skip_hidden(cursor, begin, start, end)
            return merge(rows_left, covers, limit, reverse)
        finally:
            cursor.close()  # an open statement would keep the journal from starting over

    def _continued(
        self, ahead: ReadAhead, begin: bytes, end: bytes, limit: int, covers: list[Cover]
    ) -> list[tuple[bytes, bytes]] | None:
        """A page that begins where another one ended: of the rows read ahead, or reading ahead."""
        rows = ahead.take(end, limit, covers)
        if rows is None:
            ahead.size = min(_AHEAD_ROWS, max(8, 2 * ahead.size))
            ahead.rows = self._range(_RANGE, (begin, end, limit + ahead.size)).fetchall()
            ahead.at = 0
            rows = ahead.take(end, limit, covers)
            if rows is None and not covers:
                return ahead.rows  # the last ones
        return rows

    def _forget_ahead(self, batch: Batch) -> None:
        """Drop the rows read ahead that a batch has changed."""
        for begin, ahead in tuple(self._ahead.items()):
            if ahead.at < len(ahead.rows) and batch.between(begin, ahead.rows[-1][0] + b"\x00"):
                ahead.rows, ahead.at = [], 0

    def count(self, begin: bytes, end: bytes, covers: list[Cover]) -> int:
        """How many keys a range of the database has under the layers that cover it."""
        reader = self._reader
        try:
            if not covers:
                return int(self._range(_COUNT, (begin, end)).fetchone()[0])
            if not self._at_once:
                reader.execute("BEGIN")  # else the batch under way might be committed between two of these questions
            try:
                stored = int(reader.execute(_COUNT, (begin, end)).fetchone()[0])
                return stored + added(covers, lambda key: reader.execute(_IS_THERE, (key,)).fetchone() is not None)
            finally:
                if not self._at_once:
                    reader.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._read_failure(error) from error

    def _skip_hidden(
        self, rows: Iterator[tuple[bytes, bytes]], begin: bytes, start: bytes, end: bytes
    ) -> Iterator[tuple[bytes, bytes]]:
        """Drop the first rows that batches under way have deleted or replaced, and remember where that ended.

        A queue is read and emptied at its head: without this each taker walks over all that was taken since
        the last commit. It holds until a batch ends, as until then those rows stay hidden.
        """
        active = self.active.writes
        frozen = self.frozen.writes if self.frozen is not None else {}
        first = None
        for row in rows:
            if row[0] not in active and row[0] not in frozen:
                first = row
                break
        seen_to = end if first is None else first[0]
        if seen_to > start and (active or frozen):
            self._hidden[begin] = seen_to
        return chain((first,), rows) if first is not None else iter(())

    def _read_failure(self, error: sqlite3.Error) -> StoreFailure:
        failure = database_failure(error, self._path)
        if isinstance(failure, StoreCorrupt):
            _log.error("%s", failure)
        return failure

    def live_nodes(self) -> frozenset[str]:
        """This node: the data directory's lock keeps others away."""
        return frozenset((self.node_id,))

    async def close(self) -> None:
        """Commit what is under way, move the journal into the database, and let the data directory go."""
        if self._closed:
            return
        self._closed = True
        if self._busy():
            self._drained = self.loop.create_future()
            await self._drained
        self._writer.stop()
        self._reader.close()
        if self._lock is not None:
            self._lock.release()


class MemoryStore(SqliteStore):
    """The same, with nothing kept: for tests."""

    name = "memory"


def open_sqlite(data_dir: Path, loop: "AbstractEventLoop") -> SqliteStore:
    """Open the database of a data directory, making both if need be. Raises StoreFailure."""
    lock = lock_directory(data_dir)
    path = data_dir / "state.db"
    try:
        prepare(path)
        reader = connect(path)
        try:
            writer = connect(path, writes=True)
        except BaseException:
            reader.close()
            raise
    except BaseException:
        lock.release()
        raise
    store = SqliteStore(loop, path, lock)
    store.start(reader, writer)
    return store


def open_memory(loop: "AbstractEventLoop") -> MemoryStore:
    """A store that lives in memory."""
    store = MemoryStore(loop, Path("memory"), None)
    connection = connect_memory()
    store.start(connection, connection)
    return store
