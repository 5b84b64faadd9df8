"""One connection to PostgreSQL, and transactions on it until they are decided."""

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, LiteralString

import psycopg
from psycopg import errors

from cumulo.store.failures import StoreFailure, StoreUnavailable
from cumulo.store.overlay import Cover, added, keys_between, merge
from cumulo.store.postgres_nodes import Registry
from cumulo.store.postgres_schema import Connection, connect, is_gone, postgres_failure
from cumulo.store.store import Work
from cumulo.store.transaction import Transaction

_BEGIN: LiteralString = "BEGIN ISOLATION LEVEL SERIALIZABLE"
_GET: LiteralString = "SELECT value FROM cumulo_kv WHERE key = %b"
_RANGE: LiteralString = "SELECT key, value FROM cumulo_kv WHERE key >= %b AND key < %b ORDER BY key LIMIT %s"
_RANGE_REVERSE: LiteralString = (
    "SELECT key, value FROM cumulo_kv WHERE key >= %b AND key < %b ORDER BY key DESC LIMIT %s"
)
_COUNT: LiteralString = "SELECT count(*) FROM cumulo_kv WHERE key >= %b AND key < %b"
_ARE_THERE: LiteralString = "SELECT key FROM cumulo_kv WHERE key = ANY(%b::bytea[])"
_PUT: LiteralString = (
    "INSERT INTO cumulo_kv (key, value) SELECT * FROM unnest(%b::bytea[], %b::bytea[])"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_DELETE: LiteralString = "DELETE FROM cumulo_kv WHERE key = ANY(%b::bytea[])"
_MARK: LiteralString = "INSERT INTO cumulo_commits (node, number) VALUES (%s, %s)"
_SETTLE: LiteralString = "INSERT INTO cumulo_commits (node, number) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_NOTIFY: LiteralString = "SELECT pg_notify('cumulo', %s)"

_PATIENCE_S = 30.0  # how long a transaction is tried again before the caller hears of it
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.25
_IN_TURN = 3  # after so many conflicts a transaction waits for its node's other unlucky ones


class PostgresTransaction(Transaction):
    """Reads from the server, under its own buffered writes."""

    __slots__ = ("_session", "failure")

    def __init__(self, session: "Session") -> None:
        super().__init__()
        self._session = session
        self.failure: psycopg.Error | None = None  # kept: `work` may have caught it

    @property
    def failed(self) -> bool:
        """As when it conflicted with another transaction."""
        return self.failure is not None

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None when there is none."""
        if key in self.writes:
            value: bytes | None = self.writes[key]
            return value
        rows = self._query(_GET, (key,))
        return rows[0][0] if rows else None

    def range(
        self, begin: bytes, end: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """Keys and values, begin <= key < end, in the order of the keys or from the last on; at most `limit`."""
        if limit is not None and limit <= 0:
            return []
        covers: list[Cover] = []
        needed = limit
        if keys := keys_between(self.writes, begin, end):
            covers.append((self.writes, keys))
            needed = None if limit is None else limit + len(keys)  # our deletions may hide as many
        rows = self._query(_RANGE_REVERSE if reverse else _RANGE, (begin, end, needed))
        return merge(rows, covers, limit, reverse) if covers else rows

    def count(self, begin: bytes, end: bytes) -> int:
        """How many keys there are, begin <= key < end."""
        stored = int(self._query(_COUNT, (begin, end))[0][0])
        keys = keys_between(self.writes, begin, end)
        if not keys:
            return stored
        there = {row[0] for row in self._query(_ARE_THERE, (keys,))}
        return stored + added([(self.writes, keys)], there.__contains__)

    def _query(self, statement: LiteralString, parameters: tuple[Any, ...]) -> list[Any]:
        try:
            return self._session.query(statement, parameters)
        except psycopg.Error as error:
            self.failure = error
            raise


class _Lost(Exception):
    """The connection was lost in a COMMIT that did not happen and never will."""


class Session:
    """One connection, for one thread; made when needed and again when lost."""

    def __init__(self, url: str, registry: Registry) -> None:
        self._url = url
        self._registry = registry
        self._connection: Connection | None = None
        self._cursor: psycopg.Cursor[Any]
        self._begun = False

    def run(self, work: Work[Any]) -> tuple[Any, BaseException | None, PostgresTransaction]:
        """The decided outcome of a transaction: result or exception of `work`, and what it did.

        Raises StoreFailure when it is not decided in time.
        """
        deadline = time.monotonic() + _PATIENCE_S
        attempt = 0
        while True:
            try:
                if attempt < _IN_TURN:
                    return self._attempt(work, deadline)
                with self._registry.turn:
                    return self._attempt(work, deadline)
            except (errors.SerializationFailure, errors.DeadlockDetected) as error:
                self._abandon()
                failure: StoreFailure = StoreUnavailable(
                    f"Too many transactions on the same data for {_PATIENCE_S:.0f} seconds. Try again. ({error})"
                )
            except _Lost as error:
                failure = StoreUnavailable(
                    f"The PostgreSQL server was lost in a commit, which did not happen. ({error})"
                )
            except psycopg.Error as error:
                connection = self._connection
                gone = connection is None or is_gone(error, connection)
                self._abandon()
                failure = postgres_failure(error)
                if not gone:
                    raise failure from error
            attempt += 1
            if time.monotonic() > deadline:
                raise failure
            pause(attempt)

    def _attempt(self, work: Work[Any], deadline: float) -> tuple[Any, BaseException | None, PostgresTransaction]:
        transaction = PostgresTransaction(self)
        result: Any = None
        failure: Exception | None = None
        try:
            result = work(transaction)
        except Exception as error:
            failure = error
        if transaction.failure is not None:
            raise transaction.failure
        writes = transaction.writes if failure is None else {}
        signals = transaction.signals if failure is None else []
        transaction.end()
        if writes or signals:
            self._commit(writes, signals, deadline)
        elif self._begun:
            self.query("COMMIT", None)  # it may still turn out that what was read never was so at one time
            self._begun = False
        return result, failure, transaction

    def query(self, statement: LiteralString, parameters: tuple[Any, ...] | None) -> list[Any]:
        """Rows, within the transaction."""
        if self._connection is None:
            self._open()
        cursor = self._cursor
        if not self._begun:
            cursor.execute(_BEGIN)
            self._begun = True
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []

    def _open(self) -> Connection:
        connection = self._connection = connect(self._url)
        self._cursor = connection.cursor(binary=True)
        self._begun = False
        return connection

    def _commit(self, writes: dict[bytes, bytes | None], signals: list[bytes], deadline: float) -> None:
        """Everything in one round trip. When the connection is lost in it, find out what became of it."""
        connection = self._connection or self._open()
        forgotten = self._registry.forgotten
        with self._registry.numbered() as number:
            try:
                self._send(connection, writes, signals, number)
            except psycopg.Error as error:
                if not is_gone(error, connection):
                    raise
                self._abandon()
                if not self._was_committed(number, forgotten, deadline):
                    raise _Lost(str(error)) from error
            self._begun = False

    def _send(
        self, connection: Connection, writes: dict[bytes, bytes | None], signals: list[bytes], number: int
    ) -> None:
        execute = partial(self._cursor.execute, prepare=False)  # psycopg loses count when a pipeline is aborted
        puts = sorted(item for item in writes.items() if item[1] is not None)  # one order for all: fewer deadlocks
        deleted = sorted(key for key, value in writes.items() if value is None)
        with connection.pipeline():
            if not self._begun:
                execute(_BEGIN)
                self._begun = True
            if deleted:
                execute(_DELETE, (deleted,))
            if puts:
                execute(_PUT, ([key for key, _ in puts], [value for _, value in puts]))
            execute(_MARK, (self._registry.node_id, number))
            for payload in self._registry.payloads(signals):
                execute(_NOTIFY, (payload,))
            execute("COMMIT")

    def _was_committed(self, number: int, forgotten: int, deadline: float) -> bool:
        """Write the mark of the lost commit ourselves: then it can never happen, unless it has.

        If the lost transaction still runs in the server, this waits for its end. Raises StoreUnavailable where nobody
        can tell, as this node slept for so long that the others have swept its marks.
        """
        attempt = 0
        while True:
            try:
                connection = self._open()
                self._registry.beat(connection)
                committed = connection.execute(_SETTLE, (self._registry.node_id, number)).rowcount == 0
                if committed or self._registry.forgotten == forgotten:
                    return committed
                raise StoreUnavailable(
                    "The PostgreSQL server was lost while a transaction was being committed, and this node was away "
                    "for long. Whether it was committed is unknown."
                )
            except psycopg.Error as error:
                self._abandon()
                if time.monotonic() > deadline:
                    failure = StoreUnavailable(
                        f"The PostgreSQL server was lost while a transaction was being committed, and is not back. "
                        f"Whether it was committed is unknown. ({str(error).strip()})"
                    )
                    raise failure from error
            attempt += 1
            pause(attempt)

    def _abandon(self) -> None:
        """Leave the transaction; keep the connection if it is good."""
        connection, begun = self._connection, self._begun
        self._begun = False
        if connection is None:
            return
        try:
            if begun:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        if connection.closed:
            self._connection = None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()


def pause(attempt: int, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait before the next attempt, longer each time; the jitter keeps two that collided from colliding again."""
    longest = min(_FIRST_PAUSE_S * 2 ** min(attempt, 16), _LONGEST_PAUSE_S)
    sleep(longest * (0.25 + 0.75 * os.urandom(1)[0] / 255))
